/* What the harnesses of the capture formats share.
 *
 * The first byte of an input says how the rest is read a second time: in which pieces, into how small a block. Both
 * readings must end alike and give the same frames; every byte of every frame is touched; what was allocated is freed.
 */
#pragma once
#include "capture/capture.h"
#include "capture/format.h"
#include "capture/unpack.h"
#include "../tests/lib/memory_env.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(x) ((x) ? (void)0 : fuzz_wrong(#x, __FILE__, __LINE__))

static inline void fuzz_wrong(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* Each run frees all it has: the quarantine would only turn the cache over. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "quarantine_size_mb=1"; }

struct fuzz_reading {
	int rc;
	struct error e;
	uint64_t frames;
	uint64_t bytes; /* captured */
	uint64_t hash;  /* of all fields and bytes of all frames */
	uint8_t digest[16];
	struct capture_info info;
};

static inline uint64_t fuzz_mix(uint64_t h, uint64_t v) { return (h ^ v) * UINT64_C(0x9e3779b97f4a7c15) ^ h >> 29; }

static inline void fuzz_note(struct fuzz_reading *r, const struct frame_block *b)
{
	CHECK(b->n && b->n <= b->capacity && b->first == r->frames);
	const uint8_t *end = b->frames[0].data - RECORD_MIN;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct frame *f = &b->frames[i];
		/* No record has less than RECORD_MIN bytes about its packet; an ERF cell is its record, header and all. */
		ptrdiff_t gap = f->link == LINK_ERF ? 0 : RECORD_MIN;
		CHECK(f->data - end >= gap);
		end = f->data + f->caplen;
		r->hash = fuzz_mix(fuzz_mix(fuzz_mix(r->hash, (uint64_t)f->ts), f->caplen), f->wirelen);
		r->hash = fuzz_mix(r->hash, (uint64_t)f->link | (uint64_t)f->fcs_len << 16 | (uint64_t)f->marks << 24);
		for (uint32_t k = 0; k < f->caplen; k++)
			r->hash = fuzz_mix(r->hash, f->data[k]);
		r->bytes += f->caplen;
	}
	r->frames += b->n;
}

static inline void fuzz_read(struct fuzz_reading *r, const uint8_t *p, size_t n, size_t block, size_t piece)
{
	struct memory_env m;
	memory_env_init(&m, p, n);
	m.piece = piece;
	memset(r, 0, sizeof *r);
	struct capture_config config = { .memory = 8 << 20 };
	struct capture *c = NULL;
	struct frame_block b;
	CHECK(!frame_block_init_size(&b, &m.env, block, &r->e));
	r->rc = capture_open(&c, &m.env, "file", &config, &r->e);
	if (!r->rc) {
		while ((r->rc = capture_read(c, &b, &r->e)) == CAPTURE_FRAMES)
			fuzz_note(r, &b);
		capture_info(c, &r->info);
		capture_digest(c, r->digest);
		CHECK(r->bytes <= r->info.uncompressed);
	}
	CHECK(r->rc == CAPTURE_END || (r->rc < 0 && r->e.code[0] && r->e.text[0]));
	capture_close(c);
	frame_block_fini(&b, &m.env);
	CHECK(!m.live_bytes && !m.live_fds);
}

/* Of damaged compressed data comes as much as its library happened to give before it saw the damage. */
static inline void fuzz_same(const struct fuzz_reading *a, const struct fuzz_reading *b, bool compressed)
{
	CHECK(a->rc == b->rc || (a->rc < 0 && b->rc < 0));
	if (a->rc < 0 && compressed)
		return;
	CHECK(a->rc == b->rc && !strcmp(a->e.code, b->e.code) && a->e.offset == b->e.offset);
	CHECK(a->frames == b->frames && a->hash == b->hash);
	CHECK(a->rc < 0 || !memcmp(a->digest, b->digest, 16));
	const struct observed *x = &a->info.observed, *y = &b->info.observed;
	CHECK(x->sections == y->sections && x->from == y->from && x->to == y->to && x->ns == y->ns);
	CHECK(x->received == y->received && x->dropped == y->dropped);
}

/* -1: the input is of another format; libFuzzer then keeps it out of this harness's corpus. */
static inline int fuzz_capture(const uint8_t *p, size_t n, const char *format)
{
	if (n < 2)
		return -1;
	struct fuzz_reading whole, cut;
	fuzz_read(&whole, p + 1, n - 1, 4096, 0);
	if (format && whole.info.format && strcmp(whole.info.format, format))
		return -1;
	fuzz_read(&cut, p + 1, n - 1, 16u << (p[0] & 7), (p[0] >> 3) + 1u);
	fuzz_same(&whole, &cut, unpack_find(p + 1, n - 1));
	return 0;
}
