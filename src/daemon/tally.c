/* Counters of the last minutes in fixed memory: a slot a minute, with tables of its own, added up when they are told. */
#include "daemon/tally.h"

#include "base/hash.h"
#include "base/hll.h"
#include "base/moment.h"
#include "classify/classify.h"
#include "daemon/tally_tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MINUTES 10
#define SECONDS 300
#define SECOND_SLOTS 512 /* a power of two above SECONDS, so that late packets find theirs */
#define TOLD 20          /* ports and sources that are told */
#define SECOND INT64_C(1000000000)
#define FORGET (MINUTES * 60 * SECOND) /* a clock that went back by so much begins anew */

struct second {
	int64_t second; /* since 1970; whose counts these are */
	uint64_t packets, accesses;
};

struct minute {
	int64_t minute; /* since 1970; -1: none */
	uint64_t packets, accesses;
	uint64_t received[TALLY_SENSORS], dropped[TALLY_SENSORS];
	uint64_t classes[CLASS_COUNT];
	struct source_set distinct;
	struct heavy_sources sources;
	struct heavy_ports ports;
};

struct tally {
	const struct env *env;
	struct seed seed;
	int64_t at; /* ns: all until then has been counted, of the sensor that is farthest */
	int64_t sensor_at[TALLY_SENSORS];
	enum answer_mode mode[TALLY_SENSORS];
	bool simulated;
	struct second second[SECOND_SLOTS];
	struct minute minute[MINUTES];
	/* What is told, made when it is asked for: rows of all minutes, by key; the heaviest; tools. */
	const struct heavy_source *source[MINUTES * HEAVY_SOURCES];
	const struct heavy_port *port[MINUTES * HEAVY_PORTS];
	struct heavy_source top_source[TOLD + 1];
	struct heavy_port top_port[TOLD + 1];
	uint32_t n_top_sources, n_top_ports;
	uint64_t tool_packets[TOOL_COUNT], tool_sources[TOOL_COUNT];
};

int tally_open(struct tally **out, const struct env *env, struct error *e)
{
	struct tally *t = env_alloc(env, sizeof *t);
	if (!t)
		return error_no_memory(e, "counting live packets");
	t->env = env;
	int rc = seed_draw(&t->seed, env);
	if (rc) {
		env_free(env, t, sizeof *t);
		return error_set(e, rc, "MON-DMN-003", "no random numbers to be had");
	}
	for (int i = 0; i < MINUTES; i++)
		t->minute[i].minute = -1;
	*out = t;
	return 0;
}

void tally_close(struct tally *t)
{
	if (t)
		env_free(t->env, t, sizeof *t);
}

/* ---- Counting ---- */
static void begin_minute(struct minute *m, int64_t minute)
{
	memset(m, 0, sizeof *m);
	m->minute = minute;
}

/* The slot of a moment; NULL: it is older than all that is kept. A newer minute takes the place of the oldest. */
static struct minute *minute_at(struct tally *t, int64_t ns)
{
	int64_t minute = ns / (60 * SECOND);
	struct minute *m = &t->minute[minute % MINUTES];
	if (m->minute < minute)
		begin_minute(m, minute);
	return m->minute == minute ? m : NULL;
}

static void count_second(struct tally *t, int64_t ns, bool access)
{
	int64_t second = ns / SECOND;
	struct second *s = &t->second[second % SECOND_SLOTS];
	if (s->second < second)
		*s = (struct second){ .second = second };
	if (s->second != second)
		return;
	s->packets++;
	s->accesses += access;
}

static uint64_t address_hash(const struct tally *t, const struct addr *a)
{
	uint64_t half[2];
	memcpy(half, a->bytes, sizeof half);
	return hash_fold(hash_u64x2(&t->seed, half[0], half[1]), 0x9e3779b97f4a7c15u);
}

static void count_packet(struct tally *t, struct minute *m, const struct packet *p, const struct verdict *v)
{
	bool access = v->flags & VERDICT_ACCESS;
	m->packets++;
	m->accesses += access;
	count_second(t, p->ts, access);
	struct addr source = p->version == 4 ? addr_from_v4(p->src) : (struct addr){ { 0 } };
	if (p->version == 6)
		memcpy(source.bytes, p->addrs6, sizeof source.bytes);
	uint64_t hash = address_hash(t, &source);
	source_set_add(&m->distinct, hash);
	struct heavy_source *s = heavy_source_add(&m->sources, &source, hash);
	if (s)
		heavy_source_count(s, p, v);
	struct port port = { p->proto, p->bits & PACKET_L4 ? p->dport : 0 };
	struct heavy_port *h = access ? heavy_port_add(&m->ports, port, hash_u64(&t->seed, port_key(port))) : NULL;
	if (h)
		heavy_port_count(h, hash);
}

void tally_packets(struct tally *t, const struct packet *packets, const struct verdict *verdicts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct minute *m = packets[i].ts >= 0 ? minute_at(t, packets[i].ts) : NULL;
		if (!m)
			continue;
		m->classes[verdicts[i].class]++;
		if (verdicts[i].class > CLASS_UNDECODED && packets[i].version)
			count_packet(t, m, &packets[i], &verdicts[i]);
	}
}

