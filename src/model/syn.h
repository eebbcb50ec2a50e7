/* The profile of a SYN: what its sender's stack is like, without what changes from SYN to SYN. */
#pragma once
#include <stdint.h>

#define SYN_KINDS 17

enum syn_flag {
	SYN_DF = 1,             /* IPv4 don't fragment */
	SYN_ID_ZERO = 2,        /* IPv4 identification 0 */
	SYN_ECN = 4,            /* ECE or CWR */
	SYN_ACK_NONZERO = 8,    /* acknowledgement number set although ACK is not */
	SYN_BAD_OPTIONS = 16,   /* an option's length contradicts the header (RFC 9293 3.1) or was not captured */
	SYN_MANY_OPTIONS = 32,  /* more options than kinds[] holds */
	SYN_DATA = 64,          /* carries data */
	SYN_PRESENT = 128,      /* always set: a profile is never all zero */
};

/* 24 bytes. Canonical bytes: the fields in this order, integers big-endian; all zero where a row has no SYN. */
struct syn_profile {
	uint16_t window;
	uint16_t mss;        /* 0 without the option (RFC 9293 3.7.1) */
	uint8_t scale;       /* window scale (RFC 7323), 255 without */
	uint8_t flags;       /* enum syn_flag */
	uint8_t n_kinds;     /* option kinds in order of appearance; end-of-list ends it and counts */
	uint8_t kinds[SYN_KINDS];
};
_Static_assert(sizeof(struct syn_profile) == 24, "as in tables.def");
