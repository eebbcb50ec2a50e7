/* One query: what may be asked, and its result row by row. */
#include "store/reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool begins(const char *s, const char *with) { return !strncmp(s, with, strlen(with)); }

/* Kinds of DuckDB's errors that want something else of the reader than "mend the query". */
static const struct {
	const char *kind, *code;
	int rc;
} kinds[] = {
	{ "Out of Memory Error", "MON-STO-110", -ENOMEM },
	{ "IO Error", "MON-STO-111", -EIO },
	{ "Invalid Input Error: No magic bytes", "MON-STO-111", -EIO },
	{ "Invalid Input Error: File '", "MON-STO-111", -EIO },
	{ "Not implemented Error: Reading parquet", "MON-STO-111", -EIO }, /* no regular file */
	{ "Permission Error", "MON-STO-108", -EPERM },
	{ "INTERRUPT Error", "MON-STO-117", -EINTR },
};

int reader_error(const char *said, struct error *e)
{
	const char *code = "MON-STO-109";
	int rc = -EINVAL;
	if (!said)
		return error_no_memory(e, "asking DuckDB");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (begins(said, kinds[i].kind)) {
			code = kinds[i].code;
			rc = kinds[i].rc;
			break;
		}
	}
	return error_set(e, rc, code, "%.*s", (int)strcspn(said, "\n"), said);
}

/* The query behind a name, or the text itself. */
int reader_resolve(const char *query, const char **sql, const struct store_named **named, struct error *e)
{
	*named = NULL;
	*sql = query;
	if (!store_named_looks(query))
		return 0;
	*named = store_named_find(query);
	if (!*named)
		return error_set(e, -ENOENT, "MON-STO-105", "there is no query '%.60s'; `monomi query --list` tells them all",
		                 query);
	*sql = (*named)->text;
	return 0;
}

/* Exactly one SELECT: everything else DuckDB can do is refused before it is run. */
int reader_prepare(struct store_reader *r, const char *sql, duckdb_prepared_statement *out, struct error *e)
{
	duckdb_extracted_statements statements = NULL;
	idx_t n = duckdb_extract_statements(r->connection, sql, &statements);
	int rc = 0;
	*out = NULL;
	if (!n) {
		const char *said = duckdb_extract_statements_error(statements);
		rc = said ? reader_error(said, e) : error_set(e, -EINVAL, "MON-STO-107", "the query is empty");
	} else if (n > 1) {
		rc = error_set(e, -EPERM, "MON-STO-107", "one SELECT at a time: these are %llu statements", (unsigned long long)n);
	} else if (duckdb_prepare_extracted_statement(r->connection, statements, 0, out)) {
		rc = reader_error(duckdb_prepare_error(*out), e);
	} else if (duckdb_prepared_statement_type(*out) != DUCKDB_STATEMENT_TYPE_SELECT) {
		rc = error_set(e, -EPERM, "MON-STO-107", "only SELECT is answered: a store is read, never changed");
	}
	duckdb_destroy_extracted(&statements);
	if (rc)
		duckdb_destroy_prepare(out);
	return rc;
}

static enum cell_kind kind_of(duckdb_type type)
{
	switch (type) {
	case DUCKDB_TYPE_BOOLEAN:
		return CELL_BOOL;
	case DUCKDB_TYPE_TINYINT: case DUCKDB_TYPE_SMALLINT: case DUCKDB_TYPE_INTEGER: case DUCKDB_TYPE_BIGINT:
	case DUCKDB_TYPE_UTINYINT: case DUCKDB_TYPE_USMALLINT: case DUCKDB_TYPE_UINTEGER: case DUCKDB_TYPE_UBIGINT:
	case DUCKDB_TYPE_HUGEINT: case DUCKDB_TYPE_UHUGEINT: case DUCKDB_TYPE_DECIMAL: case DUCKDB_TYPE_FLOAT:
	case DUCKDB_TYPE_DOUBLE:
		return CELL_NUMBER;
	case DUCKDB_TYPE_TIMESTAMP: case DUCKDB_TYPE_TIMESTAMP_S: case DUCKDB_TYPE_TIMESTAMP_MS: case DUCKDB_TYPE_TIMESTAMP_NS:
		return CELL_TIME;
	case DUCKDB_TYPE_LIST: case DUCKDB_TYPE_ARRAY: case DUCKDB_TYPE_STRUCT: case DUCKDB_TYPE_MAP: case DUCKDB_TYPE_UNION:
		return CELL_NESTED;
	default:
		return CELL_TEXT;
	}
}

