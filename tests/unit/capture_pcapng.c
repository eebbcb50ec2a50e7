#include "capture_help.h"

static struct bytes b;
static struct outcome o;

static void start(bool swap)
{
	memset(&b, 0, sizeof b);
	b.swap = swap;
	put_section(&b, 1, 0);
}

static void read_it(void)
{
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 0 });
}

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

static void put_unknown(uint32_t type, size_t n)
{
	size_t at = block_start(&b, type);
	put_payload(&b, type, n);
	block_end(&b, at);
}

static void put_simple(uint32_t wirelen, uint32_t stored)
{
	size_t at = block_start(&b, 3);
	put32(&b, wirelen);
	put_payload(&b, wirelen, stored);
	block_end(&b, at);
}

/* The packet block of drafts before 2005: two bytes of interface number, two of drops. */
static void put_obsolete(uint16_t interface, uint64_t units, uint32_t caplen, uint32_t flags)
{
	size_t at = block_start(&b, 2);
	put16(&b, interface);
	put16(&b, 77);
	put32(&b, (uint32_t)(units >> 32));
	put32(&b, (uint32_t)units);
	put32(&b, caplen);
	put32(&b, caplen);
	put_payload(&b, 3, caplen);
	put_zeros(&b, (4 - caplen % 4) % 4);
	put16(&b, 2);
	put16(&b, 4);
	put32(&b, flags);
	block_end(&b, at);
}

static void put_flags(uint32_t flags)
{
	size_t at = block_start(&b, 6);
	put32(&b, 0);
	put64(&b, 0);
	put32(&b, 5);
	put32(&b, 5);
	put_payload(&b, 1, 5);
	put_zeros(&b, 3);
	put_option(&b, 1, "a comment", 9);
	put16(&b, 2);
	put16(&b, 4);
	put32(&b, flags);
	put_option(&b, 0, NULL, 0);
	block_end(&b, at);
}

/* Two sections of different byte orders, each with two interfaces that differ in everything. */
static void make_mixed(void)
{
	memset(&b, 0, sizeof b);
	for (int i = 0; i < 2; i++) {
		b.swap = i;
		put_section(&b, 1, i ? 2 : 0);
		put_unknown(4, 12);
		put_interface(&b, 1, 64, 255, 0);
		put_interface(&b, i ? 113 : 101, 0, 9, i ? 3600 : -3600);
		put_enhanced(&b, 0, 1700000000000001u, 20, 20);
		put_unknown(0x40000bad, 8);
		put_enhanced(&b, 1, 1700000000000000001u, 33, 99);
		put_obsolete(1, 1700000000000000002u, 7, 2);
		put_simple(40, 40);
	}
}

static void test_sections_and_interfaces(void **state)
{
	(void)state;
	make_mixed();
	expect_end(8);
	for (uint32_t i = 0; i < 8; i += 4) {
		const struct seen *f = &o.frames[i];
		int64_t shift = INT64_C(3600000000000) * (i ? 1 : -1);
		assert_int_equal(f[0].f.ts, 1700000000000001000);
		assert_int_equal(f[0].f.link, 1);
		assert_int_equal(f[1].f.ts, 1700000000000000001 + shift);
		assert_int_equal(f[1].f.link, i ? 113 : 101);
		assert_int_equal(f[1].f.caplen, 33);
		assert_int_equal(f[1].f.wirelen, 99);
		assert_int_equal(f[2].f.ts, 1700000000000000002 + shift);
		assert_int_equal(f[2].f.marks, FRAME_OUTGOING);
		assert_int_equal(f[3].f.ts, 0);
		assert_int_equal(f[3].f.caplen, 40);
		assert_int_equal(f[3].f.link, 1);
	}
	assert_int_equal(o.info.n_links, 3);
	assert_int_equal(o.info.links[1], 101);
	assert_int_equal(o.info.links[2], 113);
	assert_string_equal(o.info.format, "pcapng");
}

