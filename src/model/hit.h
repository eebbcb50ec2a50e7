/* A hit: what one packet adds to its flow row. It stands for itself: nothing of the packet is asked any more. */
#pragma once
#include <stdint.h>

struct hit {
	uint64_t key;     /* of the row: name of the source << 32 | port << 16 | protocol << 8 | class (track/rows.h) */
	uint64_t ns;      /* nanosecond of its minute */
	uint64_t profile; /* HIT_PROFILE_… of a SYN, or HIT_LAYOUT; 0: it is none */
	uint32_t dst;     /* name of the destination */
	uint32_t seq;     /* TCP, or of an SCTP INIT its tag; else 0 */
	uint32_t length;  /* of the IP packet, as its header says */
	uint16_t sport;
	uint16_t rules, tags; /* as in struct verdict */
	uint8_t ttl, tcp_flags;
	uint8_t second;   /* of its minute */
	uint8_t access;   /* 1: it is one; else 0 */
	uint16_t packet;  /* number of its packet in a batch, where there is one */
};
_Static_assert(sizeof(struct hit) == 48, "four in three cache lines");

/* The profile of a SYN (syn.h) in one number, if it has one of three option lists: none; MSS alone; Linux's MSS, SACK
 * permitted, timestamps, NOP, window scale. Bits: 0 MSS, 16 scale (255: none), 24 flags, 32 list, 40 window. */
enum { HIT_BARE, HIT_MSS, HIT_LINUX };
enum { HIT_SCALE_AT = 16, HIT_FLAGS_AT = 24, HIT_LIST_AT = 32, HIT_WINDOW_AT = 40 };
/* Or, with this bit, what the dictionary of a minute calls it: window << 12 | layout. */
#define HIT_LAYOUT (1ull << 63)
