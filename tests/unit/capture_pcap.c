#include "capture_help.h"

#define MICRO 0xa1b2c3d4u
#define NANO 0xa1b23c4du
#define MODIFIED 0xa1b2cd34u

static struct bytes b;
static struct outcome o;

static void start(bool swap)
{
	memset(&b, 0, sizeof b);
	b.swap = swap;
}

static void read_it(void)
{
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 0 });
}

static void put_modified_record(uint32_t sec, uint32_t caplen, uint8_t type)
{
	put32(&b, sec);
	put32(&b, 7);
	put32(&b, caplen);
	put32(&b, caplen + 100);
	put32(&b, 2);      /* interface */
	put16(&b, 0x0800); /* protocol */
	put8(&b, type);
	put8(&b, 0);
	put_payload(&b, sec, caplen);
}

/* Every byte order and resolution gives the same frames. */
static void test_orders_and_resolutions(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool nano = i & 1;
		start(i & 2);
		put_pcap_header(&b, nano ? NANO : MICRO, 4, 65535, 1);
		put_pcap_record(&b, 1700000000, nano ? 123456000 : 123456, 60, 60);
		put_pcap_record(&b, 0, 0, 0, 1500);
		put_pcap_record(&b, UINT32_MAX, nano ? 999999999 : 999999, 3, 3);
		read_it();
		assert_int_equal(o.rc, CAPTURE_END);
		assert_int_equal(o.n, 3);
		assert_int_equal(o.frames[0].f.ts, 1700000000123456000);
		assert_int_equal(o.frames[0].f.caplen, 60);
		assert_int_equal(o.frames[1].f.ts, 0);
		assert_int_equal(o.frames[1].f.caplen, 0);
		assert_int_equal(o.frames[1].f.wirelen, 1500);
		assert_int_equal(o.frames[2].f.ts, INT64_C(4294967295) * 1000000000 + (nano ? 999999999 : 999999000));
		assert_int_equal(o.frames[2].hash, data_hash(b.p + b.n - 3, 3));
		assert_string_equal(o.info.format, "pcap");
		assert_string_equal(o.info.compression, "none");
		assert_int_equal(o.info.n_links, 1);
		assert_int_equal(o.info.links[0], 1);
		assert_int_equal(o.info.uncompressed, b.n);
		assert_int_equal(o.info.bytes_read, b.n);
		assert_int_equal(o.info.bytes_total, b.n);
	}
}

/* A fraction past its second is what the file says, and is added. */
static void test_fraction_past_second(void **state)
{
	(void)state;
	start(false);
	put_pcap_header(&b, MICRO, 4, 0, 1);
	put_pcap_record(&b, 10, UINT32_MAX, 0, 0);
	read_it();
	assert_int_equal(o.frames[0].f.ts, INT64_C(10000000000) + INT64_C(4294967295) * 1000);
}

static void test_modified(void **state)
{
	(void)state;
	for (int swap = 0; swap < 2; swap++) {
		start(swap);
		put_pcap_header(&b, MODIFIED, 4, 65535, 113);
		put_modified_record(5, 40, 0);
		put_modified_record(6, 41, 4); /* PACKET_OUTGOING */
		read_it();
		assert_int_equal(o.rc, CAPTURE_END);
		assert_int_equal(o.n, 2);
		assert_int_equal(o.frames[0].f.ts, 5000007000);
		assert_int_equal(o.frames[0].f.marks, 0);
		assert_int_equal(o.frames[0].f.caplen, 40);
		assert_int_equal(o.frames[1].f.marks, FRAME_OUTGOING);
		assert_int_equal(o.frames[1].f.wirelen, 141);
		assert_int_equal(o.frames[1].f.link, 113);
	}
}

/* Before 2.3 the length on the wire came first; a 2.3 file may have either. */
static void test_old_length_order(void **state)
{
	(void)state;
	for (uint16_t minor = 0; minor <= 4; minor++) {
		start(false);
		put_pcap_header(&b, MICRO, minor, 65535, 1);
		put32(&b, 1);
		put32(&b, 0);
		put32(&b, minor == 4 ? 20 : 90);
		put32(&b, minor == 4 ? 90 : 20);
		put_payload(&b, 1, 20);
		read_it();
		assert_int_equal(o.rc, CAPTURE_END);
		assert_int_equal(o.n, 1);
		assert_int_equal(o.frames[0].f.caplen, 20);
		assert_int_equal(o.frames[0].f.wirelen, 90);
	}
}

static void test_old_nanoseconds(void **state)
{
	(void)state;
	for (uint16_t minor = 2; minor <= 3; minor++) {
		start(minor & 1);
		put_pcap_header(&b, NANO, minor, 65535, 1);
		put_pcap_record(&b, 1, 5, 20, 20);
		read_it();
		assert_int_equal(o.n, 1);
		assert_int_equal(o.frames[0].f.ts, 1000000005);
	}
}

static void test_snap_lies(void **state)
{
	(void)state;
	start(false);
	put_pcap_header(&b, MICRO, 4, 64, 1);
	put_pcap_record(&b, 1, 0, 64, 100);
	put_pcap_record(&b, 2, 0, 65, 100);
	put_pcap_record(&b, 3, 0, 100, 60); /* more captured than there was on the wire */
	read_it();
	assert_int_equal(o.rc, CAPTURE_END);
	assert_int_equal(o.n, 3);
	assert_int_equal(o.info.snap_lies, 2);
	assert_int_equal(o.frames[2].f.caplen, 100);
	assert_int_equal(o.frames[2].f.wirelen, 60);
}

