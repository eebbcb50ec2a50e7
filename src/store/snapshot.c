/* Snapshots of the catalog (docs/formats/store.md). What is long in it lies in files that are closed: rows of a range of
 * keys that grow with time. The next snapshot has them by hard links; only what is younger than the last of them is
 * written anew, so that a commit costs what is new, not what there is. Closed files are joined as they become many: each
 * stays more than twice as long as the one after it, so there are about as many as the logarithm of all rows.
 */
#include "store/catalog.h"

#include "store/duck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_ROWS 4096           /* written anew by each commit, at the most */
#define CLOSED_ROWS (4u << 20)   /* a file as long is joined with no other */
#define KEEP_NS (60 * (int64_t)1000000000) /* a snapshot outlives its replacement so long, for readers that have it */

/* ---- Which closed files no longer hold what the catalog has ---- */
void catalog_touch(struct catalog *c, enum kept_table table, uint64_t key)
{
	struct closed_files *v = &c->closed[table];
	uint32_t low = 0, high = v->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (v->file[middle].to < key)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < v->n)
		v->file[low].dirty = true; /* its range begins where the one before it ends */
}

int catalog_touch_where(struct catalog *c, enum kept_table table, const char *where, struct error *e)
{
	duckdb_result result;
	const struct kept *k = catalog_kept(table);
	if (!c->closed[table].n)
		return 0;
	int rc = duck_query(c->con, &result, e, "SELECT DISTINCT CAST(%s AS UBIGINT) FROM %s WHERE %s", k->key, k->table,
	                    where);
	if (rc)
		return rc;
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)); duckdb_destroy_data_chunk(&chunk)) {
		const uint64_t *key = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
		for (idx_t i = 0; i < duckdb_data_chunk_get_size(chunk); i++)
			catalog_touch(c, table, key[i]);
	}
	return duck_end(&result, e);
}

/* ---- What an earlier run closed ---- */
struct remembering {
	struct catalog *c;
	const char *table;
	struct closed_files *v;
};

/* "windows-FROM-TO-ROWS.parquet" */
static bool read_name(const char *name, const char *table, struct closed_file *out)
{
	char whole[SNAPSHOT_NAME], *at;
	uint64_t number[3];
	if (!snapshot_holds(name, table) || name[strlen(table)] != '-')
		return false;
	at = (char *)(uintptr_t)name + strlen(table);
	for (int i = 0; i < 3; i++)
		number[i] = *at == '-' ? strtoull(at + 1, &at, 10) : 0;
	*out = (struct closed_file){ .from = number[0], .to = number[1], .rows = number[2] };
	snapshot_closed_name(table, out, whole);
	return !strcmp(whole, name);
}

void snapshot_closed_name(const char *table, const struct closed_file *f, char out[static SNAPSHOT_NAME])
{
	snprintf(out, SNAPSHOT_NAME, "%s-%llu-%llu-%llu.parquet", table, (unsigned long long)f->from,
	         (unsigned long long)f->to, (unsigned long long)f->rows);
}

static int remember_file(void *ctx, const char *name)
{
	struct remembering *r = ctx;
	struct closed_file f;
	if (!read_name(name, r->table, &f) || r->v->n == CLOSED_MOST)
		return 0;
	uint32_t at = r->v->n++;
	for (; at && r->v->file[at - 1].from > f.from; at--)
		r->v->file[at] = r->v->file[at - 1];
	r->v->file[at] = f;
	return 0;
}

int catalog_remember(struct catalog *c, struct error *e)
{
	char path[STORE_PATH];
	const struct env *env = c->folder->env;
	if (!folder_path(c->folder, path, "snapshot/%llu", (unsigned long long)c->commit))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	c->based_on = c->commit;
	for (int t = 0; t < KEPT_TABLES; t++) {
		struct remembering r = { c, catalog_kept((enum kept_table)t)->table, &c->closed[t] };
		r.v->n = 0;
		int rc = catalog_kept((enum kept_table)t)->key ? env->list(env, path, remember_file, &r) : 0;
		if (rc)
			return error_set(e, rc, "MON-STO-004", "%s cannot be read: %s", path, strerror(-rc));
	}
	return 0;
}

