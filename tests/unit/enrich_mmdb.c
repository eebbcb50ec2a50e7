/* Country databases: every record size and both versions, what a record may look like, and damage of every byte. */
#include "enrich/enrich.h"

#include "../lib/memory_env.h"
#include "enrich_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>

static struct make_mmdb made;

static struct addr address(const char *text)
{
	struct prefix p;
	assert_int_equal(prefix_parse(text, &p, NULL), 0);
	return p.net;
}

static int open_made(struct memory_env *m, struct enrich **x, struct error *e)
{
	struct enrich_options options = { .path = { "file", "" } };
	memory_env_init(m, made.file, made.n);
	return enrich_open(&m->env, &options, x, e);
}

static void assert_country(const struct enrich *x, const char *text, const char *expected)
{
	struct addr a = address(text);
	struct enrich_answer answer;
	enrich_lookup(x, &a, 1, &answer);
	assert_memory_equal(answer.country, *expected ? expected : "\0\0", 2);
	assert_int_equal(answer.as_number, 0);
}

static void make_two_countries(int version, int bits)
{
	make_init(&made, version, bits);
	uint32_t jp = make_country(&made, "JP"), nz = make_country(&made, "NZ");
	make_insert4(&made, 0xc0000200, 24, jp);
	make_insert4(&made, 0xc6336400, 23, nz);
	if (version == 6)
		make_insert(&made, (const uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8 }, 32, jp);
	make_file(&made);
}

static void every_record_size(void **state)
{
	(void)state;
	static const struct {
		int version, bits;
	} kinds[] = { { 4, 24 }, { 4, 28 }, { 4, 32 }, { 6, 24 }, { 6, 28 }, { 6, 32 } };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct memory_env m;
		struct enrich *x;
		make_two_countries(kinds[i].version, kinds[i].bits);
		assert_int_equal(open_made(&m, &x, NULL), 0);
		assert_country(x, "192.0.2.0", "JP");
		assert_country(x, "192.0.2.255", "JP");
		assert_country(x, "192.0.3.0", "");
		assert_country(x, "198.51.101.255", "NZ");
		assert_country(x, "198.51.102.0", "");
		assert_country(x, "2001:db8:ffff::1", kinds[i].version == 6 ? "JP" : "");
		assert_country(x, "2001:db9::", "");
		enrich_close(x);
		assert_int_equal(m.live_bytes + (uint64_t)m.live_fds, 0);
	}
}

static void says_what_it_is(void **state)
{
	(void)state;
	struct memory_env m;
	struct enrich *x;
	make_two_countries(6, 24);
	assert_int_equal(open_made(&m, &x, NULL), 0);
	const struct enrich_database *d = enrich_database(x, ENRICH_COUNTRY);
	assert_string_equal(d->path, "file");
	assert_string_equal(d->type, "Test");
	assert_int_equal(d->built, 1700000000);
	assert_int_equal(d->bytes, made.n);
	assert_null(d->credit);
	assert_null(enrich_database(x, ENRICH_AS));
	assert_null(enrich_notice(x)); /* nobody asked for AS */
	uint8_t digest[16];
	memcpy(digest, d->digest, 16);
	enrich_close(x);
	made.file[made.n - 1] ^= 1; /* the last letter of its type */
	assert_int_equal(open_made(&m, &x, NULL), 0);
	assert_memory_not_equal(enrich_database(x, ENRICH_COUNTRY)->digest, digest, 16);
	enrich_close(x);
}

/* country -> iso_code by a pointer to the map and to the key, as MaxMind's own databases have it. */
static void pointers_are_followed(void **state)
{
	(void)state;
	struct memory_env m;
	struct enrich *x;
	uint8_t p[128];
	make_init(&made, 4, 24);
	size_t n = make_string(p, "iso_code");
	uint32_t key = make_data(&made, p, n);
	n = make_head(p, 7, 2);
	n += make_string(p + n, "geoname_id");
	n += make_u32(p + n, 1861060);
	p[n++] = 0x20; /* a pointer to `key`, below 2048 */
	p[n++] = (uint8_t)key;
	n += make_string(p + n, "JP");
	uint32_t country = make_data(&made, p, n);
	n = make_head(p, 7, 2);
	n += make_string(p + n, "names");
	n += make_head(p + n, 11, 2); /* an array to walk over */
	n += make_string(p + n, "a");
	n += make_head(p + n, 14, 1); /* true */
	n += make_string(p + n, "country");
	p[n++] = 0x20;
	p[n++] = (uint8_t)country;
	make_insert4(&made, 0, 1, make_data(&made, p, n));
	make_file(&made);
	assert_int_equal(open_made(&m, &x, NULL), 0);
	assert_country(x, "127.0.0.1", "JP");
	enrich_close(x);
}

static void a_code_is_two_capitals(void **state)
{
	(void)state;
	static const char *const codes[] = { "jp", "J", "JPN", "J1", "" };
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		struct memory_env m;
		struct enrich *x;
		make_init(&made, 4, 24);
		make_insert4(&made, 0, 1, make_country(&made, codes[i]));
		make_file(&made);
		assert_int_equal(open_made(&m, &x, NULL), 0);
		assert_country(x, "1.1.1.1", "");
		enrich_close(x);
	}
}

