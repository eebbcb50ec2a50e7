/* The store for readers: named queries and an analyst's SQL over what is sealed (docs/formats/store.md). Nothing here
 * writes into the store or opens its catalog; a writer may be at work meanwhile. */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What reading may take. */
struct store_limits {
	size_t memory;    /* bytes of working memory */
	size_t disk;      /* bytes of temporary files past it; 0: none */
	unsigned threads;
	unsigned seconds; /* until it is ended; of store_query alone */
};

struct store_param {
	const char *name, *value; /* value NULL: NULL */
};

/* ---- Named queries: src/store/queries/NAME.sql, whose first lines tell what they are ---- */
struct store_named {
	const char *name;
	const char *text; /* SQL; the head is its first comment */
};
const struct store_named *store_named_list(size_t *n); /* by name */
const struct store_named *store_named_find(const char *name);

/* The lines of a head, one a call: false at its end. *cursor starts at the text. */
struct store_head {
	enum { STORE_HEAD_TITLE, STORE_HEAD_PARAM, STORE_HEAD_COLUMN } kind;
	char name[40];      /* of a parameter or a column */
	char value[40];     /* a parameter's default */
	bool has_default;   /* it may be left out */
	bool is_null;       /* and is NULL then */
	char what[160];
};
bool store_named_head(const char **cursor, struct store_head *out);

/* Whether a text could be the name of a query: SQL never looks so. */
bool store_named_looks(const char *text);

/* ---- Tools of sources ----
 * What a source showed of one rule in one protocol over some time, its sets united: struct evidence of
 * classify/classify.h, which this folder does not know. */
#define STORE_KEYS 8
struct store_mark {
	uint8_t rule, proto, ttl_min, ttl_max;
	uint16_t sport_min, sport_max;
	uint64_t packets, tuples;
	uint8_t n_keys; /* 255: more than STORE_KEYS */
	uint32_t key[STORE_KEYS], key_packets[STORE_KEYS];
};
/* The name of the tool that so much evidence of one day is of; probes: of TCP, UDP, ICMP and other protocols. */
typedef const char *(*store_tool_fn)(const struct store_mark *marks, size_t n, const uint64_t probes[static 4]);

/* ---- One query in a process of its own, which is killed at its limits and can harm nothing ---- */
enum store_format { STORE_TABLE, STORE_JSON, STORE_JSONL, STORE_CSV, STORE_PARQUET, STORE_FORMATS };

struct store_request {
	const char *db;
	const char *query; /* a name, or one SELECT in DuckDB's dialect */
	const struct store_param *params;
	size_t n_params;
	enum store_format format;
	unsigned width;    /* columns that a table may take; 0: as many as it wants */
	int out;           /* descriptor that the result goes to, as it comes */
	struct store_limits limits;
	const volatile sig_atomic_t *stop; /* non-zero ends it; NULL: never */
	bool *simulated;   /* becomes true where the store holds packets that are made up; NULL: not wanted */
};
/* MON-STO-101 … 119. What was written before an error stays written. */
int store_query(const struct env *env, const struct store_request *request, struct error *e) MUST_USE;

/* The other process: what `main` calls when it was started as STORE_WORKER. Returns its exit code. */
#define STORE_WORKER "query-worker"
int store_worker(const struct env *env, store_tool_fn tool, int argc, char **argv);

/* ---- The same in this process, for queries of our own ---- */
struct store_reader;

/* `tool`: for queries that name tools; NULL: they fail. `only`: the named query that will be asked, which opens faster;
 * NULL: any; and what it will be asked with (`about`), if it is known. */
int store_reader_open(struct store_reader **out, const struct env *env, const char *db,
                      const struct store_limits *limits, store_tool_fn tool, const char *only,
                      const struct store_param *about, size_t n_about, struct error *e) MUST_USE;
void store_reader_close(struct store_reader *r); /* NULL is fine */

/* A value as text; `text` NULL: NULL. */
struct store_cell {
	const char *text;
	size_t n;
};
typedef int (*store_row_fn)(void *ctx, const struct store_cell *cells, size_t n, struct error *e);

/* Runs a named query or a SELECT; `row` is called for each row of the result, and ends it by a non-zero return. */
int store_reader_rows(struct store_reader *r, const char *query, const struct store_param *params, size_t n_params,
                      store_row_fn row, void *ctx, struct error *e) MUST_USE;

/* Does it hold packets that are made up? Whatever is shown of them says so. */
int store_reader_simulated(struct store_reader *r, bool *out, struct error *e) MUST_USE;

/* ---- The same for long and for several threads: named queries alone, as text, at the newest commit ---- */
struct store_service;
struct store_session; /* one thread's */

/* The organisation of an AS, NULL when unknown: a text that stays. Called by several threads. */
struct store_names {
	const char *(*name)(void *ctx, uint32_t number); /* NULL: all are unknown */
	void *ctx;
};

/* Opens at the newest commit, without a thread or the means to open files outside the store. */
int store_service_open(struct store_service **out, const struct env *env, const char *db, const struct store_limits *limits,
                       store_tool_fn tool, const struct store_names *as_names, struct error *e) MUST_USE;
/* Starts its threads: whoever locks itself in does so before. Then no setting can change. */
int store_service_start(struct store_service *s, struct error *e) MUST_USE;
void store_service_close(struct store_service *s); /* after its sessions; NULL is fine */

#define STORE_COMMIT 24 /* bytes of the name of a commit, "" before the first */
/* Shows the newest commit from here on; whether that is another one. Queries that run go on with theirs. */
int store_service_refresh(struct store_service *s, bool *changed, struct error *e) MUST_USE;

int store_session_open(struct store_service *s, struct store_session **out, struct error *e) MUST_USE;
void store_session_close(struct store_session *t);
/* Another thread ends the query that runs: MON-STO-117. */
void store_session_interrupt(struct store_session *t);

struct store_ask {
	const char *query;
	const struct store_param *params;
	size_t n_params;
	enum store_format format; /* STORE_JSON, STORE_JSONL or STORE_CSV */
	bool marked;              /* each row ends in `simulated`, true */
	uint64_t limit;           /* rows at most */
	int out;                  /* descriptor of a file */
};
struct store_answer {
	uint64_t rows;
	bool more;                 /* there are more rows than `limit` */
	char commit[STORE_COMMIT]; /* that was read */
};
/* -EAGAIN (MON-STO-111): another commit has replaced what was read: refresh, empty the file, and ask again. */
int store_session_ask(struct store_session *t, const struct store_ask *ask, struct store_answer *out,
                      struct error *e) MUST_USE;

/* A named query's rows one by one, for little. */
int store_session_rows(struct store_session *t, const char *query, const struct store_param *params, size_t n_params,
                       store_row_fn row, void *ctx, char commit[static STORE_COMMIT], struct error *e) MUST_USE;

/* The columns of a named query's rows as a JSON Schema (draft 2020-12) of one row, into a descriptor. */
int store_session_describe(struct store_session *t, const char *query, int out, struct error *e) MUST_USE;
