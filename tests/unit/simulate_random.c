/* Random numbers of the simulator: the published generators, and distributions that are what they say. */
#include "simulate/params.h"
#include "simulate/random.h"
#include "simulate/years.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define DRAWS 1000000

static void the_generators_are_the_published_ones(void **state)
{
	(void)state;
	/* The vectors that the implementations of xoshiro256** and SplitMix64 in other languages are tested with. */
	static const uint64_t want[] = { 11520, 0, 1509978240, 1215971899390074240u, 1216172134540287360u, 607988272756665600u,
		                         16172922978634559625u, 8476171486693032832u, 10595114339597558777u, 2904607092377533576u };
	struct rng r = { { 1, 2, 3, 4 } };
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_true(rng_next(&r) == want[i]);
	assert_true(mix64(1477776061723855037u) == 1985237415132408290u);
}

static void streams_differ(void **state)
{
	(void)state;
	struct rng a, b, c;
	rng_seed(&a, 1, 1);
	rng_seed(&b, 1, 2);
	rng_seed(&c, 2, 1);
	uint64_t x = rng_next(&a), y = rng_next(&b), z = rng_next(&c);
	assert_true(x != y && y != z && x != z);
}

static void logarithms_and_powers_are_close(void **state)
{
	(void)state;
	for (uint64_t x = 1; x < UINT64_MAX / 3; x = x * 3 / 2 + 1)
		assert_true(fabs((double)fixed_log2(x) / 0x1p32 - log2((double)x)) < 5e-6);
	for (double x = 0; x < 62.9; x += 0.0137) {
		double got = (double)fixed_exp2((uint64_t)(x * 0x1p32)), want = exp2(x);
		assert_true(fabs(got - want) <= 1 + want * 5e-6);
	}
	assert_true(fixed_exp2((uint64_t)63 << 32) == UINT64_MAX);
	assert_true(fixed_exp2(UINT64_MAX) == UINT64_MAX);
}

/* Mean and deviation of an exponential are one; five standard errors of a million draws. */
static void waits_are_exponential(void **state)
{
	(void)state;
	struct rng r;
	double sum = 0, squares = 0;
	uint64_t above_two = 0;
	rng_seed(&r, 7, 7);
	for (int i = 0; i < DRAWS; i++) {
		double x = (double)rng_exponential(&r) / 0x1p32;
		sum += x;
		squares += x * x;
		above_two += x > 2;
	}
	assert_true(fabs(sum / DRAWS - 1) < 0.005);
	assert_true(fabs(squares / DRAWS - 2) < 0.025);
	assert_true(fabs((double)above_two / DRAWS - exp(-2)) < 0.002);
	assert_true(rng_wait(&r, UINT64_C(1) << 62) >= 0);
}

static void tails_are_heavy(void **state)
{
	(void)state;
	struct rng r;
	int above[3] = { 0 };
	rng_seed(&r, 8, 8);
	for (int i = 0; i < DRAWS; i++) {
		uint64_t x = rng_pareto(&r, 100, 1000000, 900000);
		assert_true(x >= 100 && x <= 1000000);
		above[0] += x > 200;
		above[1] += x > 1000;
		above[2] += x == 1000000;
	}
	assert_true(fabs((double)above[0] / DRAWS - pow(0.5, 0.9)) < 0.005);
	assert_true(fabs((double)above[1] / DRAWS - pow(0.1, 0.9)) < 0.003);
	assert_true(fabs((double)above[2] / DRAWS - pow(1e-4, 0.9)) < 0.0003);
}

static void log_uniform_is_even_over_decades(void **state)
{
	(void)state;
	struct rng r;
	int low = 0;
	rng_seed(&r, 9, 9);
	for (int i = 0; i < DRAWS; i++) {
		uint64_t x = rng_log_uniform(&r, 10, 100000);
		assert_true(x >= 10 && x <= 100000);
		low += x < 100;
	}
	assert_true(fabs((double)low / DRAWS - 0.25) < 0.01);
	assert_true(rng_log_uniform(&r, 5, 5) == 5);
}

static void below_reaches_all(void **state)
{
	(void)state;
	struct rng r;
	int seen[7] = { 0 };
	rng_seed(&r, 10, 10);
	for (int i = 0; i < 70000; i++)
		seen[rng_below(&r, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 9500, 10500);
}

/* ---- Parameters ---- */

static int parse(enum param_kind kind, const char *text, struct param_value *out)
{
	const struct param p = { "a.key", kind, "", "" };
	struct error e = { 0 };
	int rc = param_parse(&p, text, out, &e);
	assert_true(!rc || !strcmp(e.code, "MON-SIM-002"));
	return rc;
}

static void numbers_have_six_places(void **state)
{
	(void)state;
	struct param_value v;
	assert_int_equal(parse(PARAM_NUMBER, "12.5", &v), 0);
	assert_int_equal(v.micro, 12500000);
	assert_int_equal(parse(PARAM_NUMBER, "-0.000001", &v), 0);
	assert_int_equal(v.micro, -1);
	assert_int_equal(parse(PARAM_NUMBER, "4294967296", &v), 0);
	assert_int_equal(param_whole(&v), 4294967296);
	static const char *const bad[] = { "", "x", "1x", "1.2.3", "0.0000001", "99999999999999999999", "-", "1 2" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(parse(PARAM_NUMBER, bad[i], &v), -EINVAL);
}

static void lists_have_items(void **state)
{
	(void)state;
	struct param_value v;
	assert_int_equal(parse(PARAM_PORTS, "23:9  2323:1", &v), 0);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.total, 10000000);
	assert_int_equal(param_draw(&v, 0)->at, 23);
	assert_int_equal(param_draw(&v, UINT64_MAX)->at, 2323);
	assert_int_equal(parse(PARAM_PORTS, "", &v), 0);
	assert_int_equal(v.n, 0);
	assert_int_equal(parse(PARAM_MOMENTS, "2020-02-29T23:59:59Z=-700 1600000000=192.0.2.7", &v), 0);
	assert_int_equal(v.item[0].at, 1583020799);
	assert_int_equal(v.item[0].micro, -700000000);
	assert_int_equal(v.item[1].micro, 0xc0000207);
	static const char *const bad[] = { "65536:1", "a:1", "23:", "23:x", "23:-1", ":1" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(parse(PARAM_PORTS, bad[i], &v), -EINVAL);
}

static void moments_are_dates_or_seconds(void **state)
{
	(void)state;
	int64_t t;
	assert_int_equal(param_moment("1970-01-01", 10, &t), 0);
	assert_int_equal(t, 0);
	assert_int_equal(param_moment("2020-06-01T01:02:03Z", 20, &t), 0);
	assert_int_equal(t, 1590969600 + 3723);
	assert_int_equal(year_start(2020), 1577836800);
	static const char *const bad[] = { "2020-13-01", "2020-00-01", "2020-01-32", "2020-01-01T24:00:00Z", "2020-01-01T00:00:00",
		                           "2020-01-01 00:00:00Z", "yesterday", "", "12a", "2020-1-1xx" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(param_moment(bad[i], strlen(bad[i]), &t), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_generators_are_the_published_ones),
		cmocka_unit_test(streams_differ),
		cmocka_unit_test(logarithms_and_powers_are_close),
		cmocka_unit_test(waits_are_exponential),
		cmocka_unit_test(tails_are_heavy),
		cmocka_unit_test(log_uniform_is_even_over_decades),
		cmocka_unit_test(below_reaches_all),
		cmocka_unit_test(numbers_have_six_places),
		cmocka_unit_test(lists_have_items),
		cmocka_unit_test(moments_are_dates_or_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
