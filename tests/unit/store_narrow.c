/* Narrow rows: the same at rest as those that wait as they are, in the order of parts, and summed the same.
 *
 * Mutants it kills: a column in another's place, a told value that is not NULL, a profile of another row, rows of 16
 * bits that do not fit, deltas that are not modulo 2^32, least and greatest without their sign, a source in two ranges,
 * ranges that do not ascend, sums of the wrong port.
 */
#include "store/duck.h"
#include "store/feed.h"
#include "store/part.h"
#include "store/store.h"

#include "model/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS 10000

static uint32_t state_of_draws = 7;

static uint32_t draw(uint32_t n)
{
	state_of_draws = state_of_draws * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)state_of_draws * n >> 32);
}

static struct flow_record draw_flow(void)
{
	static const uint8_t protocols[] = { 6, 6, 6, 17, 1, 47, 132, 6 };
	uint32_t packets = 1 + draw(3), length = 40 + draw(2);
	struct flow_record f = {
		.minute = (uint32_t)(-1440 + (int32_t)draw(3 * 1440)), .source = addr_from_v4(draw(64) << 26 | draw(3)),
		.port = (uint16_t)draw(draw(2) ? 4 : 65536), .protocol = protocols[draw(8)], .class = (uint8_t)draw(CLASS_COUNT),
		.tags = (uint16_t)draw(4), .rules = (uint16_t)(1u << draw(3) & 6), .packets = packets,
		.destinations = packets - draw(2), .attempts = packets - draw(2), .accesses = packets * draw(2),
		.bytes = (uint64_t)packets * length + draw(2), .length_min = (uint16_t)length, .length_max = (uint16_t)(length + draw(2)),
		.ttl_min = 60, .ttl_max = (uint8_t)(60 + draw(2)), .first = (uint8_t)draw(60), .last = 59, .tcp_flags = (uint8_t)draw(256),
	};
	if (draw(2))
		f.syn = (struct syn_profile){ .window = (uint16_t)draw(65536), .mss = 1460, .scale = 7, .flags = SYN_PRESENT,
		                              .n_kinds = 1, .kinds = { 2 } };
	return f;
}

static void ok(int rc, const struct error *e)
{
	if (rc)
		fail_msg("%s", e->text);
}

/* ---- What fits ---- */
static void what_fits(void **state)
{
	(void)state;
	struct narrow_flow out;
	const struct flow_record least = { .source = addr_from_v4(1) };
	struct flow_record f = least;
	f.packets = f.destinations = f.attempts = f.accesses = UINT16_MAX;
	f.bytes = UINT32_MAX;
	assert_true(narrow_from(&f, &out));
	assert_true(out.packets == UINT16_MAX && out.accesses == UINT16_MAX && out.bytes == UINT32_MAX);
	for (int i = 0; i < 6; i++) {
		f = least;
		f.packets += i == 0 ? 65536 : 0;
		f.destinations += i == 1 ? 65536 : 0;
		f.attempts += i == 2 ? 65536 : 0;
		f.accesses += i == 3 ? 65536 : 0;
		f.bytes += i == 4 ? 1ull << 32 : 0;
		f.source.bytes[0] = i == 5 ? 0x20 : 0;
		assert_false(narrow_from(&f, &out));
	}
}

/* ---- Order ---- */
static void assert_sorted(const struct narrow_flow *row, const struct sort_item *item, uint32_t n, int32_t day)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct narrow_flow *f = &row[item[i].row];
		assert_int_equal(day_of_minute(f->minute), day);
		if (!i)
			continue;
		uint64_t before = narrow_key(&row[item[i - 1].row]);
		assert_true(before < narrow_key(f) || (before == narrow_key(f) && item[i - 1].row < item[i].row));
	}
}

static void assert_above(const struct narrow_flow *row, const struct sort_item *lower, uint32_t n_lower,
                         const struct sort_item *upper, uint32_t n_upper)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i < n_lower; i++)
		most = row[lower[i].row].source > most ? row[lower[i].row].source : most;
	for (uint32_t i = 0; i < n_upper; i++)
		assert_true(row[upper[i].row].source > most);
}

