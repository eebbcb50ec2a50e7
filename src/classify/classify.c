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
	if (rc) {
		classify_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void classify_close(struct classify *c)
{
	if (!c)
		return;
	ranges_fini(&c->monitored, c->env);
	ranges_fini(&c->own, c->env);
	env_free(c->env, c, sizeof *c);
}

/* ---- One packet ---- */

static struct verdict verdict_ignored(enum verdict_reason reason)
{
	return (struct verdict){ .class = CLASS_IGNORED, .reason = (uint8_t)reason };
}

static struct verdict verdict_undecoded(const struct packet *p)
{
	static const uint8_t reasons[] = { REASON_UNSUPPORTED, REASON_SHORT, REASON_MALFORMED, REASON_UNSUPPORTED };
	return (struct verdict){ .class = CLASS_UNDECODED, .reason = reasons[p->status & 3] };
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

/* Evidence of a TCP segment: rarely any. */
static inline uint16_t rules_of_tcp(const struct packet *p, unsigned flags, bool known)
{
	if (flags & VERDICT_PROBE)
		return __builtin_expect(rules_candidate(p), 0) ? rules_match(p, known) : 0;
	bool syn_ack = (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
	bool id = p->ip_id == ZMAP_IP_ID || (known && masscan_ip_id(p));
	return syn_ack && id ? 1u << RULE_REPLY_ID : 0;
}

static inline struct verdict judge_tcp(const struct packet *p, bool known)
{
	bool data = packet_has_data(p);
	const struct tcp_cell *cell = &tcp_cells[data][p->tcp_flags];
	struct verdict v = { .class = cell->class, .flags = cell->flags };
	if (__builtin_expect(data, 0) && v.class != CLASS_BACKSCATTER && p2p_tcp(packet_payload(p)))
		v.class = CLASS_P2P;
	if (p->version == 4) {
		v.rules = rules_of_tcp(p, v.flags, known);
		v.flags |= !known && tcp_is_syn(p) ? VERDICT_CANNOT_TELL : 0;
	}
	bool scanner = tcp_is_syn(p) && (v.rules || (p->window == 1024 && p->tcp_options_len == 0));
	v.tags = tags_of_tcp(p, cell->tags, scanner);
	if (v.class == CLASS_OTHER)
		v.class = class_of_rest(p, v.tags);
	return v;
}

static struct verdict judge_udp(const struct packet *p)
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
	enum udp_kind kind = data ? udp_kind(p) : UDP_UNSURE;
	struct verdict v = { .class = data ? kinds[kind].class : CLASS_SCAN, .flags = kinds[kind].flags };
	v.tags = tags_of_other(p, data);
	return v;
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

static struct verdict judge_icmp(const struct classify *c, const struct packet *p, bool known)
{
	unsigned type = p->dport >> 8;
	struct verdict v = { .class = CLASS_OTHER, .tags = tags_of_other(p, false) };
	bool request = p->version == 4 ? type == 8 || type == 13 || type == 15 || type == 17 : type == 128;
	if (request) {
		v.class = CLASS_SCAN;
		v.flags = VERDICT_ACCESS | VERDICT_PROBE;
	} else if (v.tags & TAG_REPLY) {
		v.class = CLASS_BACKSCATTER;
		v.flags = quote_flags(c, p, known);
	} else {
		v.class = class_of_rest(p, v.tags);
	}
	return v;
}

/* SCTP: an INIT (RFC 9260 section 3.3.2) is a probe; all else and all other protocols are the rest. */
static struct verdict judge_rest(const struct packet *p, bool known)
{
	struct verdict v = { .tags = tags_of_other(p, false) };
	bool init = p->proto == PROTO_SCTP && (p->bits & PACKET_L4) && p->payload_len && p->ip[p->payload_offset] == 1;
	if (!init) {
		v.class = class_of_rest(p, v.tags);
		return v;
	}
	v.class = CLASS_SCAN;
	v.flags = VERDICT_PROBE | (known ? 0 : VERDICT_CANNOT_TELL);
	if (p->version == 4)
		v.rules = rules_match(p, known);
	return v;
}

static struct verdict judge_other(const struct classify *c, const struct packet *p, bool known)
{
	bool header = p->bits & PACKET_L4;
	struct verdict v;
	if (header && p->proto == PROTO_UDP)
		v = judge_udp(p);
	else if (header && p->proto == (p->version == 4 ? PROTO_ICMP : PROTO_ICMPV6))
		v = judge_icmp(c, p, known);
	else
		return judge_rest(p, known);
	if ((v.flags & VERDICT_PROBE) && p->version == 4 && p->ip_id == ZMAP_IP_ID)
		v.rules = rules_match(p, known);
	return v;
}

static inline __attribute__((always_inline)) struct verdict judge(const struct classify *c, const struct packet *p,
                                                                   unsigned notes)
{
	enum verdict_reason reason = scope_reason(c, p, notes);
	if (__builtin_expect(reason != REASON_NONE, 0))
		return verdict_ignored(reason);
	bool known = !(c->nat_unknown || (notes & NAT_UNKNOWN));
	if (__builtin_expect(p->status == PACKET_OK, 1) && (p->bits & PACKET_L4) && p->proto == PROTO_TCP)
		return judge_tcp(p, known);
	if (!p->version || p->status != PACKET_OK) /* a fragment whose own header is cut, too */
		return verdict_undecoded(p);
	return p->bits & (PACKET_LATER_FRAGMENT | PACKET_TINY_FRAGMENT) ? judge_rest(p, known) : judge_other(c, p, known);
}

void classify_packets(const struct classify *c, struct packet *packets, struct verdict *verdicts, size_t n,
                      uint8_t (*scratch)[32])
{
	if (!c->n_nat) {
		for (size_t i = 0; i < n; i++)
			verdicts[i] = judge(c, &packets[i], 0);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned notes = scope_translate(c, &packets[i], scratch ? scratch[i] : NULL);
		verdicts[i] = judge(c, &packets[i], notes);
	}
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
