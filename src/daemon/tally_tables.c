#include "daemon/tally_tables.h"

#include <math.h>
#include <string.h>

const char *port_protocol(struct port p)
{
	switch (p.proto) {
	case PROTO_TCP: return "tcp";
	case PROTO_UDP: return "udp";
	case PROTO_ICMP: return "icmp";
	case PROTO_ICMPV6: return "icmpv6";
	case PROTO_SCTP: return "sctp";
	default: return "other";
	}
}

/* Takes one off all of a full table's n rows; rows without weight go, and the others close the gaps. How many are left. */
static uint32_t lighten(uint32_t *weight, void *rows, size_t size, uint32_t n)
{
	uint8_t *row = rows;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!--weight[i])
			continue;
		if (kept != i) {
			weight[kept] = weight[i];
			memcpy(row + kept * size, row + i * size, size);
		}
		kept++;
	}
	return kept;
}

/* ---- Sources ---- */
static uint16_t *source_slot(struct heavy_sources *t, const struct addr *a, uint32_t hash)
{
	uint32_t at = hash % HEAVY_SLOTS(HEAVY_SOURCES);
	while (t->slot[at] && (t->row[t->slot[at] - 1].hash != hash ||
	                       memcmp(t->row[t->slot[at] - 1].address.bytes, a->bytes, sizeof a->bytes)))
		at = (at + 1) % HEAVY_SLOTS(HEAVY_SOURCES);
	return &t->slot[at];
}

static void lighten_sources(struct heavy_sources *t)
{
	uint32_t kept = lighten(t->weight, t->row, sizeof *t->row, HEAVY_SOURCES);
	if (kept == HEAVY_SOURCES)
		return;
	t->n = kept;
	memset(t->slot, 0, sizeof t->slot);
	for (uint32_t i = 0; i < kept; i++)
		*source_slot(t, &t->row[i].address, t->row[i].hash) = (uint16_t)(i + 1);
}

struct heavy_source *heavy_source_add(struct heavy_sources *t, const struct addr *a, uint64_t hash)
{
	uint16_t *slot = source_slot(t, a, (uint32_t)hash);
	if (!*slot && t->n == HEAVY_SOURCES) {
		lighten_sources(t);
		return NULL;
	}
	if (!*slot) {
		t->weight[t->n] = 0;
		t->row[t->n] = (struct heavy_source){ .address = *a, .hash = (uint32_t)hash };
		*slot = (uint16_t)++t->n;
	}
	t->weight[*slot - 1]++;
	return &t->row[*slot - 1];
}

static void add_port(struct heavy_source *s, struct port port)
{
	for (uint32_t i = 0; i < s->n_ports; i++)
		if (port_key(s->port[i]) == port_key(port))
			return;
	if (s->n_ports < SOURCE_PORTS)
		s->port[s->n_ports++] = port;
}

static void add_key(struct evidence *m, uint32_t key, uint32_t packets)
{
	if (m->n_keys > EVIDENCE_KEYS)
		return;
	for (uint8_t i = 0; i < m->n_keys; i++) {
		if (m->key[i] == key) {
			m->key_packets[i] += packets;
			return;
		}
	}
	if (m->n_keys == EVIDENCE_KEYS) {
		m->n_keys = UINT8_MAX;
		return;
	}
	m->key[m->n_keys] = key;
	m->key_packets[m->n_keys++] = packets;
}

/* NULL: it has shown more rules than are kept. */
static struct evidence *mark_of(struct heavy_source *s, uint8_t rule, uint8_t proto)
{
	for (uint32_t i = 0; i < s->n_marks; i++)
		if (s->mark[i].rule == rule && s->mark[i].proto == proto)
			return &s->mark[i];
	if (s->n_marks == SOURCE_MARKS)
		return NULL;
	struct evidence *m = &s->mark[s->n_marks++];
	*m = (struct evidence){ .rule = rule, .proto = proto, .ttl_min = UINT8_MAX, .sport_min = UINT16_MAX };
	return m;
}

static void mark(struct heavy_source *s, const struct packet *p, enum rule rule)
{
	struct evidence *m = mark_of(s, (uint8_t)rule, p->proto);
	if (!m)
		return;
	m->packets++;
	m->tuples++;
	m->ttl_min = p->ttl < m->ttl_min ? p->ttl : m->ttl_min;
	m->ttl_max = p->ttl > m->ttl_max ? p->ttl : m->ttl_max;
	m->sport_min = p->sport < m->sport_min ? p->sport : m->sport_min;
	m->sport_max = p->sport > m->sport_max ? p->sport : m->sport_max;
	if (rule == RULE_NMAP_PAIR || rule == RULE_UNICORNSCAN)
		add_key(m, rule_key(rule, p), 1);
}

void heavy_source_count(struct heavy_source *s, const struct packet *p, const struct verdict *v)
{
	s->packets++;
	s->accesses += (v->flags & VERDICT_ACCESS) != 0;
	if (v->flags & VERDICT_PROBE)
		s->probes[probe_protocol(p->proto)]++;
	add_port(s, (struct port){ p->proto, p->bits & PACKET_L4 ? p->dport : 0 });
	for (unsigned rules = v->rules & ((1u << RULE_REPLY_ID) - 1); rules; rules &= rules - 1)
		mark(s, p, (enum rule)__builtin_ctz(rules));
}