static void test_versions(void **state)
{
	(void)state;
	for (uint16_t minor = 0; minor <= 3; minor++) {
		memset(&b, 0, sizeof b);
		b.swap = minor & 1;
		put_section(&b, 1, minor);
		put_interface(&b, 1, 0, 255, 0);
		put_enhanced(&b, 0, 5, 4, 4);
		if (minor <= 2)
			expect_end(1);
		else
			expect_error("MON-CAP-005", 0, 0);
	}
	start(false);
	b.p[8] ^= 1; /* neither byte order */
	expect_error("MON-CAP-019", 0, 0);
	start(false); /* a newer section behind one that can be read */
	put_interface(&b, 1, 0, 255, 0);
	put_enhanced(&b, 0, 5, 4, 4);
	size_t at = b.n;
	put_section(&b, 2, 0);
	expect_error("MON-CAP-005", at, 1);
	assert_non_null(strstr(o.e.text, "2.0"));
}

/* if_tsresol and if_tsoffset against times worked out by hand. */
static void test_times(void **state)
{
	(void)state;
	static const struct {
		uint8_t resolution;
		int64_t offset;
		uint64_t units;
		int64_t ns;
		uint8_t marks;
	} rows[] = {
		{ 255, 0, 1234567, 1234567000, 0 },
		{ 6, 0, 1234567, 1234567000, 0 },
		{ 9, 0, 1234567, 1234567, 0 },
		{ 0, 0, 7, 7000000000, 0 },
		{ 3, 0, 7, 7000000, 0 },
		{ 12, 0, 1999, 1, 0 },                    /* picoseconds round down */
		{ 28, 0, UINT64_MAX, 1, 0 },
		{ 29, 0, UINT64_MAX, 0, 0 },
		{ 127, 0, UINT64_MAX, 0, 0 },
		{ 0x80, 0, 7, 7000000000, 0 },            /* 2^0: seconds */
		{ 0x80 | 1, 0, 3, 1500000000, 0 },
		{ 0x80 | 10, 0, 1024 + 512, 1500000000, 0 },
		{ 0x80 | 32, 0, UINT64_C(0x180000001), 1500000000, 0 },
		{ 0x80 | 63, 0, UINT64_C(1) << 63, 1000000000, 0 },
		{ 0x80 | 64, 0, UINT64_C(1) << 63, 500000000, 0 },
		{ 0x80 | 126, 0, UINT64_MAX, 0, 0 },
		{ 6, 1600000000, 5, 1600000000000005000, 0 },
		{ 6, -10, 5, -9999995000, 0 },            /* before 1970 */
		{ 6, 0, 9223372036854775, 9223372036854775000, 0 },
		{ 6, 0, 9223372036854776, INT64_MAX, FRAME_TIME_CLAMPED },
		{ 6, 0, UINT64_MAX, INT64_MAX, FRAME_TIME_CLAMPED },
		{ 9, 0, INT64_MAX, INT64_MAX, 0 },
		{ 9, 0, UINT64_C(1) << 63, INT64_MAX, FRAME_TIME_CLAMPED },
		{ 9, -1, UINT64_C(1) << 63, INT64_MAX - 999999999, 0 }, /* fits again with the offset */
		{ 9, 1, INT64_MAX, INT64_MAX, FRAME_TIME_CLAMPED },
		{ 6, INT64_MAX, 1, INT64_MAX, FRAME_TIME_CLAMPED },
		{ 6, INT64_MIN, UINT64_MAX, INT64_MIN, FRAME_TIME_CLAMPED },
		{ 0x80 | 20, INT64_MIN, 1, INT64_MIN, FRAME_TIME_CLAMPED },
		{ 0, 0, UINT64_MAX, INT64_MAX, FRAME_TIME_CLAMPED },
		{ 6, -9223372037, 0, INT64_MIN, FRAME_TIME_CLAMPED },
		{ 6, -9223372036, 0, INT64_C(-9223372036000000000), 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(i & 1);
		put_interface(&b, 1, 0, rows[i].resolution, rows[i].offset);
		put_enhanced(&b, 0, rows[i].units, 4, 4);
		expect_end(1);
		assert_int_equal(o.frames[0].f.ts, rows[i].ns);
		assert_int_equal(o.frames[0].f.marks, rows[i].marks);
		assert_int_equal(o.info.clamped_times, rows[i].marks ? 1 : 0);
	}
}

static void test_simple_packets(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 50, 255, 0);
	put_simple(40, 40);
	put_simple(41, 41);
	put_simple(900, 50); /* cut by the snap length */
	put_simple(900, 20); /* cut further: what the block holds */
	expect_end(4);
	static const uint32_t captured[] = { 40, 41, 50, 20 };
	for (int i = 0; i < 4; i++)
		assert_int_equal(o.frames[i].f.caplen, captured[i]);
	assert_int_equal(o.frames[3].f.wirelen, 900);
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	put_simple(0, 0);
	put_simple(9, 0);
	expect_end(2);
	assert_int_equal(o.frames[1].f.caplen, 0);
	assert_int_equal(o.frames[1].f.wirelen, 9);
	size_t at = b.n;
	put_unknown(3, 0); /* not even a length */
	expect_error("MON-CAP-013", at, 2);
	start(true);
	at = b.n;
	put_simple(40, 40);
	expect_error("MON-CAP-014", at, 0); /* no interface to belong to */
}

