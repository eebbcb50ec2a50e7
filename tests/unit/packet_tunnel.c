/* Tunnels: closed by default, opened on request; what the packet then describes. */
#include "packet_text.h"

#define OUTER(length, proto) "4500" length "0001 0000 40" proto "0000 0a00 0001 0a00 0002"

static const struct decode_config closed;
static const struct decode_config opened = { .decapsulate = true };

#define INNER_SYN "4 6 c0000201>c6336401 1000>80 pay 0 seq 5 ack 0 flags 02 win 1024 opt 0 DF L4 TUNNEL"
#define INNER_UDP6 "6 17 2001..01>2001..02 5000>53 pay 4 L4 TUNNEL"

static void closed_by_default(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "IP in IP", 101, OUTER("003c", "04") SYN, "ok 4/other 4 4 a000001>a000002 0>0 pay 40" },
		{ "6in4", 101, OUTER("0048", "29") UDP6, "ok 4/other 4 41 a000001>a000002 0>0 pay 52" },
		{ "GRE", 101, OUTER("0040", "2f") "0000 0800" SYN, "ok 4/other 4 47 a000001>a000002 0>0 pay 44" },
		{ "VXLAN", 101, OUTER("005a", "11") "c000 12b5 0046 0000" "0800 0000 0000 0100" MACS "0800" SYN,
		  "ok 4/udp 4 17 a000001>a000002 49152>4789 pay 62 L4" },
	};
	check_rows(rows, COUNT(rows), &closed);
}

static void opened_on_request(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "IP in IP", 101, OUTER("003c", "04") SYN, "ok 4/other " INNER_SYN },
		{ "6in4", 101, OUTER("0048", "29") UDP6, "ok 4/other " INNER_UDP6 },
		{ "4in6", 101,
		  "6000 0000 0028 0440 2001 0db8 0000 0000 0000 0000 0000 0009 2001 0db8 0000 0000 0000 0000 0000 000a" SYN,
		  "ok 6/other " INNER_SYN },
		{ "twice", 101, OUTER("0070", "29")
		  "6000 0000 0034 2940 2001 0db8 0000 0000 0000 0000 0000 0009 2001 0db8 0000 0000 0000 0000 0000 000a" UDP6,
		  "ok 4/other " INNER_UDP6 },
		{ "GRE", 101, OUTER("0040", "2f") "0000 0800" SYN, "ok 4/other " INNER_SYN },
		{ "GRE with checksum, key, sequence", 101, OUTER("004c", "2f") "b000 0800 00000000 00000001 00000002" SYN,
		  "ok 4/other " INNER_SYN },
		{ "GRE with a source route", 101, OUTER("0050", "2f") "4000 0800 00000000 0800 0004 0a000003 0000 0000" SYN,
		  "ok 4/other " INNER_SYN },
		{ "GRE bridging", 101, OUTER("004e", "2f") "0000 6558" MACS "0800" SYN, "ok 4/other " INNER_SYN },
		{ "GRE WCCP", 101, OUTER("0044", "2f") "0000 883e 00000000" SYN, "ok 4/other " INNER_SYN },
		{ "GRE of PPTP", 101, OUTER("0050", "2f") "3081 880b 002c 0001 00000001 00000002 ff03 0021" SYN,
		  "ok 4/other " INNER_SYN },
		{ "GRE of PPTP, only an acknowledgement", 101, OUTER("0020", "2f") "2081 880b 0000 0001 00000002",
		  "ok 4/other 4 47 a000001>a000002 0>0 pay 12" },
		{ "ERSPAN I", 101, OUTER("004e", "2f") "0000 88be" MACS "0800" SYN, "ok 4/other " INNER_SYN },
		{ "ERSPAN II", 101, OUTER("005a", "2f") "1000 88be 00000001 1064 0001 00000000" MACS "0800" SYN,
		  "ok 4/other " INNER_SYN },
		{ "ERSPAN III with sub-header", 101,
		  OUTER("0066", "2f") "1000 22eb 00000001 2064 0001 00000000 0000 0001 0000000000000000" MACS "0800" SYN,
		  "ok 4/other " INNER_SYN },
		{ "VXLAN", 101, OUTER("005a", "11") "c000 12b5 0046 0000" "0800 0000 0000 0100" MACS "0800" SYN,
		  "ok 4/udp " INNER_SYN },
		{ "VXLAN without its flag", 101, OUTER("005a", "11") "c000 12b5 0046 0000" "0000 0000 0000 0100" MACS "0800" SYN,
		  "ok 4/udp 4 17 a000001>a000002 49152>4789 pay 62 L4" },
		{ "GENEVE with options", 101,
		  OUTER("005e", "11") "c000 17c1 004a 0000" "0100 6558 0000 0100 0000 0000" MACS "0800" SYN,
		  "ok 4/udp " INNER_SYN },
		{ "GENEVE, IP inside", 101, OUTER("004c", "11") "c000 17c1 0038 0000" "0000 0800 0000 0100" SYN,
		  "ok 4/udp " INNER_SYN },
		{ "GRE of version 0 with PPP", 101, OUTER("0041", "2f") "0000 880b 21" SYN, "ok 4/other " INNER_SYN },
		{ "GRE with 802.11", 101,
		  OUTER("0060", "2f") "0000 8200 0801 0000 020000000001 020000000002 020000000003 1000 aaaa03 000000 0800" SYN,
		  "ok 4/other " INNER_SYN },
		{ "GRE in UDP", 101, OUTER("0048", "11") "c000 1292 0034 0000 0000 0800" SYN, "ok 4/udp " INNER_SYN },
		{ "MPLS in UDP", 101, OUTER("0048", "11") "c000 19eb 0034 0000 0001 1140" SYN, "ok 4/udp " INNER_SYN },
		{ "Ethernet in IP", 101, OUTER("004a", "8f") MACS "0800" SYN, "ok 4/other " INNER_SYN },
		{ "MPLS in IP", 101, OUTER("0040", "89") "0001 1140" SYN, "ok 4/other " INNER_SYN },
		/* What cannot be read inside leaves the outer packet. */
		{ "ARP in VXLAN", 101, OUTER("0034", "11") "c000 12b5 0020 0000" "0800 0000 0000 0100" MACS "0806 0001",
		  "ok 4/udp 4 17 a000001>a000002 49152>4789 pay 24 L4" },
		{ "nothing in IP in IP", 101, OUTER("0014", "04"), "ok 4/other 4 4 a000001>a000002 0>0 pay 0" },
		{ "garbage in IP in IP", 101, OUTER("0018", "04") "ffff ffff", "ok 4/other 4 4 a000001>a000002 0>0 pay 4" },
		/* What can be read is described, also where it is short. */
		{ "short inside", 101, OUTER("002c", "04") "4500 0018 0007 4000 4006 0000 c000 0201 c633 6401 03e8 0050",
		  "short 4/other 4 6 c0000201>c6336401 1000>80 pay 4 seq 0 ack 0 flags 00 win 0 opt 0 DF TUNNEL" },
		/* A first fragment of a tunnel is opened, later ones cannot be; a fragment inside a tunnel is one. */
		{ "outer fragment", 101, "4500 003c 0001 2000 4004 0000 0a00 0001 0a00 0002" SYN,
		  "ok 4/other 4 6 c0000201>c6336401 1000>80 pay 0 seq 5 ack 0 flags 02 win 1024 opt 0 DF L4 TUNNEL OUTERFRAG" },
		{ "later outer fragment", 101, "4500 003c 0001 0001 4004 0000 0a00 0001 0a00 0002" SYN,
		  "ok 4/other 4 4 a000001>a000002 0>0 pay 40 FRAG LATER OUTERFRAG" },
		{ "inner fragment", 101, OUTER("003c", "04") "4500 0028 0007 0001 4006 0000 c000 0201 c633 6401" "0000000000000000",
		  "ok 4/other 4 6 c0000201>c6336401 0>0 pay 8 seq 0 ack 0 flags 00 win 0 opt 0 FRAG LATER TUNNEL" },
	};
	check_rows(rows, COUNT(rows), &opened);
}

