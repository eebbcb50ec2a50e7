/* What classifying costs: nanoseconds a packet over packets that are decoded already. Of 21 runs the sixth
 * fastest: the slow ones say how busy the machine was.
 *
 * usage: classify_packets FILE [PACKETS] [PREFIX]
 *
 * FILE: a little-endian pcap of Ethernet frames. Its first PACKETS (200,000) are decoded once and copied in batches of 64
 * into one place, as the pipeline has them: in cache, with the bytes that they point to. The cost of that is measured
 * beside it and taken off. One line
 * for the whole mix, then one by class.
 */
#include "base/bytes.h"
#include "classify/classify.h"
#include "packet/decode.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define BATCH 64
#define RUNS 21

struct trace {
	struct packet *packets;
	size_t n;
};

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The bytes stay mapped: packets point into them. */
static bool trace_read(struct trace *t, const char *path, size_t limit)
{
	static const struct decode_config config = { 0 };
	int fd = open(path, O_RDONLY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		return false;
	const uint8_t *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	size_t size = (size_t)st.st_size, at = 24;
	t->packets = aligned_alloc(64, limit * sizeof *t->packets);
	if (data == MAP_FAILED || !t->packets)
		return false;
	while (t->n < limit && at + 16 < size) {
		uint32_t length = load_le32(data + at + 8);
		struct frame f = { .data = data + at + 16, .caplen = length, .wirelen = load_le32(data + at + 12), .link = 1 };
		if (length > size - at - 16)
			break;
		decode_frame(&config, &f, &t->packets[t->n++]);
		at += 16 + length;
	}
	return true;
}

/* Nanoseconds a packet of the copy alone (c NULL), or of the copy and the classifier. */
static double run(const struct classify *c, const struct trace *t, uint64_t *sum)
{
	static _Alignas(64) struct packet batch[BATCH];
	static struct verdict verdicts[BATCH];
	double start = seconds();
	for (size_t at = 0; at + BATCH <= t->n; at += BATCH) {
		memcpy(batch, t->packets + at, sizeof batch);
		for (size_t i = 0; i < BATCH; i++) /* the decoder has just read these */
			if (batch[i].ip)
				*sum += batch[i].ip[0] + batch[i].ip[batch[i].payload_offset];
		if (c)
			classify_packets(c, batch, verdicts, BATCH, NULL);
		*sum += verdicts[at / BATCH % BATCH].class + batch[at % BATCH].seq;
	}
	return (seconds() - start) * 1e9 / (double)(t->n / BATCH * BATCH);
}

static double quartile(const struct classify *c, const struct trace *t)
{
	double times[RUNS];
	uint64_t sum = 0;
	for (size_t i = 0; i < RUNS; i++)
		times[i] = run(c, t, &sum);
	qsort(times, RUNS, sizeof *times, compare);
	if (sum == 1) /* keeps the work from being left out */
		puts("");
	return times[RUNS / 4];
}

static void report(const char *name, const struct classify *c, const struct trace *t, size_t of)
{
	if (t->n < BATCH)
		return;
	double copy = quartile(NULL, t), all = quartile(c, t);
	double share = 100.0 * (double)t->n / (double)of;
	printf("%-16s %6.2f %% of packets  %6.2f ns a packet (copy %.2f)\n", name, share, all - copy, copy);
}

static void report_classes(const struct classify *c, const struct trace *t)
{
	struct trace part = { .packets = aligned_alloc(64, t->n * sizeof *part.packets) };
	for (unsigned k = 0; k < CLASS_COUNT && part.packets; k++) {
		part.n = 0;
		for (size_t i = 0; i < t->n; i++) {
			struct packet p = t->packets[i];
			struct verdict v;
			classify_packets(c, &p, &v, 1, NULL);
			if (v.class == k)
				part.packets[part.n++] = p;
		}
		report(class_name((enum packet_class)k), c, &part, t->n);
	}
	free(part.packets);
}

int main(int argc, char **argv)
{
	struct trace t = { 0 };
	struct prefix prefix;
	struct scope scope = { 0 };
	struct classify *c;
	struct error e = { 0 };
	if (argc < 2 || !trace_read(&t, argv[1], argc > 2 ? strtoull(argv[2], NULL, 0) : 200000)) {
		fputs("usage: classify_packets FILE [PACKETS] [PREFIX]\n", stderr);
		return 2;
	}
	if (argc > 3 && prefix_parse(argv[3], &prefix, &e) == 0) {
		scope.monitored = &prefix;
		scope.n_monitored = 1;
	}
	if (*e.code || classify_open(&c, env_system(), &scope, &e)) {
		fprintf(stderr, "%s: %s\n", e.code, e.text);
		return 1;
	}
	printf("%zu packets\n", t.n);
	report("all", c, &t, t.n);
	report_classes(c, &t);
	classify_close(c);
	free(t.packets);
	return 0;
}
