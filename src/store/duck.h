/* DuckDB behind sentences: every failure is a struct error with its first line. */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <duckdb.h>

/* `path` NULL: in memory. What DuckDB spills goes to `temporary`. */
int duck_open(duckdb_database *out, const char *path, size_t memory, unsigned threads, const char *temporary,
              struct error *e) MUST_USE;
int duck_connect(duckdb_database db, duckdb_connection *out, struct error *e) MUST_USE;

/* Runs a statement made as by printf. */
int duck_run(duckdb_connection con, struct error *e, const char *format, ...)
	__attribute__((format(printf, 3, 4))) MUST_USE;
/* The same, with rows, as they come: duckdb_fetch_chunk until NULL, then duck_end, which says how it went. */
int duck_query(duckdb_connection con, duckdb_result *out, struct error *e, const char *format, ...)
	__attribute__((format(printf, 4, 5))) MUST_USE;
int duck_end(duckdb_result *result, struct error *e) MUST_USE;
/* One number; 0 when it is NULL or there is no row. */
int duck_number(duckdb_connection con, int64_t *out, struct error *e, const char *format, ...)
	__attribute__((format(printf, 4, 5))) MUST_USE;

/* A text between quotes for a statement. False: it does not fit, or is no UTF-8, which DuckDB wants. */
#define DUCK_PATH 8192
bool duck_quote(const char *text, char out[static DUCK_PATH]);
