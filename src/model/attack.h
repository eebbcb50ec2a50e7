/* What folds over rows of victims read and give (src/detect/detect.h): rows between the store, which keeps both, and the
 * detectors, which know neither files nor SQL. */
#pragma once
#include "base/addr.h"
#include "model/reply.h"

#include <stddef.h>

/* Where a victim is, as of its rows. */
struct place {
	char country[2];    /* zeros: not known */
	uint16_t unused;
	uint32_t as_number; /* 0: not known */
};

/* A row of victim_second, of any sensor. */
struct victim_row {
	int64_t second;     /* since 1970 */
	uint64_t bytes;
	uint64_t addresses; /* N: monitored by all sensors then; 0: not known */
	uint32_t packets;
	uint32_t attackers; /* distinct monitored addresses */
	uint32_t forged;    /* distinct (monitored address, forged port) */
	struct place place;
	uint16_t port, length_min, length_max;
	uint8_t protocol;   /* attacked */
	uint8_t kind;       /* enum reply_kind */
	uint8_t ttl_min, ttl_max;
	struct reply_sample sample; /* of what was forged; n 0: not known */
};

/* An attack by one of corsaro's definitions, as of the end of a day on which it had packets. */
struct rsdos_record {
	struct addr victim;
	int64_t first, last; /* seconds since 1970 */
	uint64_t packets, bytes;
	uint64_t max_ppm;    /* greatest count in six 10-s buckets that follow each other */
	uint32_t ports;      /* distinct target ports; RSDOS_PORTS: that or more */
	uint32_t attackers;  /* most distinct monitored addresses of one second and port */
	struct place place;
	uint8_t protocol;    /* attacked; of corsaro2: that of the first packet */
};
#define RSDOS_PORTS 64

/* What goes on at the end of what was folded: of one victim, as detect.h writes it. */
struct victim_state {
	const struct addr *victim;
	const uint8_t *bytes;
	uint32_t n;
};