static void test_flags(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	put_flags(1);      /* inbound */
	put_flags(2);      /* outbound */
	put_flags(4 << 5); /* 4 octets of FCS */
	put_flags(2 | 2 << 5);
	expect_end(4);
	static const uint8_t marks[] = { 0, FRAME_OUTGOING, 0, FRAME_OUTGOING }, fcs[] = { 0, 0, 4, 2 };
	for (int i = 0; i < 4; i++) {
		assert_int_equal(o.frames[i].f.marks, marks[i]);
		assert_int_equal(o.frames[i].f.fcs_len, fcs[i]);
		assert_int_equal(o.frames[i].f.caplen, 5);
	}
}

static void test_interface_fcs(void **state)
{
	(void)state;
	static const uint8_t rows[][2] = { { 0, 0 }, { 4, 4 }, { 2, 2 }, { 32, 4 }, { 16, 2 } }; /* bytes, or bits */
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(i & 1);
		size_t at = block_start(&b, 1);
		put16(&b, 1);
		put16(&b, 0);
		put32(&b, 0);
		put_option(&b, 13, &rows[i][0], 1);
		block_end(&b, at);
		put_enhanced(&b, 0, 1, 4, 4);
		expect_end(1);
		assert_int_equal(o.frames[0].f.fcs_len, rows[i][1]);
	}
}

static void test_snap_lies(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 10, 255, 0);
	put_enhanced(&b, 0, 1, 10, 10);
	put_enhanced(&b, 0, 2, 11, 11);
	expect_end(2);
	assert_int_equal(o.info.snap_lies, 1);
}

static void test_unknown_blocks(void **state)
{
	(void)state;
	start(true);
	put_interface(&b, 1, 0, 255, 0);
	put_unknown(5, 0);
	put_unknown(0xbad, 100000); /* larger than a block of ours: dropped as it comes */
	put_enhanced(&b, 0, 1, 4, 4);
	put_unknown(0x80000001, 50000);
	put_enhanced(&b, 0, 2, 4, 4);
	static const size_t sizes[] = { 64, 4096, 0 };
	for (int i = 0; i < 3; i++) {
		read_bytes(&o, b.p, b.n, (struct reading){ .block = sizes[i], .piece = 1000 });
		assert_int_equal(o.rc, CAPTURE_END);
		assert_int_equal(o.n, 2);
		assert_true(i == 2 || o.most_bytes < 400000);
	}
}

static void test_unknown_block_damaged(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	put_enhanced(&b, 0, 1, 4, 4);
	size_t at = b.n;
	put_unknown(0xbad, 100000);
	size_t whole = b.n;
	b.n = at + 50000;
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 4096 });
	assert_string_equal(o.e.code, "MON-CAP-011");
	b.n = whole - 2; /* inside the length at its end */
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 4096 });
	assert_string_equal(o.e.code, "MON-CAP-011");
	b.n = whole - 4; /* just before it */
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 4096 });
	assert_string_equal(o.e.code, "MON-CAP-011");
	b.n = whole;
	b.p[whole - 1] ^= 1;
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 4096 });
	assert_string_equal(o.e.code, "MON-CAP-012");
	assert_int_equal(o.e.offset, at); /* the block's, however much of it was here when it was met */
	assert_int_equal(o.n, 1);
}

