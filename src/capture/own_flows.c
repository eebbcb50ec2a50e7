#include "capture/own_flows.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "capture/format.h"

#include <string.h>

#define SETS 2048u /* of WAYS flows: 16,384 at a time, 1.3 MB */
#define WAYS 8u
#define LATELY 65536u /* places of a direct-mapped memory */

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58 };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* Seen from this host; for ICMP the identifier is the local port. */
struct key {
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint32_t proto;
};

struct slot {
	struct key key;
	bool used;
	int64_t seen;
};

/* What strangers bring about has a memory of its own, where it costs no flow its place: the later of two that meet in one
 * place stays, by its hash, which nobody can choose. */
struct lately {
	uint64_t hash;
	int64_t seen;
};

struct own_flows {
	const struct env *env;
	const struct live_own *own;
	size_t n_own;
	struct seed seed;
	struct slot *slots;
	struct lately *asked;    /* datagrams that came: who answers one opens no flow */
	struct lately *answered; /* our SYN-ACKs */
	uint64_t learnt; /* 0: nothing to look for */
};

/* What a frame tells as it stands, source first. */
struct view {
	const uint8_t *ip, *l4, *end;
	struct addr source, destination;
	uint16_t sport, dport;
	uint8_t proto;
	bool has_ports; /* the first four bytes of l4 are there, and not those of a later fragment */
};

/* --- reading --- */

static bool view_v4(struct view *v)
{
	size_t have = (size_t)(v->end - v->ip), header = (v->ip[0] & 15u) * 4;
	if (header < 20 || have < header)
		return false;
	v->source = addr_from_v4(load_be32(v->ip + 12));
	v->destination = addr_from_v4(load_be32(v->ip + 16));
	v->proto = v->ip[9];
	v->l4 = v->ip + header;
	v->has_ports = !(load_be16(v->ip + 6) & 0x1fff);
	return true;
}

static bool view_v6(struct view *v)
{
	if (v->end - v->ip < 40)
		return false;
	memcpy(v->source.bytes, v->ip + 8, 16);
	memcpy(v->destination.bytes, v->ip + 24, 16);
	v->proto = v->ip[6];
	v->l4 = v->ip + 40;
	v->has_ports = v->proto == TCP || v->proto == UDP || v->proto == ICMPV6;
	return true;
}

static bool view_ip(struct view *v)
{
	if (v->end - v->ip < 20)
		return false;
	unsigned version = v->ip[0] >> 4;
	if (version != 4 && version != 6)
		return false;
	if (!(version == 4 ? view_v4(v) : view_v6(v)))
		return false;
	v->has_ports &= v->end - v->l4 >= 4;
	if (v->has_ports) {
		v->sport = load_be16(v->l4);
		v->dport = load_be16(v->l4 + 2);
	}
	return true;
}

/* Behind Ethernet with up to two tags, or bare; anything else is nobody's management. */
static bool view_frame(struct view *v, const struct frame *f)
{
	*v = (struct view){ .ip = f->data, .end = f->data + f->caplen };
	if (f->link != LINK_ETHERNET)
		return f->link == LINK_RAW && view_ip(v);
	size_t at = 12;
	for (unsigned tags = 0; tags < 3 && f->caplen >= at + 2; tags++, at += 4) {
		uint16_t type = load_be16(f->data + at);
		v->ip = f->data + at + 2;
		if (type == 0x0800 || type == 0x86dd)
			return view_ip(v);
		if (type != 0x8100 && type != 0x88a8)
			return false;
	}
	return false;
}

/* --- flows --- */

static struct key key_of(const struct addr *local, const struct addr *remote, uint16_t local_port, uint16_t remote_port,
                         uint8_t proto)
{
	return (struct key){ *local, *remote, local_port, remote_port, proto };
}

static struct key key_sent(const struct view *v)
{
	return key_of(&v->source, &v->destination, v->sport, v->dport, v->proto);
}

static struct key key_came(const struct view *v)
{
	return key_of(&v->destination, &v->source, v->dport, v->sport, v->proto);
}

