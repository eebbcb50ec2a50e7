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
	uint64_t commit; /* that wrote it */
};

enum catalog_feed { FEED_SEGMENTS, FEED_MINUTES, FEED_WINDOWS, FEED_PARTS, FEED_COVERAGE, FEED_SHARED, FEEDS };

/* ---- What a snapshot keeps ---- */
enum kept_table { KEPT_META, KEPT_SEGMENTS, KEPT_MINUTES, KEPT_WINDOWS, KEPT_PARTS, KEPT_COVERAGE, KEPT_SENSORS,
                  KEPT_TABLES };

struct kept {
	const char *table;
	const char *key; /* a number that grows with every row that is added; NULL: a short table, always written whole */
};
const struct kept *catalog_kept(enum kept_table table);

#define CLOSED_MOST 128
struct closed_files { /* of one table: ascending ranges that do not overlap, each from the end of the one before */
	uint32_t n;
	struct closed_file {
		uint64_t from, to, rows; /* keys, both inclusive */
		bool dirty;              /* rows of it have changed since */
	} file[CLOSED_MOST];
};

#define SNAPSHOTS_KEPT 16

struct catalog {
	const struct folder *folder;
	duckdb_database db;
	duckdb_connection con;
	struct feed feed[FEEDS];
	uint64_t commit;       /* number of the last */
	uint32_t next_segment;
	uint64_t next_part;
	int64_t detail_before; /* first day since 1970 whose rows were not yet taken out as too old */

	struct closed_files closed[KEPT_TABLES];
	uint64_t based_on;     /* the snapshot that has them */
	uint64_t first_made;   /* the first snapshot that this run made; 0: none */
	uint64_t oldest;       /* the oldest snapshot that is still there */
	int64_t made[SNAPSHOTS_KEPT]; /* when, of snapshot n in place n % SNAPSHOTS_KEPT */
};

#define CATALOG_SCHEMA 6

/* Opens hot.duckdb; makes it when it is not there, and anew from the snapshot when it is damaged or older than that. */
int catalog_open(struct catalog *c, const struct folder *folder, size_t memory, struct error *e) MUST_USE;
void catalog_close(struct catalog *c);

/* Is a segment of that name stored? */
int catalog_knows(struct catalog *c, const char *sensor, const char *segment, bool *out, struct error *e) MUST_USE;

/* Gives a feed n rows and inserts them into its table. */
int catalog_insert(struct catalog *c, enum catalog_feed feed, const void *rows, uint32_t n, struct error *e) MUST_USE;

/* Runs `change`; what it changes is kept all together or, when it fails, not at all: the durable step of a commit. */
int catalog_transact(struct catalog *c, int (*change)(void *ctx, struct error *e), void *ctx, struct error *e) MUST_USE;

/* Before rows are added, changed or taken out that closed files may have (by SQL: `where`). */
void catalog_touch(struct catalog *c, enum kept_table table, uint64_t key);
int catalog_touch_where(struct catalog *c, enum kept_table table, const char *where, struct error *e) MUST_USE;

/* The number of the commit that `current` is of; -1: there is none that can be. */
int64_t catalog_snapshot_number(const struct folder *f);
/* Is that one of the files that hold a table of a snapshot? "windows.parquet", "windows-FROM-TO-ROWS.parquet" */
bool snapshot_holds(const char *file, const char *table);
#define SNAPSHOT_NAME 100
void snapshot_closed_name(const char *table, const struct closed_file *f, char out[static SNAPSHOT_NAME]);
/* Rows of a snapshot's table into a table that is there. */
int catalog_load(duckdb_connection con, const struct folder *f, int64_t snapshot, const char *table, const char *into,
                 struct error *e) MUST_USE;
/* The tables, with what a snapshot says (-1: as of a store without a commit), into a database that has none of them. */
int catalog_fill(duckdb_connection con, const struct folder *f, int64_t snapshot, struct error *e) MUST_USE;
/* A catalog of an older schema is brought to this one in one commit; a newer one is refused. */
int catalog_migrate(duckdb_connection con, struct error *e) MUST_USE;
/* The same as hot.duckdb; what was there is kept as hot.damaged. */
int catalog_make(const struct folder *f, int64_t snapshot, size_t memory, struct error *e) MUST_USE;

/* What the snapshot of the last commit has in closed files. */
int catalog_remember(struct catalog *c, struct error *e) MUST_USE;
/* A snapshot of the catalog as it is now, and `current` to it; removes those that no reader should need any more. */
int catalog_snapshot(struct catalog *c, struct error *e) MUST_USE;
/* Removes all but the last two. */
int catalog_tidy(struct catalog *c, struct error *e) MUST_USE;
