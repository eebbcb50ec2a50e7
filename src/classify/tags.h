/* Spoofed, erratic and routed tags. Private to this folder; the conditions are those of corsaro3's
 * libcorsaro/libcorsaro_filtering.c, told in docs/decisions/classes.md. */
#pragma once
#include "base/bytes.h"
#include "classify/judge.h"

#define TAGS_SPOOFED_PARTS \
	(TAG_ABNORMAL | TAG_TTL_SPOOFED | TAG_FRAGMENT | TAG_LAST_BYTE | TAG_LAND | TAG_PORT_ZERO | TAG_UDP_80)
#define TAGS_ERRATIC_PARTS \
	(TAGS_SPOOFED_PARTS | TAG_TTL_200 | TAG_LENGTH | TAG_PORT | TAG_CONTENT | TAG_REPLY | TAG_BITTORRENT)

enum { BOGON_NO, BOGON_ALL, BOGON_SOME };
extern const uint8_t tags_bogon_first[256]; /* by the first byte of an IPv4 source */
bool tags_bogon4_rest(uint32_t source);     /* of those with BOGON_SOME */
bool tags_bogon6(const uint8_t source[static 16]);

/* Tags of protocols other than TCP. */
uint16_t tags_of_other(const struct packet *p, bool data);

static inline unsigned tags_if(bool condition, unsigned tag) { return condition ? tag : 0; }

static inline bool tags_tcp_port(uint16_t port)
{
	return port == 23 || port == 80 || port == 53 || port == 5000;
}

static inline unsigned tags_of_source(const struct packet *p)
{
	if (p->version == 4) {
		uint8_t bogon = tags_bogon_first[p->src >> 24], last = (uint8_t)p->src;
		bool routed = bogon && (bogon == BOGON_ALL || tags_bogon4_rest(p->src));
		return tags_if(routed, TAG_ROUTED) | tags_if((uint8_t)(last + 1) <= 1, TAG_LAST_BYTE) |
		       tags_if(p->src == p->dst.v4, TAG_LAND);
	}
	return tags_if(tags_bogon6(p->addrs6), TAG_ROUTED) |
	       tags_if(memcmp(p->addrs6, p->addrs6 + 16, 16) == 0, TAG_LAND);
}

/* What all packets are asked; `known_scanner`: a SYN of one. */
static inline unsigned tags_of_header(const struct packet *p, bool known_scanner)
{
	bool high = p->ttl >= 200 && p->proto != PROTO_ICMP && p->proto != PROTO_ICMPV6;
	return tags_of_source(p) | tags_if(high, TAG_TTL_200) | tags_if(high && !known_scanner, TAG_TTL_SPOOFED) |
	       tags_if(p->bits & (PACKET_LATER_FRAGMENT | PACKET_RESERVED_FLAG), TAG_FRAGMENT);
}

static inline uint16_t tags_finish(unsigned parts)
{
	return (uint16_t)(parts | tags_if(parts & TAGS_SPOOFED_PARTS, TAG_SPOOFED) |
	                  tags_if(parts & TAGS_ERRATIC_PARTS, TAG_ERRATIC));
}

/* Of a TCP segment with its header; `cell`: what its flags say. */
static inline uint16_t tags_of_tcp(const struct packet *p, unsigned cell, bool known_scanner)
{
	return tags_finish(cell | tags_of_header(p, known_scanner) |
	                   tags_if(tags_tcp_port(p->sport) || tags_tcp_port(p->dport), TAG_PORT) |
	                   tags_if(p->sport == 0 || p->dport == 0, TAG_PORT_ZERO));
}
