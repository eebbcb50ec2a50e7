/* Compressed captures must read as plain ones do, whatever they are cut into. */
#include "capture_help.h"
#include "capture/unpack.h"

#include <zlib.h>
#include <zstd.h>
#if MONOMI_LZ4
#include <lz4frame.h>
#endif
#if MONOMI_XZ
#include <lzma.h>
#endif

static struct bytes plain, packed;
static struct outcome whole, o;

static void make_plain(unsigned records)
{
	memset(&plain, 0, sizeof plain);
	put_pcap_header(&plain, 0xa1b2c3d4, 4, 65535, 1);
	for (unsigned i = 0; i < records; i++)
		put_pcap_record(&plain, 1000 + i, i, 20 + i % 50, 60);
	read_bytes(&whole, plain.p, plain.n, (struct reading){ .block = 0 });
	assert_int_equal(whole.n, records);
}

/* --- one member or frame of each kind, appended --- */
static void pack_gzip(const uint8_t *p, size_t n)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n };
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = packed.p + packed.n;
	z.avail_out = (uInt)(sizeof packed.p - packed.n);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed.n += z.total_out;
	deflateEnd(&z);
}

static void pack_zstd(const uint8_t *p, size_t n)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	size_t got = ZSTD_compress2(c, packed.p + packed.n, sizeof packed.p - packed.n, p, n);
	assert_false(ZSTD_isError(got));
	packed.n += got;
	ZSTD_freeCCtx(c);
}

#if MONOMI_LZ4
static void pack_lz4(const uint8_t *p, size_t n)
{
	LZ4F_preferences_t how = { .frameInfo = { .contentChecksumFlag = LZ4F_contentChecksumEnabled } };
	size_t got = LZ4F_compressFrame(packed.p + packed.n, sizeof packed.p - packed.n, p, n, &how);
	assert_false(LZ4F_isError(got));
	packed.n += got;
}
#endif

#if MONOMI_XZ
static void pack_xz(const uint8_t *p, size_t n)
{
	lzma_ret rc = lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, p, n, packed.p, &packed.n, sizeof packed.p);
	assert_int_equal(rc, LZMA_OK);
}
#endif

static const struct kind {
	const char *name;
	void (*pack)(const uint8_t *p, size_t n);
	bool says_garbage; /* knows what follows a member from damage inside one */
} kinds[] = {
	{ "gzip", pack_gzip, true },
	{ "zstd", pack_zstd, true },
#if MONOMI_LZ4
	{ "lz4", pack_lz4, true },
#endif
#if MONOMI_XZ
	{ "xz", pack_xz, false },
#endif
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* The plain bytes in `members` pieces, each packed by itself. */
static void pack(const struct kind *k, unsigned members)
{
	memset(&packed, 0, sizeof packed);
	for (unsigned i = 0; i < members; i++) {
		size_t from = plain.n * i / members, to = plain.n * (i + 1) / members;
		k->pack(plain.p + from, to - from);
	}
}

static void check_same_as_plain(const char *name)
{
	assert_int_equal(o.rc, CAPTURE_END);
	assert_same_frames(&o, &whole);
	assert_memory_equal(o.digest, whole.digest, 16);
	assert_string_equal(o.info.compression, name);
	assert_int_equal(o.info.uncompressed, plain.n);
	assert_int_equal(o.info.bytes_read, packed.n);
}

static void test_same_as_plain(void **state)
{
	(void)state;
	static const struct reading ways[] = {
		{ .block = 0 }, { .block = 64 }, { .piece = 1 }, { .block = 100, .piece = 7, .pipe = true }, { .interrupt = true },
	};
	make_plain(1000);
	for (size_t i = 0; i < KINDS; i++) {
		for (unsigned members = 1; members <= 5; members += 2) {
			pack(&kinds[i], members);
			for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
				read_bytes(&o, packed.p, packed.n, ways[w]);
				check_same_as_plain(kinds[i].name);
			}
		}
	}
}

/* Cut anywhere: whole frames come first, then an error, unless the cut falls between two members and two records. */
static void test_every_cut(void **state)
{
	(void)state;
	make_plain(30);
	for (size_t i = 0; i < KINDS; i++) {
		pack(&kinds[i], 2);
		uint32_t before = 0;
		for (size_t n = 0; n < packed.n; n++) {
			read_bytes(&o, packed.p, n, (struct reading){ .block = 512 });
			assert_true(o.rc < 0);
			assert_true(o.n >= before);
			for (uint32_t k = 0; k < o.n; k++)
				assert_memory_equal(&o.frames[k], &whole.frames[k], sizeof o.frames[k]);
			before = o.n;
		}
		assert_true(before > 0);
	}
}

static void test_every_flip(void **state)
{
	(void)state;
	make_plain(8);
	for (size_t i = 0; i < KINDS; i++) {
		pack(&kinds[i], 1);
		check_every_flip(&packed, false);
	}
}

static void test_every_allocation(void **state)
{
	(void)state;
	make_plain(30);
	for (size_t i = 0; i < KINDS; i++) {
		pack(&kinds[i], 2);
		read_bytes(&o, packed.p, packed.n, (struct reading){ .block = 0 });
		assert_true(o.allocs > whole.allocs); /* the library's go through env too */
		check_every_allocation(&packed, &(struct outcome){ .n = whole.n, .allocs = o.allocs });
	}
}

