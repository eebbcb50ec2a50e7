/* Tracking: verdicts in, partial rows out. One `struct track` is one shard: it alone sees all packets of its sources.
 *
 * Everything kept is a merge (DESIGN section 3), so that neither order nor grouping of packets reaches a row. Minutes
 * are open while packets may come, are sealed when time has passed them, and hand over a `struct window`. A packet for
 * a minute that is sealed makes that minute "late": its window is void and the minute must be derived again from its
 * segments, with a tracker that holds (hold = true) and seals nothing before the end.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "classify/classify.h"
#include "model/packet.h"
#include "model/verdict.h"
#include "model/window.h"

struct track;

struct track_config {
	const char *sensor;    /* its name: enters every row */
	size_t memory;         /* bound of all tables of this shard, bytes; full tables spill */
	const char *spill_dir; /* folder of the unlinked spill file; NULL: TMPDIR, else /tmp */
	bool hold;             /* keep every minute open until track_finish: derivation of late minutes */
};

int track_open(struct track **out, const struct env *env, const struct track_config *config, struct error *e) MUST_USE;
void track_close(struct track *t);

/* Counts n packets with their verdicts. Fails only when memory or the spill file does. */
int track_packets(struct track *t, const struct packet *packets, const struct verdict *verdicts, size_t n,
                  struct error *e) MUST_USE;

/* A source that counts as seen although no row has it (ignored packets, outer headers of tunnels). */
int track_source_seen(struct track *t, const struct addr *source, int64_t ts, struct error *e) MUST_USE;

/* Seals what is open and merges what was spilled. Then the results below are final. */
int track_finish(struct track *t, struct error *e) MUST_USE;
