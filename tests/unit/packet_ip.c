/* IPv4, IPv6 and the transport headers: lengths that lie, fragments, options, cuts, checksums. */
#include "packet_text.h"

#define IP4(length, flags, proto, sum) "4500" length "0007" flags "40" proto sum "c000 0201 c633 6401"
#define TCP20 "03e8 0050 0000 0005 0000 0006 5012 0400 0000 0000"
#define TCP_ALL "1000>80 pay 0 seq 5 ack 6 flags 12 win 1024 opt 0"
#define IP6(length, next) \
	"6000 0000" length next "40 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002"
#define V4 "c0000201>c6336401"
#define V6 "2001..01>2001..02"

static const struct decode_config plain;
static const struct decode_config sums = { .checksums = true };

static void ipv4_headers(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "options", 101, "4600 002c 0007 0000 4006 0000 c000 0201 c633 6401 01010100" TCP20,
		  "ok 4/tcp 4 6 " V4 " " TCP_ALL " L4 OPTIONS" },
		{ "reserved flag", 101, IP4("0028", "8000", "06", "0000") TCP20, "ok 4/tcp 4 6 " V4 " " TCP_ALL " L4 EVIL" },
		{ "header length 4", 101, "4400 0028 0007 0000 4006 0000 c000 0201 c633 6401" TCP20, "malformed 4/other" },
		{ "version 5", 228, "5500 0028 0007 0000 4006 0000 c000 0201 c633 6401" TCP20, "malformed 4/other" },
		{ "IPv6 by version, IPv4 by type", 1, MACS "0800" IP6("0014", "06") TCP20, "malformed 4/other" },
		{ "total length 19", 101, IP4("0013", "0000", "06", "0000") TCP20, "malformed 4/other" },
		{ "total length below the options", 101, "4600 0014 0007 0000 4006 0000 c000 0201 c633 6401 01010100" TCP20,
		  "malformed 4/other" },
		{ "total length 0: still to be cut up", 101, IP4("0000", "0000", "06", "0000") TCP20 "61",
		  "ok 4/tcp 4 6 " V4 " 1000>80 pay 1 seq 5 ack 6 flags 12 win 1024 opt 0 L4" },
		{ "total length past the frame", 101, IP4("0100", "0000", "06", "0000") TCP20,
		  "ok 4/tcp 4 6 " V4 " " TCP_ALL " L4" },
		{ "header only", 101, IP4("0014", "0000", "06", "0000"),
		  "short 4/other 4 6 " V4 " 0>0 pay 0 seq 0 ack 0 flags 00 win 0 opt 0" },
		{ "header only, protocol of no known header", 101, IP4("0014", "0000", "fd", "0000"),
		  "ok 4/other 4 253 " V4 " 0>0 pay 0" },
		{ "cut in the header", 101, "4500 0028 0007 0000 4006 0000 c000 0201 c633 64", "short 4/other" },
		{ "cut in the options", 101, "4600 002c 0007 0000 4006 0000 c000 0201 c633 6401 01",
		  "short 4/other 4 6 " V4 " 0>0 pay 0 seq 0 ack 0 flags 00 win 0 opt 0 OPTIONS" },
		{ "nothing behind the link", 1, MACS "0800", "short 4/other" },
		{ "authentication header", 101, IP4("0034", "0000", "33", "0000") "0601 0000 00000001 00000001" TCP20,
		  "ok 4/tcp 4 6 " V4 " " TCP_ALL " L4" },
		{ "authentication header, cut", 101, IP4("0034", "0000", "33", "0000") "0604 0000 00000001 00000001",
		  "short 4/other 4 51 " V4 " 0>0 pay 0" },
		{ "encrypted", 101, IP4("001c", "0000", "32", "0000") "00000001 00000001",
		  "ok 4/other 4 50 " V4 " 0>0 pay 8" },
	};
	check_rows(rows, COUNT(rows), &plain);
}

