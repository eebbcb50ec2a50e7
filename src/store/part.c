#include "store/part.h"

#include "store/duck.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* No Bloom filters: 0.3 bytes a row for what the order of rows and their statistics mostly tell (docs/bytes.md). With a
 * small dictionary, sorted addresses and ports become deltas: 5 % less. */
#define FORMAT "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION V2, WRITE_BLOOM_FILTER false, " \
	"DICTIONARY_SIZE_LIMIT 4096"

int32_t day_of_minute(int32_t minute) { return minute / 1440 - (minute % 1440 < 0); }

/* Civil date of a day since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms"). */
void part_day(int32_t day, char out[static 16])
{
	int32_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int32_t mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
	snprintf(out, 16, "%04d-%02d-%02d", (yoe + era * 400 + (m <= 2)) % 10000, m % 100, d % 100);
}

static void path_of(const char *table, int32_t day, const char *sensor, uint64_t id, char out[static PART_PATH])
{
	char text[16];
	part_day(day, text);
	snprintf(out, PART_PATH, "parquet/%s/day=%s/sensor=%.64s/part-%08llu.parquet", table, text, sensor,
	         (unsigned long long)id);
}

void part_path(const struct part *p, const char *sensor, char out[static PART_PATH])
{
	path_of(shape_name(p->table, p->v4), p->day, sensor, p->id, out);
}

void part_rollup_path(const struct part *p, enum rollup_kind kind, const char *sensor, char out[static PART_PATH])
{
	path_of(rollup_name(kind), p->day, sensor, p->id + 1 + kind, out);
}

int part_table(struct part *p, const char *name, size_t n, struct error *e)
{
	for (int t = 0; t < STORE_TABLES; t++) {
		for (int v4 = 0; v4 < 2; v4++) {
			const char *known = shape_name((enum store_table)t, v4);
			if (strlen(known) != n || memcmp(known, name, n))
				continue;
			p->table = (enum store_table)t;
			p->v4 = v4;
			return 0;
		}
	}
	return error_set(e, -EINVAL, "MON-STO-008", "the catalog names a table '%.*s' that cannot be", (int)n, name);
}

/* ---- The writer ---- */
static const struct shape minutes_shape = { .width = sizeof(int32_t), .n = 1,
                                            .column = { { "minute", COLUMN_i32, 0, -1 } } };

static int register_feeds(struct part_writer *w, struct error *e)
{
	int rc = 0;
	for (int t = 0; !rc && t < STORE_TABLES; t++) {
		for (int v4 = 0; !rc && v4 < 2; v4++) {
			char name[40];
			snprintf(name, sizeof name, "staged%u_%s", w->number, shape_name((enum store_table)t, v4));
			shape_of((enum store_table)t, v4, &w->shape[t][v4]);
			w->feed[t][v4] = (struct feed){ .shape = &w->shape[t][v4], .table = (enum store_table)t,
			                                .placed = t == STORE_FLOW || t == STORE_VICTIM };
			rc = feed_register(w->con, name, &w->feed[t][v4], e);
		}
	}
	char name[40];
	for (int k = 0; !rc && k < ROLLUPS; k++) {
		snprintf(name, sizeof name, "staged%u_%s", w->number, rollup_name((enum rollup_kind)k));
		w->rollup_feed[k].shape = rollup_shape((enum rollup_kind)k);
		rc = feed_register(w->con, name, &w->rollup_feed[k], e);
	}
	for (int d = 0; !rc && d < STORE_DERIVED; d++) {
		snprintf(name, sizeof name, "staged%u_%s", w->number, derived_name((enum store_derived)d));
		w->derived_feed[d].shape = derived_shape((enum store_derived)d);
		rc = feed_register(w->con, name, &w->derived_feed[d], e);
	}
	w->minutes.shape = &w->minutes_shape;
	snprintf(name, sizeof name, "void_minutes%u", w->number);
	return rc ? rc : feed_register(w->con, name, &w->minutes, e);
}

int part_writer_init(struct part_writer *w, const struct folder *folder, const char *sensor, duckdb_database db,
                     unsigned number, struct error *e)
{
	*w = (struct part_writer){ .folder = folder, .sensor = sensor, .number = number, .minutes_shape = minutes_shape };
	int rc = duck_connect(db, &w->con, e);
	if (!rc)
		rc = rollup_init(&w->rollup, folder->env, e);
	return rc ? rc : register_feeds(w, e);
}

