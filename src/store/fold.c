/* Folds over rows of victims: which days, their rows in order, what comes of them. A fold knows no detector: who drives it
 * reads rows and puts records (src/daemon/folds.c).
 *
 * `meta.folded` is the commit up to which the tables are right: what a later one added to is found by its segments. So a
 * crash before the fold's own commit leaves tables that are of an earlier commit, and the next writer folds again.
 */
#include "store/fold.h"

#include "store/duck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH "DATE '1970-01-01'"
#define VICTIMS "table_name IN ('victim_second4', 'victim_second6')"
#define DAY INT64_C(86400)

#define BUFFERED 65536              /* rows of a table that wait for a part */
#define BUFFERED_HEAP (32u << 20)   /* bytes of states */

struct made { /* a part, not in the catalog yet */
	struct catalog_part row; /* its texts are set when it has its place */
	enum store_derived table;
	int32_t day;
};

struct step { /* how many monitored addresses there are from a second on */
	int64_t second;
	int64_t change;
	int64_t unknown; /* sensors more that do not say */
};

struct store_fold {
	struct store *s;
	uint32_t version;
	duckdb_connection con; /* rows stream from it, while parts are written by another */
	struct vector days;    /* int32_t, ascending: still to be folded */
	struct vector folded;  /* int32_t: done */
	struct vector made;    /* struct made */
	struct vector steps;   /* struct step, of the day: sums from the first on */
	int32_t day;
	bool v4;               /* the family whose rows come */
	duckdb_result result;
	bool streaming;
	duckdb_data_chunk chunk;
	uint32_t at, n;
	struct vector rows[STORE_DERIVED]; /* that wait for a part */
	struct vector heap;    /* bytes: their states */
	enum store_derived heap_of;
};

static int no_memory(struct error *e) { return error_no_memory(e, "folding a day"); }

/* ---- Which days ---- */
static int compare_days(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

static int find_days(struct store_fold *f, int64_t folded, struct error *e)
{
	duckdb_result result;
	int rc = duck_query(f->s->catalog.con, &result, e,
	                    "SELECT DISTINCT CAST(day - " EPOCH " AS INTEGER) FROM parts WHERE (" VICTIMS " OR " DERIVED_TABLES
	                    ") AND day - " EPOCH " >= %lld AND EXISTS (SELECT 1 FROM segments WHERE state = 'stored' AND "
	                    "\"commit\" > %lld AND floor((from_ns::DOUBLE - 1000) / 86400e9) <= day - " EPOCH " AND "
	                    "floor((to_ns::DOUBLE + 1000) / 86400e9) >= day - " EPOCH ") ORDER BY 1",
	                    (long long)f->s->catalog.detail_before, (long long)folded);
	return rc ? rc : vector_take(&f->days, f->s->env, sizeof(int32_t), &result, "folding a day", e);
}

static int is_there(struct store_fold *f, int32_t day, bool *out, struct error *e)
{
	int64_t n;
	int rc = duck_number(f->s->catalog.con, &n, e, "SELECT count(*) FROM parts WHERE (" VICTIMS " OR " DERIVED_TABLES
	                     ") AND day = " EPOCH " + %d", day);
	*out = n > 0;
	return rc;
}

static int add_day(struct store_fold *f, int32_t day, struct error *e)
{
	const int32_t *days = f->days.item;
	for (uint32_t i = 0; i < f->days.n; i++)
		if (days[i] == day)
			return 0;
	int32_t *to = vector_add(&f->days, f->s->env, sizeof *to, 1);
	if (!to)
		return no_memory(e);
	*to = day;
	qsort(f->days.item, f->days.n, sizeof *to, compare_days);
	return 0;
}

int store_fold_open(struct store *s, uint32_t version, struct store_fold **out, struct error *e)
{
	int64_t folded, by;
	*out = NULL;
	int rc = duck_number(s->catalog.con, &folded, e, "SELECT value FROM meta WHERE key = 'folded'");
	if (!rc)
		rc = duck_number(s->catalog.con, &by, e, "SELECT value FROM meta WHERE key = 'fold_version'");
	if (rc || (folded == (int64_t)s->catalog.commit && by == version))
		return rc;
	struct store_fold *f = env_alloc(s->env, sizeof *f);
	if (!f)
		return no_memory(e);
	*f = (struct store_fold){ .s = s, .version = version };
	rc = duck_connect(s->catalog.db, &f->con, e);
	if (!rc)
		rc = find_days(f, by == version ? folded : -1, e);
	if (rc || !f->days.n) {
		store_fold_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

/* ---- N ---- */
/* Whole seconds; of a sensor's two ranges that meet in one, the first has it. */
#define RANGES "FROM (SELECT greatest(from_ns // 1000000000, coalesce(lag(to_ns // 1000000000) OVER (PARTITION BY sensor " \
	"ORDER BY from_ns) + 1, from_ns // 1000000000)) AS a, to_ns // 1000000000 AS b, addresses FROM coverage WHERE " \
	"to_ns // 86400000000000 >= %d AND from_ns // 86400000000000 <= %d) WHERE a <= b"
#define STEPS "SELECT second, CAST(sum(sum(change)) OVER (ORDER BY second) AS BIGINT), CAST(sum(sum(unknown)) OVER " \
	"(ORDER BY second) AS BIGINT) FROM (SELECT a AS second, coalesce(addresses, 0)::BIGINT AS change, " \
	"(addresses IS NULL OR addresses = 0)::BIGINT AS unknown " RANGES " UNION ALL SELECT b + 1, " \
	"-coalesce(addresses, 0)::BIGINT, -(addresses IS NULL OR addresses = 0)::BIGINT " RANGES ") GROUP BY second " \
	"ORDER BY second"

static int load_steps(struct store_fold *f, struct error *e)
{
	duckdb_result result;
	f->steps.n = 0;
	int rc = duck_query(f->con, &result, e, STEPS, f->day, f->day, f->day, f->day);
	if (rc)
		return rc;
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)); duckdb_destroy_data_chunk(&chunk)) {
		uint32_t n = (uint32_t)duckdb_data_chunk_get_size(chunk);
		struct step *to = rc ? NULL : vector_add(&f->steps, f->s->env, sizeof *to, n);
		const int64_t *column[3];
		for (uint32_t k = 0; k < 3; k++)
			column[k] = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, k));
		for (uint32_t i = 0; to && i < n; i++)
			to[i] = (struct step){ column[0][i], column[1][i], column[2][i] };
		rc = to ? rc : no_memory(e);
	}
	int ended = duck_end(&result, rc ? NULL : e);
	return rc ? rc : ended;
}

