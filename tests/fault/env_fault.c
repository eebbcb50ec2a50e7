/* The env of a test build of monomi (monomi-fault, linked with --wrap=env_system): the real one, with the N-th call of
 * one kind failing, or every count cut short, and with a ledger of what is allocated and open.
 *
 *   MONOMI_FAULT         KIND=N: the N-th call of KIND (from 1) fails; "short": every read and write does only part of
 *                        what it is asked, and every third is interrupted first. Unset: nothing fails, all is counted.
 *   MONOMI_FAULT_ERRNO   the errno of that failure (a number)
 *   MONOMI_FAULT_REPORT  file to write the counts into at exit: one "name value" a line
 *
 * A block freed with another size than it was asked for, or twice, aborts: env.h makes the size part of the contract.
 */
#include "base/env.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct env *__real_env_system(void);
const struct env *__wrap_env_system(void);

enum kind { ALLOC, OPEN, TEMPORARY, CLOSE, STAT, READ, WRITE, RANDOM, KINDS };
static const char *const kind_names[KINDS] = { "alloc", "open", "temporary", "close", "stat", "read", "write", "random" };

#define BLOCKS (1u << 20) /* slots of the ledger; a small run has a few thousand blocks */

struct block {
	void *p;
	size_t n;
};

struct faults {
	const struct env *real;
	pthread_mutex_t lock;
	unsigned long calls[KINDS];
	enum kind kind;    /* KINDS: none fails */
	unsigned long nth;
	int error;
	bool shortened;
	bool fired;
	unsigned long hiccup;
	long files;        /* opened and not closed */
	struct block *blocks;
	unsigned long live;
	size_t live_bytes, peak_bytes;
};

static struct faults *of(const struct env *e) { return e->ctx; }

/* Counts a call; true when it is the one that fails. */
static bool fails(const struct env *e, enum kind kind)
{
	struct faults *f = of(e);
	pthread_mutex_lock(&f->lock);
	bool hit = ++f->calls[kind] == f->nth && kind == f->kind;
	f->fired |= hit;
	pthread_mutex_unlock(&f->lock);
	return hit;
}

static struct block *slot_of(struct faults *f, const void *p)
{
	size_t at = (size_t)(((uintptr_t)p >> 6) * 0x9e3779b97f4a7c15u >> 44) & (BLOCKS - 1);
	while (f->blocks[at].p && f->blocks[at].p != p)
		at = (at + 1) & (BLOCKS - 1);
	return &f->blocks[at];
}

static void *fault_alloc(const struct env *e, size_t n)
{
	struct faults *f = of(e);
	void *p = fails(e, ALLOC) ? NULL : f->real->alloc(f->real, n);
	if (!p)
		return NULL;
	pthread_mutex_lock(&f->lock);
	*slot_of(f, p) = (struct block){ p, n };
	f->live++;
	f->live_bytes += n;
	if (f->live_bytes > f->peak_bytes)
		f->peak_bytes = f->live_bytes;
	pthread_mutex_unlock(&f->lock);
	return p;
}

/* A slot stays taken by its pointer with the size SIZE_MAX: linear probing needs no hole, and a second free shows. */
static void fault_free(const struct env *e, void *p, size_t n)
{
	struct faults *f = of(e);
	if (!p)
		return;
	pthread_mutex_lock(&f->lock);
	struct block *b = slot_of(f, p);
	if (b->p != p || b->n != n) {
		fprintf(stderr, "env_fault: freed %zu bytes of a block of %zu\n", n, b->p == p ? b->n : 0);
		abort();
	}
	b->n = SIZE_MAX;
	f->live--;
	f->live_bytes -= n;
	pthread_mutex_unlock(&f->lock);
	f->real->free(f->real, p, n);
}

static int count_file(struct faults *f, int fd)
{
	pthread_mutex_lock(&f->lock);
	f->files += fd >= 0;
	pthread_mutex_unlock(&f->lock);
	return fd;
}

static int fault_open(const struct env *e, const char *path, int flags, mode_t mode)
{
	struct faults *f = of(e);
	return fails(e, OPEN) ? -f->error : count_file(f, f->real->open(f->real, path, flags, mode));
}

static int fault_temporary(const struct env *e, const char *folder)
{
	struct faults *f = of(e);
	return fails(e, TEMPORARY) ? -f->error : count_file(f, f->real->temporary(f->real, folder));
}

static int fault_close(const struct env *e, int fd)
{
	struct faults *f = of(e);
	bool hit = fails(e, CLOSE);
	int rc = f->real->close(f->real, fd);
	pthread_mutex_lock(&f->lock);
	f->files--;
	pthread_mutex_unlock(&f->lock);
	return hit ? -f->error : rc;
}

static int fault_stat(const struct env *e, int fd, struct stat *out)
{
	return fails(e, STAT) ? -of(e)->error : of(e)->real->stat(of(e)->real, fd, out);
}

/* What a call of n bytes is let do: all of it, or with "short" a part, or nothing (interrupted). */
static ssize_t allowed(const struct env *e, enum kind kind, size_t n)
{
	struct faults *f = of(e);
	if (fails(e, kind))
		return -f->error;
	if (!f->shortened || n < 2)
		return (ssize_t)n;
	pthread_mutex_lock(&f->lock);
	unsigned long turn = ++f->hiccup;
	pthread_mutex_unlock(&f->lock);
	if (turn % 3 == 0)
		return -EINTR;
	size_t part = turn % 2 ? n / 2 : 1 + turn % 4099;
	return (ssize_t)(part < n ? part : n);
}

