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

struct store {
	const struct env *env;
	struct folder folder;
	struct catalog catalog;
	struct stage stage;
	char sensor[STORE_SENSOR_MAX + 1];
	char *monitored, *options;
	uint64_t addresses;
	bool at_hand;              /* between store_segment_begin and its end */
	int64_t first_pending;     /* monotonic, of the first segment that is pending */

	struct vector segments;    /* struct pending */
	struct vector minutes;     /* struct catalog_minute */
	struct vector windows;     /* struct catalog_window */
	struct parts replaced;     /* stored parts that the next commit takes out */

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
/* Removes what no commit names, and makes the snapshot of the last commit if it is not there. */
int store_recover(struct store *s, struct error *e) MUST_USE;
