/* The tally against sums kept plainly: counts that stay small, that grow past each field, that begin large; growth of the
 * table, emptying, and the bound.
 *
 * Killed mutants: a guard bit of one protocol left out; `seen` lost when counts become large; the table's growth without
 * the list of large counts. */
#include "track/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#define KEYS 3000u
#define ADDITIONS 200000u

static uint64_t key_of(uint32_t i) { return (uint64_t)i * 2654435761u << 32 | 480000; }

/* A few keys get nearly everything, as a few sources send nearly everything. */
static struct tally_entry entry_at(uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	uint32_t r = *random >> 8, i = r % 16 ? r % 40 : r % KEYS;
	uint32_t packets = r % 1000 == 7 ? 5000000 : r % 50 == 3 ? 1020 + r % 8 : 1 + r % 5;
	return (struct tally_entry){ .key = key_of(i), .packets = packets, .protocol = (uint16_t)(i % PROBE_PROTOCOLS),
	                             .probe = r % 7 != 0, .seen = i % 3 == 0 };
}

static void add_plainly(struct tally_counts *c, const struct tally_entry *entry)
{
	c->packets = (c->packets + entry->packets) | (uint64_t)entry->seen << 63;
	if (entry->probe)
		c->probes[entry->protocol] = tally_add_saturated(c->probes[entry->protocol], entry->packets);
}

static void assert_holds(const struct tally *t, const struct tally_counts *expected)
{
	uint32_t n = 0, rows = 0;
	for (uint32_t i = 0; i < KEYS; i++) {
		const struct tally_row *r = tally_find(t, key_of(i));
		assert_int_equal(r != NULL, expected[i].packets != 0);
		if (!r)
			continue;
		struct tally_counts counts = tally_counts(t, r);
		assert_memory_equal(&counts, &expected[i], sizeof counts);
		n++;
	}
	for (uint64_t at = 0; tally_next(t, &at);)
		rows++;
	assert_int_equal(rows, n);
	assert_int_equal(t->n, n);
	assert_true(t->n_large > 10 && t->n_large < n);
}

static uint32_t number_of(uint64_t key)
{
	uint32_t i = 0;
	while (key_of(i) != key)
		i++;
	return i;
}

static void sums_are_exact(void **state)
{
	(void)state;
	static struct tally_counts expected[KEYS];
	struct tally t, twice;
	struct error e;
	uint32_t random = 1;
	assert_int_equal(tally_init(&t, env_system(), SIZE_MAX / 2, &e), 0);
	for (uint32_t i = 0; i < ADDITIONS; i++) {
		struct tally_entry entry = entry_at(&random);
		assert_int_equal(tally_prepare(&t, 1, &e), 0);
		tally_add(&t, &entry);
		add_plainly(&expected[number_of(entry.key)], &entry);
	}
	assert_holds(&t, expected);
	assert_int_equal(tally_init(&twice, env_system(), SIZE_MAX / 2, &e), 0);
	const struct tally_row *r;
	for (uint64_t at = 0; (r = tally_next(&t, &at));) {
		struct tally_counts counts = tally_counts(&t, r);
		assert_int_equal(tally_prepare(&twice, 2, &e), 0);
		tally_put(&twice, r->key, &counts);
		tally_put(&twice, r->key, &counts);
	}
	for (uint32_t i = 0; i < KEYS; i++) {
		expected[i].packets = (expected[i].packets & ~TALLY_SEEN) * 2 | (expected[i].packets & TALLY_SEEN);
		for (uint32_t j = 0; j < PROBE_PROTOCOLS; j++)
			expected[i].probes[j] = tally_add_saturated(expected[i].probes[j], expected[i].probes[j]);
	}
	assert_holds(&twice, expected);
	tally_clear(&t);
	assert_null(tally_find(&t, key_of(1)));
	assert_int_equal(tally_used(&t), 0);
	tally_fini(&t);
	tally_fini(&twice);
}

/* Each field to its last small value and one past it, others beside it. */
static void fields_do_not_meet(void **state)
{
	(void)state;
	struct tally t;
	struct error e;
	assert_int_equal(tally_init(&t, env_system(), SIZE_MAX / 2, &e), 0);
	for (uint16_t p = 0; p < PROBE_PROTOCOLS; p++) {
		struct tally_entry entry = { .key = key_of(p), .packets = 1, .protocol = p, .probe = 1, .seen = 1 };
		for (uint32_t i = 1; i <= 1100; i++) {
			assert_int_equal(tally_prepare(&t, 1, &e), 0);
			tally_add(&t, &entry);
			struct tally_counts c = tally_counts(&t, tally_find(&t, entry.key));
			assert_int_equal(c.packets, i | TALLY_SEEN);
			for (uint16_t q = 0; q < PROBE_PROTOCOLS; q++)
				assert_int_equal(c.probes[q], q == p ? i : 0);
		}
	}
	struct tally_entry unseen = { .key = key_of(9), .packets = 1000 };
	for (uint32_t i = 1; i <= 300; i++) {
		assert_int_equal(tally_prepare(&t, 1, &e), 0);
		tally_add(&t, &unseen);
		assert_int_equal(tally_counts(&t, tally_find(&t, unseen.key)).packets, i * 1000);
	}
	tally_fini(&t);
}

static void a_full_table_says_so(void **state)
{
	(void)state;
	struct tally t;
	struct error e;
	uint32_t n = 0;
	int rc;
	assert_int_equal(tally_init(&t, env_system(), 64u << 10, &e), 0);
	while ((rc = tally_prepare(&t, 1, &e)) == 0)
		tally_add(&t, &(struct tally_entry){ .key = key_of(n++), .seen = 1 });
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(n, 3072);
	tally_clear(&t);
	while ((rc = tally_prepare(&t, 1, &e)) == 0)
		tally_add(&t, &(struct tally_entry){ .key = key_of(n++), .packets = UINT32_MAX });
	assert_int_equal(rc, -ENOSPC);
	assert_true(t.n_large == t.n && t.n < 3072); /* the list was full before the table */
	tally_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sums_are_exact), cmocka_unit_test(fields_do_not_meet),
	                                    cmocka_unit_test(a_full_table_says_so) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
