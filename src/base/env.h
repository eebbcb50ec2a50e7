/* The only door to the world: clock, randomness, memory and files.
 *
 * Everything that can fail or that a test wants to control goes through here: a test's env fails the N-th
 * allocation, stops the program at durable step N, or sets the clock. The program uses env_system().
 * Calls return what the system call would, with -errno in place of -1.
 */
#pragma once
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stat;

enum env_step {
	ENV_STEP_FILE,   /* a file is written whole */
	ENV_STEP_COMMIT, /* a transaction is committed */
};

struct env {
	/* Clock: nanoseconds since 1970 (realtime) or since some start (monotonic). */
	int64_t (*realtime)(const struct env *);
	int64_t (*monotonic)(const struct env *);
	int (*random)(const struct env *, void *out, size_t n);

	/* Memory: zeroed, at least 64-byte aligned; NULL when refused. From 1 MiB on it is mapped in huge pages where
	 * the kernel gives them, and is not touched. `free` takes the size that was asked for, and NULL. */
	void *(*alloc)(const struct env *, size_t n);
	void (*free)(const struct env *, void *p, size_t n);

	/* Files. */
	int (*open)(const struct env *, const char *path, int flags, mode_t mode);
	int (*temporary)(const struct env *, const char *folder); /* unlinked; NULL: TMPDIR, else /tmp */
	int (*close)(const struct env *, int fd);
	int (*stat)(const struct env *, int fd, struct stat *out);
	ssize_t (*read)(const struct env *, int fd, void *out, size_t n);
	ssize_t (*pread)(const struct env *, int fd, void *out, size_t n, off_t at);
	ssize_t (*write)(const struct env *, int fd, const void *p, size_t n);
	ssize_t (*pwrite)(const struct env *, int fd, const void *p, size_t n, off_t at);
	int (*fsync)(const struct env *, int fd);
	int (*rename)(const struct env *, const char *from, const char *to);
	int (*link)(const struct env *, const char *from, const char *to); /* a second name */
	int (*unlink)(const struct env *, const char *path);

	/* Folders. */
	int (*mkdir)(const struct env *, const char *path, mode_t mode);
	int (*rmdir)(const struct env *, const char *path);
	int (*symlink)(const struct env *, const char *to, const char *path);
	ssize_t (*readlink)(const struct env *, const char *path, char *out, size_t n);
	/* Names in a folder, sorted, without . and ..; stops at the first of `each` that is not 0, and returns that. */
	int (*list)(const struct env *, const char *path, int (*each)(void *ctx, const char *name), void *ctx);
	int (*lock)(const struct env *, int fd); /* flock(2), exclusive, at once or -EWOULDBLOCK */

	/* Called around each durable step that is not taken through this table, as a library takes it: before it, and
	 * after it when it was taken. An error of the first keeps it from being taken. */
	int (*step)(const struct env *, enum env_step step, bool done);

	void *ctx; /* a test's own */
};

/* The real one. */
const struct env *env_system(void);

/* Convenience over the table; same contracts. */
static inline void *env_alloc(const struct env *e, size_t n) { return e->alloc(e, n); }
static inline void env_free(const struct env *e, void *p, size_t n) { e->free(e, p, n); }

/* Grows a block to `to` bytes, copying `from`; NULL leaves the old block as it was. */
void *env_grow(const struct env *e, void *p, size_t from, size_t to);

/* Writes or reads all n bytes, going on after short counts and EINTR: 0 or -errno; reading past the end: -ENODATA. */
int env_pwrite_all(const struct env *e, int fd, const void *p, size_t n, off_t at) MUST_USE;
int env_pread_all(const struct env *e, int fd, void *out, size_t n, off_t at) MUST_USE;
