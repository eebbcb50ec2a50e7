/* AS databases: ranges of both families from CSV, names as they are to be shown, lines that are none. */
#include "enrich/enrich.h"

#include "../lib/memory_env.h"
#include "enrich_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static struct make_mmdb made;

static int open_bytes(struct memory_env *m, const void *p, size_t n, struct enrich **x, struct error *e)
{
	struct enrich_options options = { .path = { "", "file" } };
	memory_env_init(m, p, n);
	return enrich_open(&m->env, &options, x, e);
}

static struct enrich_answer look(const struct enrich *x, const char *text)
{
	struct prefix p;
	struct enrich_answer answer;
	assert_int_equal(prefix_parse(text, &p, NULL), 0);
	enrich_lookup(x, &p.net, 1, &answer);
	assert_memory_equal(answer.country, "\0\0", 2);
	return answer;
}

static void assert_as(const struct enrich *x, const char *text, uint32_t number, const char *name)
{
	char out[ENRICH_NAME];
	struct enrich_answer a = look(x, text);
	assert_int_equal(a.as_number, number);
	assert_string_equal(enrich_as_name(x, &a, out), name);
}

static const char good[] =
	"0.0.0.0,0.0.0.0,64496,First\n"
	"10.0.0.0,10.0.0.255,64497,\"Quoted, \"\"twice\"\"\"\r\n"
	"10.0.1.0,10.0.1.255,64496,Another name\n"
	"10.2.0.5,10.9.255.255,64498,Wide\n"
	"255.255.255.255,255.255.255.255,4294967295,Last\n"
	"::,::1,64499,Zero\n"
	"2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,64496,\n"
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,64500,Top";