/* Eight headers are opened; the ninth is what the eighth carries. */
static void depth_is_bounded(void **state)
{
	(void)state;
	uint8_t data[20 * 12];

	for (size_t i = 0; i < 12; i++) {
		uint8_t *ip = data + 20 * i;
		memset(ip, 0, 20);
		ip[0] = 0x45;
		ip[3] = (uint8_t)(240 - 20 * i);
		ip[9] = 4;
		ip[15] = (uint8_t)(i + 1);
	}
	struct frame frame = { .data = data, .caplen = sizeof(data), .wirelen = sizeof(data), .link = 101 };
	struct packet p = decode_both(&opened, &frame);
	assert_int_equal(p.src, 8);
	assert_int_equal(p.status, PACKET_OK);
	assert_int_equal(p.proto, 4);
	assert_int_equal(p.payload_len, 240 - 160);
}

static void outer_source(void **state)
{
	(void)state;
	struct bytes v4 = bytes_of(OUTER("0048", "29") UDP6), v6 = bytes_of(UDP6), none = bytes_of("00");
	struct frame frame = frame_of(101, v4);

	struct addr a = decode_outer_source(&frame);
	assert_true(addr_is_v4(&a));
	assert_int_equal(addr_v4(&a), 0x0a000001);
	frame = frame_of(101, v6);
	a = decode_outer_source(&frame);
	assert_memory_equal(a.bytes, v6.p + 8, 16);
	frame = frame_of(101, none);
	a = decode_outer_source(&frame);
	static const uint8_t zero[16];
	assert_memory_equal(a.bytes, zero, 16);
	free(v4.p);
	free(v6.p);
	free(none.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_by_default),
		cmocka_unit_test(opened_on_request),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(outer_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
