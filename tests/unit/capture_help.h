/* For the tests of capture/: captures made in memory, read whole, compared. */
#pragma once
#include "capture/capture.h"
#include "capture/format.h"
#include "base/bytes.h"
#include "../lib/memory_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* These tests read thousands of files, each with blocks of its own: a large quarantine turns that into page faults. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "quarantine_size_mb=8"; }

/* --- bytes --- */
struct bytes {
	uint8_t p[1 << 18];
	size_t n;
	bool swap; /* integers are put big-endian */
};

static inline void put(struct bytes *b, const void *p, size_t n)
{
	assert_true(n <= sizeof b->p - b->n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void put_zeros(struct bytes *b, size_t n)
{
	while (n--)
		put(b, "", 1);
}

static inline void put8(struct bytes *b, uint8_t v) { put(b, &v, 1); }

static inline void put16(struct bytes *b, uint16_t v)
{
	uint8_t t[2];
	b->swap ? store_be16(t, v) : store_le16(t, v);
	put(b, t, 2);
}

static inline void put32(struct bytes *b, uint32_t v)
{
	uint8_t t[4];
	b->swap ? store_be32(t, v) : store_le32(t, v);
	put(b, t, 4);
}

static inline void put64(struct bytes *b, uint64_t v)
{
	uint8_t t[8];
	b->swap ? store_be64(t, v) : store_le64(t, v);
	put(b, t, 8);
}

/* n bytes that differ from packet to packet. */
static inline void put_payload(struct bytes *b, unsigned seed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put8(b, (uint8_t)(seed * 37 + i * 11 + 5));
}

/* --- pcap --- */
static inline void put_pcap_header(struct bytes *b, uint32_t magic, uint16_t minor, uint32_t snap, uint32_t link)
{
	put32(b, magic);
	put16(b, 2);
	put16(b, minor);
	put64(b, 0);
	put32(b, snap);
	put32(b, link);
}

static inline void put_pcap_record(struct bytes *b, uint32_t sec, uint32_t frac, uint32_t caplen, uint32_t wirelen)
{
	put32(b, sec);
	put32(b, frac);
	put32(b, caplen);
	put32(b, wirelen);
	put_payload(b, sec, caplen);
}

/* --- pcapng: blocks are closed with their length --- */
static inline size_t block_start(struct bytes *b, uint32_t type)
{
	size_t at = b->n;
	put32(b, type);
	put32(b, 0);
	return at;
}

static inline void block_end(struct bytes *b, size_t at)
{
	put_zeros(b, (4 - b->n % 4) % 4);
	uint32_t total = (uint32_t)(b->n - at + 4);
	put32(b, total);
	b->swap ? store_be32(b->p + at + 4, total) : store_le32(b->p + at + 4, total);
}

static inline void put_option(struct bytes *b, uint16_t code, const void *value, uint16_t n)
{
	put16(b, code);
	put16(b, n);
	put(b, value, n);
	put_zeros(b, (4 - n % 4u) % 4);
}

static inline void put_section(struct bytes *b, uint16_t major, uint16_t minor)
{
	size_t at = block_start(b, 0x0a0d0d0a);
	put32(b, 0x1a2b3c4d);
	put16(b, major);
	put16(b, minor);
	put64(b, UINT64_MAX);
	block_end(b, at);
}

/* resolution 255: no option; offset 0: no option. */
static inline void put_interface(struct bytes *b, uint16_t link, uint32_t snap, uint8_t resolution, int64_t offset)
{
	size_t at = block_start(b, 1);
	put16(b, link);
	put16(b, 0);
	put32(b, snap);
	if (resolution != 255)
		put_option(b, 9, &resolution, 1);
	if (offset) {
		put16(b, 14);
		put16(b, 8);
		put64(b, (uint64_t)offset);
	}
	put_option(b, 0, NULL, 0);
	block_end(b, at);
}

static inline void put_enhanced(struct bytes *b, uint32_t interface, uint64_t units, uint32_t caplen, uint32_t wirelen)
{
	size_t at = block_start(b, 6);
	put32(b, interface);
	put32(b, (uint32_t)(units >> 32));
	put32(b, (uint32_t)units);
	put32(b, caplen);
	put32(b, wirelen);
	put_payload(b, (unsigned)units, caplen);
	block_end(b, at);
}

/* --- reading --- */
#define SEEN_MAX 4096

struct seen {
	struct frame f; /* data: NULL */
	uint64_t hash;  /* of the data, every byte touched */
};

struct outcome {
	int rc;
	struct error e;
	uint32_t n;
	struct seen frames[SEEN_MAX];
	struct capture_info info;
	uint8_t digest[16];
	uint64_t allocs;
	uint64_t most_bytes;
	uint64_t waits;
};

struct reading {
	size_t block;  /* 0: the usual */
	size_t piece;  /* bytes a read gives */
	size_t memory;
	const char *filter;
	bool pipe, interrupt, swell;
	uint64_t fail_alloc, fail_read;
};

static inline uint64_t data_hash(const uint8_t *p, size_t n)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211u;
	return h;
}

static inline void note_frames(struct outcome *o, const struct frame_block *b)
{
	assert_true(b->n > 0 && b->n <= b->capacity);
	assert_int_equal(b->first, o->n);
	for (uint32_t i = 0; i < b->n && o->n < SEEN_MAX; i++) {
		struct seen *s = &o->frames[o->n++];
		const struct frame *f = &b->frames[i];
		memset(s, 0, sizeof *s); /* field by field, as a copy's padding could differ */
		s->f.ts = f->ts;
		s->f.caplen = f->caplen;
		s->f.wirelen = f->wirelen;
		s->f.link = f->link;
		s->f.fcs_len = f->fcs_len;
		s->f.marks = f->marks;
		s->hash = data_hash(f->data, f->caplen);
	}
}

static inline void read_frames(struct outcome *o, struct capture *c, struct frame_block *b)
{
	while ((o->rc = capture_read(c, b, &o->e)) == CAPTURE_FRAMES || o->rc == CAPTURE_WAIT) {
		if (o->rc == CAPTURE_FRAMES)
			note_frames(o, b);
		else
			o->waits++;
	}
	assert_int_equal(b->n, 0);
	if (o->rc < 0) { /* failures are for good */
		struct error again;
		assert_int_equal(capture_read(c, b, &again), o->rc);
		assert_string_equal(again.code, o->e.code);
		assert_int_equal(again.offset, o->e.offset);
	}
	capture_info(c, &o->info);
	capture_digest(c, o->digest);
}

/* Reads the bytes as a file and leaves nothing behind. */
static inline void read_bytes(struct outcome *o, const uint8_t *p, size_t n, struct reading how)
{
	static struct memory_env m;
	memory_env_init(&m, p, n);
	m.piece = how.piece;
	m.pipe = how.pipe;
	m.interrupt = how.interrupt;
	m.swell = how.swell;
	m.fail_alloc = how.fail_alloc;
	m.fail_read = how.fail_read;
	memset(o, 0, sizeof *o);
	struct capture_config config = { .filter = how.filter, .memory = how.memory };
	struct capture *c = NULL;
	struct frame_block b;
	o->rc = how.block ? frame_block_init_size(&b, &m.env, how.block, &o->e) : frame_block_init(&b, &m.env, &o->e);
	if (!o->rc)
		o->rc = capture_open(&c, &m.env, "file", &config, &o->e);
	if (!o->rc)
		read_frames(o, c, &b);
	capture_close(c);
	frame_block_fini(&b, &m.env);
	assert_int_equal(m.live_bytes, 0);
	assert_int_equal(m.live_fds, 0);
	if (o->rc < 0) {
		assert_memory_equal(o->e.code, "MON-", 4);
		assert_true(o->e.text[0] && !strchr(o->e.text, '\n'));
	}
	o->allocs = m.allocs;
	o->most_bytes = m.most_bytes;
}

static inline void assert_same_frames(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->n, b->n);
	for (uint32_t i = 0; i < a->n; i++)
		assert_memory_equal(&a->frames[i], &b->frames[i], sizeof a->frames[i]);
}

