/* Many small parts of a day become one (docs/decisions/store.md, "Many small parts"). Rows stay as they are, and so does
 * their digest: it is a commit of its own that replaces parts by one that has all their rows.
 */
#include "store/duck.h"
#include "store/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SMALL_ROWS (1u << 19)  /* a part of more is left alone */
#define JOINED_ROWS (1u << 20) /* a part as large as staging makes them */
#define JOINED_PARTS 512       /* read at once, at the most */
#define TIER_PARTS 8           /* parts of about one size that are too many */
#define COMMIT_JOINTS 64       /* made before they are committed, when a whole store is gone through */
#define COMPACT_MEMORY (1024u << 20)

/* Tables whose parts have rows; rollups go with those of their flows. */
#define ROWS_OF "regexp_matches(table_name, '^(flow|flow_payload|victim_second|source_evidence)[46]$')"

#define NO_DIGEST "00000000-0000-0000-0000-000000000000" /* a part of schema 1 */

/* ---- Parts of the catalog ---- */
static int take_part(struct parts *found, const struct env *env, void *const column[7], idx_t i, struct error *e)
{
	const duckdb_string_t *table = (duckdb_string_t *)column[1] + i;
	duckdb_string_t name = *table;
	const duckdb_hugeint *digest = (duckdb_hugeint *)column[6] + i;
	struct part p = { .id = ((uint64_t *)column[0])[i], .day = ((int32_t *)column[2])[i],
	                  .from = ((int32_t *)column[3])[i], .to = ((int32_t *)column[4])[i],
	                  .rows = ((uint64_t *)column[5])[i] };
	p.digest = (struct digest){ digest->lower, (uint64_t)digest->upper ^ 1ull << 63 };
	int rc = part_table(&p, duckdb_string_t_data(&name), duckdb_string_t_length(name), e);
	return rc ? rc : parts_add(found, env, &p, e);
}

int parts_find(struct store *s, struct parts *found, struct error *e, const char *rest, ...)
{
	char where[2048];
	duckdb_result result;
	va_list ap;
	va_start(ap, rest);
	int n = vsnprintf(where, sizeof where, rest, ap);
	va_end(ap);
	if (n >= (int)sizeof where)
		return error_set(e, -E2BIG, "MON-STO-005", "DuckDB: a statement is too long");
	int rc = duck_query(s->catalog.con, &result, e, "SELECT id, table_name, CAST(day - DATE '1970-01-01' AS INTEGER), "
	                    "from_minute, to_minute, rows, coalesce(digest, CAST('" NO_DIGEST "' AS UUID)) FROM parts "
	                    "%s", where);
	if (rc)
		return rc;
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)); duckdb_destroy_data_chunk(&chunk)) {
		void *column[7];
		for (uint32_t k = 0; k < 7; k++)
			column[k] = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, k));
		for (idx_t i = 0; !rc && i < duckdb_data_chunk_get_size(chunk); i++)
			rc = take_part(found, s->env, column, i, e);
	}
	int ended = duck_end(&result, rc ? NULL : e);
	return rc ? rc : ended;
}

/* ---- Joining ---- */
struct compaction {
	struct store *s;
	const char *sensor;
	struct parts gone, made; /* by the next commit */
	struct store_compacted *out;
};

static int join(struct compaction *c, const struct part *from, uint32_t n, struct error *e)
{
	struct store *s = c->s;
	struct part made = { .id = s->stage.next_part, .table = from->table, .v4 = from->v4, .day = from->day };
	s->stage.next_part += part_numbers(made.table);
	int rc = part_join(&s->stage.writer[0], from, n, &made, e);
	if (!rc)
		rc = parts_add(&c->made, s->env, &made, e);
	for (uint32_t i = 0; !rc && i < n; i++)
		rc = parts_add(&c->gone, s->env, &from[i], e);
	c->out->parts += n;
	c->out->into++;
	return rc;
}

/* Sizes within a factor of eight are one tier; below the first, a part costs what it costs however short it is. */
static int tier_of(const struct part *p) { return p->rows < SMALL_ROWS >> 6 ? 0 : p->rows < SMALL_ROWS >> 3 ? 1 : 2; }

static bool goes_with(const struct part *a, const struct part *b, bool tiers)
{
	return a->table == b->table && a->v4 == b->v4 && a->day == b->day && (!tiers || tier_of(a) == tier_of(b));
}

static int write_catalog(void *ctx, struct error *e)
{
	struct compaction *c = ctx;
	int rc = commit_delete_parts(c->s, &c->gone, e);
	if (!rc)
		rc = commit_insert_parts(c->s, c->sensor, c->made.part, c->made.n, e);
	return rc ? rc : commit_write_numbers(c->s, 0, e);
}

static int commit(struct compaction *c, struct error *e)
{
	struct store *s = c->s;
	if (!c->made.n)
		return 0;
	int rc = catalog_transact(&s->catalog, write_catalog, c, e);
	if (rc)
		return rc;
	s->catalog.commit++;
	rc = commit_finish(s, c->sensor, &c->gone, e);
	c->gone.n = c->made.n = 0;
	return rc;
}

/* Parts in an order in which those that go together follow each other. Those of at least `least` are joined. */
static int join_runs(struct compaction *c, const struct parts *found, uint32_t least, bool tiers, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0, n; !rc && i < found->n; i += n) {
		const struct part *first = &found->part[i];
		uint64_t rows = first->rows;
		for (n = 1; i + n < found->n && n < JOINED_PARTS && goes_with(first, first + n, tiers); n++) {
			rows += first[n].rows;
			if (rows > JOINED_ROWS)
				break;
		}
		if (n >= least)
			rc = join(c, first, n, e);
		if (!rc && c->made.n >= COMMIT_JOINTS)
			rc = commit(c, e);
	}
	return rc;
}