/* Every row once; days ascend; those of a day lie in ranges of sources that ascend and are about as large. */
static void parted(const struct narrow_flow *row, uint32_t from, uint32_t most, uint32_t runs_least)
{
	static bool seen[ROWS];
	struct error e;
	struct sort s = { .env = env_system() };
	const struct sort_item *before = NULL;
	uint32_t rows = 0;
	memset(seen, 0, sizeof seen);
	ok(sort_part(&s, row, from, ROWS, most, &e), &e);
	assert_true(s.n_runs >= runs_least);
	for (uint32_t r = 0; r < s.n_runs; r++) {
		const struct sort_run *run = &s.run[r];
		const struct sort_item *item = sort_run(&s, run);
		assert_int_equal(run->from, rows);
		assert_true(run->v4 && run->to > run->from);
		assert_true(run->to - run->from <= 2 * most);
		rows = run->to;
		assert_sorted(row, item, run->to - run->from, run->day);
		for (uint32_t i = 0; i < run->to - run->from; i++) {
			assert_false(seen[item[i].row]);
			seen[item[i].row] = true;
		}
		assert_true(!r || run[-1].day <= run->day);
		if (r && run[-1].day == run->day)
			assert_above(row, before, run[-1].to - run[-1].from, item, run->to - run->from);
		before = item;
	}
	assert_int_equal(rows, ROWS - from);
	sort_fini(&s);
}

static void parts_and_order(void **state)
{
	(void)state;
	static struct narrow_flow row[ROWS];
	for (uint32_t i = 0; i < ROWS; i++) {
		struct flow_record f = draw_flow();
		assert_true(narrow_from(&f, &row[i]));
		if (i % 3 == 0)
			row[i] = row[i / 2];
	}
	parted(row, 0, ROWS, 3);
	parted(row, 100, 700, 12);
	for (uint32_t i = 0; i < ROWS; i++)
		row[i].minute = 7;
	parted(row, 0, ROWS, 1);
	parted(row, 0, 1000, 10);
	for (uint32_t i = 0; i < ROWS; i++)
		row[i].source = UINT32_MAX; /* the last bin has all */
	parted(row, 0, ROWS, 1);
}

/* ---- At rest ---- */
struct fixture {
	duckdb_database db;
	duckdb_connection con;
	struct shape shape;
	struct feed wide;
	struct parquet *parquet;
	struct narrow_group *group;
	struct rollup rollup[2];
	char path[64];
	struct digest digest; /* of the file, and its length */
	uint64_t bytes;
	uint32_t groups;
};

static int64_t number(struct fixture *f, const char *sql)
{
	struct error e;
	int64_t n;
	f->wide.at = 0;
	ok(duck_number(f->con, &n, &e, "%s", sql), &e);
	return n;
}

static void set_up(struct fixture *f)
{
	struct error e;
	ok(duck_open(&f->db, NULL, 256u << 20, 1, "", &e), &e);
	ok(duck_connect(f->db, &f->con, &e), &e);
	ok(parquet_init(&f->parquet, env_system(), &e), &e);
	ok(narrow_group_init(&f->group, env_system(), &e), &e);
	for (int i = 0; i < 2; i++)
		ok(rollup_init(&f->rollup[i], env_system(), &e), &e);
	snprintf(f->path, sizeof f->path, "/tmp/monomi-narrow-%ld.parquet", (long)getpid());
}

static void tear_down(struct fixture *f)
{
	for (int i = 0; i < 2; i++)
		rollup_fini(&f->rollup[i]);
	narrow_group_fini(f->group);
	parquet_fini(f->parquet);
	duckdb_disconnect(&f->con);
	duckdb_close(&f->db);
	unlink(f->path);
}

/* As text: the country must be a word like any other to readers. */
static void look_up(const void *ctx, const struct addr *addresses, size_t n, struct store_origin *out)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		uint32_t v4 = addr_v4(&addresses[i]);
		if (v4 & 1)
			continue;
		out[i] = (struct store_origin){ { (char)('A' + (v4 >> 26) % 26), 'Z' }, v4 };
	}
}

static const uint8_t database[16] = { 0xff, 1 };
static const struct store_origins origins = { look_up, NULL, database, NULL };

/* Rows of one day as a file, in the order of parts. */
static void write_rows(struct fixture *f, const struct narrow_flow *row, uint32_t n, struct narrow_sums *sums)
{
	struct error e;
	struct sort s = { .env = env_system() };
	struct parquet_column column[NARROW_COLUMNS];
	ok(sort_part(&s, row, 0, n, n, &e), &e);
	assert_int_equal(s.n_runs, 1);
	const struct sort_item *item = sort_run(&s, &s.run[0]);
	ok(parquet_begin(f->parquet, f->path, column, narrow_columns(column), &e), &e);
	f->groups = 0;
	for (uint32_t at = 0, some; at < n; at += some, f->groups++) {
		ok(narrow_take(f->group, row, item + at, n - at, &origins, sums, &some, &e), &e);
		assert_true(some && some <= n - at);
		ok(parquet_group(f->parquet, narrow_values(f->group), some, &e), &e);
	}
	ok(parquet_end(f->parquet, 0, &f->bytes, &f->digest, &e), &e);
	sort_fini(&s);
	ok(duck_run(f->con, &e, "CREATE OR REPLACE VIEW n AS FROM read_parquet('%s')", f->path), &e);
}

