/* A verdict: what classification says of one packet. DEFINITIONS 1 to 3 are the rules. */
#pragma once
#include <stdint.h>

/* A partition: every packet is in exactly one; the order is the order of the rules, first match wins. */
enum packet_class {
	CLASS_IGNORED,
	CLASS_UNDECODED,
	CLASS_BACKSCATTER,
	CLASS_P2P,
	CLASS_SCAN,
	CLASS_PAYLOAD,
	CLASS_MISCONFIGURATION,
	CLASS_OTHER,
	CLASS_COUNT,
};

enum verdict_reason {
	REASON_NONE,
	REASON_OUTGOING,      /* ignored: sent by this host */
	REASON_OWN,           /* ignored: management of the sensor, or --own */
	REASON_LOCAL,         /* ignored: ARP, DHCP, RA/ND, multicast, broadcast, link-local protocols */
	REASON_NOT_MONITORED, /* ignored: to an address outside --monitored */
	REASON_SHORT,         /* undecoded, as enum packet_status */
	REASON_MALFORMED,
	REASON_UNSUPPORTED,
	REASON_COUNT,
};

enum verdict_flag {
	VERDICT_ACCESS = 1,     /* an access (DEFINITIONS 1) */
	VERDICT_UDP_UNSURE = 2, /* UDP where neither request nor reply is provable */
	VERDICT_PROBE = 4,      /* counts as a probe of its source when tools are named (classes scan, payload, P2P) */
	VERDICT_QUOTE_MISMATCH = 8, /* ICMP error whose quoted source is not the address it came to */
	VERDICT_CANNOT_TELL = 16,   /* a rule that reads the destination could not: its public address is unknown */
	/* Between pipeline and trackers: an ICMP error is counted where its source is, its victim where the victim is. */
	VERDICT_VICTIM_ELSEWHERE = 32, /* backscatter whose victim another shard counts */
	VERDICT_VICTIM_ONLY = 64,      /* (class ignored) the other half of it: nothing but the victim counts here */
};

struct verdict {
	uint8_t class;    /* enum packet_class */
	uint8_t reason;   /* enum verdict_reason: of ignored and undecoded, else none */
	uint16_t flags;   /* enum verdict_flag */
	uint16_t rules;   /* bit r: evidence rule r matched (classify.h, enum rule) */
	uint16_t tags;    /* enum tag bits: spoofed, erratic, routed and their parts */
};
_Static_assert(sizeof(struct verdict) == 8, "eight verdicts a cache line");
