#define XXH_INLINE_ALL
#include "capture/capture.h"
#include "capture/format.h"
#include "capture/stream.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <xxhash.h>

#define HEAD_READ 4096             /* bytes read at a time until the format is told */
#define HEAD_MAX (256u << 10)      /* and at most: three whole ERF records */
#define MEMORY_DEFAULT (256u << 20)

/* With 64 KiB the system calls cost 20 % more a packet; past 256 KiB little is gained, and block, frames and the tables
 * of the later stages no longer share the second-level cache (bench/capture_read.c -b). */
#define BLOCK_SIZE (256u << 10)

static const struct format *const formats[] = { &format_pcap, &format_pcapng, &format_snoop, &format_erf };

struct capture {
	alignas(64) XXH3_state_t hash;
	const struct env *env;
	struct stream *stream;
	struct filter *filter;       /* NULL: all pass */
	const struct format *format; /* NULL: not told yet */
	struct reader reader;
	size_t memory;

	/* Bytes that were read but not used: a cut record, and before the first block whatever told the format. */
	uint8_t *carry;
	size_t carry_size, carry_n;
	bool carry_fresh;     /* nobody has looked for records in them */
	uint64_t skip;        /* bytes to drop before the next record */
	size_t need;          /* what the record at the front is known to have */

	uint64_t used;         /* uncompressed bytes done with: the offset of the next record */
	uint64_t uncompressed; /* … read */
	uint64_t frames;       /* delivered */
	uint16_t links[16];
	uint8_t n_links;
	int failed; /* -errno, for good */
	struct error failure;
};

/* A block that is being read into: what lies in it between `at` and `end` is not used yet. */
struct window {
	size_t at, end;
};

/* --- blocks --- */

static int block_init(struct frame_block *b, const struct env *env, size_t size, struct error *e)
{
	memset(b, 0, sizeof *b);
	b->capacity = (uint32_t)(size / RECORD_MIN);
	b->bytes = env_alloc(env, size);
	b->frames = env_alloc(env, b->capacity * sizeof *b->frames);
	b->size = size;
	if (b->bytes && b->frames)
		return 0;
	frame_block_fini(b, env);
	return error_no_memory(e, "making room for frames");
}

int frame_block_init(struct frame_block *b, const struct env *env, struct error *e)
{
	return block_init(b, env, BLOCK_SIZE, e);
}

int frame_block_init_size(struct frame_block *b, const struct env *env, size_t size, struct error *e)
{
	size_t rounded = size < RECORD_MIN ? RECORD_MIN : size / RECORD_MIN * RECORD_MIN;
	return block_init(b, env, rounded, e);
}

void frame_block_fini(struct frame_block *b, const struct env *env)
{
	env_free(env, b->bytes, b->size);
	env_free(env, b->frames, b->capacity * sizeof *b->frames);
	memset(b, 0, sizeof *b);
}

/* --- opening --- */

static void capture_got(struct capture *c, const uint8_t *p, size_t n)
{
	XXH3_128bits_update(&c->hash, p, n);
	c->uncompressed += n;
}

static int carry_reserve(struct capture *c, size_t n, struct error *e)
{
	if (n <= c->carry_size)
		return 0;
	uint8_t *p = env_grow(c->env, c->carry, c->carry_size, n);
	if (!p)
		return error_no_memory(e, "reading a capture");
	c->carry = p;
	c->carry_size = n;
	return 0;
}

/* 1: told; 0: more bytes would tell; or the error that there is no capture here. */
static int format_find(struct capture *c, bool end, struct error *e)
{
	bool more = false;
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		enum match m = formats[i]->match(c->carry, c->carry_n, end);
		more |= m == MATCH_MORE;
		if (m != MATCH_YES)
			continue;
		if (c->carry_n < formats[i]->head && !end)
			return 0;
		if (c->carry_n < formats[i]->head)
			return error_set_at(e, -ENODATA, "MON-CAP-006", c->carry_n, "the file ends inside its %s header",
			                    formats[i]->name);
		c->format = formats[i];
		return 1;
	}
	if (more)
		return 0;
	if (!c->carry_n)
		return error_set_at(e, -ENODATA, "MON-CAP-003", 0, "the file is empty");
	return error_set_at(e, -EINVAL, CAPTURE_NO_CAPTURE, 0,
	                    "the file is no capture that monomi knows (pcap, pcapng, snoop, ERF)");
}

static int format_open(struct capture *c, struct error *e)
{
	ssize_t used = c->format->open(&c->reader, c->carry, e);
	if (used < 0)
		return (int)used;
	c->carry_n -= (size_t)used;
	memmove(c->carry, c->carry + used, c->carry_n);
	c->carry_fresh = true;
	c->used = (uint64_t)used;
	return c->filter && c->reader.link >= 0 ? filter_compile(c->filter, (uint16_t)c->reader.link, e) : 0;
}

