#include "classify/judge.h"
#include "classify/rules.h"
#include "classify/scope.h"
#include "classify/tags.h"
#include "packet/decode.h"

#include <errno.h>
#include <string.h>

/* ---- Open and close ---- */

static int nat_check(const struct scope *s, struct error *e)
{
	for (size_t i = 0; i < s->n_nat; i++) {
		const struct nat *nat = &s->nat[i];
		if (nat->captured.version != nat->public.version || nat->captured.bits != nat->public.bits)
			return error_set(e, -EINVAL, "MON-CLS-001",
			                 "entry %zu of the NAT map joins prefixes of different length or family", i + 1);
	}
	return 0;
}

int classify_open(struct classify **out, const struct env *env, const struct scope *scope, struct error *e)
{
	*out = NULL;
	int rc = nat_check(scope, e);
	if (rc)
		return rc;
	struct classify *c = env_alloc(env, sizeof *c);
	if (!c)
		return error_no_memory(e, "a classifier");
	c->env = env;
	c->nat = scope->nat;
	c->n_nat = scope->n_nat;
	c->nat_unknown = scope->nat_unknown;
	c->everything = scope->n_monitored == 0;
	rc = ranges_init(&c->monitored, env, scope->monitored, scope->n_monitored, e);
	if (!rc)
		rc = ranges_init(&c->own, env, scope->own, scope->n_own, e);
	if (!rc)
		rc = quic_init(&c->quic, e);
	if (rc) {
		classify_close(c);
		return rc;
	}
	scope_set_quick(c);
	*out = c;
	return 0;
}

void classify_close(struct classify *c)
{
	if (!c)
		return;
	ranges_fini(&c->monitored, c->env);
	ranges_fini(&c->own, c->env);
	quic_fini(&c->quic);
	env_free(c->env, c, sizeof *c);
}

/* ---- One packet ----
 * Each of these fills a verdict field by field: returned by value it would be put together bit by bit. */

static void verdict_set(struct verdict *v, uint8_t class, uint8_t reason)
{
	*v = (struct verdict){ .class = class, .reason = reason };
}

static uint8_t reason_undecoded(const struct packet *p)
{
	static const uint8_t reasons[] = { REASON_UNSUPPORTED, REASON_SHORT, REASON_MALFORMED, REASON_UNSUPPORTED };
	return reasons[p->status & 3];
}

/* "other" by name, whatever tags they have. */
static bool is_tunnel(uint8_t proto)
{
	enum { ETHERIP = 97, L2TP = 115, MPLS = 137 };
	return proto == PROTO_IPIP || proto == PROTO_IPV6 || proto == PROTO_GRE || proto == ETHERIP || proto == L2TP ||
	       proto == MPLS;
}

/* What no earlier class took: misconfiguration where it has an erratic form (docs/decisions/classes.md). */
static uint8_t class_of_rest(const struct packet *p, uint16_t tags)
{
	bool fragment = p->bits & (PACKET_LATER_FRAGMENT | PACKET_TINY_FRAGMENT);
	return (tags & TAG_ERRATIC) && !fragment && !is_tunnel(p->proto) ? CLASS_MISCONFIGURATION : CLASS_OTHER;
}

/* Of a segment with its header. Written without branches that a mix of scans and replies would take either way; `known`
 * and `v4` are constants where it is called in the hot path. */
static inline __attribute__((always_inline)) void judge_tcp(const struct packet *p, bool known, bool v4,
                                                            struct verdict *v)
{
	const struct tcp_cell *cell = &tcp_cells[0][p->tcp_flags];
	bool data = packet_has_data(p);
	if (__builtin_expect(data, 0))
		cell += 256;
	unsigned shape = rules_shape(p), bare = (shape & ~(unsigned)SHAPE_DF) == 1024; /* what corsaro3 knows of scanners */
	unsigned rules = v4 ? rules_of_segment(p, shape, cell, known) : 0;
	uint16_t tags = tags_of_tcp(p, cell->tags, cell->is_syn & ((rules != 0) | bare), v4);
	v->class = cell->class;
	v->reason = REASON_NONE;
	v->flags = cell->flags;
	v->rules = (uint16_t)rules;
	v->tags = tags;
	if (!known && v4 && cell->is_syn)
		v->flags |= VERDICT_CANNOT_TELL;
	if (__builtin_expect(data, 0) && cell->class != CLASS_BACKSCATTER && p2p_tcp(packet_payload(p)))
		v->class = CLASS_P2P;
	if (__builtin_expect(v->class == CLASS_OTHER, 0))
		v->class = class_of_rest(p, tags);
}