static void ipv4_fragments(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "first", 101, IP4("0028", "2000", "06", "0000") TCP20,
		  "ok 4/tcp 4 6 " V4 " " TCP_ALL " FRAG L4 OUTERFRAG" },
		{ "later", 101, IP4("0028", "2001", "06", "0000") TCP20,
		  "ok 4/other 4 6 " V4 " 0>0 pay 20 seq 0 ack 0 flags 00 win 0 opt 0 FRAG LATER OUTERFRAG" },
		{ "last", 101, IP4("0028", "0001", "11", "0000") TCP20,
		  "ok 4/other 4 17 " V4 " 0>0 pay 20 FRAG LATER OUTERFRAG" },
		{ "tiny: ends before the flags", 101, IP4("001c", "2000", "06", "0000") "03e8 0050 0000 0005",
		  "ok 4/tcp 4 6 " V4 " 1000>80 pay 8 seq 5 ack 0 flags 00 win 0 opt 0 FRAG TINY OUTERFRAG" },
		{ "16 bytes: flags, no header", 101,
		  IP4("0024", "2000", "06", "0000") "03e8 0050 0000 0005 0000 0006 5012 0400",
		  "short 4/tcp 4 6 " V4 " 1000>80 pay 16 seq 5 ack 6 flags 12 win 1024 opt 0 FRAG OUTERFRAG" },
		{ "tiny UDP", 101, IP4("0018", "2000", "11", "0000") "1388 0035",
		  "ok 4/udp 4 17 " V4 " 5000>53 pay 4 FRAG TINY OUTERFRAG" },
		{ "tiny ICMP", 101, IP4("0018", "2000", "01", "0000") "0800 0000",
		  "ok 4/icmp 4 1 " V4 " 0>2048 pay 4 FRAG TINY OUTERFRAG" },
		{ "cut by the capture is not tiny", 101, IP4("0028", "2000", "06", "0000") "03e8 0050 0000 0005",
		  "short 4/tcp 4 6 " V4 " 1000>80 pay 8 seq 5 ack 0 flags 00 win 0 opt 0 FRAG OUTERFRAG" },
		{ "UDP length of the whole datagram", 101, IP4("0020", "2000", "11", "0000") "1388 0035 0800 0000 6161 6161",
		  "ok 4/udp 4 17 " V4 " 5000>53 pay 4 FRAG L4 OUTERFRAG" },
		{ "TCP options go on in the next", 101,
		  IP4("0028", "2000", "06", "0000") "03e8 0050 0000 0005 0000 0006 f012 0400 0000 0000",
		  "ok 4/tcp 4 6 " V4 " " TCP_ALL " FRAG L4 OUTERFRAG" },
	};
	check_rows(rows, COUNT(rows), &plain);
}

