/* What was observed and what was not. */
#include "daemon/spans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_gaps(const int64_t (*spans)[2], size_t n, int64_t from, int64_t to, const int64_t (*gaps)[2], size_t n_gaps)
{
	const struct env *env = env_system();
	struct spans s = { 0 }, out = { 0 };
	struct error e;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(spans_add(&s, env, spans[i][0], spans[i][1], &e), 0);
	spans_sort(&s);
	assert_int_equal(spans_gaps(&s, env, from, to, &out, &e), 0);
	assert_int_equal(out.n, n_gaps);
	for (size_t i = 0; i < n_gaps; i++) {
		assert_int_equal(out.item[i].from, gaps[i][0]);
		assert_int_equal(out.item[i].to, gaps[i][1]);
	}
	spans_fini(&s, env);
	spans_fini(&out, env);
}

static void finds_gaps(void **state)
{
	(void)state;
	assert_gaps(NULL, 0, 5, 9, (const int64_t[][2]){ { 5, 9 } }, 1);
	assert_gaps(NULL, 0, 9, 9, NULL, 0);
	assert_gaps((const int64_t[][2]){ { 0, 20 } }, 1, 5, 9, NULL, 0);
	/* Unsorted, touching, overlapping, empty, outside. */
	const int64_t many[][2] = { { 30, 40 }, { 10, 20 }, { 20, 25 }, { 35, 36 }, { 50, 50 }, { 90, 99 }, { -9, 3 }, { 39, 45 } };
	assert_gaps(many, 8, 0, 60, (const int64_t[][2]){ { 3, 10 }, { 25, 30 }, { 45, 60 } }, 3);
	assert_gaps(many, 8, 12, 33, (const int64_t[][2]){ { 25, 30 } }, 1);
}

static void holds_many(void **state)
{
	(void)state;
	int64_t spans[500][2], gaps[500][2];
	for (int i = 0; i < 500; i++) {
		spans[(i * 7) % 500][0] = 10 * i;
		spans[(i * 7) % 500][1] = 10 * i + 4;
		gaps[i][0] = 10 * i + 4;
		gaps[i][1] = 10 * i + 10;
	}
	assert_gaps((const int64_t(*)[2])spans, 500, 0, 5000, (const int64_t(*)[2])gaps, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds_gaps), cmocka_unit_test(holds_many) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