static void judge_udp(const struct classify *c, const struct packet *p, struct verdict *v)
{
	static const struct {
		uint8_t class;
		uint8_t flags;
	} kinds[] = {
		[UDP_UNSURE] = { CLASS_PAYLOAD, VERDICT_ACCESS | VERDICT_PROBE | VERDICT_UDP_UNSURE },
		[UDP_REQUEST] = { CLASS_PAYLOAD, VERDICT_ACCESS | VERDICT_PROBE },
		[UDP_REPLY] = { CLASS_BACKSCATTER, 0 },
		[UDP_P2P_UNSURE] = { CLASS_P2P, VERDICT_ACCESS | VERDICT_PROBE | VERDICT_UDP_UNSURE },
		[UDP_P2P_REQUEST] = { CLASS_P2P, VERDICT_ACCESS | VERDICT_PROBE },
		[UDP_P2P_REPLY] = { CLASS_P2P, 0 },
	};
	bool data = packet_has_data(p);
	enum udp_kind kind = data ? udp_kind(&c->quic, p) : UDP_UNSURE;
	v->class = data ? kinds[kind].class : CLASS_SCAN;
	v->flags = kinds[kind].flags;
	v->tags = tags_of_udp(p, data);
}

/* The quoted packet must claim to come from where the error came to; both sides of a NAT are right. */
static uint16_t quote_flags(const struct classify *c, const struct packet *p, bool known)
{
	struct quote q;
	if (!decode_quote(p, &q))
		return 0;
	if (!known)
		return VERDICT_CANNOT_TELL;
	if (c->n_nat)
		q.src = scope_public(c, &q.src);
	bool same = p->version == 4 ? addr_is_v4(&q.src) && addr_v4(&q.src) == p->dst.v4
	                            : memcmp(q.src.bytes, p->addrs6 + 16, 16) == 0;
	return same ? 0 : VERDICT_QUOTE_MISMATCH;
}

static void judge_icmp(const struct classify *c, const struct packet *p, bool known, struct verdict *v)
{
	unsigned type = p->dport >> 8;
	bool request = p->version == 4 ? type == 8 || type == 13 || type == 15 || type == 17 : type == 128;
	v->tags = tags_of_icmp(p);
	if (request) {
		v->class = CLASS_SCAN;
		v->flags = VERDICT_ACCESS | VERDICT_PROBE;
	} else if (v->tags & TAG_REPLY) {
		v->class = CLASS_BACKSCATTER;
		v->flags = quote_flags(c, p, known);
	} else {
		v->class = class_of_rest(p, v->tags);
	}
}

/* SCTP: an INIT (RFC 9260 section 3.3.2) is a probe; all else and all other protocols are the rest. */
static void judge_rest(const struct packet *p, bool known, struct verdict *v)
{
	v->tags = tags_of_other(p);
	bool init = p->proto == PROTO_SCTP && (p->bits & PACKET_L4) && p->payload_len && p->ip[p->payload_offset] == 1;
	if (!init) {
		v->class = class_of_rest(p, v->tags);
		return;
	}
	v->class = CLASS_SCAN;
	v->flags = VERDICT_PROBE | (known ? 0 : VERDICT_CANNOT_TELL);
	if (p->version == 4)
		v->rules = rules_match(p, known);
}

static void judge_other(const struct classify *c, const struct packet *p, bool known, struct verdict *v)
{
	verdict_set(v, CLASS_OTHER, REASON_NONE);
	bool header = (p->bits & (PACKET_L4 | PACKET_LATER_FRAGMENT | PACKET_TINY_FRAGMENT)) == PACKET_L4;
	if (header && p->proto == PROTO_UDP)
		judge_udp(c, p, v);
	else if (header && p->proto == (p->version == 4 ? PROTO_ICMP : PROTO_ICMPV6))
		judge_icmp(c, p, known, v);
	else
		judge_rest(p, known, v);
	if ((v->flags & VERDICT_PROBE) && p->version == 4 && p->ip_id == ZMAP_IP_ID)
		v->rules = rules_match(p, known);
}

