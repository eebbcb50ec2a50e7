/* A catalog made anew: empty, or what a snapshot says. In a file of its own until it is whole. */
#include "store/catalog.h"
#include "store/duck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tables[] = {
	"CREATE TABLE meta(key VARCHAR PRIMARY KEY, value BIGINT)",
	"CREATE TABLE segments(id UINTEGER, segment VARCHAR, sensor VARCHAR, path VARCHAR, packets UBIGINT, bytes UBIGINT,"
	" uncompressed UBIGINT, from_ns BIGINT, to_ns BIGINT, options VARCHAR, schema UINTEGER, state VARCHAR, reason "
	"VARCHAR,"
	" \"commit\" UBIGINT, simulated UTINYINT)",
	"CREATE TABLE segment_minutes(id UINTEGER, minute INTEGER)",
	"CREATE TABLE windows(sensor VARCHAR, minute INTEGER, revision UINTEGER, flows UBIGINT, packets UBIGINT,"
	" attempts UBIGINT, victim_seconds UBIGINT, flow_payloads UBIGINT, flow_digest UUID, victim_digest UUID,"
	" payload_digest UUID)",
	("CREATE TABLE parts(id UBIGINT, table_name VARCHAR, day DATE, sensor VARCHAR, path VARCHAR, rows UBIGINT,"
	 " bytes UBIGINT, from_minute INTEGER, to_minute INTEGER, digest UUID)"), /* clang takes it for a forgotten comma */
	"CREATE TABLE coverage(sensor VARCHAR, from_ns BIGINT, to_ns BIGINT, addresses UBIGINT, mode VARCHAR, dropped "
	"UBIGINT, \"commit\" UBIGINT)",
	"CREATE TABLE sensors(sensor VARCHAR, hash UBIGINT, addresses UBIGINT, monitored VARCHAR)",
};

const struct kept *catalog_kept(enum kept_table table)
{
	static const struct kept kept[KEPT_TABLES] = {
		[KEPT_META] = { "meta", NULL }, [KEPT_SEGMENTS] = { "segments", "id" },
		[KEPT_MINUTES] = { "segment_minutes", "id" }, [KEPT_WINDOWS] = { "windows", "revision" },
		[KEPT_PARTS] = { "parts", "id" }, [KEPT_COVERAGE] = { "coverage", "\"commit\"" },
		[KEPT_SENSORS] = { "sensors", NULL },
	};
	return &kept[table];
}

bool snapshot_holds(const char *file, const char *table)
{
	size_t n = strlen(table), end = strlen(file);
	static const char suffix[] = ".parquet";
	return end >= n + sizeof suffix - 1 && !strncmp(file, table, n) && (file[n] == '.' || file[n] == '-') &&
	       !strcmp(file + end - (sizeof suffix - 1), suffix);
}

int64_t catalog_snapshot_number(const struct folder *f)
{
	char path[STORE_PATH], to[32] = { 0 }, *end;
	if (!folder_path(f, path, "snapshot/current") || f->env->readlink(f->env, path, to, sizeof to - 1) <= 0)
		return -1;
	long long n = strtoll(to, &end, 10);
	return n >= 0 && end != to && !*end ? n : -1;
}

/* ---- Tables ---- */
struct loading {
	duckdb_connection con;
	const char *folder, *table, *into;
	unsigned n;
	struct error *e;
};

