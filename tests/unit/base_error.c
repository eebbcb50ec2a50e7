/* An error keeps its code, its sentence and its offset, whatever is put into it. */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void says_what_and_where(void **state)
{
	(void)state;
	struct error e = { .offset = 1 };
	assert_int_equal(error_set_at(&e, -EIO, "MON-CAP-012", 4242, "cut after %d of %d bytes", 3, 16), -EIO);
	assert_string_equal(e.code, "MON-CAP-012");
	assert_string_equal(e.text, "cut after 3 of 16 bytes");
	assert_true(e.has_offset);
	assert_int_equal(e.offset, 4242);
}

/* The offset of an earlier error must not stick to a later one without. */
static void later_error_has_no_old_offset(void **state)
{
	(void)state;
	struct error e;
	assert_int_equal(error_set_at(&e, -EIO, "MON-CAP-012", 7, "x"), -EIO);
	assert_int_equal(error_no_memory(&e, "reading"), -ENOMEM);
	assert_false(e.has_offset);
	assert_int_equal(e.offset, 0);
	assert_string_equal(e.code, "MON-BASE-001");
	assert_non_null(strstr(e.text, "reading"));
	error_clear(&e);
	assert_string_equal(e.code, "");
	assert_string_equal(e.text, "");
}

static void long_text_is_cut_not_overrun(void **state)
{
	(void)state;
	struct error e;
	char text[1000];
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = 0;
	assert_int_equal(error_set(&e, -EINVAL, "MON-CONFIGURATION-123", "%s", text), -EINVAL);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	assert_int_equal(strlen(e.code), sizeof e.code - 1);
}

static void nobody_listening(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, -EPERM, "MON-X-001", "%d", 1), -EPERM);
	assert_int_equal(error_set_at(NULL, -EPERM, "MON-X-001", 9, "%d", 1), -EPERM);
	assert_int_equal(error_no_memory(NULL, "x"), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_and_where),
		cmocka_unit_test(later_error_has_no_old_offset),
		cmocka_unit_test(long_text_is_cut_not_overrun),
		cmocka_unit_test(nobody_listening),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
