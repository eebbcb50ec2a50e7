/* A source's packets and its evidence meet in one hour, on either side of 1970.
 *
 * Killed mutant: the hour of evidence rounded towards zero, which before 1970 names no tool at all. */
#include "track/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PROBES 20
#define SECOND 1000000000ll

static uint64_t zmap_packets(int64_t from)
{
	static const uint8_t header[64];
	struct track_config config = { .sensor = "test", .memory = 64u << 20 };
	struct packet packets[PROBES];
	struct verdict verdicts[PROBES];
	struct track_result result;
	struct track *t;
	struct error e;
	assert_int_equal(track_open(&t, env_system(), &config, &e), 0);
	for (uint32_t i = 0; i < PROBES; i++) {
		packets[i] = (struct packet){
			.ts = from + i * SECOND, .ip = header, .src = 0xc6336401, .dst = { 0x0a000000 + i }, .seq = i * 7919,
			.dport = 80, .ip_id = 54321, .version = 4, .proto = PROTO_TCP, .tcp_flags = TCP_SYN, .ip_len = 40,
			.payload_offset = 40, .window = 65535, .ttl = 250, .bits = PACKET_L4,
		};
		verdicts[i] = (struct verdict){ .class = CLASS_SCAN, .flags = VERDICT_ACCESS | VERDICT_PROBE,
		                                .rules = 1 << RULE_ZMAP_ID };
	}
	assert_int_equal(track_packets(t, packets, verdicts, NULL, PROBES, &e), 0);
	assert_int_equal(track_finish(t, NULL, &e), 0);
	track_result(t, &result);
	assert_int_equal(result.sources, 1);
	uint64_t named = result.tool_packets[TOOL_ZMAP];
	track_close(t);
	return named;
}

static void tools_are_named_in_any_year(void **state)
{
	(void)state;
	assert_int_equal(zmap_packets(1700000000 * SECOND), PROBES);
	assert_int_equal(zmap_packets(-1700000000 * SECOND), PROBES);
	assert_int_equal(zmap_packets(-1800 * SECOND), PROBES);
	assert_int_equal(zmap_packets(-10 * SECOND), PROBES); /* across 1970 */
	assert_int_equal(zmap_packets(-3610 * SECOND), PROBES); /* across an hour before it */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tools_are_named_in_any_year) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