static void ipv6_headers(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "TCP", 101, IP6("0014", "06") TCP20, "ok 6/tcp 6 6 " V6 " " TCP_ALL " L4" },
		{ "hop by hop, routing, destination", 101,
		  IP6("002c", "00") "2b00 0104 0000 0000 3c00 0000 0000 0000 0600 0104 0000 0000" TCP20,
		  "ok 6/tcp 6 6 " V6 " " TCP_ALL " L4 OPTIONS" },
		{ "first fragment", 101, IP6("001c", "2c") "0600 0001 0000 0001" TCP20,
		  "ok 6/tcp 6 6 " V6 " " TCP_ALL " FRAG L4 OUTERFRAG OPTIONS" },
		{ "atomic fragment", 101, IP6("001c", "2c") "0600 0000 0000 0001" TCP20,
		  "ok 6/tcp 6 6 " V6 " " TCP_ALL " FRAG L4 OUTERFRAG OPTIONS" },
		{ "later fragment", 101, IP6("001c", "2c") "0600 0008 0000 0001" TCP20,
		  "ok 6/other 6 6 " V6 " 0>0 pay 20 seq 0 ack 0 flags 00 win 0 opt 0 FRAG LATER OUTERFRAG OPTIONS" },
		{ "tiny fragment", 101, IP6("0010", "2c") "1100 0001 0000 0001 1388 0035 000c 00",
		  "short 6/udp 6 17 " V6 " 5000>53 pay 7 FRAG OUTERFRAG OPTIONS" },
		{ "tiny fragment, whole", 101, IP6("000c", "2c") "1100 0001 0000 0001 1388 0035",
		  "ok 6/udp 6 17 " V6 " 5000>53 pay 4 FRAG TINY OUTERFRAG OPTIONS" },
		{ "atomic fragment that is short", 101, IP6("000c", "2c") "1100 0000 0000 0001 1388 0035",
		  "short 6/udp 6 17 " V6 " 5000>53 pay 4 FRAG OUTERFRAG OPTIONS" },
		{ "authentication header", 101, IP6("0020", "33") "0601 0000 00000001 00000001" TCP20,
		  "ok 6/tcp 6 6 " V6 " " TCP_ALL " L4 OPTIONS" },
		{ "mobility", 101, IP6("0008", "87") "3b00 0000 0000 0000", "ok 6/other 6 135 " V6 " 0>0 pay 8" },
		{ "host identity", 101, IP6("0008", "8b") "3b00 0000 0000 0000", "ok 6/other 6 139 " V6 " 0>0 pay 8" },
		{ "shim6", 101, IP6("001c", "8c") "0600 8000 0000 0000" TCP20, "ok 6/tcp 6 6 " V6 " " TCP_ALL " L4 OPTIONS" },
		{ "no next header", 101, IP6("0000", "3b"), "ok 6/other 6 59 " V6 " 0>0 pay 0" },
		{ "extension header, cut", 101, IP6("0020", "00") "0602 0000", "short 6/other 6 0 " V6 " 0>0 pay 0" },
		{ "option past its header: its length is the header's", 101, IP6("001c", "3c") "0600 0400 0000 0090" TCP20,
		  "ok 6/tcp 6 6 " V6 " " TCP_ALL " L4 OPTIONS" },
		{ "cut in the header", 101, "6000 0000 0014 06", "short 6/other" },
		{ "version 4 by its own word", 1, MACS "86dd" IP4("0028", "0000", "06", "0000") TCP20, "malformed 0/none" },
		{ "payload length 0, TCP still to be cut up", 101, IP6("0000", "06") TCP20 "6161",
		  "ok 6/tcp 6 6 " V6 " 1000>80 pay 2 seq 5 ack 6 flags 12 win 1024 opt 0 L4" },
		{ "payload length 0, UDP: nothing", 101, IP6("0000", "11") "1388 0035 000c 0000",
		  "short 6/udp 6 17 " V6 " 0>0 pay 0" },
		{ "payload length 0 with options that say nothing", 101,
		  IP6("0000", "00") "1100 0104 0000 0000" "1388 0035 000c 0000",
		  "short 6/udp 6 17 " V6 " 0>0 pay 0 OPTIONS" },
		{ "jumbogram", 101, IP6("0000", "00") "1100 c204 0001 0020" "1388 0035 0000 0000 6161 6161",
		  "ok 6/udp 6 17 " V6 " 5000>53 pay 4 L4 OPTIONS" },
		{ "ICMP of the other family", 101, IP6("0008", "01") "0800 0000 0000 0000",
		  "ok 6/icmp 6 1 " V6 " 0>2048 pay 0 L4" },
	};
	check_rows(rows, COUNT(rows), &plain);
}

