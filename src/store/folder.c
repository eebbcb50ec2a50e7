#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKER "monomi-store"

static int fails(struct error *e, int rc, const char *what, const char *path)
{
	return error_set(e, rc, "MON-STO-004", "%s cannot be %s: %s", path, what, strerror(-rc));
}

bool folder_path(const struct folder *f, char out[static STORE_PATH], const char *format, ...)
{
	va_list ap;
	int n = snprintf(out, STORE_PATH, "%s/", f->path);
	if (n >= STORE_PATH)
		return false;
	va_start(ap, format);
	int more = vsnprintf(out + n, (size_t)(STORE_PATH - n), format, ap);
	va_end(ap);
	return more < STORE_PATH - n;
}

/* ---- Steps that last ---- */
int folder_sync(const struct folder *f, const char *path, struct error *e)
{
	const struct env *env = f->env;
	int fd = env->open(env, path, O_RDONLY, 0);
	if (fd < 0)
		return fails(e, fd, "synced", path);
	int rc = env->fsync(env, fd);
	env->close(env, fd);
	return rc ? fails(e, rc, "synced", path) : 0;
}

static int sync_above(const struct folder *f, const char *path, struct error *e)
{
	char above[STORE_PATH];
	snprintf(above, sizeof above, "%s", path);
	char *slash = strrchr(above, '/');
	if (slash)
		slash[slash == above] = 0;
	return folder_sync(f, slash ? above : ".", e);
}

int folder_settle(const struct folder *f, const char *temporary, struct error *e)
{
	char path[STORE_PATH];
	snprintf(path, sizeof path, "%.*s", (int)(strlen(temporary) - strlen(".tmp")), temporary);
	int rc = folder_sync(f, temporary, e);
	if (rc)
		return rc;
	rc = f->env->rename(f->env, temporary, path);
	return rc ? fails(e, rc, "renamed", temporary) : sync_above(f, path, e);
}

int folder_unlink(const struct folder *f, const char *path, struct error *e)
{
	int rc = f->env->unlink(f->env, path);
	return rc && rc != -ENOENT ? fails(e, rc, "removed", path) : 0;
}

static int make_one(const struct folder *f, const char *path, struct error *e)
{
	int rc = f->env->mkdir(f->env, path, 0700);
	if (rc == -EEXIST)
		return 0;
	return rc ? fails(e, rc, "made", path) : sync_above(f, path, e);
}

int folder_make(const struct folder *f, const char *relative, struct error *e)
{
	char path[STORE_PATH];
	if (!folder_path(f, path, "%s", relative))
		return fails(e, -ENAMETOOLONG, "made", relative);
	int rc = 0;
	for (char *p = path + strlen(f->path) + 1; !rc && p;) {
		p = strchr(p, '/');
		if (p)
			*p = 0;
		rc = make_one(f, path, e);
		if (p)
			*p++ = '/';
	}
	return rc;
}

static int write_all(const struct env *env, int fd, const char *text)
{
	int rc = env_pwrite_all(env, fd, text, strlen(text), 0);
	return rc ? rc : env->fsync(env, fd);
}