static void test_damage(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	put_enhanced(&b, 0, 1, 4, 4);
	const struct bytes good = b;
	const size_t at = b.n;
	put_enhanced(&b, 0, 2, 8, 8);
	store_le32(b.p + b.n - 4, 44);
	expect_error("MON-CAP-012", at, 1);
	b = good;
	put_enhanced(&b, 0, 2, 8, 8);
	store_le32(b.p + at + 4, 41);
	expect_error("MON-CAP-013", at, 1);
	store_le32(b.p + at + 4, 8);
	expect_error("MON-CAP-013", at, 1);
	store_le32(b.p + at + 4, 16); /* too short for a packet */
	store_le32(b.p + at + 12, 16);
	expect_error("MON-CAP-013", at, 1);
	b = good;
	put_enhanced(&b, 1, 2, 8, 8);
	expect_error("MON-CAP-014", at, 1);
	b = good;
	put_enhanced(&b, 0, 2, 8, 8);
	store_le32(b.p + at + 20, 9); /* longer than its block */
	expect_error("MON-CAP-015", at, 1);
	store_le32(b.p + at + 20, 262145);
	expect_error("MON-CAP-010", at, 1);
	b = good;
	put_section(&b, 1, 0);
	b.p[at + 8] ^= 1;
	expect_error("MON-CAP-019", at, 1);
	b = good;
	put_unknown(1, 4);
	expect_error("MON-CAP-013", at, 1);
}

/* A block that claims to be huge is refused before anybody waits for its bytes or makes room for them. */
static void test_huge_block(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	size_t at = b.n;
	put_enhanced(&b, 0, 2, 8, 8);
	store_le32(b.p + at + 4, 0xfffffff0);
	expect_error("MON-CAP-013", at, 0);
	assert_true(o.most_bytes < 4 << 20);
	store_le32(b.p + at + 4, 100 << 20); /* could be, but for memory: room is made as the bytes come */
	expect_error("MON-CAP-017", at, 0);
	assert_true(o.most_bytes < 4 << 20);
	store_le32(b.p + at, 1);
	expect_error("MON-CAP-013", at, 0);
}

/* What is wrong with a packet is met before room is made for its block, also where only its first bytes are here. */
static void test_huge_wrong_packet(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	size_t at = b.n;
	put_enhanced(&b, 7, 2, 8, 8);
	store_le32(b.p + at + 4, 100 << 20);
	static const size_t pieces[] = { 0, 1, 20 };
	for (int i = 0; i < 3; i++) {
		read_bytes(&o, b.p, b.n, (struct reading){ .block = 32, .piece = pieces[i] });
		assert_string_equal(o.e.code, "MON-CAP-014");
		assert_int_equal(o.e.offset, at);
	}
}

static void test_interface_option_damaged(void **state)
{
	(void)state;
	start(false);
	size_t at = block_start(&b, 1);
	put32(&b, 1);
	put32(&b, 0);
	put16(&b, 2); /* if_name, that reaches past the block and may hide a resolution */
	put16(&b, 9);
	put_zeros(&b, 8);
	block_end(&b, at);
	expect_error("MON-CAP-016", at, 0);
}

/* Options behind a packet that make no sense leave the packet alone. */
static void test_packet_option_damaged(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	size_t at = block_start(&b, 6);
	put_zeros(&b, 12);
	put32(&b, 4);
	put32(&b, 4);
	put_payload(&b, 1, 4);
	put16(&b, 2);
	put16(&b, 400);
	block_end(&b, at);
	expect_end(1);
	assert_int_equal(o.frames[0].f.caplen, 4);
}

static void test_many_interfaces(void **state)
{
	(void)state;
	start(false);
	for (uint16_t i = 0; i < 1000; i++)
		put_interface(&b, i, 0, 255, 0);
	put_enhanced(&b, 999, 1, 4, 4);
	expect_end(1);
	assert_int_equal(o.frames[0].f.link, 999);
	read_bytes(&o, b.p, b.n, (struct reading){ .memory = 200000, .block = 1024 });
	assert_string_equal(o.e.code, "MON-CAP-018");
}

/* Interfaces are a section's own. */
/* A time as two halves, and a count. */
static void put_moment(uint16_t code, uint64_t units)
{
	put16(&b, code);
	put16(&b, 8);
	put32(&b, (uint32_t)(units >> 32));
	put32(&b, (uint32_t)units);
}

