/* An open window: the tables of one minute, or, where names carry their minute, of many (held, merged). */
#pragma once
#include "model/records.h"
#include "model/window.h"
#include "track/layouts.h"
#include "track/names.h"
#include "track/rows.h"
#include "track/sources.h"
#include "track/spill.h"

enum { DIRECT, NAMED, FAMILIES }; /* rows whose names are IPv4 addresses; rows of names */

struct open_window {
	const struct env *env;
	bool open;
	bool spilled;   /* part of its rows has been handed over: it is digested when they are merged */
	bool many;      /* names carry the minute; the direct tables stay empty */
	int32_t minute; /* unless many */
	struct rows flow[FAMILIES];
	struct rows victim[FAMILIES];
	struct rows payload[FAMILIES]; /* key: source, content */
	struct names names;
	struct names contents;         /* of payloads; epoch: port << 8 | protocol; pad: where its sample lies, see below */
	struct region samples;
	struct layouts *layouts;
};

int open_window_init(struct open_window *w, const struct env *env, size_t limit, bool many, struct error *e) MUST_USE;
void open_window_fini(struct open_window *w);
void open_window_clear(struct open_window *w, size_t keep);
size_t open_window_used(const struct open_window *w);
int open_window_prepare(struct open_window *w, struct error *e) MUST_USE; /* for ROWS_ROOM packets: 0, -ENOSPC, -ENOMEM */

/* Keeps the bytes of a content that has just been named, if there is room; and gives them back (p NULL: unknown). */
void open_window_keep_sample(struct open_window *w, uint32_t content, const uint8_t *bytes, size_t n);
struct span open_window_sample(const struct open_window *w, uint32_t content);

/* Sums by minute. */
struct window_sums {
	struct window *window;
	uint32_t n, room;
	struct index index;
	struct seed seed;
	const struct env *env;
};
int window_sums_init(struct window_sums *s, const struct env *env, struct error *e) MUST_USE;
void window_sums_fini(struct window_sums *s);
struct window *window_sums_at(struct window_sums *s, int32_t minute, struct error *e); /* NULL: no memory */

/* Adds all rows of a window to the sums of their minutes. */
int open_window_digest(const struct open_window *w, uint64_t sensor, struct window_sums *sums, struct error *e) MUST_USE;

/* Its rows as records. */
struct flow_record open_window_flow(const struct open_window *w, int family, const struct row *r, uint64_t sensor);
struct flow_payload_record open_window_payload(const struct open_window *w, int family, const struct row *r,
                                               uint64_t sensor);
int32_t open_window_minute(const struct open_window *w, const struct row *r);
struct victim_second_record open_window_victim(const struct open_window *w, int family, const struct row *r,
                                               uint64_t sensor);

/* Gives all rows of a window to a sink. */
struct track_sink;
int open_window_emit(const struct open_window *w, uint64_t sensor, const struct track_sink *sink,
                     struct error *e) MUST_USE;

/* Do packets of a class count as probes of their source, when tools are named? */
bool class_is_probe(uint8_t class);

static inline uint64_t open_window_flows(const struct open_window *w)
{
	return (uint64_t)w->flow[DIRECT].n + w->flow[NAMED].n;
}

/* Tells the sources what some of its flow rows say of them, from row *at on, which it moves. -ENOSPC: hand the sources
 * over and go on. */
int open_window_tell_sources(const struct open_window *w, struct sources *s, bool seen, uint64_t *at,
                             struct error *e) MUST_USE;

/* Hands all rows over to the spill, and takes one such record back into a window of names. */
int open_window_spill(const struct open_window *w, struct spill *spill, struct error *e) MUST_USE;
uint64_t open_window_record_hash(const struct open_window *w, struct span record);
int open_window_take(struct open_window *w, enum spill_kind kind, struct span record, struct error *e) MUST_USE;

/* The same for sources. */
int sources_spill(const struct sources *s, struct spill *spill, struct error *e) MUST_USE;
uint64_t sources_record_hash(const struct sources *s, struct span record);
int sources_take(struct sources *s, enum spill_kind kind, struct span record, struct error *e) MUST_USE;
