#include "daemon/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH 4352
#define BLOCK (256u << 10)

/* ---- Looking ---- */
struct looking {
	struct waiting_list *l;
	const struct env *env;
	bool past;
};

static bool is_of(const struct waiting *w, const struct piece_name *n, bool past)
{
	return w->past == past && w->name.from == n->from && w->name.to == n->to && w->name.writer == n->writer;
}

/* Names come sorted, so that those of one group follow each other. */
static int look_at(void *ctx, const char *name)
{
	struct looking *k = ctx;
	struct waiting_list *l = k->l;
	struct piece_name n;
	if (!piece_name_parse(name, &n))
		return 0;
	if (!l->n || !is_of(&l->item[l->n - 1], &n, k->past)) {
		if (l->n == l->room) {
			uint32_t room = l->room ? 2 * l->room : 64;
			struct waiting *grown = env_grow(k->env, l->item, l->room * sizeof *grown, room * sizeof *grown);
			if (!grown)
				return -ENOMEM;
			l->item = grown;
			l->room = room;
		}
		l->item[l->n++] = (struct waiting){ .name = n, .past = k->past };
	}
	struct waiting *w = &l->item[l->n - 1];
	w->closed |= n.closed;
	w->pieces += !n.closed;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;
	if (x->closed != y->closed)
		return x->closed ? -1 : 1;
	if (x->name.from != y->name.from)
		return x->name.from > y->name.from ? -1 : 1;
	return (x->name.writer > y->name.writer) - (x->name.writer < y->name.writer);
}

int waiting_look(struct waiting_list *l, const struct env *env, const char *const folder[static 2], struct error *e)
{
	l->n = l->closed = 0;
	for (int i = 0; i < 2; i++) {
		struct looking k = { l, env, i == 1 };
		int rc = env->list(env, folder[i], look_at, &k);
		if (rc && rc != -ENOENT)
			return error_set(e, rc, "MON-DMN-023", "%s cannot be read: %s", folder[i], strerror(-rc));
	}
	if (l->n)
		qsort(l->item, l->n, sizeof *l->item, compare);
	while (l->closed < l->n && l->item[l->closed].closed)
		l->closed++;
	return 0;
}

void waiting_fini(struct waiting_list *l, const struct env *env)
{
	env_free(env, l->item, l->room * sizeof *l->item);
	*l = (struct waiting_list){ 0 };
}

char *waiting_name(const struct waiting *w, const char *sensor, char out[static WAITING_NAME])
{
	snprintf(out, WAITING_NAME, "%s.%010" PRIu32 "-%010" PRIu32 "-%016" PRIx64, sensor, w->name.from, w->name.to,
	         w->name.writer);
	return out;
}

/* ---- The pieces of a group ---- */
struct each {
	const struct waiting *w;
	const struct env *env;
	const char *folder;
	int (*act)(struct each *x, const char *path);
	bool markers; /* act on the marker, not on pieces */
	int to;
	off_t end;
	uint8_t *block;
};

static int one(void *ctx, const char *name)
{
	struct each *x = ctx;
	struct piece_name n;
	char path[PATH];
	if (!piece_name_parse(name, &n) || !is_of(x->w, &n, x->w->past) || n.closed != x->markers)
		return 0;
	return snprintf(path, sizeof path, "%s/%s", x->folder, name) < (int)sizeof path ? x->act(x, path) : -ENAMETOOLONG;
}

static int append(struct each *x, const char *path)
{
	const struct env *env = x->env;
	int fd = env->open(env, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0), rc = 0;
	if (fd < 0)
		return fd;
	for (ssize_t n; !rc && (n = env->read(env, fd, x->block, BLOCK)) != 0;) {
		if (n == -EINTR)
			continue;
		rc = n < 0 ? (int)n : env_pwrite_all(env, x->to, x->block, (size_t)n, x->end);
		x->end += n;
	}
	env->close(env, fd);
	return rc;
}

static int sync_path(const struct env *env, const char *path)
{
	int fd = env->open(env, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	int rc = env->fsync(env, fd);
	env->close(env, fd);
	return rc;
}

static int sync_folder_of(const struct env *env, const char *path)
{
	char folder[PATH];
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	return sync_path(env, folder);
}

/* Names of a sequence have equal widths, so that sorted they are in order. */
static int write_joined(struct each *x, const char *temporary)
{
	const struct env *env = x->env;
	x->to = env->open(env, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (x->to < 0)
		return x->to;
	int rc = env->list(env, x->folder, one, x);
	if (!rc)
		rc = env->fsync(env, x->to);
	int closed = env->close(env, x->to);
	return rc ? rc : closed;
}

int waiting_join(const struct waiting *w, const struct env *env, const char *folder, const char *path, struct error *e)
{
	char temporary[PATH];
	struct each x = { .w = w, .env = env, .folder = folder, .act = append, .block = env_alloc(env, BLOCK) };
	if (!x.block)
		return error_no_memory(e, "joining the pieces of a minute");
	snprintf(temporary, sizeof temporary, "%s.tmp", path);
	int rc = write_joined(&x, temporary);
	env_free(env, x.block, BLOCK);
	if (!rc)
		rc = env->rename(env, temporary, path);
	if (!rc)
		rc = sync_folder_of(env, path);
	return rc ? error_set(e, rc, "MON-DMN-024", "%s cannot be written: %s", path, strerror(-rc)) : 0;
}

static int drop(struct each *x, const char *path)
{
	int rc = x->env->unlink(x->env, path);
	return rc == -ENOENT ? 0 : rc;
}

/* The marker goes last: a group without pieces that has one is as good as gone, pieces without one would be taken for
 * those of a minute that is still open. */
int waiting_remove(const struct waiting *w, const struct env *env, const char *folder, struct error *e)
{
	struct each x = { .w = w, .env = env, .folder = folder, .act = drop };
	int rc = env->list(env, folder, one, &x);
	x.markers = true;
	if (!rc)
		rc = env->list(env, folder, one, &x);
	return rc ? error_set(e, rc, "MON-DMN-025", "what was stored cannot be removed from %s: %s", folder, strerror(-rc)) : 0;
}
