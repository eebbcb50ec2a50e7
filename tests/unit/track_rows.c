/* Row tables against the plainest count there is, and the fast canonical bytes against the list of columns.
 *
 * Killed mutants: a set that forgets its first port, the growth of a set dropping entries, a column out of place in
 * flow_canonical, min and max exchanged in row_add_packet, the tie between SYNs broken by arrival. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "model/records.h"
#include "track/flow_digest.h"
#include "track/layouts.h"
#include "track/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT (64u << 20)

struct tables {
	struct rows rows;
	struct layouts *layouts;
	struct error e;
};

static void tables_init(struct tables *t, size_t limit)
{
	assert_int_equal(rows_init(&t->rows, env_system(), limit, limit, &t->e), 0);
	assert_int_equal(layouts_open(&t->layouts, env_system(), &t->e), 0);
}

static void tables_fini(struct tables *t)
{
	rows_fini(&t->rows);
	layouts_close(t->layouts);
}

static uint32_t add_some(struct tables *t, const struct hit *h)
{
	uint8_t left[ROWS_BATCH];
	assert_int_equal(rows_prepare(&t->rows, &t->e), 0);
	uint64_t hash = rows_want(&t->rows, h->key);
	return rows_add(&t->rows, h, &hash, 1, t->layouts, left);
}

static void add(struct tables *t, struct hit h) { assert_int_equal(add_some(t, &h), 0); }

/* Distinct destinations and (destination, port) pairs of accesses, for every mixture of few and many of each. */
static void sets_are_exact(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 300; round++) {
		struct tables t;
		uint32_t n_dst = 1 + (uint32_t)rand() % (round % 3 ? 6 : 900), n_port = 1 + (uint32_t)rand() % (round % 2 ? 3 : 200);
		static uint8_t seen[1000][256], seen_dst[1000];
		uint32_t destinations = 0, attempts = 0, accesses = 0;
		unsigned often = round % 4 ? 4 : 400; /* mostly one kind: a row becomes mixed late */
		memset(seen, 0, sizeof seen);
		memset(seen_dst, 0, sizeof seen_dst);
		tables_init(&t, LIMIT);
		for (int i = 0; i < 3000; i++) {
			uint32_t dst = (uint32_t)rand() % n_dst, port = (uint32_t)rand() % n_port;
			bool access = (unsigned)rand() % often;
			access ^= round % 8 > 3;
			add(&t, (struct hit){ .key = 42, .dst = dst * 65536, .access = access, .sport = (uint16_t)port });
			destinations += !seen_dst[dst];
			seen_dst[dst] = 1;
			accesses += access;
			attempts += access && !seen[dst][port];
			seen[dst][port] |= access;
		}
		assert_int_equal(t.rows.n, 1);
		assert_int_equal(row_destinations(&t.rows.row[0]), destinations);
		assert_int_equal(row_attempts(&t.rows.row[0]), attempts);
		assert_int_equal(row_accesses(&t.rows.row[0]), accesses);
		tables_fini(&t);
	}
}

static int count_pair(void *ctx, uint32_t dst, uint16_t sport, bool access)
{
	uint64_t *sum = ctx;
	sum[0]++;
	sum[1] += (uint64_t)dst * 65536 + sport * 2u + access;
	return 0;
}

/* Every pair is told once, so that a row rebuilt from its pairs is the row. */
static void pairs_rebuild_a_row(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 400; n = n * 2 + 1) {
		struct tables t;
		uint64_t sum[2] = { 0 };
		tables_init(&t, LIMIT);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(rows_add_pair(&t.rows, 7, i / 3, (uint16_t)(i % 3), true, &t.e), 0);
		assert_int_equal(rows_each_pair(&t.rows, &t.rows.row[0], count_pair, sum), 0);
		assert_int_equal(sum[0], n);
		assert_int_equal(row_attempts(&t.rows.row[0]), n);
		assert_int_equal(row_destinations(&t.rows.row[0]), (n + 2) / 3);
		tables_fini(&t);
	}
}

/* A set that finds no room says so, and says which op it was; the row has counted its packet. */
static void full_sets_are_told(void **state)
{
	struct tables t;
	uint32_t left = 0, i = 0;
	(void)state;
	tables_init(&t, 1u << 20);
	for (; !left; i++) {
		left = add_some(&t, &(struct hit){ .key = 1, .dst = i });
		assert_true(i < 1000000);
	}
	assert_int_equal(left, 1);
	assert_int_equal(t.rows.row[0].packets, i);
	assert_int_equal(row_destinations(&t.rows.row[0]), i - 1);
	rows_clear(&t.rows, 0);
	assert_int_equal(rows_add_pair(&t.rows, 1, i - 1, 0, false, &t.e), 0);
	assert_int_equal(row_destinations(&t.rows.row[0]), 1);
	tables_fini(&t);
}

/* Rows that cannot be given sets: what would mix them is told as left, and no access is lost or made up. */
static void mixing_without_room(void **state)
{
	struct tables t;
	uint32_t told = 0, packets = 0, accesses = 0;
	(void)state;
	assert_int_equal(rows_init(&t.rows, env_system(), LIMIT, SET_UNIT - 1, &t.e), 0);
	assert_int_equal(layouts_open(&t.layouts, env_system(), &t.e), 0);
	for (uint32_t i = 0; i < 50; i++) {
		told += add_some(&t, &(struct hit){ .key = i % 2, .access = i % 10 < 2 });
	}
	assert_int_equal(told, 40);
	for (uint32_t i = 0; i < t.rows.n; i++) {
		packets += t.rows.row[i].packets;
		accesses += row_accesses(&t.rows.row[i]);
	}
	assert_int_equal(packets, 50);
	assert_int_equal(accesses, 10);
	tables_fini(&t);
}

