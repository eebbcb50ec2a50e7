/* The short cut of decode_frames and the general path say the same, bit for bit: on frames cut at every byte, with bits
 * flipped, on random lengths and marks, and on every packet of the captures that are there. The same for all else that
 * must hold of any packet. */
#include "packet_text.h"

#include "base/bytes.h"
#include "../lib/packet_invariants.h"

#include <dirent.h>
#include <sys/stat.h>

static const struct {
	uint16_t link;
	const char *hex;
} seeds[] = {
	{ 1, MACS "0800" SYN "00000000 0000" },
	{ 1, MACS "0800 4500 0030 0007 4000 4006 4e8b c000 0201 c633 6401"
	     "03e8 0050 0000 0005 0000 0000 7002 0400 0000 0000 0204 05b4 0101 0402" },
	{ 1, MACS "0800 4500 0020 0007 4000 4011 4e90 c000 0201 c633 6401 1388 0035 000c 3d20 6161 6161 0000 0000" },
	{ 1, MACS "0800 4500 001f 0007 4000 4001 0000 c000 0201 c633 6401 0800 0000 0001 0002 616263 00000000000000" },
	{ 101, SYN },
	{ 101, "4500 001c 0007 4000 4006 0000 c000 0201 c633 6401 03e8 0050 0000 0005" }, /* a TCP header that is not there */
	{ 101, UDP6 },
	{ 101, "4500 005a 0001 0000 4011 0000 0a00 0001 0a00 0002 c000 12b5 0046 0000 0800 0000 0000 0100" MACS "0800" SYN },
	{ 1, MACS "8100 0001 0800" SYN },
};

struct randomness {
	uint64_t x;
};

static uint32_t next(struct randomness *r, uint32_t below)
{
	r->x ^= r->x << 13;
	r->x ^= r->x >> 7;
	r->x ^= r->x << 17;
	return (uint32_t)(r->x >> 20) % below;
}

static void all_configs(const struct frame *frame)
{
	for (int checksums = 0; checksums < 2; checksums++) {
		const char *broken = invariant_broken(frame, checksums);
		if (broken)
			fail_msg("link %u, %u of %u bytes: %s", frame->link, frame->caplen, frame->wirelen, broken);
	}
}

/* The bytes of a frame end where its memory ends. */
static void cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t s = 0; s < COUNT(seeds); s++) {
		struct bytes whole = bytes_of(seeds[s].hex);
		for (uint32_t n = 0; n <= whole.n; n++) {
			struct bytes b = { .p = malloc(n ? n : 1), .n = n };
			memcpy(b.p, whole.p, n);
			struct frame frame = frame_of(seeds[s].link, b);
			all_configs(&frame);
			frame.wirelen = whole.n;
			all_configs(&frame);
			free(b.p);
		}
		free(whole.p);
	}
}

static void every_bit_flipped(void **state)
{
	(void)state;
	for (size_t s = 0; s < COUNT(seeds); s++) {
		struct bytes b = bytes_of(seeds[s].hex);
		struct frame frame = frame_of(seeds[s].link, b);
		for (uint32_t bit = 0; bit < 8 * b.n; bit++) {
			b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			all_configs(&frame);
			b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		free(b.p);
	}
}

static void random_changes(void **state)
{
	(void)state;
	struct randomness r = { 0x9e3779b97f4a7c15u };
	static const uint16_t links[] = { 1, 101, 0, 113, 12 };

	for (size_t s = 0; s < COUNT(seeds); s++) {
		struct bytes whole = bytes_of(seeds[s].hex);
		for (int i = 0; i < 20000; i++) {
			struct bytes b = { .p = malloc(whole.n), .n = whole.n };
			memcpy(b.p, whole.p, whole.n);
			for (uint32_t k = next(&r, 4); k > 0; k--)
				b.p[next(&r, b.n)] = (uint8_t)next(&r, 256);
			struct frame frame = frame_of(next(&r, 8) ? seeds[s].link : links[next(&r, COUNT(links))], b);
			frame.caplen = next(&r, 3) ? b.n : next(&r, b.n + 1);
			frame.wirelen = next(&r, 3) ? b.n : next(&r, 2 * b.n);
			frame.fcs_len = next(&r, 8) ? 0 : (uint8_t)next(&r, 6);
			frame.marks = (uint8_t)next(&r, 8);
			frame.ts = (int64_t)r.x;
			all_configs(&frame);
			free(b.p);
		}
		free(whole.p);
	}
}

/* A batch is the same as its frames one by one. */
static void batches(void **state)
{
	(void)state;
	static const struct decode_config config = { .checksums = true };
	struct frame frames[COUNT(seeds)];
	struct packet packets[COUNT(seeds)];

	for (size_t s = 0; s < COUNT(seeds); s++)
		frames[s] = frame_of(seeds[s].link, bytes_of(seeds[s].hex));
	decode_frames(&config, frames, packets, COUNT(seeds));
	for (size_t s = 0; s < COUNT(seeds); s++) {
		struct packet p = decode_both(&config, frames + s);
		assert_memory_equal(&p, packets + s, sizeof(p));
		free((uint8_t *)(uintptr_t)frames[s].data);
	}
	decode_frames(&config, frames, packets, 0);
}

/* ---- Captures: plain pcap of this byte order is enough here ---- */

static size_t pcap_packets(const uint8_t *p, size_t n)
{
	size_t count = 0;

	if (n < 24 || (load_le32(p) != 0xa1b2c3d4 && load_le32(p) != 0xa1b23c4d))
		return 0;
	struct frame frame = { .link = load_le16(p + 20) };
	for (size_t at = 24; n - at >= 16; count++) {
		frame.caplen = load_le32(p + at + 8);
		frame.wirelen = load_le32(p + at + 12);
		frame.data = p + at + 16;
		if (frame.caplen > n - at - 16)
			break;
		all_configs(&frame);
		at += 16 + frame.caplen;
	}
	return count;
}

static size_t file_packets(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t count = 0, size = 1 << 25;
	uint8_t *p = malloc(size);

	assert_non_null(p);
	if (f) {
		count = pcap_packets(p, fread(p, 1, size, f));
		fclose(f);
	}
	free(p);
	return count;
}

static size_t folder_packets(const char *path)
{
	DIR *d = opendir(path);
	size_t count = 0;

	for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
		char inner[4096];
		struct stat st;
		snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		if (e->d_name[0] == '.' || stat(inner, &st))
			continue;
		count += S_ISDIR(st.st_mode) ? folder_packets(inner) : file_packets(inner);
	}
	if (d)
		closedir(d);
	return count;
}

static void captures(void **state)
{
	(void)state;
	const char *folder = getenv("MONOMI_CAPTURES");
	size_t count = folder_packets(folder ? folder : SOURCE_DIR "/../shared/captures");

	if (!count) {
		print_message("SKIP: captures absent\n");
		skip();
	}
	print_message("%zu packets of captures\n", count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_byte), cmocka_unit_test(every_bit_flipped), cmocka_unit_test(random_changes),
		cmocka_unit_test(batches),           cmocka_unit_test(captures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
