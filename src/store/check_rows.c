/* The rows of each part: read whole, added up by minute as the tracker did, and held against the windows. */
#include "store/check.h"
#include "store/month.h"
#include "store/part.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 1440 /* minutes */

/* What a row of each table can hold. NULL is what another column tells (docs/formats/store.md). */
static const char *const bounds[STORE_TABLES] = {
	[STORE_FLOW] = "packets > 0 AND coalesce(destinations, packets) BETWEEN 1 AND packets AND coalesce(accesses, "
	               "packets) <= "
	               "packets AND coalesce(attempts, packets) <= coalesce(accesses, packets) AND coalesce(length_max, "
	               "length_min) "
	               ">= length_min AND coalesce(ttl_max, ttl_min) >= ttl_min AND coalesce(\"last\", \"first\") BETWEEN "
	               "\"first\" AND 59 AND (coalesce(bytes, 281474976710655) = 281474976710655 OR length_max = 65535 OR "
	               "(length_max IS NULL AND length_min = 65535) OR bytes BETWEEN packets::UBIGINT * length_min AND "
	               "packets::UBIGINT * coalesce(length_max, length_min)) AND coalesce(octet_length(syn), 24) = 24",
	[STORE_PAYLOAD] = "packets > 0 AND coalesce(destinations, packets) BETWEEN 1 AND packets AND coalesce(\"last\", "
	                  "\"first\") "
	                  "BETWEEN \"first\" AND 59 AND content IS NOT NULL",
	/* kind NULL: a row of schema 2 */
	[STORE_VICTIM] = "packets > 0 AND coalesce(attackers, packets) BETWEEN 1 AND packets AND (kind IS NULL OR (kind < 4 "
	                 "AND coalesce(forged, packets) BETWEEN coalesce(attackers, packets) AND packets AND "
	                 "coalesce(length_max, length_min) >= length_min AND coalesce(ttl_max, ttl_min) >= ttl_min AND "
	                 "octet_length(sample) % 4 = 0 AND octet_length(sample) BETWEEN 4 AND 4 * least(8, coalesce(forged, "
	                 "packets))))",
	[STORE_EVIDENCE] = "packets > 0 AND coalesce(sport_max, sport_min) >= sport_min AND coalesce(ttl_max, ttl_min) "
	                   ">= ttl_min "
	                   "AND (tuple_set IS NULL) <> (registers IS NULL) AND coalesce(octet_length(registers), 4096) = "
	                   "4096 AND "
	                   "coalesce(octet_length(tuple_set) % 5 = 0 AND octet_length(tuple_set) BETWEEN 5 AND 320, "
	                   "true) AND "
	                   "coalesce(octet_length(keys) % 8 = 0 AND octet_length(keys) <= 64, true)",
};
/* What may be there once; evidence lies in contributions. */
static const char *const keys[STORE_TABLES] = {
	[STORE_FLOW] = "minute, source, port, protocol, class", [STORE_PAYLOAD] = "minute, source, port, protocol, content",
	[STORE_VICTIM] = "\"second\", victim, kind, protocol, port",
};

struct minute {
	uint64_t flows, packets, attempts, victim_seconds, flow_payloads;
	struct digest flow, victim, payload;
};

/* The rows of one day and sensor. */
struct day {
	char sensor[STORE_SENSOR_MAX + 1];
	uint64_t hash;
	int32_t day; /* since 1970 */
	bool open, broken;
	duckdb_appender found;
	struct minute minute[DAY];
};

struct part_sum {
	enum store_table table;
	uint64_t rows, outside;
	int32_t from, to; /* minutes */
};

static void add(struct digest *d, const uint8_t *bytes, size_t n)
{
	XXH128_hash_t h = XXH3_128bits_withSeed(bytes, n, 0);
	digest_add(d, h.low64, h.high64);
}

/* Minute of a row within its day; less than 0 or past the day: it lies in the wrong part. */
static int64_t minute_of(const struct day *d, enum store_table table, const uint8_t *row)
{
	int64_t begin = (int64_t)d->day * DAY;
	if (table == STORE_VICTIM) { /* 32 bits of seconds, of which the day tells the rest */
		uint32_t second = ((const struct staged_victim *)row)->row.second;
		int32_t into = (int32_t)(second - (uint32_t)(begin * 60));
		return into < 0 ? -1 : into / 60;
	}
	return staged_minute(table, row) - begin;
}

