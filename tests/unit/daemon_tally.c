/* Live counters: exact where they promise it, bounded where not. */
#include "daemon/tally.h"

#include "base/text.h"
#include "classify/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define START (INT64_C(1800000000) * SECOND) /* a whole minute */

static struct packet packet_of(uint32_t source, uint16_t port, int64_t ts)
{
	return (struct packet){ .ts = ts, .version = 4, .src = source, .proto = PROTO_TCP, .dport = port, .bits = PACKET_L4,
		                .tcp_flags = TCP_SYN };
}

static const struct verdict scan = { .class = CLASS_SCAN, .flags = VERDICT_ACCESS | VERDICT_PROBE };

static void put(struct tally *t, uint32_t source, uint16_t port, int64_t ts, struct verdict v)
{
	struct packet p = packet_of(source, port, ts);
	tally_packets(t, &p, &v, 1);
}

static void end_at(struct tally *t, int64_t at)
{
	const struct tally_piece piece = { .at = at, .received = 7, .dropped = 2, .mode = MODE_HOST };
	tally_piece(t, &piece);
}

static struct tally *fresh(void)
{
	struct tally *t = NULL;
	struct error e;
	assert_int_equal(tally_open(&t, env_system(), &e), 0);
	return t;
}

static char *told(struct tally *t)
{
	static struct text line;
	line.env = env_system();
	line.n = 0;
	static const struct tally_sensor sensor[] = { { "alpha", 256 }, { "beta", 0 } };
	assert_true(tally_json(t, sensor, 2, &line));
	return line.p;
}

static void assert_tells(struct tally *t, const char *what)
{
	if (!strstr(told(t), what))
		fail_msg("%s is not in %s", what, told(t));
}

static void counts_seconds_minutes_and_sources(void **state)
{
	(void)state;
	struct tally *t = fresh();
	for (uint32_t i = 0; i < 600; i++)
		put(t, 0x0a000000 + i % 150, i % 3 ? 23 : 445, START + i % 60 * SECOND, scan);
	struct verdict reply = { .class = CLASS_BACKSCATTER };
	put(t, 0x0b000001, 4711, START + 5 * SECOND, reply);
	put(t, 0x0b000002, 1, START, (struct verdict){ .class = CLASS_IGNORED });
	tally_piece(t, &(struct tally_piece){ .at = START + SECOND, .sensor = 1, .received = 3 });
	end_at(t, START + 60 * SECOND);
	assert_tells(t, "\"at\":1800000060000,\"sensors\":[{\"sensor\":\"alpha\",\"addresses\":256,\"at\":1800000060000,"
	                "\"received\":7,\"dropped\":2,\"mode\":\"host-answers\"},"
	                "{\"sensor\":\"beta\",\"addresses\":null,\"at\":1800000001000,\"received\":3,"
	                "\"dropped\":0,\"mode\":\"silent\"}]");
	assert_tells(t, "[1800000004,10,10],[1800000005,11,10],[1800000006,10,10]");
	assert_tells(t, "{\"minute\":30000000,\"packets\":601,\"accesses\":600,\"classes\":{\"backscatter\":1,\"scan\":600},"
	                "\"sources\":151}");
	assert_tells(t, "\"ports\":[{\"protocol\":\"tcp\",\"port\":23,\"accesses\":400,");
	assert_tells(t, "\"ignored\":1,\"undecoded\":0,\"simulated\":false}");
	tally_close(t);
}

static void forgets_what_is_old(void **state)
{
	(void)state;
	struct tally *t = fresh();
	put(t, 1, 23, START, scan);
	end_at(t, START + 60 * SECOND);
	put(t, 2, 80, START + 600 * SECOND, scan);
	end_at(t, START + 601 * SECOND);
	assert_null(strstr(told(t), "\"port\":23,"));
	put(t, 3, 23, START, scan); /* too late to be counted */
	assert_null(strstr(told(t), "\"port\":23,"));
	assert_tells(t, "\"port\":80,\"accesses\":1,\"sources\":1");
	end_at(t, START - 3600 * SECOND); /* the clock went back by an hour */
	put(t, 4, 22, START - 3601 * SECOND, scan);
	end_at(t, START - 3600 * SECOND);
	assert_tells(t, "\"port\":22,\"accesses\":1,\"sources\":1");
	assert_null(strstr(told(t), "\"port\":80,"));
	tally_close(t);
}

/* Three sources and a port among a crowd that fills every table many times over. */
static void finds_the_heavy_ones_in_a_crowd(void **state)
{
	(void)state;
	struct tally *t = fresh();
	for (uint32_t i = 0; i < 300000; i++) {
		int64_t ts = START + (int64_t)(i % 120) * SECOND / 2;
		put(t, 0x20000000 + i, (uint16_t)(i * 40503 & ~1u), ts, scan);
		if (i % 40 == 0)
			put(t, 0x0a000001 + i / 40 % 3, 5555, ts, scan);
	}
	end_at(t, START + 60 * SECOND);
	for (int i = 1; i <= 3; i++) {
		char address[40];
		snprintf(address, sizeof address, "{\"address\":\"10.0.0.%d\"", i);
		char *at = strstr(told(t), address);
		assert_non_null(at);
		unsigned long packets = strtoul(strstr(at, "\"packets\":") + 10, NULL, 10);
		assert_in_range(packets, 2500 - 307500 / 1024 - 1, 2500);
	}
	char *port = strstr(told(t), "\"ports\":[{\"protocol\":\"tcp\",\"port\":5555,\"accesses\":");
	assert_non_null(port);
	assert_in_range(strtoul(strstr(port, "accesses\":") + 10, NULL, 10), 7500 - 307500 / 512 - 1, 7500);
	char *sources = strstr(told(t), "\"sources\":3");
	assert_non_null(sources);
	unsigned long n = strtoul(strstr(strstr(told(t), "\"classes\""), "\"sources\":") + 10, NULL, 10);
	assert_in_range(n, 300003 * 93 / 100, 300003 * 107 / 100); /* four standard errors */
	tally_close(t);
}

static void names_tools_by_their_marks(void **state)
{
	(void)state;
	struct tally *t = fresh();
	struct verdict marked = scan;
	marked.rules = 1u << RULE_MASSCAN;
	for (uint32_t i = 0; i < 40; i++) {
		put(t, 0x0a000001, (uint16_t)(i + 1), START + i * 3 * SECOND, marked); /* over two minutes */
		put(t, 0x0a000002, 23, START + i * 3 * SECOND, scan);
	}
	end_at(t, START + 120 * SECOND);
	assert_tells(t, "{\"address\":\"10.0.0.1\",\"packets\":40,\"accesses\":40,\"tool\":\"masscan\"");
	assert_tells(t, "{\"tool\":\"unknown\",\"packets\":40,\"sources\":1},{\"tool\":\"masscan\",\"packets\":40,\"sources\":1}");
	tally_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_seconds_minutes_and_sources), cmocka_unit_test(forgets_what_is_old),
		cmocka_unit_test(finds_the_heavy_ones_in_a_crowd), cmocka_unit_test(names_tools_by_their_marks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
