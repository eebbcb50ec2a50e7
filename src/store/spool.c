/* Segments that exist nowhere else, kept in spool/: a stream's bytes, so that its minutes can be derived again. */
#include "store/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#define BLOCK (256u << 10)
#define LEVEL 3

struct copying {
	const struct env *env;
	int from, to;
	off_t end; /* written */
	ZSTD_CStream *zstd; /* NULL: as it is */
	uint8_t in[BLOCK], out[BLOCK];
};

static int put(struct copying *c, const void *p, size_t n)
{
	int rc = env_pwrite_all(c->env, c->to, p, n, c->end);
	c->end += (off_t)n;
	return rc;
}

static int compress(struct copying *c, size_t n, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { c->in, n, 0 };
	for (size_t left = 1; left || in.pos < in.size;) {
		ZSTD_outBuffer out = { c->out, sizeof c->out, 0 };
		left = ZSTD_compressStream2(c->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return -EIO;
		int rc = put(c, c->out, out.pos);
		if (rc)
			return rc;
		if (end == ZSTD_e_continue && in.pos == in.size)
			break;
	}
	return 0;
}

static int copy(struct copying *c)
{
	for (off_t at = 0;;) {
		ssize_t n = c->env->pread(c->env, c->from, c->in, sizeof c->in, at);
		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		int rc = c->zstd ? compress(c, (size_t)n, n ? ZSTD_e_continue : ZSTD_e_end) : put(c, c->in, (size_t)n);
		if (rc || !n)
			return rc;
		at += n;
	}
}

static int write_spool(struct store *s, int fd, const char *path, bool compressed, struct error *e)
{
	const struct env *env = s->env;
	struct copying *c = env_alloc(env, sizeof *c);
	if (!c)
		return error_no_memory(e, "keeping a stream");
	*c = (struct copying){ .env = env, .from = fd, .zstd = compressed ? NULL : ZSTD_createCStream() };
	int rc = !compressed && !c->zstd ? -ENOMEM : 0;
	c->to = rc ? rc : env->open(env, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (c->to < 0)
		rc = c->to;
	if (!rc && c->zstd && ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, LEVEL)))
		rc = -EINVAL;
	if (!rc)
		rc = copy(c);
	int closed = c->to >= 0 ? env->close(env, c->to) : 0;
	rc = rc ? rc : closed;
	ZSTD_freeCStream(c->zstd);
	env_free(env, c, sizeof *c);
	return rc ? error_set(e, rc, "MON-STO-004", "%s cannot be written: %s", path, strerror(-rc)) : 0;
}

int store_spool(struct store *s, int fd, const uint8_t digest[static 16], bool compressed,
                char out[static STORE_SPOOL_NAME], struct error *e)
{
	char path[STORE_PATH], *p = out + snprintf(out, STORE_SPOOL_NAME, "spool/");
	for (int i = 0; i < 16; i++)
		p += snprintf(p, 3, "%02x", digest[i]);
	snprintf(p, 8, "%s", compressed ? "" : ".zst");
	if (!folder_path(&s->folder, path, "%s.tmp", out))
		return error_set(e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = folder_make(&s->folder, "spool", e);
	if (!rc)
		rc = write_spool(s, fd, path, compressed, e);
	return rc ? rc : folder_settle(&s->folder, path, e);
}

int store_unspool(struct store *s, const char *name, struct error *e)
{
	char path[STORE_PATH];
	return folder_path(&s->folder, path, "%s", name) ? folder_unlink(&s->folder, path, e) : 0;
}