static void add_row(struct day *d, struct part_sum *p, uint8_t *row)
{
	uint8_t bytes[RECORD_MAX];
	int64_t at = minute_of(d, p->table, row);
	if (at < 0 || at >= DAY) {
		p->outside++;
		return;
	}
	int32_t minute = (int32_t)(at + (int64_t)d->day * DAY);
	p->from = !p->rows || minute < p->from ? minute : p->from;
	p->to = !p->rows || minute > p->to ? minute : p->to;
	p->rows++;
	struct minute *m = &d->minute[at];
	if (p->table == STORE_FLOW) {
		struct flow_record *r = (struct flow_record *)row;
		r->sensor = d->hash;
		m->flows++;
		m->packets += r->packets;
		m->attempts += r->attempts;
		add(&m->flow, bytes, flow_record_store(r, bytes));
	} else if (p->table == STORE_PAYLOAD) {
		struct flow_payload_record *r = (struct flow_payload_record *)row;
		r->sensor = d->hash;
		m->flow_payloads++;
		add(&m->payload, bytes, flow_payload_record_store(r, bytes));
	} else if (p->table == STORE_VICTIM) {
		struct victim_second_record *r = &((struct staged_victim *)row)->row;
		r->sensor = d->hash;
		m->victim_seconds++;
		add(&m->victim, bytes, victim_second_record_bytes(r, bytes));
	}
}

/* ---- A part ---- */
static void columns_of(const struct shape *s, char *out, size_t n)
{
	size_t at = 0;
	for (uint32_t i = 0; i < s->n && at < n; i++)
		at += (size_t)snprintf(out + at, n - at, "%s\"%s\"", i ? ", " : "", s->column[i].name);
}

static int read_part(struct check *k, struct day *d, struct part_sum *p, bool v4, const char *quoted, struct error *why)
{
	char columns[1024];
	struct shape s;
	duckdb_result r;
	duckdb_data_chunk chunk;
	const struct env *env = k->folder->env;
	shape_of(p->table, v4, &s);
	columns_of(&s, columns, sizeof columns);
	size_t room = s.width * duckdb_vector_size();
	uint8_t *rows = env_alloc(env, room);
	if (!rows)
		return error_no_memory(k->e, "checking rows");
	int rc = duck_query(k->con, &r, why, "SELECT %s FROM (SELECT * FROM read_parquet(%s, hive_partitioning = false)%s)",
	                    columns, quoted, shape_added(p->table));
	if (!rc) {
		while ((chunk = duckdb_fetch_chunk(r))) {
			uint32_t n = (uint32_t)duckdb_data_chunk_get_size(chunk);
			shape_take(&s, chunk, n, rows);
			for (uint32_t i = 0; i < n; i++)
				add_row(d, p, rows + i * s.width);
			duckdb_destroy_data_chunk(&chunk);
		}
		rc = duck_end(&r, why);
	}
	env_free(env, rows, room);
	return rc;
}

/* ---- A day ---- */
static void append_digest(duckdb_appender to, const struct digest *d)
{
	char text[DIGEST_TEXT];
	duckdb_append_varchar(to, digest_format(d, text));
}

static int append_minute(struct day *d, int i)
{
	const struct minute *m = &d->minute[i];
	duckdb_append_varchar(d->found, d->sensor);
	duckdb_append_int32(d->found, d->day * DAY + i);
	const uint64_t numbers[] = { m->flows, m->packets, m->attempts, m->victim_seconds, m->flow_payloads };
	for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
		duckdb_append_uint64(d->found, numbers[n]);
	append_digest(d->found, &m->flow);
	append_digest(d->found, &m->victim);
	append_digest(d->found, &m->payload);
	return duckdb_appender_end_row(d->found) == DuckDBError ? -ENOMEM : 0;
}

/* What the day came to goes into the table `found`; a day with a part that cannot be read into `broken`. */
static int end_day(struct check *k, struct day *d)
{
	int rc = 0;
	if (!d->open)
		return 0;
	d->open = false;
	for (int i = 0; !rc && i < DAY; i++)
		if (d->minute[i].flows || d->minute[i].victim_seconds || d->minute[i].flow_payloads)
			rc = append_minute(d, i);
	if (rc)
		return error_no_memory(k->e, "checking rows");
	if (d->broken)
		rc = duck_run(k->con, k->e, "INSERT INTO broken VALUES ('%s', %d)", d->sensor, d->day);
	return rc;
}

static int begin_day(struct check *k, struct day *d, const char *sensor, int32_t day)
{
	if (d->open && d->day == day && !strcmp(d->sensor, sensor))
		return 0;
	int rc = end_day(k, d);
	memset(d->minute, 0, sizeof d->minute);
	snprintf(d->sensor, sizeof d->sensor, "%s", sensor);
	d->hash = XXH3_64bits(sensor, strlen(sensor));
	d->day = day;
	d->open = true;
	d->broken = false;
	return rc;
}

static bool table_named(const char *name, enum store_table *table, bool *v4)
{
	for (int t = 0; t < STORE_TABLES; t++)
		for (int four = 0; four < 2; four++)
			if (!strcmp(name, shape_name((enum store_table)t, four))) {
				*table = (enum store_table)t;
				*v4 = four;
				return true;
			}
	return false;
}