static void refused(const char *code)
{
	struct memory_env m;
	struct enrich *x;
	struct error e = { .code = "" };
	assert_true(open_made(&m, &x, &e) < 0);
	assert_null(x);
	assert_string_equal(e.code, code);
	assert_memory_equal(e.text, "file: ", 6);
	assert_int_equal(m.live_bytes + (uint64_t)m.live_fds, 0);
}

static void what_is_no_country_database(void **state)
{
	(void)state;
	made.n = 100;
	memset(made.file, 'x', 100);
	refused("MON-ENR-004");
	made.n = 0;
	refused("MON-ENR-003");
	make_two_countries(4, 24);
	uint8_t *version = memmem(made.file, made.n, "major_version", 13);
	version[13 + 4] = 3; /* the format's version, behind head and three zeros */
	refused("MON-ENR-004");
	make_two_countries(4, 24);
	made.bits = 25;
	make_file(&made);
	refused("MON-ENR-005");
	make_init(&made, 4, 24);
	uint8_t p[64];
	size_t n = make_head(p, 7, 1);
	n += make_string(p + n, "autonomous_system_number");
	n += make_u32(p + n, 64496);
	make_insert4(&made, 0, 1, make_data(&made, p, n));
	make_file(&made);
	refused("MON-ENR-006");
}

static void a_record_outside_is_damage(void **state)
{
	(void)state;
	make_init(&made, 4, 24);
	make_insert4(&made, 0, 1, make_country(&made, "JP"));
	make_insert4(&made, 0x80000000, 1, 4000); /* past the data */
	make_file(&made);
	refused("MON-ENR-005");
	make_init(&made, 4, 24);
	make_insert4(&made, 0, 1, make_country(&made, "JP"));
	make_file(&made);
	made.file[5] = (uint8_t)(made.nodes + 3); /* between tree and data */
	refused("MON-ENR-005");
}

/* Looks everything up in what still opens: nothing may read outside (a sanitizer would tell) or loop. */
static void look_everywhere(const struct enrich *x)
{
	struct addr a[64];
	struct enrich_answer out[64];
	for (unsigned i = 0; i < 64; i++) {
		memset(a[i].bytes, (int)(i * 37), 16);
		if (i % 2)
			a[i] = addr_from_v4(i % 4 == 1 ? 0xc0000200 + i : i * 0x4030201);
	}
	enrich_lookup(x, a, 64, out);
}

/* The file lies at the end of a block of its own size, so that any read past it shows. */
static int open_exactly(size_t n, struct enrich **x, struct memory_env *m)
{
	struct enrich_options options = { .path = { "file", "" } };
	struct error e = { .code = "" };
	memory_env_init(m, made.file, n);
	int rc = enrich_open(&m->env, &options, x, &e);
	assert_true(rc == 0 || (rc < 0 && !strncmp(e.code, "MON-ENR-", 8)));
	return rc;
}

static void cut_anywhere(void **state)
{
	(void)state;
	make_two_countries(6, 28);
	for (size_t n = 0; n < made.n; n++) {
		struct memory_env m;
		struct enrich *x;
		if (open_exactly(n, &x, &m))
			continue;
		look_everywhere(x);
		enrich_close(x);
	}
}

static void any_bit_flipped(void **state)
{
	(void)state;
	make_two_countries(6, 28);
	for (size_t bit = 0; bit < 8 * made.n; bit++) {
		struct memory_env m;
		struct enrich *x;
		made.file[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (!open_exactly(made.n, &x, &m)) {
			look_everywhere(x);
			enrich_close(x);
		}
		made.file[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void every_allocation_and_read_may_fail(void **state)
{
	(void)state;
	make_two_countries(6, 24);
	for (uint64_t n = 1; n < 4; n++)
		for (int kind = 0; kind < 2; kind++) {
			struct memory_env m;
			struct enrich *x;
			struct error e = { .code = "" };
			struct enrich_options options = { .path = { "file", "" } };
			memory_env_init(&m, made.file, made.n);
			m.piece = 500;
			m.interrupt = kind;
			*(kind ? &m.fail_read : &m.fail_alloc) = n;
			int rc = enrich_open(&m.env, &options, &x, &e);
			bool failed = kind || n <= 2;
			assert_true(failed ? rc < 0 && *e.code : !rc);
			enrich_close(x);
			assert_int_equal(m.live_bytes + (uint64_t)m.live_fds, 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_size),
		cmocka_unit_test(says_what_it_is),
		cmocka_unit_test(pointers_are_followed),
		cmocka_unit_test(a_code_is_two_capitals),
		cmocka_unit_test(what_is_no_country_database),
		cmocka_unit_test(a_record_outside_is_damage),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(any_bit_flipped),
		cmocka_unit_test(every_allocation_and_read_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
