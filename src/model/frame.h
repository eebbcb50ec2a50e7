/* A frame: one captured packet as the file or the interface gave it, before anything is understood. */
#pragma once
#include <stdint.h>

enum frame_mark {
	FRAME_OWN = 1,          /* the sensor marked it as its own management or an answer to it (DEFINITIONS 1) */
	FRAME_OUTGOING = 2,     /* the capture says this host sent it (pcapng epb_flags, SLL packet type 4) */
	FRAME_TIME_CLAMPED = 4, /* its time did not fit 64-bit nanoseconds and was moved to the nearest end */
};

struct frame {
	int64_t ts;          /* nanoseconds since 1970-01-01T00:00:00Z */
	const uint8_t *data; /* borrowed from the block it came in */
	uint32_t caplen;     /* bytes at data */
	uint32_t wirelen;    /* bytes there were on the wire; less than caplen only where the file lies */
	uint16_t link;       /* LINKTYPE_ of the interface (https://www.tcpdump.org/linktypes.html) */
	uint8_t fcs_len;     /* bytes of frame check sequence at the end of the wire length */
	uint8_t marks;       /* enum frame_mark */
};
_Static_assert(sizeof(struct frame) == 32, "two frames a cache line");
