/* From the files that a snapshot names to the views that queries see (views.sql). */
#include "store/catalog.h"
#include "store/embedded.h"
#include "store/functions.h"
#include "store/lists.h"
#include "store/reader.h"
#include "store/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* One line of views.sql that begins with "-- part" or "-- snapshot": a table at rest and its columns. */
struct table_line {
	char name[40];
	bool part;
	const char *columns;
	size_t n;
};

static bool read_line(const char *line, struct table_line *out)
{
	static const char part[] = "-- part ", snapshot[] = "-- snapshot ";
	out->part = !strncmp(line, part, sizeof part - 1);
	if (!out->part && strncmp(line, snapshot, sizeof snapshot - 1))
		return false;
	const char *name = line + (out->part ? sizeof part : sizeof snapshot) - 1;
	size_t n = strcspn(name, ":");
	snprintf(out->name, sizeof out->name, "%.*s", (int)n, name);
	out->columns = name + n + 2;
	out->n = strcspn(out->columns, "\n");
	return true;
}

#define TABLES_MOST 96

/* The files of one table, as a list in SQL. Older ones, of a catalog of schema 1 and of victims before 5, may lack
 * columns. */
struct table_files {
	char name[40];
	bool older;
	struct text list;
};

struct making {
	struct store_reader *r;
	const struct store_param *params;
	size_t n_params;
	bool whole;        /* everything is made */
	struct text words; /* else what is named */
	struct text sql;   /* of the views */
	struct text allowed; /* of everything: all files that may be read, in SQL */
	struct table_files table[TABLES_MOST];
	unsigned n_tables;
};

static void add_file(struct text *list, bool first, const char *folder, const char *path, size_t n)
{
	char whole[2 * PATH_MAX];
	snprintf(whole, sizeof whole, "%s/%.*s", folder, (int)n, path);
	text_puts(list, first ? "" : ", ");
	text_quote(list, whole);
}

static struct text *files_of(struct making *m, const char *name, size_t n, bool older)
{
	for (unsigned i = 0; i < m->n_tables; i++)
		if (strlen(m->table[i].name) == n && !memcmp(m->table[i].name, name, n) && m->table[i].older == older)
			return &m->table[i].list;
	if (m->n_tables == TABLES_MOST || n >= sizeof m->table[0].name)
		return NULL;
	struct table_files *t = &m->table[m->n_tables++];
	snprintf(t->name, sizeof t->name, "%.*s", (int)n, name);
	t->older = older;
	t->list.env = m->r->env;
	return &t->list;
}

static const char *value_of(const struct making *m, const char *name)
{
	for (size_t i = 0; !m->whole && i < m->n_params; i++)
		if (!strcmp(m->params[i].name, name))
			return m->params[i].value;
	return NULL;
}

static bool is_needed(const struct making *m, const char *name) { return m->whole || scope_mentions(&m->words, name); }

static int take_part(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct making *m = ctx;
	char name[40];
	(void)n;
	snprintf(name, sizeof name, "%.*s", (int)cells[0].n, cells[0].text);
	if (!is_needed(m, name))
		return 0;
	struct text *files = files_of(m, cells[0].text, cells[0].n, !cells[2].text);
	if (!files)
		return error_set(e, -EPROTO, "MON-STO-111", "the snapshot names a table '%.*s' that cannot be", (int)cells[0].n,
		                 cells[0].text);
	add_file(files, !files->n, m->r->folder, cells[1].text, cells[1].n);
	return 0;
}

/* Parts of a table in the order of their days, so that results of equal rank come in a fixed order; those of the days and
 * the sensor that the query is about (but of ports by day, when it is about a span: they tell when one was first asked
 * for), and of months those that it takes whole. What lies beside sums of a month: an edge. */
#define KEPT "(table_name = 'port_day' AND $ever::VARCHAR IS NOT NULL) OR last >= " \
	"coalesce($from::DATE, '-infinity') AND day <= coalesce($to::DATE, 'infinity') " \
	"AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)"
#define WHOLE_MONTH "(table_name <> 'port_month' OR (day >= coalesce($from::DATE, '-infinity') AND " \
	"last <= coalesce($to::DATE, 'infinity')))"
#define NO_KIND "starts_with(table_name, 'victim_second') AND id < coalesce((SELECT value FROM rest.meta WHERE " \
	"key = 'kinds'), 9223372036854775807)"
#define NAMED "WITH named AS (SELECT *, CASE WHEN contains(table_name, '_month') THEN DATE '1970-01-01' + " \
	"floor(to_minute / 1440)::INTEGER ELSE day END AS last, CASE WHEN digest IS NOT NULL AND NOT (" NO_KIND ") THEN " \
	"'today' END AS age FROM (FROM rest.parts UNION ALL BY NAME SELECT NULL::UUID AS digest WHERE false)), " \
	"kept AS MATERIALIZED (SELECT table_name, day, last, sensor, path, age FROM named AS k WHERE (" KEPT ") AND " \
	WHOLE_MONTH