static ssize_t fault_read(const struct env *e, int fd, void *out, size_t n)
{
	ssize_t some = allowed(e, READ, n);
	return some < 0 ? some : of(e)->real->read(of(e)->real, fd, out, (size_t)some);
}

static ssize_t fault_pread(const struct env *e, int fd, void *out, size_t n, off_t at)
{
	ssize_t some = allowed(e, READ, n);
	return some < 0 ? some : of(e)->real->pread(of(e)->real, fd, out, (size_t)some, at);
}

static ssize_t fault_write(const struct env *e, int fd, const void *p, size_t n)
{
	ssize_t some = allowed(e, WRITE, n);
	return some < 0 ? some : of(e)->real->write(of(e)->real, fd, p, (size_t)some);
}

static ssize_t fault_pwrite(const struct env *e, int fd, const void *p, size_t n, off_t at)
{
	ssize_t some = allowed(e, WRITE, n);
	return some < 0 ? some : of(e)->real->pwrite(of(e)->real, fd, p, (size_t)some, at);
}

static int fault_random(const struct env *e, void *out, size_t n)
{
	return fails(e, RANDOM) ? -of(e)->error : of(e)->real->random(of(e)->real, out, n);
}

static int64_t fault_realtime(const struct env *e) { return of(e)->real->realtime(of(e)->real); }
static int64_t fault_monotonic(const struct env *e) { return of(e)->real->monotonic(of(e)->real); }
static int fault_fsync(const struct env *e, int fd) { return of(e)->real->fsync(of(e)->real, fd); }

static int fault_rename(const struct env *e, const char *from, const char *to)
{
	return of(e)->real->rename(of(e)->real, from, to);
}

static int fault_unlink(const struct env *e, const char *path) { return of(e)->real->unlink(of(e)->real, path); }

static int fault_mkdir(const struct env *e, const char *path, mode_t mode)
{
	return of(e)->real->mkdir(of(e)->real, path, mode);
}

static int fault_link(const struct env *e, const char *from, const char *to)
{
	return of(e)->real->link(of(e)->real, from, to);
}

static int fault_rmdir(const struct env *e, const char *path) { return of(e)->real->rmdir(of(e)->real, path); }

static int fault_symlink(const struct env *e, const char *to, const char *path)
{
	return of(e)->real->symlink(of(e)->real, to, path);
}

static ssize_t fault_readlink(const struct env *e, const char *path, char *out, size_t n)
{
	return of(e)->real->readlink(of(e)->real, path, out, n);
}

static int fault_list(const struct env *e, const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	return of(e)->real->list(of(e)->real, path, each, ctx);
}

static int fault_lock(const struct env *e, int fd) { return of(e)->real->lock(of(e)->real, fd); }

static int fault_step(const struct env *e, enum env_step step, bool done)
{
	return of(e)->real->step(of(e)->real, step, done);
}

static struct faults *faults(void)
{
	static struct faults f = { .lock = PTHREAD_MUTEX_INITIALIZER, .kind = KINDS, .error = EIO };
	return &f;
}

static void report(void)
{
	struct faults *f = faults();
	const char *path = getenv("MONOMI_FAULT_REPORT");
	FILE *out = path ? fopen(path, "w") : NULL;
	if (!out)
		return;
	for (int k = 0; k < KINDS; k++)
		fprintf(out, "%s %lu\n", kind_names[k], f->calls[k]);
	fprintf(out, "fired %d\nlive %lu\nfiles %ld\npeak %zu\n", f->fired, f->live, f->files, f->peak_bytes);
	fclose(out);
}

static void configure(struct faults *f, const char *text)
{
	f->shortened = text && !strcmp(text, "short");
	const char *equals = text ? strchr(text, '=') : NULL;
	for (int k = 0; equals && k < KINDS; k++)
		if (strlen(kind_names[k]) == (size_t)(equals - text) && !strncmp(text, kind_names[k], (size_t)(equals - text)))
			f->kind = (enum kind)k;
	if (equals)
		f->nth = strtoul(equals + 1, NULL, 10);
	const char *number = getenv("MONOMI_FAULT_ERRNO");
	if (number)
		f->error = (int)strtol(number, NULL, 10);
}

const struct env *__wrap_env_system(void)
{
	static struct env env;
	struct faults *f = faults();
	pthread_mutex_lock(&f->lock);
	if (!env.ctx) {
		f->real = __real_env_system();
		f->blocks = calloc(BLOCKS, sizeof *f->blocks);
		configure(f, getenv("MONOMI_FAULT"));
		env = (struct env){
			.realtime = fault_realtime, .monotonic = fault_monotonic, .random = fault_random,
			.alloc = fault_alloc, .free = fault_free,
			.open = fault_open, .temporary = fault_temporary, .close = fault_close, .stat = fault_stat,
			.read = fault_read, .pread = fault_pread, .write = fault_write, .pwrite = fault_pwrite,
			.fsync = fault_fsync, .rename = fault_rename, .link = fault_link, .unlink = fault_unlink,
			.mkdir = fault_mkdir, .rmdir = fault_rmdir, .symlink = fault_symlink, .readlink = fault_readlink,
			.list = fault_list, .lock = fault_lock, .step = fault_step,
			.ctx = f,
		};
		if (f->blocks)
			atexit(report);
	}
	pthread_mutex_unlock(&f->lock);
	return &env;
}
