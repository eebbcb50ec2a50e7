/* Links: capture */
/* The decompressors. An even first byte: the rest is a file as it is. An odd one: the rest is a capture, which is packed
 * here, in members of a length that the second byte says, and must read like the plain one. */
#include "fuzz_capture.h"

#include <zlib.h>
#include <zstd.h>
#if MONOMI_LZ4
#include <lz4frame.h>
#endif
#if MONOMI_XZ
#include <lzma.h>
#endif

#define PACKED_MAX (1u << 16)

struct packed {
	uint8_t p[PACKED_MAX];
	size_t n;
};

static void pack_gzip(struct packed *to, const uint8_t *p, size_t n)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n };
	z.next_out = to->p + to->n;
	z.avail_out = (uInt)(sizeof to->p - to->n);
	CHECK(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	to->n += z.total_out;
	deflateEnd(&z);
}

static void pack_zstd(struct packed *to, const uint8_t *p, size_t n)
{
	size_t got = ZSTD_compress(to->p + to->n, sizeof to->p - to->n, p, n, 1);
	CHECK(!ZSTD_isError(got));
	to->n += got;
}

static void pack_lz4(struct packed *to, const uint8_t *p, size_t n)
{
#if MONOMI_LZ4
	size_t got = LZ4F_compressFrame(to->p + to->n, sizeof to->p - to->n, p, n, NULL);
	CHECK(!LZ4F_isError(got));
	to->n += got;
#else
	pack_zstd(to, p, n);
#endif
}

static void pack_xz(struct packed *to, const uint8_t *p, size_t n)
{
#if MONOMI_XZ
	CHECK(!lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, p, n, to->p, &to->n, sizeof to->p));
#else
	pack_zstd(to, p, n);
#endif
}

static void pack(struct packed *to, unsigned kind, size_t member, const uint8_t *p, size_t n)
{
	static void (*const packers[])(struct packed *, const uint8_t *, size_t) = { pack_gzip, pack_zstd, pack_lz4, pack_xz };
	to->n = 0;
	while (n) {
		size_t now = member < n ? member : n;
		packers[kind](to, p, now);
		p += now;
		n -= now;
	}
}

static int packed_capture(const uint8_t *p, size_t n)
{
	static struct packed packed;
	struct fuzz_reading plain, unpacked;
	if (unpack_find(p + 2, n - 2))
		return -1; /* would be packed twice, and only one packing is looked for */
	fuzz_read(&plain, p + 2, n - 2, 4096, 0);
	pack(&packed, p[0] >> 1 & 3, (size_t)p[1] * 4 + 64, p + 2, n - 2);
	fuzz_read(&unpacked, packed.p, packed.n, 16u << (p[0] >> 5), 1 + p[1] % 64u);
	fuzz_same(&plain, &unpacked, false);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n < 16 || n > 4096)
		return -1;
	return p[0] & 1 ? packed_capture(p, n) : fuzz_capture(p, n, NULL);
}
