/* A reader that stays: one DuckDB, a connection a thread, and a catalog in memory for each commit that is shown.
 *
 * A commit's views are made in a catalog of their own ("c7") while queries go on with the one before; a session changes
 * over between two queries, and the last one to leave a catalog drops it. So what DuckDB knows of parts, which never
 * change, is kept from commit to commit. */
#include "store/format.h"
#include "store/service.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TRIES 5
#define SHOWN_MOST 8 /* commits at a time: the newest, and those that queries still read */

struct shown {
	unsigned number;  /* of its catalog; 0: free */
	unsigned users;   /* sessions that are in it */
	char snapshot[PATH_MAX], commit[STORE_COMMIT];
};

struct store_service {
	struct store_reader reader; /* its connection makes and drops catalogs */
	pthread_mutex_t lock;       /* of what follows */
	struct shown shown[SHOWN_MOST];
	unsigned newest;            /* index; SHOWN_MOST: none yet */
	unsigned number;            /* the last that a catalog was to have */
	unsigned threads;
};

struct store_session {
	struct store_reader reader;
	struct store_service *service;
	struct shown *in; /* NULL: in none */
};

/* ---- Catalogs ---- */
/* The part of a path after its last slash, which names a commit. */
static void name_commit(struct shown *c)
{
	const char *slash = strrchr(c->snapshot, '/');
	snprintf(c->commit, sizeof c->commit, "%.*s", STORE_COMMIT - 1, slash ? slash + 1 : c->snapshot);
}

static int drop(struct store_service *s, unsigned number, struct error *e)
{
	char sql[64];
	snprintf(sql, sizeof sql, "USE memory; DETACH c%u", number);
	return reader_execute(&s->reader, sql, e);
}

static int make(struct store_service *s, unsigned number, struct error *e)
{
	char sql[64];
	snprintf(sql, sizeof sql, "ATTACH ':memory:' AS c%u; USE c%u", number, number);
	int rc = reader_execute(&s->reader, sql, e);
	if (!rc)
		rc = reader_views(&s->reader, NULL, NULL, 0, NULL, e);
	if (rc)
		(void)drop(s, number, NULL);
	return rc;
}

/* A place for another commit, after those that nobody reads are gone. With the lock held. */
static struct shown *make_place(struct store_service *s)
{
	struct shown *place = NULL;
	for (unsigned i = 0; i < SHOWN_MOST; i++) {
		struct shown *c = &s->shown[i];
		if (c->number && !c->users && i != s->newest) {
			(void)drop(s, c->number, NULL);
			c->number = 0;
		}
		if (!c->number && !place)
			place = c;
	}
	return place;
}

static int refresh_once(struct store_service *s, bool *changed, struct error *e)
{
	struct store_reader *r = &s->reader;
	struct shown found = { .number = ++s->number };
	int rc = reader_locate(r, r->folder, e);
	if (rc || (s->newest < SHOWN_MOST && !strcmp(s->shown[s->newest].snapshot, r->snapshot)))
		return rc;
	memcpy(found.snapshot, r->snapshot, sizeof found.snapshot);
	name_commit(&found);
	pthread_mutex_lock(&s->lock);
	struct shown *place = make_place(s);
	pthread_mutex_unlock(&s->lock);
	if (!place) /* every one is being read: the next call finds room */
		return 0;
	rc = make(s, found.number, e);
	if (rc)
		return rc;
	pthread_mutex_lock(&s->lock);
	*place = found;
	s->newest = (unsigned)(place - s->shown);
	pthread_mutex_unlock(&s->lock);
	*changed = true;
	return 0;
}

/* What a snapshot names may be gone when two commits more have come meanwhile. */
int store_service_refresh(struct store_service *s, bool *changed, struct error *e)
{
	int rc, tries = 0;
	*changed = false;
	do
		rc = refresh_once(s, changed, e);
	while (rc == -EIO && ++tries < TRIES);
	return rc;
}

/* ---- Service ---- */
/* Parts and snapshots of any commit, nothing else. */
static int close_doors(struct store_reader *r, struct error *e)
{
	char folder[PATH_MAX + 2];
	struct text sql = { .env = r->env };
	snprintf(folder, sizeof folder, "%s/", r->folder);
	text_puts(&sql, "SET parquet_metadata_cache = true; SET allowed_directories = [");
	text_quote(&sql, folder);
	text_puts(&sql, "]; SET enable_external_access = false");
	int rc = text_ok(&sql) ? reader_execute(r, sql.p, e) : error_no_memory(e, "opening the store");
	text_fini(&sql);
	return rc;
}

int store_service_open(struct store_service **out, const struct env *env, const char *db, const struct store_limits *limits,
                       store_tool_fn tool, const struct store_names *as_names, struct error *e)
{
	const struct store_limits single = { .memory = limits->memory, .disk = limits->disk, .threads = 1 };
	struct store_reader *r = NULL;
	struct store_service *s = env_alloc(env, sizeof *s);
	if (!s)
		return error_no_memory(e, "opening the store");
	int rc = reader_open(&r, env, db, &single, NULL, e);
	if (rc) {
		env_free(env, s, sizeof *s);
		return rc;
	}
	s->reader = *r;
	env_free(env, r, sizeof *r);
	s->reader.tool = tool;
	s->reader.as_names = *as_names;
	s->threads = limits->threads ? limits->threads : 1;
	s->reader.stays_open = true;
	s->newest = SHOWN_MOST;
	pthread_mutex_init(&s->lock, NULL);
	rc = reader_known_open(&s->reader.known, env, e);
	if (!rc)
		rc = close_doors(&s->reader, e);
	bool changed;
	if (!rc)
		rc = store_service_refresh(s, &changed, e);
	if (!rc)
		*out = s;
	else
		store_service_close(s);
	return rc;
}

