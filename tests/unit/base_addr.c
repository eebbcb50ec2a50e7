#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct addr v6(const char *text)
{
	struct addr a;
	assert_int_equal(inet_pton(AF_INET6, text, a.bytes), 1);
	return a;
}

static void v4_addresses_are_mapped(void **state)
{
	(void)state;
	struct addr a = addr_from_v4(0xc0000201);
	struct addr expected = v6("::ffff:192.0.2.1");

	assert_memory_equal(a.bytes, expected.bytes, 16);
	assert_true(addr_is_v4(&a));
	assert_int_equal(addr_v4(&a), 0xc0000201);
	struct addr other = v6("::192.0.2.1");
	assert_false(addr_is_v4(&other));
}

static void text_follows_rfc5952(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:0DB8:0:0:0:0:2:1", "2001:db8::2:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },   /* 4.2.2: one group is not shortened */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },            /* 4.2.3: the longest run */
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },      /* 4.2.3: the first of equal runs */
		{ "0:0:1:2:3:4:5:6", "::1:2:3:4:5:6" },
		{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
		{ "::192.0.2.1", "::c000:201" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char text[ADDR_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = v6(rows[i].in);
		assert_ptr_equal(addr_format(&a, text), text);
		assert_string_equal(text, rows[i].out);
	}
}

static void any_text_reads_back(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252u;
	char text[ADDR_TEXT];

	for (int n = 0; n < 20000; n++) {
		struct addr a;
		for (int i = 0; i < 16; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			a.bytes[i] = x & 0x300 ? 0 : (uint8_t)x;
		}
		struct addr back = v6(addr_is_v4(&a) ? "::" : addr_format(&a, text));
		if (!addr_is_v4(&a))
			assert_memory_equal(back.bytes, a.bytes, 16);
	}
}

static void prefixes_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int version, bits;
	} good[] = {
		{ "10.0.0.0/8", 4, 8 }, { "192.0.2.1", 4, 32 }, { "0.0.0.0/0", 4, 0 }, { "10.1.2.128/25", 4, 25 },
		{ "2001:db8::/32", 6, 32 }, { "::/0", 6, 0 }, { "2001:db8::1", 6, 128 }, { "fe80::/10", 6, 10 },
		{ "::ffff:10.0.0.0/104", 4, 8 }, { "::ffff:10.0.0.1", 4, 32 },
	};
	static const char *const bad[] = {
		"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/08", "10.0.0.1/8",
		"10.0.0.0/8/8", "10.0.0/8", "2001:db8::/129", "2001:db8::1/64", "host", "10.0.0.0/99999999999999999999",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/8", "10.0.0.0 /8",
	};
	struct prefix p;
	struct error e;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(prefix_parse(good[i].text, &p, &e), 0);
		assert_int_equal(p.version, good[i].version);
		assert_int_equal(p.bits, good[i].bits);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(prefix_parse(bad[i], &p, &e), -EINVAL);
		assert_string_equal(e.code, "MON-BASE-010");
	}
}

static void prefixes_contain(void **state)
{
	(void)state;
	struct prefix p;
	struct addr in = v6("2001:db8:8000::1"), out = v6("2001:db8:4000::1");

	assert_int_equal(prefix_parse("10.128.0.0/9", &p, NULL), 0);
	assert_true(prefix_contains4(&p, 0x0a800000));
	assert_true(prefix_contains4(&p, 0x0affffff));
	assert_false(prefix_contains4(&p, 0x0a7fffff));
	assert_false(prefix_contains4(&p, 0x0b800000));
	assert_false(prefix_contains6(&p, in.bytes));
	assert_int_equal(prefix_parse("0.0.0.0/0", &p, NULL), 0);
	assert_true(prefix_contains4(&p, 0xffffffff));
	assert_int_equal(prefix_parse("192.0.2.7", &p, NULL), 0);
	assert_true(prefix_contains4(&p, 0xc0000207));
	assert_false(prefix_contains4(&p, 0xc0000206));

	assert_int_equal(prefix_parse("2001:db8:8000::/33", &p, NULL), 0);
	assert_true(prefix_contains6(&p, in.bytes));
	assert_false(prefix_contains6(&p, out.bytes));
	assert_false(prefix_contains4(&p, 0x0a800000));
	assert_int_equal(prefix_parse("::/0", &p, NULL), 0);
	assert_true(prefix_contains6(&p, out.bytes));
	assert_int_equal(prefix_parse("2001:db8:8000::1", &p, NULL), 0);
	assert_true(prefix_contains6(&p, in.bytes));
	assert_false(prefix_contains6(&p, out.bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v4_addresses_are_mapped), cmocka_unit_test(text_follows_rfc5952),
		cmocka_unit_test(any_text_reads_back),     cmocka_unit_test(prefixes_are_read),
		cmocka_unit_test(prefixes_contain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
