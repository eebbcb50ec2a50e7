/* The state of one shard, shared by the files that make it: track.c (its life, minutes, hand-overs), batch.c (packets in),
 * finish.c (results out). Private to this folder. */
#pragma once
#include "track/open_window.h"
#include "track/samples.h"
#include "track/track.h"

#define SECOND_NS 1000000000
#define MINUTE_NS (60 * (int64_t)SECOND_NS)
#define OPEN_MINUTES 3     /* the minute, and those that end less than `lateness` = 120 s before its start */
#define LATE_MAX (1u << 20)
#define BATCH ROWS_BATCH

/* Packets of a batch that go to one table. */
struct pending {
	struct hit hit[BATCH];
	uint64_t hash[BATCH];
	uint32_t n;
};

struct track {
	const struct env *env;
	struct track_config config;
	uint64_t sensor;
	size_t windows_limit, sources_limit;
	struct open_window window[OPEN_MINUTES]; /* minute m at m mod 3; held: only the first */
	struct open_window *current;             /* NULL: its minute is late */
	int64_t start;                           /* ns: of the minute that `current` takes */
	uint64_t direct;                         /* ns from there on for which IPv4 packets need nothing special */
	uint32_t room_left;                      /* packets that `current` surely has room for */
	int32_t newest;
	bool begun;
	struct window_sums sums;
	struct sources sources;
	bool sources_spilled;
	struct samples samples; /* of the whole run; a held tracker keeps none */
	struct spill *spill;
	int32_t *late;
	uint32_t n_late, late_room;
	bool all_late;
	uint64_t n_spills;
	struct sources_result result;
	/* the batch at hand: packets[which[0]], …, or the first of them */
	const struct packet *packets;
	const struct verdict *verdicts;
	const uint16_t *which;
	uint32_t listed; /* places from the batch's first on that `which` has */
	struct pending flow[FAMILIES], victim[FAMILIES], payload[FAMILIES];
	struct sight sight[BATCH]; /* evidence not yet counted, of this batch and earlier ones */
	uint32_t n_sights;
};

/* Bytes that samples may take. */
static inline size_t samples_limit(const struct track *t) { return t->config.memory / 16; }

/* Windows in use. */
static inline uint32_t n_windows(const struct track *t) { return t->config.hold ? 1 : OPEN_MINUTES; }

/* The first nanosecond of a minute. That of the very first minute does not fit 64 bits: it wraps, and so does what is
 * counted from it (ns_since), rightly for times in it; but it and the very last minute then look alike. */
static inline int64_t start_of_minute(int64_t minute) { return (int64_t)((uint64_t)minute * MINUTE_NS); }
static inline uint64_t ns_since(int64_t start, int64_t ts) { return (uint64_t)ts - (uint64_t)start; }

/* Makes `current` the window of the minute that ts lies in, sealing what is now past its lateness; NULL: it is late. */
int track_enter_minute(struct track *t, int64_t ts, struct error *e) MUST_USE;

/* Seals a window: into the sums, or to the rest of it that was handed over. */
int track_seal(struct track *t, struct open_window *w, struct error *e) MUST_USE;

/* Hand-over to the spill file: of all open minutes at once, since it is their sum that is bounded; of all sources. */
int track_hand_over_windows(struct track *t, struct error *e) MUST_USE;
int track_hand_over_sources(struct track *t, struct error *e) MUST_USE;

/* Counts the evidence that waits for a batch to be full. */
int track_drain_evidence(struct track *t, struct error *e) MUST_USE;