/* A jail holds for those threads alone that are started in it. */
int store_service_start(struct store_service *s, struct error *e)
{
	char sql[80];
	snprintf(sql, sizeof sql, "SET threads = %u; SET lock_configuration = true", s->threads);
	return reader_execute(&s->reader, sql, e);
}

void store_service_close(struct store_service *s)
{
	if (!s)
		return;
	duckdb_disconnect(&s->reader.connection);
	duckdb_close(&s->reader.database);
	reader_known_close(s->reader.known);
	pthread_mutex_destroy(&s->lock);
	env_free(s->reader.env, s, sizeof *s);
}

/* ---- Sessions ---- */
int store_session_open(struct store_service *s, struct store_session **out, struct error *e)
{
	const struct env *env = s->reader.env;
	struct store_session *t = env_alloc(env, sizeof *t);
	if (!t)
		return error_no_memory(e, "opening the store");
	t->service = s;
	t->reader = s->reader;
	t->reader.connection = NULL;
	if (duckdb_connect(s->reader.database, &t->reader.connection)) {
		env_free(env, t, sizeof *t);
		return error_set(e, -EIO, "MON-STO-104", "DuckDB does not start: no connection");
	}
	*out = t;
	return 0;
}

static void leave(struct store_session *t)
{
	if (t->in)
		t->in->users--;
	t->in = NULL;
}

void store_session_close(struct store_session *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->service->lock);
	leave(t);
	pthread_mutex_unlock(&t->service->lock);
	duckdb_disconnect(&t->reader.connection);
	env_free(t->reader.env, t, sizeof *t);
}

void store_session_interrupt(struct store_session *t) { duckdb_interrupt(t->reader.connection); }

/* Goes over to the newest commit. */
static int enter(struct store_session *t, struct error *e)
{
	struct store_service *s = t->service;
	char sql[32];
	pthread_mutex_lock(&s->lock);
	struct shown *newest = &s->shown[s->newest];
	if (t->in != newest) {
		newest->users++;
		leave(t);
		t->in = newest;
	}
	snprintf(sql, sizeof sql, "USE c%u", newest->number);
	memcpy(t->reader.snapshot, newest->snapshot, sizeof t->reader.snapshot);
	pthread_mutex_unlock(&s->lock);
	return reader_execute(&t->reader, sql, e);
}

/* ---- Asking ---- */
/* A sink before a format's that ends the rows at a limit. */
struct bounded {
	struct query_sink inner;
	uint64_t rows, limit;
	bool more;
};

static int bounded_begin(void *ctx, const struct query_columns *columns, struct error *e)
{
	struct bounded *b = ctx;
	return b->inner.begin(b->inner.ctx, columns, e);
}

static int bounded_row(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct bounded *b = ctx;
	b->more = b->rows == b->limit;
	if (b->more)
		return -EOVERFLOW; /* no error: the rest is not wanted */
	b->rows++;
	return b->inner.row(b->inner.ctx, cells, n, e);
}

static int run(struct store_session *t, const struct store_ask *ask, struct store_answer *out, struct error *e)
{
	struct format *f = format_open(t->reader.env, ask->format, 0, ask->out, e);
	if (!f)
		return -ENOMEM;
	f->marked = ask->marked;
	struct bounded b = { .inner = format_sink(f), .limit = ask->limit };
	const struct query_sink sink = { .json = b.inner.json, .begin = bounded_begin, .row = bounded_row, .ctx = &b };
	int rc = reader_query(&t->reader, ask->query, ask->params, ask->n_params, &sink, e);
	rc = rc == -EOVERFLOW && b.more ? 0 : rc;
	if (!rc)
		rc = b.inner.end(b.inner.ctx, e);
	format_close(f);
	out->rows = b.rows;
	out->more = b.more;
	return rc;
}

static bool is_outdated(const struct store_session *t)
{
	struct store_reader now = { .env = t->reader.env };
	return !reader_locate(&now, t->reader.folder, NULL) && strcmp(now.snapshot, t->reader.snapshot) != 0;
}

int store_session_ask(struct store_session *t, const struct store_ask *ask, struct store_answer *out, struct error *e)
{
	if (!store_named_looks(ask->query) || !store_named_find(ask->query))
		return error_set(e, -ENOENT, "MON-STO-105", "there is no query '%.60s'", ask->query);
	int rc = enter(t, e);
	if (rc)
		return rc;
	memcpy(out->commit, t->in->commit, sizeof out->commit);
	rc = run(t, ask, out, e);
	return rc == -EIO && is_outdated(t) ? -EAGAIN : rc;
}

int store_session_rows(struct store_session *t, const char *query, const struct store_param *params, size_t n_params,
                       store_row_fn row, void *ctx, char commit[static STORE_COMMIT], struct error *e)
{
	const struct query_sink sink = { .json = true, .row = row, .ctx = ctx };
	int rc = enter(t, e);
	if (rc)
		return rc;
	memcpy(commit, t->in->commit, STORE_COMMIT);
	return reader_query(&t->reader, query, params, n_params, &sink, e);
}

int store_session_describe(struct store_session *t, const char *query, int out, struct error *e)
{
	if (!store_named_looks(query) || !store_named_find(query))
		return error_set(e, -ENOENT, "MON-STO-105", "there is no query '%.60s'", query);
	int rc = enter(t, e);
	return rc ? rc : service_describe(&t->reader, query, out, e);
}
