#include "capture_help.h"

enum { HDLC_POS = 1, ETH = 2, ATM = 3, AAL5 = 4, MC_HDLC = 5, IPV4 = 22, META = 27, PAD = 48 };

static struct bytes b;
static struct outcome o;

/* A record with `extensions` extension headers and `sub` bytes before the packet. */
static void put_record(uint8_t type, uint64_t ts, unsigned extensions, unsigned sub, uint16_t caplen, uint16_t wirelen,
                       unsigned pad)
{
	b.swap = false;
	put64(&b, ts);
	b.swap = true;
	put8(&b, (uint8_t)(type | (extensions ? 0x80 : 0)));
	put8(&b, 4);
	put16(&b, (uint16_t)(16 + extensions * 8 + sub + caplen + pad));
	put16(&b, 3); /* lost before it */
	put16(&b, wirelen);
	for (unsigned i = 0; i < extensions; i++) {
		put8(&b, i + 1 < extensions ? 0x83 : 3);
		put_zeros(&b, 7);
	}
	put_zeros(&b, sub);
	put_payload(&b, caplen, caplen);
	put_zeros(&b, pad);
}

static uint64_t at_second(uint32_t s) { return (uint64_t)s << 32; }

static void start(void) { memset(&b, 0, sizeof b); }

static void read_it(void) { read_bytes(&o, b.p, b.n, (struct reading){ .block = 0 }); }

static void expect_end(uint32_t frames)
{
	read_it();
	assert_int_equal(o.rc, CAPTURE_END);
	assert_int_equal(o.n, frames);
}

static void expect_error(const char *code, uint64_t offset, uint32_t frames)
{
	read_it();
	assert_true(o.rc < 0);
	assert_string_equal(o.e.code, code);
	assert_int_equal(o.e.offset, offset);
	assert_int_equal(o.n, frames);
}

static void test_types(void **state)
{
	(void)state;
	start();
	put_record(ETH, at_second(1500000000), 0, 2, 60, 64, 2);
	put_record(PAD, 0, 0, 0, 8, 0, 0);
	put_record(HDLC_POS, at_second(1500000001), 0, 0, 44, 44, 4);
	put_record(META, at_second(1500000001), 1, 0, 16, 0, 0);
	put_record(ETH, at_second(1500000001), 3, 2, 60, 1500, 2);
	put_record(AAL5, at_second(1500000001), 0, 4, 48, 48, 0);
	put_record(MC_HDLC, at_second(1500000001), 0, 4, 48, 48, 0);
	put_record(IPV4, at_second(1500000001), 0, 0, 40, 40, 0);
	put_record(ATM, at_second(1500000001), 0, 0, 52, 53, 0);
	expect_end(7);
	static const uint16_t links[] = { 1, 50, 1, 100, 50, 101, 197 }, lengths[] = { 62, 44, 62, 48, 48, 40, 68 };
	for (int i = 0; i < 7; i++) {
		assert_int_equal(o.frames[i].f.link, links[i]);
		assert_int_equal(o.frames[i].f.caplen, lengths[i]);
		assert_int_equal(o.frames[i].f.fcs_len, links[i] == 1 ? 4 : 0);
	}
	assert_int_equal(o.frames[0].f.ts, 1500000000000000000);
	assert_int_equal(o.frames[2].f.wirelen, 1500);
	assert_string_equal(o.info.format, "erf");
	assert_int_equal(o.info.n_links, 5);
}

/* Every number a type can have: what it becomes, or that it is damage. */
static void test_every_type(void **state)
{
	(void)state;
	static const struct {
		uint16_t link; /* 0: no packet, or no such type */
		uint8_t sub, fcs;
	} known[128] = {
		[1] = { 50, 0, 0 }, [2] = { 1, 2, 4 }, [3] = { 197, 0, 0 }, [4] = { 100, 4, 0 }, [5] = { 50, 4, 0 },
		[6] = { 197, 0, 0 }, [7] = { 197, 0, 0 }, [8] = { 197, 0, 0 }, [9] = { 100, 8, 0 }, [10] = { 50, 0, 0 },
		[11] = { 1, 2, 4 }, [12] = { 197, 0, 0 }, [15] = { 50, 0, 0 }, [16] = { 1, 2, 4 }, [17] = { 50, 4, 0 },
		[18] = { 197, 0, 0 }, [19] = { 50, 0, 0 }, [20] = { 1, 2, 4 }, [21] = { 247, 0, 0 }, [22] = { 101, 0, 0 },
		[23] = { 101, 0, 0 }, [24] = { 197, 0, 0 }, [25] = { 197, 0, 0 }, [28] = { 197, 0, 0 }, [29] = { 197, 0, 0 },
	};
	for (uint8_t type = 0; type < 128; type++) {
		start();
		for (uint32_t i = 0; i < 3; i++)
			put_record(ETH, at_second(1500000000 + i), 0, 2, 60, 64, 2);
		size_t at = b.n;
		put_record(type, at_second(1500000003), 1, known[type].sub, 60, 61, 2);
		bool none = type == 13 || type == 14 || type == META || type == PAD;
		if (!known[type].link && !none) {
			expect_error("MON-CAP-031", at, 3);
			continue;
		}
		expect_end(none ? 3 : 4);
		bool whole = known[type].link == 197;
		if (none)
			continue;
		assert_int_equal(o.frames[3].f.link, known[type].link);
		assert_int_equal(o.frames[3].f.fcs_len, known[type].fcs);
		assert_int_equal(o.frames[3].f.wirelen, whole ? b.n - at : 61);
		assert_int_equal(o.frames[3].f.caplen, whole ? b.n - at : 61);
		assert_int_equal(o.frames[3].hash, whole ? data_hash(b.p + at, b.n - at) : data_hash(b.p + b.n - 62, 61));
	}
}

