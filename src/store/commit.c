/* A commit: parts, one transaction, a snapshot, then what was replaced is removed (docs/formats/store.md). */
#include "store/duck.h"
#include "store/fold.h"
#include "store/month.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdio.h>
#include <string.h>

/* Only SCHEMA_VERSION is wanted of the list of columns. */
#define TABLE(...)
#define KEY(...)
#define COL(...)
#define END(...)
#include "model/tables.def"

/* ---- Rows for the catalog ---- */
static int forget_refused(struct store *s, const char *name, struct error *e)
{
	char where[300];
	snprintf(where, sizeof where, "segment = '%s' AND sensor = '%s' AND state = 'refused'", name, s->sensor);
	int rc = catalog_touch_where(&s->catalog, KEPT_SEGMENTS, where, e);
	return rc ? rc : duck_run(s->catalog.con, e, "DELETE FROM segments WHERE %s", where);
}

static int insert_segments(struct store *s, struct error *e)
{
	struct vector rows = { 0 };
	const struct pending *p = s->segments.item;
	struct catalog_segment *row = vector_add(&rows, s->env, sizeof *row, s->segments.n);
	if (!row)
		return error_no_memory(e, "committing");
	for (uint32_t i = 0; i < s->segments.n; i++)
		row[i] = (struct catalog_segment){
			.id = p[i].id, .segment = p[i].name, .sensor = s->sensor, .path = p[i].path, .packets = p[i].packets,
			.bytes = p[i].bytes, .uncompressed = p[i].uncompressed, .from = p[i].covers ? p[i].min : INT64_MIN,
			.to = p[i].covers ? p[i].max : INT64_MIN, .options = s->options, .schema = SCHEMA_VERSION,
			.state = p[i].refused ? "refused" : "stored", .reason = p[i].refused ? p[i].reason : NULL,
			.commit = s->catalog.commit + 1, .simulated = p[i].simulated,
		};
	int rc = 0;
	for (uint32_t i = 0; !rc && i < s->segments.n; i++)
		rc = forget_refused(s, p[i].name, e);
	if (!rc)
		rc = catalog_insert(&s->catalog, FEED_SEGMENTS, row, s->segments.n, e);
	vector_fini(&rows, s->env, sizeof *row);
	return rc;
}

struct part_text {
	char day[16], path[1 + ROLLUPS][PART_PATH];
};

/* A part's own row, and those of its rollups. */
static uint32_t part_rows(const char *sensor, const struct part *p, struct part_text *text, struct catalog_part *row)
{
	uint32_t n = (uint32_t)part_numbers(p->table);
	part_day(p->day, text->day);
	part_path(p, sensor, text->path[0]);
	for (uint32_t i = 0; i < n; i++) {
		row[i] = (struct catalog_part){ .id = p->id + i, .table = shape_name(p->table, p->v4), .day = text->day,
		                                .sensor = sensor, .path = text->path[i], .rows = p->rows, .bytes = p->bytes,
		                                .from = p->from, .to = p->to, .digest = p->digest };
		if (!i)
			continue;
		part_rollup_path(p, (enum rollup_kind)(i - 1), sensor, text->path[i]);
		row[i].table = rollup_name((enum rollup_kind)(i - 1));
		row[i].rows = p->rollup[i - 1].rows;
		row[i].bytes = p->rollup[i - 1].bytes;
		row[i].digest = p->rollup[i - 1].digest;
	}
	return n;
}

int commit_insert_parts(struct store *s, const char *sensor, const struct part *part, uint32_t n, struct error *e)
{
	struct vector rows = { 0 }, texts = { 0 };
	struct catalog_part *row = vector_add(&rows, s->env, sizeof *row, (1 + ROLLUPS) * n);
	struct part_text *text = vector_add(&texts, s->env, sizeof *text, n);
	int rc = n && (!row || !text) ? error_no_memory(e, "committing") : 0;
	uint32_t made = 0;
	for (uint32_t i = 0; !rc && i < n; i++)
		made += part_rows(sensor, &part[i], &text[i], row + made);
	for (uint32_t i = 0; !rc && i < made; i++)
		catalog_touch(&s->catalog, KEPT_PARTS, row[i].id); /* a number that was given out before others' commit */
	if (!rc)
		rc = catalog_insert(&s->catalog, FEED_PARTS, row, made, e);
	vector_fini(&rows, s->env, sizeof *row);
	vector_fini(&texts, s->env, sizeof *text);
	return rc;
}