void reader_columns_free(const struct env *env, struct query_columns *c)
{
	for (size_t i = 0; c->column && i < c->n; i++)
		duckdb_free(c->column[i].name);
	env_free(env, c->column, c->n * sizeof *c->column);
}

static int read_columns(const struct env *env, duckdb_prepared_statement statement, struct query_columns *out,
                        struct error *e)
{
	out->n = duckdb_prepared_statement_column_count(statement);
	out->column = env_alloc(env, out->n * sizeof *out->column);
	if (!out->column)
		return error_no_memory(e, "asking DuckDB");
	for (size_t i = 0; i < out->n; i++) {
		out->column[i].name = (char *)duckdb_prepared_statement_column_name(statement, i);
		out->column[i].kind = kind_of(duckdb_prepared_statement_column_type(statement, i));
		if (!out->column[i].name)
			return error_no_memory(e, "asking DuckDB");
	}
	return 0;
}

/* The query as a table expression: without what may follow it, on lines of its own so that a comment ends. */
static void add_inner(struct text *t, const char *sql)
{
	size_t n = strlen(sql);
	while (n && strchr(" \t\r\n;", sql[n - 1]))
		n--;
	text_puts(t, "(\n");
	text_add(t, sql, n);
	text_puts(t, "\n)");
}

/* Every value as text, which DuckDB makes of its many types better than we could. Columns are renamed, since two may
 * have one name. */
static void add_outer(struct text *t, const char *sql, const struct query_columns *columns, bool json)
{
	text_puts(t, "SELECT ");
	for (size_t i = 0; i < columns->n; i++) {
		const char *format = "c%zu::VARCHAR";
		if (json && columns->column[i].kind == CELL_TIME)
			format = "replace(c%zu::VARCHAR, ' ', 'T') || 'Z'";
		else if (json && columns->column[i].kind == CELL_NESTED)
			format = "to_json(c%zu)::VARCHAR";
		text_puts(t, i ? ", " : "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		text_printf(t, format, i);
#pragma GCC diagnostic pop
	}
	text_puts(t, " FROM ");
	add_inner(t, sql);
	text_puts(t, " AS q(");
	for (size_t i = 0; i < columns->n; i++)
		text_printf(t, "%sc%zu", i ? ", " : "", i);
	text_puts(t, ")");
}

static int bind_one(duckdb_prepared_statement statement, idx_t i, const struct store_param *params, size_t n,
                    struct error *e)
{
	const char *name = duckdb_parameter_name(statement, i);
	const struct store_param *given = name ? reader_param(params, n, name) : NULL;
	int rc = 0;
	if (!given)
		rc = error_set(e, -EINVAL, "MON-STO-106", "the query wants a parameter: --param %.60s=VALUE", name ? name : "NAME");
	else if (given->value ? duckdb_bind_varchar(statement, i, given->value) : duckdb_bind_null(statement, i))
		rc = reader_error(duckdb_prepare_error(statement), e);
	duckdb_free((void *)name);
	return rc;
}

static int bind_all(duckdb_prepared_statement statement, const struct store_param *params, size_t n, struct error *e)
{
	idx_t wanted = duckdb_nparams(statement), at;
	for (idx_t i = 1; i <= wanted; i++) {
		int rc = bind_one(statement, i, params, n, e);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < n; i++)
		if (duckdb_bind_parameter_index(statement, &at, params[i].name))
			return error_set(e, -EINVAL, "MON-STO-106", "the query has no parameter '%.60s'", params[i].name);
	return 0;
}

/* Cells of a chunk's row; every column is text (add_outer). */
static void read_row(duckdb_data_chunk chunk, idx_t row, struct store_cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
		uint64_t *valid = duckdb_vector_get_validity(vector);
		duckdb_string_t *strings = duckdb_vector_get_data(vector);
		if (valid && !duckdb_validity_row_is_valid(valid, row))
			cells[i] = (struct store_cell){ NULL, 0 };
		else
			cells[i] = (struct store_cell){ duckdb_string_t_data(&strings[row]), duckdb_string_t_length(strings[row]) };
	}
}

