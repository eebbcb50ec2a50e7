/* Parts: rows of one table, day and sensor in a Parquet file. */
#pragma once
#include "store/derived.h"
#include "store/feed.h"
#include "store/folder.h"
#include "store/narrow.h"

struct part {
	uint64_t id;
	enum store_table table;
	bool v4;
	int32_t day;         /* since 1970 */
	int32_t from, to;    /* minutes of its rows */
	uint64_t rows, bytes;
	struct digest digest; /* XXH3-128 (seed 0) of the file */
	struct part_file {
		uint64_t rows, bytes;
		struct digest digest;
	} rollup[ROLLUPS];   /* of a flow part; rollup k has the number id + 1 + k */
	uint32_t segment;    /* which of this run's segments gave its rows: stage.h */
};

/* "parquet/flow4/day=2026-11-24/sensor=local/part-00000001.parquet" */
#define PART_PATH 256
void part_path(const struct part *p, const char *sensor, char out[static PART_PATH]);
void part_rollup_path(const struct part *p, enum rollup_kind kind, const char *sensor, char out[static PART_PATH]);
/* How many numbers a part of this table takes. */
static inline uint64_t part_numbers(enum store_table table) { return table == STORE_FLOW ? 1 + ROLLUPS : 1; }
/* Sets table and v4 by a name of shape_name's. */
int part_table(struct part *p, const char *name, size_t n, struct error *e) MUST_USE;
void part_day(int32_t day, char out[static 16]); /* "2026-11-24" */
int32_t day_of_minute(int32_t minute);

/* Length and hash of a file in the folder; errors are of the system. */
int part_hash(const struct folder *folder, const char *name, uint64_t *bytes, struct digest *out) MUST_USE;

/* Who writes parts: one thread, with a connection of its own. */
struct part_writer {
	const struct folder *folder;
	const char *sensor;
	unsigned number; /* of several; feeds' names have it */
	duckdb_connection con;
	struct shape shape[STORE_TABLES][2];
	struct feed feed[STORE_TABLES][2];
	const struct store_origins *origins; /* NULL: unknown */
	struct rollup rollup;
	struct feed rollup_feed[ROLLUPS];
	struct feed derived_feed[STORE_DERIVED];
	struct parquet *parquet;     /* for narrow rows */
	struct narrow_group *group;
	struct parquet_column column[NARROW_COLUMNS];
	uint32_t n_columns;
	struct feed minutes; /* to be left out */
	struct shape minutes_shape;
};

int part_writer_init(struct part_writer *w, const struct folder *folder, const char *sensor, duckdb_database db,
                     unsigned number, struct error *e) MUST_USE;
void part_writer_fini(struct part_writer *w);

/* What a SELECT gives as the file `name` of the folder. */
int part_copy(struct part_writer *w, const char *name, const char *select, struct part_file *out,
              struct error *e) MUST_USE;
/* n rows of a derived table, whose blobs lie in `heap`, as the file `name`. */
int part_write_derived(struct part_writer *w, enum store_derived table, const char *name, const void *rows,
                       const uint8_t *heap, uint32_t n, struct part_file *out, struct error *e) MUST_USE;
/* Rows order[0..n), all of p->table, family and day, into a new part, and its rollups; fills p->rows, bytes, from, to. */
int part_write(struct part_writer *w, struct part *p, const uint8_t *rows, const uint8_t *heap, const uint32_t *order,
               uint32_t n, struct error *e) MUST_USE;
/* The same of narrow rows. */
int part_write_narrow(struct part_writer *w, struct part *p, const struct narrow_flow *rows, const struct sort_item *item,
                      uint32_t n, struct error *e) MUST_USE;
/* What is in part `from` but not of `minutes` (ascending) into the part `to`; to->rows 0: nothing, and there is no file.
 * `from` stays. */
int part_rewrite(struct part_writer *w, const struct part *from, struct part *to, const int32_t *minutes, uint32_t n,
                 struct error *e) MUST_USE;
/* All rows of n parts of one table, family, day and sensor into the part `to`, sorted; damaged ones are refused. They
 * stay. */
int part_join(struct part_writer *w, const struct part *from, uint32_t n, struct part *to, struct error *e) MUST_USE;
int part_unlink(const struct part_writer *w, const struct part *p, struct error *e) MUST_USE;
