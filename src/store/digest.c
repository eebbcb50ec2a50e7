/* The digest of rows at rest (DESIGN section 3): read back, restored, and hashed by their canonical bytes. */
#include "base/hll.h"
#include "store/duck.h"
#include "store/state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUCK_MEMORY ((size_t)1 << 30)

struct reading {
	const struct env *env;
	struct folder folder;
	duckdb_database db;
	duckdb_connection con;
	char snapshot[STORE_PATH];
	uint8_t *rows; /* of one chunk */
	size_t rows_size;
};

static void add_row(enum store_table table, const uint8_t *row, struct store_digest *out)
{
	uint8_t bytes[RECORD_MAX];
	size_t n;
	switch (table) {
	case STORE_FLOW: n = flow_record_store((const struct flow_record *)row, bytes); break;
	case STORE_PAYLOAD: n = flow_payload_record_store((const struct flow_payload_record *)row, bytes); break;
	case STORE_VICTIM: n = victim_second_record_bytes((const struct victim_second_record *)row, bytes); break;
	default: n = source_evidence_record_store((const struct source_evidence_record *)row, bytes); break;
	}
	XXH128_hash_t x = XXH3_128bits(bytes, n);
	digest_add(&out->digest, x.low64, x.high64);
	out->rows++;
}

static void set_sensor(enum store_table table, uint8_t *row, uint64_t sensor)
{
	switch (table) {
	case STORE_FLOW: ((struct flow_record *)row)->sensor = sensor; break;
	case STORE_PAYLOAD: ((struct flow_payload_record *)row)->sensor = sensor; break;
	case STORE_VICTIM: ((struct victim_second_record *)row)->sensor = sensor; break;
	default: ((struct source_evidence_record *)row)->sensor = sensor; break;
	}
}

/* ---- Evidence: contributions of one key follow each other ---- */
struct merging {
	bool open;
	struct source_evidence_record row;
	uint64_t tuple[64];
	uint32_t n_tuples;
	bool hashed; /* registers count */
	uint8_t reg[HLL_REGISTERS];
};

static bool same_key(const struct source_evidence_record *a, const struct source_evidence_record *b)
{
	return a->hour == b->hour && a->sensor == b->sensor && !memcmp(&a->source, &b->source, sizeof a->source) &&
	       a->protocol == b->protocol && a->rule == b->rule;
}

static void to_registers(struct merging *m)
{
	memset(m->reg, 0, sizeof m->reg);
	for (uint32_t i = 0; i < m->n_tuples; i++)
		hll_add(m->reg, m->tuple[i]);
	m->hashed = true;
}

static void merge_tuple(struct merging *m, uint64_t tuple)
{
	for (uint32_t i = 0; !m->hashed && i < m->n_tuples; i++)
		if (m->tuple[i] == tuple)
			return;
	if (!m->hashed && m->n_tuples == 64)
		to_registers(m);
	if (m->hashed)
		hll_add(m->reg, tuple);
	else
		m->tuple[m->n_tuples++] = tuple;
}

static void merge_row(struct merging *m, const struct source_evidence_record *r)
{
	struct source_evidence_record *to = &m->row;
	to->packets += r->packets;
	to->sport_min = to->sport_min < r->sport_min ? to->sport_min : r->sport_min;
	to->sport_max = to->sport_max > r->sport_max ? to->sport_max : r->sport_max;
	to->ttl_min = to->ttl_min < r->ttl_min ? to->ttl_min : r->ttl_min;
	to->ttl_max = to->ttl_max > r->ttl_max ? to->ttl_max : r->ttl_max;
}

static void close_merge(struct merging *m, struct store_digest *out)
{
	if (!m->open)
		return;
	uint64_t n = m->hashed ? hll_estimate(m->reg) : m->n_tuples;
	m->row.tuples = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	add_row(STORE_EVIDENCE, (const uint8_t *)&m->row, out);
	m->open = false;
}

/* A blob of a row, or NULL. */
static const uint8_t *blob_at(duckdb_data_chunk chunk, uint32_t column, uint32_t row, uint32_t *n)
{
	duckdb_vector v = duckdb_data_chunk_get_vector(chunk, column);
	uint64_t *valid = duckdb_vector_get_validity(v);
	if (valid && !(valid[row / 64] >> row % 64 & 1))
		return NULL;
	duckdb_string_t *s = (duckdb_string_t *)duckdb_vector_get_data(v) + row;
	*n = duckdb_string_t_length(*s);
	return (const uint8_t *)duckdb_string_t_data(s);
}

