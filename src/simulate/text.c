#include "simulate/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX 8192 /* longest that text_put makes at a time */

int text_open(struct text *t, const struct env *env, const char *path, struct error *e)
{
	*t = (struct text){ .env = env, .fd = 1 };
	t->buffer = env_alloc(env, TEXT_BUFFER);
	if (!t->buffer)
		return error_no_memory(e, "writing a text");
	if (!strcmp(path, "-"))
		return 0;
	t->fd = env->open(env, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (t->fd < 0)
		return error_set(e, t->fd, "MON-SIM-010", "%s cannot be created: %s", path, strerror(-t->fd));
	t->owns_fd = true;
	return 0;
}

static void text_flush(struct text *t)
{
	const char *p = t->buffer;
	while (t->n && !t->failed) {
		ssize_t put = t->env->write(t->env, t->fd, p, t->n);
		if (put == -EINTR)
			continue;
		if (put <= 0) {
			t->failed = put ? (int)put : -ENOSPC;
			break;
		}
		p += put;
		t->n -= (size_t)put;
	}
	t->n = 0;
}

void text_put(struct text *t, const char *format, ...)
{
	va_list ap;
	if (TEXT_BUFFER - t->n < LINE_MAX)
		text_flush(t);
	va_start(ap, format);
	int n = vsnprintf(t->buffer + t->n, LINE_MAX, format, ap);
	va_end(ap);
	t->n += n < 0 ? 0 : n < LINE_MAX ? (size_t)n : LINE_MAX - 1;
}

int text_close(struct text *t, bool discard, struct error *e)
{
	if (!t->buffer)
		return 0;
	if (!discard)
		text_flush(t);
	int closed = t->owns_fd ? t->env->close(t->env, t->fd) : 0;
	int rc = discard ? 0 : t->failed ? t->failed : closed;
	env_free(t->env, t->buffer, TEXT_BUFFER);
	t->buffer = NULL;
	return rc ? error_set(e, rc, "MON-SIM-011", "the truth cannot be written: %s", strerror(-rc)) : 0;
}