void part_writer_fini(struct part_writer *w)
{
	if (w->con)
		duckdb_disconnect(&w->con);
	rollup_fini(&w->rollup);
	parquet_fini(w->parquet);
	narrow_group_fini(w->group);
}

/* ---- Files ---- */
/* The temporary file's path and the same between quotes; its folder is made. */
static int part_name(const struct part_writer *w, const char *name, char path[static STORE_PATH],
                     char quoted[static DUCK_PATH], struct error *e)
{
	char folder[PART_PATH];
	snprintf(folder, sizeof folder, "%s", name);
	*strrchr(folder, '/') = 0;
	if (!folder_path(w->folder, path, "%s.tmp", name) || !duck_quote(path, quoted))
		return error_set(e, -EINVAL, "MON-STO-004", "%s cannot be written: the name is too long or no UTF-8", name);
	return folder_make(w->folder, folder, e);
}

static int hash_file(const struct env *env, int fd, uint64_t *bytes, struct digest *out)
{
	uint8_t piece[1 << 16];
	XXH3_state_t state;
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	for (*bytes = 0;;) {
		ssize_t n = env->read(env, fd, piece, sizeof piece);
		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		if (!n)
			break;
		XXH3_128bits_update(&state, piece, (size_t)n);
		*bytes += (uint64_t)n;
	}
	XXH128_hash_t h = XXH3_128bits_digest(&state);
	*out = (struct digest){ h.low64, h.high64 };
	return 0;
}

int part_hash(const struct folder *folder, const char *name, uint64_t *bytes, struct digest *out)
{
	char path[STORE_PATH];
	const struct env *env = folder->env;
	int fd = folder_path(folder, path, "%s", name) ? env->open(env, path, O_RDONLY, 0) : -ENAMETOOLONG;
	if (fd < 0)
		return fd;
	int rc = hash_file(env, fd, bytes, out);
	env->close(env, fd);
	return rc;
}

static int look_at(const struct part_writer *w, const char *name, struct part_file *out, struct error *e)
{
	int rc = part_hash(w->folder, name, &out->bytes, &out->digest);
	return rc ? error_set(e, rc, "MON-STO-004", "%s cannot be read: %s", name, strerror(-rc)) : 0;
}

/* Around a COPY: DuckDB's own writes cannot go through env. */
static int before_copy(const struct part_writer *w, struct error *e)
{
	int rc = w->folder->env->step(w->folder->env, ENV_STEP_FILE, false);
	return rc ? error_set(e, rc, "MON-STO-004", "a part cannot be written: %s", strerror(-rc)) : 0;
}

static int settle(const struct part_writer *w, const char *name, const char *path, struct part_file *out,
                  struct error *e)
{
	int rc = w->folder->env->step(w->folder->env, ENV_STEP_FILE, true);
	if (rc)
		return error_set(e, rc, "MON-STO-004", "a part cannot be written: %s", strerror(-rc));
	rc = folder_settle(w->folder, path, e);
	return rc ? rc : look_at(w, name, out, e);
}

int part_copy(struct part_writer *w, const char *name, const char *select, struct part_file *out, struct error *e)
{
	char path[STORE_PATH], quoted[DUCK_PATH];
	int64_t rows = 0;
	int rc = part_name(w, name, path, quoted, e);
	if (!rc)
		rc = before_copy(w, e);
	if (!rc)
		rc = duck_number(w->con, &rows, e, "COPY (%s) TO %s (" FORMAT ")", select, quoted);
	out->rows = (uint64_t)rows;
	return rc ? rc : settle(w, name, path, out, e);
}

/* All rows of a feed as the file `name`. */
static int copy_feed(struct part_writer *w, const char *table, const char *name, struct part_file *out,
                     struct error *e)
{
	char select[96];
	snprintf(select, sizeof select, "SELECT * FROM staged%u_%s()", w->number, table);
	return part_copy(w, name, select, out, e);
}

int part_write_derived(struct part_writer *w, enum store_derived table, const char *name, const void *rows,
                       const uint8_t *heap, uint32_t n, struct part_file *out, struct error *e)
{
	struct feed *f = &w->derived_feed[table];
	*f = (struct feed){ .shape = f->shape, .rows = rows, .heap = heap, .n = n };
	return copy_feed(w, derived_name(table), name, out, e);
}

