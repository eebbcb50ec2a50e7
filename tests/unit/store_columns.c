/* Rows between structs and DuckDB's vectors: through a Parquet file and back, all columns, least and greatest values,
 * what is NULL at rest, and addresses in the order of their bytes, past the sign bit of a UUID too. */
#include "store/duck.h"
#include "store/feed.h"
#include "store/part.h"

#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const sources[] = { "::", "::1", "2001:db8::1", "7fff:ffff::", "8000::", "::ffff:ffff:ffff:ffff",
                                       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "192.0.2.1", "0.0.0.0",
                                       "255.255.255.255" };
#define SOURCES (sizeof sources / sizeof *sources)

static struct addr addr_of(const char *text)
{
	struct prefix p;
	struct error e;
	assert_int_equal(prefix_parse(text, &p, &e), 0);
	return p.net;
}

static void ok(int rc, const struct error *e)
{
	if (rc)
		fail_msg("%s", e->text);
}

struct fixture {
	duckdb_database db;
	duckdb_connection con;
	struct shape shape;
	struct feed feed;
	char path[64];
};

static void fixture_init(struct fixture *f, enum store_table table, bool v4)
{
	struct error e;
	*f = (struct fixture){ 0 };
	snprintf(f->path, sizeof f->path, "/tmp/monomi-columns-%ld.parquet", (long)getpid());
	shape_of(table, v4, &f->shape);
	f->feed.shape = &f->shape;
	ok(duck_open(&f->db, NULL, 256u << 20, 1, "", &e), &e);
	ok(duck_connect(f->db, &f->con, &e), &e);
	ok(feed_register(f->con, "rows_in", &f->feed, &e), &e);
}

static void fixture_fini(struct fixture *f)
{
	remove(f->path);
	duckdb_disconnect(&f->con);
	duckdb_close(&f->db);
}

/* n rows into a file and out of it, sorted by `order`. */
static void round_trip(struct fixture *f, const void *in, uint32_t n, void *out, const char *order)
{
	struct error e;
	duckdb_result result;
	f->feed.rows = in;
	f->feed.n = n;
	f->feed.at = 0;
	ok(duck_run(f->con, &e, "COPY (SELECT * FROM rows_in()) TO '%s' (FORMAT parquet)", f->path), &e);
	ok(duck_query(f->con, &result, &e, "SELECT * FROM '%s' ORDER BY %s", f->path, order), &e);
	duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
	assert_int_equal(duckdb_data_chunk_get_size(chunk), n);
	shape_take(&f->shape, chunk, n, out);
	duckdb_destroy_data_chunk(&chunk);
	ok(duck_end(&result, &e), &e);
}

static int64_t count(struct fixture *f, const char *what)
{
	struct error e;
	int64_t n;
	ok(duck_number(f->con, &n, &e, "SELECT count(%s) FROM '%s'", what, f->path), &e);
	return n;
}

static void assert_flow(const struct flow_record *a, const struct flow_record *b)
{
	uint8_t x[RECORD_MAX], y[RECORD_MAX];
	size_t n = flow_record_store(a, x);
	assert_int_equal(flow_record_store(b, y), n);
	assert_memory_equal(x, y, n);
}

static void addresses(void **state)
{
	(void)state;
	for (int v4 = 0; v4 < 2; v4++) {
		struct fixture f;
		struct flow_record in[SOURCES] = { { .minute = 0 } }, out[SOURCES];
		uint32_t n = 0;
		for (size_t i = 0; i < SOURCES; i++) {
			struct addr a = addr_of(sources[i]);
			if (addr_is_v4(&a) == (bool)v4)
				in[n++] = (struct flow_record){ .source = a, .packets = (uint32_t)i };
		}
		fixture_init(&f, STORE_FLOW, v4);
		round_trip(&f, in, n, out, "packets");
		for (uint32_t i = 0; i < n; i++)
			assert_flow(&in[i], &out[i]);
		round_trip(&f, in, n, out, "source");
		for (uint32_t i = 1; i < n; i++)
			assert_true(memcmp(&out[i - 1].source, &out[i].source, 16) < 0);
		fixture_fini(&f);
	}
}