static uint64_t addresses_at(const struct store_fold *f, int64_t second)
{
	const struct step *step = f->steps.item;
	uint32_t from = 0, to = f->steps.n;
	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		if (step[middle].second <= second)
			from = middle + 1;
		else
			to = middle;
	}
	return !from || step[from - 1].unknown || step[from - 1].change < 0 ? 0 : (uint64_t)step[from - 1].change;
}

/* ---- Rows of a day ---- */
static int list_rows(struct store_fold *f, const char *root, struct error *e)
{
	return duck_run(f->con, e, "SET VARIABLE fold_rows = (SELECT coalesce(list(%s || path ORDER BY id), []) FROM parts "
	                "WHERE table_name = 'victim_second%d' AND day = " EPOCH " + %d)", root, f->v4 ? 4 : 6, f->day);
}

static enum store_derived state_table(bool v4) { return v4 ? STORE_STATE4 : STORE_STATE6; }

static bool was_folded(const struct store_fold *f, int32_t day)
{
	const int32_t *done = f->folded.item;
	for (uint32_t i = 0; i < f->folded.n; i++)
		if (done[i] == day)
			return true;
	return false;
}

static void path_of(enum store_derived table, int32_t day, uint64_t id, char out[static PART_PATH])
{
	char text[16];
	part_day(day, text);
	snprintf(out, PART_PATH, "parquet/%s/day=%s/sensor=" DERIVED_SENSOR "/part-%08llu.parquet", derived_name(table), text,
	         (unsigned long long)id);
}

/* States at the end of a day into a variable: those of this fold, or what the catalog names. */
static int list_states(struct store_fold *f, const char *variable, int32_t day, bool made, const char *root,
                       struct error *e)
{
	enum store_derived table = state_table(f->v4);
	const struct made *m = f->made.item;
	char path[PART_PATH];
	int rc = duck_run(f->con, e, "SET VARIABLE %s = (SELECT coalesce(list(%s || path ORDER BY id), []) FROM parts WHERE "
	                  "table_name = '%s' AND day = " EPOCH " + %d AND NOT %s)", variable, root, derived_name(table), day,
	                  made ? "true" : "false");
	for (uint32_t i = 0; !rc && made && i < f->made.n; i++) {
		if (m[i].table != table || m[i].day != day)
			continue;
		path_of(table, day, m[i].row.id, path);
		rc = duck_run(f->con, e, "SET VARIABLE %s = list_append(getvariable('%s'), %s || '%s')", variable, variable, root,
		              path);
	}
	return rc;
}

