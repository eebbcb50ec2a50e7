#include "store/month.h"

#include "store/duck.h"
#include "store/lists.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILES "read_parquet(getvariable('month_files'), hive_partitioning = true, union_by_name = true, " \
	"hive_types = {'day': DATE, 'sensor': VARCHAR})"
#define SUM(column) "CAST(sum(r." column ") AS UBIGINT) AS " column
#define SUM_TOLD(column) "nullif(CAST(sum(coalesce(r." column ", r.packets)) AS UBIGINT), CAST(sum(r.packets) AS " \
	"UBIGINT)) AS " column
#define SUMS SUM("packets") ", " SUM_TOLD("accesses") ", " SUM_TOLD("attempts") ", " SUM("bytes") ", " SUM("flows")

/* As views.sql makes it of flow; what another column tells is NULL. Parts of catalogs of schema 1 have no country. */
#define PROBES "CASE WHEN r.class IN (3, 4, 5) THEN r.packets ELSE 0 END"
#define SENT(name, of) "CAST(coalesce(sum(" PROBES ") FILTER (r.protocol " of "), 0) AS UBIGINT) AS " name
#define SOURCES \
	"SELECT on_day, source, packets, nullif(accesses, packets) AS accesses, nullif(attempts, packets) AS attempts, " \
	"bytes, \"first\", nullif(\"last\", \"first\") AS \"last\", classes, country, as_number, nullif(probes_tcp, packets) " \
	"AS probes_tcp, probes_udp, probes_icmp, probes_other FROM (SELECT r.day AS on_day, r.source AS source, " \
	SUM("packets") ", CAST(sum(coalesce(r.accesses, r.packets)) AS UBIGINT) AS accesses, " \
	"CAST(sum(coalesce(r.attempts, r.packets)) AS " \
	"UBIGINT) AS attempts, CAST(sum(coalesce(r.bytes, CAST(r.packets AS UBIGINT) * r.length_min)) AS UBIGINT) AS bytes, " \
	"min(CAST(r.minute AS BIGINT) * 60 + r.\"first\") AS \"first\", max(CAST(r.minute AS BIGINT) * 60 " \
	"+ coalesce(r.\"last\", r.\"first\")) AS \"last\", bit_or(CAST(1 AS UTINYINT) << r.class) AS classes, min(r.country) " \
	"AS country, min(r.as_number) AS as_number, " SENT("probes_tcp", "= 6") ", " SENT("probes_udp", "= 17") ", " \
	SENT("probes_icmp", "IN (1, 58)") ", " SENT("probes_other", "NOT IN (1, 6, 17, 58)") " FROM (SELECT * FROM " FILES \
	" UNION ALL BY NAME SELECT CAST(NULL AS VARCHAR) AS country, CAST(NULL AS UINTEGER) AS as_number WHERE false) AS r " \
	"GROUP BY r.day, r.source) ORDER BY source, on_day"

/* Of each range of addresses (their first byte), country and AS; made of the days of sources above. */
#define ORIGINS \
	"SELECT net, country, as_number, packets, nullif(accesses, packets) AS accesses, sources FROM (SELECT " \
	"CAST(r.source >> 24 AS UTINYINT) AS net, r.country AS country, r.as_number AS as_number, " SUM("packets") ", " \
	"CAST(sum(coalesce(r.accesses, r.packets)) AS UBIGINT) AS accesses, list_sources(NULL::BLOB, r.source, r.packets, " \
	"coalesce(r.accesses, r.packets) > 0) AS sources FROM " FILES " AS r GROUP BY ALL) ORDER BY net, country, as_number"