static void forget(struct tally *t)
{
	memset(t->second, 0, sizeof t->second);
	for (int i = 0; i < MINUTES; i++)
		begin_minute(&t->minute[i], -1);
	t->at = 0;
	memset(t->sensor_at, 0, sizeof t->sensor_at);
}

void tally_piece(struct tally *t, const struct tally_piece *piece)
{
	unsigned k = piece->sensor;
	if (piece->at < 0 || k >= TALLY_SENSORS)
		return;
	if (piece->at + FORGET < t->at)
		forget(t);
	struct minute *m = minute_at(t, piece->at ? piece->at - 1 : 0); /* its end is not its own */
	if (m) {
		m->received[k] += piece->received;
		m->dropped[k] += piece->dropped;
	}
	t->at = piece->at > t->at ? piece->at : t->at;
	if (piece->at >= t->sensor_at[k]) {
		t->sensor_at[k] = piece->at;
		t->mode[k] = piece->mode;
	}
	t->simulated |= piece->simulated;
}

/* ---- Telling ---- */
/* The minutes that are told, oldest first. */
static unsigned kept_minutes(const struct tally *t, const struct minute *out[static MINUTES])
{
	int64_t newest = t->at ? (t->at - 1) / (60 * SECOND) : 0;
	unsigned n = 0;
	for (int64_t minute = newest - MINUTES + 1; minute <= newest; minute++)
		if (minute >= 0 && t->minute[minute % MINUTES].minute == minute)
			out[n++] = &t->minute[minute % MINUTES];
	return n;
}

static int by_address(const void *a, const void *b)
{
	const struct heavy_source *const *x = a, *const *y = b;
	return memcmp((*x)->address.bytes, (*y)->address.bytes, sizeof(*x)->address.bytes);
}

static int by_port(const void *a, const void *b)
{
	const struct heavy_port *const *x = a, *const *y = b;
	return (port_key((*x)->port) > port_key((*y)->port)) - (port_key((*x)->port) < port_key((*y)->port));
}

/* Into a list of at most TOLD, the heaviest first; keys ascend, so that equal ones stay in their order. */
static void keep_source(struct tally *t, const struct heavy_source *s)
{
	uint32_t at = t->n_top_sources;
	for (; at && t->top_source[at - 1].packets < s->packets; at--)
		t->top_source[at] = t->top_source[at - 1];
	t->top_source[at] = *s;
	t->n_top_sources += t->n_top_sources < TOLD;
	enum tool tool = heavy_source_tool(s);
	t->tool_packets[tool] += s->packets;
	t->tool_sources[tool]++;
}

static void keep_port(struct tally *t, const struct heavy_port *p)
{
	uint32_t at = t->n_top_ports;
	for (; at && t->top_port[at - 1].accesses < p->accesses; at--)
		t->top_port[at] = t->top_port[at - 1];
	t->top_port[at] = *p;
	t->n_top_ports += t->n_top_ports < TOLD;
}

static void add_up_sources(struct tally *t, const struct minute *const *kept, unsigned n)
{
	uint32_t rows = 0;
	for (unsigned i = 0; i < n; i++)
		for (uint32_t k = 0; k < kept[i]->sources.n; k++)
			t->source[rows++] = &kept[i]->sources.row[k];
	qsort(t->source, rows, sizeof *t->source, by_address);
	t->n_top_sources = 0;
	memset(t->tool_packets, 0, sizeof t->tool_packets);
	memset(t->tool_sources, 0, sizeof t->tool_sources);
	for (uint32_t i = 0; i < rows;) {
		struct heavy_source all = *t->source[i];
		uint32_t first = i;
		while (++i < rows && !by_address(&t->source[first], &t->source[i]))
			heavy_source_merge(&all, t->source[i]);
		keep_source(t, &all);
	}
}

static void add_up_ports(struct tally *t, const struct minute *const *kept, unsigned n)
{
	uint32_t rows = 0;
	for (unsigned i = 0; i < n; i++)
		for (uint32_t k = 0; k < kept[i]->ports.n; k++)
			t->port[rows++] = &kept[i]->ports.row[k];
	qsort(t->port, rows, sizeof *t->port, by_port);
	t->n_top_ports = 0;
	for (uint32_t i = 0; i < rows;) {
		struct heavy_port all = *t->port[i];
		uint32_t first = i;
		while (++i < rows && !by_port(&t->port[first], &t->port[i]))
			heavy_port_merge(&all, t->port[i]);
		keep_port(t, &all);
	}
}

static void tell_sensor(const struct tally *t, const struct minute *const *kept, unsigned n, unsigned k,
                        const struct tally_sensor *sensor, struct text *out)
{
	uint64_t received = 0, dropped = 0;
	for (unsigned i = 0; i < n; i++) {
		received += kept[i]->received[k];
		dropped += kept[i]->dropped[k];
	}
	text_printf(out, "%s{\"sensor\":\"%s\",\"addresses\":", k ? "," : "", sensor->name);
	if (sensor->addresses)
		text_printf(out, "%" PRIu64, sensor->addresses);
	else
		text_puts(out, "null");
	text_printf(out, ",\"at\":%" PRId64 ",\"received\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"mode\":\"%s\"}",
	            t->sensor_at[k] / 1000000, received, dropped, mode_name(t->mode[k] ? t->mode[k] : MODE_SILENT));
}