/* What was written for nothing; what cannot be removed the next writer removes. */
static void forget(struct compaction *c)
{
	struct error ignored;
	for (uint32_t i = 0; i < c->made.n; i++)
		if (part_unlink(&c->s->stage.writer[0], &c->made.part[i], &ignored))
			continue;
	parts_fini(&c->gone, c->s->env);
	parts_fini(&c->made, c->s->env);
}

/* ---- At a commit ---- */
/* What a day that is over has left, when the first rows of a later one come. */
static int find_ended(struct store *s, struct parts *found, int32_t to, struct error *e)
{
	int64_t before;
	int rc = 0;
	if (s->newest_day == INT32_MIN) {
		rc = duck_number(s->catalog.con, &before, e, "SELECT CAST(coalesce(max(day) - DATE '1970-01-01', %d) AS BIGINT) "
		                 "FROM parts WHERE sensor = '%s' AND day < DATE '1970-01-01' + %d", to, s->sensor, to);
		s->newest_day = (int32_t)before;
	}
	if (rc || s->newest_day >= to)
		return rc;
	rc = parts_find(s, found, e, "WHERE sensor = '%s' AND day = DATE '1970-01-01' + %d AND rows < %u AND " ROWS_OF
	                " ORDER BY table_name, id", s->sensor, s->newest_day, SMALL_ROWS);
	s->newest_day = to;
	return rc;
}

/* But of the day `ended`, whose parts are joined already: a commit over midnight adds to both. */
static int find_tiers(struct store *s, struct parts *found, int32_t from, int32_t to, int32_t ended, struct error *e)
{
	return parts_find(s, found, e, "WHERE sensor = '%s' AND day BETWEEN DATE '1970-01-01' + %d AND DATE '1970-01-01' + %d "
	                  "AND day <> DATE '1970-01-01' + %d AND rows < %u AND " ROWS_OF " ORDER BY table_name, day, rows >= "
	                  "%u, rows >= %u, id", s->sensor, from, to, ended, SMALL_ROWS, SMALL_ROWS >> 6, SMALL_ROWS >> 3);
}

/* The commit itself is done. Parts that cannot be joined (one may be damaged) stay as they are: rows that come must not
 * wait for it. */
int compact_days(struct store *s, int32_t from, int32_t to, struct error *e)
{
	struct store_compacted done = { 0 };
	struct compaction c = { .s = s, .sensor = s->sensor, .out = &done };
	struct parts ended = { 0 }, tiers = { 0 };
	struct error why;
	if (s->leave_parts)
		return 0;
	int rc = find_ended(s, &ended, to, e);
	if (!rc)
		rc = find_tiers(s, &tiers, from, to, ended.n ? ended.part[0].day : to + 1, e);
	if (!rc && (join_runs(&c, &ended, 2, false, &why) || join_runs(&c, &tiers, TIER_PARTS, true, &why)))
		s->leave_parts = true;
	if (!rc && !s->leave_parts)
		rc = commit(&c, e);
	parts_fini(&ended, s->env);
	parts_fini(&tiers, s->env);
	forget(&c);
	return rc;
}

/* ---- A whole store ---- */
static int compact_sensor(struct compaction *c, struct error *e)
{
	struct parts found = { 0 };
	c->s->stage.writer[0].sensor = c->sensor;
	int rc = parts_find(c->s, &found, e, "WHERE sensor = '%s' AND rows < %u AND " ROWS_OF " ORDER BY day, table_name, id",
	                    c->sensor, SMALL_ROWS);
	if (!rc)
		rc = join_runs(c, &found, 2, false, e);
	if (!rc)
		rc = commit(c, e);
	parts_fini(&found, c->s->env);
	forget(c);
	c->s->stage.writer[0].sensor = c->s->sensor;
	return rc;
}

/* The name of the sensor after `after`; "" past the last. */
static int next_sensor(struct store *s, const char *after, char out[static STORE_SENSOR_MAX + 1], struct error *e)
{
	duckdb_result result;
	int rc = duck_query(s->catalog.con, &result, e, "SELECT sensor FROM sensors WHERE sensor > '%s' ORDER BY sensor "
	                    "LIMIT 1", after);
	if (rc)
		return rc;
	duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
	out[0] = 0;
	if (chunk && duckdb_data_chunk_get_size(chunk)) {
		duckdb_string_t *name = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
		snprintf(out, STORE_SENSOR_MAX + 1, "%.*s", (int)duckdb_string_t_length(*name), duckdb_string_t_data(name));
	}
	duckdb_destroy_data_chunk(&chunk);
	return duck_end(&result, e);
}

static int compact_all(struct store *s, struct store_compacted *out, struct error *e)
{
	char sensor[STORE_SENSOR_MAX + 1] = "", next[STORE_SENSOR_MAX + 1];
	int rc = 0;
	while (!rc && !(rc = next_sensor(s, sensor, next, e)) && next[0]) {
		memcpy(sensor, next, sizeof sensor);
		struct compaction c = { .s = s, .sensor = sensor, .out = out };
		rc = compact_sensor(&c, e);
	}
	return rc;
}

int store_compact(const struct env *env, const char *path, struct store_compacted *out, struct error *e)
{
	struct store_config config = { .path = path, .sensor = "local", .monitored = "", .options = "",
	                               .memory = COMPACT_MEMORY };
	struct folder folder;
	struct store *s;
	*out = (struct store_compacted){ 0 };
	int rc = folder_look(&folder, env, path, e);
	if (!rc)
		rc = store_open(&s, env, &config, e);
	if (rc)
		return rc;
	rc = compact_all(s, out, e);
	store_close(s);
	return rc;
}