/* ---- Rollups ---- */
static int write_rollups(struct part_writer *w, struct part *p, struct error *e)
{
	char name[PART_PATH];
	int rc = 0;
	rollup_sort(&w->rollup);
	for (int k = 0; !rc && k < ROLLUPS; k++) {
		struct feed *f = &w->rollup_feed[k];
		*f = (struct feed){ .shape = f->shape, .rows = (const uint8_t *)w->rollup.table[k].row,
		                    .n = w->rollup.table[k].n };
		part_rollup_path(p, (enum rollup_kind)k, w->sensor, name);
		rc = copy_feed(w, rollup_name((enum rollup_kind)k), name, &p->rollup[k], e);
	}
	return rc;
}

#define AHEAD 12 /* rows asked for early: in order of address they lie anywhere */
static int roll_up(struct part_writer *w, struct part *p, const uint8_t *rows, const uint32_t *order, uint32_t n,
                   struct error *e)
{
	const struct flow_record *flow = (const struct flow_record *)(const void *)rows;
	int rc = 0;
	rollup_clear(&w->rollup);
	for (uint32_t i = 0; !rc && i < n; i++) {
		__builtin_prefetch(flow + order[i + AHEAD < n ? i + AHEAD : i]);
		rc = rollup_add_record(&w->rollup, flow + order[i], e);
	}
	return rc ? rc : write_rollups(w, p, e);
}

/* The same of a part that is written already. */
#define CHUNK 2048 /* rows of a chunk, at the most (duckdb_vector_size) */
static int roll_up_again(struct part_writer *w, struct part *p, const char *quoted, struct error *e)
{
	duckdb_result result;
	const struct env *env = w->folder->env;
	struct flow_record *rows = env_alloc(env, CHUNK * sizeof *rows);
	if (!rows)
		return error_no_memory(e, "summing rows");
	rollup_clear(&w->rollup);
	int rc = duck_query(w->con, &result, e, "SELECT * FROM read_parquet(%s, hive_partitioning = false)",
	                    quoted), ended = 0;
	for (duckdb_data_chunk chunk; !rc && (chunk = duckdb_fetch_chunk(result)); duckdb_destroy_data_chunk(&chunk)) {
		uint32_t n = (uint32_t)duckdb_data_chunk_get_size(chunk);
		shape_take(&w->shape[STORE_FLOW][p->v4], chunk, n, (uint8_t *)rows);
		for (uint32_t i = 0; !ended && i < n; i++)
			ended = rollup_add_record(&w->rollup, &rows[i], e);
	}
	if (!rc)
		rc = duck_end(&result, ended ? NULL : e);
	env_free(env, rows, CHUNK * sizeof *rows);
	rc = rc ? rc : ended;
	return rc ? rc : write_rollups(w, p, e);
}

/* ---- Parts ---- */
static void range_of(struct part *p, const uint8_t *rows, size_t width, const uint32_t *order, uint32_t n)
{
	p->from = INT32_MAX;
	p->to = INT32_MIN;
	for (uint32_t i = 0; i < n; i++) {
		int32_t minute = staged_minute(p->table, rows + width * order[i]);
		p->from = minute < p->from ? minute : p->from;
		p->to = minute > p->to ? minute : p->to;
	}
}

static void keep_file(struct part *p, const struct part_file *file)
{
	p->bytes = file->bytes;
	p->digest = file->digest;
}

int part_write(struct part_writer *w, struct part *p, const uint8_t *rows, const uint8_t *heap, const uint32_t *order,
               uint32_t n, struct error *e)
{
	char name[PART_PATH];
	struct feed *f = &w->feed[p->table][p->v4];
	f->rows = rows;
	f->heap = heap;
	f->order = order;
	f->n = n;
	f->at = 0;
	f->origins = w->origins;
	range_of(p, rows, f->shape->width, order, n);
	p->rows = n;
	part_path(p, w->sensor, name);
	struct part_file file = { 0 };
	int rc = copy_feed(w, shape_name(p->table, p->v4), name, &file, e);
	keep_file(p, &file);
	return rc || p->table != STORE_FLOW ? rc : roll_up(w, p, rows, order, n, e);
}

/* When the first narrow rows come: many writers never see one. */
static int want_groups(struct part_writer *w, struct error *e)
{
	const struct env *env = w->folder->env;
	w->n_columns = narrow_columns(w->column);
	int rc = w->parquet ? 0 : parquet_init(&w->parquet, env, e);
	return rc || w->group ? rc : narrow_group_init(&w->group, env, e);
}

static int write_groups(struct part_writer *w, const struct narrow_flow *rows, const struct sort_item *item, uint32_t n,
                        struct narrow_sums *sums, struct error *e)
{
	int rc = 0;
	for (uint32_t at = 0, some; !rc && at < n; at += some) {
		rc = narrow_take(w->group, rows, item + at, n - at, w->origins, sums, &some, e);
		if (!rc)
			rc = parquet_group(w->parquet, narrow_values(w->group), some, e);
	}
	return rc;
}