static int give_rows(duckdb_result *result, struct store_cell *cells, size_t n, const struct query_sink *sink,
                     struct error *e)
{
	int rc = 0;
	for (;;) {
		duckdb_data_chunk chunk = duckdb_fetch_chunk(*result);
		if (!chunk) {
			const char *said = duckdb_result_error(result);
			return said ? reader_error(said, e) : 0;
		}
		idx_t rows = duckdb_data_chunk_get_size(chunk);
		for (idx_t i = 0; i < rows && !rc; i++) {
			read_row(chunk, i, cells, n);
			rc = sink->row(sink->ctx, cells, n, e);
		}
		duckdb_destroy_data_chunk(&chunk);
		if (rc)
			return rc;
	}
}

/* Rows as they come. */
static int stream(duckdb_prepared_statement statement, duckdb_result *result, struct error *e)
{
	duckdb_pending_result pending = NULL;
	int rc = 0;
	if (duckdb_pending_prepared_streaming(statement, &pending))
		rc = reader_error(duckdb_pending_error(pending), e);
	else if (duckdb_execute_pending(pending, result))
		rc = reader_error(duckdb_result_error(result), e);
	duckdb_destroy_pending(&pending);
	return rc;
}

/* A statement of ours that has its values, planned once where a prepared one is planned again to be run; all rows are
 * held. */
static int run_whole(struct store_reader *r, const char *sql, duckdb_result *result, struct error *e)
{
	return duckdb_query(r->connection, sql, result) ? reader_error(duckdb_result_error(result), e) : 0;
}

static int run_prepared(struct store_reader *r, const char *sql, const struct store_param *params, size_t n_params,
                        duckdb_result *result, duckdb_prepared_statement *statement, struct error *e)
{
	int rc = reader_prepare(r, sql, statement, e);
	if (!rc)
		rc = bind_all(*statement, params, n_params, e);
	return rc ? rc : stream(*statement, result, e);
}

static int run_outer(struct store_reader *r, const char *sql, const struct store_param *params, size_t n_params, bool whole,
                     const struct query_columns *columns, const struct query_sink *sink, struct error *e)
{
	duckdb_prepared_statement statement = NULL;
	duckdb_result result = { 0 };
	struct store_cell *cells = env_alloc(r->env, columns->n * sizeof *cells);
	if (!cells)
		return error_no_memory(e, "asking DuckDB");
	int rc = whole ? run_whole(r, sql, &result, e) : run_prepared(r, sql, params, n_params, &result, &statement, e);
	if (!rc && sink->begin)
		rc = sink->begin(sink->ctx, columns, e);
	if (!rc)
		rc = give_rows(&result, cells, columns->n, sink, e);
	if (!rc && sink->end)
		rc = sink->end(sink->ctx, e);
	duckdb_destroy_result(&result);
	duckdb_destroy_prepare(&statement);
	env_free(r->env, cells, columns->n * sizeof *cells);
	return rc;
}

static int ask_columns(struct store_reader *r, const char *sql, struct query_columns *out, struct error *e)
{
	duckdb_prepared_statement inner = NULL;
	int rc = reader_prepare(r, sql, &inner, e);
	if (!rc)
		rc = read_columns(r->env, inner, out, e);
	duckdb_destroy_prepare(&inner);
	return rc;
}