static int has_files(struct store_fold *f, const char *variable, bool *out, struct error *e)
{
	int64_t n;
	int rc = duck_number(f->con, &n, e, "SELECT len(getvariable('%s'))", variable);
	*out = n > 0;
	return rc;
}

/* Columns that older parts lack, and the forms of both sources. */
#define NO_ROWS "SELECT NULL::%s AS victim, NULL::BIGINT AS second, NULL::UTINYINT AS protocol, NULL::USMALLINT AS port, " \
	"NULL::UINTEGER AS packets, NULL::UBIGINT AS bytes, NULL::UINTEGER AS attackers, NULL::BLOB AS state WHERE false%s"
#define READ(variable) " UNION ALL BY NAME FROM read_parquet(getvariable('" variable "'), hive_partitioning = false, " \
	"union_by_name = true)"
/* Of rows that are not known to be of a kind: what reply_kind_or says. What else they do not tell is nought. */
#define KIND "coalesce(kind, CASE WHEN protocol = 6 THEN 0 ELSE 2 END)::UTINYINT"
#define TOLD(column, by) "coalesce(" column ", " by ", 0) AS " column

static int open_stream(struct store_fold *f, struct error *e)
{
	char root[STORE_PATH], quoted[DUCK_PATH];
	bool rows = false, states = false;
	if (!folder_path(&f->s->folder, root, "%s", "") || !duck_quote(root, quoted))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = list_rows(f, quoted, e);
	if (!rc)
		rc = list_states(f, "fold_states", f->day - 1, was_folded(f, f->day - 1), quoted, e);
	if (!rc)
		rc = has_files(f, "fold_rows", &rows, e);
	if (!rc)
		rc = has_files(f, "fold_states", &states, e);
	if (!rc)
		rc = duck_query(f->con, &f->result, e, "SELECT victim, second, protocol, " KIND " AS kind, port, packets, bytes, "
		                TOLD("attackers", "packets") ", CASE WHEN kind IS NULL THEN 0::UINTEGER ELSE coalesce(forged, "
		                "packets) END AS forged, coalesce(length_min, 0)::USMALLINT, " TOLD("length_max", "length_min") ", "
		                "coalesce(ttl_min, 0)::UTINYINT, " TOLD("ttl_max", "ttl_min") ", sample, country, as_number, state "
		                "FROM (" NO_ROWS "%s%s) ORDER BY victim, second NULLS FIRST, protocol, kind, port",
		                f->v4 ? "UINTEGER" : "UUID", shape_added(STORE_VICTIM),
		                rows ? READ("fold_rows") : "", states ? READ("fold_states") : "");
	f->streaming = !rc;
	f->chunk = NULL;
	f->at = f->n = 0;
	return rc;
}

int store_fold_day(struct store_fold *f, bool *more, int64_t *until, struct error *e)
{
	int32_t *days = f->days.item;
	*more = f->days.n;
	if (!f->days.n)
		return 0;
	f->day = days[0];
	memmove(days, days + 1, --f->days.n * sizeof *days);
	f->v4 = true;
	*until = (f->day + 1) * DAY;
	int rc = load_steps(f, e);
	return rc ? rc : open_stream(f, e);
}

static void close_stream(struct store_fold *f)
{
	if (f->chunk)
		duckdb_destroy_data_chunk(&f->chunk);
	if (f->streaming)
		duckdb_destroy_result(&f->result);
	f->streaming = false;
	f->chunk = NULL;
}

/* ---- Rows out of a chunk ---- */
enum { AT_VICTIM, AT_SECOND, AT_PROTOCOL, AT_KIND, AT_PORT, AT_PACKETS, AT_BYTES, AT_ATTACKERS, AT_FORGED, AT_LENGTH_MIN,
       AT_LENGTH_MAX, AT_TTL_MIN, AT_TTL_MAX, AT_SAMPLE, AT_COUNTRY, AT_AS, AT_STATE };

static void *column_of(const struct store_fold *f, uint32_t k)
{
	return duckdb_vector_get_data(duckdb_data_chunk_get_vector(f->chunk, k));
}

static bool is_null(const struct store_fold *f, uint32_t k)
{
	uint64_t *valid = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(f->chunk, k));
	return valid && !duckdb_validity_row_is_valid(valid, f->at);
}

