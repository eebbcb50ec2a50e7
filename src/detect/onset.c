#include "detect/onset.h"

#include "model/packet.h"

#include <stdlib.h>
#include <string.h>

#define BIT 256 /* of the scores */
#define ADDRESS 0xffff0000u /* of a pair */
#define PORT 0xffffu

enum {
	RAISE = 17 * BIT,
	CONFIRM = 50 * BIT,
	RATE = 8 * BIT,
	FLOOR = -32 * BIT, /* a host that was narrow for long may still become a victim */
	CEILING = 64 * BIT,
	WORST = -10 * BIT, /* of one packet: 16-bit hashes meet by chance too */
};

#define PRIOR_WAIT 1200 /* s between packets, the mean of the alternative's exponential prior of rates */

/* ---- Logarithms ---- */

/* log2(x) in 1/256, floored; x >= 1. Each squaring tells one more bit. */
static int log2_of(uint64_t x)
{
	unsigned top = 63 - (unsigned)__builtin_clzll(x);
	uint64_t m = x << (63 - top);
	int out = (int)top;
	for (int i = 0; i < 8; i++) {
		m = (uint64_t)((unsigned __int128)m * m >> 64);
		bool two = m >> 63;
		out = out * 2 + two;
		m <<= !two;
	}
	return out;
}

static int log2_factorial(unsigned n)
{
	int out = 0;
	for (unsigned i = 2; i <= n; i++)
		out += log2_of(i);
	return out;
}

/* ---- Nulls ---- */

/* How seldom a host that is none's victim goes to one more of our addresses. */
enum weight {
	STEADY, /* 1 in 64 distinct packets */
	LOOSE,  /* 1 in 8: resets of peers, and what has no ports, of which half the proof is missing */
	ANSWERS, /* 1 in 2.8: a UDP replier is usually a reflector */
	NO_WEIGHT,
};
static const int16_t weight_bits[3] = { 6 * BIT, 3 * BIT, 3 * BIT / 2 };
static const int16_t weight_else[3] = { 6, 49, 161 }; /* -log2 of what is left of 1 */

/* Above 1023, what is attacked for being that service; a peer's port falls on one of these once in 2,000 times. */
static bool is_service(uint16_t port)
{
	static const uint16_t services[] = { 1194, 1433, 1521, 1723, 1883, 2222, 3306, 3389, 3478, 4500, 5060, 5222, 5432, 5900,
		                             6379, 6667, 7777, 8000, 8080, 8081, 8443, 8888, 9000, 9987, 11211, 19132, 25565,
		                             27015, 27017, 30120 };
	if (port < 1024)
		return true;
	for (unsigned i = 0; i < sizeof services / sizeof *services; i++)
		if (services[i] == port)
			return true;
	return false;
}

static bool has_ports(const struct onset_row *row, uint16_t forged)
{
	if (row->kind == REPLY_ERROR)
		return forged != 0;
	return row->kind != REPLY_ANSWER || row->protocol == PROTO_UDP;
}

static enum weight weigh(const struct onset *o, const struct onset_row *row, bool ports)
{
	if (row->kind == REPLY_ANSWER && ports)
		return ANSWERS;
	if (!ports)
		return LOOSE;
	if (row->kind == REPLY_ERROR || is_service(row->port))
		return STEADY;
	if (o->packets && o->attacked != row->port) /* a client's ports, not a service that is flooded */
		return NO_WEIGHT;
	return row->kind == REPLY_RST ? LOOSE : STEADY;
}

void onset_rule_make(struct onset_rule *out, uint64_t monitored, bool asked)
{
	uint64_t n = monitored && monitored < UINT64_C(1) << 32 ? monitored : UINT64_C(1) << 32;
	*out = (struct onset_rule){ .raise = RAISE, .confirm = CONFIRM, .rate = RATE,
		                    .on = asked || monitored >= ONSET_LEAST };
	for (unsigned w = 0; w < 3; w++)
		for (unsigned j = 0; j <= ONSET_RING; j++) {
			int fresh = j < n ? log2_of(n - j) - log2_of(n) + weight_bits[w] : WORST;
			int known = j ? log2_of(j) - log2_of(n) + weight_else[w] : 0;
			out->fresh[w][j] = (int16_t)fresh;
			out->known[w][j] = (int16_t)(known < WORST ? WORST : known);
		}
}

/* ---- One packet ---- */

static unsigned held(const struct onset *o) { return o->packets < ONSET_RING ? o->packets : ONSET_RING; }

/* Is there one among the first n that is like `pair` in the bits of `mask`? */
static bool holds(const struct onset *o, unsigned n, uint32_t pair, uint32_t mask)
{
	for (unsigned i = 0; i < n; i++)
		if (((o->pair[i] ^ pair) & mask) == 0)
			return true;
	return false;
}

static void score(int16_t *to, int bits)
{
	int sum = *to + bits;
	*to = (int16_t)(sum < FLOOR ? FLOOR : sum > CEILING ? CEILING : sum);
}