static void judge(const struct classify *c, const struct packet *p, unsigned notes, struct verdict *v)
{
	enum verdict_reason reason = scope_reason(c, p, notes);
	bool known = !(c->nat_unknown || (notes & NAT_UNKNOWN));
	bool fragment = p->bits & (PACKET_LATER_FRAGMENT | PACKET_TINY_FRAGMENT);
	if (reason != REASON_NONE)
		verdict_set(v, CLASS_IGNORED, (uint8_t)reason);
	else if (!p->version || p->status != PACKET_OK)
		verdict_set(v, CLASS_UNDECODED, reason_undecoded(p));
	else if (!fragment && p->proto == PROTO_TCP && (p->bits & PACKET_L4))
		judge_tcp(p, known, p->version == 4, v);
	else
		judge_other(c, p, known, v);
}

/* ---- Batches ---- */

/* Most packets of a telescope: TCP over IPv4, decoded, with no mark of the sensor. */
static inline unsigned is_plain_tcp(const struct packet *p)
{
	const unsigned looked_at = PACKET_L4 | PACKET_OWN | PACKET_OUTGOING | PACKET_LATER_FRAGMENT | PACKET_TINY_FRAGMENT;
	return (p->version == 4) & (p->proto == PROTO_TCP) & (p->status == PACKET_OK) & ((p->bits & looked_at) == PACKET_L4);
}

static inline void judge_plain_tcp(const struct classify *c, const struct packet *p, struct verdict *v)
{
	if (__builtin_expect((uint32_t)(p->dst.v4 - c->quick_first) < c->quick_size, 1))
		judge_tcp(p, true, true, v);
	else
		judge(c, p, 0, v);
}

#define BATCH 64

/* TCP and the rest apart, since in a mix of both the processor guesses most branches wrong. */
static void judge_batch(const struct classify *c, const struct packet *packets, struct verdict *verdicts, size_t n)
{
	uint8_t tcp[BATCH], rest[BATCH];
	size_t n_tcp = 0, n_rest = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned plain = is_plain_tcp(&packets[i]);
		tcp[n_tcp] = rest[n_rest] = (uint8_t)i;
		n_tcp += plain;
		n_rest += !plain;
	}
	for (size_t i = 0; i < n_tcp; i++)
		judge_plain_tcp(c, &packets[tcp[i]], &verdicts[tcp[i]]);
	for (size_t i = 0; i < n_rest; i++)
		judge(c, &packets[rest[i]], 0, &verdicts[rest[i]]);
}

static void judge_translated(const struct classify *c, struct packet *packets, struct verdict *verdicts, size_t n,
                             uint8_t (*scratch)[32])
{
	for (size_t i = 0; i < n; i++) {
		unsigned notes = scope_translate(c, &packets[i], scratch ? scratch[i] : NULL);
		judge(c, &packets[i], notes, &verdicts[i]);
	}
}

void classify_packets(const struct classify *c, struct packet *packets, struct verdict *verdicts, size_t n,
                      uint8_t (*scratch)[32])
{
	if (c->n_nat) {
		judge_translated(c, packets, verdicts, n, scratch);
		return;
	}
	for (size_t at = 0; at < n; at += BATCH)
		judge_batch(c, packets + at, verdicts + at, n - at < BATCH ? n - at : BATCH);
}

/* ---- Names ---- */

const char *class_name(enum packet_class c)
{
	static const char *const names[CLASS_COUNT] = { "ignored", "undecoded", "backscatter",      "p2p",
		                                        "scan",    "payload",   "misconfiguration", "other" };
	return names[c];
}

const char *reason_name(enum verdict_reason r)
{
	static const char *const names[REASON_COUNT] = { "none",          "outgoing", "own",       "local",
		                                         "not_monitored", "short",    "malformed", "unsupported" };
	return names[r];
}

const char *tag_name(enum tag t)
{
	static const char *const names[16] = { "spoofed",   "erratic",   "routed", "abnormal", "ttl_spoofed", "fragment",
		                               "last_byte", "land",      "port_zero", "udp_80",   "ttl_200",     "length",
		                               "port",      "content",   "reply",  "bittorrent" };
	return names[__builtin_ctz((unsigned)t)];
}
