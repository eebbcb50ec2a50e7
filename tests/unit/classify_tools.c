/* Names of tools from evidence sums: DEFINITIONS 2.
 *
 * Mutants this kills, each tried once: >= for > in the share, 1e-9 moved to 1e-8, tuples and packets exchanged, the
 * least numbers of probes lowered by one, "several runs" without its count, mixed and partly exchanged, Mirai's single
 * hit believed beside a million of masscan's. */
#include "classify/classify.h"
#include "classify/rules.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct evidence evidence(enum rule rule, uint64_t packets, uint64_t tuples)
{
	return (struct evidence){
		.rule = (uint8_t)rule, .proto = PROTO_TCP, .packets = packets, .tuples = tuples,
		.sport_min = 40000, .sport_max = 40000, .ttl_min = 50, .ttl_max = 50, .n_keys = 1, .key = { 7 },
		.key_packets = { (uint32_t)packets },
	};
}

static enum tool name_tcp(const struct evidence *list, size_t n, uint64_t probes)
{
	uint64_t by_protocol[PROBE_PROTOCOLS] = { [PROBE_TCP] = probes };
	return tool_verdict(list, n, by_protocol);
}

static void expect_one(enum tool want, struct evidence v, uint64_t probes)
{
	assert_string_equal(tool_name(want), tool_name(name_tcp(&v, 1, probes)));
}

/* In any order: the verdict is of the sums, not of how they came. */
static void expect_two(enum tool want, struct evidence a, struct evidence b, uint64_t probes)
{
	struct evidence ab[2] = { a, b }, ba[2] = { b, a };
	assert_string_equal(tool_name(want), tool_name(name_tcp(ab, 2, probes)));
	assert_string_equal(tool_name(want), tool_name(name_tcp(ba, 2, probes)));
}

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(name_tcp(NULL, 0, 1000), TOOL_UNKNOWN);
	expect_one(TOOL_UNKNOWN, evidence(RULE_CONSTANT_SEQ, 100, 100), 100);
	expect_one(TOOL_UNKNOWN, evidence(RULE_REPLY_ID, 100, 100), 0);
	expect_one(TOOL_UNKNOWN, evidence(RULE_NMAP, 100, 100), 100);
	struct evidence unknown = evidence(RULE_MIRAI, 1, 1);
	unknown.rule = RULE_COUNT;
	expect_one(TOOL_UNKNOWN, unknown, 1);
}

/* 2^-32: one packet decides. */
static void test_mirai(void **state)
{
	(void)state;
	expect_one(TOOL_MIRAI, evidence(RULE_MIRAI, 1, 1), 1);
	expect_one(TOOL_MIRAI, evidence(RULE_MIRAI, 1, 1), 1000000);
	expect_two(TOOL_MASSCAN, evidence(RULE_MIRAI, 1, 1), evidence(RULE_MASSCAN, 1000000, 1000000), 1000000);
	expect_two(TOOL_MIXED, evidence(RULE_MIRAI, 2, 2), evidence(RULE_MASSCAN, 1000, 1000), 1002);
}

/* 2^-16: at least two tuples, less than 1e-9 by chance, half of the probes. By the exact binomial tail: 2 of 3 has
 * 6.98e-10, 2 of 4 has 1.397e-9; 3 of 120 has 9.964e-10, 3 of 121 has 1.0217e-9; 4 of 819 has 9.988e-10, 4 of 820 has
 * 1.0037e-9. */
static void test_odds(void **state)
{
	(void)state;
	expect_one(TOOL_UNKNOWN, evidence(RULE_ZMAP_ID, 1, 1), 1);
	expect_one(TOOL_UNKNOWN, evidence(RULE_ZMAP_ID, 5, 1), 5);
	expect_one(TOOL_ZMAP, evidence(RULE_ZMAP_ID, 2, 2), 2);
	expect_one(TOOL_ZMAP, evidence(RULE_ZMAP_ID, 2, 2), 3);
	expect_one(TOOL_UNKNOWN, evidence(RULE_ZMAP_ID, 2, 2), 4);
	expect_one(TOOL_ZMAP, evidence(RULE_ZMAP_ID, 3, 3), 6);
	expect_one(TOOL_MIXED, evidence(RULE_ZMAP_ID, 3, 3), 7);
	expect_one(TOOL_MIXED, evidence(RULE_ZMAP_ID, 3, 3), 120);
	expect_one(TOOL_UNKNOWN, evidence(RULE_ZMAP_ID, 3, 3), 121);
	expect_one(TOOL_MIXED, evidence(RULE_ZMAP_ID, 4, 4), 819);
	expect_one(TOOL_UNKNOWN, evidence(RULE_ZMAP_ID, 4, 4), 820);
	expect_one(TOOL_HAJIME, evidence(RULE_HAJIME, 2, 2), 2);
	expect_one(TOOL_UNKNOWN, evidence(RULE_HAJIME, 2, 2), 3);
}