static void tell_seconds(const struct tally *t, struct text *out)
{
	int64_t end = t->at / SECOND, first = end > SECONDS ? end - SECONDS : 0;
	for (int64_t second = first; second < end; second++) {
		const struct second *s = &t->second[second % SECOND_SLOTS];
		bool has = s->second == second;
		text_printf(out, "%s[%" PRId64 ",%" PRIu64 ",%" PRIu64 "]", second > first ? "," : "", second,
		            has ? s->packets : 0, has ? s->accesses : 0);
	}
}

static void tell_minute(const struct minute *m, bool first, struct text *out)
{
	text_printf(out, "%s{\"minute\":%" PRId64 ",\"packets\":%" PRIu64 ",\"accesses\":%" PRIu64 ",\"classes\":{",
	            first ? "" : ",", m->minute, m->packets, m->accesses);
	bool any = false;
	for (int c = CLASS_UNDECODED + 1; c < CLASS_COUNT; c++) {
		if (!m->classes[c])
			continue;
		text_printf(out, "%s\"%s\":%" PRIu64, any ? "," : "", class_name((enum packet_class)c), m->classes[c]);
		any = true;
	}
	text_printf(out, "},\"sources\":%" PRIu64 "}", source_set_count(&m->distinct));
}

static void tell_ports(const struct tally *t, struct text *out)
{
	for (uint32_t i = 0; i < t->n_top_ports; i++) {
		const struct heavy_port *p = &t->top_port[i];
		text_printf(out, "%s{\"protocol\":\"%s\",\"port\":", i ? "," : "", port_protocol(p->port));
		if (port_has_number(p->port))
			text_printf(out, "%u", p->port.number);
		else
			text_puts(out, "null");
		text_printf(out, ",\"accesses\":%" PRIu32 ",\"sources\":%" PRIu64 "}", p->accesses, heavy_port_sources(p));
	}
}

static void tell_source(const struct heavy_source *s, bool first, struct text *out)
{
	char address[ADDR_TEXT];
	text_printf(out, "%s{\"address\":\"%s\",\"packets\":%" PRIu32 ",\"accesses\":%" PRIu32 ",\"tool\":\"%s\",\"ports\":[",
	            first ? "" : ",", addr_format(&s->address, address), s->packets, s->accesses,
	            tool_name(heavy_source_tool(s)));
	for (uint32_t i = 0; i < s->n_ports; i++) {
		text_printf(out, "%s{\"protocol\":\"%s\",\"port\":", i ? "," : "", port_protocol(s->port[i]));
		text_printf(out, port_has_number(s->port[i]) ? "%u}" : "null}", s->port[i].number);
	}
	text_puts(out, "]}");
}

static void tell_tools(const struct tally *t, struct text *out)
{
	bool any = false;
	for (int i = 0; i < TOOL_COUNT; i++) {
		if (!t->tool_sources[i])
			continue;
		text_printf(out, "%s{\"tool\":\"%s\",\"packets\":%" PRIu64 ",\"sources\":%" PRIu64 "}", any ? "," : "",
		            tool_name((enum tool)i), t->tool_packets[i], t->tool_sources[i]);
		any = true;
	}
}

bool tally_json(struct tally *t, const struct tally_sensor *sensors, unsigned n_sensors, struct text *out)
{
	const struct minute *kept[MINUTES];
	unsigned n = kept_minutes(t, kept);
	uint64_t ignored = 0, undecoded = 0;
	for (unsigned i = 0; i < n; i++) {
		ignored += kept[i]->classes[CLASS_IGNORED];
		undecoded += kept[i]->classes[CLASS_UNDECODED];
	}
	add_up_sources(t, kept, n);
	add_up_ports(t, kept, n);
	text_printf(out, "{\"at\":%" PRId64 ",\"sensors\":[", t->at / 1000000);
	for (unsigned k = 0; k < n_sensors && k < TALLY_SENSORS; k++)
		tell_sensor(t, kept, n, k, &sensors[k], out);
	text_puts(out, "],\"seconds\":[");
	tell_seconds(t, out);
	text_puts(out, "],\"minutes\":[");
	for (unsigned i = 0; i < n; i++)
		tell_minute(kept[i], !i, out);
	text_puts(out, "],\"ports\":[");
	tell_ports(t, out);
	text_puts(out, "],\"sources\":[");
	for (uint32_t i = 0; i < t->n_top_sources; i++)
		tell_source(&t->top_source[i], !i, out);
	text_puts(out, "],\"tools\":[");
	tell_tools(t, out);
	text_printf(out, "],\"ignored\":%" PRIu64 ",\"undecoded\":%" PRIu64 ",\"simulated\":%s}", ignored, undecoded,
	            t->simulated ? "true" : "false");
	return text_ok(out);
}