int commit_delete_parts(struct store *s, const struct parts *gone, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < gone->n; i++) {
		const struct part *p = &gone->part[i];
		uint64_t last = p->id + part_numbers(p->table) - 1;
		rc = duck_run(s->catalog.con, e, "DELETE FROM parts WHERE id BETWEEN %llu AND %llu", (unsigned long long)p->id,
		              (unsigned long long)last);
		for (uint64_t id = p->id; id <= last; id++)
			catalog_touch(&s->catalog, KEPT_PARTS, id);
	}
	return rc;
}

static int delete_replaced(struct store *s, struct error *e)
{
	char where[200];
	snprintf(where, sizeof where, "sensor = '%s' AND minute IN (SELECT minute FROM shared)", s->sensor);
	int rc = commit_delete_parts(s, &s->replaced, e);
	if (!rc && s->plan_minutes.n)
		rc = catalog_touch_where(&s->catalog, KEPT_WINDOWS, where, e);
	if (!rc && s->plan_minutes.n)
		rc = duck_run(s->catalog.con, e, "DELETE FROM windows WHERE %s", where);
	return rc;
}

static int insert_windows(struct store *s, struct error *e)
{
	struct catalog_window *w = s->windows.item;
	for (uint32_t i = 0; i < s->windows.n; i++)
		w[i].revision = (uint32_t)(s->catalog.commit + 1);
	return catalog_insert(&s->catalog, FEED_WINDOWS, w, s->windows.n, e);
}

/* Ranges of equal N and mode that overlap or adjoin become one: of those that the new ones can reach. A live sensor has
 * one range, so. Of two that differ and overlap, the one that begins first has the time of both; what is left of the other
 * is its own, and where nothing is, what it lost is told with the first. */
#define COVER "CREATE OR REPLACE TEMP TABLE merged AS " \
	"WITH starts AS (SELECT *, CASE WHEN from_ns - 1 <= max(to_ns) OVER (PARTITION BY addresses, mode ORDER BY from_ns, " \
	"to_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS start FROM coverage " \
	"WHERE %s), " \
	"islands AS (SELECT *, sum(start) OVER (PARTITION BY addresses, mode ORDER BY from_ns, to_ns ROWS UNBOUNDED " \
	"PRECEDING) AS island FROM starts), " \
	"whole AS (SELECT sensor, min(from_ns) AS a, max(to_ns) AS b, addresses, mode, sum(dropped) AS dropped FROM islands " \
	"GROUP BY sensor, addresses, mode, island), " \
	"cut AS (SELECT *, greatest(a, coalesce(max(b) OVER (ORDER BY a, b, mode, addresses ROWS BETWEEN UNBOUNDED PRECEDING " \
	"AND 1 PRECEDING) + 1, a)) AS begin FROM whole), " \
	"kept AS (SELECT *, sum(CASE WHEN begin <= b THEN 1 ELSE 0 END) OVER (ORDER BY a, b, mode, addresses ROWS UNBOUNDED " \
	"PRECEDING) AS range FROM cut) " \
	"SELECT any_value(sensor), min(begin) FILTER (begin <= b), max(b) FILTER (begin <= b), any_value(addresses) " \
	"FILTER (begin <= b), any_value(mode) FILTER (begin <= b), CAST(sum(dropped) AS UBIGINT), CAST(%llu AS UBIGINT) " \
	"FROM kept GROUP BY range"

