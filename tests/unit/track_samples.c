/* Samples: sums by content, bytes once known stay, and what finds no room is counted, not lost silently.
 *
 * Killed mutants: packets of a known content not added, the bytes of a later sight kept over the first, left_out not
 * merged. */
#include "track/payload.h"
#include "track/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EPOCH 0x3511u /* 53/udp */

static struct samples fresh(size_t limit)
{
	struct samples s;
	struct error e;
	assert_int_equal(samples_init(&s, env_system(), limit, &e), 0);
	return s;
}

static void add(struct samples *s, const char *text, uint64_t packets, bool known)
{
	struct error e;
	struct addr content = payload_content((const uint8_t *)text, strlen(text));
	assert_int_equal(samples_add(s, &content, EPOCH, packets, known ? (const uint8_t *)text : NULL,
	                             (uint32_t)strlen(text), &e), 0);
}

static void sums_and_bytes(void **state)
{
	struct samples s = fresh(1 << 20);
	(void)state;
	add(&s, "one", 3, false);
	assert_null(sample_bytes(&s, &s.sample[0]));
	add(&s, "two", 5, true);
	add(&s, "one", 4, true);
	add(&s, "one", 1, false);
	assert_int_equal(s.names.n, 2);
	assert_int_equal(s.sample[0].packets, 8);
	assert_int_equal(s.sample[1].packets, 5);
	assert_int_equal(s.sample[0].n, 3);
	assert_memory_equal(sample_bytes(&s, &s.sample[0]), "one", 3);
	assert_memory_equal(sample_bytes(&s, &s.sample[1]), "two", 3);
	samples_fini(&s);
}

static void merged_is_one(void **state)
{
	struct samples a = fresh(1 << 20), b = fresh(1 << 20);
	struct error e;
	(void)state;
	add(&a, "one", 1, true);
	add(&b, "two", 2, true);
	add(&b, "one", 3, true);
	b.left_out = 7;
	assert_int_equal(samples_merge(&a, &b, &e), 0);
	assert_int_equal(a.names.n, 2);
	assert_int_equal(a.sample[0].packets, 4);
	assert_int_equal(a.sample[1].packets, 2);
	assert_int_equal(a.left_out, 7);
	assert_memory_equal(sample_bytes(&a, &a.sample[1]), "two", 3);
	samples_fini(&a);
	samples_fini(&b);
}

static void full_is_counted(void **state)
{
	struct samples s = fresh(1 << 20);
	uint64_t packets = 0, total = 0;
	(void)state;
	for (int i = 0; i < 200000; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d", i);
		add(&s, text, 2, true);
		total += 2;
	}
	for (uint32_t i = 0; i < s.names.n; i++)
		packets += s.sample[i].packets;
	assert_true(s.left_out > 0);
	assert_int_equal(packets + s.left_out, total);
	samples_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sums_and_bytes), cmocka_unit_test(merged_is_one),
		                            cmocka_unit_test(full_is_counted) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
