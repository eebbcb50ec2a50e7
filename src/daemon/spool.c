#include "daemon/spool.h"

#include <stdio.h>
#include <string.h>

static ssize_t read_and_keep(const struct env *e, int fd, void *out, size_t n)
{
	struct spool *s = (struct spool *)(uintptr_t)e; /* env is its first member, and it is ours to change */
	ssize_t got = s->base->read(s->base, fd, out, n);
	if (got <= 0)
		return got;
	int rc = env_pwrite_all(s->base, s->fd, out, (size_t)got, s->end);
	if (rc)
		return rc;
	s->end += got;
	return got;
}

int spool_open(struct spool *s, const struct env *base, const char *folder, struct error *e)
{
	*s = (struct spool){ .env = *base, .base = base };
	s->env.read = read_and_keep;
	s->fd = base->temporary(base, folder);
	if (s->fd < 0)
		return error_set(e, s->fd, "MON-DMN-002", "no temporary file can be made in %s: %s",
		                 folder ? folder : "TMPDIR or /tmp", strerror(-s->fd));
	snprintf(s->path, sizeof s->path, "/proc/self/fd/%d", s->fd);
	return 0;
}

void spool_close(struct spool *s)
{
	if (s->base && s->fd >= 0)
		s->base->close(s->base, s->fd);
	s->base = NULL;
}
