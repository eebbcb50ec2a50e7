/* Every link layer and wrapping, down to the IP header. */
#include "packet_text.h"

static const struct decode_config plain;

static void link_layers(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "Ethernet", 1, MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Ethernet IPv6", 1, MACS "86dd" UDP6, "ok " UDP6_IS " L4" },
		{ "Ethernet with padding", 1, MACS "0800" SYN "0000 0000 0000", "ok " SYN_IS " DF L4" },
		{ "null, little endian", 0, "0200 0000" SYN, "ok " SYN_IS " DF L4" },
		{ "null, big endian", 0, "0000 0002" SYN, "ok " SYN_IS " DF L4" },
		{ "null, FreeBSD", 0, "1c00 0000" UDP6, "ok " UDP6_IS " L4" },
		{ "null, Darwin", 0, "0000 001e" UDP6, "ok " UDP6_IS " L4" },
		{ "null, OpenBSD", 0, "1800 0000" UDP6, "ok " UDP6_IS " L4" },
		{ "null, Windows", 0, "1700 0000" UDP6, "ok " UDP6_IS " L4" },
		{ "null, Linux", 0, "0a00 0000" UDP6, "ok " UDP6_IS " L4" },
		{ "null, ethertype behind junk", 0, "0f00 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "loop", 108, "0000 0002" SYN, "ok " SYN_IS " DF L4" },
		{ "null, unknown family", 0, "0700 0000" SYN, "unsupported 0/none" },
		{ "raw 12", 12, SYN, "ok " SYN_IS " DF L4" },
		{ "raw 14", 14, UDP6, "ok " UDP6_IS " L4" },
		{ "raw 101", 101, SYN, "ok " SYN_IS " DF L4" },
		{ "raw 101 v6", 101, UDP6, "ok " UDP6_IS " L4" },
		{ "raw, no IP", 101, "0500 0000", "malformed 0/none" },
		{ "IPv4", 228, SYN, "ok " SYN_IS " DF L4" },
		{ "IPv6", 229, UDP6, "ok " UDP6_IS " L4" },
		{ "IPv4 that is not", 228, UDP6, "malformed 4/other" },
		{ "IPv6 that is not", 229, SYN, "malformed 0/none" },
		{ "SLL", 113, "0000 0001 0006 020000000002 0000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "SLL outgoing", 113, "0004 0001 0006 020000000002 0000 86dd" UDP6, "ok " UDP6_IS " L4 OUTGOING" },
		{ "SLL LLC", 113, "0000 0001 0006 020000000002 0000 0004 4242 03", "ok 0/none LOCAL" },
		{ "SLL netlink", 113, "0000 0338 0000 000000000000 0000 0800" SYN, "unsupported 0/none" },
		{ "SLL2", 276, "0800 0000 0000 0001 0001 00 06 020000000002 0000" SYN, "ok " SYN_IS " DF L4" },
		{ "SLL2 outgoing", 276, "86dd 0000 0000 0001 0001 04 06 020000000002 0000" UDP6, "ok " UDP6_IS " L4 OUTGOING" },
		{ "PPP", 9, "ff03 0021" SYN, "ok " SYN_IS " DF L4" },
		{ "PPP without address", 9, "0057" UDP6, "ok " UDP6_IS " L4" },
		{ "PPP, compressed protocol", 9, "ff03 21" SYN, "ok " SYN_IS " DF L4" },
		{ "PPP, Cisco HDLC", 9, "0f00 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "PPP with an ethertype", 9, "ff03 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "PPP LCP", 9, "ff03 c021 0101 0004", "ok 0/none LOCAL" },
		{ "PPP IPCP", 9, "ff03 8021 0101 0004", "ok 0/none LOCAL" },
		{ "PPP compressed data", 9, "ff03 00fd 0000", "unsupported 0/none" },
		{ "PPP bridged", 9, "ff03 0031 0001" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "PPP with direction", 204, "01 ff03 0021" SYN, "ok " SYN_IS " DF L4" },
		{ "PPP of pppd", 166, "0003 0021" SYN, "ok " SYN_IS " DF L4" },
		{ "PPP HDLC", 50, "7e ff03 0021" SYN, "ok " SYN_IS " DF L4" },
		{ "PPPoE as link", 51, "1100 0001 002a 0021" SYN, "ok " SYN_IS " DF L4" },
		{ "Cisco HDLC", 104, "0f00 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Cisco HDLC SLARP", 104, "8f00 8035 0000 0002", "ok 0/none LOCAL" },
		{ "Cisco HDLC OSI", 104, "0f00 fefe 0383", "ok 0/none LOCAL" },
		{ "Cisco HDLC with direction", 205, "00 0f00 86dd" UDP6, "ok " UDP6_IS " L4" },
		{ "Frame Relay", 107, "1841 03 cc" SYN, "ok " SYN_IS " DF L4" },
		{ "Frame Relay, 4 bytes", 107, "1840 0041 03 8e" UDP6, "ok " UDP6_IS " L4" },
		{ "Frame Relay, padded SNAP", 107, "1841 03 00 80 000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Frame Relay, bridged", 107, "1841 03 80 0080c2 0007" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Frame Relay, Cisco", 107, "1841 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Frame Relay, signalling", 107, "0001 1300", "ok 0/none LOCAL" },
		{ "Frame Relay, one byte of address", 107, "0103 cc" SYN, "malformed 0/none" },
		{ "FDDI", 10, "50" MACS "aaaa 03 000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "FDDI management", 10, "41" MACS "0000", "ok 0/none LOCAL" },
		{ "Token Ring", 6, "1040" MACS "aaaa 03 000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Token Ring, source route", 6, "1040 020000000001 820000000002 0430 0011 aaaa03 000000 0800" SYN,
		  "ok " SYN_IS " DF L4" },
		{ "ARCNET", 7, "0102 f0" SYN, "ok " SYN_IS " DF L4" },
		{ "ARCNET on Linux", 129, "0102 0000 d4 00 0001" SYN, "ok " SYN_IS " DF L4" },
		{ "ARCNET, later part", 129, "0102 0000 d4 02 0001" SYN, "unsupported 0/none" },
		{ "ATM LLC", 100, "aaaa 03 000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "ATM CLIP", 106, SYN, "ok " SYN_IS " DF L4" },
		{ "ATM CLIP with LLC", 106, "aaaa 03 000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Solaris ipnet", 226, "01 02 0001 0000003c 00000002 00000000 00000000 00000000" SYN, "ok " SYN_IS " DF L4" },
		{ "PPI", 192, "0000 0800 0100 0000" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "PPI of nothing known", 192, "0000 0800 ff00 0000" SYN, "unsupported 0/none" },
		{ "NFLOG", 239, "02 00 0000 0800 0a00 0a00 0000 2c00 0900" SYN, "ok " SYN_IS " DF L4" },
		{ "NFLOG, big endian", 239, "0a 00 0000 0005 000a 6100 0000 0038 0009" UDP6, "ok " UDP6_IS " L4" },
		{ "NFLOG without packet", 239, "02 00 0000 0800 0a00 0a00 0000", "ok 0/none LOCAL" },
		{ "DSA", 284, MACS "c010 0539 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "DSA, extended", 284, MACS "c010 1039 00000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "EDSA", 285, MACS "dada 0000 c010 0039 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Broadcom tag", 281, MACS "2c00 0008 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Broadcom tag in front", 282, "2c00 0008" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "ATM LLC, old number", 11, "aaaa 03 000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "IP over Fibre Channel", 122, "0000020000000001 0000020000000002 aaaa 03 000000 86dd" UDP6, "ok " UDP6_IS " L4" },
		{ "IP over IEEE 1394", 138, "0200000000000001 0200000000000002 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "IPsec interface", 109, "02000000 00000001 00000000" SYN, "ok " SYN_IS " DF L4" },
		{ "packet filter's log", 117,
		  "3d 18 00 00 656d3000000000000000000000000000 00000000000000000000000000000000 00000001 ffffffff"
		  "00000000 00000000 00000000 00000000 01 000000" UDP6, "ok " UDP6_IS " L4" },
		{ "packet filter's log, no length", 117, "00 02 0000" SYN, "malformed 0/none" },
		{ "Juniper Ethernet", 178, "4d4743 80 0003 010203" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Juniper without link", 178, "4d4743 02 02000000" SYN, "ok " SYN_IS " DF L4" },
		{ "Juniper PPP", 179, "4d4743 00 ff03 0021" SYN, "ok " SYN_IS " DF L4" },
		{ "not Juniper", 178, "000000 00" MACS "0800" SYN, "malformed 0/none" },
		{ "D-Bus", 231, "6c01 0001", "unsupported 0/none" },
		{ "no such link", 9999, SYN, "unsupported 0/none" },
	};
	check_rows(rows, COUNT(rows), &plain);
}

static void wrappings(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "802.1Q", 1, MACS "8100 0064 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "802.1ad and 802.1Q", 1, MACS "88a8 0064 8100 0065 86dd" UDP6, "ok " UDP6_IS " L4" },
		{ "old QinQ, three deep", 1, MACS "9100 0001 9100 0002 8100 0003 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "802.1ah", 1, MACS "88e7 00000001" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "E-TAG", 1, MACS "893f 0000 0000 0000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "VN-TAG", 1, MACS "8926 0000 0000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Cisco metadata", 1, MACS "8909 0101 0001 0001 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "FabricPath", 1, MACS "8903 0040" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "TRILL with option", 1, MACS "22f3 0041 0001 0002 00000000" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "HSR", 1, MACS "892f 0034 0001 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "Arista time", 1, MACS "d28b 0001 0010 0000000000000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "MACsec, authenticated only", 1,
		  MACS "88e5 20 28 00000001 0000000000000001 0800" SYN "0000000000000000 0000000000000000", "ok " SYN_IS " DF L4" },
		{ "MACsec, encrypted", 1, MACS "88e5 2c 00 00000001 0000000000000001 0800" SYN, "unsupported 0/none" },
		{ "NSH", 1, MACS "894f 0fc2 0201 00000100" SYN, "ok " SYN_IS " DF L4" },
		{ "NSH, Ethernet inside", 1, MACS "894f 0fc2 0203 00000100" MACS "86dd" UDP6, "ok " UDP6_IS " L4" },
		{ "NSH too small", 1, MACS "894f 0fc1 0201 00000100" SYN, "malformed 0/none" },
		{ "PPPoE", 1, MACS "8864 1100 0001 002a 0021" SYN, "ok " SYN_IS " DF L4" },
		{ "PPPoE, padding is not data", 1, MACS "8864 1100 0001 002a 0021" SYN "00000000", "ok " SYN_IS " DF L4" },
		{ "PPPoE session with a code", 1, MACS "8864 1107 0001 002a 0021" SYN, "ok " SYN_IS " DF L4" },
		{ "PPPoE discovery", 1, MACS "8863 1109 0000 0000", "ok 0/none LOCAL" },
		{ "MPLS", 1, MACS "8847 00010040 00011140" SYN, "ok " SYN_IS " DF L4" },
		{ "MPLS, explicit null of IPv6", 1, MACS "8847 00002140" UDP6, "ok " UDP6_IS " L4" },
		{ "MPLS, explicit null before a pseudowire", 1, MACS "8847 00000140 00000000" MACS "0800" SYN,
		  "ok " SYN_IS " DF L4" },
		{ "MPLS pseudowire with control word", 1, MACS "8847 00011140 00000000" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "MPLS pseudowire without", 1, MACS "8847 00011140" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "MPLS pseudowire, address like IPv4", 1, MACS "8847 00011140 4500 0000 0001 0200 0000 0002 86dd" UDP6,
		  "ok " UDP6_IS " L4" },
		{ "MPLS channel", 1, MACS "8847 0000d140 10000021" SYN, "ok " SYN_IS " DF L4" },
		{ "MPLS without bottom", 1, MACS "8847 00010040 00010040", "short 0/none" },
		{ "802.3 SNAP", 1, MACS "0030 aaaa 03 000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "802.3 SAP of IP", 1, MACS "002b 0606 03" SYN, "ok " SYN_IS " DF L4" },
		{ "802.3, trailer past its length", 1, MACS "0030 aaaa 03 000000 0800" SYN "ffff", "ok " SYN_IS " DF L4" },
		{ "Jumbo LLC", 1, MACS "8870 aaaa 03 000000 0800" SYN, "ok " SYN_IS " DF L4" },
		{ "SNAP, foreign organisation", 1, MACS "0030 aaaa 03 123456 0800" SYN, "unsupported 0/none" },
		{ "length or type of neither", 1, MACS "05ff" SYN, "unsupported 0/none" },
		{ "bridged", 1, MACS "6558" MACS "0800" SYN, "ok " SYN_IS " DF L4" },
		{ "unknown type", 1, MACS "1234" SYN, "unsupported 0/none" },
		{ "cut in the addresses", 1, "0200 0000 0001", "short 0/none" },
		{ "cut in a tag", 1, MACS "8100 00", "short 0/none" },
		{ "nothing", 1, "", "short 0/none" },
	};
	check_rows(rows, COUNT(rows), &plain);
}

static void local_protocols(void **state)
{
	(void)state;
	static const char *const types[] = {
		"0806", "8035", "88cc", "888e", "8809", "8808", "9000", "88f7", "8902", "88a2", "8892", "88b8", "88e1", "0842",
		"8137", "809b", "6003", "22f0", "88ca", "88d9", "2000", "8947",
	};
	char hex[200], vlan[200];

	for (size_t i = 0; i < COUNT(types); i++) {
		snprintf(hex, sizeof(hex), MACS "%s 0001 0800 0604 0001", types[i]);
		snprintf(vlan, sizeof(vlan), MACS "8100 0001 %s 0001 0800 0604 0001", types[i]);
		struct row rows[] = { { types[i], 1, hex, "ok 0/none LOCAL" }, { types[i], 1, vlan, "ok 0/none LOCAL" } };
		check_rows(rows, COUNT(rows), &plain);
	}
	static const struct row llc[] = {
		{ "STP", 1, MACS "0026 4242 03 0000", "ok 0/none LOCAL" },
		{ "IS-IS", 1, MACS "0026 fefe 03 83", "ok 0/none LOCAL" },
		{ "CDP", 1, MACS "0026 aaaa 03 00000c 2000 02b4", "ok 0/none LOCAL" },
		{ "NetBIOS", 1, MACS "0026 f0f0 7f", "ok 0/none LOCAL" },
		{ "raw IPX", 1, MACS "0026 ffff 0022", "ok 0/none LOCAL" },
		{ "SNAP TEST", 1, MACS "0026 aaaa e3 000000 0800" SYN, "ok 0/none LOCAL" },
	};
	check_rows(llc, COUNT(llc), &plain);
}

#define RADIOTAP "0000 0800 0000 0000 "
#define SNAP "aaaa 03 000000 0800"
#define WIFI_MACS "0000 020000000001 020000000002 020000000003 1000 "

static void wifi(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "data", 105, "0801" WIFI_MACS SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "radiotap", 127, RADIOTAP "0801" WIFI_MACS SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "radiotap, flags behind the time say padded", 127,
		  "0000 1100 2f00 0000 0000000000000000 20" "8802" WIFI_MACS "0000 0000" SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "radiotap, flags say padded", 127, "0000 0900 0200 0000 20" "8802" WIFI_MACS "0000 0000" SNAP SYN,
		  "ok " SYN_IS " DF L4" },
		{ "radiotap, two words of presence", 127, "0000 0d00 0200 0080 0000 0000 20" "8802" WIFI_MACS "0000 0000" SNAP SYN,
		  "ok " SYN_IS " DF L4" },
		{ "Prism", 119, "44000000 10000000 0000000000000000" "0802" WIFI_MACS SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "AVS", 163, "80211001 00000010 0000000000000000" "0802" WIFI_MACS SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "AVS called Prism", 119, "80211001 00000010 0000000000000000" "0802" WIFI_MACS SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "QoS", 105, "8801" WIFI_MACS "0000" SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "QoS with HT control", 105, "8881" WIFI_MACS "0000 00000000" SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "four addresses", 105, "0803" WIFI_MACS "020000000004" SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "A-MSDU", 105, "8801" WIFI_MACS "8000" MACS "0030" SNAP SYN, "ok " SYN_IS " DF L4" },
		{ "encrypted", 105, "0841" WIFI_MACS SNAP SYN, "unsupported 0/none" },
		{ "fragment", 105, "0805" WIFI_MACS SNAP SYN, "unsupported 0/none" },
		{ "null data", 105, "4801" WIFI_MACS, "ok 0/none LOCAL" },
		{ "beacon", 105, "8000" WIFI_MACS, "ok 0/none LOCAL" },
		{ "acknowledgement", 105, "d400 0000 020000000001", "ok 0/none LOCAL" },
		{ "cut", 105, "0801 0000", "short 0/none" },
		{ "radiotap longer than the frame", 127, "0000 ff00 0000 0000", "short 0/none" },
		{ "radiotap shorter than itself", 127, "0000 0400 0000 0000", "malformed 0/none" },
	};
	check_rows(rows, COUNT(rows), &plain);
}

/* Nothing but tags: as many layers as fit, and an end. */
static void tags_without_end(void **state)
{
	(void)state;
	uint8_t data[8192];

	for (size_t i = 0; i < sizeof(data); i += 2)
		data[i] = 0x91, data[i + 1] = 0x00;
	struct frame frame = { .data = data, .caplen = sizeof(data), .wirelen = sizeof(data), .link = 1 };
	struct packet p = decode_both(&plain, &frame);
	assert_string_equal(text_of(&p), "malformed 0/none");
	frame.caplen = frame.wirelen = 200;
	p = decode_both(&plain, &frame);
	assert_string_equal(text_of(&p), "short 0/none");
}

/* A check sequence at the end is no data, even where IP gives no length of its own. */
static void check_sequence_is_no_data(void **state)
{
	(void)state;
	struct bytes b = bytes_of(MACS "0800 4500 0000 0007 0000 4011 0000 c000 0201 c633 6401"
	                          "1388 0035 000c 0000 61616161 ffffffff");
	struct frame frame = frame_of(1, b);

	frame.fcs_len = 4;
	struct packet p = decode_both(&plain, &frame);
	assert_int_equal(p.ip_len, 32);
	assert_int_equal(p.payload_len, 4);
	frame.fcs_len = 200; /* longer than the frame: nothing is left */
	p = decode_both(&plain, &frame);
	assert_string_equal(text_of(&p), "short 0/none");
	free(b.p);
}

static void marks_become_bits(void **state)
{
	(void)state;
	struct bytes b = bytes_of(MACS "0800" SYN);
	struct frame frame = frame_of(1, b);

	frame.ts = -5;
	frame.marks = FRAME_OWN | FRAME_TIME_CLAMPED;
	frame.wirelen = 1000;
	struct packet p = decode_both(&plain, &frame);
	assert_string_equal(text_of(&p), "ok " SYN_IS " DF TRUNC L4 OWN");
	assert_int_equal(p.ts, -5);
	assert_int_equal(p.wire_len, 1000);
	frame.marks = FRAME_OUTGOING;
	frame.wirelen = 1; /* a lie: the bytes are there */
	p = decode_both(&plain, &frame);
	assert_string_equal(text_of(&p), "ok " SYN_IS " DF L4 OUTGOING");
	free(b.p);
}

static void statuses_have_names(void **state)
{
	(void)state;
	assert_string_equal(packet_status_name(PACKET_OK), "ok");
	assert_string_equal(packet_status_name(PACKET_UNSUPPORTED), "unsupported");
	assert_string_equal(packet_status_name((enum packet_status)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_layers),       cmocka_unit_test(wrappings),
		cmocka_unit_test(local_protocols),   cmocka_unit_test(wifi),
		cmocka_unit_test(tags_without_end),  cmocka_unit_test(check_sequence_is_no_data),
		cmocka_unit_test(marks_become_bits), cmocka_unit_test(statuses_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
