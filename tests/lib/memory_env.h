/* An env whose one file lies in memory: what unit tests and fuzz harnesses give the code that reads captures.
 *
 * It can give the file in pieces, let it grow, fail the N-th allocation and the N-th read, and it knows what was not
 * given back.
 */
#pragma once
#include "base/env.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

struct memory_env {
	struct env env;
	const uint8_t *file;
	size_t n;          /* bytes there are, which a test may raise */
	size_t at;         /* read so far */
	size_t piece;      /* most bytes a read gives; 0: no bound */
	bool swell;        /* 16 times as many with each read */
	bool pipe;         /* no regular file */
	bool interrupt;    /* every other read is interrupted first */
	uint64_t reads;
	uint64_t allocs;   /* asked for */
	uint64_t fail_alloc, fail_read; /* number of the one to fail, from 1; 0: none */
	uint64_t live_bytes, most_bytes;
	int live_fds;
};

static inline struct memory_env *memory_env_of(const struct env *e) { return e->ctx; }

static inline void *memory_env_alloc(const struct env *e, size_t n)
{
	struct memory_env *m = memory_env_of(e);
	if (++m->allocs == m->fail_alloc)
		return NULL;
	void *p = env_system()->alloc(env_system(), n);
	m->live_bytes += p ? n : 0;
	if (m->live_bytes > m->most_bytes)
		m->most_bytes = m->live_bytes;
	return p;
}

static inline void memory_env_free(const struct env *e, void *p, size_t n)
{
	memory_env_of(e)->live_bytes -= p ? n : 0;
	env_system()->free(env_system(), p, n);
}

static inline int memory_env_open(const struct env *e, const char *path, int flags, mode_t mode)
{
	(void)flags;
	(void)mode;
	if (strcmp(path, "file"))
		return -ENOENT;
	memory_env_of(e)->live_fds++;
	memory_env_of(e)->at = 0;
	return 99;
}

static inline int memory_env_close(const struct env *e, int fd)
{
	(void)fd;
	memory_env_of(e)->live_fds--;
	return 0;
}

static inline int memory_env_stat(const struct env *e, int fd, struct stat *out)
{
	(void)fd;
	memset(out, 0, sizeof *out);
	out->st_mode = memory_env_of(e)->pipe ? S_IFIFO : S_IFREG;
	out->st_size = memory_env_of(e)->pipe ? 0 : (off_t)memory_env_of(e)->n;
	return 0;
}

static inline ssize_t memory_env_read(const struct env *e, int fd, void *out, size_t n)
{
	(void)fd;
	struct memory_env *m = memory_env_of(e);
	if (++m->reads == m->fail_read)
		return -EIO;
	if (m->interrupt && m->reads % 2)
		return -EINTR;
	size_t left = m->at < m->n ? m->n - m->at : 0;
	n = n < left ? n : left;
	if (m->piece && n > m->piece)
		n = m->piece;
	if (n)
		memcpy(out, m->file + m->at, n);
	m->at += n;
	if (m->swell && m->piece < m->n)
		m->piece *= 16;
	return (ssize_t)n;
}

static inline void memory_env_init(struct memory_env *m, const uint8_t *file, size_t n)
{
	memset(m, 0, sizeof *m);
	m->env = *env_system();
	m->env.alloc = memory_env_alloc;
	m->env.free = memory_env_free;
	m->env.open = memory_env_open;
	m->env.close = memory_env_close;
	m->env.stat = memory_env_stat;
	m->env.read = memory_env_read;
	m->env.ctx = m;
	m->file = file;
	m->n = n;
}
