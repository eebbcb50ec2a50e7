/* What decoding costs: nanoseconds of CPU time a packet, batches of 64 frames that lie in the cache.
 *
 * usage: packet_decode [-n RUNS] [-m PACKETS] FILE
 *
 * FILE is a plain pcap of this machine's byte order. Of its first PACKETS (4,096: about 600 kB with their packets) a pass
 * over all batches is repeated; the median of RUNS is printed for decode_frames with and without checksums, and for the
 * general path alone.
 */
#include "packet/decode.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define PASSES 200

struct slice {
	uint8_t *bytes;
	struct frame *frames;
	struct packet *packets;
	size_t n;
};

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int slice_read(struct slice *s, FILE *f, size_t most)
{
	size_t size = most * 2048, at = 24;

	s->bytes = calloc(1, size);
	s->frames = calloc(most + BATCH, sizeof(*s->frames));
	s->packets = aligned_alloc(64, (most + BATCH) * sizeof(*s->packets));
	if (!s->bytes || !s->frames || !s->packets)
		return -1;
	size_t n = fread(s->bytes, 1, size, f);
	if (n < 24 || (load_le32(s->bytes) != 0xa1b2c3d4 && load_le32(s->bytes) != 0xa1b23c4d))
		return -1;
	uint16_t link = load_le16(s->bytes + 20);
	while (s->n < most && n - at >= 16 && load_le32(s->bytes + at + 8) <= n - at - 16) {
		const uint8_t *r = s->bytes + at;
		s->frames[s->n++] = (struct frame){
			.ts = load_le32(r) * 1000000000LL, .data = r + 16, .caplen = load_le32(r + 8), .wirelen = load_le32(r + 12),
			.link = link,
		};
		at += 16 + load_le32(r + 8);
	}
	s->n -= s->n % BATCH;
	return s->n ? 0 : -1;
}

static double pass_fast(struct slice *s, const struct decode_config *config)
{
	double start = cpu_seconds();

	for (int i = 0; i < PASSES; i++)
		for (size_t at = 0; at < s->n; at += BATCH)
			decode_frames(config, s->frames + at, s->packets + at, BATCH);
	return (cpu_seconds() - start) / PASSES / (double)s->n * 1e9;
}

static double pass_general(struct slice *s, const struct decode_config *config)
{
	double start = cpu_seconds();

	for (int i = 0; i < PASSES; i++)
		for (size_t at = 0; at < s->n; at++)
			decode_frame(config, s->frames + at, s->packets + at);
	return (cpu_seconds() - start) / PASSES / (double)s->n * 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void report(const char *what, struct slice *s, bool checksums, int runs,
                   double (*pass)(struct slice *, const struct decode_config *))
{
	struct decode_config config = { .checksums = checksums };
	double *times = calloc((size_t)runs, sizeof(*times));

	if (!times)
		return;
	for (int i = 0; i < runs; i++)
		times[i] = pass(s, &config);
	qsort(times, (size_t)runs, sizeof(*times), compare);
	printf("%-34s %6.2f ns a packet (least %.2f)\n", what, times[runs / 2], times[0]);
	free(times);
}

int main(int argc, char **argv)
{
	int runs = 9, option;
	size_t most = 4096;
	struct slice s = { 0 };

	while ((option = getopt(argc, argv, "n:m:")) != -1) {
		if (option == 'n')
			runs = (int)strtol(optarg, NULL, 10);
		else if (option == 'm')
			most = (size_t)strtol(optarg, NULL, 10);
		else
			return 2;
	}
	FILE *f = optind < argc ? fopen(argv[optind], "rb") : NULL;
	if (!f || runs < 1 || most < BATCH || slice_read(&s, f, most)) {
		fprintf(stderr, "usage: packet_decode [-n RUNS] [-m PACKETS] FILE: FILE must be a plain pcap of this byte order\n");
		return 2;
	}
	printf("%zu packets of %s\n", s.n, argv[optind]);
	report("decode_frames", &s, false, runs, pass_fast);
	report("decode_frames, checksums", &s, true, runs, pass_fast);
	report("general path", &s, false, runs, pass_general);
	report("general path, checksums", &s, true, runs, pass_general);
	fclose(f);
	free(s.bytes);
	free(s.frames);
	free(s.packets);
	return 0;
}
