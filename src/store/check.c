#include "store/check.h"
#include "store/lists.h"

#include "store/catalog.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STATEMENT 16384
#define CHECK_MEMORY (1024u << 20) /* bytes that DuckDB may take */

static const char *const names[CHECKS] = {
	[CHECK_CATALOG] = "catalog", [CHECK_FILES] = "files", [CHECK_ROWS] = "rows", [CHECK_DIGESTS] = "digests",
	[CHECK_KEYS] = "keys", [CHECK_BOUNDS] = "bounds", [CHECK_LEDGER] = "ledger", [CHECK_MINUTES] = "minutes",
	[CHECK_COVERAGE] = "coverage", [CHECK_SENSORS] = "sensors", [CHECK_SPOOL] = "spool", [CHECK_SNAPSHOT] = "snapshot",
};

/* ---- What the catalog must say of itself: each row is a finding ---- */
/* The ranges of a table as a union: overlapping and adjoining ones are one. */
#define UNION_OF(from_where) \
	"(SELECT sensor, min(from_ns) AS from_ns, max(to_ns) AS to_ns FROM (SELECT *, count(*) FILTER (before IS NULL OR " \
	"from_ns > before + 1) OVER (PARTITION BY sensor ORDER BY from_ns, to_ns) AS island FROM (SELECT sensor, from_ns, " \
	"to_ns, CAST(max(to_ns) OVER (PARTITION BY sensor ORDER BY from_ns, to_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 " \
	"PRECEDING) AS HUGEINT) AS before FROM " from_where ")) GROUP BY sensor, island)"
#define SEGMENTS_UNION UNION_OF("hot.segments WHERE state = 'stored' AND from_ns IS NOT NULL")
#define COVERAGE_UNION UNION_OF("hot.coverage")

