#include "store/catalog.h"

#include "store/duck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CATALOG_SCHEMA 1

static const char *const tables[] = {
	"CREATE TABLE meta(key VARCHAR PRIMARY KEY, value BIGINT)",
	"CREATE TABLE segments(id UINTEGER, segment VARCHAR, sensor VARCHAR, path VARCHAR, packets UBIGINT, bytes UBIGINT,"
	" uncompressed UBIGINT, from_ns BIGINT, to_ns BIGINT, options VARCHAR, schema UINTEGER, state VARCHAR, reason VARCHAR,"
	" \"commit\" UBIGINT, simulated UTINYINT)",
	"CREATE TABLE segment_minutes(id UINTEGER, minute INTEGER)",
	"CREATE TABLE windows(sensor VARCHAR, minute INTEGER, revision UINTEGER, flows UBIGINT, packets UBIGINT,"
	" attempts UBIGINT, victim_seconds UBIGINT, flow_payloads UBIGINT, flow_digest UUID, victim_digest UUID,"
	" payload_digest UUID)",
	("CREATE TABLE parts(id UBIGINT, table_name VARCHAR, day DATE, sensor VARCHAR, path VARCHAR, rows UBIGINT,"
	 " bytes UBIGINT, from_minute INTEGER, to_minute INTEGER)"), /* clang takes the one such for a forgotten comma */
	"CREATE TABLE coverage(sensor VARCHAR, from_ns BIGINT, to_ns BIGINT, addresses UBIGINT, mode VARCHAR, dropped UBIGINT)",
	"CREATE TABLE sensors(sensor VARCHAR, hash UBIGINT, addresses UBIGINT, monitored VARCHAR)",
};

/* What a snapshot has of the catalog. */
static const char *const snapshots[] = { "parts", "segments", "windows", "coverage", "sensors" };

#define COLUMN(struct_name, member, name, type) { name, COLUMN_##type, offsetof(struct struct_name, member), -1 }
static const struct shape shapes[FEEDS] = {
	[FEED_SEGMENTS] = { sizeof(struct catalog_segment), 15, {
		COLUMN(catalog_segment, id, "id", u32), COLUMN(catalog_segment, segment, "segment", text),
		COLUMN(catalog_segment, sensor, "sensor", text), COLUMN(catalog_segment, path, "path", text),
		COLUMN(catalog_segment, packets, "packets", u64), COLUMN(catalog_segment, bytes, "bytes", u64),
		COLUMN(catalog_segment, uncompressed, "uncompressed", u64), COLUMN(catalog_segment, from, "from_ns", time),
		COLUMN(catalog_segment, to, "to_ns", time), COLUMN(catalog_segment, options, "options", text),
		COLUMN(catalog_segment, schema, "schema", u32), COLUMN(catalog_segment, state, "state", text),
		COLUMN(catalog_segment, reason, "reason", text), COLUMN(catalog_segment, commit, "commit", u64),
		COLUMN(catalog_segment, simulated, "simulated", u8) } },
	[FEED_MINUTES] = { sizeof(struct catalog_minute), 2, {
		COLUMN(catalog_minute, segment, "id", u32), COLUMN(catalog_minute, minute, "minute", i32) } },
	[FEED_WINDOWS] = { sizeof(struct catalog_window), 11, {
		COLUMN(catalog_window, sensor, "sensor", text), COLUMN(catalog_window, w.minute, "minute", i32),
		COLUMN(catalog_window, revision, "revision", u32), COLUMN(catalog_window, w.flows, "flows", u64),
		COLUMN(catalog_window, w.packets, "packets", u64), COLUMN(catalog_window, w.attempts, "attempts", u64),
		COLUMN(catalog_window, w.victim_seconds, "victim_seconds", u64),
		COLUMN(catalog_window, w.flow_payloads, "flow_payloads", u64),
		COLUMN(catalog_window, w.flow_digest, "flow_digest", digest),
		COLUMN(catalog_window, w.victim_digest, "victim_digest", digest),
		COLUMN(catalog_window, w.payload_digest, "payload_digest", digest) } },
	[FEED_PARTS] = { sizeof(struct catalog_part), 9, {
		COLUMN(catalog_part, id, "id", u64), COLUMN(catalog_part, table, "table_name", text),
		COLUMN(catalog_part, day, "day", text), COLUMN(catalog_part, sensor, "sensor", text),
		COLUMN(catalog_part, path, "path", text), COLUMN(catalog_part, rows, "rows", u64),
		COLUMN(catalog_part, bytes, "bytes", u64), COLUMN(catalog_part, from, "from_minute", i32),
		COLUMN(catalog_part, to, "to_minute", i32) } },
	[FEED_COVERAGE] = { sizeof(struct catalog_coverage), 6, {
		COLUMN(catalog_coverage, sensor, "sensor", text), COLUMN(catalog_coverage, from, "from_ns", i64),
		COLUMN(catalog_coverage, to, "to_ns", i64), COLUMN(catalog_coverage, addresses, "addresses", u64),
		COLUMN(catalog_coverage, mode, "mode", text), COLUMN(catalog_coverage, dropped, "dropped", u64) } },
	[FEED_SHARED] = { sizeof(int32_t), 1, { { "minute", COLUMN_i32, 0, -1 } } },
};
static const char *const feed_names[FEEDS] = { "feed_segments", "feed_minutes", "feed_windows", "feed_parts",
                                               "feed_coverage", "feed_shared" };