/* ---- Writing ---- */
static int copy_rows(struct catalog *c, const char *table, const char *where, const char *folder, const char *name,
                     struct error *e)
{
	char path[STORE_PATH], quoted[DUCK_PATH];
	const struct env *env = c->folder->env;
	if (!folder_path(c->folder, path, "%s/%s", folder, name) || !duck_quote(path, quoted))
		return error_set(e, -EINVAL, "MON-STO-004", "%s cannot be written: the name is too long or no UTF-8", table);
	int rc = env->step(env, ENV_STEP_FILE, false);
	if (rc)
		return error_set(e, rc, "MON-STO-004", "the snapshot cannot be written: %s", strerror(-rc));
	rc = duck_run(c->con, e, "COPY (SELECT * FROM %s WHERE %s) TO %s (FORMAT parquet, COMPRESSION zstd)", table, where,
	              quoted);
	if (!rc && (rc = env->step(env, ENV_STEP_FILE, true)))
		error_set(e, rc, "MON-STO-004", "the snapshot cannot be written: %s", strerror(-rc));
	return rc ? rc : folder_sync(c->folder, path, e);
}

static int copy_open(struct catalog *c, const char *table, const char *where, const char *folder, struct error *e)
{
	char name[SNAPSHOT_NAME];
	snprintf(name, sizeof name, "%s.parquet", table);
	return copy_rows(c, table, where, folder, name, e);
}

static int copy_closed(struct catalog *c, const struct kept *k, const struct closed_file *f, const char *folder,
                       struct error *e)
{
	char where[200], name[SNAPSHOT_NAME];
	snprintf(where, sizeof where, "%s BETWEEN %llu AND %llu", k->key, (unsigned long long)f->from,
	         (unsigned long long)f->to);
	snapshot_closed_name(k->table, f, name);
	return copy_rows(c, k->table, where, folder, name, e);
}

/* The one that the snapshot before has, where there are links; it is written again when that one is gone. */
static int link_closed(struct catalog *c, const struct kept *k, const struct closed_file *f, const char *folder,
                       struct error *e)
{
	char name[SNAPSHOT_NAME], from[STORE_PATH], to[STORE_PATH];
	const struct env *env = c->folder->env;
	snapshot_closed_name(k->table, f, name);
	if (!folder_path(c->folder, from, "snapshot/%llu/%s", (unsigned long long)c->based_on, name) ||
	    !folder_path(c->folder, to, "%s/%s", folder, name))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	return env->link(env, from, to) ? copy_closed(c, k, f, folder, e) : 0;
}

static int count_closed(struct catalog *c, const struct kept *k, struct closed_file *f, struct error *e)
{
	int64_t n;
	int rc = duck_number(c->con, &n, e, "SELECT count(*) FROM %s WHERE %s BETWEEN %llu AND %llu", k->table, k->key,
	                     (unsigned long long)f->from, (unsigned long long)f->to);
	f->rows = (uint64_t)n;
	return rc;
}

/* Counts again what has changed; what is empty then is none. */
static int renew(struct catalog *c, const struct kept *k, struct closed_files *v, struct error *e)
{
	uint32_t kept = 0;
	int rc = 0;
	for (uint32_t i = 0; !rc && i < v->n; i++) {
		struct closed_file f = v->file[i];
		if (f.dirty)
			rc = count_closed(c, k, &f, e);
		if (f.rows)
			v->file[kept++] = f;
	}
	v->n = rc ? v->n : kept;
	return rc;
}

static uint64_t next_key(const struct closed_files *v) { return v->n ? v->file[v->n - 1].to + 1 : 0; }

/* Rows that no closed file has. When those and these are not all, closed files are not trusted: it is a guard. */
static int count_open(struct catalog *c, const struct kept *k, struct closed_files *v, uint64_t *out, struct error *e)
{
	int64_t all, open;
	uint64_t closed = 0;
	for (uint32_t i = 0; i < v->n; i++)
		closed += v->file[i].rows;
	int rc = duck_number(c->con, &open, e, "SELECT count(*) FROM %s WHERE %s >= %llu", k->table, k->key,
	                     (unsigned long long)next_key(v));
	if (!rc)
		rc = duck_number(c->con, &all, e, "SELECT count(*) FROM %s", k->table);
	if (!rc && closed + (uint64_t)open != (uint64_t)all) {
		v->n = 0;
		open = all;
	}
	*out = (uint64_t)open;
	return rc;
}

/* What was open becomes closed, with those before it that are not twice as long. */
static int close_open(struct catalog *c, const struct kept *k, struct closed_files *v, uint64_t rows, struct error *e)
{
	int64_t to;
	int rc = duck_number(c->con, &to, e, "SELECT CAST(max(%s) AS BIGINT) FROM %s", k->key, k->table);
	while (v->n && ((v->file[v->n - 1].rows <= 2 * rows && v->file[v->n - 1].rows < CLOSED_ROWS) || v->n == CLOSED_MOST))
		rows += v->file[--v->n].rows;
	struct closed_file f = { .from = next_key(v), .to = (uint64_t)to, .rows = rows, .dirty = true };
	v->file[v->n++] = f;
	return rc;
}

