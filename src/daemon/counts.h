/* Counts of packets: what needs no table. One per thread, added up at the end. */
#pragma once
#include "daemon/analysis.h"

/* A packet's properties make one number, and one increment counts them all; counts_fold takes them apart. */
#define COUNTS_KINDS (1u << 14)

struct counts {
	uint32_t kind[COUNTS_KINDS]; /* folded into `wide` before it can overflow */
	uint64_t wide[COUNTS_KINDS];
	uint32_t since_fold;
	uint64_t bytes;
	int64_t min, max;
	uint64_t reasons[REASON_COUNT];
	uint64_t bad_checksums, udp_unsure, quote_mismatches, cannot_tell;
};

void counts_init(struct counts *c);
/* What all frames have; beside it each counts once, as a packet or as the hit of a plain one. */
void counts_frames(struct counts *c, const struct frame *frames, size_t n);
void counts_packets(struct counts *c, const struct packet *packets, const struct verdict *verdicts, size_t n);
void counts_hits(struct counts *c, const struct hit *hits, size_t n);
/* Adds them to a summary; packets, first and last are the caller's. */
void counts_fold(struct counts *c, struct summary *out);