static uint64_t key_hash(const struct own_flows *o, const struct key *k)
{
	uint64_t words[sizeof *k / 8], h = 0;
	_Static_assert(sizeof *k % 8 == 0 && sizeof *k == 40, "a key has no holes");
	memcpy(words, k, sizeof words);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		h = hash_u64x2(&o->seed, h, words[i]);
	return h;
}

/* Within `most` before `now`; a second after it too, as processors differ in when they stamp. */
static bool is_recent(int64_t seen, int64_t now, int64_t most)
{
	const uint64_t slack = 1000000000;
	return (uint64_t)now - (uint64_t)seen + slack <= (uint64_t)most + slack;
}

static struct slot *flow_find(const struct own_flows *o, const struct key *k)
{
	struct slot *set = &o->slots[key_hash(o, k) % SETS * WAYS];
	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].used && !memcmp(&set[i].key, k, sizeof *k))
			return &set[i];
	return NULL;
}

/* In place of the one of its set that was silent for longest. */
static void flow_put(struct own_flows *o, const struct key *k, int64_t now)
{
	struct slot *set = &o->slots[key_hash(o, k) % SETS * WAYS], *s = flow_find(o, k), *oldest = set;
	for (unsigned i = 1; i < WAYS; i++)
		if (oldest->used && (!set[i].used || set[i].seen < oldest->seen))
			oldest = &set[i];
	s = s ? s : oldest;
	*s = (struct slot){ .key = *k, .used = true, .seen = now };
	o->learnt++;
}

static bool flow_refresh(struct own_flows *o, const struct key *k, int64_t now)
{
	struct slot *s = flow_find(o, k);
	if (!s || !is_recent(s->seen, now, OWN_OPENED))
		return false;
	s->seen = now;
	return true;
}

static bool flow_is(const struct own_flows *o, const struct key *k, int64_t now)
{
	const struct slot *s = o->learnt ? flow_find(o, k) : NULL;
	return s && is_recent(s->seen, now, OWN_OPENED);
}

/* --- what happened lately --- */

static void lately_put(struct lately *memory, uint64_t hash, int64_t now)
{
	memory[hash >> 32 & (LATELY - 1)] = (struct lately){ hash | 1, now };
}

static bool lately_has(const struct lately *memory, uint64_t hash, int64_t now, int64_t most)
{
	const struct lately *l = &memory[hash >> 32 & (LATELY - 1)];
	return l->hash == (hash | 1) && is_recent(l->seen, now, most);
}

/* --- sent --- */

static void sent_tcp(struct own_flows *o, const struct view *v, int64_t now)
{
	struct key k = key_sent(v);
	if (flow_refresh(o, &k, now) || v->end - v->l4 < 14)
		return;
	uint8_t flags = v->l4[13];
	if ((flags & (SYN | RST | FIN)) != SYN)
		return;
	if (flags & ACK)
		lately_put(o->answered, key_hash(o, &k), now);
	else
		flow_put(o, &k, now);
}

/* A request that wants an answer: its identifier is the flow. RFC 792, RFC 4443. */
static bool is_icmp_request(const struct view *v)
{
	uint8_t type = v->l4[0];
	return v->proto == ICMP ? type == 8 || type == 13 || type == 15 || type == 17 : type == 128;
}

static uint16_t icmp_id(const struct view *v) { return v->end - v->l4 < 6 ? 0 : load_be16(v->l4 + 4); }

void own_flows_sent(struct own_flows *o, const struct frame *f)
{
	struct view v;
	if (!view_frame(&v, f) || !v.has_ports)
		return;
	struct key k = key_sent(&v);
	if (v.proto == TCP)
		sent_tcp(o, &v, f->ts);
	else if (v.proto == UDP && !flow_refresh(o, &k, f->ts) &&
	         !lately_has(o->asked, key_hash(o, &k), f->ts, OWN_OPENED))
		flow_put(o, &k, f->ts);
	else if ((v.proto == ICMP || v.proto == ICMPV6) && is_icmp_request(&v)) {
		k = key_of(&v.source, &v.destination, icmp_id(&v), 0, v.proto);
		flow_put(o, &k, f->ts);
	}
}

/* --- came --- */