/* Files cut anywhere, flipped anywhere, read in any pieces: what must hold whatever the format is. */
static inline void check_every_cut(const struct bytes *b, const struct outcome *whole)
{
	static struct outcome o;
	uint32_t before = 0;
	for (size_t n = 0; n <= b->n; n++) {
		read_bytes(&o, b->p, n, (struct reading){ .block = 4096 });
		assert_true(o.rc == CAPTURE_END || o.rc < 0);
		assert_true(o.n >= before && o.n <= whole->n);
		for (uint32_t i = 0; i < o.n; i++)
			assert_memory_equal(&o.frames[i], &whole->frames[i], sizeof o.frames[i]);
		if (o.rc < 0)
			assert_true(!o.e.has_offset || o.e.offset <= n);
		before = o.n;
	}
	assert_int_equal(o.rc, CAPTURE_END);
	assert_int_equal(before, whole->n);
}

/* `exact`: whatever is wrong is met alike, however the bytes come. (Decompressors differ in how far they look ahead.) */
static inline void check_flip(const struct bytes *b, bool exact)
{
	static struct outcome o, pieces;
	read_bytes(&o, b->p, b->n, (struct reading){ .block = 1024 });
	assert_true(o.rc == CAPTURE_END || o.rc < 0);
	if (!exact)
		return;
	read_bytes(&pieces, b->p, b->n, (struct reading){ .block = 32, .piece = 13 });
	assert_int_equal(pieces.rc, o.rc);
	assert_string_equal(pieces.e.code, o.e.code);
	assert_int_equal(pieces.e.offset, o.e.offset);
	assert_same_frames(&pieces, &o);
}

