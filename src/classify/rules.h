/* Evidence rules of tools, by packet (DEFINITIONS 2). Private to this folder.
 *
 * rule_rows says each rule by itself. The hot path runs rules_of_segment, which says the same in fewer steps; a test
 * holds the two together. */
#pragma once
#include "classify/judge.h"

struct rule_row {
	const char *name;
	const char *source;
	enum tool tool;
	uint8_t bits; /* chance 2^-bits; 0: heuristic */
	bool (*match)(const struct packet *p); /* of an IPv4 packet with a transport header */
	uint32_t (*key)(const struct packet *p); /* of pair rules, else NULL */
	bool reads_destination;
};
extern const struct rule_row rule_rows[RULE_COUNT];

#define ZMAP_IP_ID 54321 /* zmap src/probe_modules/packet.c; XMap has it from there */

static inline bool tcp_is_syn(const struct packet *p)
{
	return p->proto == PROTO_TCP && (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/* masscan src/templ-pkt.c: ip.id is made of what identifies the probe. */
static inline bool masscan_ip_id(const struct packet *p)
{
	return p->ip_id == (uint16_t)(p->dst.v4 ^ p->dport ^ p->seq);
}

/* All rules that an IPv4 packet with a transport header (SCTP: and a chunk) matches, as bits; `known`: its public
 * destination is known. */
uint16_t rules_match(const struct packet *p, bool known);

/* Window, DF and whether there are options in one number, which the gate compares as a whole. */
enum { SHAPE_DF = 1 << 16, SHAPE_OPTIONS = 1 << 17 };

static inline unsigned rules_shape(const struct packet *p)
{
	return p->window | (unsigned)(p->bits & PACKET_DF) << 16 | (unsigned)(p->tcp_options_len != 0) << 17;
}
_Static_assert(PACKET_DF << 16 == SHAPE_DF, "as rules_shape puts it");

/* Whether a SYN may match a rule that reads more than two of its fields: nearly never true of what no such tool sent,
 * hence branches. The windows are those of ZMap, Nmap (1024, 2048, 3072, 4096), Unicornscan and hping3; small sequence
 * numbers and halves of zero are Hajime's and the constant ones. */
static inline bool rules_gate(unsigned shape, uint32_t seq)
{
	uint16_t window = (uint16_t)shape;
#define RARE(condition) __builtin_expect((condition) != 0, 0)
	if (RARE(shape == (65535 | SHAPE_OPTIONS)) || RARE(((shape - (1024 | SHAPE_OPTIONS)) & ~0xc00u) == 0))
		return true;
	if (RARE(window == 4096) || RARE(window == 512))
		return true;
	if (RARE((seq & 0xffff) == 0) || RARE(seq >> 16 == 0))
		return true;
	return RARE(seq == 2018915346) || RARE(seq == 333994513);
#undef RARE
}

/* By which of ZMap's, masscan's and Mirai's comparisons hold (1, 2, 4): the rules that say so. */
extern const uint16_t rules_of_comparisons[8];

/* The same as rules_match of a TCP segment, for the hot path: rules of one comparison without a branch, the others
 * behind the gate. `cell`: what its flags say. */
static inline unsigned rules_of_segment(const struct packet *p, unsigned shape, const struct tcp_cell *cell, bool known)
{
	if (__builtin_expect((rules_gate(shape, p->seq) && cell->is_syn) || cell->seldom, 0))
		return rules_match(p, known);
	unsigned zmap = p->ip_id == ZMAP_IP_ID, masscan = known & masscan_ip_id(p), mirai = known & (p->seq == p->dst.v4);
	return rules_of_comparisons[zmap + 2 * masscan + 4 * mirai] & cell->rules;
}