int folder_write(const struct folder *f, const char *name, const char *text, struct error *e)
{
	char path[STORE_PATH];
	const struct env *env = f->env;
	if (!folder_path(f, path, "%s.tmp", name))
		return fails(e, -ENAMETOOLONG, "written", name);
	int fd = env->open(env, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fails(e, fd, "written", path);
	int rc = write_all(env, fd, text), closed = env->close(env, fd);
	if (rc || closed)
		return fails(e, rc ? rc : closed, "written", path);
	return folder_settle(f, path, e);
}

/* ---- What tells a store ---- */
static int other_name(void *ctx, const char *name)
{
	*(bool *)ctx |= strcmp(name, MARKER ".tmp") != 0; /* a crash may have left that alone */
	return 0;
}

/* 0: it is a store; 1: it is empty or absent; else an error. */
static int recognise(const struct folder *f, struct error *e)
{
	char path[STORE_PATH], text[64] = { 0 };
	bool full = false;
	if (!folder_path(f, path, MARKER))
		return fails(e, -ENAMETOOLONG, "opened", f->path);
	int fd = f->env->open(f->env, path, O_RDONLY, 0);
	if (fd >= 0) {
		ssize_t n = f->env->read(f->env, fd, text, sizeof text - 1);
		f->env->close(f->env, fd);
		char *end;
		unsigned long format = n > 13 && !strncmp(text, "monomi store ", 13) ? strtoul(text + 13, &end, 10) : 0;
		if (!format || *end != '\n')
			return error_set(e, -EINVAL, "MON-STO-001", "%s is no store: %s says something else", f->path, MARKER);
		return format <= STORE_FORMAT ? 0 :
		       error_set(e, -EINVAL, "MON-STO-002", "%s is a store of format %lu, this program knows %d", f->path, format,
		                 STORE_FORMAT);
	}
	if (fd != -ENOENT)
		return fd == -ENOTDIR ? error_set(e, fd, "MON-STO-001", "%s is no store but a file", f->path) :
		       fails(e, fd, "opened", path);
	int rc = f->env->list(f->env, f->path, other_name, &full);
	if (full)
		return error_set(e, -EINVAL, "MON-STO-001", "%s is no store: it has other files", f->path);
	return rc < 0 && rc != -ENOENT ? fails(e, rc, "read", f->path) : 1;
}

int folder_mark(const struct folder *f, struct error *e)
{
	char text[64];
	snprintf(text, sizeof text, "monomi store %d\n", STORE_FORMAT);
	return folder_write(f, MARKER, text, e);
}

static int make_new(const struct folder *f, struct error *e)
{
	int rc = make_one(f, f->path, e);
	return rc ? rc : folder_mark(f, e);
}

/* ---- The lock ---- */
static int hold(struct folder *f, struct error *e)
{
	char text[64] = { 0 };
	const struct env *env = f->env;
	int rc = env->lock(env, f->lock);
	if (rc != -EWOULDBLOCK)
		return rc ? fails(e, rc, "locked", f->path) : 0;
	ssize_t n = env->pread(env, f->lock, text, sizeof text - 1, 0);
	(void)n;
	return error_set(e, -EBUSY, "MON-STO-003", "%s is being written by process %.*s", f->path,
	                 (int)strspn(text, "0123456789"), text);
}

static int take_lock(struct folder *f, struct error *e)
{
	char path[STORE_PATH], text[64];
	const struct env *env = f->env;
	if (!folder_path(f, path, "lock"))
		return fails(e, -ENAMETOOLONG, "locked", f->path);
	f->lock = env->open(env, path, O_RDWR | O_CREAT, 0600);
	if (f->lock < 0)
		return fails(e, f->lock, "opened for writing", path);
	int rc = hold(f, e);
	if (rc)
		return rc;
	snprintf(text, sizeof text, "%-20ld\n", (long)getpid());
	rc = env_pwrite_all(env, f->lock, text, strlen(text), 0);
	return rc ? fails(e, rc, "locked", path) : 0;
}

static int set_path(struct folder *f, const struct env *env, const char *path, struct error *e)
{
	*f = (struct folder){ .env = env, .lock = -1 };
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (!n || n >= STORE_PATH - 200)
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is empty or too long");
	memcpy(f->path, path, n);
	return 0;
}

int folder_look(struct folder *f, const struct env *env, const char *path, struct error *e)
{
	int rc = set_path(f, env, path, e);
	if (!rc)
		rc = recognise(f, e);
	return rc > 0 ? error_set(e, -ENOENT, "MON-STO-001", "%s is no store: it is empty or not there", path) : rc;
}

int folder_guard(struct folder *f, const struct env *env, const char *path, struct error *e)
{
	char name[STORE_PATH];
	int rc = folder_look(f, env, path, e);
	if (rc)
		return rc;
	f->lock = folder_path(f, name, "lock") ? env->open(env, name, O_RDONLY, 0) : -ENAMETOOLONG;
	if (f->lock == -ENOENT) /* no writer ever came so far */
		return 0;
	return f->lock < 0 ? fails(e, f->lock, "opened", name) : hold(f, e);
}

int folder_new(struct folder *f, const struct env *env, const char *path, struct error *e)
{
	int rc = set_path(f, env, path, e);
	if (!rc)
		rc = recognise(f, e);
	if (!rc)
		return error_set(e, -EEXIST, "MON-STO-010", "%s is a store already: a copy goes into a new folder", path);
	return rc < 0 ? rc : make_one(f, f->path, e);
}

int folder_open(struct folder *f, const struct env *env, const char *path, struct error *e)
{
	int rc = set_path(f, env, path, e);
	if (!rc)
		rc = recognise(f, e);
	if (rc > 0)
		rc = make_new(f, e);
	return rc ? rc : take_lock(f, e);
}

void folder_close(struct folder *f)
{
	if (f->lock >= 0)
		f->env->close(f->env, f->lock);
	f->lock = -1;
}
