/* From evidence sums to the name of a tool (DEFINITIONS 2). */
#include "classify/classify.h"
#include "classify/rules.h"

#include <math.h>
#include <string.h>

#define CHANCE 1e-9        /* below it a number of matches is none of chance's */
#define PROBES_HEURISTIC 3 /* distinct tuples before several plain fields together name a tool */
#define PROBES_NMAP 16     /* DEFINITIONS 2 */
#define PROBES_KEY 3       /* equal 32-bit keys before they name Unicornscan: 2^-64 */
#define PORTS_NMAP 32      /* a base port plus the number of the try */

/* P(at least m of n) where each happens with probability p, by its terms from m on. They fall by at least the first
 * ratio, so the sum ends soon; where they would not (m below the mean) chance is enough anyway. */
static double binomial_tail(uint64_t m, uint64_t n, double p)
{
	if ((double)m <= (double)n * p)
		return 1;
	int sign;
	double N = (double)n, M = (double)m;
	double term = exp(lgamma_r(N + 1, &sign) - lgamma_r(M + 1, &sign) - lgamma_r(N - M + 1, &sign) + M * log(p) +
	                  (N - M) * log1p(-p));
	double sum = term;
	for (double k = M; k < N && term > sum * 1e-9; k++) {
		term *= (N - k) / (k + 1) * p / (1 - p);
		sum += term;
	}
	return sum;
}

enum strength { NOTHING, PARTLY, NAMED };

/* At least half of the source's probes of this protocol. */
static bool is_most(const struct evidence *v, uint64_t probes)
{
	return v->packets >= probes - v->packets || v->packets > probes;
}

/* The share is of packets on both sides, so that retransmissions weigh nothing; the odds are of distinct tuples. */
static enum strength weigh_chance(const struct evidence *v, uint64_t probes)
{
	uint8_t bits = rule_rows[v->rule].bits;
	if (bits >= 32)
		return v->tuples ? NAMED : NOTHING;
	uint64_t n = probes > v->tuples ? probes : v->tuples;
	if (v->tuples < 2 || binomial_tail(v->tuples, n, ldexp(1, -bits)) >= CHANCE)
		return NOTHING;
	return is_most(v, probes) ? NAMED : PARTLY;
}

/* Plain fields have no odds, so they must be what the source does: two thirds of its probes of this protocol. Less says
 * nothing: of Nmap's host discovery half are SYNs. */
static bool is_habit(const struct evidence *v, uint64_t probes)
{
	return v->packets >= probes || v->packets >= 2 * (probes - v->packets);
}

/* Several plain fields together are believed where they are what the source does; elsewhere they say nothing. */
static enum strength weigh_heuristic(const struct evidence *v, uint64_t probes)
{
	return v->tuples >= PROBES_HEURISTIC && is_habit(v, probes) ? NAMED : NOTHING;
}

/* One run has one key, whatever its sequence numbers. A single key over many ports is a constant sequence number,
 * which is no evidence; nor is a key a packet. Several runs of a day have a few keys of many packets each. */
static enum strength weigh_nmap(const struct evidence *v, uint64_t probes)
{
	if (v->tuples < PROBES_NMAP || !is_habit(v, probes) || v->n_keys == 0 || v->n_keys > EVIDENCE_KEYS)
		return NOTHING;
	bool one_run = v->n_keys == 1 && v->sport_max - v->sport_min < PORTS_NMAP;
	bool some_runs = v->n_keys > 1 && v->packets / v->n_keys >= PROBES_NMAP;
	return one_run || some_runs ? NAMED : NOTHING;
}

/* Keys are 32 bits wide here and hold the destination, so that equal ones are no accident. */
static enum strength weigh_unicornscan(const struct evidence *v, uint64_t probes)
{
	if (v->n_keys == 0 || v->n_keys > EVIDENCE_KEYS || v->tuples < (uint64_t)v->n_keys * PROBES_KEY)
		return NOTHING;
	return is_most(v, probes) ? NAMED : PARTLY;
}

static enum strength weigh(const struct evidence *v, uint64_t probes)
{
	switch ((enum rule)v->rule) {
	case RULE_MIRAI: case RULE_ZMAP_ID: case RULE_MASSCAN: case RULE_HAJIME: return weigh_chance(v, probes);
	case RULE_ZMAP4: case RULE_HPING3: return weigh_heuristic(v, probes);
	case RULE_NMAP_PAIR: return weigh_nmap(v, probes);
	case RULE_UNICORNSCAN: return weigh_unicornscan(v, probes);
	case RULE_NMAP: /* says which window the pair rule's packets had; alone it names nothing */
	case RULE_CONSTANT_SEQ: case RULE_REPLY_ID: case RULE_COUNT: break;
	}
	return NOTHING;
}

/* Mirai's rule decides on one packet, but beside a tool that explains the rest one hit in very many may be chance. */
static bool mirai_by_chance(const struct evidence *v, uint64_t probes)
{
	return binomial_tail(v->tuples, probes > v->tuples ? probes : v->tuples, ldexp(1, -32)) >= CHANCE;
}

enum tool tool_verdict(const struct evidence *list, size_t n, const uint64_t probes[static PROBE_PROTOCOLS])
{
	unsigned named = 0, partly = 0, weak = 0;
	for (size_t i = 0; i < n; i++) {
		const struct evidence *v = &list[i];
		if (v->rule >= RULE_COUNT)
			continue;
		uint64_t whole = probes[probe_protocol(v->proto)];
		enum strength s = weigh(v, whole);
		unsigned bit = 1u << rule_rows[v->rule].tool;
		if (s == NAMED && v->rule == RULE_MIRAI && mirai_by_chance(v, whole))
			weak |= bit;
		else if (s == NAMED)
			named |= bit;
		else if (s == PARTLY)
			partly |= bit;
	}
	if (!named && !partly)
		named = weak;
	unsigned all = named | partly;
	if (!all)
		return TOOL_UNKNOWN;
	bool one = named && (all & (all - 1)) == 0;
	return one ? (enum tool)__builtin_ctz(all) : TOOL_MIXED;
}

enum probe_protocol probe_protocol(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP: return PROBE_TCP;
	case PROTO_UDP: return PROBE_UDP;
	case PROTO_ICMP: case PROTO_ICMPV6: return PROBE_ICMP;
	default: return PROBE_OTHER;
	}
}

const char *tool_name(enum tool t)
{
	static const char *const names[TOOL_COUNT] = { "unknown", "zmap",  "xmap",        "masscan", "nmap",
		                                       "hping3",  "mirai", "unicornscan", "hajime",  "mixed" };
	return names[t];
}
