#include "store/part.h"

#include "store/duck.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* No Bloom filters: 0.3 bytes a row for what the order of rows and their statistics mostly tell (docs/bytes.md). With a
 * small dictionary, sorted addresses and ports become deltas: 5 % less. */
#define FORMAT "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, WRITE_BLOOM_FILTER false, DICTIONARY_SIZE_LIMIT 4096"

int32_t day_of_minute(int32_t minute) { return minute / 1440 - (minute % 1440 < 0); }

/* Civil date of a day since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms"). */
void part_day(int32_t day, char out[static 16])
{
	int32_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int32_t mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
	snprintf(out, 16, "%04d-%02d-%02d", (yoe + era * 400 + (m <= 2)) % 10000, m % 100, d % 100);
}

void part_path(const struct part *p, const char *sensor, char out[static PART_PATH])
{
	char day[16];
	part_day(p->day, day);
	snprintf(out, PART_PATH, "parquet/%s/day=%s/sensor=%.64s/part-%08llu.parquet", shape_name(p->table, p->v4), day, sensor,
	         (unsigned long long)p->id);
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
	w->minutes.shape = &w->minutes_shape;
	char name[40];
	snprintf(name, sizeof name, "void_minutes%u", w->number);
	return rc ? rc : feed_register(w->con, name, &w->minutes, e);
}

int part_writer_init(struct part_writer *w, const struct folder *folder, const char *sensor, duckdb_database db,
                     unsigned number, struct error *e)
{
	*w = (struct part_writer){ .folder = folder, .sensor = sensor, .number = number, .minutes_shape = minutes_shape };
	int rc = duck_connect(db, &w->con, e);
	return rc ? rc : register_feeds(w, e);
}

void part_writer_fini(struct part_writer *w)
{
	if (w->con)
		duckdb_disconnect(&w->con);
}

/* ---- Files ---- */
/* The temporary file's path and the same between quotes; its folder is made. */
static int part_name(const struct part_writer *w, const struct part *p, char path[static STORE_PATH],
                     char quoted[static DUCK_PATH], struct error *e)
{
	char name[PART_PATH], folder[PART_PATH];
	part_path(p, w->sensor, name);
	memcpy(folder, name, sizeof folder);
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

static int look_at(const struct part_writer *w, struct part *p, struct error *e)
{
	char name[PART_PATH];
	part_path(p, w->sensor, name);
	int rc = part_hash(w->folder, name, &p->bytes, &p->digest);
	return rc ? error_set(e, rc, "MON-STO-004", "%s cannot be read: %s", name, strerror(-rc)) : 0;
}

/* Around a COPY: DuckDB's own writes cannot go through env. */
static int step_failed(struct error *e, int rc)
{
	return error_set(e, rc, "MON-STO-004", "a part cannot be written: %s", strerror(-rc));
}

static int settle(struct part_writer *w, struct part *p, const char *path, struct error *e)
{
	int rc = w->folder->env->step(w->folder->env, ENV_STEP_FILE, true);
	if (rc)
		return step_failed(e, rc);
	rc = folder_settle(w->folder, path, e);
	return rc ? rc : look_at(w, p, e);
}

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

int part_write(struct part_writer *w, struct part *p, const uint8_t *rows, const uint8_t *heap, const uint32_t *order,
               uint32_t n, struct error *e)
{
	char path[STORE_PATH], quoted[DUCK_PATH];
	struct feed *f = &w->feed[p->table][p->v4];
	f->rows = rows;
	f->heap = heap;
	f->order = order;
	f->n = n;
	f->at = 0;
	f->origins = w->origins;
	range_of(p, rows, f->shape->width, order, n);
	p->rows = n;
	int rc = part_name(w, p, path, quoted, e);
	if (rc)
		return rc;
	rc = w->folder->env->step(w->folder->env, ENV_STEP_FILE, false);
	if (rc)
		return step_failed(e, rc);
	rc = duck_run(w->con, e, "COPY (SELECT * FROM staged%u_%s()) TO %s (" FORMAT ")", w->number,
	              shape_name(p->table, p->v4), quoted);
	return rc ? rc : settle(w, p, path, e);
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

int part_rewrite(struct part_writer *w, const struct part *from, struct part *to, const int32_t *minutes, uint32_t n,
                 struct error *e)
{
	char path[STORE_PATH], quoted[DUCK_PATH], old[STORE_PATH], old_quoted[DUCK_PATH], name[PART_PATH];
	int64_t rows, least = 0, greatest = 0;
	const char *minute = minute_expression(from->table);
	part_path(from, w->sensor, name);
	int rc = part_name(w, to, path, quoted, e);
	if (rc)
		return rc;
	if (!folder_path(w->folder, old, "%s", name) || !duck_quote(old, old_quoted))
		return error_set(e, -EINVAL, "MON-STO-004", "%s cannot be read: the name is too long or no UTF-8", name);
	w->minutes = (struct feed){ .shape = &w->minutes_shape, .rows = (const uint8_t *)minutes, .n = n };
	rc = duck_run(w->con, e, "CREATE OR REPLACE TEMP TABLE left_out AS SELECT minute FROM void_minutes%u()", w->number);
	if (!rc)
		rc = w->folder->env->step(w->folder->env, ENV_STEP_FILE, false) ? step_failed(e, -EIO) : 0;
	if (!rc)
		rc = duck_run(w->con, e, "COPY (SELECT * FROM read_parquet(%s, hive_partitioning = false) WHERE %s NOT IN "
		              "(SELECT minute FROM left_out)) TO %s (" FORMAT ")", old_quoted, minute, quoted);
	if (!rc)
		rc = duck_number(w->con, &rows, e, "SELECT count(*) FROM read_parquet(%s)", quoted);
	if (rc)
		return rc;
	to->rows = (uint64_t)rows;
	if (!rows)
		return folder_unlink(w->folder, path, e);
	rc = duck_number(w->con, &least, e, "SELECT CAST(min(%s) AS BIGINT) FROM read_parquet(%s)", minute, quoted);
	if (!rc)
		rc = duck_number(w->con, &greatest, e, "SELECT CAST(max(%s) AS BIGINT) FROM read_parquet(%s)", minute, quoted);
	to->from = (int32_t)least;
	to->to = (int32_t)greatest;
	return rc ? rc : settle(w, to, path, e);
}

int part_unlink(const struct part_writer *w, const struct part *p, struct error *e)
{
	char name[PART_PATH], path[STORE_PATH];
	part_path(p, w->sensor, name);
	return folder_path(w->folder, path, "%s", name) ? folder_unlink(w->folder, path, e) : 0;
}