static void hash_is_the_files(struct fixture *f)
{
	struct folder folder = { .env = env_system(), .path = "/tmp" };
	struct digest digest;
	uint64_t bytes;
	assert_int_equal(part_hash(&folder, f->path + strlen("/tmp/"), &bytes, &digest), 0);
	assert_int_equal(bytes, f->bytes);
	assert_memory_equal(&digest, &f->digest, sizeof digest);
}

static void same_at_rest(void **state)
{
	(void)state;
	static struct flow_record in[ROWS];
	static struct narrow_flow row[ROWS];
	struct fixture f = { .wide = { .placed = true, .table = STORE_FLOW, .origins = &origins } };
	struct error e;
	set_up(&f);
	shape_of(STORE_FLOW, true, &f.shape);
	for (uint32_t i = 0; i < ROWS; i++) {
		in[i] = draw_flow();
		in[i].minute = i % 1440;
		assert_true(narrow_from(&in[i], &row[i]));
	}
	f.wide.shape = &f.shape;
	f.wide.n = ROWS;
	f.wide.rows = (const uint8_t *)in;
	struct narrow_sums sums = { &f.rollup[0], INT32_MAX, INT32_MIN };
	write_rows(&f, row, ROWS, &sums);
	hash_is_the_files(&f);
	ok(feed_register(f.con, "wide", &f.wide, &e), &e);
	ok(duck_run(f.con, &e, "CREATE TABLE w AS SELECT * FROM wide()"), &e);
	assert_int_equal(number(&f, "SELECT count(*) FROM n"), ROWS);
	assert_int_equal(number(&f, "SELECT count(*) FROM (SELECT * FROM w EXCEPT ALL SELECT * FROM n)"), 0);
	assert_int_equal(number(&f, "SELECT count(*) FROM (SELECT * FROM n EXCEPT ALL SELECT * FROM w)"), 0);
	/* names and types too: other parts of the table are DuckDB's, and are read together with it */
	assert_int_equal(number(&f, "SELECT count(*) FROM (SELECT column_name, data_type, column_index FROM duckdb_columns() WHERE "
	                            "table_name = 'w' EXCEPT SELECT column_name, data_type, column_index FROM duckdb_columns() WHERE "
	                            "table_name = 'n') WHERE column_name <> 'country'"), 0);
	assert_true(number(&f, "SELECT count(*) FROM n WHERE country = 'BZ' AND as_number = source AND source >> 26 IN (1, 27, 53)"));
	assert_int_equal(number(&f, "SELECT count(*) FROM n WHERE country IS NULL AND source % 2 = 0 AND source > 0"), 0);
	assert_int_equal(sums.from, 0);
	assert_int_equal(sums.to, 1439);
	for (uint32_t i = 0; i < ROWS; i++)
		ok(rollup_add_record(&f.rollup[1], &in[i], &e), &e);
	for (int k = 0; k < ROLLUPS; k++) {
		rollup_sort(&f.rollup[0]);
		rollup_sort(&f.rollup[1]);
		assert_int_equal(f.rollup[0].table[k].n, f.rollup[1].table[k].n);
		assert_memory_equal(f.rollup[0].table[k].row, f.rollup[1].table[k].row,
		                    f.rollup[0].table[k].n * sizeof *f.rollup[0].table[k].row);
	}
	tear_down(&f);
}

/* What does not fit a dictionary, a group, or the profiles that a group tells apart; days before 1970. */
#define MANY 300001
static void many_at_rest(void **state)
{
	(void)state;
	struct narrow_flow *row = calloc(MANY, sizeof *row);
	struct fixture f = { 0 };
	assert_non_null(row);
	set_up(&f);
	for (uint32_t i = 0; i < MANY; i++) {
		struct flow_record r = { .source = addr_from_v4(i * 2654435761u), .minute = (uint32_t)(-1440 + (int32_t)(i % 1440)),
		                         .port = (uint16_t)i, .protocol = 6, .packets = 1 + (i >> 3) % 60000, .bytes = i, .length_min = 60000,
		                         .syn = { .window = (uint16_t)(i < MANY / 2 ? 1 : i), .mss = (uint16_t)(i >> 16),
		                                  .flags = SYN_PRESENT } };
		assert_true(narrow_from(&r, &row[i]));
	}
	struct narrow_sums sums = { &f.rollup[0], INT32_MAX, INT32_MIN };
	write_rows(&f, row, MANY, &sums);
	assert_true(f.groups > (MANY + PARQUET_GROUP - 1) / PARQUET_GROUP); /* profiles ended one early */
	assert_int_equal(sums.from, -1440);
	/* every row as it was made: i is told by its bytes, and its other columns by i */
	assert_int_equal(number(&f, "SELECT count(DISTINCT bytes) FROM n"), MANY);
	assert_int_equal(number(&f, "SELECT count(*) FROM n WHERE source = (bytes::UBIGINT * 2654435761) % 4294967296 AND port = bytes % "
	                            "65536 AND minute = -1440 + (bytes % 1440)::INTEGER AND packets = 1 + (bytes // 8) % 60000 AND "
	                            "destinations = 0 AND hex(syn) = format('{:04X}{:04X}0080', CASE WHEN bytes < 150000 THEN 1 ELSE "
	                            "bytes % 65536 END, bytes // 65536) || repeat('00', 18)"), MANY);
	/* readers leave groups out by these */
	char sql[600];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT file_row_number AS r, * FROM read_parquet('%s', file_row_number = true)) "
	         "JOIN (SELECT row_group_id AS g, sum(row_group_num_rows) OVER (ORDER BY row_group_id) AS upto, row_group_num_rows AS rows, "
	         "stats_min_value::BIGINT AS least, stats_max_value::BIGINT AS greatest FROM parquet_metadata('%s') WHERE path_in_schema = "
	         "'minute') ON r < upto AND r >= upto - rows WHERE minute BETWEEN least AND greatest", f.path, f.path);
	assert_int_equal(number(&f, sql), MANY);
	tear_down(&f);
	free(row);
}

