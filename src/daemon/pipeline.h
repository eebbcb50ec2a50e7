/* The pipeline: one capture through all shards.
 *
 * Each shard is a thread. Whoever is free reads the next block (one at a time), decodes and classifies it, and lays its
 * packets out by shard; every shard then takes its part of every block, in the order of the file. One shard alone runs
 * in the caller's thread, batch by batch.
 */
#pragma once
#include "daemon/analysis.h"
#include "daemon/minutes.h"
#include "track/track.h"

struct run {
	const struct env *env;
	const struct analysis_config *config;
	const struct classify *classify;
	uint64_t shard_seed;             /* which source belongs to which shard: one seed for a whole analysis */
	struct track *track[ANALYSIS_SHARDS_MAX];
	bool hold;                       /* its trackers keep every minute open */
	const struct minutes *only;      /* NULL: all packets; else only those of these minutes */
	uint64_t packets_max;            /* stop after so many frames of the file */
	/* out */
	uint64_t packets;                /* frames read */
	int64_t first, last;
	struct summary *counts;          /* counts are added here; NULL: not counted */
};

/* 0, or the error of the capture (`e`); what was read before it has been counted. *broken: the trackers or memory
 * failed, nothing here can be relied on. */
int pipeline_run(struct run *r, struct capture *capture, bool *broken, struct error *e) MUST_USE;

/* Ends the trackers of a run (track_finish), each in a thread of its own; `total` as there, NULL: none. */
int pipeline_finish(struct run *r, struct track *const *total, struct error *e) MUST_USE;
