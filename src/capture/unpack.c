#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_createDCtx_advanced */
#define LZ4F_STATIC_LINKING_ONLY /* LZ4F_createDecompressionContext_advanced */
#include "capture/unpack.h"
#include "base/bytes.h"

#if MONOMI_LZ4
#include <lz4frame.h>
#endif
#if MONOMI_XZ
#include <lzma.h>
#endif
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define PIECE_HEADER 64 /* keeps the alignment that env gives */

void *unpack_piece_alloc(void *opaque, size_t n)
{
	struct unpack_memory *m = opaque;
	if (n > m->limit || m->limit - n < PIECE_HEADER || m->used > m->limit - n - PIECE_HEADER) {
		m->over = true;
		return NULL;
	}
	size_t *piece = env_alloc(m->env, n + PIECE_HEADER);
	if (!piece) {
		m->refused = true;
		return NULL;
	}
	*piece = n + PIECE_HEADER;
	m->used += n + PIECE_HEADER;
	return (uint8_t *)piece + PIECE_HEADER;
}

void unpack_piece_free(void *opaque, void *p)
{
	struct unpack_memory *m = opaque;
	if (!p)
		return;
	size_t *piece = (void *)((uint8_t *)p - PIECE_HEADER);
	m->used -= *piece;
	env_free(m->env, piece, *piece);
}

static void *piece_alloc_many(void *opaque, size_t n, size_t size)
{
	return size && n > SIZE_MAX / size ? NULL : unpack_piece_alloc(opaque, n * size);
}

/* Why a library gave up for want of memory. */
static enum unpack_status memory_status(const struct unpack_memory *m)
{
	return m->over ? UNPACK_LIMIT : UNPACK_NO_MEMORY;
}

static void io_advance(struct unpack_io *io, size_t in, size_t out)
{
	io->in += in;
	io->n_in -= in;
	io->out += out;
	io->n_out -= out;
}

/* --- gzip: RFC 1952; members may follow each other (2.2), and some writers pad the last with zeros. --- */
struct gzip {
	z_stream z;
	bool open;
	bool boundary;
};

static void *gzip_alloc(void *opaque, uInt n, uInt size) { return piece_alloc_many(opaque, n, size); }

static bool gzip_match(const uint8_t *p, size_t n) { return n >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8; }

static enum unpack_status gzip_open(void *state, struct unpack_memory *m)
{
	struct gzip *g = state;
	g->z = (z_stream){ .zalloc = gzip_alloc, .zfree = unpack_piece_free, .opaque = m };
	if (inflateInit2(&g->z, 15 + 16) != Z_OK) /* window of 32 KiB, gzip wrapper only */
		return memory_status(m);
	g->open = true;
	return UNPACK_OK;
}

static void gzip_skip_padding(struct unpack_io *io)
{
	while (io->n_in && !*io->in)
		io_advance(io, 1, 0);
}

static enum unpack_status gzip_run(void *state, struct unpack_io *io)
{
	struct gzip *g = state;
	if (g->boundary)
		gzip_skip_padding(io);
	io->boundary = g->boundary;
	if (g->boundary && !io->n_in)
		return UNPACK_OK;
	if (g->boundary && *io->in != 0x1f)
		return UNPACK_GARBAGE;
	size_t in = io->n_in < UINT32_MAX ? io->n_in : UINT32_MAX, out = io->n_out < UINT32_MAX ? io->n_out : UINT32_MAX;
	g->z.next_in = (Bytef *)(uintptr_t)io->in;
	g->z.avail_in = (uInt)in;
	g->z.next_out = io->out;
	g->z.avail_out = (uInt)out;
	int rc = inflate(&g->z, Z_NO_FLUSH);
	io_advance(io, in - g->z.avail_in, out - g->z.avail_out);
	g->boundary = io->boundary = rc == Z_STREAM_END;
	if (rc == Z_STREAM_END)
		rc = inflateReset(&g->z);
	if (rc == Z_MEM_ERROR)
		return memory_status(g->z.opaque);
	return rc == Z_OK || rc == Z_BUF_ERROR ? UNPACK_OK : UNPACK_DAMAGED;
}