static struct addr victim_at(const struct store_fold *f)
{
	struct addr a;
	if (f->v4)
		return addr_from_v4(((uint32_t *)column_of(f, AT_VICTIM))[f->at]);
	const duckdb_hugeint *uuid = (const duckdb_hugeint *)column_of(f, AT_VICTIM) + f->at;
	store_be64(a.bytes, (uint64_t)uuid->upper ^ 1ull << 63);
	store_be64(a.bytes + 8, uuid->lower);
	return a;
}

static void take_sample(const struct store_fold *f, struct reply_sample *out)
{
	duckdb_string_t *s = (duckdb_string_t *)column_of(f, AT_SAMPLE) + f->at;
	uint32_t n = is_null(f, AT_SAMPLE) ? 0 : duckdb_string_t_length(*s) / 4;
	out->n = n < REPLY_SAMPLE ? n : REPLY_SAMPLE;
	for (uint32_t i = 0; i < out->n; i++)
		out->element[i] = load_be32((const uint8_t *)duckdb_string_t_data(s) + 4 * i);
}

static void take_row(const struct store_fold *f, struct victim_row *r)
{
	duckdb_string_t *country = (duckdb_string_t *)column_of(f, AT_COUNTRY) + f->at;
	*r = (struct victim_row){
		.second = ((int64_t *)column_of(f, AT_SECOND))[f->at], .bytes = ((uint64_t *)column_of(f, AT_BYTES))[f->at],
		.packets = ((uint32_t *)column_of(f, AT_PACKETS))[f->at], .port = ((uint16_t *)column_of(f, AT_PORT))[f->at],
		.attackers = ((uint32_t *)column_of(f, AT_ATTACKERS))[f->at],
		.forged = ((uint32_t *)column_of(f, AT_FORGED))[f->at],
		.length_min = ((uint16_t *)column_of(f, AT_LENGTH_MIN))[f->at],
		.length_max = ((uint16_t *)column_of(f, AT_LENGTH_MAX))[f->at],
		.ttl_min = ((uint8_t *)column_of(f, AT_TTL_MIN))[f->at], .ttl_max = ((uint8_t *)column_of(f, AT_TTL_MAX))[f->at],
		.protocol = ((uint8_t *)column_of(f, AT_PROTOCOL))[f->at], .kind = ((uint8_t *)column_of(f, AT_KIND))[f->at],
	};
	take_sample(f, &r->sample);
	r->addresses = addresses_at(f, r->second);
	if (!is_null(f, AT_COUNTRY) && duckdb_string_t_length(*country) == 2)
		memcpy(r->place.country, duckdb_string_t_data(country), 2);
	if (!is_null(f, AT_AS))
		r->place.as_number = ((uint32_t *)column_of(f, AT_AS))[f->at];
}

/* The next chunk of the day, of either family; false: no more. */
static int fetch(struct store_fold *f, bool *more, struct error *e)
{
	for (;;) {
		if (f->chunk)
			duckdb_destroy_data_chunk(&f->chunk);
		f->chunk = duckdb_fetch_chunk(f->result);
		f->at = 0;
		f->n = f->chunk ? (uint32_t)duckdb_data_chunk_get_size(f->chunk) : 0;
		*more = f->n;
		if (f->n)
			return 0;
		if (f->chunk)
			continue;
		f->streaming = false;
		int rc = duck_end(&f->result, e);
		if (rc || !f->v4)
			return rc;
		f->v4 = false;
		rc = open_stream(f, e);
		if (rc)
			return rc;
	}
}

int store_fold_next(struct store_fold *f, struct store_fold_item *out, bool *more, struct error *e)
{
	*more = true;
	if (f->at == f->n) {
		int rc = fetch(f, more, e);
		if (rc || !*more)
			return rc;
	}
	*out = (struct store_fold_item){ .victim = victim_at(f) };
	duckdb_string_t *state = (duckdb_string_t *)column_of(f, AT_STATE) + f->at;
	if (is_null(f, AT_SECOND)) {
		out->state = (const uint8_t *)duckdb_string_t_data(state);
		out->state_n = duckdb_string_t_length(*state);
	} else
		take_row(f, &out->row);
	f->at++;
	return 0;
}