static void transports(void **state)
{
	(void)state;
	static const struct row rows[] = {

		{ "TCP options", 101,
		  IP4("002c", "0000", "06", "0000") "03e8 0050 0000 0005 0000 0000 6002 0400 0000 0000 020405b4",
		  "ok 4/tcp 4 6 " V4 " 1000>80 pay 0 seq 5 ack 0 flags 02 win 1024 opt 4 L4" },
		{ "TCP header length 16", 101,
		  IP4("0028", "0000", "06", "0000") "03e8 0050 0000 0005 0000 0000 4002 0400 0000 0000",
		  "malformed 4/tcp 4 6 " V4 " 1000>80 pay 20 seq 5 ack 0 flags 02 win 1024 opt 0" },
		{ "TCP header past the packet", 101,
		  IP4("0028", "0000", "06", "0000") "03e8 0050 0000 0005 0000 0000 6002 0400 0000 0000 0000",
		  "malformed 4/tcp 4 6 " V4 " 1000>80 pay 20 seq 5 ack 0 flags 02 win 1024 opt 0" },
		{ "TCP options cut by the capture", 101,
		  IP4("0030", "0000", "06", "0000") "03e8 0050 0000 0005 0000 0000 7002 0400 0000 0000 020405b4",
		  "ok 4/tcp 4 6 " V4 " 1000>80 pay 0 seq 5 ack 0 flags 02 win 1024 opt 4 L4" },
		{ "TCP cut behind its flags", 101, IP4("0028", "0000", "06", "0000") "03e8 0050 0000 0005 0000 0000 5002",
		  "short 4/tcp 4 6 " V4 " 1000>80 pay 14 seq 5 ack 0 flags 02 win 0 opt 0" },
		{ "TCP cut before them", 101, IP4("0028", "0000", "06", "0000") "03e8 0050 0000 0005 0000 0000 50",
		  "short 4/tcp 4 6 " V4 " 1000>80 pay 13 seq 5 ack 0 flags 00 win 0 opt 0" },
		{ "TCP, packet ends in the header", 101, IP4("0026", "0000", "06", "0000") TCP20,
		  "short 4/tcp 4 6 " V4 " 1000>80 pay 18 seq 5 ack 6 flags 12 win 1024 opt 0" },
		{ "UDP with data behind its length", 101, IP4("0020", "0000", "11", "0000") "1388 0035 000a 0000 6161 6161",
		  "ok 4/udp 4 17 " V4 " 5000>53 pay 2 L4" },
		{ "UDP length 7", 101, IP4("0020", "0000", "11", "0000") "1388 0035 0007 0000 6161 6161",
		  "malformed 4/udp 4 17 " V4 " 5000>53 pay 12" },
		{ "UDP length 0", 101, IP4("0020", "0000", "11", "0000") "1388 0035 0000 0000 6161 6161",
		  "malformed 4/udp 4 17 " V4 " 5000>53 pay 12" },
		{ "UDP length past the packet", 101, IP4("0020", "0000", "11", "0000") "1388 0035 000d 0000 6161 6161 61",
		  "malformed 4/udp 4 17 " V4 " 5000>53 pay 12" },
		{ "UDP, empty", 101, IP4("001c", "0000", "11", "0000") "1388 0035 0008 0000",
		  "ok 4/udp 4 17 " V4 " 5000>53 pay 0 L4" },
		{ "ICMP echo", 101, IP4("001e", "0000", "01", "0000") "0800 0000 0001 0002 6161",
		  "ok 4/icmp 4 1 " V4 " 0>2048 pay 2 L4" },
		{ "ICMP cut", 101, IP4("001c", "0000", "01", "0000") "0304 00", "short 4/icmp 4 1 " V4 " 0>772 pay 3" },
		{ "ICMPv6", 101, IP6("0008", "3a") "8000 0000 0001 0002", "ok 6/icmp6 6 58 " V6 " 0>32768 pay 0 L4" },
		{ "SCTP INIT", 101, IP4("0028", "0000", "84", "0000") "03e8 0050 0000 0000 0000 0000 0100 0014 cafe f00d",
		  "ok 4/other 4 132 " V4 " 1000>80 pay 8 L4" },
		{ "SCTP cut", 101, IP4("0028", "0000", "84", "0000") "03e8 0050",
		  "short 4/other 4 132 " V4 " 1000>80 pay 4" },
		{ "IGMP", 101, IP4("001c", "0000", "02", "0000") "1100 0000 0000 0000", "ok 4/other 4 2 " V4 " 0>0 pay 8" },
	};
	check_rows(rows, COUNT(rows), &plain);

	struct bytes b = bytes_of(rows[COUNT(rows) - 3].hex);
	struct frame frame = frame_of(101, b);
	struct packet p = decode_both(&plain, &frame);
	assert_int_equal(p.seq, 0xcafef00d);
	assert_int_equal(p.payload_offset, 32);
	free(b.p);
}

