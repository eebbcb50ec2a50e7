/* Payload samples: no form of the destination survives, nothing else changes.
 *
 * Killed mutants: one form not searched, the run that announces text made longer, a replacement that stops at the
 * first place, the reversed bytes left. */
#include "track/payload.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct monitored4 canary = { 0xc6336407 }; /* 198.51.100.7 */

static size_t mask(const char *text, size_t n, uint8_t out[static PAYLOAD_ROOM])
{
	memcpy(out, text, n);
	return payload_mask4(out, n, canary);
}

static void check(const char *before, const char *after)
{
	uint8_t out[PAYLOAD_ROOM];
	size_t n = mask(before, strlen(before), out);
	assert_int_equal(n, strlen(after));
	assert_memory_equal(out, after, n);
}

static void text_forms(void **state)
{
	(void)state;
	check("GET / HTTP/1.1\r\nHost: 198.51.100.7:80\r\n", "GET / HTTP/1.1\r\nHost: *:80\r\n");
	check("7.100.51.198.in-addr.arpa", "*.in-addr.arpa");
	check("host-198-51-100-7.example", "host-*.example");
	check("id=3325256711;", "id=*;");              /* decimal */
	check("id=124007366;", "id=*;");               /* decimal, the other order */
	check("t=C6336407 t=c6336407", "t=* t=*");     /* hex, both cases, twice */
	check("t=076433c6", "t=*");                    /* hex, the other order */
	check("[::ffff:198.51.100.7]", "[::ffff:*]");
	check("[::ffff:c633:6407]", "[::ffff:*]");     /* IPv4-mapped in groups */
	check("198.51.100.71 and 1198.51.100.7", "*1 and 1*");
}

static void nothing_else(void **state)
{
	(void)state;
	check("GET / HTTP/1.1\r\nHost: 198.51.100.8\r\n", "GET / HTTP/1.1\r\nHost: 198.51.100.8\r\n");
	check("", "");
	check("198.51.100", "198.51.100");
	check("deadbeef-1234567890", "deadbeef-1234567890");
}

static void raw_bytes_at_every_place(void **state)
{
	(void)state;
	for (size_t n = 4; n <= PAYLOAD_SAMPLE; n += 7) {
		for (size_t at = 0; at + 4 <= n; at++) {
			uint8_t out[PAYLOAD_ROOM];
			memset(out, 0xee, n);
			memcpy(out + at, at & 1 ? "\xc6\x33\x64\x07" : "\x07\x64\x33\xc6", 4);
			assert_int_equal(payload_mask4(out, n, canary), n);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(out[i], i >= at && i < at + 4 ? 0 : 0xee);
		}
	}
}

static void text_at_every_place(void **state)
{
	(void)state;
	for (size_t at = 0; at + 12 <= 200; at++) {
		char text[201];
		uint8_t out[PAYLOAD_ROOM];
		memset(text, 'x', 200);
		memcpy(text + at, "198.51.100.7", 12);
		size_t n = mask(text, 200, out);
		assert_int_equal(n, 200 - 11);
		assert_int_equal(out[at], '*');
	}
}

static void ipv6_forms(void **state)
{
	static const char *const forms[] = { "2001:db8::5:6a7", "2001:0DB8:0000:0000:0000:0000:0005:06A7",
		"20010db80000000000000000000506a7",
		"7.a.6.0.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2" };
	uint8_t address[16];
	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::5:6a7", address), 1);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		uint8_t out[PAYLOAD_ROOM];
		size_t n = (size_t)sprintf((char *)out, "<%s>", forms[i]);
		assert_int_equal(payload_mask6(out, n, address), 3);
		assert_memory_equal(out, "<*>", 3);
	}
}

/* Any bytes: never longer, and no form left that was there. */
static void random_bytes(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		static const char alphabet[] = "0123456789abcdefABCDEF.:-\xc6\x33\x64\x07 ";
		uint8_t out[PAYLOAD_ROOM];
		size_t n = (size_t)rand() % (PAYLOAD_SAMPLE + 1);
		for (size_t i = 0; i < n; i++)
			out[i] = (uint8_t)alphabet[(size_t)rand() % (sizeof alphabet - 1)];
		if (n >= 12 && round & 1)
			memcpy(out + (size_t)rand() % (n - 11), "198.51.100.7", 12);
		size_t left = payload_mask4(out, n, canary);
		assert_true(left <= n);
		assert_null(memmem(out, left, "198.51.100.7", 12));
		assert_null(memmem(out, left, "\xc6\x33\x64\x07", 4));
	}
}

static void one_name_for_one_probe(void **state)
{
	uint8_t a[PAYLOAD_ROOM], b[PAYLOAD_ROOM];
	(void)state;
	size_t n = (size_t)sprintf((char *)a, "OPTIONS sip:1@198.51.100.7 SIP/2.0");
	size_t m = (size_t)sprintf((char *)b, "OPTIONS sip:1@203.0.113.200 SIP/2.0");
	n = payload_mask4(a, n, canary);
	m = payload_mask4(b, m, (struct monitored4){ 0xcb0071c8 });
	struct addr x = payload_content(a, n), y = payload_content(b, m);
	assert_memory_equal(&x, &y, sizeof x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_forms), cmocka_unit_test(nothing_else), cmocka_unit_test(raw_bytes_at_every_place),
		cmocka_unit_test(text_at_every_place), cmocka_unit_test(ipv6_forms), cmocka_unit_test(random_bytes),
		cmocka_unit_test(one_name_for_one_probe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
