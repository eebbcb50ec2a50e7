/* The inside of a reader: DuckDB in memory with views over what a snapshot names. Private to this folder. */
#pragma once
#include "store/client.h"
#include "base/text.h"

#include <duckdb.h>
#include <limits.h>

struct store_reader {
	const struct env *env;
	duckdb_database database;
	duckdb_connection connection;
	store_tool_fn tool;      /* NULL: none */
	struct reader_known *known; /* NULL: columns of named queries are asked for each time */
	struct store_names as_names;
	bool stays_open;         /* reader_views leaves the doors to whoever sets this */
	bool has_functions; /* this DuckDB knows ours already: an aggregate can be told once */
	char folder[PATH_MAX];   /* of the store, absolute */
	char snapshot[PATH_MAX]; /* of the snapshot in use, absolute; empty: nothing has been committed yet */
};

/* `temporary`: folder for what does not fit into memory; NULL: it must fit. */
int reader_open(struct store_reader **out, const struct env *env, const char *db, const struct store_limits *limits,
                const char *temporary, struct error *e) MUST_USE;

/* Checks that `db` is a store that this program reads, and finds its current snapshot. */
int reader_locate(struct store_reader *r, const char *db, struct error *e) MUST_USE;

/* Makes the views; after it nothing but the files they name can be reached (and `also`, unless NULL). With
 * `only`, the name of a query, there is what this one needs, of the days and the sensor that its parameters say, and
 * what says whether packets are made up. */
int reader_views(struct store_reader *r, const char *only, const struct store_param *params, size_t n_params,
                 const char *also, struct error *e) MUST_USE;

/* Makes rest.seen (version, day, sensor): the days of sums of months at which one of some sources was seen, by their
 * addresses with commas between. */
int reader_seen(struct store_reader *r, const char *addresses, struct error *e) MUST_USE;

/* What of views.sql some queries (NULL after the last) come to: all their words, and its statements. */
void scope_make(const char *const *queries, struct text *words, struct text *sql);
bool scope_mentions(const struct text *words, const char *name); /* as a word of its own */
#define STORE_SIMULATED "SELECT 1 FROM segment WHERE simulated LIMIT 1"

/* Runs statements of our own. */
int reader_execute(struct store_reader *r, const char *sql, struct error *e) MUST_USE;

/* DuckDB's sentence as ours, with a code by its kind. */
int reader_error(const char *said, struct error *e) MUST_USE;

/* ---- One query ---- */
enum cell_kind { CELL_NUMBER, CELL_BOOL, CELL_TEXT, CELL_TIME, CELL_NESTED };

struct query_columns {
	size_t n;
	struct query_column {
		char *name; /* DuckDB's memory */
		enum cell_kind kind;
	} *column;
};

/* What the result is made for. */
struct query_sink {
	bool json; /* times and nested values as JSON has them */
	int (*begin)(void *ctx, const struct query_columns *columns, struct error *e); /* NULL: not wanted */
	store_row_fn row;
	int (*end)(void *ctx, struct error *e);  /* all rows were given; NULL: not wanted */
	void *ctx;
};

void reader_columns_free(const struct env *env, struct query_columns *c);

/* The one of that name; NULL: none is given. */
const struct store_param *reader_param(const struct store_param *params, size_t n, const char *name);
/* A named query's text with its values in it (reader_values.c). MON-STO-106 */
int reader_values(struct text *t, const struct store_named *named, const struct store_param *params, size_t n,
                  struct error *e) MUST_USE;

/* Columns of named queries, which no commit changes, for several threads. What is found stays; what is kept is taken. */
struct reader_known;
int reader_known_open(struct reader_known **out, const struct env *env, struct error *e) MUST_USE;
void reader_known_close(struct reader_known *k); /* NULL is fine */
const struct query_columns *reader_known_find(struct reader_known *k, const struct store_named *named);
void reader_known_keep(struct reader_known *k, const struct store_named *named, struct query_columns *columns);

/* The query behind a name, or the text itself; then its statement, which is to be destroyed. */
int reader_resolve(const char *query, const char **sql, const struct store_named **named, struct error *e) MUST_USE;
int reader_prepare(struct store_reader *r, const char *sql, duckdb_prepared_statement *out, struct error *e) MUST_USE;

int reader_query(struct store_reader *r, const char *query, const struct store_param *params, size_t n_params,
                 const struct query_sink *sink, struct error *e) MUST_USE;

/* The same into a Parquet file. */
int reader_parquet(struct store_reader *r, const char *query, const struct store_param *params, size_t n_params,
                   const char *path, struct error *e) MUST_USE;