#define LISTED "), edges(name, besides, of) AS (VALUES ('class_edge', 'class_month', 'class_hour'), ('port_edge', " \
	"'port_month', 'port_day'), ('flow_edge4', 'source_month4', 'flow4'), ('flow_edge6', 'source_month6', 'flow6'), " \
	"('source_edge4', 'origin_month4', 'source_month4')) " \
	"SELECT table_name, path, age FROM (FROM kept UNION ALL SELECT name, day, last, sensor, path, age FROM kept " \
	"AS k JOIN edges ON table_name = of WHERE NOT EXISTS (FROM kept AS m WHERE m.table_name = besides AND " \
	"m.sensor = k.sensor AND k.day BETWEEN m.day AND m.last)) ORDER BY table_name, day, sensor, path"
/* Of a few sources: of days that sums of a month have, those at which one of them was seen. */
#define SEEN " AND (NOT regexp_matches(table_name, '^(flow|source_evidence)[46]$') OR EXISTS (FROM rest.seen AS s WHERE " \
	"s.version = right(k.table_name, 1) AND s.day = k.day AND s.sensor = k.sensor) OR NOT EXISTS (FROM named AS m " \
	"WHERE m.table_name = 'source_month' || right(k.table_name, 1) AND m.sensor = k.sensor AND k.day BETWEEN m.day AND " \
	"m.last))"
static const char parts_sql[] = NAMED LISTED, parts_seen_sql[] = NAMED SEEN LISTED;

/* The value of the first of some parameters that has one. */
static const char *first_of(const struct making *m, const char *const *names)
{
	const char *value = NULL;
	while (!value && *names)
		value = value_of(m, *names++);
	return value;
}

static int list_parts(struct making *m, struct error *e)
{
	const char *until = value_of(m, "until");
	const struct store_param params[] = { { "from", first_of(m, (const char *const[]){ "from", "before", "since", NULL }) },
		                              { "to", until ? until : value_of(m, "to") },
		                              { "sensor", value_of(m, "sensor") }, { "ever", until } };
	const char *sources = first_of(m, (const char *const[]){ "source", "addresses", "address", NULL });
	int rc = sources ? reader_seen(m->r, sources, e) : 0;
	return rc ? rc : store_reader_rows(m->r, sources ? parts_seen_sql : parts_sql, params, sizeof params / sizeof *params,
	                                   take_part, m, e);
}

/* An empty table with its columns: of one without files yet, and what older files lack. */
static void make_empty(struct text *sql, const struct table_line *t, const char *prefix)
{
	text_printf(sql, "CREATE TABLE rest.%s%s (", prefix, t->name);
	text_add(sql, t->columns, t->n);
	text_puts(sql, t->part ? ", day DATE, sensor VARCHAR)" : ")");
}

static void add_scan(struct text *sql, const struct table_line *t, const struct text *files)
{
	text_puts(sql, "SELECT * FROM read_parquet([");
	text_add(sql, files->p, files->n);
	text_puts(sql, t->part ? "], hive_partitioning = true, hive_types = {'day': DATE, 'sensor': VARCHAR}" : "]");
}

/* Only older files are looked into beforehand, since that opens them all. */
static void make_of_files(struct text *sql, const struct table_line *t, const struct text *files,
                          const struct text *older)
{
	if (older->n) {
		make_empty(sql, t, "empty_");
		text_puts(sql, "; ");
	}
	text_printf(sql, "CREATE VIEW rest.%s AS ", t->name);
	if (older->n) {
		text_printf(sql, "SELECT * FROM rest.empty_%s UNION ALL BY NAME ", t->name);
		add_scan(sql, t, older);
		text_puts(sql, files->n ? ", union_by_name = true) UNION ALL BY NAME " : ", union_by_name = true)");
	}
	if (files->n) {
		add_scan(sql, t, files);
		text_puts(sql, ")");
	}
}

struct snapshot_listing {
	struct making *m;
	const char *table;
	struct text *files;
};

static int add_of_snapshot(void *ctx, const char *name)
{
	struct snapshot_listing *l = ctx;
	if (snapshot_holds(name, l->table))
		add_file(l->files, !l->files->n, l->m->r->snapshot, name, strlen(name));
	return 0;
}

/* Edges repeat what other tables have, but for the one of classes. */
static void allow(struct making *m, const char *name, const struct text *files)
{
	if (!m->whole || !files->n || (strstr(name, "_edge") && strcmp(name, "class_edge")))
		return;
	text_puts(&m->allowed, m->allowed.n ? ", " : "");
	text_add(&m->allowed, files->p, files->n);
}

static int make_table(struct making *m, const struct table_line *t, struct error *e)
{
	struct text sql = { .env = m->r->env };
	struct text *files = files_of(m, t->name, strlen(t->name), false);
	const struct text *older = files_of(m, t->name, strlen(t->name), true);
	if (!files || !older)
		return error_set(e, -E2BIG, "MON-STO-104", "more tables than DuckDB is told of");
	if (m->r->snapshot[0] && !t->part) {
		struct snapshot_listing l = { m, t->name, files };
		int rc = m->r->env->list(m->r->env, m->r->snapshot, add_of_snapshot, &l);
		if (rc)
			return error_set(e, -EIO, "MON-STO-103", "the snapshot of the store cannot be read: %s", strerror(-rc));
	}
	if (files->n || older->n)
		make_of_files(&sql, t, files, older);
	else
		make_empty(&sql, t, "");
	allow(m, t->name, files);
	allow(m, t->name, older);
	int rc = text_ok(&sql) && !files->failed && !older->failed ? reader_execute(m->r, sql.p, e) :
	         error_no_memory(e, "listing the parts");
	text_fini(&sql);
	return rc;
}