static void signs(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct error e;
	const int32_t value[] = { -7, 5, 0, -7, INT32_MAX, INT32_MIN };
	const struct parquet_column column = { "n", DUCKDB_TYPE_INTEGER };
	const struct parquet_values values = { .data = value, .width = 4 };
	char sql[200];
	set_up(&f);
	ok(parquet_begin(f.parquet, f.path, &column, 1, &e), &e);
	ok(parquet_group(f.parquet, &values, 4, &e), &e);
	ok(parquet_group(f.parquet, &values, 6, &e), &e);
	ok(parquet_end(f.parquet, 0, &f.bytes, &f.digest, &e), &e);
	snprintf(sql, sizeof sql, "SELECT sum(n)::BIGINT * 100 + count(*) FROM read_parquet('%s')", f.path);
	assert_int_equal(number(&f, sql), -1900 + 10);
	snprintf(sql, sizeof sql, "SELECT count(*) FROM parquet_metadata('%s') WHERE (stats_min_value, stats_max_value) IN "
	         "(('-7', '5'), ('-2147483648', '2147483647'))", f.path);
	assert_int_equal(number(&f, sql), 2);
	tear_down(&f);
}

/* ---- Sums ---- */
static int compare_key(const struct totals *a, const struct rollup_flow *f, bool by_port)
{
	return a->protocol == f->protocol && a->class == f->class &&
	       (by_port ? a->port == f->port : a->hour == (f->minute - (f->minute % 60 + 60) % 60) / 60);
}

/* In any order of rows, against a sum by hand of one key. */
static void sums(void **state)
{
	(void)state;
	struct error e;
	struct rollup r;
	static struct rollup_flow row[ROWS];
	ok(rollup_init(&r, env_system(), &e), &e);
	for (int round = 0; round < 2; round++) { /* what was cleared is gone */
		rollup_clear(&r);
		for (uint32_t i = 0; i < ROWS; i++) {
			struct flow_record f = draw_flow();
			row[i] = (struct rollup_flow){ (int32_t)f.minute, f.port, f.protocol, f.class, f.packets, f.accesses, f.attempts,
			                               f.bytes };
			ok(rollup_add(&r, &row[i], &e), &e);
		}
		for (int k = 0; k < ROLLUPS; k++) {
			uint64_t flows = 0, packets = 0;
			for (uint32_t t = 0; t < r.table[k].n; t++)
				flows += r.table[k].row[t].flows;
			assert_int_equal(flows, ROWS);
			for (uint32_t pick = 0; pick < 20; pick++) {
				uint64_t wanted = 0;
				packets = 0;
				for (uint32_t i = 0; i < ROWS; i++) {
					struct totals key = { .protocol = row[i].protocol, .class = row[i].class, .port = row[i].port,
					                      .hour = (row[i].minute - (row[i].minute % 60 + 60) % 60) / 60 };
					wanted += compare_key(&key, &row[pick], k == ROLLUP_PORT_DAY) ? row[i].packets : 0;
				}
				for (uint32_t t = 0; t < r.table[k].n; t++)
					packets += compare_key(&r.table[k].row[t], &row[pick], k == ROLLUP_PORT_DAY) ? r.table[k].row[t].packets : 0;
				assert_int_equal(packets, wanted);
			}
		}
	}
	rollup_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits), cmocka_unit_test(parts_and_order), cmocka_unit_test(same_at_rest),
		cmocka_unit_test(many_at_rest), cmocka_unit_test(signs), cmocka_unit_test(sums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
