/* A feed: rows in memory as a table function of DuckDB, so that COPY and INSERT read them without a table between. */
#pragma once
#include "store/narrow.h"

struct store_origins;

struct feed {
	const struct shape *shape;
	const uint8_t *rows, *heap;
	const uint32_t *order; /* NULL: as they lie */
	uint32_t n;
	bool placed;           /* has the columns of origin.h behind its own */
	enum store_table table; /* of a placed one */
	const struct store_origins *origins; /* NULL: unknown */
	const struct sort_item *item; /* of narrow rows, in place of order; then `shape` is that of flow4 */
	struct narrow_sums sums;      /* what narrow rows come to, so far */
	int rc;                       /* of summing them; 0 before each statement */
	struct error *error;
	uint32_t at;           /* how far a statement has read: set to 0 before each */
};

/* `SELECT … FROM name()` then gives the feed's rows, in order. One statement at a time; the feed must outlive `con`. */
int feed_register(duckdb_connection con, const char *name, struct feed *feed, struct error *e) MUST_USE;