int reader_query(struct store_reader *r, const char *query, const struct store_param *params, size_t n_params,
                 const struct query_sink *sink, struct error *e)
{
	struct query_columns own = { 0 };
	const struct query_columns *columns = NULL;
	struct text valued = { .env = r->env }, outer = { .env = r->env };
	const struct store_named *named;
	const char *sql;
	int rc = reader_resolve(query, &sql, &named, e);
	if (!rc && named && !(rc = reader_values(&valued, named, params, n_params, e))) {
		sql = valued.p;
		n_params = 0;
		columns = r->known ? reader_known_find(r->known, named) : NULL;
	}
	if (!rc && !columns) {
		rc = ask_columns(r, sql, &own, e);
		if (!rc && named && r->known)
			reader_known_keep(r->known, named, &own);
		columns = own.n ? &own : !rc ? reader_known_find(r->known, named) : NULL;
	}
	if (!rc) {
		add_outer(&outer, sql, columns, sink->json);
		rc = text_ok(&outer) ? run_outer(r, outer.p, params, n_params, named && r->known, columns, sink, e) :
		     error_no_memory(e, "reading the query");
	}
	text_fini(&valued);
	text_fini(&outer);
	reader_columns_free(r->env, &own);
	return rc;
}

int store_reader_rows(struct store_reader *r, const char *query, const struct store_param *params, size_t n_params,
                      store_row_fn row, void *ctx, struct error *e)
{
	const struct query_sink sink = { .row = row, .ctx = ctx };
	return reader_query(r, query, params, n_params, &sink, e);
}

static int take_simulated(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	(void)cells;
	(void)n;
	(void)e;
	*(bool *)ctx = true;
	return 0;
}

int store_reader_simulated(struct store_reader *r, bool *out, struct error *e)
{
	*out = false;
	return store_reader_rows(r, STORE_SIMULATED, NULL, 0, take_simulated, out, e);
}

/* COPY is ours: what the query says was held to be one SELECT before. */
static int copy_out(struct store_reader *r, const char *sql, const struct store_param *params, size_t n_params,
                    const char *path, struct error *e)
{
	duckdb_prepared_statement statement = NULL;
	duckdb_result result = { 0 };
	struct text copy = { .env = r->env };
	text_puts(&copy, "COPY ");
	add_inner(&copy, sql);
	text_puts(&copy, " TO ");
	text_quote(&copy, path);
	text_puts(&copy, " (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)");
	int rc = 0;
	if (!text_ok(&copy))
		rc = error_no_memory(e, "reading the query");
	else if (duckdb_prepare(r->connection, copy.p, &statement))
		rc = reader_error(duckdb_prepare_error(statement), e);
	if (!rc)
		rc = bind_all(statement, params, n_params, e);
	if (!rc && duckdb_execute_prepared(statement, &result))
		rc = reader_error(duckdb_result_error(&result), e);
	duckdb_destroy_result(&result);
	duckdb_destroy_prepare(&statement);
	text_fini(&copy);
	return rc;
}

int reader_parquet(struct store_reader *r, const char *query, const struct store_param *params, size_t n_params,
                   const char *path, struct error *e)
{
	duckdb_prepared_statement inner = NULL;
	struct text valued = { .env = r->env };
	const struct store_named *named;
	const char *sql;
	int rc = reader_resolve(query, &sql, &named, e);
	if (!rc && named && !(rc = reader_values(&valued, named, params, n_params, e))) {
		sql = valued.p;
		n_params = 0;
	}
	if (!rc)
		rc = reader_prepare(r, sql, &inner, e);
	if (!rc)
		rc = copy_out(r, sql, params, n_params, path, e);
	duckdb_destroy_prepare(&inner);
	text_fini(&valued);
	return rc;
}