/* The new ranges are in the table already. */
static int merge_coverage(struct store *s, int64_t from, int64_t to, struct error *e)
{
	char where[200];
	snprintf(where, sizeof where, "sensor = '%s' AND to_ns >= %lld AND from_ns <= %lld", s->sensor,
	         (long long)(from == INT64_MIN ? from : from - 1), (long long)(to == INT64_MAX ? to : to + 1));
	int rc = catalog_touch_where(&s->catalog, KEPT_COVERAGE, where, e);
	if (!rc)
		rc = duck_run(s->catalog.con, e, COVER, where, (unsigned long long)s->catalog.commit + 1);
	if (!rc)
		rc = duck_run(s->catalog.con, e, "DELETE FROM coverage WHERE %s", where);
	return rc ? rc : duck_run(s->catalog.con, e, "INSERT INTO coverage SELECT * FROM merged");
}

/* What was observed: of a file the time from its least to its greatest timestamp. */
static int cover(struct store *s, struct error *e)
{
	struct vector rows = { 0 };
	const struct pending *p = s->segments.item;
	int64_t from = INT64_MAX, to = INT64_MIN;
	int rc = 0;
	for (uint32_t i = 0; !rc && i < s->segments.n; i++) {
		if (p[i].refused || !p[i].covers)
			continue;
		struct catalog_coverage *row = vector_add(&rows, s->env, sizeof *row, 1);
		if (row)
			*row = (struct catalog_coverage){ s->sensor, p[i].min, p[i].max, s->addresses, mode_name(p[i].mode),
			                                  p[i].dropped, s->catalog.commit + 1 };
		else
			rc = error_no_memory(e, "committing");
		from = p[i].min < from ? p[i].min : from;
		to = p[i].max > to ? p[i].max : to;
	}
	if (!rc)
		rc = catalog_insert(&s->catalog, FEED_COVERAGE, rows.item, rows.n, e);
	vector_fini(&rows, s->env, sizeof(struct catalog_coverage));
	return rc || from > to ? rc : merge_coverage(s, from, to, e);
}

static int tell_sensor(struct store *s, struct error *e)
{
	char monitored[DUCK_PATH];
	if (!duck_quote(s->monitored, monitored))
		monitored[0] = 0;
	int rc = duck_run(s->catalog.con, e, "DELETE FROM sensors WHERE sensor = '%s'", s->sensor);
	return rc ? rc : duck_run(s->catalog.con, e, "INSERT INTO sensors VALUES ('%s', %llu, %llu, %s)", s->sensor,
	                          (unsigned long long)XXH3_64bits(s->sensor, strlen(s->sensor)),
	                          (unsigned long long)s->addresses, monitored[0] ? monitored : "''");
}

int commit_write_numbers(struct store *s, uint32_t segments, struct error *e)
{
	return duck_run(s->catalog.con, e, "UPDATE meta SET value = CASE key WHEN 'commit' THEN %llu WHEN 'segment' THEN %u "
	                "WHEN 'part' THEN %llu ELSE value END", (unsigned long long)s->catalog.commit + 1,
	                s->catalog.next_segment + segments, (unsigned long long)s->stage.next_part);
}

/* ---- The transaction ---- */
struct changes {
	struct store *store;
	uint32_t n_parts;
};

static int write_catalog(void *ctx, struct error *e)
{
	const struct changes *c = ctx;
	struct store *s = c->store;
	int rc = insert_segments(s, e);
	if (!rc)
		rc = delete_replaced(s, e);
	if (!rc)
		rc = catalog_insert(&s->catalog, FEED_MINUTES, s->minutes.item, s->minutes.n, e);
	if (!rc)
		rc = insert_windows(s, e);
	if (!rc)
		rc = month_forget(s, c->n_parts, e);
	if (!rc)
		rc = commit_insert_parts(s, s->sensor, s->stage.parts.part, c->n_parts, e);
	if (!rc)
		rc = cover(s, e);
	if (!rc)
		rc = tell_sensor(s, e);
	return rc ? rc : commit_write_numbers(s, s->segments.n, e);
}