int part_write_narrow(struct part_writer *w, struct part *p, const struct narrow_flow *rows, const struct sort_item *item,
                      uint32_t n, struct error *e)
{
	char name[PART_PATH], path[STORE_PATH], quoted[DUCK_PATH];
	struct narrow_sums sums = { &w->rollup, INT32_MAX, INT32_MIN };
	part_path(p, w->sensor, name);
	int rc = want_groups(w, e);
	if (!rc)
		rc = part_name(w, name, path, quoted, e);
	if (rc)
		return rc;
	rollup_clear(&w->rollup);
	rc = parquet_begin(w->parquet, path, w->column, w->n_columns, e);
	if (!rc)
		rc = write_groups(w, rows, item, n, &sums, e);
	rc = parquet_end(w->parquet, rc, &p->bytes, &p->digest, e);
	if (!rc)
		rc = folder_settle(w->folder, path, e);
	p->rows = n;
	p->from = sums.from;
	p->to = sums.to;
	return rc ? rc : write_rollups(w, p, e);
}

/* ---- Without some minutes ---- */
static const char *minute_expression(enum store_table table)
{
	switch (table) {
	case STORE_VICTIM: return "CAST(floor(second / 60.0) AS INTEGER)";
	case STORE_EVIDENCE: return "hour * 60";
	default: return "minute";
	}
}

static int copy_rest(struct part_writer *w, const struct part *from, const char *to, const int32_t *minutes, uint32_t n,
                     struct error *e)
{
	char name[PART_PATH], old[STORE_PATH], quoted[DUCK_PATH];
	part_path(from, w->sensor, name);
	if (!folder_path(w->folder, old, "%s", name) || !duck_quote(old, quoted))
		return error_set(e, -EINVAL, "MON-STO-004", "%s cannot be read: the name is too long or no UTF-8", name);
	w->minutes = (struct feed){ .shape = &w->minutes_shape, .rows = (const uint8_t *)minutes, .n = n };
	int rc = duck_run(w->con, e, "CREATE OR REPLACE TEMP TABLE left_out AS SELECT minute FROM void_minutes%u()",
	                  w->number);
	if (!rc)
		rc = before_copy(w, e);
	return rc ? rc : duck_run(w->con, e, "COPY (SELECT * FROM read_parquet(%s, hive_partitioning = false) WHERE %s NOT IN "
	                          "(SELECT minute FROM left_out)%s) TO %s (" FORMAT ")", quoted,
	                          minute_expression(from->table), shape_added(from->table), to);
}

static int count_rest(struct part_writer *w, struct part *p, const char *quoted, struct error *e)
{
	int64_t rows, least = 0, greatest = 0;
	const char *minute = minute_expression(p->table);
	int rc = duck_number(w->con, &rows, e, "SELECT count(*) FROM read_parquet(%s)", quoted);
	if (!rc)
		rc = duck_number(w->con, &least, e, "SELECT CAST(min(%s) AS BIGINT) FROM read_parquet(%s)", minute, quoted);
	if (!rc)
		rc = duck_number(w->con, &greatest, e, "SELECT CAST(max(%s) AS BIGINT) FROM read_parquet(%s)", minute, quoted);
	if (rc)
		return rc;
	p->rows = (uint64_t)rows;
	p->from = (int32_t)least;
	p->to = (int32_t)greatest;
	return 0;
}

int part_rewrite(struct part_writer *w, const struct part *from, struct part *to, const int32_t *minutes, uint32_t n,
                 struct error *e)
{
	char path[STORE_PATH], quoted[DUCK_PATH], name[PART_PATH];
	part_path(to, w->sensor, name);
	int rc = part_name(w, name, path, quoted, e);
	if (!rc)
		rc = copy_rest(w, from, quoted, minutes, n, e);
	if (!rc)
		rc = count_rest(w, to, quoted, e);
	if (rc)
		return rc;
	if (!to->rows)
		return folder_unlink(w->folder, path, e);
	if (to->table == STORE_FLOW)
		rc = roll_up_again(w, to, quoted, e);
	struct part_file file;
	if (!rc)
		rc = settle(w, name, path, &file, e);
	if (!rc)
		keep_file(to, &file);
	return rc;
}

