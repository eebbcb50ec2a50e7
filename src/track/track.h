/* Tracking: verdicts in, partial rows out. One `struct track` is one shard: it alone sees all packets of its sources.
 *
 * Everything kept is a merge (DESIGN section 3), so that neither order nor grouping of packets reaches a row. The last
 * three minutes are open; a minute is sealed when a packet comes that is `lateness` (120 s) past its end. A packet for
 * a minute already sealed makes that minute late: the sums of a late minute are void, and it must be derived again
 * from its segments by a tracker that holds. Tables that are full hand their partial rows over to a temporary file
 * and start empty; track_finish merges them, so that rows are exact whatever the memory.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "classify/classify.h"
#include "model/hit.h"
#include "model/evidence.h"
#include "model/packet.h"
#include "model/records.h"
#include "model/verdict.h"
#include "model/window.h"

struct track;

/* Who is given the sealed rows: each exactly once, in batches, in no order, from the thread that feeds the tracker. Rows
 * of a minute that turns out late are void. A function that fails ends the run. NULL: not wanted. */
struct track_sink {
	int (*flows)(void *ctx, const struct flow_record *r, size_t n, struct error *e);
	int (*payloads)(void *ctx, const struct flow_payload_record *r, size_t n, struct error *e);
	/* with the minute of each, since seconds in 32 bits come round again */
	int (*victims)(void *ctx, const int32_t *minute, const struct victim_second_record *r, size_t n, struct error *e);
	/* by track_finish; never when held */
	int (*evidence)(void *ctx, const struct evidence_set *r, size_t n, struct error *e);
	void *ctx;
};

#define TRACK_MEMORY_LEAST (8u << 20) /* less than this for one shard is refused */

struct track_config {
	const char *sensor;    /* its name: enters every row */
	size_t memory;         /* bound of all tables of this shard, bytes */
	const char *spill_dir; /* folder of the unlinked spill file; NULL: TMPDIR, else /tmp */
	bool hold;             /* keep every minute open until track_finish, and keep no sources: for late minutes */
	const struct track_sink *sink; /* NULL: rows are only summed up */
	bool outer_sources;    /* sources are told by track_source_seen alone (packets may be inner ones of a tunnel) */
};

int track_open(struct track **out, const struct env *env, const struct track_config *config, struct error *e) MUST_USE;
void track_close(struct track *t); /* NULL is fine */

/* Counts n packets with their verdicts: packets[which[0]], …; `which` NULL: the first n. Fails only when memory or the
 * spill file does. */
int track_packets(struct track *t, const struct packet *packets, const struct verdict *verdicts, const uint16_t *which,
                  size_t n, struct error *e) MUST_USE;

/* Counts n hits of IPv4 packets of one minute by classify_plain, not the first or last minute of 64-bit nanoseconds. Not
 * for a tracker that holds, nor with outer_sources. */
int track_hits(struct track *t, int32_t minute, const struct hit *hits, size_t n, struct error *e) MUST_USE;

/* A source that counts as seen although no row has it. */
int track_source_seen(struct track *t, const struct addr *source, int64_t ts, struct error *e) MUST_USE;

/* Seals what is open and merges what was spilled; adds the sources to those of `total`, if given (a tracker of the
 * same shard, never fed by packets). Then the results below are final. */
int track_finish(struct track *t, struct track *total, struct error *e) MUST_USE;

#define TRACK_TOP 10
/* What many packets carried: the first bytes with the destination replaced (payload.h), and their XXH3-128. */
struct track_payload {
	struct addr content;
	uint64_t packets;
	uint16_t port;
	uint8_t protocol;
	uint32_t n;
	uint8_t sample[256];
};

struct track_top {
	uint32_t n;
	struct track_payload payload[TRACK_TOP]; /* most packets first, then by content, port, protocol */
	uint64_t left_out; /* packets of contents that found no room: then the list may miss one */
};
/* Over the trackers of all shards, finished. */
void track_top(struct track *const *tracks, unsigned n, struct track_top *out);

struct track_result {
	const struct window *windows; /* sums by minute, in no order; those of late minutes are void */
	uint32_t n_windows;
	const int32_t *late;          /* minutes to derive again, in no order, perhaps repeated */
	uint32_t n_late;
	bool all_late;                /* too many to list: every minute is void */
	uint64_t spilled;             /* how often tables were handed over */
	uint64_t sources;             /* distinct sources of outermost IP headers */
	uint64_t tool_packets[TOOL_COUNT];
	uint64_t tool_sources[TOOL_COUNT]; /* (source, UTC day) pairs */
	uint64_t evidence;            /* rows of source_evidence */
	struct digest evidence_digest;
};
/* Borrowed until track_close. */
void track_result(const struct track *t, struct track_result *out);
