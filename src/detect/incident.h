/* Attacks by our own rules: incidents, what they are made of, and whether they are attacks; docs/decisions/attacks.md
 * has the rules. */
#pragma once
#include "detect/state.h"
#include "model/attack.h"

#define INCIDENT_SAMPLE 64
#define INCIDENT_VECTORS 16

struct incident {
	bool fresh;            /* has had a packet in this fold */
	int64_t first, last;   /* seconds */
	uint64_t packets;      /* 0: there is none */
	uint64_t bytes;
	uint64_t forged;       /* distinct in their row; sent again within another second they count again */
	uint32_t row_addresses, row_pairs; /* most of one row, which are exact: what a sample may have left out */
	uint64_t addresses;    /* N, the least it was; 0: not known of some row */
	int64_t minute, peak_minute;
	uint64_t now, now_forged, peak, peak_forged; /* of the minute at hand, of the greatest */
	/* All pairs up to `bound` by their number, of all rows: so how often one comes again can be told. */
	uint32_t bound, n_sample;
	struct sampled {
		uint32_t element, seen;
	} sample[INCIDENT_SAMPLE]; /* ascending */
	uint32_t n_vectors;
	bool more;             /* vectors than these */
	struct attack_vector_record vector[INCIDENT_VECTORS];
	struct place place;
};

void incident_add(struct incident *v, const struct victim_row *r);
bool incident_over(const struct incident *v, int64_t at);
/* Is it one that this fold has to tell of? */
bool incident_counts(const struct incident *v);
void incident_record(const struct incident *v, const struct addr *victim, struct attack_record *out);
void incident_write(const struct incident *v, struct writer *w);
void incident_read(struct incident *v, struct reader *r);
