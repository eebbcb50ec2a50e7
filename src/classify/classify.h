/* Classification: packets in, verdicts out. DEFINITIONS 1 to 3 line by line; every rule is a row of a static table. */
#pragma once
#include "base/addr.h"
#include "base/env.h"
#include "model/packet.h"
#include "model/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose packets count. Borrowed for the life of the classifier. */
struct scope {
	const struct prefix *monitored; /* none: every destination counts and N is unknown */
	size_t n_monitored;
	const struct prefix *own; /* addresses of this host and its management: left out as `own` */
	size_t n_own;
	const struct nat {
		struct prefix captured, public; /* equal lengths */
	} *nat;
	size_t n_nat;
	bool nat_unknown; /* behind a 1:1 NAT whose public side is not known: destination rules "cannot tell" */
};

struct classify;

int classify_open(struct classify **out, const struct env *env, const struct scope *scope, struct error *e) MUST_USE;
void classify_close(struct classify *c);

/* Verdicts of n packets. Where a NAT map is configured the packets' destinations become the public ones (for IPv6 in
 * `scratch`, 32 bytes a packet, which must live as long as the packets; it may be NULL without an IPv6 map). */
void classify_packets(const struct classify *c, struct packet *packets, struct verdict *verdicts, size_t n,
                      uint8_t (*scratch)[32]);

const char *class_name(enum packet_class c);     /* "backscatter" */
const char *reason_name(enum verdict_reason r);  /* "not_monitored" */

/* ---- Backscatter: who the victim is ---- */
struct victim {
	struct addr addr;
	uint16_t port;   /* attacked port: source port of a reply, destination port of a quoted packet; 0 without */
	uint8_t proto;   /* attacked protocol */
};
/* Of a packet whose class is backscatter. False when it cannot be told (an ICMP error without a readable quote). */
bool classify_victim(const struct packet *packet, struct victim *out);

/* ---- Evidence of tools ---- */
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
