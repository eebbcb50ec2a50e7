/* What reading costs: nanoseconds of CPU time a packet, for each FILE the median of RUNS.
 *
 * usage: capture_read [-n RUNS] [-b BLOCK_BYTES] FILE…
 *
 * Everything that capture_read does is in it: system calls, decompression, framing, the digest. Run floor beside it:
 * machines differ and are noisy, only ratios hold.
 */
#include "capture/capture.h"
#include "capture/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct result {
	uint64_t packets;
	uint64_t bytes;
	double seconds;
	uint8_t digest[16];
};

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int read_all(struct capture *c, struct frame_block *b, struct result *out, struct error *e)
{
	int rc;
	while ((rc = capture_read(c, b, e)) == CAPTURE_FRAMES)
		out->packets += b->n;
	struct capture_info info;
	capture_info(c, &info);
	out->bytes = info.uncompressed;
	capture_digest(c, out->digest);
	return rc;
}

static int run(const char *path, size_t block, struct result *out)
{
	const struct env *env = env_system();
	struct capture_config config = { .filter = getenv("FILTER") };
	struct error e = { .code = "" };
	struct capture *c;
	struct frame_block b;
	memset(out, 0, sizeof *out);
	int rc = block ? frame_block_init_size(&b, env, block, &e) : frame_block_init(&b, env, &e);
	if (rc)
		return rc;
	double start = cpu_seconds();
	rc = capture_open(&c, env, path, &config, &e);
	if (!rc) {
		rc = read_all(c, &b, out, &e);
		capture_close(c);
	}
	out->seconds = cpu_seconds() - start;
	frame_block_fini(&b, env);
	if (rc < 0)
		fprintf(stderr, "%s: %s: %s (at byte %" PRIu64 ")\n", path, e.code, e.text, e.offset);
	return rc;
}

static int by_seconds(const void *a, const void *b)
{
	double x = ((const struct result *)a)->seconds, y = ((const struct result *)b)->seconds;
	return x < y ? -1 : x > y;
}

static void report(const char *path, const struct result *r)
{
	double packets = r->packets ? (double)r->packets : 1;
	printf("%-40s %10" PRIu64 " packets %7.2f ns a packet %7.2f GB/s  ", path, r->packets, r->seconds * 1e9 / packets,
	       (double)r->bytes / r->seconds * 1e-9);
	for (int i = 0; i < 16; i++)
		printf("%02x", r->digest[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	enum { RUNS_MAX = 101 };
	static struct result results[RUNS_MAX];
	int runs = 5, option, failed = 0;
	size_t block = 0;
	while ((option = getopt(argc, argv, "n:b:")) != -1) {
		if (option == 'n')
			runs = (int)strtol(optarg, NULL, 10);
		else if (option == 'b')
			block = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	runs = runs < 1 ? 1 : runs > RUNS_MAX ? RUNS_MAX : runs;
	for (int f = optind; f < argc; f++) {
		for (int i = 0; i < runs; i++)
			failed |= run(argv[f], block, &results[i]) < 0;
		qsort(results, (size_t)runs, sizeof *results, by_seconds);
		report(argv[f], &results[runs / 2]);
	}
	return failed;
}
