/* The packet that an ICMP error quotes. */
#include "packet_text.h"

static const struct decode_config plain;

#define ICMP4(length, type) "4500" length "0001 0000 4001 0000 0a00 0001 0a00 0002" type "00 0000 0000 0000"
#define ICMP6(length, type) \
	"6000 0000" length "3a40 2001 0db8 0000 0000 0000 0000 0000 0009 2001 0db8 0000 0000 0000 0000 0000 000a" \
	type "00 0000 0000 0000"

static const char *quote_text(const char *hex)
{
	static char line[200];
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	struct bytes b = bytes_of(hex);
	struct frame frame = frame_of(101, b);
	struct packet p = decode_both(&plain, &frame);
	struct quote q;

	if (!decode_quote(&p, &q))
		snprintf(line, sizeof(line), "none");
	else
		snprintf(line, sizeof(line), "%u %s>%s%s %u>%u", q.proto, addr_format(&q.src, src), addr_format(&q.dst, dst),
		         q.has_ports ? "" : " no ports", q.sport, q.dport);
	free(b.p);
	return line;
}

static void quotes(void **state)
{
	(void)state;
	static const struct {
		const char *name, *hex, *expected;
	} rows[] = {
		{ "unreachable", ICMP4("0044", "03") SYN, "6 192.0.2.1>198.51.100.1 1000>80" },

		{ "time exceeded, 8 bytes of data",
		  ICMP4("0038", "0b") "4500 0028 0007 4000 0106 0000 c000 0201 c633 6401 03e8 0050 0000 0005",
		  "6 192.0.2.1>198.51.100.1 1000>80" },
		{ "source quench", ICMP4("0044", "04") SYN, "6 192.0.2.1>198.51.100.1 1000>80" },
		{ "redirect", ICMP4("0044", "05") SYN, "6 192.0.2.1>198.51.100.1 1000>80" },
		{ "parameter problem", ICMP4("0044", "0c") SYN, "6 192.0.2.1>198.51.100.1 1000>80" },

		{ "options in the quote",
		  ICMP4("0040", "03") "4600 0020 0007 0000 4011 0000 c000 0201 c633 6401 01010100 1388 0035",
		  "17 192.0.2.1>198.51.100.1 5000>53" },
		{ "quoted ICMP has no ports",
		  ICMP4("0038", "03") "4500 001c 0007 0000 4001 0000 c000 0201 c633 6401 0800 0000 0000 0000",
		  "1 192.0.2.1>198.51.100.1 no ports 0>0" },
		{ "cut before the ports", ICMP4("0032", "03") "4500 0028 0007 4000 4006 0000 c000 0201 c633 6401 03e8",
		  "6 192.0.2.1>198.51.100.1 no ports 0>0" },
		{ "later fragment",
		  ICMP4("0038", "03") "4500 0028 0007 0001 4006 0000 c000 0201 c633 6401 03e8 0050 0000 0005",
		  "6 192.0.2.1>198.51.100.1 no ports 0>0" },
		{ "cut in the header", ICMP4("0028", "03") "4500 0028 0007 4000 4006 0000", "none" },
		{ "header length 3", ICMP4("0044", "03") "4300 0028 0007 4000 4006 0000 c000 0201 c633 6401 03e8 0050",
		  "none" },
		{ "nothing quoted", ICMP4("001c", "03"), "none" },
		{ "echo is no error", ICMP4("0044", "08") SYN, "none" },
		{ "echo reply is none", ICMP4("0044", "00") SYN, "none" },
		{ "IPv6 unreachable", ICMP6("003c", "01") UDP6, "17 2001:db8::1>2001:db8::2 5000>53" },
		{ "IPv6 parameter problem", ICMP6("003c", "04") UDP6, "17 2001:db8::1>2001:db8::2 5000>53" },
		{ "IPv6 extension header", ICMP6("003c", "03")
		  "6000 0000 0014 3c40 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002"
		  "1100 0104 0000 0000 1388 0035", "17 2001:db8::1>2001:db8::2 5000>53" },
		{ "IPv6 later fragment", ICMP6("003c", "03")
		  "6000 0000 0014 2c40 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002"
		  "1100 0008 0000 0001 1388 0035", "17 2001:db8::1>2001:db8::2 no ports 0>0" },
		{ "IPv6 cut", ICMP6("0010", "01") "6000 0000 0014 0640", "none" },
		{ "IPv6 echo", ICMP6("003c", "80") UDP6, "none" },
		{ "TCP", SYN, "none" },
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(quote_text(rows[i].hex), rows[i].expected))
			fail_msg("%s: \"%s\", expected \"%s\"", rows[i].name, quote_text(rows[i].hex), rows[i].expected);
}

/* Cut anywhere: never a byte outside the capture (a sanitizer looks), never ports that are not there. */
static void quotes_cut_everywhere(void **state)
{
	(void)state;
	static const char *const seeds[] = { ICMP4("0044", "03") SYN, ICMP6("003c", "01") UDP6 };

	for (size_t s = 0; s < COUNT(seeds); s++) {
		struct bytes whole = bytes_of(seeds[s]);
		for (uint32_t n = 0; n <= whole.n; n++) {
			struct bytes b = { .p = malloc(n ? n : 1), .n = n };
			memcpy(b.p, whole.p, n);
			struct frame frame = frame_of(101, b);
			frame.wirelen = whole.n;
			struct packet p = decode_both(&plain, &frame);
			struct quote q;
			bool found = decode_quote(&p, &q);
			uint32_t header = s ? 40 : 20;
			assert_int_equal(found, n >= 2 * header + 8);
			assert_int_equal(q.has_ports, n >= 2 * header + 12);
			free(b.p);
		}
		free(whole.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(quotes), cmocka_unit_test(quotes_cut_everywhere) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