static const struct {
	enum finding_id id;
	const char *sql;
} rules[] = {
	{ CHECK_LEDGER, "SELECT 'segment ' || segment || ' of ' || sensor || ' is stored ' || count(*) || ' times' FROM "
	                "hot.segments WHERE state = 'stored' GROUP BY segment, sensor HAVING count(*) > 1" },
	{ CHECK_LEDGER, "SELECT 'number ' || id || ' names ' || count(*) || ' segments' FROM hot.segments GROUP BY id "
	                "HAVING count(*) > 1" },
	{ CHECK_LEDGER, "SELECT 'segment ' || segment || ' contradicts itself' FROM hot.segments WHERE NOT coalesce("
	                "length(segment) = 32 AND state IN ('stored', 'refused') AND (state = 'refused') = (reason IS "
	                "NOT NULL AND "
	                "reason <> '') AND (packets = 0 OR from_ns IS NOT NULL) AND coalesce(from_ns <= to_ns, to_ns IS "
	                "NULL), "
	                "false)" },
	{ CHECK_LEDGER, "SELECT 'the ' || key || ' counter is at ' || value || ', ' || used || ' is used' FROM (SELECT "
	                "'segment' "
	                "AS key, max(id) + 1 AS used FROM hot.segments UNION ALL SELECT 'part', max(id) + 1 FROM "
	                "hot.parts UNION "
	                "ALL SELECT 'commit', max(\"commit\") FROM hot.segments) JOIN hot.meta USING (key) WHERE value < "
	                "used" },
	{ CHECK_LEDGER, "SELECT 'part ' || id || ' is named ' || count(*) || ' times' FROM hot.parts GROUP BY id HAVING "
	                "count(*) > 1" },
	{ CHECK_LEDGER, "SELECT path || ' lies elsewhere than its day and sensor say' FROM hot.parts WHERE path <> "
	                "'parquet/' || "
	                "table_name || '/day=' || day || '/sensor=' || sensor || '/part-' || format('{:08d}', id) "
	                "|| '.parquet'" },
	{ CHECK_MINUTES, "SELECT 'minute ' || minute || ' of ' || sensor || ' has ' || count(*) || ' windows' FROM "
	                 "hot.windows "
	                 "GROUP BY minute, sensor HAVING count(*) > 1" },
	{ CHECK_MINUTES, "SELECT 'segment number ' || id || ' has minute ' || minute || ' ' || count(*) || ' times' FROM "
	                 "hot.segment_minutes GROUP BY id, minute HAVING count(*) > 1" },
	{ CHECK_MINUTES, "SELECT 'minute ' || minute || ' of ' || sensor || ' has no segment' FROM hot.windows ANTI JOIN "
	                 "(SELECT sensor, minute FROM hot.segment_minutes JOIN hot.segments USING (id) WHERE state = "
	                 "'stored') "
	                 "USING (sensor, minute)" },
	{ CHECK_MINUTES, "SELECT 'minute ' || minute || ' of segment ' || segment || ' has no window' FROM "
	                 "hot.segment_minutes "
	                 "JOIN hot.segments USING (id) ANTI JOIN hot.windows USING (sensor, minute) WHERE state = "
	                 "'stored'" },
	{ CHECK_MINUTES, "SELECT 'minute ' || minute || ' is that of segment number ' || id || ', which is not stored' "
	                 "FROM "
	                 "hot.segment_minutes ANTI JOIN (SELECT id FROM hot.segments WHERE state = 'stored') USING (id)" },
	{ CHECK_MINUTES, "SELECT 'minute ' || minute || ' is outside of segment ' || segment FROM hot.segment_minutes JOIN "
	                 "hot.segments USING (id) WHERE NOT coalesce(minute BETWEEN floor(from_ns / 60e9) - 1 AND "
	                 "floor(to_ns / 60e9) + 1, false)" },
	{ CHECK_COVERAGE, "SELECT 'the segments of ' || sensor || ' cover ' || from_ns || ' to ' || to_ns || ', which the "
	                  "coverage does not say' FROM (SELECT * FROM " SEGMENTS_UNION " EXCEPT SELECT * FROM " COVERAGE_UNION
	                  ")" },
	{ CHECK_COVERAGE, "SELECT 'the coverage of ' || sensor || ' says ' || from_ns || ' to ' || to_ns || ', which no "
	                  "segments "
	                  "cover' FROM (SELECT * FROM " COVERAGE_UNION " EXCEPT SELECT * FROM " SEGMENTS_UNION ")" },
	{ CHECK_COVERAGE, "SELECT 'ranges of ' || sensor || ' overlap at ' || from_ns FROM (SELECT *, max(to_ns) OVER "
	                  "(PARTITION "
	                  "BY sensor ORDER BY from_ns, to_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before "
	                  "FROM "
	                  "hot.coverage) WHERE from_ns <= before OR from_ns > to_ns" },
	{ CHECK_SENSORS, "SELECT 'sensor ' || sensor || ' is not known' FROM (SELECT sensor FROM hot.segments UNION "
	                 "SELECT sensor "
	                 "FROM hot.windows UNION SELECT sensor FROM hot.parts WHERE NOT " DERIVED_TABLES " UNION SELECT "
	                 "sensor FROM hot.coverage) "
	                 "ANTI JOIN "
	                 "hot.sensors USING (sensor)" },
	{ CHECK_SENSORS, "SELECT 'sensor ' || sensor || ' is there ' || count(*) || ' times' FROM hot.sensors GROUP BY "
	                 "sensor "
	                 "HAVING count(*) > 1" },
	{ CHECK_FILES, "SELECT path || ' is missing' FROM hot.parts ANTI JOIN files USING (path)" },
	{ CHECK_FILES, "SELECT path || ' has ' || files.bytes || ' bytes, not ' || parts.bytes FROM hot.parts JOIN files "
	               "USING "
	               "(path) WHERE files.bytes <> parts.bytes" },
	{ CHECK_SPOOL, "SELECT path || ' is missing' FROM hot.segments ANTI JOIN files USING (path) WHERE state = "
	               "'stored' AND "
	               "starts_with(path, 'spool/')" },
};

/* ---- Findings ---- */
void check_found(struct check *k, enum finding_id id, const char *format, ...)
{
	va_list ap;
	struct finding *f = &k->finding[id];
	va_start(ap, format);
	if (!f->n++)
		vsnprintf(f->first, sizeof f->first, format, ap);
	va_end(ap);
}