static const char *const feed_tables[FEEDS] = { "segments", "segment_minutes", "windows", "parts", "coverage", "shared" };

/* ---- Opening ---- */
static int make_tables(struct catalog *c, struct error *e)
{
	int rc = duck_run(c->con, e, "BEGIN");
	for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
		rc = duck_run(c->con, e, "%s", tables[i]);
	if (!rc)
		rc = duck_run(c->con, e, "INSERT INTO meta VALUES ('schema', %d), ('commit', 0), ('segment', 1), ('part', 1)",
		              CATALOG_SCHEMA);
	return rc ? rc : duck_run(c->con, e, "COMMIT");
}

static int read_meta(struct catalog *c, struct error *e)
{
	int64_t schema, commit, segment, part;
	int rc = duck_number(c->con, &schema, e, "SELECT value FROM meta WHERE key = 'schema'");
	if (!rc && schema > CATALOG_SCHEMA)
		return error_set(e, -EINVAL, "MON-STO-002", "the catalog has schema %lld, this program knows %d", (long long)schema,
		                 CATALOG_SCHEMA);
	if (!rc)
		rc = duck_number(c->con, &commit, e, "SELECT value FROM meta WHERE key = 'commit'");
	if (!rc)
		rc = duck_number(c->con, &segment, e, "SELECT value FROM meta WHERE key = 'segment'");
	if (!rc)
		rc = duck_number(c->con, &part, e, "SELECT value FROM meta WHERE key = 'part'");
	if (rc)
		return rc;
	c->commit = (uint64_t)commit;
	c->next_segment = (uint32_t)segment;
	c->next_part = (uint64_t)part;
	return 0;
}

static int connect_feeds(struct catalog *c, struct error *e)
{
	int rc = duck_connect(c->db, &c->con, e);
	for (int f = 0; !rc && f < FEEDS; f++) {
		c->feed[f].shape = &shapes[f];
		rc = feed_register(c->con, feed_names[f], &c->feed[f], e);
	}
	return rc ? rc : duck_run(c->con, e, "CREATE TEMP TABLE shared(minute INTEGER)");
}