/* ---- Several into one ---- */
/* The order of sort.h, with time last. */
static const char *order_of(enum store_table table)
{
#define PROTOCOL "CASE protocol WHEN 6 THEN 0 WHEN 17 THEN 1 WHEN 1 THEN 2 ELSE 3 END"
	switch (table) {
	case STORE_FLOW: return PROTOCOL ", class, rules, source, port, minute";
	case STORE_PAYLOAD: return PROTOCOL ", port, content, source, minute";
	case STORE_VICTIM: return "victim, port, protocol, \"second\"";
	default: return "source, protocol, rule, hour";
	}
}

/* The bytes must be those that were written: to write rows of a damaged part anew would make the damage good for ever. */
static int hold_sources(const struct part_writer *w, const struct part *from, uint32_t n, struct error *e)
{
	char name[PART_PATH];
	for (uint32_t i = 0; i < n; i++) {
		struct part_file now;
		part_path(&from[i], w->sensor, name);
		int rc = look_at(w, name, &now, e);
		if (rc)
			return rc;
		bool known = from[i].digest.lo || from[i].digest.hi; /* schema 1 did not keep it */
		if (known && (now.digest.lo != from[i].digest.lo || now.digest.hi != from[i].digest.hi))
			return error_set(e, -EIO, "MON-STO-011", "%s is damaged: its bytes are not those that were written", name);
	}
	return 0;
}

static int list_sources(struct part_writer *w, const struct part *from, uint32_t n, struct error *e)
{
	char name[PART_PATH], path[STORE_PATH], quoted[DUCK_PATH];
	int rc = duck_run(w->con, e, "CREATE OR REPLACE TEMP TABLE sources(path VARCHAR)");
	for (uint32_t i = 0; !rc && i < n; i++) {
		part_path(&from[i], w->sensor, name);
		if (!folder_path(w->folder, path, "%s", name) || !duck_quote(path, quoted))
			return error_set(e, -EINVAL, "MON-STO-004", "%s cannot be read: the name is too long or no UTF-8", name);
		rc = duck_run(w->con, e, "INSERT INTO sources VALUES (%s)", quoted);
	}
	return rc ? rc : duck_run(w->con, e, "SET VARIABLE sources = (SELECT list(path ORDER BY rowid) FROM sources)");
}

static int copy_sources(struct part_writer *w, const struct part *from, uint32_t n, const char *to, struct error *e)
{
	int rc = hold_sources(w, from, n, e);
	if (!rc)
		rc = list_sources(w, from, n, e);
	if (!rc)
		rc = before_copy(w, e);
	return rc ? rc : duck_run(w->con, e, "COPY (FROM (SELECT * FROM read_parquet(getvariable('sources'), "
	                          "hive_partitioning = false, union_by_name = true)%s) ORDER BY %s) TO %s (" FORMAT ")",
	                          shape_added(from->table), order_of(from->table), to);
}

int part_join(struct part_writer *w, const struct part *from, uint32_t n, struct part *to, struct error *e)
{
	char path[STORE_PATH], quoted[DUCK_PATH], name[PART_PATH];
	uint64_t rows = 0;
	for (uint32_t i = 0; i < n; i++)
		rows += from[i].rows;
	part_path(to, w->sensor, name);
	int rc = part_name(w, name, path, quoted, e);
	if (!rc)
		rc = copy_sources(w, from, n, quoted, e);
	if (!rc)
		rc = count_rest(w, to, quoted, e);
	if (!rc && to->rows != rows)
		rc = error_set(e, -EIO, "MON-STO-011", "%s came to %llu rows of %llu", name, (unsigned long long)to->rows,
		               (unsigned long long)rows);
	if (!rc && to->table == STORE_FLOW)
		rc = roll_up_again(w, to, quoted, e);
	struct part_file file;
	if (!rc)
		rc = settle(w, name, path, &file, e);
	if (!rc)
		keep_file(to, &file);
	return rc;
}

static int unlink_name(const struct part_writer *w, const char *name, struct error *e)
{
	char path[STORE_PATH];
	return folder_path(w->folder, path, "%s", name) ? folder_unlink(w->folder, path, e) : 0;
}

int part_unlink(const struct part_writer *w, const struct part *p, struct error *e)
{
	char name[PART_PATH];
	part_path(p, w->sensor, name);
	int rc = unlink_name(w, name, e);
	for (int k = 0; !rc && p->table == STORE_FLOW && k < ROLLUPS; k++) {
		part_rollup_path(p, (enum rollup_kind)k, w->sensor, name);
		rc = unlink_name(w, name, e);
	}
	return rc;
}
