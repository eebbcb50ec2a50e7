#include "store/duck.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STATEMENT 32768

/* DuckDB explains at length; the first line says what. */
static int complain(struct error *e, const char *text)
{
	int n = (int)strcspn(text ? text : "", "\n");
	return error_set(e, -EIO, "MON-STO-005", "DuckDB: %.*s", n, text ? text : "");
}

static int set_options(duckdb_config config, size_t memory, unsigned threads, const char *temporary)
{
	char limit[32], count[16];
	snprintf(limit, sizeof limit, "%zuMB", memory >> 20);
	snprintf(count, sizeof count, "%u", threads);
	const char *const option[][2] = {
		{ "memory_limit", limit }, { "threads", count }, { "temp_directory", temporary },
		{ "autoinstall_known_extensions", "false" }, { "autoload_known_extensions", "false" },
		{ "allow_community_extensions", "false" }, { "allow_persistent_secrets", "false" },
		{ "default_block_size", "16384" }, /* the least: a table of few rows takes several blocks */
	};
	for (size_t i = 0; i < sizeof option / sizeof *option; i++)
		if (duckdb_set_config(config, option[i][0], option[i][1]) == DuckDBError)
			return -EINVAL;
	return 0;
}

int duck_open(duckdb_database *out, const char *path, size_t memory, unsigned threads, const char *temporary,
              struct error *e)
{
	duckdb_config config;
	char *text = NULL;
	if (duckdb_create_config(&config) == DuckDBError)
		return error_no_memory(e, "starting DuckDB");
	int rc = set_options(config, memory, threads, temporary);
	if (rc)
		rc = error_set(e, rc, "MON-STO-005", "DuckDB: this version refuses a setting");
	else if (duckdb_open_ext(path, out, config, &text) == DuckDBError)
		rc = complain(e, text);
	duckdb_free(text);
	duckdb_destroy_config(&config);
	return rc;
}

int duck_connect(duckdb_database db, duckdb_connection *out, struct error *e)
{
	return duckdb_connect(db, out) == DuckDBError ? error_no_memory(e, "connecting to DuckDB") : 0;
}

static int run(duckdb_connection con, duckdb_result *out, struct error *e, const char *format, va_list ap)
{
	char sql[STATEMENT];
	duckdb_prepared_statement statement;
	duckdb_pending_result pending = NULL;
	if (vsnprintf(sql, sizeof sql, format, ap) >= (int)sizeof sql)
		return error_set(e, -E2BIG, "MON-STO-005", "DuckDB: a statement is too long");
	*out = (duckdb_result){ 0 };
	int rc = 0;
	if (duckdb_prepare(con, sql, &statement) == DuckDBError)
		rc = complain(e, duckdb_prepare_error(statement));
	else if (duckdb_pending_prepared_streaming(statement, &pending) == DuckDBError)
		rc = complain(e, pending ? duckdb_pending_error(pending) : "out of memory");
	else if (duckdb_execute_pending(pending, out) == DuckDBError) {
		rc = complain(e, duckdb_result_error(out));
		duckdb_destroy_result(out);
	}
	duckdb_destroy_pending(&pending);
	duckdb_destroy_prepare(&statement);
	return rc;
}

int duck_query(duckdb_connection con, duckdb_result *out, struct error *e, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int rc = run(con, out, e, format, ap);
	va_end(ap);
	return rc;
}

int duck_end(duckdb_result *result, struct error *e)
{
	const char *text = duckdb_result_error(result);
	int rc = text && *text ? complain(e, text) : 0;
	duckdb_destroy_result(result);
	return rc;
}

/* Reads on to the end: only then a statement that streams has done all it does. */
static int drain(duckdb_result *result, struct error *e)
{
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(*result));)
		duckdb_destroy_data_chunk(&chunk);
	return duck_end(result, e);
}

int duck_run(duckdb_connection con, struct error *e, const char *format, ...)
{
	va_list ap;
	duckdb_result result;
	va_start(ap, format);
	int rc = run(con, &result, e, format, ap);
	va_end(ap);
	return rc ? rc : drain(&result, e);
}

int duck_number(duckdb_connection con, int64_t *out, struct error *e, const char *format, ...)
{
	va_list ap;
	duckdb_result result;
	va_start(ap, format);
	int rc = run(con, &result, e, format, ap);
	va_end(ap);
	*out = 0;
	if (rc)
		return rc;
	duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
	if (!chunk) /* a result that has ended must not be read on */
		return duck_end(&result, e);
	if (duckdb_data_chunk_get_size(chunk)) {
		duckdb_vector v = duckdb_data_chunk_get_vector(chunk, 0);
		uint64_t *valid = duckdb_vector_get_validity(v);
		if (!valid || duckdb_validity_row_is_valid(valid, 0))
			memcpy(out, duckdb_vector_get_data(v), sizeof *out);
	}
	duckdb_destroy_data_chunk(&chunk);
	return drain(&result, e);
}

static bool is_utf8(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	while (*p) {
		int more = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : (*p & 0xf0) == 0xe0 ? 2 : *p >= 0xf0 && *p < 0xf5 ? 3 : -1;
		if (more < 0)
			return false;
		for (p++; more; more--, p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

bool duck_quote(const char *text, char out[static DUCK_PATH])
{
	size_t n = 0;
	out[n++] = '\'';
	for (; *text && n + 4 < DUCK_PATH; text++) {
		if (*text == '\'')
			out[n++] = '\'';
		out[n++] = *text;
	}
	out[n++] = '\'';
	out[n] = 0;
	return !*text && is_utf8(out);
}