void check_noted(struct check *k, enum finding_id id, const char *format, ...)
{
	va_list ap;
	struct finding *f = &k->finding[id];
	va_start(ap, format);
	if (!f->n)
		vsnprintf(f->first, sizeof f->first, format, ap);
	va_end(ap);
}

static int first_line(const char *text) { return (int)strcspn(text ? text : "", "\n"); }

int check_query(struct check *k, enum finding_id id, const char *format, ...)
{
	char sql[STATEMENT];
	duckdb_result r;
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(sql, sizeof sql, format, ap);
	va_end(ap);
	if (n >= (int)sizeof sql)
		return error_set(k->e, -E2BIG, "MON-STO-005", "DuckDB: a statement is too long");
	if (duckdb_query(k->con, sql, &r) == DuckDBError) {
		const char *why = duckdb_result_error(&r);
		check_found(k, id, "%.*s", first_line(why), why);
	} else {
		for (idx_t i = 0; i < duckdb_row_count(&r); i++) {
			char *text = duckdb_value_varchar(&r, 0, i);
			check_found(k, id, "%s", text ? text : "");
			duckdb_free(text);
		}
	}
	duckdb_destroy_result(&r);
	return 0;
}

#define TEXTS 8 /* columns that check_each gives at the most */

int check_each(struct check *k, int (*each)(struct check *k, void *ctx, char *const *text), void *ctx,
               const char *format, ...)
{
	char sql[STATEMENT];
	duckdb_result r;
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(sql, sizeof sql, format, ap), rc = 0;
	va_end(ap);
	if (n >= (int)sizeof sql)
		return error_set(k->e, -E2BIG, "MON-STO-005", "DuckDB: a statement is too long");
	if (duckdb_query(k->con, sql, &r) == DuckDBError) {
		const char *why = duckdb_result_error(&r);
		rc = error_set(k->e, -EIO, "MON-STO-005", "DuckDB: %.*s", first_line(why), why);
	}
	idx_t columns = rc ? 0 : duckdb_column_count(&r);
	for (idx_t i = 0; !rc && i < duckdb_row_count(&r); i++) {
		char *text[TEXTS] = { NULL };
		for (idx_t c = 0; c < columns && c < TEXTS; c++)
			text[c] = duckdb_value_varchar(&r, c, i);
		rc = each(k, ctx, text);
		for (idx_t c = 0; c < columns && c < TEXTS; c++)
			duckdb_free(text[c]);
	}
	duckdb_destroy_result(&r);
	return rc;
}

/* ---- Files ---- */
struct listing {
	struct check *k;
	duckdb_appender to;
	char path[STORE_PATH]; /* relative */
	size_t n;
};

static int list_one(void *ctx, const char *name);

