#include "capture_help.h"

static struct bytes b;
static struct outcome o;

static void start(uint32_t version, uint32_t type)
{
	memset(&b, 0, sizeof b);
	b.swap = true;
	put(&b, "snoop\0\0", 8);
	put32(&b, version);
	put32(&b, type);
}

static void put_record(uint32_t sec, uint32_t micro, uint32_t caplen, uint32_t wirelen, uint32_t pad)
{
	put32(&b, wirelen);
	put32(&b, caplen);
	put32(&b, 24 + caplen + pad);
	put32(&b, 9); /* drops so far */
	put32(&b, sec);
	put32(&b, micro);
	put_payload(&b, sec, caplen);
	put_zeros(&b, pad);
}

static void read_it(void) { read_bytes(&o, b.p, b.n, (struct reading){ .block = 0 }); }

static void expect_error(const char *code, uint64_t offset, uint32_t frames)
{
	read_it();
	assert_true(o.rc < 0);
	assert_string_equal(o.e.code, code);
	assert_int_equal(o.e.offset, offset);
	assert_int_equal(o.n, frames);
}

static void test_records(void **state)
{
	(void)state;
	start(2, 4);
	put_record(911274719, 885516, 86, 86, 2);
	put_record(UINT32_MAX, 0, 0, 1500, 0);
	put_record(3, 1, 61, 61, 3);
	read_it();
	assert_int_equal(o.rc, CAPTURE_END);
	assert_int_equal(o.n, 3);
	assert_int_equal(o.frames[0].f.ts, 911274719885516000);
	assert_int_equal(o.frames[0].f.caplen, 86);
	assert_int_equal(o.frames[0].f.fcs_len, 0);
	assert_int_equal(o.frames[0].f.marks, 0);
	assert_int_equal(o.frames[1].f.wirelen, 1500);
	assert_int_equal(o.frames[1].f.ts, INT64_C(4294967295) * 1000000000);
	assert_int_equal(o.frames[2].hash, data_hash(b.p + b.n - 64, 61));
	assert_string_equal(o.info.format, "snoop");
}

static void test_links(void **state)
{
	(void)state;
	static const struct {
		uint32_t type;
		uint16_t link;
	} rows[] = {
		{ 0, 1 }, { 2, 6 }, { 4, 1 }, { 8, 10 }, { 9, 0xffff }, { 18, 123 }, { 25, 1 }, { 0x80000001, 101 },
		{ 0x80000005, 226 }, { 77, 0xffff },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(2, rows[i].type);
		put_record(1, 1, 20, 20, 0);
		read_it();
		assert_int_equal(o.n, 1);
		assert_int_equal(o.frames[0].f.link, rows[i].link);
	}
}

static void test_damage(void **state)
{
	(void)state;
	start(3, 4);
	expect_error("MON-CAP-005", 8, 0);
	start(2, 4);
	put_record(1, 1, 20, 20, 0);
	size_t at = b.n;
	put_record(2, 1, 20, 20, 0);
	store_be32(b.p + at + 8, 43); /* shorter than header and packet */
	expect_error("MON-CAP-030", at, 1);
	store_be32(b.p + at + 8, 44 + 65537);
	expect_error("MON-CAP-030", at, 1);
	store_be32(b.p + at + 8, 0);
	expect_error("MON-CAP-030", at, 1);
	store_be32(b.p + at + 8, UINT32_MAX);
	expect_error("MON-CAP-030", at, 1);
	store_be32(b.p + at + 4, 262145);
	expect_error("MON-CAP-010", at, 1);
	b.n = 10;
	expect_error("MON-CAP-006", 10, 0);
	b.n = 7; /* not even the whole name */
	expect_error("MON-CAP-004", 0, 0);
}

static void test_everything(void **state)
{
	(void)state;
	start(2, 4);
	for (uint32_t i = 0; i < 4; i++)
		put_record(100 + i, i, 10 + i, 60, (2 - i) & 3);
	check_everything(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records), cmocka_unit_test(test_links), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
