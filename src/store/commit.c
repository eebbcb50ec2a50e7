/* A commit: parts, one transaction, a snapshot, then what was replaced is removed (docs/formats/store.md). */
#include "store/duck.h"
#include "store/state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

/* Only SCHEMA_VERSION is wanted of the list of columns. */
#define TABLE(...)
#define KEY(...)
#define COL(...)
#define END(...)
#include "model/tables.def"

/* ---- Rows for the catalog ---- */
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
		rc = duck_run(s->catalog.con, e, "DELETE FROM segments WHERE segment = '%s' AND sensor = '%s' AND "
		              "state = 'refused'", p[i].name, s->sensor);
	if (!rc)
		rc = catalog_insert(&s->catalog, FEED_SEGMENTS, row, s->segments.n, e);
	vector_fini(&rows, s->env, sizeof *row);
	return rc;
}

struct part_text {
	char day[16], path[1 + ROLLUPS][PART_PATH];
};

/* A part's own row, and those of its rollups. */
static uint32_t part_rows(const struct store *s, const struct part *p, struct part_text *text, struct catalog_part *row)
{
	uint32_t n = (uint32_t)part_numbers(p->table);
	part_day(p->day, text->day);
	part_path(p, s->sensor, text->path[0]);
	for (uint32_t i = 0; i < n; i++) {
		row[i] = (struct catalog_part){ .id = p->id + i, .table = shape_name(p->table, p->v4), .day = text->day,
		                                .sensor = s->sensor, .path = text->path[i], .rows = p->rows, .bytes = p->bytes,
		                                .from = p->from, .to = p->to, .digest = p->digest };
		if (!i)
			continue;
		part_rollup_path(p, (enum rollup_kind)(i - 1), s->sensor, text->path[i]);
		row[i].table = rollup_name((enum rollup_kind)(i - 1));
		row[i].rows = p->rollup[i - 1].rows;
		row[i].bytes = p->rollup[i - 1].bytes;
		row[i].digest = p->rollup[i - 1].digest;
	}
	return n;
}

static int insert_parts(struct store *s, uint32_t n, struct error *e)
{
	struct vector rows = { 0 }, texts = { 0 };
	struct catalog_part *row = vector_add(&rows, s->env, sizeof *row, (1 + ROLLUPS) * n);
	struct part_text *text = vector_add(&texts, s->env, sizeof *text, n);
	int rc = n && (!row || !text) ? error_no_memory(e, "committing") : 0;
	uint32_t made = 0;
	for (uint32_t i = 0; !rc && i < n; i++)
		made += part_rows(s, &s->stage.parts.part[i], &text[i], row + made);
	if (!rc)
		rc = catalog_insert(&s->catalog, FEED_PARTS, row, made, e);
	vector_fini(&rows, s->env, sizeof *row);
	vector_fini(&texts, s->env, sizeof *text);
	return rc;
}

static int delete_replaced(struct store *s, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < s->replaced.n; i++) {
		const struct part *p = &s->replaced.part[i];
		rc = duck_run(s->catalog.con, e, "DELETE FROM parts WHERE id BETWEEN %llu AND %llu", (unsigned long long)p->id,
		              (unsigned long long)(p->id + part_numbers(p->table) - 1));
	}
	if (!rc && s->plan_minutes.n)
		rc = duck_run(s->catalog.con, e, "DELETE FROM windows WHERE sensor = '%s' AND minute IN (SELECT "
		              "minute FROM shared)", s->sensor);
	return rc;
}

static int insert_windows(struct store *s, struct error *e)
{
	struct catalog_window *w = s->windows.item;
	for (uint32_t i = 0; i < s->windows.n; i++)
		w[i].revision = (uint32_t)(s->catalog.commit + 1);
	return catalog_insert(&s->catalog, FEED_WINDOWS, w, s->windows.n, e);
}

/* Ranges of equal N and mode that overlap become one. */
#define COVER "CREATE OR REPLACE TEMP TABLE merged AS " \
	"WITH starts AS (SELECT *, CASE WHEN from_ns <= max(to_ns) OVER (PARTITION BY addresses, mode ORDER BY from_ns, " \
	"to_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS start FROM coverage " \
	"WHERE sensor = '%s'), " \
	"islands AS (SELECT *, sum(start) OVER (PARTITION BY addresses, mode ORDER BY from_ns, to_ns ROWS UNBOUNDED " \
	"PRECEDING) AS island FROM starts) " \
	"SELECT sensor, min(from_ns), max(to_ns), addresses, mode, CAST(sum(dropped) AS UBIGINT) FROM islands " \
	"GROUP BY sensor, addresses, mode, island"

/* What was observed: of a file the time from its least to its greatest timestamp. */
static int cover(struct store *s, struct error *e)
{
	struct vector rows = { 0 };
	const struct pending *p = s->segments.item;
	int rc = 0;
	for (uint32_t i = 0; !rc && i < s->segments.n; i++) {
		if (p[i].refused || !p[i].covers)
			continue;
		struct catalog_coverage *row = vector_add(&rows, s->env, sizeof *row, 1);
		if (row)
			*row = (struct catalog_coverage){ s->sensor, p[i].min, p[i].max, s->addresses, "silent",
			                                  p[i].dropped };
		else
			rc = error_no_memory(e, "committing");
	}
	if (!rc)
		rc = catalog_insert(&s->catalog, FEED_COVERAGE, rows.item, rows.n, e);
	vector_fini(&rows, s->env, sizeof(struct catalog_coverage));
	if (rc)
		return rc;
	rc = duck_run(s->catalog.con, e, COVER, s->sensor);
	if (!rc)
		rc = duck_run(s->catalog.con, e, "DELETE FROM coverage WHERE sensor = '%s'", s->sensor);
	return rc ? rc : duck_run(s->catalog.con, e, "INSERT INTO coverage SELECT * FROM merged");
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

static int write_meta(struct store *s, struct error *e)
{
	return duck_run(s->catalog.con, e, "UPDATE meta SET value = CASE key WHEN 'commit' THEN %llu WHEN 'segment' THEN %u "
	                "WHEN 'part' THEN %llu ELSE value END", (unsigned long long)s->catalog.commit + 1,
	                s->catalog.next_segment + s->segments.n, (unsigned long long)s->stage.next_part);
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
		rc = insert_parts(s, c->n_parts, e);
	if (!rc)
		rc = cover(s, e);
	if (!rc)
		rc = tell_sensor(s, e);
	return rc ? rc : write_meta(s, e);
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

static int remove_replaced(struct store *s, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < s->replaced.n; i++)
		rc = part_unlink(&s->stage.writer[0], &s->replaced.part[i], e);
	s->replaced.n = 0;
	return rc;
}

int store_commit(struct store *s, struct error *e)
{
	if (!s->segments.n)
		return 0;
	int rc = stage_flush(&s->stage, !s->at_hand, e);
	uint32_t n_parts = accepted_first(s);
	struct changes changes = { s, n_parts };
	if (!rc)
		rc = catalog_transact(&s->catalog, write_catalog, &changes, e);
	if (rc)
		return rc;
	clear(s, n_parts);
	rc = catalog_snapshot(&s->catalog, e);
	return rc ? rc : remove_replaced(s, e);
}
