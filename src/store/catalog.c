#include "store/catalog.h"

#include "store/duck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	[FEED_PARTS] = { sizeof(struct catalog_part), 10, {
		COLUMN(catalog_part, id, "id", u64), COLUMN(catalog_part, table, "table_name", text),
		COLUMN(catalog_part, day, "day", text), COLUMN(catalog_part, sensor, "sensor", text),
		COLUMN(catalog_part, path, "path", text), COLUMN(catalog_part, rows, "rows", u64),
		COLUMN(catalog_part, bytes, "bytes", u64), COLUMN(catalog_part, from, "from_minute", i32),
		COLUMN(catalog_part, to, "to_minute", i32), COLUMN(catalog_part, digest, "digest", digest) } },
	[FEED_COVERAGE] = { sizeof(struct catalog_coverage), 7, {
		COLUMN(catalog_coverage, sensor, "sensor", text), COLUMN(catalog_coverage, from, "from_ns", i64),
		COLUMN(catalog_coverage, to, "to_ns", i64), COLUMN(catalog_coverage, addresses, "addresses", u64),
		COLUMN(catalog_coverage, mode, "mode", text), COLUMN(catalog_coverage, dropped, "dropped", u64),
		COLUMN(catalog_coverage, commit, "commit", u64) } },
	[FEED_SHARED] = { sizeof(int32_t), 1, { { "minute", COLUMN_i32, 0, -1 } } },
};
static const char *const feed_names[FEEDS] = { "feed_segments", "feed_minutes", "feed_windows", "feed_parts",
                                               "feed_coverage", "feed_shared" };
static const char *const feed_tables[FEEDS] = { "segments", "segment_minutes", "windows", "parts", "coverage", "shared" };

/* ---- Opening ---- */
static int read_meta(struct catalog *c, struct error *e)
{
	int64_t commit, segment, part, detail;
	int rc = duck_number(c->con, &commit, e, "SELECT value FROM meta WHERE key = 'commit'");
	if (!rc)
		rc = duck_number(c->con, &segment, e, "SELECT value FROM meta WHERE key = 'segment'");
	if (!rc)
		rc = duck_number(c->con, &part, e, "SELECT value FROM meta WHERE key = 'part'");
	if (!rc)
		rc = duck_number(c->con, &detail, e, "SELECT coalesce(max(value), %lld) FROM meta WHERE key = 'detail_before'",
		                 (long long)INT32_MIN);
	if (rc)
		return rc;
	c->commit = (uint64_t)commit;
	c->next_segment = (uint32_t)segment;
	c->next_part = (uint64_t)part;
	c->detail_before = detail;
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

static int open_file(struct catalog *c, const struct folder *folder, size_t memory, struct error *e)
{
	char path[STORE_PATH], temporary[STORE_PATH];
	*c = (struct catalog){ .folder = folder };
	if (!folder_path(folder, path, "hot.duckdb") || !folder_path(folder, temporary, "hot.duckdb.tmp"))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = duck_open(&c->db, path, memory, 1, temporary, e);
	if (!rc)
		rc = connect_feeds(c, e);
	if (!rc)
		rc = catalog_migrate(c->con, e);
	return rc ? rc : read_meta(c, e);
}

static bool is_there(const struct folder *folder, const char *name)
{
	char path[STORE_PATH];
	int fd = folder_path(folder, path, "%s", name) ? folder->env->open(folder->env, path, O_RDONLY, 0) : -1;
	if (fd >= 0)
		folder->env->close(folder->env, fd);
	return fd != -ENOENT;
}

/* The database writes over blocks that it needs: stopped within one it can be unreadable, and a torn log can have lost
 * commits that were told of. The snapshot never is torn, and a commit has returned only once it had one. */
int catalog_open(struct catalog *c, const struct folder *folder, size_t memory, struct error *e)
{
	int64_t snapshot = catalog_snapshot_number(folder);
	*c = (struct catalog){ .folder = folder };
	int rc = is_there(folder, "hot.duckdb") ? 0 : catalog_make(folder, snapshot, memory, e);
	if (rc)
		return rc;
	rc = open_file(c, folder, memory, e);
	if (snapshot < 0 || (rc && rc != -EIO) || (!rc && c->commit >= (uint64_t)snapshot))
		return rc;
	catalog_close(c);
	rc = catalog_make(folder, snapshot, memory, e);
	return rc ? rc : open_file(c, folder, memory, e);
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

int catalog_transact(struct catalog *c, int (*change)(void *ctx, struct error *e), void *ctx, struct error *e)
{
	struct error ignored;
	const struct env *env = c->folder->env;
	int rc = duck_run(c->con, e, "BEGIN");
	if (rc)
		return rc;
	rc = change(ctx, e);
	if (!rc && (rc = env->step(env, ENV_STEP_COMMIT, false)))
		error_set(e, rc, "MON-STO-004", "the commit cannot be written: %s", strerror(-rc));
	if (!rc)
		rc = duck_run(c->con, e, "COMMIT");
	if (rc) {
		(void)!duck_run(c->con, &ignored, "ROLLBACK"); /* it may be over already */
		return rc;
	}
	rc = env->step(env, ENV_STEP_COMMIT, true);
	return rc ? error_set(e, rc, "MON-STO-004", "the commit cannot be written: %s", strerror(-rc)) : 0;
}
