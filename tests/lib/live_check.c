/* What lies in a live sensor's folder, for tests: FOLDER [list]. Reads every piece through and prints one line of JSON:
 * packets of live-send by their numbers (found, found twice, missing between two of one writer), and what statistics and
 * markers say. With `list` each packet that is not live-send's has a line before it. Fails when a piece is not whole. */
#include "base/bytes.h"
#include "capture/capture.h"
#include "capture/pieces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS (UINT64_C(1) << 26)

static struct {
	const char *folder;
	bool list;
	uint8_t *seen; /* a bit a number */
	uint64_t packets, numbered, twice, holes, received, dropped, pieces, own, observed, tagged, markers;
	uint64_t marked_received, marked_dropped, marked_observed;
	uint64_t writer, next, writers; /* of the piece before */
	uint64_t groups;
	uint16_t tag;
} all;

static void note_number(uint64_t number, uint64_t writer)
{
	if (number >= NUMBERS)
		return;
	uint8_t bit = (uint8_t)(1u << number % 8);
	all.twice += (all.seen[number / 8] & bit) != 0;
	all.seen[number / 8] |= bit;
	all.numbered++;
	if (writer == all.writer && number > all.next)
		all.holes += number - all.next;
	all.next = number + 1;
	all.writer = writer;
}

static void list_packet(const struct frame *f, const uint8_t *ip)
{
	if (all.list)
		printf("%s %u %u.%u.%u.%u %u %u %u\n", f->marks & FRAME_OWN ? "own" : "not", ip[9], ip[12], ip[13], ip[14], ip[15],
		       load_be16(ip + 20), load_be16(ip + 22), f->caplen);
}

static void note_frame(const struct frame *f, uint64_t writer)
{
	const uint8_t *ip = f->data + 14;
	all.packets++;
	all.own += f->marks & FRAME_OWN;
	if (f->caplen >= 18 && load_be16(f->data + 12) == 0x8100) {
		all.tagged++;
		all.tag = load_be16(f->data + 14);
		ip += 4;
	}
	size_t left = f->caplen - (size_t)(ip - f->data);
	if (f->caplen < 38 || load_be16(ip - 2) != 0x0800 || left < 24)
		return;
	if (load_be32(ip + 12) == 0xc6130007 && ip[9] == 17 && load_be16(ip + 20) == 7 && left >= 36)
		note_number(load_be64(ip + 28), writer);
	else
		list_packet(f, ip);
}

static int read_piece(const char *path, const struct piece_name *n)
{
	struct capture_config config = { 0 };
	struct capture_info info;
	struct capture *c;
	struct frame_block b;
	struct error e = { 0 };
	int rc = capture_open(&c, env_system(), path, &config, &e);
	if (!rc)
		rc = frame_block_init(&b, env_system(), &e);
	while (!rc && (rc = capture_read(c, &b, &e)) == CAPTURE_FRAMES) {
		for (uint32_t i = 0; i < b.n; i++)
			note_frame(&b.frames[i], n->writer);
		rc = 0;
	}
	if (rc != CAPTURE_END) {
		fprintf(stderr, "%s: %s %s\n", path, e.code, e.text);
		return 1;
	}
	capture_info(c, &info);
	all.pieces++;
	all.received += info.observed.received;
	all.dropped += info.observed.dropped;
	all.observed += info.observed.ns;
	capture_close(c);
	frame_block_fini(&b, env_system());
	return 0;
}

static uint64_t member(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static int read_marker(const char *path)
{
	char text[500] = "";
	FILE *f = fopen(path, "r");
	if (!f || !fread(text, 1, sizeof text - 1, f))
		return 1;
	fclose(f);
	all.markers++;
	all.marked_received += member(text, "\"received\":");
	all.marked_dropped += member(text, "\"dropped\":");
	all.marked_observed += member(text, "\"observed_ns\":");
	return 0;
}

static int each(void *ctx, const char *name)
{
	static struct piece_name before;
	struct piece_name n;
	char path[600];
	(void)ctx;
	if (!piece_name_parse(name, &n))
		return *name == '.' ? 0 : 1;
	if (n.from != before.from || n.writer != before.writer)
		all.groups++;
	all.writers += n.writer != before.writer;
	before = n;
	snprintf(path, sizeof path, "%s/%s", all.folder, name);
	return n.closed ? read_marker(path) : read_piece(path, &n);
}

int main(int argc, char **argv)
{
	all.folder = argv[1];
	all.list = argc > 2 && !strcmp(argv[2], "list");
	all.seen = calloc(NUMBERS / 8, 1);
	if (argc < 2 || !all.seen || env_system()->list(env_system(), all.folder, each, NULL))
		return 1;
	printf("{\"packets\":%" PRIu64 ",\"numbered\":%" PRIu64 ",\"twice\":%" PRIu64 ",\"holes\":%" PRIu64 ",\"received\":%" PRIu64
	       ",\"dropped\":%" PRIu64 ",\"pieces\":%" PRIu64 ",\"own\":%" PRIu64 ",\"observed\":%" PRIu64 ",\"tagged\":%" PRIu64
	       ",\"tag\":%u,\"groups\":%" PRIu64 ",\"markers\":%" PRIu64 ",\"writers\":%" PRIu64 ",\"marked_received\":%" PRIu64
	       ",\"marked_dropped\":%" PRIu64 ",\"marked_observed\":%" PRIu64 "}\n", all.packets, all.numbered, all.twice, all.holes,
	       all.received, all.dropped, all.pieces, all.own, all.observed, all.tagged, all.tag, all.groups, all.markers,
	       all.writers, all.marked_received, all.marked_dropped, all.marked_observed);
	free(all.seen);
	return 0;
}