/* A writer removes parts.parquet first: while it is there, all files of the snapshot have been found. */
static int is_whole(const struct making *m, struct error *e)
{
	char path[PATH_MAX + 32];
	const struct env *env = m->r->env;
	if (!m->r->snapshot[0])
		return 0;
	snprintf(path, sizeof path, "%s/parts.parquet", m->r->snapshot);
	int fd = env->open(env, path, O_RDONLY, 0);
	if (fd < 0)
		return error_set(e, -EIO, "MON-STO-103", "the snapshot of the store cannot be read: %s", strerror(-fd));
	env->close(env, fd);
	return 0;
}

/* Only what is needed; the files of parts are listed before the first of them. `parts` and `meta` are the first lines. */
static int make_tables(struct making *m, struct error *e)
{
	struct table_line t;
	bool listed = false;
	int rc = reader_execute(m->r, "CREATE SCHEMA rest", e);
	for (const char *line = embedded_views; !rc && *line; line += strcspn(line, "\n") + 1) {
		if (!read_line(line, &t) || !(is_needed(m, t.name) || !strcmp(t.name, "meta") || !strcmp(t.name, "parts")))
			continue;
		if (t.part && !listed)
			rc = list_parts(m, e);
		listed = listed || t.part;
		if (!rc)
			rc = make_table(m, &t, e);
	}
	return rc ? rc : is_whole(m, e);
}

/* From here on no setting can change, and a stranger's query opens what the snapshot names alone; one of ours, whose files
 * need no list, parts and the snapshot. */
static int close_doors(struct making *m, const char *also, struct error *e)
{
	struct text sql = { .env = m->r->env };
	if (also) {
		text_puts(&m->allowed, m->allowed.n ? ", " : "");
		text_quote(&m->allowed, also);
	}
	text_puts(&sql, "SET parquet_metadata_cache = true; SET allowed_paths = ["); /* parts never change */
	if (m->allowed.n)
		text_add(&sql, m->allowed.p, m->allowed.n);
	text_puts(&sql, "]; ");
	if (!m->whole) {
		text_puts(&sql, "SET allowed_directories = [");
		add_file(&sql, true, m->r->folder, "parquet/", 8);
		if (m->r->snapshot[0])
			add_file(&sql, false, m->r->snapshot, "", 0);
		text_puts(&sql, "]; ");
	}
	text_puts(&sql, "SET enable_external_access = false; SET lock_configuration = true");
	int rc = text_ok(&sql) && !m->allowed.failed ? reader_execute(m->r, sql.p, e) : error_no_memory(e, "listing the parts");
	text_fini(&sql);
	return rc;
}

static int make_all(struct making *m, const char *also, struct error *e)
{
	struct store_reader *r = m->r;
	int rc = r->has_functions ? 0 : functions_register(r, e);
	if (!rc && !r->has_functions)
		rc = verdict_register(r, e);
	if (!rc && !r->has_functions)
		rc = lists_register(r->connection, r->env, e);
	r->has_functions |= !rc;
	if (!rc)
		rc = make_tables(m, e);
	if (!rc)
		rc = reader_execute(r, m->whole ? embedded_views : m->sql.p, e);
	return rc || r->stays_open ? rc : close_doors(m, also, e);
}

/* A query that lists what there is wants to see all of it. */
static int choose(struct making *m, const char *only, struct error *e)
{
	const struct store_named *named = only && store_named_looks(only) ? store_named_find(only) : NULL;
	m->whole = !named || strstr(named->text, "duckdb_");
	if (m->whole)
		return 0;
	scope_make((const char *const[]){ named->text, STORE_SIMULATED, NULL }, &m->words, &m->sql);
	return text_ok(&m->words) && text_ok(&m->sql) ? 0 : error_no_memory(e, "listing the views");
}

int reader_views(struct store_reader *r, const char *only, const struct store_param *params, size_t n_params,
                 const char *also, struct error *e)
{
	struct making *m = env_alloc(r->env, sizeof *m);
	if (!m)
		return error_no_memory(e, "listing the parts");
	m->r = r;
	m->params = params;
	m->n_params = n_params;
	m->words.env = m->sql.env = m->allowed.env = r->env;
	int rc = choose(m, only, e);
	if (!rc)
		rc = make_all(m, also, e);
	for (unsigned i = 0; i < m->n_tables; i++)
		text_fini(&m->table[i].list);
	text_fini(&m->words);
	text_fini(&m->sql);
	text_fini(&m->allowed);
	env_free(r->env, m, sizeof *m);
	return rc;
}