/* What is made of sums of months comes after them. */
static const struct {
	const char *name, *source, *select;
} kinds[MONTHS] = {
	[MONTH_CLASS] = { "class_month", "class_hour", "SELECT r.hour, r.protocol, r.class, r.band, " SUMS " FROM " FILES
	                  " AS r GROUP BY r.hour, r.protocol, r.class, r.band ORDER BY ALL" },
	[MONTH_PORT] = { "port_month", "port_day", "SELECT r.protocol, r.port, r.class, " SUMS " FROM " FILES
	                 " AS r GROUP BY r.protocol, r.port, r.class ORDER BY ALL" },
	[MONTH_SOURCE4] = { "source_month4", "flow4", SOURCES },
	[MONTH_SOURCE6] = { "source_month6", "flow6", SOURCES },
	[MONTH_ORIGIN4] = { "origin_month4", "source_month4", ORIGINS },
};

bool month_is(const char *table, enum month_kind *kind)
{
	for (int k = 0; k < MONTHS; k++) {
		if (strcmp(table, kinds[k].name))
			continue;
		*kind = (enum month_kind)k;
		return true;
	}
	return false;
}

const char *month_name(enum month_kind kind) { return kinds[kind].name; }
const char *month_source(enum month_kind kind) { return kinds[kind].source; }
const char *month_select(enum month_kind kind) { return kinds[kind].select; }

#define NAMES "'class_month', 'port_month', 'source_month4', 'source_month6', 'origin_month4'"
#define ALL_MONTHS "table_name IN (" NAMES ")"
#define EPOCH "DATE '1970-01-01'"

/* Three BIGINTs a row. */
struct month_part {
	int64_t id, kind, first; /* first: its first day since 1970 */
};
struct month_span {
	int64_t first, last, unused; /* days since 1970 */
};
_Static_assert(sizeof(struct month_part) == sizeof(int64_t[3]) && sizeof(struct month_span) == sizeof(int64_t[3]),
               "what take_rows takes");

static int take_rows(struct store *s, struct vector *v, duckdb_result *result, struct error *e)
{
	int rc = 0;
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(*result)); duckdb_destroy_data_chunk(&chunk)) {
		uint32_t n = (uint32_t)duckdb_data_chunk_get_size(chunk);
		int64_t *to = rc ? NULL : vector_add(v, s->env, sizeof(int64_t[3]), n);
		if (!to)
			rc = error_no_memory(e, "summing months");
		for (uint32_t k = 0; !rc && k < 3; k++) {
			const int64_t *from = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, k));
			for (uint32_t i = 0; i < n; i++)
				to[3 * i + k] = from[i];
		}
	}
	int ended = duck_end(result, rc ? NULL : e);
	return rc ? rc : ended;
}

/* ---- Forgetting ---- */
#define KIND "CAST(list_position([" NAMES "], table_name) - 1 AS BIGINT)"

/* Takes out what covers any of some days. */
static int forget(struct store *s, int64_t first, int64_t last, struct error *e)
{
	duckdb_result result;
	char covering[256];
	snprintf(covering, sizeof covering, ALL_MONTHS " AND sensor = '%s' AND from_minute <= %lld AND to_minute >= %lld",
	         s->sensor, (long long)last * 1440, (long long)first * 1440);
	int rc = catalog_touch_where(&s->catalog, KEPT_PARTS, covering, e);
	if (!rc)
		rc = duck_query(s->catalog.con, &result, e, "SELECT CAST(id AS BIGINT), " KIND ", CAST(day - " EPOCH " AS BIGINT) "
	                    "FROM parts WHERE %s", covering);
	if (!rc)
		rc = take_rows(s, &s->months_gone, &result, e);
	return rc ? rc : duck_run(s->catalog.con, e, "DELETE FROM parts WHERE %s", covering);
}

static int forget_days(struct store *s, const struct part *p, uint32_t n, struct error *e)
{
	int64_t done = INT64_MIN;
	int rc = 0;
	for (uint32_t i = 0; !rc && i < n; i++) {
		if (p[i].table != STORE_FLOW || p[i].day == done)
			continue;
		done = p[i].day;
		rc = forget(s, done, done, e);
	}
	return rc;
}

