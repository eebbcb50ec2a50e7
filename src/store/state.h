/* A store in memory: what its files share. */
#pragma once
#include "store/catalog.h"
#include "store/stage.h"
#include "store/store.h"

struct pending { /* a segment that the next commit adds, or tells of as refused */
	char name[33];
	char *path;
	uint64_t packets, bytes, uncompressed;
	int64_t min, max; /* covered, when it says so */
	uint64_t dropped;
	enum answer_mode mode;
	uint32_t id;
	bool covers, refused, simulated;
	char reason[300];
};

struct vector { /* of anything: vector_add */
	void *item;
	uint32_t n, room;
};
/* Room for n more items of `size` bytes, and their place; NULL: no memory. */
void *vector_add(struct vector *v, const struct env *env, size_t size, uint32_t n);
/* Adds the first column of a result, `size` bytes a row, and ends the result. `doing`: what memory is wanted for. */
int vector_take(struct vector *v, const struct env *env, size_t size, duckdb_result *result, const char *doing,
                struct error *e) MUST_USE;
void vector_fini(struct vector *v, const struct env *env, size_t size);

/* A part that the catalog no longer names. It goes when no snapshot does that a reader may have. */
struct doomed {
	struct part part;
	uint64_t commit; /* the first without it */
	char sensor[STORE_SENSOR_MAX + 1];
};

struct store {
	const struct env *env;
	struct folder folder;
	struct catalog catalog;
	struct stage stage;
	char sensor[STORE_SENSOR_MAX + 1];
	char *monitored, *options;
	uint64_t addresses;
	enum answer_mode mode;
	bool at_hand;              /* between store_segment_begin and its end */
	int64_t first_pending;     /* monotonic, of the first segment that is pending */

	struct vector segments;    /* struct pending */
	struct vector minutes;     /* struct catalog_minute */
	struct vector windows;     /* struct catalog_window */
	struct parts replaced;     /* stored parts that the next commit takes out */
	struct vector doomed;      /* struct doomed */
	int32_t newest_day;        /* of parts of this sensor; INT32_MIN: not looked up yet */
	bool leave_parts;          /* joining some has failed in this run */
	struct vector derived_gone; /* struct derived_gone of fold.h */
	bool knows_lists;          /* its DuckDB has been told of the aggregates of lists.h */
	struct vector months_gone; /* int64_t[3] of month.c: sums of months whose files are to go */

	struct pending shared;     /* the segment whose minutes are being derived again */
	struct vector shared_windows; /* struct window: its own of other minutes */
	struct vector plan_minutes;   /* int32_t */
	struct vector plan_segments;  /* struct store_segment, paths owned */
};

int pending_add(struct store *s, const struct pending *p, const struct window *windows, uint32_t n,
                struct error *e) MUST_USE;
void plan_clear(struct store *s);
/* Rewrites stored parts that have rows of the plan's minutes. */
int plan_rewrite(struct store *s, struct error *e) MUST_USE;
/* ---- Parts in the catalog, within a transaction ---- */
int commit_insert_parts(struct store *s, const char *sensor, const struct part *part, uint32_t n,
                        struct error *e) MUST_USE;
int commit_delete_parts(struct store *s, const struct parts *gone, struct error *e) MUST_USE;
/* Numbers that the next commit begins with: `segments` were added by this one. */
int commit_write_numbers(struct store *s, uint32_t segments, struct error *e) MUST_USE;
/* After it: the snapshot, and the end of parts that no snapshot names any more. */
int commit_finish(struct store *s, const char *sensor, const struct parts *gone, struct error *e) MUST_USE;
/* All that was replaced goes: nobody comes back to do it. */
int commit_tidy(struct store *s, struct error *e) MUST_USE;

/* Parts of the catalog by the rest of a statement ("WHERE … ORDER BY …"). */
int parts_find(struct store *s, struct parts *found, struct error *e, const char *rest, ...)
	__attribute__((format(printf, 4, 5))) MUST_USE;
/* Joins parts that are many and small, of the days `from` to `to` that the last commit added to. */
int compact_days(struct store *s, int32_t from, int32_t to, struct error *e) MUST_USE;

/* Removes what no commit names, and makes the snapshot of the last commit if it is not there. */
int store_recover(struct store *s, struct error *e) MUST_USE;