/* ---- What comes of them ---- */
static int write_part(struct store_fold *f, enum store_derived table, struct error *e)
{
	struct store *s = f->s;
	char path[PART_PATH];
	struct part_file file;
	struct made *m = vector_add(&f->made, s->env, sizeof *m, 1);
	if (!m)
		return no_memory(e);
	*m = (struct made){ .table = table, .day = f->day, .row = { .id = s->stage.next_part++, .sensor = DERIVED_SENSOR,
		.table = derived_name(table), .from = f->day * 1440, .to = f->day * 1440 + 1439 } };
	path_of(table, f->day, m->row.id, path);
	int rc = part_write_derived(&s->stage.writer[0], table, path, f->rows[table].item, f->heap.item, f->rows[table].n,
	                            &file, e);
	if (rc) {
		f->made.n--;
		return rc;
	}
	m->row.rows = file.rows;
	m->row.bytes = file.bytes;
	m->row.digest = file.digest;
	f->rows[table].n = 0;
	return 0;
}

int store_fold_put(struct store_fold *f, enum store_derived table, const void *record, struct error *e)
{
	size_t width = derived_shape(table)->width;
	void *to = vector_add(&f->rows[table], f->s->env, width, 1);
	if (!to)
		return no_memory(e);
	memcpy(to, record, width);
	return f->rows[table].n < BUFFERED ? 0 : write_part(f, table, e);
}

/* States of both families share the heap, one after the other. */
int store_fold_put_state(struct store_fold *f, const struct victim_state *state, struct error *e)
{
	enum store_derived table = state_table(addr_is_v4(state->victim));
	int rc = table != f->heap_of && f->rows[f->heap_of].n ? write_part(f, f->heap_of, e) : 0;
	if (rc)
		return rc;
	f->heap.n = f->rows[table].n ? f->heap.n : 0;
	f->heap_of = table;
	struct state_record record = { *state->victim, { f->heap.n, state->n } };
	void *to = vector_add(&f->heap, f->s->env, 1, state->n);
	if (!to)
		return no_memory(e);
	memcpy(to, state->bytes, state->n);
	rc = store_fold_put(f, table, &record, e);
	return rc || f->heap.n < BUFFERED_HEAP || !f->rows[table].n ? rc : write_part(f, table, e);
}

/* Does anything else go on at the end of the day than went on before? */
static int state_changed(struct store_fold *f, bool *out, struct error *e)
{
	char root[STORE_PATH], quoted[DUCK_PATH];
	bool before = false, now = false;
	int64_t n = 0;
	if (!folder_path(&f->s->folder, root, "%s", "") || !duck_quote(root, quoted))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = list_states(f, "fold_before", f->day, false, quoted, e);
	if (!rc)
		rc = list_states(f, "fold_now", f->day, true, quoted, e);
	if (!rc)
		rc = has_files(f, "fold_before", &before, e);
	if (!rc)
		rc = has_files(f, "fold_now", &now, e);
	*out = before != now;
	if (rc || !before || !now)
		return rc;
#define FILE_OF(variable) "FROM read_parquet(getvariable('" variable "'), hive_partitioning = false)"
	rc = duck_number(f->con, &n, e, "SELECT count(*) FROM ((" FILE_OF("fold_before") " EXCEPT ALL " FILE_OF("fold_now")
	                 ") UNION ALL (" FILE_OF("fold_now") " EXCEPT ALL " FILE_OF("fold_before") "))");
	*out = rc == -EIO || n > 0; /* one that cannot be read is another one */
	return rc == -EIO ? 0 : rc;
}

static int go_on(struct store_fold *f, struct error *e)
{
	bool changed = false, there = false;
	for (int v4 = 0; !changed && v4 < 2; v4++) {
		f->v4 = v4;
		int rc = state_changed(f, &changed, e);
		if (rc)
			return rc;
	}
	int rc = changed ? is_there(f, f->day + 1, &there, e) : 0;
	return rc || !there ? rc : add_day(f, f->day + 1, e);
}

int store_fold_end(struct store_fold *f, struct error *e)
{
	int rc = 0;
	close_stream(f);
	for (int t = 0; !rc && t < STORE_DERIVED; t++)
		if (f->rows[t].n)
			rc = write_part(f, (enum store_derived)t, e);
	int32_t *to = rc ? NULL : vector_add(&f->folded, f->s->env, sizeof *to, 1);
	if (!to)
		return rc ? rc : no_memory(e);
	*to = f->day;
	return go_on(f, e);
}

