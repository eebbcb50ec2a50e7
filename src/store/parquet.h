/* Parquet files of our own, for the one table that nearly all rows belong to: DuckDB's writer, which takes any type and any
 * expression, takes four times as long (docs/decisions/store.md). Flat, every column optional, one page a column and group:
 * values in dictionaries, addresses and ports as deltas; zstd; least and greatest of numbers for readers to skip by.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "model/window.h"

#include <duckdb.h>
#include <stdbool.h>

struct parquet;

#define PARQUET_GROUP 122880 /* rows of a group, at most: as many as DuckDB puts into one */

struct parquet_column {
	const char *name;
	duckdb_type type; /* what readers see: a number of up to 32 bits or UBIGINT; BLOB, VARCHAR, UUID */
};

enum parquet_nulls { PARQUET_NONE, PARQUET_SOME, PARQUET_ALL };

struct parquet_values { /* of a group's rows */
	const void *data;         /* numbers; of bytes which of `bytes` it is */
	unsigned width;           /* of each: 1, 2 or 4 (signed of INTEGER alone) */
	bool same;                /* all have the value of the first */
	enum parquet_nulls nulls;
	const uint64_t *valid;    /* PARQUET_SOME: a bit a row; 0: NULL */
	const uint8_t *bytes;     /* of BLOB, VARCHAR and UUID: so many each */
	unsigned bytes_n;
};

int parquet_init(struct parquet **out, const struct env *env, struct error *e) MUST_USE;
void parquet_fini(struct parquet *p); /* NULL is fine */

/* A file: begin, its groups, then end, which is called whatever came before; the file is not synced. */
int parquet_begin(struct parquet *p, const char *path, const struct parquet_column *column, uint32_t n,
                  struct error *e) MUST_USE;
int parquet_group(struct parquet *p, const struct parquet_values *v, uint32_t rows, struct error *e) MUST_USE;
int parquet_end(struct parquet *p, int rc, uint64_t *bytes, struct digest *digest, struct error *e) MUST_USE;
