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

enum attack_verdict { ATTACK_SURE, ATTACK_SCAN, ATTACK_REFLECTION, ATTACK_UNDECIDED };

/* An attack by our rules, as of the end of a day on which it had packets. */
struct attack_record {
	struct addr victim;
	int64_t first, last;   /* seconds since 1970 */
	uint64_t packets, bytes;
	uint64_t forged;       /* distinct (address, forged port) of each second and vector, summed */
	uint64_t appearances;  /* of the pairs that were sampled: how often they were among `forged` */
	uint64_t addresses;    /* N, the least it was; 0: not known */
	uint64_t peak, peak_forged; /* most of a UTC minute */
	int64_t peak_minute;   /* since 1970 */
	uint32_t sampled, addresses_seen, ports_seen; /* distinct pairs in the sample, addresses' hashes and ports of them */
	uint32_t attacked, vectors; /* attacked ports; vectors that are kept */
	struct place place;
	uint16_t port, length_min, length_max;
	uint8_t kind, protocol; /* with port: of the vector with most packets */
	uint8_t ttl_min, ttl_max, verdict;
};

/* What was attacked, and how the victim replied. */
struct attack_vector_record {
	struct addr victim;
	int64_t attack;        /* first second of the attack it is of */
	int64_t first, last;
	uint64_t packets, bytes, forged;
	uint16_t port, length_min, length_max;
	uint8_t kind, protocol, ttl_min, ttl_max;
};

/* An onset of the early mode (detect/onset.h), as of the end of a day on which it was raised, settled or, before it was
 * settled, had packets. That it fell silent is not at rest: it did, if the time after `last` was observed. */
enum onset_is { ONSET_IS_WATCHED, ONSET_IS_CONFIRMED, ONSET_IS_CONTRADICTED };
struct onset_record {
	struct addr victim;
	int64_t raised, first, last; /* seconds since 1970: first and last packet that were looked at */
	int64_t settled;             /* 0: not yet */
	uint64_t addresses;          /* N, the least it was; 0: not known */
	uint32_t packets, evidence;  /* distinct packets, bits: when it was settled, else raised */
	struct place place;
	uint16_t port;               /* attacked; with kind and protocol: of the row that raised it */
	uint8_t kind, protocol, outcome;
};

/* What goes on at the end of what was folded: of one victim, as detect.h writes it. */
struct victim_state {
	const struct addr *victim;
	const uint8_t *bytes;
	uint32_t n;
};