/* Reads until the format is told. 1: told; 0: there is too little yet; or -errno. */
static int capture_tell(struct capture *c, struct error *e)
{
	for (;;) {
		int rc = carry_reserve(c, c->carry_n + HEAD_READ, e);
		if (rc)
			return rc;
		ssize_t got = stream_read(c->stream, c->carry + c->carry_n, HEAD_READ, e);
		if (got < 0)
			return (int)got;
		if (!got && stream_waits(c->stream))
			return 0;
		capture_got(c, c->carry + c->carry_n, (size_t)got);
		c->carry_n += (size_t)got;
		rc = format_find(c, !got || c->carry_n >= HEAD_MAX, e);
		if (rc < 0)
			return rc;
		if (rc > 0) {
			rc = format_open(c, e);
			return rc ? rc : 1;
		}
	}
}

static int capture_prepare(struct capture *c, const char *path, const struct capture_config *config, struct error *e)
{
	c->memory = config->memory ? config->memory : MEMORY_DEFAULT;
	c->reader.memory = c->memory / 8;
	c->reader.link = -1;
	XXH3_128bits_reset(&c->hash);
	int rc = config->filter ? filter_open(&c->filter, c->env, config->filter, e) : 0;
	if (!rc)
		rc = stream_open(&c->stream, c->env, path, config->follow, c->memory / 4 * 3, e);
	if (!rc)
		rc = capture_tell(c, e);
	return rc < 0 ? rc : 0;
}