/* A file into the table `files`, or what is in a folder. */
static int list_path(struct listing *l)
{
	char path[STORE_PATH];
	const struct env *env = l->k->folder->env;
	struct stat st;
	if (!folder_path(l->k->folder, path, "%s", l->path))
		return -ENAMETOOLONG;
	int fd = env->open(env, path, 0, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	int rc = env->stat(env, fd, &st);
	env->close(env, fd);
	if (!rc && S_ISDIR(st.st_mode))
		return env->list(env, path, list_one, l);
	duckdb_append_varchar(l->to, l->path);
	duckdb_append_uint64(l->to, rc ? 0 : (uint64_t)st.st_size);
	return duckdb_appender_end_row(l->to) == DuckDBError ? -ENOMEM : 0;
}

static int list_one(void *ctx, const char *name)
{
	struct listing *l = ctx;
	size_t before = l->n;
	int n = snprintf(l->path + before, sizeof l->path - before, "/%s", name);
	if (n >= (int)(sizeof l->path - before))
		return -ENAMETOOLONG;
	l->n += (size_t)n;
	int rc = list_path(l);
	l->n = before;
	l->path[before] = 0;
	return rc;
}

static int list_files(struct check *k)
{
	static const char *const folders[] = { "parquet", "spool" };
	struct listing l = { .k = k };
	int rc = duck_run(k->con, k->e, "CREATE TABLE files(path VARCHAR, bytes UBIGINT)");
	if (rc)
		return rc;
	if (duckdb_appender_create(k->con, NULL, "files", &l.to) == DuckDBError)
		rc = -ENOMEM;
	for (size_t i = 0; !rc && i < sizeof folders / sizeof *folders; i++) {
		l.n = (size_t)snprintf(l.path, sizeof l.path, "%s", folders[i]);
		rc = list_path(&l);
	}
	if (duckdb_appender_destroy(&l.to) == DuckDBError && !rc)
		rc = -ENOMEM;
	return rc ? error_set(k->e, rc, "MON-STO-004", "%s cannot be read: %s", l.path, strerror(-rc)) : 0;
}

/* ---- The snapshot ---- */
/* The tables of a snapshot as snap.…; what cannot be read is a finding. */
static int attach_snapshot(struct check *k, int64_t number, bool *read)
{
	struct error why;
	int rc = duck_run(k->con, k->e, "ATTACH ':memory:' AS snap");
	if (!rc)
		rc = duck_run(k->con, k->e, "USE snap");
	if (rc)
		return rc;
	*read = !catalog_fill(k->con, k->folder, number, &why);
	if (!*read) {
		check_found(k, CHECK_SNAPSHOT, "%.250s", why.text);
		rc = duck_run(k->con, k->e, "ROLLBACK");
	}
	return rc ? rc : duck_run(k->con, k->e, "USE memory");
}

static int compare_snapshot(struct check *k, int64_t number, bool equal)
{
	bool read;
	int rc = attach_snapshot(k, number, &read);
	for (int t = 0; !rc && read && equal && t < KEPT_TABLES; t++) {
		const char *table = catalog_kept((enum kept_table)t)->table;
		rc = check_query(k, CHECK_SNAPSHOT, "SELECT 'snapshot: %s differs from the catalog in ' || count(*) "
		                 "|| ' rows' FROM ((FROM hot.%s EXCEPT ALL FROM snap.%s) UNION ALL (FROM snap.%s EXCEPT ALL "
		                 "FROM hot.%s)) HAVING count(*) > 0", table, table, table, table, table);
	}
	if (!rc && read && !equal)
		rc = check_query(k, CHECK_FILES, "SELECT path || ' is missing, which readers need until the next commit' FROM "
		                 "snap.parts ANTI JOIN files USING (path)");
	return rc;
}

/* Equal to the catalog, or of the commit before when a crash came between the two; then its parts must still be there. */
static int check_snapshot(struct check *k)
{
	char path[STORE_PATH], to[64] = { 0 }, *end;
	const struct env *env = k->folder->env;
	int64_t commit;
	int rc = duck_number(k->con, &commit, k->e, "SELECT value FROM hot.meta WHERE key = 'commit'");
	if (rc)
		return rc;
	ssize_t n = folder_path(k->folder, path, "snapshot/current") ? env->readlink(env, path, to, sizeof to - 1) : -1;
	long long number = n > 0 ? strtoll(to, &end, 10) : -1;
	if (n == -ENOENT && !commit)
		return 0; /* nothing was ever stored */
	if (number == commit - 1)
		check_noted(k, CHECK_SNAPSHOT, "of commit %lld, the catalog of %lld; the next writer makes it", number,
		            (long long)commit);
	if (number < 0 || *end || number > commit || number < commit - 1) {
		check_found(k, CHECK_SNAPSHOT, "snapshot/current is %s%s, the last commit was %lld", n > 0 ? "" : "not there", to,
		            (long long)commit);
		return 0;
	}
	return compare_snapshot(k, number, number == commit);
}

static int note_left_over(struct check *k)
{
	int64_t n;
	int rc = duck_number(k->con, &n, k->e, "SELECT count(*) FROM files ANTI JOIN hot.parts USING (path) ANTI JOIN "
	                     "hot.segments USING (path)");
	if (!rc && n)
		check_noted(k, CHECK_FILES, "%lld that no commit names; the next writer removes them", (long long)n);
	return rc;
}

/* ---- Sensors ---- */
static int check_sensor(struct check *k, void *ctx, char *const *text)
{
	(void)ctx;
	if (text[0] && text[1] && strtoull(text[1], NULL, 10) != XXH3_64bits(text[0], strlen(text[0])))
		check_found(k, CHECK_SENSORS, "sensor %s has a hash of another name", text[0]);
	return 0;
}

/* ---- All of it ---- */
#define WRITER "; the next writer makes it anew from the snapshot"

/* The catalog, or what the snapshot says of it, as the next writer would open it. */
static int attach(struct check *k)
{
	char path[STORE_PATH], quoted[DUCK_PATH];
	struct error why;
	int64_t schema = 0, commit = -1, snapshot = catalog_snapshot_number(k->folder);
	if (!folder_path(k->folder, path, "hot.duckdb") || !duck_quote(path, quoted))
		return error_set(k->e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = duck_run(k->con, &why, "ATTACH %s AS hot (READ_ONLY)", quoted);
	if (!rc)
		rc = duck_number(k->con, &commit, &why, "SELECT value FROM hot.meta WHERE key = 'commit'");
	if (!rc)
		rc = duck_number(k->con, &schema, &why, "SELECT value FROM hot.meta WHERE key = 'schema'");
	if (!rc && schema > CATALOG_SCHEMA)
		return error_set(k->e, -EINVAL, "MON-STO-002", "the catalog has schema %lld, this program knows %d",
		                 (long long)schema, CATALOG_SCHEMA);
	if (!rc && schema < CATALOG_SCHEMA)
		return error_set(k->e, -EINVAL, "MON-STO-012", "the catalog has schema %lld: a writer must bring it to %d first",
		                 (long long)schema, CATALOG_SCHEMA);
	if (!rc && commit >= snapshot)
		return 0;
	if (!rc)
		check_noted(k, CHECK_CATALOG, "of commit %lld, the snapshot of %lld" WRITER, (long long)commit,
		            (long long)snapshot);
	else if (snapshot >= 0)
		check_noted(k, CHECK_CATALOG, "%.200s" WRITER, why.text);
	if (duck_run(k->con, &why, "DETACH hot"))
		why.code[0] = 0; /* it was not attached */
	rc = duck_run(k->con, k->e, "ATTACH ':memory:' AS hot");
	if (!rc)
		rc = duck_run(k->con, k->e, "USE hot");
	if (!rc)
		rc = catalog_fill(k->con, k->folder, snapshot, k->e);
	return rc ? rc : duck_run(k->con, k->e, "USE memory");
}

static int check_all(struct check *k)
{
	int rc = attach(k);
	if (!rc)
		rc = list_files(k);
	for (size_t i = 0; !rc && i < sizeof rules / sizeof *rules; i++)
		rc = check_query(k, rules[i].id, "%s", rules[i].sql);
	if (!rc)
		rc = check_each(k, check_sensor, NULL, "SELECT sensor, hash FROM hot.sensors");
	if (!rc)
		rc = check_snapshot(k);
	if (!rc)
		rc = note_left_over(k);
	return rc ? rc : check_rows(k);
}

int store_check(const struct env *env, const char *path, struct store_finding out[static STORE_CHECKS], struct error *e)
{
	_Static_assert(STORE_CHECKS == CHECKS, "store.h tells how many there are");
	struct folder folder;
	struct check k = { .folder = &folder, .e = e };
	duckdb_database db = NULL;
	int rc = folder_guard(&folder, env, path, e);
	if (!rc)
		rc = duck_open(&db, NULL, CHECK_MEMORY, 1, "", e);
	if (!rc)
		rc = duck_connect(db, &k.con, e);
	if (!rc)
		rc = lists_register(k.con, env, e);
	if (!rc)
		rc = check_all(&k);
	for (int i = 0; i < CHECKS; i++) {
		out[i] = (struct store_finding){ .check = names[i], .faults = k.finding[i].n };
		memcpy(out[i].first, k.finding[i].first, sizeof out[i].first);
	}
	if (k.con)
		duckdb_disconnect(&k.con);
	if (db)
		duckdb_close(&db);
	folder_close(&folder);
	return rc;
}