static int write_kept(struct catalog *c, const struct kept *k, struct closed_files *v, const char *folder,
                      struct error *e)
{
	char where[200];
	uint64_t open = 0;
	int rc = renew(c, k, v, e);
	if (!rc)
		rc = count_open(c, k, v, &open, e);
	if (!rc && open > OPEN_ROWS)
		rc = close_open(c, k, v, open, e);
	for (uint32_t i = 0; !rc && i < v->n; i++)
		rc = v->file[i].dirty ? copy_closed(c, k, &v->file[i], folder, e) : link_closed(c, k, &v->file[i], folder, e);
	snprintf(where, sizeof where, "%s >= %llu", k->key, (unsigned long long)next_key(v));
	return rc ? rc : copy_open(c, k->table, where, folder, e);
}

/* Into files of the new snapshot; what is known of closed files changes only once it is current. */
static int write_tables(struct catalog *c, struct closed_files *now, const char *folder, struct error *e)
{
	int rc = 0;
	memcpy(now, c->closed, sizeof c->closed);
	for (int t = 0; !rc && t < KEPT_TABLES; t++) {
		const struct kept *k = catalog_kept((enum kept_table)t);
		rc = k->key ? write_kept(c, k, &now[t], folder, e) : copy_open(c, k->table, "true", folder, e);
	}
	return rc;
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

/* ---- Old ones ---- */
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

/* A reader has listed the folder before it opens FIRST: while that is there, nothing else has gone. */
#define FIRST "parts.parquet"
static int empty_snapshot(struct sweep *s, const char *name)
{
	char path[STORE_PATH];
	const struct env *env = s->c->folder->env;
	s->folder = name;
	int rc = remove_file(s, FIRST);
	return rc || !folder_path(s->c->folder, path, "snapshot/%s", name) ? rc : env->list(env, path, remove_file, s);
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
	int rc = empty_snapshot(s, name);
	if (!rc && (rc = env->rmdir(env, path)))
		error_set(s->e, rc, "MON-STO-004", "%s cannot be removed: %s", path, strerror(-rc));
	return rc;
}

/* The one before is always kept, and earlier ones for some time. */
static uint64_t oldest_kept(const struct catalog *c)
{
	uint64_t number = c->commit ? c->commit - 1 : 0;
	int64_t now = c->folder->env->monotonic(c->folder->env);
	while (number > c->first_made && c->commit - number + 1 < SNAPSHOTS_KEPT &&
	       now - c->made[number % SNAPSHOTS_KEPT] < KEEP_NS)
		number--; /* it was replaced when `number` was made */
	return number;
}

static int sweep_snapshots(struct catalog *c, uint64_t keep, struct error *e)
{
	char path[STORE_PATH];
	const struct env *env = c->folder->env;
	struct sweep sweep = { .c = c, .keep = keep, .e = e };
	c->oldest = keep;
	return folder_path(c->folder, path, "snapshot") ? env->list(env, path, remove_snapshot, &sweep) : 0;
}

int catalog_tidy(struct catalog *c, struct error *e)
{
	return sweep_snapshots(c, c->commit ? c->commit - 1 : 0, e);
}

/* ---- All of it ---- */
static void become_current(struct catalog *c, const struct closed_files *now)
{
	memcpy(c->closed, now, sizeof c->closed);
	for (int t = 0; t < KEPT_TABLES; t++)
		for (uint32_t i = 0; i < c->closed[t].n; i++)
			c->closed[t].file[i].dirty = false;
	c->based_on = c->commit;
	if (!c->first_made)
		c->first_made = c->commit;
	c->made[c->commit % SNAPSHOTS_KEPT] = c->folder->env->monotonic(c->folder->env);
}

int catalog_snapshot(struct catalog *c, struct error *e)
{
	char name[64], number[32], path[STORE_PATH];
	const struct env *env = c->folder->env;
	struct closed_files *now = env_alloc(env, sizeof c->closed);
	struct sweep begun = { .c = c, .e = e };
	snprintf(number, sizeof number, "%llu", (unsigned long long)c->commit);
	snprintf(name, sizeof name, "snapshot/%s", number);
	int rc = now ? folder_make(c->folder, name, e) : error_no_memory(e, "making a snapshot");
	if (!rc)
		rc = empty_snapshot(&begun, number); /* of one that was begun */
	if (!rc)
		rc = write_tables(c, now, name, e);
	if (!rc && folder_path(c->folder, path, "%s", name))
		rc = folder_sync(c->folder, path, e);
	if (!rc)
		rc = point_current(c, c->commit, e);
	if (!rc)
		become_current(c, now);
	env_free(env, now, sizeof c->closed);
	return rc ? rc : sweep_snapshots(c, oldest_kept(c), e);
}
