/* A feed: rows in memory as a table function of DuckDB, so that COPY and INSERT read them without a table between. */
#pragma once
#include "base/error.h"
#include "store/columns.h"

struct store_origins;

struct feed {
	const struct shape *shape;
	const uint8_t *rows, *heap;
	const uint32_t *order; /* NULL: as they lie */
	uint32_t n;
	bool placed;           /* has the columns of origin.h behind its own */
	enum store_table table; /* of a placed one */
	const struct store_origins *origins; /* NULL: unknown */
	uint32_t at;           /* how far a statement has read: set to 0 before each */
};

/* `SELECT … FROM name()` then gives the feed's rows, in order. One statement at a time; the feed must outlive `con`. */
int feed_register(duckdb_connection con, const char *name, struct feed *feed, struct error *e) MUST_USE;