/* A long day of probes brings matches by chance: 152.6 are expected of ten million. */
static void test_chance_at_scale(void **state)
{
	(void)state;
	expect_one(TOOL_UNKNOWN, evidence(RULE_ZMAP_ID, 152, 152), 10000000);
	expect_one(TOOL_UNKNOWN, evidence(RULE_ZMAP_ID, 200, 200), 10000000);
	expect_one(TOOL_MIXED, evidence(RULE_ZMAP_ID, 260, 260), 10000000);
	expect_one(TOOL_MASSCAN, evidence(RULE_MASSCAN, 10000000, 10000000), 10000000);
	expect_one(TOOL_MASSCAN, evidence(RULE_MASSCAN, UINT32_MAX, UINT32_MAX), (uint64_t)UINT32_MAX + 1000);
}

/* Retransmissions and copies: the share is of packets, the odds of tuples; estimated tuples may pass the packets. */
static void test_packets_and_tuples(void **state)
{
	(void)state;
	expect_one(TOOL_UNKNOWN, evidence(RULE_ZMAP_ID, 3, 2), 120);
	expect_one(TOOL_MASSCAN, evidence(RULE_MASSCAN, 100, 20), 200);
	expect_one(TOOL_MIXED, evidence(RULE_MASSCAN, 99, 99), 200);
	expect_one(TOOL_MASSCAN, evidence(RULE_MASSCAN, 1000, 1013), 1000);
}

static void test_protocols_apart(void **state)
{
	(void)state;
	struct evidence udp = evidence(RULE_ZMAP_ID, 10, 10);
	udp.proto = PROTO_UDP;
	uint64_t probes[PROBE_PROTOCOLS] = { [PROBE_TCP] = 1000, [PROBE_UDP] = 10 };
	assert_int_equal(tool_verdict(&udp, 1, probes), TOOL_ZMAP);
	struct evidence both[2] = { udp, evidence(RULE_MASSCAN, 900, 900) };
	assert_int_equal(tool_verdict(both, 2, probes), TOOL_MIXED);
	struct evidence same[2] = { udp, evidence(RULE_ZMAP_ID, 900, 900) };
	assert_int_equal(tool_verdict(same, 2, probes), TOOL_ZMAP);
	assert_int_equal(probe_protocol(PROTO_ICMP), PROBE_ICMP);
	assert_int_equal(probe_protocol(PROTO_ICMPV6), PROBE_ICMP);
	assert_int_equal(probe_protocol(PROTO_SCTP), PROBE_OTHER);
}

static void test_two_tools(void **state)
{
	(void)state;
	expect_two(TOOL_MIXED, evidence(RULE_MASSCAN, 50, 50), evidence(RULE_ZMAP_ID, 50, 50), 100);
	expect_two(TOOL_MIXED, evidence(RULE_MASSCAN, 70, 70), evidence(RULE_ZMAP_ID, 30, 30), 100);
	expect_two(TOOL_ZMAP, evidence(RULE_ZMAP4, 70, 70), evidence(RULE_ZMAP_ID, 30, 30), 100);
	expect_two(TOOL_MASSCAN, evidence(RULE_MASSCAN, 100, 100), evidence(RULE_ZMAP_ID, 1, 1), 100);
}

static void test_heuristics(void **state)
{
	(void)state;
	static const struct {
		enum rule rule;
		enum tool tool;
	} rules[] = { { RULE_ZMAP4, TOOL_ZMAP }, { RULE_HPING3, TOOL_HPING3 } };
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		expect_one(rules[i].tool, evidence(rules[i].rule, 3, 3), 3);
		expect_one(TOOL_UNKNOWN, evidence(rules[i].rule, 2, 2), 2);
		expect_one(TOOL_UNKNOWN, evidence(rules[i].rule, 80, 2), 80);
		expect_one(rules[i].tool, evidence(rules[i].rule, 66, 66), 99);
		expect_one(TOOL_UNKNOWN, evidence(rules[i].rule, 65, 65), 99);
	}
}