static void least_and_greatest(void **state)
{
	(void)state;
	struct fixture f;
	struct flow_record in[3] = { { .minute = 0 } }, out[3];
	memset(&in[1], 0xff, sizeof in[1]);
	in[2] = (struct flow_record){ .minute = (uint32_t)-7, .packets = 9, .destinations = 3, .accesses = 2, .attempts = 1,
	                              .bytes = 401, .length_min = 40, .length_max = 41, .ttl_min = 3, .ttl_max = 4, .first = 5,
	                              .last = 6, .syn = { .window = 0x1234, .mss = 1460, .flags = SYN_PRESENT | SYN_DF } };
	fixture_init(&f, STORE_FLOW, false);
	for (int i = 0; i < 3; i++) {
		in[i].source = addr_of("2001:db8::1");
		in[i].sensor = 0; /* no column */
	}
	round_trip(&f, in, 3, out, "minute < 0, minute");
	assert_flow(&in[0], &out[0]);
	round_trip(&f, in, 3, out, "minute DESC");
	assert_flow(&in[1], &out[1]);
	assert_flow(&in[2], &out[2]);
	fixture_fini(&f);
}

/* What another column tells is not there, and comes back. */
static void told_is_null(void **state)
{
	(void)state;
	struct fixture f;
	struct flow_record out, in = { .packets = 5, .destinations = 5, .accesses = 5, .attempts = 5, .bytes = 200,
	                               .length_min = 40, .length_max = 40, .ttl_min = 9, .ttl_max = 9, .first = 3, .last = 3 };
	in.source = addr_of("192.0.2.1");
	fixture_init(&f, STORE_FLOW, true);
	round_trip(&f, &in, 1, &out, "minute");
	static const char *const told[] = { "destinations", "accesses", "attempts", "bytes", "length_max", "ttl_max", "last",
	                                    "syn" };
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		assert_int_equal(count(&f, told[i]), 0);
	assert_int_equal(count(&f, "packets"), 1);
	assert_flow(&in, &out);
	in.bytes = UINT64_MAX;
	round_trip(&f, &in, 1, &out, "minute");
	assert_int_equal(count(&f, "bytes"), 1);
	assert_flow(&in, &out);
	fixture_fini(&f);
}

/* Seconds in 32 bits come round again: the minute beside them tells which are meant. */
static void seconds(void **state)
{
	(void)state;
	static const int32_t minutes[] = { -1, 0, 71582788, 71582789, 150000000, -154000000 };
	for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
		struct fixture f;
		struct error e;
		int64_t second;
		struct staged_victim out, in = { .minute = minutes[i] };
		in.row.second = 60 * (uint32_t)minutes[i] + 59;
		in.row.victim = addr_of("192.0.2.1");
		fixture_init(&f, STORE_VICTIM, true);
		round_trip(&f, &in, 1, &out, "second");
		assert_int_equal(out.row.second, in.row.second);
		ok(duck_number(f.con, &second, &e, "SELECT second FROM '%s'", f.path), &e);
		assert_int_equal(second, 60 * (int64_t)minutes[i] + 59);
		fixture_fini(&f);
	}
}

static void hours(void **state)
{
	(void)state;
	struct fixture f;
	struct error e;
	int64_t hour;
	struct staged_evidence out, in = { .row = { .hour = 0xffffff }, .tuples = { 0, BLOB_NULL },
	                                   .registers = { 0, BLOB_NULL }, .keys = { 0, BLOB_NULL } };
	in.row.source = addr_of("192.0.2.1");
	fixture_init(&f, STORE_EVIDENCE, true);
	round_trip(&f, &in, 1, &out, "hour");
	assert_int_equal(out.row.hour, 0xffffff);
	ok(duck_number(f.con, &hour, &e, "SELECT hour::BIGINT FROM '%s'", f.path), &e);
	assert_int_equal(hour, -1);
	assert_int_equal(staged_minute(STORE_EVIDENCE, &in), -60);
	fixture_fini(&f);
}

static void days(void **state)
{
	(void)state;
	static const struct { int32_t minute; const char *day; } cases[] = {
		{ 0, "1970-01-01" }, { -1, "1969-12-31" }, { -1440, "1969-12-31" }, { -1441, "1969-12-30" },
		{ 29432159, "2025-12-16" }, { 15778079, "1999-12-31" }, { 15863040, "2000-02-29" }, { 153722867, "2262-04-11" },
		{ -153722868, "1677-09-21" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char day[16];
		part_day(day_of_minute(cases[i].minute), day);
		assert_string_equal(day, cases[i].day);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses), cmocka_unit_test(least_and_greatest), cmocka_unit_test(told_is_null),
		cmocka_unit_test(seconds), cmocka_unit_test(hours), cmocka_unit_test(days),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