static inline void check_every_flip(struct bytes *b, bool exact)
{
	for (size_t i = 0; i < b->n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b->p[i] ^= (uint8_t)(1u << bit);
			check_flip(b, exact);
			b->p[i] ^= (uint8_t)(1u << bit);
		}
	}
}

static inline void check_every_piece(const struct bytes *b, const struct outcome *whole)
{
	static struct outcome o;
	static const size_t sizes[] = { 1, 2, 3, 7, 16, 24, 31, 64, 100, 255, 1000, 4096, 65536 };
	const size_t count = sizeof sizes / sizeof *sizes;
	for (size_t i = 0; i < count * count; i++) {
		struct reading how = { .block = sizes[i % count], .piece = sizes[i / count], .pipe = i % 2, .interrupt = i % 3 == 1 };
		how.swell = i % 5 == 2;
		read_bytes(&o, b->p, b->n, how);
		assert_int_equal(o.rc, whole->rc);
		assert_same_frames(&o, whole);
		assert_true(!how.interrupt == !o.waits);
		assert_memory_equal(o.digest, whole->digest, 16);
	}
}

static inline void check_every_allocation(const struct bytes *b, const struct outcome *whole)
{
	static struct outcome o;
	assert_true(whole->allocs > 3);
	for (uint64_t i = 1; i <= whole->allocs; i++) {
		read_bytes(&o, b->p, b->n, (struct reading){ .fail_alloc = i });
		assert_int_equal(o.rc, -ENOMEM);
		assert_string_equal(o.e.code, "MON-BASE-001");
		assert_true(o.n <= whole->n);
	}
}

static inline void check_every_read(const struct bytes *b, const struct outcome *whole)
{
	static struct outcome o;
	for (uint64_t i = 1; i < 1000; i++) {
		read_bytes(&o, b->p, b->n, (struct reading){ .fail_read = i, .piece = 50 });
		if (o.rc == CAPTURE_END)
			return;
		assert_int_equal(o.rc, -EIO);
		assert_string_equal(o.e.code, "MON-CAP-002");
		assert_true(o.n <= whole->n);
	}
	fail_msg("the file needs more than 1000 reads");
}

static inline void check_everything(struct bytes *b)
{
	static struct outcome whole;
	read_bytes(&whole, b->p, b->n, (struct reading){ .block = 0 });
	assert_int_equal(whole.rc, CAPTURE_END);
	assert_true(whole.n > 1);
	check_every_cut(b, &whole);
	check_every_piece(b, &whole);
	check_every_allocation(b, &whole);
	check_every_read(b, &whole);
	check_every_flip(b, true);
}