static struct evidence nmap(uint64_t packets, uint8_t keys, uint16_t ports)
{
	struct evidence v = evidence(RULE_NMAP_PAIR, packets, packets);
	v.n_keys = keys;
	v.sport_max = (uint16_t)(v.sport_min + ports - 1);
	return v;
}

static void test_nmap(void **state)
{
	(void)state;
	expect_one(TOOL_NMAP, nmap(16, 1, 1), 16);
	expect_one(TOOL_UNKNOWN, nmap(15, 1, 1), 15);
	expect_one(TOOL_NMAP, nmap(100, 1, 32), 100);     /* tries have ports of their own */
	expect_one(TOOL_UNKNOWN, nmap(100, 1, 33), 100);  /* a constant sequence number is no evidence */
	expect_one(TOOL_UNKNOWN, nmap(100, 255, 1), 100); /* no key is kept */
	expect_one(TOOL_UNKNOWN, nmap(100, 0, 1), 100);
	expect_one(TOOL_NMAP, nmap(100, 6, 20000), 100); /* several runs a day */
	expect_one(TOOL_UNKNOWN, nmap(100, 7, 20000), 100);
	expect_one(TOOL_NMAP, nmap(66, 1, 1), 99);
	expect_one(TOOL_UNKNOWN, nmap(65, 1, 1), 99);
}

static struct evidence unicornscan(uint64_t tuples, uint8_t keys)
{
	struct evidence v = evidence(RULE_UNICORNSCAN, tuples, tuples);
	v.n_keys = keys;
	return v;
}

static void test_unicornscan(void **state)
{
	(void)state;
	expect_one(TOOL_UNICORNSCAN, unicornscan(3, 1), 3);
	expect_one(TOOL_UNKNOWN, unicornscan(2, 1), 2);
	expect_one(TOOL_UNICORNSCAN, unicornscan(6, 2), 6);
	expect_one(TOOL_UNKNOWN, unicornscan(5, 2), 5);
	expect_one(TOOL_UNKNOWN, unicornscan(1000, 255), 1000);
	expect_one(TOOL_MIXED, unicornscan(40, 1), 100);
}

/* The last rule must not be lost in a mask, nor a name in a table. */
static void test_names(void **state)
{
	(void)state;
	assert_string_equal(tool_name(TOOL_MIXED), "mixed");
	assert_string_equal(tool_name(TOOL_UNICORNSCAN), "unicornscan");
	assert_string_equal(rule_name(RULE_MIRAI), "mirai-seq");
	assert_string_equal(rule_name(RULE_REPLY_ID), "reply-id");
	assert_string_equal(reason_name(REASON_UNSUPPORTED), "unsupported");
	assert_string_equal(tag_name(TAG_BITTORRENT), "bittorrent");
	assert_string_equal(tag_name(TAG_SPOOFED), "spoofed");
	for (unsigned i = 0; i < RULE_COUNT; i++)
		assert_non_null(rule_rows[i].match);
}

static void test_keys(void **state)
{
	(void)state;
	struct packet p = { .seq = 0xabcd1234, .dst.v4 = 0xc6330706, .sport = 40000, .dport = 443, .version = 4 };
	assert_int_equal(rule_key(RULE_NMAP_PAIR, &p), 0xabcd ^ 0x1234);
	assert_int_equal(rule_key(RULE_UNICORNSCAN, &p), 0xabcd1234 ^ 0xc6330706 ^ ((443u << 16) + 40000));
	assert_int_equal(rule_key(RULE_MIRAI, &p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_mirai), cmocka_unit_test(test_odds),
		cmocka_unit_test(test_chance_at_scale), cmocka_unit_test(test_packets_and_tuples),
		cmocka_unit_test(test_protocols_apart), cmocka_unit_test(test_two_tools), cmocka_unit_test(test_heuristics),
		cmocka_unit_test(test_nmap), cmocka_unit_test(test_unicornscan), cmocka_unit_test(test_names),
		cmocka_unit_test(test_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
