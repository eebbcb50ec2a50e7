/* Backup and restore are one thing: a copy of what the snapshot names, with a catalog made anew from it. A writer may go
 * on meanwhile: parts never change, and a snapshot names all of a commit or nothing of it. The copy is a store only once
 * it is whole: what tells a store is written last. */
#include "store/catalog.h"
#include "store/duck.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE (1u << 20)           /* bytes copied at once */
#define CATALOG_MEMORY (512u << 20)
#define ATTEMPTS 10                /* snapshots that may be replaced under us */

struct copying {
	const struct env *env;
	struct folder from, to;
	char number[32]; /* of the snapshot */
	uint8_t *piece;
	struct error *e;
};

static int fails(struct copying *c, int rc, const char *what, const char *name)
{
	return error_set(c->e, rc, "MON-STO-004", "%s cannot be %s: %s", name, what, strerror(-rc));
}

/* ---- A file ---- */
static int copy_bytes(struct copying *c, int from, int to, XXH3_state_t *hash)
{
	const struct env *env = c->env;
	for (off_t at = 0;;) {
		ssize_t n = env->read(env, from, c->piece, PIECE);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		XXH3_128bits_update(hash, c->piece, (size_t)n);
		int rc = env_pwrite_all(env, to, c->piece, (size_t)n, at);
		if (rc)
			return rc;
		at += n;
	}
}

/* `digest` in hex: what its bytes must come to; NULL: not known. */
static int hold_against(struct copying *c, const char *name, XXH3_state_t *hash, const char *digest)
{
	char hex[DIGEST_TEXT];
	XXH128_hash_t h = XXH3_128bits_digest(hash);
	if (!digest || !strcmp(digest_format(&(struct digest){ h.low64, h.high64 }, hex), digest))
		return 0;
	return error_set(c->e, -EIO, "MON-STO-011", "%s is damaged: its bytes are not those that were written", name);
}

static int copy_into(struct copying *c, int from, const char *name, const char *digest)
{
	char path[STORE_PATH], above[STORE_PATH];
	XXH3_state_t hash;
	XXH3_INITSTATE(&hash);
	XXH3_128bits_reset(&hash);
	const struct env *env = c->env;
	snprintf(above, sizeof above, "%s", name);
	*strrchr(above, '/') = 0;
	int rc = folder_make(&c->to, above, c->e);
	if (rc)
		return rc;
	if (!folder_path(&c->to, path, "%s.tmp", name))
		return fails(c, -ENAMETOOLONG, "copied", name);
	int to = env->open(env, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (to < 0)
		return fails(c, to, "copied", name);
	rc = copy_bytes(c, from, to, &hash);
	int closed = env->close(env, to);
	if (rc || closed)
		return fails(c, rc ? rc : closed, "copied", name);
	rc = hold_against(c, name, &hash, digest);
	return rc ? rc : folder_settle(&c->to, path, c->e);
}

/* -ENOENT: it is not there (any more). */
static int copy_file(struct copying *c, const char *name, const char *digest)
{
	char path[STORE_PATH];
	const struct env *env = c->env;
	if (!strchr(name, '/') || !folder_path(&c->from, path, "%s", name))
		return fails(c, -ENAMETOOLONG, "copied", name);
	int from = env->open(env, path, O_RDONLY, 0);
	if (from < 0)
		return fails(c, from, "read", path);
	int rc = copy_into(c, from, name, digest);
	env->close(env, from);
	return rc;
}

/* ---- What the snapshot names ---- */
static int read_number(struct copying *c)
{
	char path[STORE_PATH];
	memset(c->number, 0, sizeof c->number);
	ssize_t n = folder_path(&c->from, path, "snapshot/current") ?
	            c->env->readlink(c->env, path, c->number, sizeof c->number - 1) : -ENAMETOOLONG;
	return n < 0 ? error_set(c->e, (int)n, "MON-STO-008", "%s has no snapshot: a writer must open it first",
	                         c->from.path) : 0;
}

static int copy_of_snapshot(void *ctx, const char *file)
{
	struct copying *c = ctx;
	char name[STORE_PATH];
	snprintf(name, sizeof name, "snapshot/%s/%s", c->number, file);
	return copy_file(c, name, NULL);
}

/* A copy that was begun may have files of a snapshot that has gone meanwhile: each attempt has a folder of its own. When
 * files of this one go while they are listed, parts.parquet has gone before them (snapshot.c). */
static int copy_snapshot(struct copying *c)
{
	char path[STORE_PATH];
	const struct env *env = c->env;
	if (!folder_path(&c->from, path, "snapshot/%s", c->number))
		return fails(c, -ENAMETOOLONG, "copied", c->number);
	error_clear(c->e);
	int rc = env->list(env, path, copy_of_snapshot, c);
	if (rc)
		return c->e->code[0] ? rc : fails(c, rc, "read", path);
	if (!folder_path(&c->from, path, "snapshot/%s/parts.parquet", c->number))
		return fails(c, -ENAMETOOLONG, "copied", c->number);
	int fd = env->open(env, path, O_RDONLY, 0);
	if (fd < 0)
		return fails(c, fd, "read", path);
	env->close(env, fd);
	return 0;
}

/* Columns of one row: path and digest. */
static int copy_row(struct copying *c, duckdb_data_chunk chunk, idx_t row)
{
	char name[STORE_PATH], hex[DIGEST_TEXT];
	duckdb_vector digests = duckdb_data_chunk_get_vector(chunk, 1);
	duckdb_string_t *path = (duckdb_string_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)) + row;
	duckdb_string_t *digest = (duckdb_string_t *)duckdb_vector_get_data(digests) + row;
	uint64_t *valid = duckdb_vector_get_validity(digests);
	bool known = !valid || duckdb_validity_row_is_valid(valid, row);
	snprintf(name, sizeof name, "%.*s", (int)duckdb_string_t_length(*path), duckdb_string_t_data(path));
	if (known)
		snprintf(hex, sizeof hex, "%.*s", (int)duckdb_string_t_length(*digest), duckdb_string_t_data(digest));
	return copy_file(c, name, known ? hex : NULL);
}