/* The data of a frame is what lies behind all headers. */
static void test_data(void **state)
{
	(void)state;
	for (unsigned extensions = 0; extensions < 4; extensions++) {
		start();
		put_record(ETH, at_second(5), extensions, 2, 60, 60, 0);
		expect_end(1);
		assert_int_equal(o.frames[0].hash, data_hash(b.p + b.n - 60, 60));
	}
}

static void test_times(void **state)
{
	(void)state;
	static const struct {
		uint64_t ts;
		int64_t ns;
	} rows[] = {
		{ 0x0000000180000000, 1500000000 },
		{ 0x0000000100000001, 1000000000 },           /* 0.23 ns */
		{ 0x0000000100000003, 1000000001 },           /* 0.70 ns */
		{ 0x00000001ffffffff, 2000000000 },           /* carries into the second */
		{ 0xffffffff00000000, INT64_C(4294967295) * 1000000000 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start();
		put_record(ETH, rows[i].ts, 0, 2, 60, 64, 0);
		expect_end(1);
		assert_int_equal(o.frames[0].f.ts, rows[i].ns);
	}
}

/* There is no magic, so what is not ERF must be told from it. */
static void test_telling(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"#!/bin/sh\necho hello world, this is a text of some length\n",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"{\"file\": null, \"packets\": 0, \"bytes\": 0, \"first\": null}\n",
		"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0>\0\1\0\0\0",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		start();
		put(&b, texts[i], strlen(texts[i]));
		expect_error("MON-CAP-004", 0, 0);
	}
	start();
	put_zeros(&b, 4096);
	expect_error("MON-CAP-004", 0, 0);
	for (int i = 0; i < 20; i++) /* padding alone is no capture */
		put_record(PAD, 0, 0, 0, 16, 0, 0);
	memmove(b.p, b.p + 4096, b.n -= 4096);
	expect_error("MON-CAP-004", 0, 0);
	start();
	put_record(ETH, at_second(1500000000), 0, 2, 60, 64, 2);
	put_record(ETH, at_second(1400000000), 0, 2, 60, 64, 2); /* three years back */
	expect_error("MON-CAP-004", 0, 0);
	start();
	put_record(ETH, at_second(1400000000), 0, 2, 60, 64, 2);
	put_record(ETH, at_second(1500000000), 0, 2, 60, 64, 2);
	expect_error("MON-CAP-004", 0, 0);
}

/* Each of the first three records is looked at, wherever it lies. */
static void test_telling_each(void **state)
{
	(void)state;
	for (int bad = 0; bad < 3; bad++) {
		start();
		size_t starts[4];
		for (uint16_t i = 0; i < 4; i++) {
			starts[i] = b.n;
			put_record(ETH, at_second(1500000000), i, 2, (uint16_t)(60 + i * 10), 64, 2);
		}
		expect_end(4);
		const struct bytes good = b;
		b.p[starts[bad] + 8] = 99;
		expect_error("MON-CAP-004", 0, 0);
		b = good;
		store_be16(b.p + starts[bad] + 10, 15);
		expect_error("MON-CAP-004", 0, 0);
	}
}

/* Two ports need not agree on the order, but for no more than a second. */
static void test_telling_order(void **state)
{
	(void)state;
	for (uint32_t half = 0; half < 6; half++) {
		start();
		put_record(ETH, at_second(1500000000), 0, 2, 60, 64, 2);
		put_record(ETH, at_second(1500000000) - half * UINT64_C(0x80000000), 0, 2, 60, 64, 2);
		if (half < 4)
			expect_end(2);
		else
			expect_error("MON-CAP-004", 0, 0);
	}
}

/* Wireshark writes a metadata record without a time first. */
static void test_metadata_first(void **state)
{
	(void)state;
	start();
	put_record(META, 0, 2, 0, 72, 0, 0);
	expect_end(0);
	assert_string_equal(o.info.format, "erf");
	put_record(ETH, at_second(1500000000), 0, 2, 60, 64, 2);
	put_record(ETH, at_second(1500000000), 0, 2, 60, 64, 2);
	expect_end(2);
}

static void test_damage(void **state)
{
	(void)state;
	start();
	for (uint32_t i = 0; i < 3; i++)
		put_record(ETH, at_second(1500000000 + i), 0, 2, 60, 64, 2);
	size_t at = b.n;
	put_record(ETH, at_second(1500000003), 0, 2, 60, 64, 2);
	const struct bytes good = b;
	store_be16(b.p + at + 10, 15);
	expect_error("MON-CAP-031", at, 3);
	store_be16(b.p + at + 10, 17); /* no room for the pad of Ethernet */
	expect_error("MON-CAP-031", at, 3);
	b = good;
	b.p[at + 8] = 100;
	expect_error("MON-CAP-031", at, 3);
	b = good;
	b.p[at + 8] |= 0x80; /* extension headers that never end */
	memset(b.p + at + 16, 0x80, 64);
	expect_error("MON-CAP-031", at, 3);
	b = good;
	b.n--;
	expect_error("MON-CAP-011", at, 3);
}

static void test_everything(void **state)
{
	(void)state;
	start();
	for (uint32_t i = 0; i < 4; i++)
		put_record(ETH, at_second(1500000000 + i), i, 2, (uint16_t)(20 + i), 64, i);
	check_everything(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types), cmocka_unit_test(test_every_type), cmocka_unit_test(test_data), cmocka_unit_test(test_times),
		cmocka_unit_test(test_telling), cmocka_unit_test(test_telling_each),
		cmocka_unit_test(test_telling_order), cmocka_unit_test(test_metadata_first),
		cmocka_unit_test(test_damage), cmocka_unit_test(test_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