static void expect_error(const char *code, uint32_t frames)
{
	read_bytes(&o, packed.p, packed.n, (struct reading){ .block = 0 });
	assert_true(o.rc < 0);
	assert_string_equal(o.e.code, code);
	assert_int_equal(o.n, frames);
}

static void test_damage(void **state)
{
	(void)state;
	make_plain(200);
	for (size_t i = 0; i < KINDS; i++) {
		pack(&kinds[i], 1);
		const size_t n = packed.n;
		put(&packed, "what is this?", 13);
		expect_error(kinds[i].says_garbage ? "MON-CAP-023" : "MON-CAP-020", 200);
		assert_true(!kinds[i].says_garbage || o.e.offset == n);
		packed.n = n - 3;
		expect_error("MON-CAP-021", 200); /* all is there but for the checksum */
		assert_int_equal(o.e.offset, n - 3);
		packed.n = n;
		for (size_t k = 0; k < 12; k++)
			packed.p[n / 2 + k] ^= 0x55;
		read_bytes(&o, packed.p, packed.n, (struct reading){ .block = 0 });
		assert_true(o.rc < 0);
	}
}

/* Some writers fill the last block of a tape or a disk (RFC 1952 says nothing; gzip(1) accepts it). */
static void test_gzip_padding(void **state)
{
	(void)state;
	make_plain(20);
	pack(&kinds[0], 1);
	put_zeros(&packed, 1000);
	read_bytes(&o, packed.p, packed.n, (struct reading){ .piece = 100 });
	check_same_as_plain("gzip");
}

/* RFC 8878 section 3.1.2: frames to skip, at the start (as pzstd writes them), between and behind. */
static void test_zstd_skippable(void **state)
{
	(void)state;
	make_plain(20);
	memset(&packed, 0, sizeof packed);
	for (int i = 0; i < 3; i++) {
		put32(&packed, 0x184d2a50u + (unsigned)i);
		put32(&packed, 5);
		put(&packed, "hello", 5);
		if (i < 2)
			pack_zstd(plain.p + plain.n / 2 * (size_t)i, i ? plain.n - plain.n / 2 : plain.n / 2);
	}
	read_bytes(&o, packed.p, packed.n, (struct reading){ .block = 0 });
	check_same_as_plain("zstd");
}

/* A frame that wants a window larger than the memory allowed is refused, and takes none of it. */
static void test_memory_bound(void **state)
{
	(void)state;
	make_plain(20);
	memset(&packed, 0, sizeof packed);
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 27);
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
	ZSTD_inBuffer in = { plain.p, plain.n, 0 };
	ZSTD_outBuffer out = { packed.p, sizeof packed.p, 0 };
	while (ZSTD_compressStream2(c, &out, &in, in.pos < in.size ? ZSTD_e_flush : ZSTD_e_end))
		;
	ZSTD_compressStream2(c, &out, &in, ZSTD_e_end);
	ZSTD_freeCCtx(c);
	packed.n = out.pos;
	read_bytes(&o, packed.p, packed.n, (struct reading){ .memory = 64 << 20 });
	assert_string_equal(o.e.code, "MON-CAP-022");
	assert_true(o.most_bytes < 2 << 20);
	read_bytes(&o, packed.p, packed.n, (struct reading){ .memory = 256 << 20 });
	check_same_as_plain("zstd");
}

/* Nothing but the beginning of a member. */
static void test_beginnings(void **state)
{
	(void)state;
	make_plain(20);
	for (size_t i = 0; i < KINDS; i++) {
		pack(&kinds[i], 1);
		for (packed.n = 1; packed.n < 20; packed.n++) {
			read_bytes(&o, packed.p, packed.n, (struct reading){ .piece = 1 });
			assert_true(o.rc < 0);
			assert_true(packed.n < UNPACK_MAGIC || !strcmp(o.e.code, "MON-CAP-021"));
		}
	}
}

/* A build without a library says so by name. */
static void test_absent_libraries(void **state)
{
	(void)state;
	static const uint8_t lz4[] = { 0x04, 0x22, 0x4d, 0x18, 0, 0, 0 }, xz[] = { 0xfd, '7', 'z', 'X', 'Z', 0, 0 };
	read_bytes(&o, lz4, sizeof lz4, (struct reading){ .block = 0 });
	assert_string_equal(o.e.code, MONOMI_LZ4 ? "MON-CAP-020" : "MON-CAP-009");
	read_bytes(&o, xz, sizeof xz, (struct reading){ .block = 0 });
	assert_string_equal(o.e.code, MONOMI_XZ ? "MON-CAP-021" : "MON-CAP-009");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_plain), cmocka_unit_test(test_every_cut), cmocka_unit_test(test_every_flip),
		cmocka_unit_test(test_every_allocation), cmocka_unit_test(test_damage), cmocka_unit_test(test_gzip_padding),
		cmocka_unit_test(test_zstd_skippable), cmocka_unit_test(test_memory_bound), cmocka_unit_test(test_beginnings),
		cmocka_unit_test(test_absent_libraries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