static void put_count(uint16_t code, uint64_t n)
{
	put16(&b, code);
	put16(&b, 8);
	put64(&b, n);
}

static void put_statistics(uint32_t interface, uint64_t from, uint64_t to, uint64_t received, uint64_t dropped, size_t more)
{
	size_t at = block_start(&b, 5);
	put32(&b, interface);
	put64(&b, 0);
	put_option(&b, 1, "a comment", 9);
	put_moment(2, from);
	put_moment(3, to);
	put_count(4, received);
	put_count(5, dropped);
	put_count(7, 1); /* dropped by the system */
	put_zeros(&b, more);
	block_end(&b, at);
}

static void make_statistics(bool swap)
{
	start(swap);
	put_interface(&b, 1, 0, 255, 0); /* microseconds */
	put_interface(&b, 1, 0, 9, 0);
	put_enhanced(&b, 0, 5, 60, 60);
	put_statistics(0, UINT64_C(6000000000), UINT64_C(6000000010), 10, 2, 0);
	put_statistics(1, UINT64_C(6000000005000), UINT64_C(6000000020000), 7, 0, 0); /* beside the other */
	put_statistics(0, UINT64_C(6000000000), UINT64_C(6000000030), 15, 4, 0);      /* in place of the first */
	put_statistics(0, 50, 40, 15, 4, 0);                                          /* ends before it begins */
	put_statistics(2, 0, UINT64_MAX, 99, 99, 0);                                  /* nobody described it */
	put_statistics(1, 0, 1, 999, 999, 70000);                                     /* too long to be looked at */
	put_section(&b, 1, 0);
	put_interface(&b, 1, 0, 9, 0);
	put_statistics(0, UINT64_C(6000000100000), UINT64_C(6000000100007), 1, 0, 0);
	put_enhanced(&b, 0, 6, 60, 60);
}

static void test_statistics(void **state)
{
	(void)state;
	for (int swap = 0; swap < 2; swap++) {
		make_statistics(swap);
		expect_end(2);
		assert_int_equal(o.info.observed.sections, 2);
		assert_int_equal(o.info.observed.from, INT64_C(6000000000000));
		assert_int_equal(o.info.observed.to, INT64_C(6000000100007));
		assert_int_equal(o.info.observed.ns, 30000 + 7);
		assert_int_equal(o.info.observed.received, 15 + 7 + 1);
		assert_int_equal(o.info.observed.dropped, 4 + 1 + 1 + 1);
		static struct outcome pieces;
		read_bytes(&pieces, b.p, b.n, (struct reading){ .block = 64, .piece = 7 });
		assert_int_equal(pieces.rc, CAPTURE_END);
		assert_int_equal(pieces.info.observed.ns, o.info.observed.ns);
		assert_int_equal(pieces.info.observed.received, o.info.observed.received);
		assert_int_equal(pieces.info.observed.dropped, o.info.observed.dropped);
	}
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	put_enhanced(&b, 0, 5, 60, 60);
	expect_end(1);
	assert_int_equal(o.info.observed.sections, 0);
}

static void test_section_forgets(void **state)
{
	(void)state;
	start(false);
	put_interface(&b, 1, 0, 255, 0);
	put_section(&b, 1, 0);
	size_t at = b.n;
	put_enhanced(&b, 0, 1, 4, 4);
	expect_error("MON-CAP-014", at, 0);
}

static void test_everything(void **state)
{
	(void)state;
	make_mixed();
	check_everything(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections_and_interfaces), cmocka_unit_test(test_versions), cmocka_unit_test(test_times),
		cmocka_unit_test(test_simple_packets), cmocka_unit_test(test_flags), cmocka_unit_test(test_interface_fcs),
		cmocka_unit_test(test_snap_lies), cmocka_unit_test(test_unknown_blocks),
		cmocka_unit_test(test_unknown_block_damaged), cmocka_unit_test(test_damage), cmocka_unit_test(test_huge_block),
		cmocka_unit_test(test_huge_wrong_packet), cmocka_unit_test(test_interface_option_damaged),
		cmocka_unit_test(test_packet_option_damaged), cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_many_interfaces), cmocka_unit_test(test_section_forgets),
		cmocka_unit_test(test_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