static void merge_evidence(struct merging *m, const struct source_evidence_record *r, duckdb_data_chunk chunk,
                           uint32_t column, uint32_t row, struct store_digest *out)
{
	uint32_t n;
	if (m->open && same_key(&m->row, r))
		merge_row(m, r);
	else {
		close_merge(m, out);
		m->open = true;
		m->hashed = false;
		m->n_tuples = 0;
		m->row = *r;
	}
	const uint8_t *tuples = blob_at(chunk, column, row, &n);
	for (uint32_t i = 0; tuples && i + TUPLE_BYTES <= n; i += TUPLE_BYTES)
		merge_tuple(m, (uint64_t)load_be32(tuples + i) << 32 | (uint64_t)tuples[i + 4] << 24);
	const uint8_t *reg = blob_at(chunk, column + 1, row, &n);
	if (!reg || n != HLL_REGISTERS)
		return;
	if (!m->hashed)
		to_registers(m);
	hll_merge(m->reg, reg);
}

/* ---- Parts ---- */
static int reserve(struct reading *r, size_t size, struct error *e)
{
	if (size <= r->rows_size)
		return 0;
	env_free(r->env, r->rows, r->rows_size);
	r->rows_size = 0;
	r->rows = env_alloc(r->env, size);
	r->rows_size = r->rows ? size : 0;
	return r->rows ? 0 : error_no_memory(e, "reading rows");
}

static void column_list(const struct shape *s, char *out, size_t room)
{
	size_t n = 0;
	for (uint32_t k = 0; k < s->n && n < room; k++)
		n += (size_t)snprintf(out + n, room - n, "%s%s", k ? ", " : "", s->column[k].name);
}

static int add_chunk(struct reading *r, enum store_table table, const struct shape *s, uint64_t sensor,
                     duckdb_data_chunk chunk, struct merging *m, struct store_digest *out, struct error *e)
{
	uint32_t n = (uint32_t)duckdb_data_chunk_get_size(chunk);
	int rc = reserve(r, (n + 1) * s->width, e);
	if (rc)
		return rc;
	shape_take(s, chunk, n, r->rows);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *row = r->rows + i * s->width;
		set_sensor(table, row, sensor);
		if (table == STORE_EVIDENCE)
			merge_evidence(m, (const struct source_evidence_record *)row, chunk, s->n - 3, i, out);
		else
			add_row(table, row, out);
	}
	return 0;
}

/* The rows of the files that the variable lists. */
static int add_table(struct reading *r, enum store_table table, bool v4, const char *sensor, struct merging *m,
                     struct store_digest *out, struct error *e)
{
	struct shape s;
	char columns[1024];
	duckdb_result result;
	shape_of(table, v4, &s);
	column_list(&s, columns, sizeof columns);
	int rc = duck_query(r->con, &result, e, "SELECT %s FROM (SELECT * FROM read_parquet(getvariable('files'), "
	                    "hive_partitioning = false, union_by_name = true)%s)%s", columns, shape_added(table),
	                    table == STORE_EVIDENCE ? " ORDER BY hour, source, protocol, rule" : "");
	if (rc)
		return rc;
	uint64_t hash = XXH3_64bits(sensor, strlen(sensor));
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)); duckdb_destroy_data_chunk(&chunk))
		if (!rc)
			rc = add_chunk(r, table, &s, hash, chunk, m, out, e);
	close_merge(m, out);
	int ended = duck_end(&result, rc ? NULL : e);
	return rc ? rc : ended;
}

struct group { /* of parts: what must be read together */
	char table[32], day[16], sensor[STORE_SENSOR_MAX + 1];
};

static void take_text(duckdb_data_chunk chunk, uint32_t column, uint32_t row, char *out, size_t room)
{
	duckdb_string_t *s = (duckdb_string_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, column)) + row;
	snprintf(out, room, "%.*s", (int)duckdb_string_t_length(*s), duckdb_string_t_data(s));
}

