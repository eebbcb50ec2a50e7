/* What a crash left: files that no commit names are removed, and the last commit gets its snapshot. */
#include "store/duck.h"
#include "store/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Parts that no commit names ---- */
struct known {
	const struct store *s;
	uint64_t *id; /* ascending */
	uint32_t n;
	struct error *e;
	char path[STORE_PATH];
};

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static bool is_known(const struct known *k, const char *name)
{
	char *end;
	if (strncmp(name, "part-", 5))
		return false;
	uint64_t id = strtoull(name + 5, &end, 10);
	return !strcmp(end, ".parquet") && k->n && bsearch(&id, k->id, k->n, sizeof id, compare_ids);
}

/* Descends from parquet/ by three folders; what is a file is a part, or remains of one. */
static int sweep(void *ctx, const char *name)
{
	struct known *k = ctx;
	size_t at = strlen(k->path);
	if (snprintf(k->path + at, sizeof k->path - at, "/%s", name) >= (int)(sizeof k->path - at))
		return 0;
	int rc = k->s->env->list(k->s->env, k->path, sweep, k);
	if (rc == -ENOTDIR)
		rc = is_known(k, name) ? 0 : folder_unlink(&k->s->folder, k->path, k->e);
	else if (rc < 0 && !k->e->code[0])
		rc = error_set(k->e, rc, "MON-STO-004", "%s cannot be read: %s", k->path, strerror(-rc));
	k->path[at] = 0;
	return rc;
}

static int list_ids(struct store *s, struct vector *ids, struct error *e)
{
	duckdb_result result;
	int rc = duck_query(s->catalog.con, &result, e, "SELECT id FROM parts ORDER BY id");
	return rc ? rc : vector_take(ids, s->env, sizeof(uint64_t), &result, "listing parts", e);
}

static int remove_orphans(struct store *s, struct error *e)
{
	struct vector ids = { 0 };
	int rc = list_ids(s, &ids, e);
	struct known k = { .s = s, .id = ids.item, .n = ids.n, .e = e };
	error_clear(e);
	if (!rc && folder_path(&s->folder, k.path, "parquet"))
		rc = s->env->list(s->env, k.path, sweep, &k);
	vector_fini(&ids, s->env, sizeof(uint64_t));
	return rc == -ENOENT && !e->code[0] ? 0 : rc;
}

/* ---- Streams that no commit names ---- */
#define LIVE "live" /* what is still being written there is nobody's yet (docs/formats/live.md) */

static int sweep_spool(void *ctx, const char *name)
{
	struct known *k = ctx;
	char path[STORE_PATH], quoted[DUCK_PATH], inside[STORE_PATH];
	int64_t n = 0;
	int rc = 0;
	snprintf(inside, sizeof inside, "spool/%s", name);
	if (!strcmp(name, LIVE))
		return 0;
	if (!folder_path(&k->s->folder, path, "%s", inside))
		return 0;
	if (duck_quote(inside, quoted))
		rc = duck_number(k->s->catalog.con, &n, k->e, "SELECT count(*) FROM segments WHERE state = 'stored' AND "
		                 "path = %s", quoted);
	return rc || n ? rc : folder_unlink(&k->s->folder, path, k->e);
}

static int clear_spool(struct store *s, struct error *e)
{
	struct known k = { .s = s, .e = e };
	error_clear(e);
	if (!folder_path(&s->folder, k.path, "spool"))
		return 0;
	int rc = s->env->list(s->env, k.path, sweep_spool, &k);
	return rc == -ENOENT && !e->code[0] ? 0 : rc;
}

/* ---- The snapshot ---- */
static bool is_current(struct store *s)
{
	char path[STORE_PATH], to[32] = { 0 }, want[32];
	snprintf(want, sizeof want, "%llu", (unsigned long long)s->catalog.commit);
	return folder_path(&s->folder, path, "snapshot/current") &&
	       s->env->readlink(s->env, path, to, sizeof to - 1) > 0 && !strcmp(to, want);
}

int store_recover(struct store *s, struct error *e)
{
	struct error mine;
	int rc = is_current(s) ? catalog_remember(&s->catalog, &mine) : -ENOENT;
	if (rc == -ENOENT)
		rc = catalog_snapshot(&s->catalog, &mine); /* first: the old one may need what goes */
	if (!rc)
		rc = remove_orphans(s, &mine);
	if (!rc)
		rc = clear_spool(s, &mine);
	if (rc)
		*e = mine;
	return rc;
}
