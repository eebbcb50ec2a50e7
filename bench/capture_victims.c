/* Writes what a /16 telescope gets of many floods at once: a pcap for bench/victims.
 *
 * usage: capture_victims VICTIMS FILE
 *
 * Each victim sends PACKETS SYN+ACKs from port 80, one every STEP seconds, to a monitored address and a port drawn at
 * random: over the thresholds of every definition, and all of them from the first second to the last.
 */
#include "capture/write.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 40
#define STEP 2
#define BEGIN 1760000000 /* 2025-10-09 */
#define LENGTH 40

static uint64_t random_next(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* IPv4 and TCP; checksums 0, which nothing here asks for. */
static void reply_write(uint8_t *p, uint32_t victim, uint64_t draw)
{
	static const uint8_t fixed[LENGTH] = { 0x45, 0, 0, LENGTH, 0, 0, 0x40, 0, 57, 6, [20] = 0, 80, [32] = 0x50, 0x12, 0xff, 0xff };
	memcpy(p, fixed, LENGTH);
	store_be32(p + 12, victim);
	store_be32(p + 16, 10u << 24 | 1u << 16 | (uint32_t)(draw & 0xffff)); /* 10.1.0.0/16 */
	store_be16(p + 22, (uint16_t)(1024 + (draw >> 16) % 64512));
	store_be32(p + 24, (uint32_t)(draw >> 32));
}

static int second_write(struct capture_writer *w, uint32_t id, uint32_t victims, uint32_t round, uint64_t *state, struct error *e)
{
	uint8_t bytes[LENGTH];
	struct frame f = { .data = bytes, .caplen = LENGTH, .wirelen = LENGTH, .link = 101 };
	int rc = 0;
	for (uint32_t i = 0; !rc && i < victims; i++) {
		/* The multiplier is prime to every number of victims below it: all of them in an order unlike their own. */
		uint32_t victim = (uint32_t)((uint64_t)i * 2654435761u % victims);
		reply_write(bytes, (20u << 24) + victim * 7, random_next(state)); /* 20.0.0.0 and above: one in seven addresses */
		f.ts = ((int64_t)BEGIN + round * STEP) * 1000000000 + (int64_t)((uint64_t)i * STEP * 1000000000 / victims);
		rc = capture_writer_frame(w, id, &f, e);
	}
	return rc;
}

int main(int argc, char **argv)
{
	if (argc != 3 || atoll(argv[1]) < 1 || atoll(argv[1]) > 30000000) {
		fputs("usage: capture_victims VICTIMS FILE\n", stderr);
		return 2;
	}
	struct capture_write_config config = { .pcap = true, .simulated = true };
	struct capture_interface interface = { .link = 101, .snap = 65535 };
	struct capture_writer *w = NULL;
	struct error e = { 0 };
	uint32_t id, victims = (uint32_t)atoll(argv[1]);
	uint64_t state = 42;
	int rc = capture_writer_open(&w, env_system(), argv[2], &config, &e);
	if (!rc)
		rc = capture_writer_interface(w, &interface, &id, &e);
	for (uint32_t round = 0; !rc && round < PACKETS; round++)
		rc = second_write(w, id, victims, round, &state, &e);
	if (w) {
		struct error late = { 0 };
		int closed = capture_writer_close(w, rc != 0, &late);
		if (!rc && closed) {
			rc = closed;
			e = late;
		}
	}
	if (rc)
		fprintf(stderr, "capture_victims: %s\n", e.text);
	return rc != 0;
}