static int copy_named(struct copying *c, duckdb_connection con)
{
	duckdb_result r;
	duckdb_data_chunk chunk;
	int rc = catalog_fill(con, &c->to, strtoll(c->number, NULL, 10), c->e);
	if (!rc)
		rc = duck_query(con, &r, c->e, "SELECT path, replace(CAST(digest AS VARCHAR), '-', '') FROM parts UNION ALL SELECT "
		                "path, NULL FROM segments WHERE starts_with(path, 'spool/') AND state = 'stored'");
	if (rc)
		return rc;
	for (; (chunk = duckdb_fetch_chunk(r)); duckdb_destroy_data_chunk(&chunk)) {
		for (idx_t i = 0; !rc && i < duckdb_data_chunk_get_size(chunk); i++)
			rc = copy_row(c, chunk, i);
	}
	int ended = duck_end(&r, rc ? NULL : c->e);
	return rc ? rc : ended;
}

static int copy_all(struct copying *c)
{
	duckdb_database db = NULL;
	duckdb_connection con = NULL;
	int rc = read_number(c);
	if (!rc)
		rc = copy_snapshot(c);
	if (!rc)
		rc = duck_open(&db, NULL, CATALOG_MEMORY, 1, "", c->e);
	if (!rc)
		rc = duck_connect(db, &con, c->e);
	if (!rc)
		rc = copy_named(c, con);
	if (con)
		duckdb_disconnect(&con);
	if (db)
		duckdb_close(&db);
	return rc;
}

/* Did a writer replace the snapshot meanwhile? Then what is missing may have gone with it. */
static bool is_replaced(struct copying *c)
{
	char before[sizeof c->number];
	struct error ignored, *e = c->e;
	memcpy(before, c->number, sizeof before);
	c->e = &ignored;
	int rc = read_number(c);
	c->e = e;
	return !rc && strcmp(before, c->number);
}

/* ---- The copy's own ---- */
static int point_current(struct copying *c)
{
	char path[STORE_PATH], above[STORE_PATH];
	if (!folder_path(&c->to, path, "snapshot/current") || !folder_path(&c->to, above, "snapshot"))
		return fails(c, -ENAMETOOLONG, "named", c->to.path);
	int rc = c->env->symlink(c->env, c->number, path);
	return rc ? fails(c, rc, "named", path) : folder_sync(&c->to, above, c->e);
}

static int copy_store(struct copying *c)
{
	int rc = -ENOENT;
	for (int i = 0; rc == -ENOENT && i < ATTEMPTS; i++) {
		rc = copy_all(c);
		if (rc == -ENOENT && !is_replaced(c))
			break;
	}
	if (!rc)
		rc = catalog_make(&c->to, strtoll(c->number, NULL, 10), CATALOG_MEMORY, c->e);
	if (!rc)
		rc = point_current(c);
	return rc ? rc : folder_mark(&c->to, c->e);
}

int store_copy(const struct env *env, const char *from, const char *to, struct error *e)
{
	struct copying c = { .env = env, .e = e };
	int rc = folder_look(&c.from, env, from, e);
	if (!rc)
		rc = folder_new(&c.to, env, to, e);
	if (rc)
		return rc;
	c.piece = env_alloc(env, PIECE);
	rc = c.piece ? copy_store(&c) : error_no_memory(e, "copying the store");
	env_free(env, c.piece, PIECE);
	return rc;
}