static int load_file(void *ctx, const char *name)
{
	struct loading *l = ctx;
	char path[STORE_PATH], quoted[DUCK_PATH];
	if (!snapshot_holds(name, l->table))
		return 0;
	if (snprintf(path, sizeof path, "%s/%s", l->folder, name) >= (int)sizeof path || !duck_quote(path, quoted))
		return error_set(l->e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	l->n++;
	return duck_run(l->con, l->e, "INSERT INTO %s BY NAME SELECT * FROM read_parquet(%s)", l->into, quoted);
}

int catalog_load(duckdb_connection con, const struct folder *f, int64_t snapshot, const char *table, const char *into,
                 struct error *e)
{
	char folder[STORE_PATH];
	struct loading l = { con, folder, table, into, 0, e };
	if (!folder_path(f, folder, "snapshot/%lld", (long long)snapshot))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	error_clear(e);
	int rc = f->env->list(f->env, folder, load_file, &l);
	rc = rc || l.n ? rc : -ENOENT;
	return rc && !e->code[0] ? error_set(e, rc, "MON-STO-004", "%s of %s cannot be read: %s", table, folder,
	                                     strerror(-rc)) : rc;
}

static int fill(duckdb_connection con, const struct folder *f, int64_t snapshot, struct error *e)
{
	int rc = 0;
	for (int t = 0; !rc && t < KEPT_TABLES; t++)
		rc = catalog_load(con, f, snapshot, catalog_kept((enum kept_table)t)->table,
		                  catalog_kept((enum kept_table)t)->table, e);
	return rc;
}

int catalog_fill(duckdb_connection con, const struct folder *f, int64_t snapshot, struct error *e)
{
	int rc = duck_run(con, e, "BEGIN");
	for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
		rc = duck_run(con, e, "%s", tables[i]);
	if (!rc && snapshot >= 0)
		rc = fill(con, f, snapshot, e);
	else if (!rc)
		rc = duck_run(con, e, "INSERT INTO meta VALUES ('schema', %d), ('commit', 0), ('segment', 1), ('part', 1), "
		              "('kinds', 1)", CATALOG_SCHEMA);
	return rc ? rc : duck_run(con, e, "COMMIT");
}

/* ---- Older ones ---- */
/* What brings schema N to N + 1. Each may find its change made: tables that are made anew from an older snapshot are
 * those of today. */
static const char *const migrations[CATALOG_SCHEMA] = {
	[1] = "ALTER TABLE segments ADD COLUMN IF NOT EXISTS simulated UTINYINT; "
	      "ALTER TABLE parts ADD COLUMN IF NOT EXISTS digest UUID",
	[2] = "ALTER TABLE coverage ADD COLUMN IF NOT EXISTS \"commit\" UBIGINT; UPDATE coverage SET \"commit\" = 0",
	[3] = "", /* sums of months in parts of their own: a writer that knows none would leave them when days change */
	[4] = "INSERT OR IGNORE INTO meta SELECT 'kinds', value FROM meta WHERE key = 'part'; " /* what a reader looks into */
	      "DELETE FROM parts WHERE contains(table_name, '_month')", /* there are more of them: all are made again */
	[5] = "", /* onsets: a writer that knows none would take them for rows, and leave them */
};

static int run_each(duckdb_connection con, const char *statements, struct error *e)
{
	int rc = 0;
	for (size_t n; !rc && *statements; statements += n + strspn(statements + n, "; ")) {
		n = strcspn(statements, ";");
		rc = duck_run(con, e, "%.*s", (int)n, statements);
	}
	return rc;
}

/* It is a commit, so that readers get a snapshot of the new form. */
int catalog_migrate(duckdb_connection con, struct error *e)
{
	int64_t schema;
	int rc = duck_number(con, &schema, e, "SELECT value FROM meta WHERE key = 'schema'");
	if (rc || schema == CATALOG_SCHEMA)
		return rc;
	if (schema > CATALOG_SCHEMA || schema < 1)
		return error_set(e, -EINVAL, "MON-STO-002", "the catalog has schema %lld, this program knows %d", (long long)schema,
		                 CATALOG_SCHEMA);
	rc = duck_run(con, e, "BEGIN");
	for (; !rc && schema < CATALOG_SCHEMA; schema++)
		rc = run_each(con, migrations[schema], e);
	if (!rc)
		rc = duck_run(con, e, "UPDATE meta SET value = CASE key WHEN 'schema' THEN %d ELSE value + 1 END WHERE key IN "
		              "('schema', 'commit')", CATALOG_SCHEMA);
	return rc ? rc : duck_run(con, e, "COMMIT");
}

/* ---- The file ---- */
#define NEW "hot.new"

static int make_file(const struct folder *f, int64_t snapshot, size_t memory, struct error *e)
{
	char path[STORE_PATH];
	duckdb_database db = NULL;
	duckdb_connection con = NULL;
	if (!folder_path(f, path, NEW))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = duck_open(&db, path, memory, 1, "", e);
	if (!rc)
		rc = duck_connect(db, &con, e);
	if (!rc)
		rc = catalog_fill(con, f, snapshot, e);
	if (!rc)
		rc = duck_run(con, e, "CHECKPOINT"); /* then there is no log beside it */
	if (con)
		duckdb_disconnect(&con);
	if (db)
		duckdb_close(&db);
	return rc ? rc : folder_sync(f, path, e);
}

static int rename_to(const struct folder *f, const char *name, const char *to, struct error *e)
{
	char from[STORE_PATH], path[STORE_PATH];
	if (!folder_path(f, from, "%s", name) || !folder_path(f, path, "%s", to))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = f->env->rename(f->env, from, path);
	return rc && rc != -ENOENT ? error_set(e, rc, "MON-STO-004", "%s cannot be renamed: %s", from, strerror(-rc)) : 0;
}

static int remove_remains(const struct folder *f, struct error *e)
{
	char path[STORE_PATH], log[STORE_PATH];
	if (!folder_path(f, path, NEW) || !folder_path(f, log, NEW ".wal"))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = folder_unlink(f, path, e);
	return rc ? rc : folder_unlink(f, log, e);
}

int catalog_make(const struct folder *f, int64_t snapshot, size_t memory, struct error *e)
{
	int rc = remove_remains(f, e);
	if (!rc)
		rc = make_file(f, snapshot, memory, e);
	/* The log first: without its file it is nothing, but beside another file it would be wrong. */
	if (!rc)
		rc = rename_to(f, "hot.duckdb.wal", "hot.damaged.wal", e);
	if (!rc)
		rc = rename_to(f, "hot.duckdb", "hot.damaged", e);
	if (!rc)
		rc = rename_to(f, NEW, "hot.duckdb", e);
	return rc ? rc : folder_sync(f, f->path, e);
}