/* Parts of the segment at hand are not the commit's: they go to the end. */
static uint32_t accepted_first(struct store *s)
{
	struct parts *v = &s->stage.parts;
	uint32_t n = 0;
	for (uint32_t i = 0; i < v->n; i++) {
		if (s->at_hand && v->part[i].segment == s->stage.segment)
			continue;
		struct part p = v->part[i];
		v->part[i] = v->part[n];
		v->part[n++] = p;
	}
	return n;
}

static void clear(struct store *s, uint32_t n_parts)
{
	struct pending *p = s->segments.item;
	struct parts *v = &s->stage.parts;
	s->catalog.commit++;
	s->catalog.next_segment += s->segments.n;
	for (uint32_t i = 0; i < s->segments.n; i++)
		env_free(s->env, p[i].path, strlen(p[i].path) + 1);
	s->segments.n = s->minutes.n = s->windows.n = 0;
	memmove(v->part, v->part + n_parts, (v->n - n_parts) * sizeof *v->part);
	v->n -= n_parts;
	s->stage.rows = 0;
	plan_clear(s);
}

/* ---- After the transaction ---- */
static int unlink_doomed(struct store *s, const struct doomed *d, struct error *e)
{
	struct part_writer of = { .folder = &s->folder, .sensor = d->sensor };
	return part_unlink(&of, &d->part, e);
}

/* `oldest`: no snapshot before it is left. */
static int remove_doomed(struct store *s, uint64_t oldest, struct error *e)
{
	struct doomed *d = s->doomed.item;
	uint32_t kept = 0;
	int rc = 0;
	for (uint32_t i = 0; i < s->doomed.n; i++) {
		if (!rc && d[i].commit <= oldest)
			rc = unlink_doomed(s, &d[i], e);
		else
			d[kept++] = d[i];
	}
	s->doomed.n = kept;
	return rc;
}

static int doom(struct store *s, const char *sensor, const struct parts *gone, struct error *e)
{
	struct doomed *to = vector_add(&s->doomed, s->env, sizeof *to, gone->n);
	if (gone->n && !to)
		return error_no_memory(e, "remembering parts");
	for (uint32_t i = 0; i < gone->n; i++) {
		to[i] = (struct doomed){ .part = gone->part[i], .commit = s->catalog.commit };
		snprintf(to[i].sensor, sizeof to[i].sensor, "%s", sensor);
	}
	return 0;
}

int commit_finish(struct store *s, const char *sensor, const struct parts *gone, struct error *e)
{
	int rc = catalog_snapshot(&s->catalog, e);
	if (!rc)
		rc = doom(s, sensor, gone, e);
	return rc ? rc : remove_doomed(s, s->catalog.oldest, e);
}

int commit_tidy(struct store *s, struct error *e)
{
	if (s->catalog.based_on != s->catalog.commit)
		return 0; /* the last commit has no snapshot: the one before needs them */
	int rc = s->catalog.first_made ? catalog_tidy(&s->catalog, e) : 0;
	if (!rc)
		rc = month_unlink(s, e);
	if (!rc)
		rc = fold_unlink(s, UINT64_MAX, e);
	return rc ? rc : remove_doomed(s, UINT64_MAX, e);
}

int store_commit(struct store *s, struct error *e)
{
	if (!s->segments.n)
		return 0;
	int rc = stage_flush(&s->stage, !s->at_hand, e);
	uint32_t n_parts = accepted_first(s);
	struct changes changes = { s, n_parts };
	int32_t from = INT32_MAX, to = INT32_MIN;
	for (uint32_t i = 0; i < n_parts; i++) {
		int32_t day = s->stage.parts.part[i].day;
		from = day < from ? day : from;
		to = day > to ? day : to;
	}
	if (!rc)
		rc = catalog_transact(&s->catalog, write_catalog, &changes, e);
	if (rc)
		return rc;
	clear(s, n_parts);
	rc = commit_finish(s, s->sensor, &s->replaced, e);
	s->replaced.n = 0;
	return rc || from > to ? rc : compact_days(s, from, to, e);
}
