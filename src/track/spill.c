#include "track/spill.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

/* A partition is a chain of extents, the newest in memory. On disk: bytes of the file, back to back in any order. */
#define EXTENT_BYTES (64u << 10)
#define RECORD_HEAD 3u /* kind, length */

struct extent {
	off_t at;
	uint32_t n;
	uint32_t next; /* + 1; 0 ends */
};

struct spill {
	const struct env *env;
	int fd;
	off_t end;
	uint8_t *buffer;  /* one extent for each partition, and one to read into */
	uint32_t filled[SPILL_PARTITIONS];
	uint32_t first[SPILL_PARTITIONS], last[SPILL_PARTITIONS]; /* extents + 1 */
	struct extent *extent;
	uint32_t n_extents, room;
};

int spill_open(struct spill **out, const struct env *env, const char *folder, struct error *e)
{
	struct spill *s = env_alloc(env, sizeof *s);
	if (!s)
		return error_no_memory(e, "making room to spill");
	*s = (struct spill){ .env = env, .fd = -1 };
	s->buffer = env_alloc(env, (size_t)EXTENT_BYTES * (SPILL_PARTITIONS + 1));
	if (!s->buffer) {
		spill_close(s);
		return error_no_memory(e, "making room to spill");
	}
	s->fd = env->temporary(env, folder);
	if (s->fd < 0) {
		int rc = s->fd;
		spill_close(s);
		return error_set(e, rc, "MON-TRK-010", "memory is full and no temporary file can be made in %s: %s",
		                 folder ? folder : "TMPDIR or /tmp", strerror(-rc));
	}
	*out = s;
	return 0;
}

void spill_close(struct spill *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		s->env->close(s->env, s->fd);
	env_free(s->env, s->buffer, (size_t)EXTENT_BYTES * (SPILL_PARTITIONS + 1));
	env_free(s->env, s->extent, s->room * sizeof *s->extent);
	env_free(s->env, s, sizeof *s);
}

int spill_too_small(struct error *e)
{
	return error_set(e, -ENOSPC, "MON-TRK-013",
	                 "one row of what was spilled does not fit the memory given; give --memory more");
}

static int extent_append(struct spill *s, uint32_t partition, uint32_t n, struct error *e)
{
	if (s->n_extents == s->room) {
		uint32_t room = s->room ? 2 * s->room : 256;
		struct extent *grown = env_grow(s->env, s->extent, s->room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "spilling");
		s->extent = grown;
		s->room = room;
	}
	s->extent[s->n_extents++] = (struct extent){ .at = s->end, .n = n };
	if (s->last[partition])
		s->extent[s->last[partition] - 1].next = s->n_extents;
	else
		s->first[partition] = s->n_extents;
	s->last[partition] = s->n_extents;
	return 0;
}

static int flush(struct spill *s, uint32_t partition, struct error *e)
{
	uint32_t n = s->filled[partition];
	int rc = env_pwrite_all(s->env, s->fd, s->buffer + (size_t)partition * EXTENT_BYTES, n, s->end);
	if (rc)
		return error_set(e, rc, "MON-TRK-011", "memory is full and the temporary file cannot be written: %s",
		                 strerror(-rc));
	rc = extent_append(s, partition, n, e);
	if (rc)
		return rc;
	s->end += n;
	s->filled[partition] = 0;
	return 0;
}

int spill_put(struct spill *s, uint32_t partition, enum spill_kind kind, const void *record, uint16_t n,
              struct error *e)
{
	if (EXTENT_BYTES - s->filled[partition] < RECORD_HEAD + n) {
		int rc = flush(s, partition, e);
		if (rc)
			return rc;
	}
	uint8_t *p = s->buffer + (size_t)partition * EXTENT_BYTES + s->filled[partition];
	p[0] = (uint8_t)kind;
	store_le16(p + 1, n);
	memcpy(p + RECORD_HEAD, record, n);
	s->filled[partition] += RECORD_HEAD + n;
	return 0;
}

static int each_in(const uint8_t *p, uint32_t n, spill_fn fn, void *ctx)
{
	for (uint32_t at = 0; at < n;) {
		uint16_t length = load_le16(p + at + 1);
		int rc = fn(ctx, (enum spill_kind)p[at], (struct span){ p + at + RECORD_HEAD, length });
		if (rc)
			return rc;
		at += RECORD_HEAD + length;
	}
	return 0;
}

int spill_each(struct spill *s, uint32_t partition, spill_fn fn, void *ctx, struct error *e)
{
	uint8_t *scratch = s->buffer + (size_t)SPILL_PARTITIONS * EXTENT_BYTES;
	for (uint32_t x = s->first[partition]; x; x = s->extent[x - 1].next) {
		const struct extent *extent = &s->extent[x - 1];
		int rc = env_pread_all(s->env, s->fd, scratch, extent->n, extent->at);
		if (rc)
			return error_set(e, rc, "MON-TRK-012", "the temporary file cannot be read back: %s", strerror(-rc));
		rc = each_in(scratch, extent->n, fn, ctx);
		if (rc)
			return rc;
	}
	return each_in(s->buffer + (size_t)partition * EXTENT_BYTES, s->filled[partition], fn, ctx);
}