/* Ports of peers lie in a cluster: of sixteen parts of all ports, one not seen before comes by 1 in 64 of theirs. */
static int score_part(const struct onset *o, unsigned n, uint16_t port)
{
	unsigned seen = 0;
	for (unsigned i = 0; i < n; i++)
		seen |= 1u << (o->pair[i] >> 12 & 15);
	int parts = __builtin_popcount(seen);
	if (seen >> (port >> 12) & 1)
		return log2_of((uint64_t)parts) - 4 * BIT;
	return log2_of((uint64_t)(16 - parts)) + 2 * BIT; /* a ring holds twelve */
}

/* A scanner's ports are few, low, or in a row. */
static int score_port(const struct onset *o, unsigned n, uint16_t port, enum weight w)
{
	if (holds(o, n, port, PORT))
		return WORST;
	if (w == LOOSE)
		return n ? score_part(o, n, port) : 0;
	if (port < 1024)
		return -5 * BIT;
	for (unsigned i = 0; i < n; i++)
		if (abs(port - (int)(o->pair[i] & PORT)) < 32)
			return -3 * BIT;
	return n ? 6 * BIT : 0;
}

static void add_packet(struct onset *o, const struct onset_rule *rule, const struct onset_row *row, uint32_t pair)
{
	uint16_t port = (uint16_t)pair;
	unsigned n = held(o);
	if (holds(o, n, pair, ADDRESS | PORT)) /* sent again */
		return;
	bool ports = has_ports(row, port);
	enum weight w = weigh(o, row, ports);
	if (holds(o, n, pair, ADDRESS))
		score(&o->addresses, rule->known[w == NO_WEIGHT ? STEADY : w][n]);
	else if (n && w != NO_WEIGHT)
		score(&o->addresses, rule->fresh[w][n]);
	if (ports)
		score(&o->ports, score_port(o, n, port, w));
	else if (n)
		score(&o->ports, weight_bits[LOOSE]);
	o->pair[o->packets % ONSET_RING] = pair;
	o->packets = (uint8_t)(o->packets == 251 ? 240 : o->packets + 1);
}

/* ---- Outcomes ---- */

/* Of their times: n packets in so long, rates mixed over an exponential prior, against strays of a Poisson process. */
static int score_rate(const struct onset *o)
{
	unsigned m = o->packets - 1u;
	uint64_t t = (uint64_t)(o->last - o->first) + 1;
	int drift = (int)(t * 369 / ONSET_STRAY_WAIT); /* 369: 256 log2 e */
	return log2_of(PRIOR_WAIT) + log2_factorial(m) - (int)(m + 1) * log2_of(PRIOR_WAIT + t) +
	       (int)m * log2_of(ONSET_STRAY_WAIT) + drift;
}

static int least(int a, int b) { return a < b ? a : b; }

static enum onset_outcome judge(struct onset *o, const struct onset_rule *rule, uint16_t *evidence)
{
	int shape = least(o->addresses, o->ports);
	*evidence = (uint16_t)(shape > 0 ? shape / BIT : 0);
	if (o->phase == ONSET_QUIET && shape >= rule->raise) {
		int rate = score_rate(o);
		if (rate < rule->rate)
			return ONSET_NOTHING;
		*evidence = (uint16_t)(least(shape, rate) / BIT);
		o->phase = ONSET_PHASE_RAISED;
		return ONSET_RAISED;
	}
	if (o->phase == ONSET_PHASE_RAISED && shape < 0) {
		o->phase = ONSET_PHASE_WITHDRAWN;
		return ONSET_CONTRADICTED;
	}
	if (o->phase == ONSET_PHASE_RAISED && shape >= rule->confirm) {
		o->phase = ONSET_PHASE_CONFIRMED;
		return ONSET_CONFIRMED;
	}
	return ONSET_NOTHING;
}

enum onset_outcome onset_silence(struct onset *o, uint32_t second)
{
	if (!o->packets || second - o->last <= ONSET_IDLE)
		return ONSET_NOTHING;
	bool open = o->phase == ONSET_PHASE_RAISED;
	memset(o, 0, sizeof *o);
	return open ? ONSET_SILENT : ONSET_NOTHING;
}

enum onset_outcome onset_add(struct onset *o, const struct onset_rule *rule, const struct onset_row *row,
                             uint16_t *evidence)
{
	(void)onset_silence(o, row->second);
	*evidence = 0;
	if (!rule->on || !row->n)
		return ONSET_NOTHING;
	if (!o->packets)
		o->first = row->second;
	o->last = row->second;
	if (o->phase >= ONSET_PHASE_CONFIRMED)
		return ONSET_NOTHING;
	for (unsigned i = 0; i < row->n && i < REPLY_SAMPLE; i++)
		add_packet(o, rule, row, row->sample[i]);
	o->attacked = row->port;
	return judge(o, rule, evidence);
}

/* ---- What a telescope sees ---- */

uint64_t onset_sees(uint64_t monitored, uint32_t seconds)
{
	/* Of a Poisson number of packets with this mean, four or more come with 95 %, and what is lost where addresses of
	 * few meet again (measured, docs/decisions/onset.md). */
	if (monitored < 5 || !seconds)
		return 0;
	unsigned __int128 milli = 8000 + 60000 / monitored;
	unsigned __int128 per = (unsigned __int128)monitored * seconds * 1000;
	return (uint64_t)(((milli << 32) + per - 1) / per);
}