static void test_fcs_and_links(void **state)
{
	(void)state;
	static const struct {
		uint32_t field;
		uint16_t link;
		uint8_t fcs;
	} rows[] = {
		{ 1, 1, 0 },
		{ 0x24000001, 1, 4 },  /* 2 words of 16 bits */
		{ 0xf4000069, 105, 30 },
		{ 0x20000001, 1, 0 },  /* without bit 26 the others say nothing */
		{ 0x30000001, 1, 0 },
		{ 12, 101, 0 },        /* DLT_RAW */
		{ 14, 101, 0 },        /* DLT_RAW of OpenBSD */
		{ 11, 100, 0 },
		{ 285, 285, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(i & 1);
		put_pcap_header(&b, MICRO, 4, 65535, rows[i].field);
		put_pcap_record(&b, 1, 0, 20, 20);
		read_it();
		assert_int_equal(o.frames[0].f.link, rows[i].link);
		assert_int_equal(o.frames[0].f.fcs_len, rows[i].fcs);
		assert_int_equal(o.info.links[0], rows[i].link);
	}
}

static void expect_error(const char *code, uint64_t offset, uint32_t frames)
{
	read_it();
	assert_true(o.rc < 0);
	assert_string_equal(o.e.code, code);
	assert_true(o.e.has_offset);
	assert_int_equal(o.e.offset, offset);
	assert_int_equal(o.n, frames);
}

static void test_wild_length(void **state)
{
	(void)state;
	start(false);
	put_pcap_header(&b, MICRO, 4, 65535, 1);
	put_pcap_record(&b, 1, 0, 10, 10);
	size_t at = b.n;
	put_pcap_record(&b, 2, 0, 0, 0);
	store_le32(b.p + at + 8, 262145);
	expect_error("MON-CAP-010", at, 1);
	assert_non_null(strstr(o.e.text, "262145"));
	store_le32(b.p + at + 8, 262144); /* believed, but the file has not so much */
	expect_error("MON-CAP-011", at, 1);
}

/* A record larger than a block makes the block grow; one larger than memory allows does not. */
static void test_large_record(void **state)
{
	(void)state;
	start(false);
	put_pcap_header(&b, MICRO, 4, 0, 1);
	put_pcap_record(&b, 1, 0, 200000, 200000);
	put_pcap_record(&b, 2, 0, 60, 60);
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 4096 });
	assert_int_equal(o.rc, CAPTURE_END);
	assert_int_equal(o.n, 2);
	assert_int_equal(o.frames[0].hash, data_hash(b.p + 40, 200000));
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 4096, .memory = 1 << 20 });
	assert_string_equal(o.e.code, "MON-CAP-017");
	assert_int_equal(o.e.offset, 24);
	assert_true(o.most_bytes < 1 << 20);
	for (uint64_t i = 1;; i++) { /* growing the block, and what is carried over, fails too */
		read_bytes(&o, b.p, b.n, (struct reading){ .block = 4096, .fail_alloc = i });
		if (o.rc == CAPTURE_END)
			break;
		assert_string_equal(o.e.code, "MON-BASE-001");
		assert_true(i < 20);
	}
}

static void test_refused(void **state)
{
	(void)state;
	start(false);
	expect_error("MON-CAP-003", 0, 0);
	put_pcap_header(&b, MICRO, 5, 0, 1);
	expect_error("MON-CAP-005", 4, 0);
	start(false);
	put_pcap_header(&b, MICRO, 4, 0, 1);
	store_le16(b.p + 4, 3);
	expect_error("MON-CAP-005", 4, 0);
	store_le16(b.p + 4, 543); /* DG/UX: 543.0 alone */
	expect_error("MON-CAP-005", 4, 0);
	store_le16(b.p + 6, 0);
	read_it();
	assert_int_equal(o.rc, CAPTURE_END);
	b.n = 23;
	expect_error("MON-CAP-006", 23, 0);
	for (b.n = 4; b.n < 23; b.n++)
		expect_error("MON-CAP-006", b.n, 0);
	for (b.n = 1; b.n < 4; b.n++)
		expect_error("MON-CAP-004", 0, 0);
	b.n = 23;
	b.p[0] = 'x';
	expect_error("MON-CAP-004", 0, 0);
}

static void test_header_alone(void **state)
{
	(void)state;
	start(true);
	put_pcap_header(&b, NANO, 4, 0, 1);
	read_it();
	assert_int_equal(o.rc, CAPTURE_END);
	assert_int_equal(o.n, 0);
	assert_int_equal(o.info.n_links, 0);
}

static void make_small(bool swap, uint32_t magic)
{
	start(swap);
	put_pcap_header(&b, magic, 4, 65535, 1);
	for (unsigned i = 0; i < 5; i++) {
		if (magic == MODIFIED)
			put_modified_record(1000 + i, 10 + i * 7, (uint8_t)i);
		else
			put_pcap_record(&b, 1000 + i, i, 10 + i * 7, 60);
	}
}

static void test_everything(void **state)
{
	(void)state;
	static const uint32_t magics[] = { MICRO, NANO, MODIFIED };
	for (int i = 0; i < 6; i++) {
		make_small(i & 1, magics[i / 2]);
		check_everything(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders_and_resolutions), cmocka_unit_test(test_fraction_past_second),
		cmocka_unit_test(test_modified), cmocka_unit_test(test_old_length_order),
		cmocka_unit_test(test_old_nanoseconds), cmocka_unit_test(test_snap_lies),
		cmocka_unit_test(test_fcs_and_links), cmocka_unit_test(test_wild_length), cmocka_unit_test(test_large_record),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_header_alone), cmocka_unit_test(test_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