/* Many keys: each is found again, also where tags collide. */
static void keys_are_exact(void **state)
{
	enum { KEYS = 200000 };
	struct tables t;
	(void)state;
	tables_init(&t, LIMIT);
	for (int pass = 0; pass < 2; pass++)
		for (uint64_t key = 0; key < KEYS; key++)
			add(&t, (struct hit){ .key = key << 20, .length = 40, .ttl = 9 });
	assert_int_equal(t.rows.n, KEYS);
	for (uint32_t i = 0; i < KEYS; i++) {
		assert_int_equal(t.rows.row[i].packets, 2);
		assert_int_equal(row_bytes(&t.rows.row[i]), 80);
	}
	tables_fini(&t);
}

static struct packet syn(uint16_t window, uint8_t ttl)
{
	static const uint8_t header[64];
	return (struct packet){ .ip = header, .window = window, .ttl = ttl, .ip_len = 40, .tcp_flags = TCP_SYN, .proto = PROTO_TCP,
	                        .version = 4, .ip_id = 1, .payload_offset = 40 };
}

/* The least SYN by time, then by profile, whatever the order they come in. */
static void least_syn(void **state)
{
	static const struct { uint64_t time; uint16_t window; } syns[] = { { 5, 9 }, { 5, 3 }, { 8, 1 }, { 5, 4 } };
	(void)state;
	for (int first = 0; first < 4; first++) {
		struct tables t;
		tables_init(&t, LIMIT);
		for (int i = 0; i < 4; i++) {
			int at = (first + i) % 4;
			struct packet p = syn(syns[at].window, 64);
			add(&t, (struct hit){ .key = 1, .ns = syns[at].time, .profile = hit_profile(&p) });
		}
		struct syn_profile least = layouts_get(t.layouts, (uint32_t)t.rows.row[0].syn & 0xfffffff);
		assert_int_equal(t.rows.row[0].syn >> 28, 5);
		assert_int_equal(least.window, 3);
		tables_fini(&t);
	}
}

static void canonical_is_the_record(void **state)
{
	struct tables t;
	(void)state;
	srand(3);
	tables_init(&t, LIMIT);
	for (uint32_t i = 0; i < 5000; i++) {
		struct packet p = syn((uint16_t)rand(), (uint8_t)rand());
		p.ip_len = (uint32_t)rand() % 70000;
		p.sport = (uint16_t)rand();
		add(&t, (struct hit){ .key = (uint64_t)(rand() % 500) << 32 | (uint32_t)rand() % 3, .dst = (uint32_t)rand() % 9,
		                      .ns = i, .profile = i % 3 ? hit_profile(&p) : 0, .second = (uint8_t)(rand() % 60),
		                      .length = p.ip_len, .sport = p.sport, .ttl = p.ttl, .tcp_flags = p.tcp_flags,
		                      .access = rand() & 1 });
	}
	struct digest sum = { 0 };
	for (uint32_t i = 0; i < t.rows.n; i++) {
		const struct row *r = &t.rows.row[i];
		uint8_t fast[FLOW_CANONICAL], slow[RECORD_MAX];
		struct flow_record f = {
			.minute = 77, .sensor = 0x1122334455667788, .source = addr_from_v4((uint32_t)(r->key >> 32)),
			.port = (uint16_t)(r->key >> 16), .protocol = (uint8_t)(r->key >> 8), .class = (uint8_t)r->key,
			.tags = r->tags, .rules = r->rules, .packets = r->packets, .destinations = row_destinations(r),
			.attempts = row_attempts(r), .accesses = row_accesses(r), .bytes = row_bytes(r), .length_min = r->length_min,
			.length_max = r->length_max, .ttl_min = r->ttl_min, .ttl_max = r->ttl_max, .first = r->first,
			.last = r->last, .tcp_flags = row_flags(r),
		};
		if (r->syn != ROW_NO_SYN)
			f.syn = layouts_get(t.layouts, (uint32_t)r->syn & 0xfffffff);
		flow_canonical(r, &f.source, f.minute, f.sensor, t.layouts, fast);
		assert_int_equal(flow_record_store(&f, slow), FLOW_CANONICAL);
		assert_memory_equal(fast, slow, FLOW_CANONICAL);
		XXH128_hash_t x = XXH3_128bits(slow, FLOW_CANONICAL);
		digest_add(&sum, x.low64, x.high64);
	}
	struct window window = { .minute = 77 };
	flow_digest_rows(&t.rows, 0, t.rows.n, NULL, t.layouts, 0x1122334455667788, &window);
	assert_memory_equal(&window.flow_digest, &sum, sizeof sum);
	assert_int_equal(window.flows, t.rows.n);
	tables_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_exact), cmocka_unit_test(pairs_rebuild_a_row), cmocka_unit_test(full_sets_are_told),
		cmocka_unit_test(mixing_without_room), cmocka_unit_test(keys_are_exact), cmocka_unit_test(least_syn),
		cmocka_unit_test(canonical_is_the_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