static void gzip_close(void *state)
{
	struct gzip *g = state;
	if (g->open)
		inflateEnd(&g->z);
}

/* --- zstd: RFC 8878; frames may follow each other, skippable ones (3.1.2) are skipped by the library. --- */
struct zstd {
	ZSTD_DCtx *context;
	struct unpack_memory *memory;
	size_t wants; /* bytes up to the end of the block at hand */
	bool boundary;
};

static bool zstd_match(const uint8_t *p, size_t n)
{
	return n >= 4 && (load_le32(p) == ZSTD_MAGICNUMBER ||
	                  (load_le32(p) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START);
}

static enum unpack_status zstd_open(void *state, struct unpack_memory *m)
{
	struct zstd *z = state;
	z->memory = m;
	z->wants = ZSTD_FRAMEHEADERSIZE_PREFIX(ZSTD_f_zstd1);
	z->context = ZSTD_createDCtx_advanced((ZSTD_customMem){ unpack_piece_alloc, unpack_piece_free, m });
	if (!z->context)
		return memory_status(m);
	/* The bound on memory is unpack_piece_alloc's; the library's own (128 MiB windows) would only hide it. */
	ZSTD_DCtx_setMaxWindowSize(z->context, (size_t)1 << 31);
	return UNPACK_OK;
}

/* Block by block: where a call fails, the library does not say what it had given before. */
static enum unpack_status zstd_run(void *state, struct unpack_io *io)
{
	struct zstd *z = state;
	ZSTD_inBuffer in = { io->in, io->n_in < z->wants ? io->n_in : z->wants, 0 };
	ZSTD_outBuffer out = { io->out, io->n_out, 0 };
	bool before = z->boundary;
	size_t rc = ZSTD_decompressStream(z->context, &out, &in);
	io_advance(io, in.pos, out.pos);
	if (ZSTD_isError(rc)) {
		ZSTD_ErrorCode code = ZSTD_getErrorCode(rc);
		if (code == ZSTD_error_memory_allocation)
			return memory_status(z->memory);
		if (code == ZSTD_error_frameParameter_windowTooLarge)
			return UNPACK_LIMIT;
		return before && code == ZSTD_error_prefix_unknown ? UNPACK_GARBAGE : UNPACK_DAMAGED;
	}
	z->boundary = io->boundary = !rc || (before && !in.pos);
	z->wants = rc ? rc : ZSTD_FRAMEHEADERSIZE_PREFIX(ZSTD_f_zstd1);
	return UNPACK_OK;
}

static void zstd_close(void *state)
{
	struct zstd *z = state;
	ZSTD_freeDCtx(z->context);
}

static bool lz4_match(const uint8_t *p, size_t n) { return n >= 4 && load_le32(p) == 0x184d2204; }
static bool xz_match(const uint8_t *p, size_t n) { return n >= 6 && !memcmp(p, "\xfd" "7zXZ", 6); }

#if MONOMI_LZ4
/* --- lz4: the frame format (lz4_Frame_format.md); frames may follow each other. --- */
struct lz4 {
	LZ4F_dctx *context;
	struct unpack_memory *memory;
	size_t wants; /* as above */
	bool boundary;
};

/* The library's calloc hook, when it is not given one, is alloc and memset; env's memory is zero already. */
static enum unpack_status lz4_open(void *state, struct unpack_memory *m)
{
	struct lz4 *l = state;
	LZ4F_CustomMem hooks = { unpack_piece_alloc, unpack_piece_alloc, unpack_piece_free, m };
	l->memory = m;
	l->wants = LZ4F_HEADER_SIZE_MIN;
	l->context = LZ4F_createDecompressionContext_advanced(hooks, LZ4F_VERSION);
	return l->context ? UNPACK_OK : memory_status(m);
}

static enum unpack_status lz4_run(void *state, struct unpack_io *io)
{
	struct lz4 *l = state;
	size_t in = io->n_in < l->wants ? io->n_in : l->wants, out = io->n_out;
	bool before = l->boundary;
	size_t rc = LZ4F_decompress(l->context, io->out, &out, io->in, &in, NULL);
	if (LZ4F_isError(rc)) {
		if (LZ4F_getErrorCode(rc) == LZ4F_ERROR_allocation_failed)
			return memory_status(l->memory);
		return before && LZ4F_getErrorCode(rc) == LZ4F_ERROR_frameType_unknown ? UNPACK_GARBAGE : UNPACK_DAMAGED;
	}
	io_advance(io, in, out);
	l->boundary = io->boundary = !rc || (before && !in);
	l->wants = rc ? rc : LZ4F_HEADER_SIZE_MIN;
	return UNPACK_OK;
}

static void lz4_close(void *state)
{
	struct lz4 *l = state;
	LZ4F_freeDecompressionContext(l->context);
}

#endif

#if MONOMI_XZ
/* --- xz: the library reads concatenated streams and their padding itself, and must be told of the end. --- */
struct xz {
	lzma_stream z;
	lzma_allocator allocator;
	bool open;
	bool boundary;
};

static enum unpack_status xz_open(void *state, struct unpack_memory *m)
{
	struct xz *x = state;
	x->allocator = (lzma_allocator){ piece_alloc_many, unpack_piece_free, m };
	x->z = (lzma_stream)LZMA_STREAM_INIT;
	x->z.allocator = &x->allocator;
	if (lzma_stream_decoder(&x->z, m->limit, LZMA_CONCATENATED) != LZMA_OK)
		return memory_status(m);
	x->open = true;
	return UNPACK_OK;
}

static enum unpack_status xz_run(void *state, struct unpack_io *io)
{
	struct xz *x = state;
	io->boundary = x->boundary;
	if (x->boundary)
		return UNPACK_OK;
	size_t in = io->n_in, out = io->n_out;
	x->z.next_in = io->in;
	x->z.avail_in = in;
	x->z.next_out = io->out;
	x->z.avail_out = out;
	lzma_ret rc = lzma_code(&x->z, io->end ? LZMA_FINISH : LZMA_RUN);
	io_advance(io, in - x->z.avail_in, out - x->z.avail_out);
	x->boundary = io->boundary = rc == LZMA_STREAM_END;
	if (rc == LZMA_MEM_ERROR)
		return memory_status(x->allocator.opaque);
	if (rc == LZMA_MEMLIMIT_ERROR)
		return UNPACK_LIMIT;
	return rc == LZMA_OK || rc == LZMA_BUF_ERROR || rc == LZMA_STREAM_END ? UNPACK_OK : UNPACK_DAMAGED;
}

static void xz_close(void *state)
{
	struct xz *x = state;
	if (x->open)
		lzma_end(&x->z);
}

#endif

/* What this build reads; a row without functions is recognised and refused by name. */
static const struct unpacker unpackers[] = {
	{ "gzip", sizeof(struct gzip), gzip_match, gzip_open, gzip_run, gzip_close },
	{ "zstd", sizeof(struct zstd), zstd_match, zstd_open, zstd_run, zstd_close },
#if MONOMI_LZ4
	{ "lz4", sizeof(struct lz4), lz4_match, lz4_open, lz4_run, lz4_close },
#else
	{ "lz4", 0, lz4_match, NULL, NULL, NULL },
#endif
#if MONOMI_XZ
	{ "xz", sizeof(struct xz), xz_match, xz_open, xz_run, xz_close },
#else
	{ "xz", 0, xz_match, NULL, NULL, NULL },
#endif
};

const struct unpacker *unpack_find(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof unpackers / sizeof *unpackers; i++)
		if (unpackers[i].match(p, n))
			return &unpackers[i];
	return NULL;
}
