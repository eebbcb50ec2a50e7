/* Classification: packets in, verdicts out. DEFINITIONS 1 to 3 line by line; every rule is a row of a static table. */
#pragma once
#include "base/addr.h"
#include "base/env.h"
#include "model/frame.h"
#include "model/hit.h"
#include "model/packet.h"
#include "model/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose packets count. Borrowed for the life of the classifier. */
struct scope {
	const struct prefix *monitored; /* none: every destination counts and N is unknown. Either side of the NAT map */
	size_t n_monitored;
	const struct prefix *own; /* addresses of this host and its management: left out as `own` */
	size_t n_own;
	const struct nat {
		struct prefix captured, public; /* equal lengths */
	} *nat;
	size_t n_nat;
	bool nat_unknown; /* behind a 1:1 NAT whose public side is not known: destination rules "cannot tell" */
};

/* The addresses monitored, N of a rate. 0: not known, or more than can be said. */
uint64_t scope_addresses(const struct scope *scope);

struct classify;

int classify_open(struct classify **out, const struct env *env, const struct scope *scope, struct error *e) MUST_USE;
void classify_close(struct classify *c);

/* Verdicts of n packets. Where a NAT map is configured the packets' destinations become the public ones (for IPv6 in
 * `scratch`, 32 bytes a packet, which must live as long as the packets; it may be NULL without an IPv6 map). */
void classify_packets(const struct classify *c, struct packet *packets, struct verdict *verdicts, size_t n,
                      uint8_t (*scratch)[32]);

/* ---- The short cut ----
 * Plain frames: IPv4 over Ethernet without options, fragments or padding that matters, whole, with right checksums, TCP
 * without data, to an address that counts, of a minute given by its first nanosecond; a SYN with one of the usual option
 * lists. That is nearly all a telescope sees, and each becomes the hit of its flow row in one go. All other frames are
 * given back, in their order, for decode_frames and classify_packets, which say the same of plain ones (held to that by
 * tests). Returns the number of hits; up to PLAIN_BATCH frames. */
#define PLAIN_BATCH 64
size_t classify_plain(const struct classify *c, bool checksums, int64_t minute_start, const struct frame *frames, size_t n,
                      struct hit *hits, struct frame *rest, size_t *n_rest);

/* May the short cut be taken at all? Not where a NAT map or a list of own addresses must be asked. */
bool classify_has_plain(const struct classify *c);

/* ---- Spoofed, erratic, routed (DEFINITIONS 3): corsaro3's filters by name; none ever drops a packet ---- */
enum tag {
	TAG_SPOOFED = 1 << 0,     /* any of the tags from ABNORMAL to UDP_80 */
	TAG_ERRATIC = 1 << 1,     /* any of the tags from ABNORMAL to BITTORRENT */
	TAG_ROUTED = 1 << 2,      /* source in a prefix that is routed to nobody */
	TAG_ABNORMAL = 1 << 3,    /* protocol not ICMP, UDP, TCP or 41 (v6: 58); or flags that no TCP sends */
	TAG_TTL_SPOOFED = 1 << 4, /* TAG_TTL_200, and no SYN of a known scanner: one that matches an evidence rule of
	                           * below, or window 1024 without options */
	TAG_FRAGMENT = 1 << 5,    /* later fragment, or IPv4's reserved flag */
	TAG_LAST_BYTE = 1 << 6,   /* IPv4 source ends in .0 or .255 */
	TAG_LAND = 1 << 7,        /* source == destination */
	TAG_PORT_ZERO = 1 << 8,   /* TCP or UDP port 0, either side */
	TAG_UDP_80 = 1 << 9,      /* UDP to port 80 */
	TAG_TTL_200 = 1 << 10,    /* TTL or hop limit >= 200, not ICMP or ICMPv6 */
	TAG_LENGTH = 1 << 11,     /* UDP of 96 or 1500 bytes of IP */
	TAG_PORT = 1 << 12,       /* TCP or UDP port 53, TCP port 23, 80 or 5000; either side */
	TAG_CONTENT = 1 << 13,    /* UDP: the 0x31 probe, SIP status, NetBIOS name query, DNS answer */
	TAG_REPLY = 1 << 14,      /* SYN+ACK, RST, ICMP answers and errors, UDP from port 53 */
	TAG_BITTORRENT = 1 << 15, /* UDP: corsaro3's heads of DHT and uTP */
};
const char *tag_name(enum tag t); /* "spoofed" */

const char *class_name(enum packet_class c);     /* "backscatter" */
const char *reason_name(enum verdict_reason r);  /* "not_monitored" */

/* ---- Backscatter: who the victim is ---- */
struct victim {
	struct addr addr;
	uint16_t port;   /* attacked port: source port of a reply, destination port of a quoted packet; 0 without */
	uint16_t forged_port; /* from which it thinks it was asked; 0 without */
	uint8_t proto;   /* attacked protocol */
	uint8_t kind;    /* enum reply_kind */
};
/* Of a packet whose class is backscatter. False when it cannot be told (an ICMP error without a readable quote). */
bool classify_victim(const struct packet *packet, struct victim *out);

/* ---- Evidence of tools ----
 * verdict.rules is set on probes (VERDICT_PROBE) alone, save for RULE_REPLY_ID, which speaks of SYN+ACKs and names no
 * tool: so that a sum over all packets with the bit is the sum over probes, and `probes` below is its whole. */
enum rule {
#define RULE(id, ...) RULE_##id,
#include "classify/rules.def"
#undef RULE
	RULE_COUNT,
};
_Static_assert(RULE_COUNT <= 16, "verdict.rules has 16 bits");

const char *rule_name(enum rule r);

/* The key that a pair rule keeps constant over one run of its tool (Nmap, Unicornscan); 0 for the others. */
uint32_t rule_key(enum rule r, const struct packet *packet);

#define EVIDENCE_KEYS 8
/* What one source showed of one rule in one protocol over some time: a merge. */
struct evidence {
	uint8_t rule;
	uint8_t proto;                /* IP protocol number */
	uint8_t ttl_min, ttl_max;
	uint16_t sport_min, sport_max;
	uint64_t packets;             /* that matched */
	uint64_t tuples;              /* distinct (destination, port or type/code, seq or initiate tag or 0) of them */
	uint8_t n_keys;               /* 255: more than EVIDENCE_KEYS */
	uint32_t key[EVIDENCE_KEYS];
	uint32_t key_packets[EVIDENCE_KEYS];
};

enum tool {
	TOOL_UNKNOWN, TOOL_ZMAP, TOOL_XMAP, TOOL_MASSCAN, TOOL_NMAP, TOOL_HPING3, TOOL_MIRAI, TOOL_UNICORNSCAN, TOOL_HAJIME,
	TOOL_MIXED, TOOL_COUNT,
};
const char *tool_name(enum tool t);

/* Probes of one source by protocol, over the same time. */
enum probe_protocol { PROBE_TCP, PROBE_UDP, PROBE_ICMP, PROBE_OTHER, PROBE_PROTOCOLS };
enum probe_protocol probe_protocol(uint8_t proto);

/* The tool of a source over one UTC day: a function of its evidence sums, never of their order. */
enum tool tool_verdict(const struct evidence *list, size_t n, const uint64_t probes[static PROBE_PROTOCOLS]);