static void ranges_are_inclusive_and_gaps_unknown(void **state)
{
	(void)state;
	struct memory_env m;
	struct enrich *x;
	assert_int_equal(open_bytes(&m, good, sizeof good - 1, &x, NULL), 0);
	assert_as(x, "0.0.0.0", 64496, "First");
	assert_as(x, "0.0.0.1", 0, "");
	assert_as(x, "9.255.255.255", 0, "");
	assert_as(x, "10.0.0.0", 64497, "Quoted, \"twice\"");
	assert_as(x, "10.0.0.255", 64497, "Quoted, \"twice\"");
	assert_as(x, "10.0.1.0", 64496, "First");
	assert_as(x, "10.0.2.0", 0, "");
	assert_as(x, "10.2.0.4", 0, "");
	assert_as(x, "10.2.0.5", 64498, "Wide");
	assert_as(x, "10.5.0.0", 64498, "Wide"); /* a block of 2^16 within the range */
	assert_as(x, "10.9.255.255", 64498, "Wide");
	assert_as(x, "10.10.0.0", 0, "");
	assert_as(x, "255.255.255.254", 0, "");
	assert_as(x, "255.255.255.255", 4294967295u, "Last");
	assert_as(x, "::", 64499, "Zero");
	assert_as(x, "::2", 0, "");
	assert_as(x, "2001:db8::1", 64496, "First");
	assert_as(x, "2001:db9::", 0, "");
	assert_as(x, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffd", 0, "");
	assert_as(x, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 64500, "Top");
	const struct enrich_database *d = enrich_database(x, ENRICH_AS);
	assert_string_equal(d->type, "CSV");
	assert_null(enrich_notice(x)); /* nobody asked for countries */
	enrich_close(x);
	assert_int_equal(m.live_bytes + (uint64_t)m.live_fds, 0);
}

static void a_range_ends_where_the_next_starts(void **state)
{
	(void)state;
	static const char text[] = "10.0.0.0,10.0.0.255,1,a\n10.0.0.128,10.0.1.255,2,b\n10.0.1.0,10.0.1.255,3,c\n";
	struct memory_env m;
	struct enrich *x;
	assert_int_equal(open_bytes(&m, text, sizeof text - 1, &x, NULL), 0);
	assert_as(x, "10.0.0.127", 1, "a");
	assert_as(x, "10.0.0.128", 2, "b");
	assert_as(x, "10.0.0.255", 2, "b");
	assert_as(x, "10.0.1.0", 3, "c");
	assert_as(x, "10.0.1.255", 3, "c");
	assert_as(x, "10.0.2.0", 0, "");
	enrich_close(x);
}

/* Against a search from the start, over ranges of odd lengths with gaps, also at the borders of blocks. */
static void lookups_agree_with_a_plain_search(void **state)
{
	(void)state;
	static char text[1 << 20];
	static uint32_t first[9000], last[9000];
	uint32_t at = 77, seed = 1;
	size_t n = 0, lines = 0;
	while (at < 0xf0000000 && lines < 9000) {
		seed = seed * 1664525 + 1013904223;
		first[lines] = seed % 5 ? at : (at + 0x10000) & ~0xffffu;
		last[lines] = first[lines] + (seed >> 8) % (seed % 7 ? 3000 : 3000000);
		n += (size_t)snprintf(text + n, sizeof text - n, "%u.%u.%u.%u,%u.%u.%u.%u,%zu,n\n", first[lines] >> 24,
		                      first[lines] >> 16 & 255, first[lines] >> 8 & 255, first[lines] & 255, last[lines] >> 24,
		                      last[lines] >> 16 & 255, last[lines] >> 8 & 255, last[lines] & 255, lines + 1);
		at = last[lines] + 1 + (seed % 3 ? 0 : seed >> 20);
		lines++;
	}
	struct memory_env m;
	struct enrich *x;
	assert_int_equal(open_bytes(&m, text, n, &x, NULL), 0);
	for (size_t i = 0; i < lines; i++) {
		for (int k = -1; k <= 1; k++) {
			uint32_t probe[2] = { first[i] + (uint32_t)k, last[i] + (uint32_t)k };
			for (int j = 0; j < 2; j++) {
				size_t row = i ? i - 1 : 0;
				while (row < lines && last[row] < probe[j])
					row++;
				uint32_t expected = row < lines && first[row] <= probe[j] ? (uint32_t)row + 1 : 0;
				struct addr a = addr_from_v4(probe[j]);
				struct enrich_answer answer;
				enrich_lookup(x, &a, 1, &answer);
				assert_int_equal(answer.as_number, expected);
			}
		}
	}
	enrich_close(x);
}

static void names_are_fit_to_be_shown(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac" },
		{ "bell\x07 and \x1b[31m", "bell? and ?[31m" },
		{ "latin \xe9 alone", "latin ? alone" },
		{ "overlong \xc0\xaf \xe0\x80\xaf", "overlong ?? ???" },
		{ "surrogate \xed\xa0\x80", "surrogate ???" },
		{ "C1 \xc2\x9b", "C1 ??" },
		{ "cut \xe6\x97", "cut ??" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\"", "\"" },
		{ "\"\"", "" },
		{ "\"a\"\"\"", "a\"" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[256];
		struct memory_env m;
		struct enrich *x;
		int n = snprintf(line, sizeof line, "10.0.0.0,10.0.0.1,1,%s\n", rows[i].in);
		assert_int_equal(open_bytes(&m, line, (size_t)n, &x, NULL), 0);
		assert_as(x, "10.0.0.1", 1, rows[i].out);
		enrich_close(x);
	}
}

static void a_long_name_is_cut_between_characters(void **state)
{
	(void)state;
	char line[1024] = "10.0.0.0,10.0.0.1,1,", expected[ENRICH_NAME] = "";
	for (int i = 0; i < 100; i++)
		strcat(line, "\xe6\x97\xa5");
	for (int i = 0; i < (ENRICH_NAME - 1) / 3; i++)
		strcat(expected, "\xe6\x97\xa5");
	struct memory_env m;
	struct enrich *x;
	assert_int_equal(open_bytes(&m, line, strlen(line), &x, NULL), 0);
	assert_as(x, "10.0.0.1", 1, expected);
	enrich_close(x);
}

static void lines_that_are_none(void **state)
{
	(void)state;
	static const struct {
		const char *code, *line;
	} rows[] = {
		{ "MON-ENR-007", "" },
		{ "MON-ENR-007", "10.0.0.0" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0.1" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0.1,1" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0.256,1,x" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0,1,x" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0.1.2,1,x" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0.,1,x" },
		{ "MON-ENR-007", "10.0.0.0,1234.0.0.1,1,x" },
		{ "MON-ENR-007", "10.0.0.0, 10.0.0.1,1,x" },
		{ "MON-ENR-007", "10.0.0.1,10.0.0.0,1,x" },
		{ "MON-ENR-007", "10.0.0.0,2001:db8::,1,x" },
		{ "MON-ENR-007", "2001:db8::,2001:db8::x,1,x" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0.1,4294967296,x" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0.1,-1,x" },
		{ "MON-ENR-007", "10.0.0.0,10.0.0.1,,x" },
		{ "MON-ENR-008", "9.0.0.5,9.0.0.6,1,x" }, /* within the one above */
		{ "MON-ENR-008", "9.0.0.0,9.0.0.9,1,x" },
		{ "MON-ENR-008", "8.0.0.0,8.0.0.1,1,x" },
		{ "MON-ENR-008", "2001:db8::,2001:db8::7,1,x" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[256];
		struct memory_env m;
		struct enrich *x;
		struct error e = { .code = "" };
		int n = snprintf(text, sizeof text, "2001:db8::,2001:db8::7,1,x\n9.0.0.0,9.0.0.7,1,x\n%s\n", rows[i].line);
		assert_true(open_bytes(&m, text, (size_t)n, &x, &e) < 0);
		assert_string_equal(e.code, rows[i].code);
		assert_true(e.has_offset && e.offset == 47);
		assert_non_null(strstr(e.text, "line 3"));
		assert_int_equal(m.live_bytes + (uint64_t)m.live_fds, 0);
	}
}

static void a_name_without_end_is_refused(void **state)
{
	(void)state;
	static char text[4096];
	struct memory_env m;
	struct enrich *x;
	struct error e = { .code = "" };
	memset(text, 'x', sizeof text);
	memcpy(text, "10.0.0.0,10.0.0.1,1,", 20);
	assert_true(open_bytes(&m, text, sizeof text, &x, &e) < 0);
	assert_string_equal(e.code, "MON-ENR-007");
}

static void every_allocation_and_read_may_fail(void **state)
{
	(void)state;
	int done = 0;
	for (uint64_t n = 1; n < 20; n++) {
		struct memory_env m;
		struct enrich *x;
		struct error e = { .code = "" };
		struct enrich_options options = { .path = { "", "file" } };
		memory_env_init(&m, (const uint8_t *)good, sizeof good - 1);
		m.fail_alloc = n;
		int rc = enrich_open(&m.env, &options, &x, &e);
		assert_true(rc ? *e.code && !done : ++done);
		enrich_close(x);
		assert_int_equal(m.live_bytes + (uint64_t)m.live_fds, 0);
	}
	assert_true(done > 0 && done < 18);
}

/* A MaxMind DB serves as well; it is known by its content. */
static void systems_of_a_maxmind_db(void **state)
{
	(void)state;
	uint8_t p[256];
	make_init(&made, 6, 24);
	size_t n = make_head(p, 7, 2);
	n += make_string(p + n, "autonomous_system_number");
	n += make_u32(p + n, 64496);
	n += make_string(p + n, "autonomous_system_organization");
	n += make_string(p + n, "Example\n");
	make_insert4(&made, 0xc0000200, 24, make_data(&made, p, n));
	n = make_head(p, 7, 1);
	n += make_string(p + n, "autonomous_system_number");
	n += make_string(p + n, "64497"); /* no number */
	make_insert(&made, (const uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8 }, 32, make_data(&made, p, n));
	make_file(&made);
	struct memory_env m;
	struct enrich *x;
	assert_int_equal(open_bytes(&m, made.file, made.n, &x, NULL), 0);
	assert_as(x, "192.0.2.9", 64496, "Example?");
	assert_as(x, "192.0.3.0", 0, "");
	assert_as(x, "2001:db8::", 0, "");
	enrich_close(x);
	assert_int_equal(m.live_bytes, 0);
}

static void none_is_allowed_but_not_a_name_of_nothing(void **state)
{
	(void)state;
	struct memory_env m;
	struct enrich *x;
	struct error e = { .code = "" };
	struct enrich_options none = { .path = { "", "" } }, wrong = { .path = { "", "nowhere" } };
	memory_env_init(&m, NULL, 0);
	assert_int_equal(enrich_open(&m.env, &none, &x, &e), 0);
	assert_as(x, "192.0.2.1", 0, "");
	assert_null(enrich_notice(x));
	enrich_close(x);
	struct enrich_options searched = { .path = { NULL, NULL } }, one = { .path = { "", NULL } };
	unsetenv("MONOMI_COUNTRY_DB");
	unsetenv("MONOMI_AS_DB");
	assert_int_equal(enrich_open(&m.env, &searched, &x, &e), 0);
	assert_string_equal(enrich_notice(x), "no database of countries and none of AS: both are unknown");
	enrich_close(x);
	assert_int_equal(enrich_open(&m.env, &one, &x, &e), 0);
	assert_string_equal(enrich_notice(x), "no database of AS: they are unknown");
	enrich_close(x);
	assert_true(enrich_open(&m.env, &wrong, &x, &e) < 0);
	assert_string_equal(e.code, "MON-ENR-001");
}

static void names_are_found_by_number(void **state)
{
	(void)state;
	struct memory_env m;
	struct enrich *x;
	struct enrich_names *names;
	assert_int_equal(open_bytes(&m, good, sizeof good - 1, &x, NULL), 0);
	assert_int_equal(enrich_names_open(x, &names, NULL), 0);
	enrich_close(x);
	assert_string_equal(enrich_names_find(names, 64496), "First");
	assert_string_equal(enrich_names_find(names, 64497), "Quoted, \"twice\"");
	assert_string_equal(enrich_names_find(names, 4294967295), "Last");
	assert_string_equal(enrich_names_find(names, 64500), "Top");
	assert_null(enrich_names_find(names, 0));
	assert_null(enrich_names_find(names, 64501));
	enrich_names_close(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_inclusive_and_gaps_unknown),
		cmocka_unit_test(names_are_found_by_number),
		cmocka_unit_test(a_range_ends_where_the_next_starts),
		cmocka_unit_test(lookups_agree_with_a_plain_search),
		cmocka_unit_test(names_are_fit_to_be_shown),
		cmocka_unit_test(a_long_name_is_cut_between_characters),
		cmocka_unit_test(lines_that_are_none),
		cmocka_unit_test(a_name_without_end_is_refused),
		cmocka_unit_test(every_allocation_and_read_may_fail),
		cmocka_unit_test(systems_of_a_maxmind_db),
		cmocka_unit_test(none_is_allowed_but_not_a_name_of_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
