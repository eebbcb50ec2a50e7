/* Evidence rules of tools, by packet (DEFINITIONS 2). Private to this folder.
 *
 * rules_candidate is what the hot path runs: a few comparisons whose OR is false for nearly every packet that no tool
 * made. Only then the rules themselves; rule_rows says the same rule by rule, and a test holds the two together. */
#pragma once
#include "classify/classify.h"

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

/* False for nearly all SYNs that no tool made. One branch instead of eleven. */
static inline bool rules_candidate(const struct packet *p)
{
	bool window = ((p->window & 511) == 0 && p->window - 1u < 4096) | (p->window == 14600) |
	              ((p->window == 65535) & !(p->bits & PACKET_DF));
	bool seq = (p->seq == p->dst.v4) | (p->seq == 2018915346) | (p->seq == 333994513) | (p->seq == 30000);
	return window | seq | (p->ip_id == ZMAP_IP_ID) | masscan_ip_id(p);
}
