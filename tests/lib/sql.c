/* usage: monomi-sql FILE: runs SQL from standard input in a DuckDB file ("" : in memory), and prints the last result, a
 * row a line with tabs between. What tests read Parquet with, and plant faults in a catalog with. */
#include <duckdb.h>
#include <stdio.h>
#include <string.h>

static int fail(const char *text)
{
	fprintf(stderr, "monomi-sql: %s\n", text ? text : "no reason given");
	return 1;
}

static void print(duckdb_result *r)
{
	for (idx_t row = 0; row < duckdb_row_count(r); row++)
		for (idx_t column = 0; column < duckdb_column_count(r); column++) {
			char *text = duckdb_value_varchar(r, column, row);
			printf("%s%c", text ? text : "NULL", column + 1 < duckdb_column_count(r) ? '\t' : '\n');
			duckdb_free(text);
		}
}

int main(int argc, char **argv)
{
	static char sql[1 << 20];
	sql[fread(sql, 1, sizeof sql - 1, stdin)] = 0;
	duckdb_database db;
	duckdb_connection con;
	char *text = NULL;
	if (duckdb_open_ext(argc > 1 && *argv[1] ? argv[1] : NULL, &db, NULL, &text) == DuckDBError)
		return fail(text);
	duckdb_result r;
	if (duckdb_connect(db, &con) == DuckDBError)
		return fail("no connection");
	duckdb_state state = duckdb_query(con, sql, &r);
	if (state == DuckDBError)
		fail(duckdb_result_error(&r));
	else
		print(&r);
	duckdb_destroy_result(&r);
	duckdb_disconnect(&con);
	duckdb_close(&db);
	return state == DuckDBError;
}