static int list_groups(struct reading *r, struct vector *groups, struct error *e)
{
	duckdb_result result;
	int rc = duck_query(r->con, &result, e, "SELECT DISTINCT table_name, CAST(day AS VARCHAR), sensor FROM parts "
	                    "WHERE NOT regexp_matches(table_name, '^(" MADE_NAMES ")') ORDER BY ALL");
	if (rc)
		return rc;
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)); duckdb_destroy_data_chunk(&chunk)) {
		for (uint32_t i = 0; !rc && i < duckdb_data_chunk_get_size(chunk); i++) {
			struct group *g = vector_add(groups, r->env, sizeof *g, 1);
			if (!g) {
				rc = error_no_memory(e, "listing parts");
				break;
			}
			take_text(chunk, 0, i, g->table, sizeof g->table);
			take_text(chunk, 1, i, g->day, sizeof g->day);
			take_text(chunk, 2, i, g->sensor, sizeof g->sensor);
		}
	}
	int ended = duck_end(&result, rc ? NULL : e);
	return rc ? rc : ended;
}

static int add_group(struct reading *r, const struct group *g, struct merging *m, struct store_digest *out,
                     struct error *e)
{
	struct part p;
	char folder[DUCK_PATH];
	int rc = part_table(&p, g->table, strlen(g->table), e);
	if (!rc && !duck_quote(r->folder.path, folder))
		rc = error_set(e, -EINVAL, "MON-STO-004", "%s cannot be read: its name is no UTF-8", r->folder.path);
	if (!rc)
		rc = duck_run(r->con, e, "SET VARIABLE files = (SELECT list(%s || '/' || path) FROM parts WHERE table_name = '%s' "
		              "AND day = '%s' AND sensor = '%s')", folder, g->table, g->day, g->sensor);
	return rc ? rc : add_table(r, p.table, p.v4, g->sensor, m, &out[p.table], e);
}

/* ---- The folder ---- */
static int open_snapshot(struct reading *r, struct error *e)
{
	char to[32] = { 0 }, link[STORE_PATH], path[STORE_PATH], quoted[DUCK_PATH];
	if (!folder_path(&r->folder, link, "snapshot/current") ||
	    r->env->readlink(r->env, link, to, sizeof to - 1) <= 0 ||
	    !folder_path(&r->folder, path, "snapshot/%s/parts.parquet", to) || !duck_quote(path, quoted))
		return error_set(e, -ENOENT, "MON-STO-008", "%s has no snapshot: a writer must open it first", r->folder.path);
	int rc = duck_open(&r->db, NULL, DUCK_MEMORY, 2, "", e);
	if (!rc)
		rc = duck_connect(r->db, &r->con, e);
	if (!rc)
		rc = duck_run(r->con, e, "CREATE TABLE parts AS SELECT * FROM read_parquet(%s) LIMIT 0", quoted);
	return rc ? rc : catalog_load(r->con, &r->folder, strtoll(to, NULL, 10), "parts", "parts", e);
}

static int digest_all(struct reading *r, struct store_digest *out, struct error *e)
{
	struct vector groups = { 0 };
	struct merging *m = env_alloc(r->env, sizeof *m);
	int rc = m ? list_groups(r, &groups, e) : error_no_memory(e, "merging evidence");
	for (uint32_t i = 0; !rc && i < groups.n; i++)
		rc = add_group(r, (struct group *)groups.item + i, m, out, e);
	vector_fini(&groups, r->env, sizeof(struct group));
	env_free(r->env, m, sizeof *m);
	return rc;
}

int store_digest(const struct env *env, const char *path, struct store_digest out[static STORE_DIGESTS], struct error *e)
{
	static const char *const names[STORE_DIGESTS] = { "flow", "flow_payload", "victim_second", "source_evidence" };
	struct reading r = { .env = env };
	for (int t = 0; t < STORE_DIGESTS; t++)
		out[t] = (struct store_digest){ .table = names[t] };
	int rc = folder_look(&r.folder, env, path, e);
	if (!rc)
		rc = open_snapshot(&r, e);
	if (!rc)
		rc = digest_all(&r, out, e);
	if (r.con)
		duckdb_disconnect(&r.con);
	if (r.db)
		duckdb_close(&r.db);
	env_free(env, r.rows, r.rows_size);
	return rc;
}