int month_forget(struct store *s, uint32_t n_parts, struct error *e)
{
	int64_t any;
	int rc = duck_number(s->catalog.con, &any, e, "SELECT count(*) FROM parts WHERE " ALL_MONTHS " AND sensor = '%s'",
	                     s->sensor);
	if (rc || !any)
		return rc;
	rc = forget_days(s, s->stage.parts.part, n_parts, e);
	return rc ? rc : forget_days(s, s->replaced.part, s->replaced.n, e);
}

static void name_of(const struct store *s, enum month_kind kind, int64_t first, int64_t id, char out[static PART_PATH])
{
	char day[16];
	part_day((int32_t)first, day);
	snprintf(out, PART_PATH, "parquet/%s/day=%s/sensor=%s/part-%08lld.parquet", kinds[kind].name, day, s->sensor,
	         (long long)id);
}

int month_unlink(struct store *s, struct error *e)
{
	const struct month_part *p = s->months_gone.item;
	char name[PART_PATH], path[STORE_PATH];
	int rc = 0;
	for (uint32_t i = 0; !rc && i < s->months_gone.n; i++) {
		int64_t named; /* again, where the commit that took it out failed */
		rc = duck_number(s->catalog.con, &named, e, "SELECT count(*) FROM parts WHERE id = %lld", (long long)p[i].id);
		name_of(s, (enum month_kind)p[i].kind, p[i].first, p[i].id, name);
		if (!rc && !named && folder_path(&s->folder, path, "%s", name))
			rc = folder_unlink(&s->folder, path, e);
	}
	s->months_gone.n = 0;
	return rc;
}

/* ---- Making ---- */
struct made {
	struct catalog_part row; /* its texts are set when it has its place */
	enum month_kind kind;
	struct month_span span;
};

/* Days that are over and that no sums of a month have: by month, to the last of them. */
static int find(struct store *s, struct vector *spans, struct error *e)
{
	duckdb_result result;
	int rc = duck_query(s->catalog.con, &result, e,
	                    "WITH days AS (SELECT DISTINCT day FROM parts WHERE sensor = '%s' AND table_name = 'class_hour'), "
	                    "over AS (FROM days WHERE day < (SELECT max(day) FROM days)), "
	                    "months AS (SELECT CAST(date_trunc('month', day) AS DATE) AS first, max(day) AS last "
	                    "FROM over GROUP BY 1) "
	                    "SELECT CAST(first - " EPOCH " AS BIGINT), CAST(last - " EPOCH " AS BIGINT), 0::BIGINT FROM months "
	                    "WHERE NOT EXISTS (SELECT 1 FROM parts WHERE sensor = '%s' AND table_name = 'class_month' AND "
	                    "day = first AND (to_minute - 1439) // 1440 >= last - " EPOCH ") ORDER BY first",
	                    s->sensor, s->sensor);
	return rc ? rc : take_rows(s, spans, &result, e);
}

struct making {
	struct store *s;
	struct vector spans; /* struct month_span */
	struct vector made;  /* struct made */
};

/* What this run has made of the same month, which no catalog names yet. */
static const struct made *find_made(const struct making *m, const char *name, const struct month_span *span)
{
	const struct made *made = m->made.item;
	for (uint32_t i = 0; i < m->made.n; i++)
		if (!strcmp(kinds[made[i].kind].name, name) && made[i].span.first == span->first)
			return &made[i];
	return NULL;
}

static int list_made(const struct making *m, enum month_kind kind, const struct month_span *span, int64_t *n,
                     struct error *e)
{
	const struct store *s = m->s;
	const struct made *made = find_made(m, kinds[kind].source, span);
	char name[PART_PATH], path[STORE_PATH], quoted[DUCK_PATH];
	*n = made != NULL;
	if (!made)
		return 0;
	name_of(s, made->kind, span->first, (int64_t)made->row.id, name);
	if (!folder_path(&s->folder, path, "%s", name) || !duck_quote(path, quoted))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	return duck_run(s->stage.writer[0].con, e, "SET VARIABLE month_files = [%s]", quoted);
}