int catalog_open(struct catalog *c, const struct folder *folder, size_t memory, struct error *e)
{
	char path[STORE_PATH], temporary[STORE_PATH];
	int64_t n = 0;
	*c = (struct catalog){ .folder = folder };
	if (!folder_path(folder, path, "hot.duckdb") || !folder_path(folder, temporary, "hot.duckdb.tmp"))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = duck_open(&c->db, path, memory, 1, temporary, e);
	if (!rc)
		rc = connect_feeds(c, e);
	if (!rc)
		rc = duck_number(c->con, &n, e, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta'");
	if (!rc && !n)
		rc = make_tables(c, e);
	return rc ? rc : read_meta(c, e);
}

void catalog_close(struct catalog *c)
{
	if (c->con)
		duckdb_disconnect(&c->con);
	if (c->db)
		duckdb_close(&c->db);
}

/* ---- Asking and telling ---- */
int catalog_knows(struct catalog *c, const char *sensor, const char *segment, bool *out, struct error *e)
{
	int64_t n;
	int rc = duck_number(c->con, &n, e, "SELECT count(*) FROM segments WHERE segment = '%s' AND sensor = '%s' AND "
	                     "state = 'stored'", segment, sensor);
	*out = !rc && n;
	return rc;
}

int catalog_insert(struct catalog *c, enum catalog_feed feed, const void *rows, uint32_t n, struct error *e)
{
	if (!n)
		return 0;
	c->feed[feed].rows = rows;
	c->feed[feed].n = n;
	c->feed[feed].at = 0;
	return duck_run(c->con, e, "INSERT INTO %s SELECT * FROM %s()", feed_tables[feed], feed_names[feed]);
}

/* ---- The snapshot ---- */
static int copy_table(struct catalog *c, const char *table, const char *snapshot, struct error *e)
{
	char path[STORE_PATH], quoted[DUCK_PATH];
	const struct env *env = c->folder->env;
	if (!folder_path(c->folder, path, "%s/%s.parquet", snapshot, table) || !duck_quote(path, quoted))
		return error_set(e, -EINVAL, "MON-STO-004", "%s cannot be written: the name is too long or no UTF-8", table);
	int rc = env->step(env, ENV_STEP_FILE, false);
	if (rc)
		return error_set(e, rc, "MON-STO-004", "the snapshot cannot be written: %s", strerror(-rc));
	rc = duck_run(c->con, e, "COPY (SELECT * FROM %s) TO %s (FORMAT parquet, COMPRESSION zstd)", table, quoted);
	if (!rc && (rc = env->step(env, ENV_STEP_FILE, true)))
		error_set(e, rc, "MON-STO-004", "the snapshot cannot be written: %s", strerror(-rc));
	return rc ? rc : folder_sync(c->folder, path, e);
}

static int point_current(struct catalog *c, uint64_t number, struct error *e)
{
	char link[STORE_PATH], current[STORE_PATH], to[32], folder[STORE_PATH];
	const struct env *env = c->folder->env;
	if (!folder_path(c->folder, link, "snapshot/current.tmp") || !folder_path(c->folder, current, "snapshot/current") ||
	    !folder_path(c->folder, folder, "snapshot"))
		return -ENAMETOOLONG;
	snprintf(to, sizeof to, "%llu", (unsigned long long)number);
	int rc = folder_unlink(c->folder, link, e);
	if (rc)
		return rc;
	rc = env->symlink(env, to, link);
	if (!rc)
		rc = env->rename(env, link, current);
	if (rc)
		return error_set(e, rc, "MON-STO-004", "the snapshot cannot be named: %s", strerror(-rc));
	return folder_sync(c->folder, folder, e);
}

struct sweep {
	struct catalog *c;
	uint64_t keep; /* snapshots from this number on */
	struct error *e;
	const char *folder;
};

static int remove_file(void *ctx, const char *name)
{
	struct sweep *s = ctx;
	char path[STORE_PATH];
	return folder_path(s->c->folder, path, "snapshot/%s/%s", s->folder, name) ? folder_unlink(s->c->folder, path, s->e) : 0;
}

static int remove_snapshot(void *ctx, const char *name)
{
	struct sweep *s = ctx;
	char path[STORE_PATH], *end;
	const struct env *env = s->c->folder->env;
	unsigned long long number = strtoull(name, &end, 10);
	if (*end || end == name || (number >= s->keep && number <= s->c->commit) ||
	    !folder_path(s->c->folder, path, "snapshot/%s", name))
		return 0;
	s->folder = name;
	int rc = env->list(env, path, remove_file, s);
	if (!rc && (rc = env->rmdir(env, path)))
		error_set(s->e, rc, "MON-STO-004", "%s cannot be removed: %s", path, strerror(-rc));
	return rc;
}

int catalog_snapshot(struct catalog *c, struct error *e)
{
	char name[64], path[STORE_PATH];
	const struct env *env = c->folder->env;
	snprintf(name, sizeof name, "snapshot/%llu", (unsigned long long)c->commit);
	int rc = folder_make(c->folder, name, e);
	for (size_t i = 0; !rc && i < sizeof snapshots / sizeof *snapshots; i++)
		rc = copy_table(c, snapshots[i], name, e);
	if (!rc && folder_path(c->folder, path, "%s", name))
		rc = folder_sync(c->folder, path, e);
	if (!rc)
		rc = point_current(c, c->commit, e);
	struct sweep sweep = { .c = c, .keep = c->commit ? c->commit - 1 : 0, .e = e };
	return rc || !folder_path(c->folder, path, "snapshot") ? rc : env->list(env, path, remove_snapshot, &sweep);
}
