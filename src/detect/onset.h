/* The early mode: who has just come under an attack with sources forged at random, after a handful of packets.
 *
 * A sequential test for each victim. Of every packet that answers a forged one (distinct monitored address and forged
 * port: what a victim sends again is no news) two things are asked, each against its own null:
 *   addresses   hosts that know few of ours: stale NAT, peers, who is asked in our name, whom we asked ourselves
 *   ports       hosts that send to few ports: scanners with SYN-ACKs, floods from one fixed port (DEFINITIONS 1:
 *               undecided)
 * and of their times a third: strays, one in ONSET_STRAY_WAIT seconds and host. Scores are log2 likelihood ratios. An
 * onset is raised when all three pass their thresholds, hence at a level against each null, by Ville's inequality for as
 * many packets as may come. docs/decisions/onset.md has the numbers and what they cost.
 *
 * Pure: no memory but struct onset, no clock, integers alone; the same rows in the same order give the same outcomes.
 */
#pragma once
#include "model/reply.h"

#include <stdbool.h>
#include <stdint.h>

#define ONSET_IDLE 7200        /* s without a packet after which what was known of a host is forgotten */
#define ONSET_STRAY_WAIT 57600 /* the null of times: s between the packets of a host that means nothing by it */
#define ONSET_LEAST 17         /* monitored addresses below which nothing is raised unless asked */
#define ONSET_RING 12

/* What is known of one victim, over all its kinds, protocols and ports. Zero: nothing. */
struct onset {
	uint32_t pair[ONSET_RING];  /* the last distinct packets, as in a row's sample */
	uint32_t first, last;       /* seconds */
	int16_t addresses, ports;   /* scores, 1/256 bit */
	uint16_t attacked;          /* port of the last row */
	uint8_t packets;            /* distinct; from 240 on it goes round the ring */
	uint8_t phase;              /* enum onset_phase */
};
_Static_assert(sizeof(struct onset) == 64, "one cache line");

enum onset_phase { ONSET_QUIET, ONSET_PHASE_RAISED, ONSET_PHASE_CONFIRMED, ONSET_PHASE_WITHDRAWN };

enum onset_outcome {
	ONSET_NOTHING,
	ONSET_RAISED,
	ONSET_CONFIRMED, /* ten packets or more, all as an attack sends them */
	ONSET_CONTRADICTED, /* withdrawn: what came then speaks against it */
	ONSET_SILENT,       /* withdrawn: nothing more came for ONSET_IDLE */
};

/* A row of victim_second. `sample`: its distinct pairs, at most 8: 16 bits of a hash of the monitored address, then the
 * forged port (0 without), as reply_pair tells them of an element. */
struct onset_row {
	uint32_t second;
	uint8_t kind, protocol; /* enum reply_kind (reply_kind_or: of old rows too); what was attacked */
	uint16_t port;          /* attacked, 0 without */
	uint8_t n;              /* of the sample */
	uint32_t sample[REPLY_SAMPLE];
};

/* Thresholds in 1/256 bit, and what a new or known address is worth at so many monitored ones. */
struct onset_rule {
	int16_t raise, confirm, rate;
	bool on;
	int16_t fresh[3][ONSET_RING + 1], known[3][ONSET_RING + 1]; /* by weight and how many the ring holds */
};

/* The rule for N monitored addresses (0: not known). `asked`: even where N is below ONSET_LEAST or not known. */
void onset_rule_make(struct onset_rule *out, uint64_t monitored, bool asked);

/* A row of this victim; seconds never go back. Ask onset_silence first when time has passed. `evidence`: at an outcome,
 * the bits of the weakest of the three scores. */
enum onset_outcome onset_add(struct onset *o, const struct onset_rule *rule, const struct onset_row *row,
                             uint16_t *evidence);

/* Whether nothing came for too long at `second`: then all is forgotten (the state is zero), and an onset that was not
 * confirmed is withdrawn. A state that is zero after this need not be kept. */
enum onset_outcome onset_silence(struct onset *o, uint32_t second);

/* The least rate at a victim, packets a second over the whole IPv4 Internet, at which an attack with sources and ports
 * drawn at random is raised within `seconds` of its beginning with 95 %. Rounded up; 0: none at this N. */
uint64_t onset_sees(uint64_t monitored, uint32_t seconds);