int capture_open(struct capture **out, const struct env *env, const char *path, const struct capture_config *config,
                 struct error *e)
{
	*out = NULL;
	struct capture *c = env_alloc(env, sizeof *c);
	if (!c)
		return error_no_memory(e, "opening a capture");
	c->env = env;
	c->reader.env = env;
	int rc = capture_prepare(c, path, config, e);
	if (rc) {
		capture_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	if (c->format && c->format->close)
		c->format->close(&c->reader);
	filter_close(c->filter);
	stream_close(c->stream);
	env_free(c->env, c->carry, c->carry_size);
	env_free(c->env, c, sizeof *c);
}

/* --- reading --- */

static int capture_fail(struct capture *c, int rc, const struct error *found)
{
	c->failed = rc;
	c->failure = *found;
	return rc;
}

/* Makes room for `n` bytes in all; what lies in the block is kept. */
static int block_reserve(struct capture *c, struct frame_block *b, size_t n, struct error *e)
{
	if (n <= b->size)
		return 0;
	if (n > c->reader.memory)
		return error_set_at(e, -ENOMEM, "MON-CAP-017", c->used,
		                    "a record of %zu bytes is larger than the %zu bytes of memory allowed for one", n,
		                    c->reader.memory);
	uint8_t *p = env_grow(c->env, b->bytes, b->size, n);
	if (!p)
		return error_no_memory(e, "reading a large record");
	b->bytes = p;
	b->size = n;
	return 0;
}

/* Puts what is left of the block aside, as the block is the caller's from now on. */
static int carry_save(struct capture *c, const struct frame_block *b, const struct window *w, struct error *e)
{
	size_t n = w->end - w->at;
	int rc = carry_reserve(c, n, e);
	if (rc)
		return rc;
	if (n)
		memcpy(c->carry, b->bytes + w->at, n);
	c->carry_n = n;
	return 0;
}

static int carry_restore(struct capture *c, struct frame_block *b, struct window *w, struct error *e)
{
	int rc = block_reserve(c, b, c->carry_n, e);
	if (rc)
		return rc;
	if (c->carry_n)
		memcpy(b->bytes, c->carry, c->carry_n);
	*w = (struct window){ 0, c->carry_n };
	c->carry_n = 0;
	return 0;
}

static void window_skip(struct capture *c, struct window *w)
{
	size_t have = w->end - w->at;
	size_t n = c->skip < have ? (size_t)c->skip : have;
	w->at += n;
	c->used += n;
	c->skip -= n;
	c->carry_fresh = !c->skip;
}

static void links_note(struct capture *c, uint16_t link)
{
	for (uint8_t i = 0; i < c->n_links; i++)
		if (c->links[i] == link)
			return;
	if (c->n_links < sizeof c->links / sizeof *c->links)
		c->links[c->n_links++] = link;
}

static void block_note_links(struct capture *c, const struct frame_block *b, bool mixed)
{
	links_note(c, b->frames[0].link);
	for (uint32_t i = 1; mixed && i < b->n; i++)
		if (b->frames[i].link != b->frames[i - 1].link)
			links_note(c, b->frames[i].link);
}

/* Finds the records in the window. b->n tells how many passed the filter, also when it fails. */
static int window_parse(struct capture *c, struct frame_block *b, struct window *w, struct error *e)
{
	struct batch batch = { .bytes = b->bytes + w->at, .n = w->end - w->at, .offset = c->used, .frames = b->frames,
		               .capacity = b->capacity };
	int rc = c->format->parse(&c->reader, &batch, e);
	assert(rc || batch.full || batch.skip || batch.need > batch.n - batch.used);
	w->at += batch.used;
	c->used += batch.used;
	c->skip = batch.skip;
	c->need = batch.need;
	c->carry_fresh = batch.full;
	b->n = batch.count;
	if (c->filter && b->n) {
		struct error refused;
		int filtered = filter_run(c->filter, b->frames, &b->n, &refused);
		if (filtered) {
			rc = filtered;
			*e = refused;
		}
	}
	if (b->n)
		block_note_links(c, b, batch.mixed);
	return rc;
}

/* Reads more behind the window. 1: there is more; 0: nothing now, or ever; or -errno. */
static int window_fill(struct capture *c, struct frame_block *b, struct window *w, struct error *e)
{
	size_t have = w->end - w->at;
	if (w->at && have)
		memmove(b->bytes, b->bytes + w->at, have);
	*w = (struct window){ 0, have };
	/* More than the frames have room for is read only where a single record needs it. */
	size_t limit = (size_t)b->capacity * RECORD_MIN;
	if (!c->skip && c->need > limit)
		limit = c->need;
	int rc = block_reserve(c, b, limit, e);
	if (rc)
		return rc;
	ssize_t got = stream_read(c->stream, b->bytes + have, limit - have, e);
	if (got <= 0)
		return (int)got;
	capture_got(c, b->bytes + have, (size_t)got);
	w->end += (size_t)got;
	c->carry_fresh = !c->skip;
	return 1;
}

/* No more bytes now: there may be more later, or the file ends here, or it was cut inside a record. */
static int capture_end(struct capture *c, const struct frame_block *b, const struct window *w)
{
	struct error found;
	bool cut = w->end > w->at || c->skip || (c->format == &format_pcapng && c->reader.pcapng.trailer);
	if (stream_waits(c->stream)) {
		int rc = carry_save(c, b, w, &found);
		return rc ? capture_fail(c, rc, &found) : CAPTURE_WAIT;
	}
	if (!cut)
		return CAPTURE_END;
	error_set_at(&found, -ENODATA, "MON-CAP-011", c->used, "the file ends in the middle of a record");
	return capture_fail(c, -ENODATA, &found);
}

/* Frames are delivered before the failure that was met behind them, which waits for the next call. */
static int capture_deliver(struct capture *c, struct frame_block *b, const struct window *w)
{
	struct error found;
	int rc = c->failed ? 0 : carry_save(c, b, w, &found);
	if (rc)
		capture_fail(c, rc, &found);
	b->first = c->frames;
	c->frames += b->n;
	return CAPTURE_FRAMES;
}

static int capture_read_block(struct capture *c, struct frame_block *b)
{
	struct error found;
	struct window w;
	int rc = carry_restore(c, b, &w, &found);
	if (rc)
		return capture_fail(c, rc, &found);
	for (;;) {
		if (c->skip)
			window_skip(c, &w);
		if (c->carry_fresh) {
			rc = window_parse(c, b, &w, &found);
			if (rc)
				capture_fail(c, rc, &found);
			if (b->n)
				return capture_deliver(c, b, &w);
			if (rc)
				return rc;
			if (c->skip || c->carry_fresh)
				continue;
			assert(w.end - w.at < c->need);
		}
		rc = window_fill(c, b, &w, &found);
		if (rc < 0)
			return capture_fail(c, rc, &found);
		if (!rc)
			return capture_end(c, b, &w);
	}
}

int capture_read(struct capture *c, struct frame_block *b, struct error *e)
{
	int rc = c->failed;
	b->n = 0;
	if (!rc && !c->format) {
		struct error found;
		rc = capture_tell(c, &found);
		if (!rc)
			return CAPTURE_WAIT;
		rc = rc < 0 ? capture_fail(c, rc, &found) : 0;
	}
	if (!rc)
		rc = capture_read_block(c, b);
	if (rc < 0) {
		b->n = 0;
		if (e)
			*e = c->failure;
	}
	return rc;
}

/* --- telling about it --- */

void capture_info(const struct capture *c, struct capture_info *out)
{
	*out = (struct capture_info){
		.format = c->format ? c->format->name : "unknown",
		.compression = stream_compression(c->stream),
		.bytes_read = stream_raw(c->stream),
		.bytes_total = stream_total(c->stream),
		.uncompressed = c->uncompressed,
		.clamped_times = c->reader.clamped_times,
		.snap_lies = c->reader.snap_lies,
		.simulated = c->reader.simulated,
		.observed = c->reader.observed,
		.n_links = c->n_links,
	};
	memcpy(out->links, c->links, sizeof out->links);
}

void capture_digest(const struct capture *c, uint8_t out[static 16])
{
	XXH128_canonical_t canonical;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&c->hash));
	memcpy(out, canonical.digest, 16);
}