static int list_files(const struct making *m, enum month_kind kind, const struct month_span *span, int64_t *n,
                      struct error *e)
{
	struct store *s = m->s;
	char root[STORE_PATH], quoted[DUCK_PATH];
	duckdb_connection con = s->stage.writer[0].con;
	enum month_kind source;
	if (month_is(kinds[kind].source, &source))
		return list_made(m, kind, span, n, e);
	if (!folder_path(&s->folder, root, "%s", "") || !duck_quote(root, quoted))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = duck_run(con, e, "SET VARIABLE month_files = (SELECT list(%s || path ORDER BY id) FROM parts WHERE "
	                  "table_name = '%s' AND sensor = '%s' AND day BETWEEN " EPOCH " + %lld AND " EPOCH " + %lld)", quoted,
	                  kinds[kind].source, s->sensor, (long long)span->first, (long long)span->last);
	return rc ? rc : duck_number(con, n, e, "SELECT coalesce(len(getvariable('month_files')), 0)");
}

static int make(struct making *m, enum month_kind kind, const struct month_span *span, struct error *e)
{
	struct store *s = m->s;
	int64_t files;
	char path[PART_PATH];
	struct part_file file;
	int rc = list_files(m, kind, span, &files, e);
	if (rc || !files)
		return rc;
	uint64_t id = s->stage.next_part++;
	name_of(s, kind, span->first, (int64_t)id, path);
	rc = part_copy(&s->stage.writer[0], path, kinds[kind].select, &file, e);
	struct made *made = rc ? NULL : vector_add(&m->made, s->env, sizeof *made, 1);
	if (made)
		*made = (struct made){ .kind = kind, .span = *span, .row = { .id = id, .table = kinds[kind].name,
			.sensor = s->sensor, .rows = file.rows, .bytes = file.bytes, .from = (int32_t)span->first * 1440,
			.to = (int32_t)span->last * 1440 + 1439, .digest = file.digest } };
	return rc || made ? rc : error_no_memory(e, "summing months");
}

static int insert(struct store *s, struct made *m, struct error *e)
{
	char day[16], path[PART_PATH];
	part_day((int32_t)m->span.first, day);
	name_of(s, m->kind, m->span.first, (int64_t)m->row.id, path);
	m->row.day = day;
	m->row.path = path;
	return catalog_insert(&s->catalog, FEED_PARTS, &m->row, 1, e);
}

static int write_catalog(void *ctx, struct error *e)
{
	struct making *m = ctx;
	struct store *s = m->s;
	const struct month_span *span = m->spans.item;
	int rc = 0;
	for (uint32_t i = 0; !rc && i < m->spans.n; i++)
		rc = forget(s, span[i].first, span[i].last, e);
	for (uint32_t i = 0; !rc && i < m->made.n; i++)
		rc = insert(s, (struct made *)m->made.item + i, e);
	return rc ? rc : commit_write_numbers(s, 0, e);
}

static int settle_all(struct making *m, struct error *e)
{
	struct store *s = m->s;
	int rc = s->knows_lists ? 0 : lists_register(s->stage.writer[0].con, s->env, e);
	s->knows_lists |= !rc;
	for (uint32_t i = 0; !rc && i < m->spans.n; i++)
		for (int k = 0; !rc && k < MONTHS; k++)
			rc = make(m, (enum month_kind)k, (const struct month_span *)m->spans.item + i, e);
	if (!rc)
		rc = catalog_transact(&s->catalog, write_catalog, m, e);
	if (rc)
		return rc;
	s->catalog.commit++;
	return catalog_snapshot(&s->catalog, e);
}

int store_settle(struct store *s, struct error *e)
{
	struct making m = { .s = s };
	int rc = find(s, &m.spans, e);
	if (!rc && m.spans.n)
		rc = settle_all(&m, e);
	vector_fini(&m.spans, s->env, sizeof(struct month_span));
	vector_fini(&m.made, s->env, sizeof(struct made));
	return rc;
}