static bool prefix_has(const struct prefix *p, const struct addr *a)
{
	if (addr_is_v4(a))
		return p->version == 4 && prefix_contains4(p, addr_v4(a));
	return p->version == 6 && prefix_contains6(p, a->bytes);
}

static bool is_listed(const struct own_flows *o, const struct view *v)
{
	for (size_t i = 0; i < o->n_own; i++) {
		const struct live_own *w = &o->own[i];
		if (w->peer.version && !prefix_has(&w->peer, &v->source))
			continue;
		if (w->proto && w->proto != v->proto)
			continue;
		if (!w->port || (v->has_ports && (v->proto == TCP || v->proto == UDP) && w->port == v->dport))
			return true;
	}
	return false;
}

/* An error about a flow of ours quotes what we sent. */
static bool is_quoted(const struct own_flows *o, const struct view *v, int64_t now)
{
	uint8_t type = v->l4[0];
	bool error = v->proto == ICMP ? type == 3 || type == 4 || type == 11 || type == 12 : type >= 1 && type <= 4;
	if (!error || v->end - v->l4 < 8)
		return false;
	struct view quoted = { .ip = v->l4 + 8, .end = v->end };
	if (!view_ip(&quoted) || !quoted.has_ports)
		return false;
	struct key k = key_sent(&quoted);
	if (quoted.proto == ICMP || quoted.proto == ICMPV6)
		k = key_of(&quoted.source, &quoted.destination, icmp_id(&quoted), 0, quoted.proto);
	return flow_is(o, &k, now);
}

static bool is_own_icmp(const struct own_flows *o, const struct view *v, int64_t now)
{
	uint8_t type = v->l4[0];
	bool reply = v->proto == ICMP ? type == 0 || type == 14 || type == 16 || type == 18 : type == 129;
	if (!reply)
		return is_quoted(o, v, now);
	struct key k = key_of(&v->destination, &v->source, icmp_id(v), 0, v->proto);
	return flow_is(o, &k, now);
}

static bool is_own(struct own_flows *o, const struct view *v, int64_t now)
{
	if (is_listed(o, v))
		return true;
	if (!v->has_ports)
		return false;
	if (v->proto == ICMP || v->proto == ICMPV6)
		return o->learnt && is_own_icmp(o, v, now);
	struct key k = key_came(v);
	if (flow_is(o, &k, now))
		return true;
	if (v->proto == UDP)
		lately_put(o->asked, key_hash(o, &k), now);
	bool reset = v->proto == TCP && v->end - v->l4 >= 14 && v->l4[13] & RST;
	return reset && lately_has(o->answered, key_hash(o, &k), now, OWN_ANSWERED);
}

bool own_flows_came(struct own_flows *o, const struct frame *f, uint32_t *keep)
{
	struct view v;
	if (!view_frame(&v, f) || !is_own(o, &v, f->ts))
		return false;
	const uint8_t *end = v.has_ports ? v.l4 + 4 : v.l4;
	*keep = (uint32_t)(end - f->data);
	return true;
}

/* --- all of it --- */

int own_flows_open(struct own_flows **out, const struct env *env, const struct live_own *own, size_t n_own, struct error *e)
{
	struct own_flows *o = env_alloc(env, sizeof *o);
	if (!o)
		return error_no_memory(e, "remembering own flows");
	o->env = env;
	o->own = own;
	o->n_own = n_own;
	o->slots = env_alloc(env, SETS * WAYS * sizeof *o->slots);
	o->asked = env_alloc(env, LATELY * sizeof *o->asked);
	o->answered = env_alloc(env, LATELY * sizeof *o->answered);
	int rc = o->slots && o->asked && o->answered ? seed_draw(&o->seed, env) : error_no_memory(e, "remembering own flows");
	if (rc) {
		own_flows_close(o);
		return rc;
	}
	*out = o;
	return 0;
}

void own_flows_close(struct own_flows *o)
{
	if (!o)
		return;
	env_free(o->env, o->slots, SETS * WAYS * sizeof *o->slots);
	env_free(o->env, o->asked, LATELY * sizeof *o->asked);
	env_free(o->env, o->answered, LATELY * sizeof *o->answered);
	env_free(o->env, o, sizeof *o);
}
