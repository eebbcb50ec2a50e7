/* The door to the world: memory as promised, and whole reads and writes over calls that do only part. */
#include "base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Sizes around the border between small and mapped blocks, and 0. */
static void memory_is_zeroed_and_aligned(void **state)
{
	(void)state;
	const struct env *env = env_system();
	const size_t sizes[] = { 0, 1, 63, 64, 65, (1u << 20) - 1, 1u << 20, (1u << 20) + 1, (4u << 20) + 4097 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t *p = env_alloc(env, sizes[i]);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 64, 0);
		for (size_t k = 0; k < sizes[i]; k += sizes[i] > 4096 ? 997 : 1)
			assert_int_equal(p[k], 0);
		if (sizes[i]) {
			p[0] = 1;
			p[sizes[i] - 1] = 1;
		}
		env_free(env, p, sizes[i]);
	}
	env_free(env, NULL, 5);
}

static void absurd_sizes_are_refused(void **state)
{
	(void)state;
	assert_null(env_alloc(env_system(), SIZE_MAX));
	assert_null(env_alloc(env_system(), SIZE_MAX / 2 + 1));
}

/* Growing over the border between small and mapped, and shrinking back: the contents come along. */
static void growing_keeps_contents(void **state)
{
	(void)state;
	const struct env *env = env_system();
	const size_t sizes[] = { 100, 5000, (1u << 20) - 10, (1u << 20) + 10, 3u << 20, 2000, 100 };
	uint8_t *p = env_grow(env, NULL, 0, sizes[0]);
	assert_non_null(p);
	for (size_t k = 0; k < sizes[0]; k++)
		p[k] = (uint8_t)(k * 7 + 1);
	for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t *q = env_grow(env, p, sizes[i - 1], sizes[i]);
		assert_non_null(q);
		for (size_t k = 0; k < sizes[0]; k++)
			assert_int_equal(q[k], (uint8_t)(k * 7 + 1));
		if (sizes[i] > sizes[i - 1])
			assert_int_equal(q[sizes[i] - 1], 0);
		p = q;
	}
	env_free(env, p, 100);
}

/* An env over a 32-byte "file" that does at most 3 bytes a call and is interrupted every second time. */
struct slow {
	uint8_t file[32];
	int calls;
	ssize_t at_end; /* what a write to the end gives */
};

static ssize_t slow_pwrite(const struct env *e, int fd, const void *p, size_t n, off_t at)
{
	struct slow *s = e->ctx;
	(void)fd;
	if (s->calls++ % 2 == 0)
		return -EINTR;
	size_t room = sizeof s->file - (size_t)at;
	if (!room)
		return s->at_end;
	size_t some = n < 3 ? n : 3;
	some = some < room ? some : room;
	memcpy(s->file + at, p, some);
	return (ssize_t)some;
}

static ssize_t slow_pread(const struct env *e, int fd, void *out, size_t n, off_t at)
{
	struct slow *s = e->ctx;
	(void)fd;
	if (s->calls++ % 2 == 0)
		return -EINTR;
	size_t left = sizeof s->file - (size_t)at;
	size_t some = n < 3 ? n : 3;
	some = some < left ? some : left;
	memcpy(out, s->file + at, some);
	return (ssize_t)some;
}

static void short_calls_add_up(void **state)
{
	(void)state;
	struct slow s = { .at_end = -ENOSPC };
	const struct env env = { .pwrite = slow_pwrite, .pread = slow_pread, .ctx = &s };
	uint8_t in[32], out[32] = { 0 };
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(200 - i);
	assert_int_equal(env_pwrite_all(&env, 3, in, sizeof in, 0), 0);
	assert_int_equal(env_pread_all(&env, 3, out, sizeof out, 0), 0);
	assert_memory_equal(in, out, sizeof in);
	assert_int_equal(env_pread_all(&env, 3, out, 5, 27), 0);
	assert_memory_equal(out, in + 27, 5);
}

static void ends_are_errors(void **state)
{
	(void)state;
	struct slow s = { .at_end = -EDQUOT };
	const struct env env = { .pwrite = slow_pwrite, .pread = slow_pread, .ctx = &s };
	uint8_t bytes[33] = { 0 };
	assert_int_equal(env_pread_all(&env, 3, bytes, 6, 27), -ENODATA);
	assert_int_equal(env_pwrite_all(&env, 3, bytes, 6, 27), -EDQUOT);
	s.at_end = 0; /* a write that does nothing would loop for ever: it counts as a full disk */
	assert_int_equal(env_pwrite_all(&env, 3, bytes, 6, 27), -ENOSPC);
}

static void files_through_the_real_door(void **state)
{
	(void)state;
	const struct env *env = env_system();
	int fd = env->temporary(env, "/tmp");
	assert_true(fd >= 0);
	struct stat st;
	assert_int_equal(env->stat(env, fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(env_pwrite_all(env, fd, "telescope", 9, 100), 0);
	char back[10] = "";
	assert_int_equal(env_pread_all(env, fd, back, 9, 100), 0);
	assert_string_equal(back, "telescope");
	assert_int_equal(env_pread_all(env, fd, back, 9, 101), -ENODATA);
	assert_int_equal(env->close(env, fd), 0);
	assert_int_equal(env->close(env, fd), -EBADF);
	assert_int_equal(env->open(env, "/nonexistent/file", O_RDONLY, 0), -ENOENT);
	assert_int_equal(env->temporary(env, "/nonexistent"), -ENOENT);
}

static void clocks_and_randomness(void **state)
{
	(void)state;
	const struct env *env = env_system();
	assert_true(env->realtime(env) > 1700000000000000000);
	int64_t before = env->monotonic(env);
	assert_true(env->monotonic(env) >= before);
	uint8_t a[32] = { 0 }, b[32] = { 0 };
	assert_int_equal(env->random(env, a, sizeof a), 0);
	assert_int_equal(env->random(env, b, sizeof b), 0);
	assert_memory_not_equal(a, b, sizeof a); /* fails by chance once in 2^256 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(growing_keeps_contents),
		cmocka_unit_test(short_calls_add_up),
		cmocka_unit_test(ends_are_errors),
		cmocka_unit_test(files_through_the_real_door),
		cmocka_unit_test(clocks_and_randomness),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