static void merge_mark(struct heavy_source *into, const struct evidence *from)
{
	struct evidence *m = mark_of(into, from->rule, from->proto);
	if (!m)
		return;
	m->packets += from->packets;
	m->tuples += from->tuples;
	m->ttl_min = from->ttl_min < m->ttl_min ? from->ttl_min : m->ttl_min;
	m->ttl_max = from->ttl_max > m->ttl_max ? from->ttl_max : m->ttl_max;
	m->sport_min = from->sport_min < m->sport_min ? from->sport_min : m->sport_min;
	m->sport_max = from->sport_max > m->sport_max ? from->sport_max : m->sport_max;
	if (from->n_keys > EVIDENCE_KEYS)
		m->n_keys = UINT8_MAX;
	for (uint8_t i = 0; i < from->n_keys && from->n_keys <= EVIDENCE_KEYS; i++)
		add_key(m, from->key[i], from->key_packets[i]);
}

void heavy_source_merge(struct heavy_source *s, const struct heavy_source *from)
{
	s->packets += from->packets;
	s->accesses += from->accesses;
	for (int i = 0; i < PROBE_PROTOCOLS; i++)
		s->probes[i] += from->probes[i];
	for (uint32_t i = 0; i < from->n_ports; i++)
		add_port(s, from->port[i]);
	for (uint32_t i = 0; i < from->n_marks; i++)
		merge_mark(s, &from->mark[i]);
}

enum tool heavy_source_tool(const struct heavy_source *s)
{
	uint64_t probes[PROBE_PROTOCOLS];
	for (int i = 0; i < PROBE_PROTOCOLS; i++)
		probes[i] = s->probes[i];
	return tool_verdict(s->mark, s->n_marks, probes);
}

/* ---- Ports ---- */
static uint16_t *port_slot(struct heavy_ports *t, struct port port, uint32_t hash)
{
	uint32_t at = hash % HEAVY_SLOTS(HEAVY_PORTS);
	while (t->slot[at] && port_key(t->row[t->slot[at] - 1].port) != port_key(port))
		at = (at + 1) % HEAVY_SLOTS(HEAVY_PORTS);
	return &t->slot[at];
}

static void lighten_ports(struct heavy_ports *t)
{
	uint32_t kept = lighten(t->weight, t->row, sizeof *t->row, HEAVY_PORTS);
	if (kept == HEAVY_PORTS)
		return;
	t->n = kept;
	memset(t->slot, 0, sizeof t->slot);
	for (uint32_t i = 0; i < kept; i++)
		*port_slot(t, t->row[i].port, t->row[i].hash) = (uint16_t)(i + 1);
}

struct heavy_port *heavy_port_add(struct heavy_ports *t, struct port port, uint64_t hash)
{
	uint16_t *slot = port_slot(t, port, (uint32_t)hash);
	if (!*slot && t->n == HEAVY_PORTS) {
		lighten_ports(t);
		return NULL;
	}
	if (!*slot) {
		t->weight[t->n] = 0;
		t->row[t->n] = (struct heavy_port){ .port = port, .hash = (uint32_t)hash };
		*slot = (uint16_t)++t->n;
	}
	t->weight[*slot - 1]++;
	return &t->row[*slot - 1];
}

void heavy_port_count(struct heavy_port *p, uint64_t source_hash)
{
	uint32_t bit = (uint32_t)(source_hash >> 32) % PORT_BITS;
	p->accesses++;
	p->seen[bit / 64] |= 1ull << bit % 64;
}

void heavy_port_merge(struct heavy_port *p, const struct heavy_port *from)
{
	p->accesses += from->accesses;
	for (int i = 0; i < PORT_BITS / 64; i++)
		p->seen[i] |= from->seen[i];
}

uint64_t heavy_port_sources(const struct heavy_port *p)
{
	uint32_t set = 0;
	for (int i = 0; i < PORT_BITS / 64; i++)
		set += (uint32_t)__builtin_popcountll(p->seen[i]);
	uint32_t free_bits = set < PORT_BITS ? PORT_BITS - set : 1;
	uint64_t n = (uint64_t)(log((double)PORT_BITS / free_bits) * PORT_BITS + 0.5);
	return n < p->accesses ? n : p->accesses;
}

/* ---- How many ---- */
void source_set_add(struct source_set *s, uint64_t hash)
{
	hll_add(s->reg, hash);
	if (s->n > SET_EXACT)
		return;
	hash |= hash == 0;
	uint32_t at = (uint32_t)hash % (2 * SET_EXACT);
	while (s->exact[at] && s->exact[at] != hash)
		at = (at + 1) % (2 * SET_EXACT);
	s->n += !s->exact[at];
	s->exact[at] = hash;
}

uint64_t source_set_count(const struct source_set *s) { return s->n <= SET_EXACT ? s->n : hll_estimate(s->reg); }
