/* Spoofed, erratic and routed tags. Private to this folder; the conditions are those of corsaro3's
 * libcorsaro/libcorsaro_filtering.c, told in docs/decisions/classes.md.
 *
 * A part brings the sums it belongs to, so that tags are an OR of parts and nothing is left to finish. */
#pragma once
#include "base/bytes.h"
#include "classify/judge.h"

enum tag_part {
	PART_ABNORMAL = TAG_ABNORMAL | TAG_SPOOFED | TAG_ERRATIC,
	PART_TTL_SPOOFED = TAG_TTL_SPOOFED | TAG_SPOOFED | TAG_ERRATIC,
	PART_FRAGMENT = TAG_FRAGMENT | TAG_SPOOFED | TAG_ERRATIC,
	PART_LAST_BYTE = TAG_LAST_BYTE | TAG_SPOOFED | TAG_ERRATIC,
	PART_LAND = TAG_LAND | TAG_SPOOFED | TAG_ERRATIC,
	PART_PORT_ZERO = TAG_PORT_ZERO | TAG_SPOOFED | TAG_ERRATIC,
	PART_UDP_80 = TAG_UDP_80 | TAG_SPOOFED | TAG_ERRATIC,
	PART_TTL_200 = TAG_TTL_200 | TAG_ERRATIC,
	PART_LENGTH = TAG_LENGTH | TAG_ERRATIC,
	PART_PORT = TAG_PORT | TAG_ERRATIC,
	PART_CONTENT = TAG_CONTENT | TAG_ERRATIC,
	PART_REPLY = TAG_REPLY | TAG_ERRATIC,
	PART_BITTORRENT = TAG_BITTORRENT | TAG_ERRATIC,
};

enum { BOGON_NO, BOGON_ALL, BOGON_SOME };
extern const uint8_t tags_bogon_first[256]; /* by the first byte of an IPv4 source */

/* What a source and a header seldom have: routed, last byte, land, fragment. */
unsigned tags_seldom(const struct packet *p);

/* Tags of UDP, ICMP and ICMPv6 with their headers, and of all else. */
uint16_t tags_of_udp(const struct packet *p, bool data);
uint16_t tags_of_icmp(const struct packet *p);
uint16_t tags_of_other(const struct packet *p);

/* A mask, no branch. */
static inline unsigned tags_if(unsigned condition, unsigned tag) { return -(unsigned)(condition != 0) & tag; }

/* Ports that a tag speaks of: 23, 53, 80, 5000 and 0. By a table, as they are too common for a branch to be guessed
 * well; its last entry stands for all ports above. */
#define PORTS_TOLD 5002
enum { PORT_SERVICE = 1, PORT_NONE = 2 };
extern const uint8_t tags_port_kind[PORTS_TOLD];
extern const uint16_t tags_of_port_kinds[4];

static inline unsigned tags_of_ports(unsigned sport, unsigned dport)
{
	sport = sport < PORTS_TOLD ? sport : PORTS_TOLD - 1;
	dport = dport < PORTS_TOLD ? dport : PORTS_TOLD - 1;
	return tags_of_port_kinds[tags_port_kind[sport] | tags_port_kind[dport]];
}

/* False for nearly every pair of IPv4 addresses: then tags_seldom has nothing to say of them. */
static inline bool tags_ask_addresses4(uint32_t src, uint32_t dst)
{
	return (tags_bogon_first[src >> 24] != 0) | ((uint8_t)(src + 1) <= 1) | (src == dst);
}

static inline bool tags_ask4(const struct packet *p)
{
	return tags_ask_addresses4(p->src, p->dst.v4) || (p->bits & (PACKET_LATER_FRAGMENT | PACKET_RESERVED_FLAG));
}

/* Of a TCP segment, without what is seldom. `cell`: what its flags say; `scanner`: it is the SYN of a known one. */
static inline unsigned tags_of_segment(uint16_t sport, uint16_t dport, uint8_t ttl, unsigned cell, unsigned scanner)
{
	unsigned spoofed = tags_if(scanner == 0, PART_TTL_SPOOFED);
	return cell | tags_of_ports(sport, dport) | tags_if(ttl >= 200, PART_TTL_200 | spoofed);
}

static inline uint16_t tags_of_tcp(const struct packet *p, unsigned cell, unsigned scanner, bool v4)
{
	unsigned tags = tags_of_segment(p->sport, p->dport, p->ttl, cell, scanner);
	return (uint16_t)(__builtin_expect(!v4 || tags_ask4(p), 0) ? tags | tags_seldom(p) : tags);
}