/* Frames whose checksums were computed independently (Python, RFC 1071), right and with one bit changed. */
static void checksums(void **state)
{
	(void)state;
	static const struct {
		const char *name, *hex;
	} rows[] = {
		{ "TCP", SYN },
		{ "UDP over IPv6", UDP6 },
		{ "TCP, odd data",
		  "4500002d0007000040068e8ec0000201c633640103e800500000000500000000501804007782"
		  "000068656c6c6f" },
		{ "TCP, 60 bytes",
		  "450000500007000040068e6bc0000201c633640103e800500000000500000000501804003da0"
		  "0000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
		  "24252627" },
		{ "TCP, large",
		  "4500008d0007000040068e2ec0000201c633640103e800500000000500000000501804003dbd"
		  "0000969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9"
		  "babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
		  "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f978" },
		{ "UDP",
		  "450000200007000040118e90c0000201c633640113880035000c3b1c61626364" },
		{ "UDP, odd data",
		  "450000210007000040118e8fc0000201c633640113880035000dd6196162636465" },
		{ "UDP, carries",
		  "4500003d0007000040118e73c0000201c633640113880035002900a8ffffffffffffffffffff"
		  "ffffffffffffffffffffffffffffffffffffffffffffff" },
		{ "ICMP",
		  "450000230007000040018e9dc0000201c6336401080066cf0001000261626364656667" },
		{ "ICMPv6",
		  "60000000000f3a4020010db800000000000000000000000120010db800000000000000000000"
		  "0002800093100001000261626364656667" },
		{ "TCP over IPv6",
		  "600000000017064020010db800000000000000000000000120010db800000000000000000000"
		  "000203e8005000000005000000005018040087b50000616263" },
		{ "IPv4 options",
		  "460000300007000040068b8ac0000201c63364010101010003e8005000000005000000005018"
		  "0400f68e000061626364" },
		{ "IPv4 source route under way",
		  "47000034000700004006fb43c0000201c6336401830704cb0071090003e80050000000050000"
		  "000050180400e4b9000061626364" },
		{ "IPv4 source route at its end",
		  "47000034000700004006f743c0000201c6336401830708cb0071090003e80050000000050000"
		  "000050180400f68e000061626364" },
		{ "routing header under way",
		  "6000000000242b4020010db800000000000000000000000120010db800000000000000000000"
		  "0002110200010000000020010db800000000000000000000000913880035000ccbd661626364" },
		{ "routing header at its end",
		  "6000000000242b4020010db800000000000000000000000120010db800000000000000000000"
		  "0002110200000000000020010db800000000000000000000000913880035000ccbdd61626364" },
		{ "segment routing under way",
		  "6000000000342b4020010db800000000000000000000000120010db800000000000000000000"
		  "0002110404010100000020010db800000000000000000000000920010db80000000000000000"
		  "0000000113880035000ccbd661626364" },
		{ "home address",
		  "6000000000243c4020010db800000000000000000000000120010db800000000000000000000"
		  "0002110201020000c91020010db800000000000000000000000913880035000ccbd561626364" },
		{ "atomic fragment",
		  "6000000000142c4020010db800000000000000000000000120010db800000000000000000000"
		  "0002110000000000000113880035000ccbdd61626364" },
		{ "authentication header",
		  "450000360007000040338e58c0000201c633640106010000000000010000000103e800500000"
		  "0005000000005018040059f500006162" },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes b = bytes_of(rows[i].hex);
		struct frame frame = frame_of(101, b);
		struct packet p = decode_both(&sums, &frame);
		if (p.bits & PACKET_BAD_CHECKSUM || p.status != PACKET_OK)
			fail_msg("%s: %s", rows[i].name, text_of(&p));
		for (unsigned at = b.n - 1; at > b.n - 3; at--) { /* data of the transport, whatever else is there */
			b.p[at] ^= 4;
			p = decode_both(&sums, &frame);
			if (!(p.bits & PACKET_BAD_CHECKSUM))
				fail_msg("%s: a changed byte %u passes", rows[i].name, at);
			p = decode_both(&plain, &frame);
			assert_false(p.bits & PACKET_BAD_CHECKSUM);
			b.p[at] ^= 4;
		}
		b.p[b.n - 1] ^= 4;
		frame.caplen = b.n - 1; /* what was not captured whole is not judged */
		frame.wirelen = b.n;
		p = decode_both(&sums, &frame);
		assert_false(p.bits & PACKET_BAD_CHECKSUM);
		free(b.p);
	}
}

static void header_checksum(void **state)
{
	(void)state;
	struct bytes b = bytes_of(SYN);
	struct frame frame = frame_of(101, b);

	b.p[8]--; /* a router that forgot the checksum */
	struct packet p = decode_both(&sums, &frame);
	assert_string_equal(text_of(&p), "ok " SYN_IS " DF L4 BADSUM");
	frame.caplen = 34; /* the header can be judged even where the packet is cut */
	p = decode_both(&sums, &frame);
	assert_true(p.bits & PACKET_BAD_CHECKSUM);
	free(b.p);
}

/* No UDP checksum: fine in IPv4, wrong in IPv6 (RFC 8200 section 8.1). */
static void absent_checksum(void **state)
{
	(void)state;
	struct bytes v4 = bytes_of(IP4("0020", "4000", "11", "4e90") "1388 0035 000c 0000 6161 6161"), v6 = bytes_of(UDP6);
	struct frame frame = frame_of(101, v4);

	struct packet p = decode_both(&sums, &frame);
	assert_false(p.bits & PACKET_BAD_CHECKSUM);
	frame = frame_of(101, v6);
	v6.p[46] = v6.p[47] = 0;
	p = decode_both(&sums, &frame);
	assert_true(p.bits & PACKET_BAD_CHECKSUM);
	free(v4.p);
	free(v6.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_headers),    cmocka_unit_test(ipv4_fragments), cmocka_unit_test(ipv6_headers),
		cmocka_unit_test(transports),      cmocka_unit_test(checksums),      cmocka_unit_test(header_checksum),
		cmocka_unit_test(absent_checksum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
