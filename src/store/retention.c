/* Retention (DEFINITIONS section 11): what is older than it may be goes by whole UTC days, in one commit; files go after
 * it, as parts that were replaced do. Windows, coverage and the ledger stay: they name no source. */
#include "store/duck.h"
#include "store/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_NS (86400 * (int64_t)1000000000)
#define EXPIRE_MEMORY (1024u << 20)
#define AHEAD_DAYS 2 /* that the clock may be past what was observed last */

#define DETAIL \
	"regexp_matches(table_name, '^((flow|flow_payload|victim_second|source_evidence|source_month|" \
	"origin_month)[46]$|" DERIVED_NAMES ")')"
#define DAY "day - DATE '1970-01-01'"
#define PAYLOAD "table_name IN ('flow_payload4', 'flow_payload6')"

struct expiry {
	struct store *s;
	int64_t detail, payload, segment; /* first day since 1970 that is kept */
	struct error *e;
};

static int64_t first_kept(int64_t now, uint32_t days)
{
	return now / DAY_NS - (now % DAY_NS < 0) - (int64_t)days;
}

/* Parts that go, as a condition on the catalog's parts. */
static void condition(const struct expiry *x, char *out, size_t n)
{
	snprintf(out, n, "((" DETAIL " AND " DAY " < %lld) OR (" PAYLOAD " AND " DAY " < %lld))", (long long)x->detail,
	         (long long)x->payload);
}

static int count(struct expiry *x, struct store_expired *out)
{
	char parts[512];
	int64_t n[4];
	duckdb_connection con = x->s->catalog.con;
	condition(x, parts, sizeof parts);
	int rc = duck_number(con, &n[0], x->e, "SELECT count(*) FROM parts WHERE %s", parts);
	if (!rc)
		rc = duck_number(con, &n[1], x->e, "SELECT CAST(sum(rows) AS BIGINT) FROM parts WHERE %s", parts);
	if (!rc)
		rc = duck_number(con, &n[2], x->e, "SELECT CAST(sum(bytes) AS BIGINT) FROM parts WHERE %s", parts);
	if (!rc)
		rc = duck_number(con, &n[3], x->e, "SELECT count(*) FROM segments WHERE starts_with(path, 'spool/') AND "
		                                   "to_ns < %lld",
		                 (long long)(x->segment * DAY_NS));
	if (!rc)
		*out = (struct store_expired){ (uint64_t)n[0], (uint64_t)n[1], (uint64_t)n[2], (uint64_t)n[3] };
	return rc;
}

static int write_catalog(void *ctx, struct error *e)
{
	const struct expiry *x = ctx;
	char parts[512], segments[128];
	duckdb_connection con = x->s->catalog.con;
	condition(x, parts, sizeof parts);
	snprintf(segments, sizeof segments, "starts_with(path, 'spool/') AND to_ns < %lld", (long long)(x->segment * DAY_NS));
	int rc = catalog_touch_where(&x->s->catalog, KEPT_PARTS, parts, e);
	if (!rc)
		rc = catalog_touch_where(&x->s->catalog, KEPT_SEGMENTS, segments, e);
	if (!rc)
		rc = duck_run(con, e, "DELETE FROM parts WHERE %s", parts);
	if (!rc)
		rc = duck_run(con, e, "UPDATE segments SET path = '' WHERE %s", segments);
	return rc ? rc : duck_run(con, e, "INSERT INTO meta VALUES ('detail_before', %lld), ('payload_before', %lld), "
	                          "('commit', %llu) ON CONFLICT (key) DO UPDATE SET value = greatest(value, "
	                          "excluded.value)",
	                          (long long)x->detail, (long long)x->payload,
	                          (unsigned long long)x->s->catalog.commit + 1);
}

static int commit(struct expiry *x)
{
	int rc = catalog_transact(&x->s->catalog, write_catalog, x, x->e);
	if (rc)
		return rc;
	x->s->catalog.commit++;
	return catalog_snapshot(&x->s->catalog, x->e);
}

/* ---- Files, once no commit names them ---- */
struct emptying {
	struct expiry *x;
	char path[STORE_PATH];
	int depth;
};

/* Folders of a day and of a sensor that nothing is left in. */
static int remove_empty(void *ctx, const char *name)
{
	struct emptying *m = ctx;
	const struct env *env = m->x->s->env;
	size_t at = strlen(m->path);
	int rc = 0;
	if (snprintf(m->path + at, sizeof m->path - at, "/%s", name) < (int)(sizeof m->path - at)) {
		if (++m->depth < 3)
			rc = env->list(env, m->path, remove_empty, m);
		if (!rc && m->depth > 1)
			rc = env->rmdir(env, m->path);
		m->depth--;
	}
	m->path[at] = 0;
	return rc == -ENOTEMPTY || rc == -EEXIST || rc == -ENOTDIR ? 0 : rc;
}

static int sweep(struct expiry *x)
{
	const struct env *env = x->s->env;
	struct emptying m = { .x = x };
	int rc = store_recover(x->s, x->e); /* what no commit names */
	if (!rc && folder_path(&x->s->folder, m.path, "parquet")) {
		rc = env->list(env, m.path, remove_empty, &m);
		if (rc && rc != -ENOENT)
			error_set(x->e, rc, "MON-STO-004", "%s cannot be removed: %s", m.path, strerror(-rc));
	}
	return rc == -ENOENT ? 0 : rc;
}

/* A clock that is a century ahead would take out everything. What was observed tells the time too. */
static int hold_clock(struct expiry *x, int64_t now)
{
	int64_t newest;
	int rc = duck_number(x->s->catalog.con, &newest, x->e, "SELECT coalesce(max(to_ns), %lld) FROM coverage",
	                     (long long)now);
	if (rc || now / DAY_NS - newest / DAY_NS <= AHEAD_DAYS)
		return rc;
	return error_set(x->e, -ERANGE, "MON-STO-014", "now is said to be %lld days after the last moment that was observed: "
	                 "is the clock right? --force takes it for granted", (long long)(now / DAY_NS - newest / DAY_NS));
}

static int expire(struct expiry *x, struct store_expired *out)
{
	int rc = count(x, out);
	if (!rc && (out->parts || out->segments))
		rc = commit(x);
	return rc ? rc : sweep(x);
}

int store_expire(const struct env *env, const char *path, int64_t now, const struct store_retention *keep,
                 struct store_expired *out, struct error *e)
{
	struct store_config config = { .path = path, .sensor = "local", .monitored = "", .options = "",
	                               .memory = EXPIRE_MEMORY };
	struct expiry x = { .e = e, .detail = first_kept(now, keep->detail_days),
	                    .payload = first_kept(now, keep->payload_days),
	                    .segment = first_kept(now, keep->segment_days) };
	struct folder folder;
	x.payload = x.payload > x.detail ? x.payload : x.detail; /* payloads name a source too */
	int rc = folder_look(&folder, env, path, e);
	if (!rc)
		rc = store_open(&x.s, env, &config, e);
	if (rc)
		return rc;
	rc = keep->forced ? 0 : hold_clock(&x, now);
	if (!rc)
		rc = expire(&x, out);
	store_close(x.s);
	return rc;
}
