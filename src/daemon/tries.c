#include "daemon/tries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tried"
#define PATH 4352

static int fails(struct error *e, int rc, const char *path)
{
	return error_set(e, rc, "MON-DMN-027", "%s cannot be kept: %s", path, strerror(-rc));
}

static void path_of(const struct tries *t, const char *name, char out[static PATH])
{
	snprintf(out, PATH, "%s/" FOLDER "%s%s", t->db, *name ? "/" : "", name);
}

static int read_count(const struct tries *t, const char *path, unsigned *out)
{
	char text[16] = { 0 };
	*out = 0;
	int fd = t->env->open(t->env, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ssize_t n = t->env->read(t->env, fd, text, sizeof text - 1);
	t->env->close(t->env, fd);
	if (n < 0)
		return (int)n;
	*out = (unsigned)strtoul(text, NULL, 10);
	return 0;
}

static int sync_folder(const struct tries *t)
{
	char path[PATH];
	path_of(t, "", path);
	int fd = t->env->open(t->env, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	int rc = t->env->fsync(t->env, fd);
	t->env->close(t->env, fd);
	return rc;
}

/* A number too few after a loss of power costs one more try: it is written in place. */
static int write_count(const struct tries *t, const char *path, unsigned n)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%u\n", n);
	int fd = t->env->open(t->env, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return fd;
	int rc = env_pwrite_all(t->env, fd, text, (size_t)length, 0);
	if (!rc)
		rc = t->env->fsync(t->env, fd);
	int closed = t->env->close(t->env, fd);
	rc = rc ? rc : closed;
	return rc ? rc : sync_folder(t);
}

struct forgiving {
	const struct tries *t;
	struct error *e;
};

static int forgive(void *ctx, const char *name)
{
	const struct forgiving *f = ctx;
	char path[PATH];
	unsigned n;
	path_of(f->t, name, path);
	int rc = read_count(f->t, path, &n);
	if (!rc)
		rc = n > 1 ? write_count(f->t, path, n - 1) : f->t->env->unlink(f->t->env, path);
	return rc ? fails(f->e, rc, path) : 0;
}

int tries_open(struct tries *t, const struct env *env, const char *db, bool crashed, struct error *e)
{
	char path[PATH];
	*t = (struct tries){ env, db };
	path_of(t, "", path);
	int rc = env->mkdir(env, path, 0750);
	if (rc && rc != -EEXIST)
		return fails(e, rc, path);
	struct forgiving f = { t, e };
	error_clear(e);
	rc = crashed ? 0 : env->list(env, path, forgive, &f);
	return rc && !e->code[0] ? fails(e, rc, path) : rc;
}

int tries_begin(const struct tries *t, const char *name, unsigned *before, struct error *e)
{
	char path[PATH];
	path_of(t, name, path);
	int rc = read_count(t, path, before);
	if (!rc)
		rc = write_count(t, path, *before + 1);
	return rc ? fails(e, rc, path) : 0;
}

int tries_end(const struct tries *t, const char *name, struct error *e)
{
	char path[PATH];
	path_of(t, name, path);
	int rc = t->env->unlink(t->env, path);
	return rc && rc != -ENOENT ? fails(e, rc, path) : 0;
}
