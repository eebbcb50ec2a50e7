/* Sources as sorted, packed lists (docs/formats/store.md): an origin's of a month in one value, so that to count and to
 * rank the sources of a year costs a few bytes of each. */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <duckdb.h>

/* Tells a DuckDB, once, of the aggregates over rows (list BLOB, source UINTEGER, packets UBIGINT, asked BOOLEAN), a list or
 * (where that is NULL) one source a row:
 *   list_sources: all of them as one list, packets added up
 *   count_sources: how many there are; count_asking: that asked for something
 *   loudest_sources(…, most BIGINT): those with most packets, and all that have as many as the last of them, as a
 *   LIST of STRUCT(source, packets)
 * `env` outlives it. */
int lists_register(duckdb_connection con, const struct env *env, struct error *e) MUST_USE;
