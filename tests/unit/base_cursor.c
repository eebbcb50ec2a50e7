/* A cursor cannot read past its end, fails for good, and reads what stands there. */
#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t bytes[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                   0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };

static void reads_in_network_order(void **state)
{
	(void)state;
	struct cursor c = cursor_init(bytes, sizeof bytes);
	assert_int_equal(cursor_u8(&c), 0x01);
	assert_int_equal(cursor_be16(&c), 0x2345);
	assert_int_equal(cursor_be32(&c), 0x6789abcd);
	assert_true(cursor_be64(&c) == 0xeffedcba98765432);
	assert_int_equal(cursor_left(&c), 1);
	assert_true(cursor_ok(&c));
}

static void whole_end_is_no_failure(void **state)
{
	(void)state;
	struct cursor c = cursor_init(bytes, sizeof bytes);
	assert_ptr_equal(cursor_take(&c, sizeof bytes), bytes);
	assert_int_equal(cursor_left(&c), 0);
	assert_true(cursor_ok(&c));
	assert_non_null(cursor_take(&c, 0));
	assert_true(cursor_ok(&c));
}

/* Each width one byte short: zeros, failed, and every later read is zero although bytes were left. */
static void failure_is_sticky(void **state)
{
	(void)state;
	for (size_t width = 1; width <= 8; width *= 2) {
		struct cursor c = cursor_init(bytes, width - 1);
		uint64_t v = width == 1 ? cursor_u8(&c) : width == 2 ? cursor_be16(&c) : width == 4 ? cursor_be32(&c) :
		             cursor_be64(&c);
		assert_true(v == 0);
		assert_false(cursor_ok(&c));
		assert_int_equal(cursor_left(&c), 0);
		assert_int_equal(cursor_u8(&c), 0);
		assert_null(cursor_take(&c, 1));
	}
}

/* A length from the wire near SIZE_MAX must not wrap into a success. */
static void huge_lengths_fail(void **state)
{
	(void)state;
	const size_t lengths[] = { 17, SIZE_MAX, SIZE_MAX - 8, SIZE_MAX / 2 + 1 };
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct cursor c = cursor_init(bytes, sizeof bytes);
		assert_null(cursor_take(&c, lengths[i]));
		assert_false(cursor_ok(&c));
		c = cursor_init(bytes, sizeof bytes);
		cursor_skip(&c, lengths[i]);
		assert_false(cursor_ok(&c));
	}
}

static void stores_are_loads(void **state)
{
	(void)state;
	uint8_t out[8];
	store_be64(out, 0x0123456789abcdef);
	assert_memory_equal(out, bytes, 8);
	assert_int_equal(load_be32(out), 0x01234567);
	assert_int_equal(load_le32(out), 0x67452301);
	store_be16(out, 0xfedc);
	store_le32(out + 2, 0x11223344);
	const uint8_t want[8] = { 0xfe, 0xdc, 0x44, 0x33, 0x22, 0x11, 0xcd, 0xef };
	assert_memory_equal(out, want, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_network_order),
		cmocka_unit_test(whole_end_is_no_failure),
		cmocka_unit_test(failure_is_sticky),
		cmocka_unit_test(huge_lengths_fail),
		cmocka_unit_test(stores_are_loads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
