#include "base/env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAPPED_FROM (1u << 20) /* blocks of this size and more are mapped, see env.h */
#define HUGE_PAGE (2u << 20)

static int64_t clock_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t sys_realtime(const struct env *e) { (void)e; return clock_of(CLOCK_REALTIME); }
static int64_t sys_monotonic(const struct env *e) { (void)e; return clock_of(CLOCK_MONOTONIC); }

static int sys_random(const struct env *e, void *out, size_t n)
{
	(void)e;
	uint8_t *p = out;
	while (n) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

/* A mapping aligned to a huge page: the kernel only then backs it with one. */
static void *map_aligned(size_t n)
{
	size_t room = n + HUGE_PAGE;
	uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	size_t head = (HUGE_PAGE - ((uintptr_t)p & (HUGE_PAGE - 1))) & (HUGE_PAGE - 1);
	size_t body = (n + 4095) & ~(size_t)4095;
	if (head)
		munmap(p, head);
	if (room - head > body)
		munmap(p + head + body, room - head - body);
	madvise(p + head, body, MADV_HUGEPAGE);
	return p + head;
}

static void *sys_alloc(const struct env *e, size_t n)
{
	(void)e;
	if (n > SIZE_MAX / 2)
		return NULL;
	if (n >= MAPPED_FROM)
		return map_aligned(n);
	size_t rounded = (n + 63) & ~(size_t)63;
	void *p = aligned_alloc(64, rounded ? rounded : 64);
	if (p)
		memset(p, 0, rounded);
	return p;
}

static void sys_free(const struct env *e, void *p, size_t n)
{
	(void)e;
	if (p && n >= MAPPED_FROM)
		munmap(p, (n + 4095) & ~(size_t)4095);
	else
		free(p);
}

static int sys_open(const struct env *e, const char *path, int flags, mode_t mode)
{
	(void)e;
	int fd = open(path, flags | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

static int sys_temporary(const struct env *e, const char *folder)
{
	(void)e;
	if (!folder)
		folder = getenv("TMPDIR");
	if (!folder || !*folder)
		folder = "/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	char path[4096];
	if (snprintf(path, sizeof path, "%s/monomi-XXXXXX", folder) >= (int)sizeof path)
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int sys_close(const struct env *e, int fd) { (void)e; return close(fd) ? -errno : 0; }
static int sys_stat(const struct env *e, int fd, struct stat *out) { (void)e; return fstat(fd, out) ? -errno : 0; }

static ssize_t sys_read(const struct env *e, int fd, void *out, size_t n)
{
	(void)e;
	ssize_t got = read(fd, out, n);
	return got < 0 ? -errno : got;
}

static ssize_t sys_pread(const struct env *e, int fd, void *out, size_t n, off_t at)
{
	(void)e;
	ssize_t got = pread(fd, out, n, at);
	return got < 0 ? -errno : got;
}

static ssize_t sys_write(const struct env *e, int fd, const void *p, size_t n)
{
	(void)e;
	ssize_t put = write(fd, p, n);
	return put < 0 ? -errno : put;
}

static ssize_t sys_pwrite(const struct env *e, int fd, const void *p, size_t n, off_t at)
{
	(void)e;
	ssize_t put = pwrite(fd, p, n, at);
	return put < 0 ? -errno : put;
}

static int sys_fsync(const struct env *e, int fd) { (void)e; return fsync(fd) ? -errno : 0; }
static int sys_rename(const struct env *e, const char *a, const char *b) { (void)e; return rename(a, b) ? -errno : 0; }
static int sys_link(const struct env *e, const char *a, const char *b) { (void)e; return link(a, b) ? -errno : 0; }
static int sys_unlink(const struct env *e, const char *path) { (void)e; return unlink(path) ? -errno : 0; }

static int sys_mkdir(const struct env *e, const char *path, mode_t mode)
{
	(void)e;
	return mkdir(path, mode) ? -errno : 0;
}

static int sys_rmdir(const struct env *e, const char *path) { (void)e; return rmdir(path) ? -errno : 0; }

static int sys_symlink(const struct env *e, const char *to, const char *path)
{
	(void)e;
	return symlink(to, path) ? -errno : 0;
}

static ssize_t sys_readlink(const struct env *e, const char *path, char *out, size_t n)
{
	(void)e;
	ssize_t got = readlink(path, out, n);
	return got < 0 ? -errno : got;
}

static int no_dots(const struct dirent *d) { return strcmp(d->d_name, ".") && strcmp(d->d_name, ".."); }
static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int sys_list(const struct env *e, const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	(void)e;
	struct dirent **entries;
	int n = scandir(path, &entries, no_dots, by_name), rc = 0;
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		rc = rc ? rc : each(ctx, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int sys_lock(const struct env *e, int fd) { (void)e; return flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0; }

static int sys_step(const struct env *e, enum env_step step, bool done)
{
	(void)e;
	(void)step;
	(void)done;
	return 0;
}

const struct env *env_system(void)
{
	static const struct env system = {
		.realtime = sys_realtime, .monotonic = sys_monotonic, .random = sys_random,
		.alloc = sys_alloc, .free = sys_free,
		.open = sys_open, .temporary = sys_temporary, .close = sys_close, .stat = sys_stat,
		.read = sys_read, .pread = sys_pread, .write = sys_write, .pwrite = sys_pwrite,
		.fsync = sys_fsync, .rename = sys_rename, .link = sys_link, .unlink = sys_unlink,
		.mkdir = sys_mkdir, .rmdir = sys_rmdir, .symlink = sys_symlink, .readlink = sys_readlink, .list = sys_list,
		.lock = sys_lock, .step = sys_step,
	};
	return &system;
}

void *env_grow(const struct env *e, void *p, size_t from, size_t to)
{
	void *q = env_alloc(e, to);
	if (!q)
		return NULL;
	if (p)
		memcpy(q, p, from < to ? from : to);
	env_free(e, p, from);
	return q;
}

int env_pwrite_all(const struct env *e, int fd, const void *p, size_t n, off_t at)
{
	const uint8_t *from = p;
	while (n) {
		ssize_t put = e->pwrite(e, fd, from, n, at);
		if (put == -EINTR)
			continue;
		if (put <= 0)
			return put ? (int)put : -ENOSPC;
		from += put;
		at += put;
		n -= (size_t)put;
	}
	return 0;
}

int env_pread_all(const struct env *e, int fd, void *out, size_t n, off_t at)
{
	uint8_t *to = out;
	while (n) {
		ssize_t got = e->pread(e, fd, to, n, at);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got ? (int)got : -ENODATA;
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}