static void hold_against(struct check *k, const struct part_sum *p, char *const *text)
{
	if (p->outside)
		check_found(k, CHECK_ROWS, "%s has %llu rows of another day", text[3], (unsigned long long)p->outside);
	else if (p->rows != strtoull(text[4], NULL, 10))
		check_found(k, CHECK_ROWS, "%s has %llu rows, not %s", text[3], (unsigned long long)p->rows, text[4]);
	else if (p->rows && (p->from != strtol(text[5], NULL, 10) || p->to != strtol(text[6], NULL, 10)))
		check_found(k, CHECK_ROWS, "%s has minutes %d to %d, not %s to %s", text[3], p->from, p->to, text[5], text[6]);
}

/* Are the bytes those that were written? What was stored before the catalog kept their hash (text[7] NULL) is trusted. */
static void check_bytes(struct check *k, char *const *text)
{
	char hex[DIGEST_TEXT];
	struct digest d;
	uint64_t bytes;
	if (text[7] && !part_hash(k->folder, text[3], &bytes, &d) && strcmp(digest_format(&d, hex), text[7]))
		check_found(k, CHECK_ROWS, "%s is damaged: its bytes are not those that were written", text[3]);
}

/* The sums of a part: of as many rows as it has, while it is there. */
static int check_rollup(struct check *k, enum rollup_kind kind, char *const *text)
{
	char path[STORE_PATH], quoted[DUCK_PATH];
	const char *number = strstr(text[3], "/part-");
	if (!number || !folder_path(k->folder, path, "%s", text[3]) || !duck_quote(path, quoted))
		return error_set(k->e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	return check_query(k, CHECK_ROWS, "SELECT '%s sums up ' || n || ' rows of ' || rows FROM (SELECT coalesce("
	                   "sum(flows), 0) AS n FROM read_parquet(%s, hive_partitioning = false)), hot.parts "
	                   "WHERE n <> rows AND id = %llu",
	                   text[3], quoted, strtoull(number + 6, NULL, 10) - 1 - (unsigned)kind);
}

static bool check_is_derived(const char *table)
{
	for (int d = 0; d < STORE_DERIVED; d++)
		if (!strcmp(table, derived_name((enum store_derived)d)))
			return true;
	return false;
}

/* Text: table, day since 1970, sensor, path, rows, from, to, digest of the file. */
static int check_part(struct check *k, void *ctx, char *const *text)
{
	struct day *d = ctx;
	struct part_sum p = { 0 };
	char path[STORE_PATH], quoted[DUCK_PATH];
	bool v4;
	struct error why = { 0 };
	for (int i = 0; i < 7; i++)
		if (!text[i])
			return error_set(k->e, -EINVAL, "MON-STO-006", "the catalog names a part of which it does not say all");
	check_bytes(k, text);
	for (int r = 0; r < ROLLUPS; r++)
		if (!strcmp(text[0], rollup_name((enum rollup_kind)r)))
			return check_rollup(k, (enum rollup_kind)r, text);
	if (check_is_derived(text[0]))
		return 0; /* its bytes are those that were written, by whoever knows the rules */
	enum month_kind month;
	if (month_is(text[0], &month))
		return check_month(k, month, text);
	if (!table_named(text[0], &p.table, &v4)) {
		check_found(k, CHECK_LEDGER, "%s is of no table that is known", text[3]);
		return 0;
	}
	int rc = begin_day(k, d, text[2], (int32_t)strtol(text[1], NULL, 10));
	if (rc)
		return rc;
	if (!folder_path(k->folder, path, "%s", text[3]) || !duck_quote(path, quoted))
		return error_set(k->e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	rc = read_part(k, d, &p, v4, quoted, &why);
	if (rc == -ENOMEM)
		return rc;
	if (rc) {
		d->broken = true;
		check_found(k, CHECK_ROWS, "%s cannot be read: %s", text[3], why.text);
		return 0;
	}
	hold_against(k, &p, text);
	return check_query(k, CHECK_BOUNDS, "SELECT '%s: ' || count(*) || ' rows with values that cannot be' FROM "
	                   "(SELECT * FROM read_parquet(%s, hive_partitioning = false)%s) WHERE NOT coalesce(%s, false) "
	                   "HAVING count(*) > 0", text[3], quoted, shape_added(p.table), bounds[p.table]);
}

/* ---- All parts of one table, day and sensor ---- */
/* Text: table, day, sensor. */
static int check_keys(struct check *k, void *ctx, char *const *text)
{
	(void)ctx;
	enum store_table table;
	bool v4;
	char root[STORE_PATH], quoted[DUCK_PATH];
	if (!table_named(text[0], &table, &v4) || !keys[table])
		return 0;
	if (!folder_path(k->folder, root, "%s", "") || !duck_quote(root, quoted))
		return error_set(k->e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = duck_run(k->con, k->e, "SET VARIABLE files = (SELECT list(%s || path) FROM hot.parts WHERE "
	                  "table_name = '%s' AND day = '%s' AND sensor = '%s')", quoted, text[0], text[1], text[2]);
	if (rc)
		return rc;
	return check_query(k, CHECK_KEYS, "SELECT '%s of %s, %s: ' || count(*) || ' keys with several rows' FROM (SELECT 1 "
	                   "FROM (SELECT * FROM read_parquet(getvariable('files'), hive_partitioning = false, union_by_name = "
	                   "true)%s) GROUP BY %s HAVING count(*) > 1) HAVING count(*) > 0", text[0], text[2], text[1],
	                   shape_added(table), keys[table]);
}

#define HEX(column) "replace(CAST(w." column " AS VARCHAR), '-', '')"
#define ZEROS "'00000000000000000000000000000000'"
/* Rows of earlier days have expired; no such day: the least of all. */
#define KEPT_FROM(key) "coalesce((SELECT value * 1440 FROM hot.meta WHERE key = '" key "'), -9223372036854775807)"
#define DIFFERS(column) "OR coalesce(f." column ", 0) IS DISTINCT FROM w." column " "
#define DIGEST_DIFFERS(column) "OR coalesce(f." column ", " ZEROS ") IS DISTINCT FROM " HEX(column) " "
#define MINUTE "coalesce(w.minute, f.minute)"
#define SENSOR "coalesce(w.sensor, f.sensor)"
#define AGAINST_WINDOWS \
	"SELECT 'minute ' || " MINUTE " || ' of ' || " SENSOR " || ': rows and window differ' FROM hot.windows w FULL JOIN " \
	"found f ON w.sensor = f.sensor AND w.minute = f.minute ANTI JOIN broken b ON b.sensor = " SENSOR " AND b.day = " \
	"floor(" MINUTE " / 1440.0) WHERE (" MINUTE " >= " KEPT_FROM("detail_before") " AND (false " DIFFERS("flows") \
	DIFFERS("packets") DIFFERS("attempts") DIFFERS("victim_seconds") DIGEST_DIFFERS("flow_digest") \
	DIGEST_DIFFERS("victim_digest") ")) OR (" MINUTE " >= " KEPT_FROM("payload_before") " AND (false " \
	DIFFERS("flow_payloads") DIGEST_DIFFERS("payload_digest") "))"

static int check_parts(struct check *k, struct day *d)
{
	if (duckdb_appender_create(k->con, NULL, "found", &d->found) == DuckDBError)
		return error_no_memory(k->e, "checking rows");
	int rc = check_each(k, check_part, d, "SELECT table_name, CAST(day - DATE '1970-01-01' AS VARCHAR), sensor, "
	                                      "path, rows, "
	                    "from_minute, to_minute, replace(CAST(digest AS VARCHAR), '-', '') FROM hot.parts ORDER BY sensor, "
	                    "day, table_name, id");
	if (!rc)
		rc = end_day(k, d);
	if (duckdb_appender_destroy(&d->found) == DuckDBError && !rc)
		rc = error_no_memory(k->e, "checking rows");
	return rc;
}

int check_rows(struct check *k)
{
	const struct env *env = k->folder->env;
	struct day *d = env_alloc(env, sizeof *d);
	if (!d)
		return error_no_memory(k->e, "checking rows");
	int rc = duck_run(k->con, k->e, "CREATE TABLE found(sensor VARCHAR, minute INTEGER, flows UBIGINT, packets "
	                                "UBIGINT, "
	                  "attempts UBIGINT, victim_seconds UBIGINT, flow_payloads UBIGINT, flow_digest VARCHAR, "
	                  "victim_digest "
	                  "VARCHAR, payload_digest VARCHAR)");
	if (!rc)
		rc = duck_run(k->con, k->e, "CREATE TABLE broken(sensor VARCHAR, day INTEGER)");
	if (!rc)
		rc = check_parts(k, d);
	if (!rc)
		rc = check_query(k, CHECK_DIGESTS, "%s", AGAINST_WINDOWS);
	if (!rc)
		rc = check_each(k, check_keys, NULL, "SELECT DISTINCT table_name, day, sensor FROM hot.parts WHERE NOT "
		                                     "EXISTS (SELECT 1 "
		                "FROM broken b WHERE b.sensor = parts.sensor AND b.day = parts.day - DATE '1970-01-01') "
		                "ORDER BY ALL");
	env_free(env, d, sizeof *d);
	return rc;
}
