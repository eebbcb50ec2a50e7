/* The catalog: hot.duckdb, which only the writer opens. Ledger, minutes, parts, sensors, coverage; and the snapshot of it
 * that readers get. */
#pragma once
#include "store/feed.h"
#include "store/folder.h"
#include "store/part.h"
#include "store/store.h"

/* Rows of the catalog in memory, as feeds give them. */
struct catalog_segment {
	uint32_t id;
	const char *segment, *sensor, *path;
	uint64_t packets, bytes, uncompressed;
	int64_t from, to;
	const char *options;
	uint32_t schema;
	const char *state, *reason;
	uint64_t commit;
	uint8_t simulated;
};

struct catalog_minute {
	uint32_t segment;
	int32_t minute;
};

struct catalog_window {
	const char *sensor;
	struct window w;
	uint32_t revision;
};

struct catalog_part {
	uint64_t id;
	const char *table, *day, *sensor, *path;
	uint64_t rows, bytes;
	int32_t from, to;
	struct digest digest; /* of the file */
};

struct catalog_coverage {
	const char *sensor;
	int64_t from, to;
	uint64_t addresses; /* 0: not known */
	const char *mode;
	uint64_t dropped;
};

enum catalog_feed { FEED_SEGMENTS, FEED_MINUTES, FEED_WINDOWS, FEED_PARTS, FEED_COVERAGE, FEED_SHARED, FEEDS };

struct catalog {
	const struct folder *folder;
	duckdb_database db;
	duckdb_connection con;
	struct feed feed[FEEDS];
	uint64_t commit;       /* number of the last */
	uint32_t next_segment;
	uint64_t next_part;
	int64_t detail_before; /* first day since 1970 whose rows were not yet taken out as too old */
};

#define CATALOG_SCHEMA 2

/* Opens hot.duckdb; makes it when it is not there, and anew from the snapshot when it is damaged or older than that. */
int catalog_open(struct catalog *c, const struct folder *folder, size_t memory, struct error *e) MUST_USE;
void catalog_close(struct catalog *c);

/* Is a segment of that name stored? */
int catalog_knows(struct catalog *c, const char *sensor, const char *segment, bool *out, struct error *e) MUST_USE;

/* Gives a feed n rows and inserts them into its table. */
int catalog_insert(struct catalog *c, enum catalog_feed feed, const void *rows, uint32_t n, struct error *e) MUST_USE;

/* Runs `change`; what it changes is kept all together or, when it fails, not at all: the durable step of a commit. */
int catalog_transact(struct catalog *c, int (*change)(void *ctx, struct error *e), void *ctx, struct error *e) MUST_USE;

/* The names of its tables, all of which a snapshot has; NULL past the last. */
const char *catalog_table(size_t i);

/* The number of the commit that `current` is of; -1: there is none that can be. */
int64_t catalog_snapshot_number(const struct folder *f);
/* The tables, with what a snapshot says (-1: as of a store without a commit), into a database that has none of them. */
int catalog_fill(duckdb_connection con, const struct folder *f, int64_t snapshot, struct error *e) MUST_USE;
/* A catalog of an older schema is brought to this one in one commit; a newer one is refused. */
int catalog_migrate(duckdb_connection con, struct error *e) MUST_USE;
/* The same as hot.duckdb; what was there is kept as hot.damaged. */
int catalog_make(const struct folder *f, int64_t snapshot, size_t memory, struct error *e) MUST_USE;

/* A snapshot of the catalog as it is now, and `current` to it. */
int catalog_snapshot(struct catalog *c, struct error *e) MUST_USE;