/* ---- The commit ---- */
/* Parts of the days that were folded: they are replaced. */
static int forget_day(struct store_fold *f, int32_t day, struct error *e)
{
	struct store *s = f->s;
	duckdb_result result;
	struct vector ids = { 0 };
	int rc = 0;
	for (int t = 0; !rc && t < STORE_DERIVED; t++) {
		rc = duck_query(s->catalog.con, &result, e, "DELETE FROM parts WHERE table_name = '%s' AND day = " EPOCH
		                " + %d RETURNING id", derived_name((enum store_derived)t), day);
		ids.n = 0;
		if (!rc)
			rc = vector_take(&ids, s->env, sizeof(uint64_t), &result, "folding a day", e);
		struct derived_gone *to = rc ? NULL : vector_add(&s->derived_gone, s->env, sizeof *to, ids.n);
		if (!to && !rc && ids.n)
			rc = no_memory(e);
		for (uint32_t i = 0; !rc && i < ids.n; i++) {
			uint64_t id = ((const uint64_t *)ids.item)[i];
			to[i] = (struct derived_gone){ id, s->catalog.commit + 1, day, t };
			catalog_touch(&s->catalog, KEPT_PARTS, id);
		}
	}
	vector_fini(&ids, s->env, sizeof(uint64_t));
	return rc;
}

static int insert(struct store_fold *f, struct made *m, struct error *e)
{
	char day[16], path[PART_PATH];
	part_day(m->day, day);
	path_of(m->table, m->day, m->row.id, path);
	m->row.day = day;
	m->row.path = path;
	catalog_touch(&f->s->catalog, KEPT_PARTS, m->row.id);
	return catalog_insert(&f->s->catalog, FEED_PARTS, &m->row, 1, e);
}

static int write_catalog(void *ctx, struct error *e)
{
	struct store_fold *f = ctx;
	const int32_t *day = f->folded.item;
	int rc = 0;
	for (uint32_t i = 0; !rc && i < f->folded.n; i++)
		rc = forget_day(f, day[i], e);
	for (uint32_t i = 0; !rc && i < f->made.n; i++)
		rc = insert(f, (struct made *)f->made.item + i, e);
	if (!rc)
		rc = duck_run(f->s->catalog.con, e, "INSERT INTO meta VALUES ('folded', %llu), ('fold_version', %u) ON CONFLICT "
		              "(key) DO UPDATE SET value = excluded.value", (unsigned long long)f->s->catalog.commit + 1,
		              f->version);
	return rc ? rc : commit_write_numbers(f->s, 0, e);
}

int store_fold_commit(struct store_fold *f, struct error *e)
{
	struct store *s = f->s;
	uint32_t gone = s->derived_gone.n;
	int rc = catalog_transact(&s->catalog, write_catalog, f, e);
	if (rc) {
		s->derived_gone.n = gone;
		return rc;
	}
	f->made.n = 0;
	s->catalog.commit++;
	rc = catalog_snapshot(&s->catalog, e);
	return rc ? rc : fold_unlink(s, s->catalog.oldest, e);
}

static int unlink_part(const struct store *s, enum store_derived table, int32_t day, uint64_t id, struct error *e)
{
	char name[PART_PATH], path[STORE_PATH];
	path_of(table, day, id, name);
	return folder_path(&s->folder, path, "%s", name) ? folder_unlink(&s->folder, path, e) : 0;
}

int fold_unlink(struct store *s, uint64_t oldest, struct error *e)
{
	struct derived_gone *d = s->derived_gone.item;
	uint32_t kept = 0;
	int rc = 0;
	for (uint32_t i = 0; i < s->derived_gone.n; i++) {
		if (!rc && d[i].commit <= oldest)
			rc = unlink_part(s, (enum store_derived)d[i].table, d[i].day, d[i].id, e);
		else
			d[kept++] = d[i];
	}
	s->derived_gone.n = kept;
	return rc;
}

void store_fold_close(struct store_fold *f)
{
	if (!f)
		return;
	struct error ignored;
	const struct env *env = f->s->env;
	const struct made *m = f->made.item;
	close_stream(f);
	for (uint32_t i = 0; i < f->made.n; i++) /* of no commit */
		if (unlink_part(f->s, m[i].table, m[i].day, m[i].row.id, &ignored))
			continue; /* the next writer removes it */
	if (f->con)
		duckdb_disconnect(&f->con);
	vector_fini(&f->days, env, sizeof(int32_t));
	vector_fini(&f->folded, env, sizeof(int32_t));
	vector_fini(&f->made, env, sizeof *m);
	vector_fini(&f->steps, env, sizeof(struct step));
	vector_fini(&f->heap, env, 1);
	for (int t = 0; t < STORE_DERIVED; t++)
		vector_fini(&f->rows[t], env, derived_shape((enum store_derived)t)->width);
	env_free(env, f, sizeof *f);
}
