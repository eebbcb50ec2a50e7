/* The short cut for plain frames against the general way: whatever the frame, a hit says what packet and verdict say.
 *
 * Killed mutants: a service port forgotten, the gate left out, a checksum taken for right, DF read from the wrong bit, a
 * frame cut in its options taken for whole, SYN and FIN with a profile of its own, the last nanosecond of a minute. */
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/env.h"
#include "classify/classify.h"
#include "packet/decode.h"
#include "track/layouts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START INT64_C(1767225600000000000)
#define MINUTE INT64_C(60000000000)
enum { ROOM = 128 };

static uint32_t pick(const uint32_t *list, size_t n) { return list[(size_t)rand() % n]; }
#define PICK(...) pick((const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
static bool seldom(int n) { return rand() % n == 0; }

static uint16_t checksum(const uint8_t *p, size_t n, uint64_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += load_be16(p + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t put_options(uint8_t *o)
{
	static const uint8_t mss[] = { 2, 4, 5, 0xb4 };
	static const uint8_t linux_list[] = { 2, 4, 5, 0xa0, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7 };
	switch (rand() % 5) {
	case 0: memcpy(o, mss, 4); return 4;
	case 1: memcpy(o, linux_list, 20); return 20;
	case 2: memset(o, 1, 40); return 4u * ((unsigned)rand() % 11);
	default: return 0;
	}
}

/* A TCP segment over Ethernet that is mostly ordinary, with its checksums. */
static uint32_t make_frame(uint8_t *d)
{
	uint8_t *ip = d + 14, *tcp = ip + 20;
	memset(d, 0, ROOM);
	size_t header = 20 + put_options(tcp + 20), data = seldom(20) ? 1 + (size_t)rand() % 8 : 0;
	uint32_t dst = PICK(0x0a2a0001, 0x0a2a1234, 0x0a2affff), dport = PICK(22, 23, 53, 80, 443, 5000, 0);
	uint32_t seq = seldom(4) ? dst : PICK(1, 0x10000, 2018915346, 333994513, (uint32_t)rand() * 2u);
	store_be16(d + 12, seldom(50) ? 0x86dd : 0x0800);
	ip[0] = seldom(50) ? 0x46 : 0x45;
	store_be16(ip + 2, (uint16_t)(20 + header + data));
	store_be16(ip + 4, (uint16_t)(seldom(3) ? (dst ^ dport ^ seq) : PICK(54321, 0, (uint32_t)rand())));
	store_be16(ip + 6, (uint16_t)(seldom(20) ? PICK(0x2000, 0x8000, 1, 0xc000) : PICK(0, 0x4000)));
	ip[8] = (uint8_t)PICK(50, 199, 200, 255);
	ip[9] = seldom(50) ? 17 : 6;
	store_be32(ip + 12, seldom(20) ? PICK(dst, 0x0a010101, 0x01020300, 0x010203ff, 0) : 0x01000001u + (uint32_t)rand() % 0xfffffe);
	store_be32(ip + 16, seldom(20) ? 0xe0000001 : dst);
	store_be16(tcp, (uint16_t)PICK(40000, 23, 53, 80, 5000, 0));
	store_be16(tcp + 2, (uint16_t)dport);
	store_be32(tcp + 4, seq);
	store_be32(tcp + 8, seldom(4) ? (uint32_t)rand() : 0);
	tcp[12] = (uint8_t)(header << 2);
	tcp[13] = (uint8_t)(seldom(3) ? (uint32_t)rand() : PICK(2, 2, 2, 0x12, 4, 0x14, 0xc2, 0x10));
	store_be16(tcp + 14, (uint16_t)PICK(1024, 65535, 29200, 4096, 512, 3072));
	store_be16(ip + 10, checksum(ip, 20, 0));
	uint64_t pseudo = (uint64_t)load_be16(ip + 12) + load_be16(ip + 14) + load_be16(ip + 16) + load_be16(ip + 18) + 6 + header + data;
	store_be16(tcp + 16, checksum(tcp, header + data + (data & 1), pseudo));
	if (seldom(30))
		d[(size_t)rand() % (34 + header)] ^= (uint8_t)(1 << rand() % 8);
	return (uint32_t)(34 + header + data);
}

static struct frame frame_of(const uint8_t *d, uint32_t length)
{
	struct frame f = { .data = d, .caplen = length < 60 ? 60 : length, .link = 1 };
	f.wirelen = f.caplen;
	f.ts = START + (seldom(10) ? (int64_t)PICK(0) + MINUTE - rand() % 2 : (int64_t)((uint64_t)rand() * 31 % MINUTE));
	if (seldom(20))
		f.caplen = (uint32_t)rand() % (length + 1);
	if (seldom(30))
		f.caplen = length;
	if (seldom(50))
		f.link = 101;
	if (seldom(50))
		f.marks = (uint8_t)PICK(FRAME_OWN, FRAME_OUTGOING);
	if (seldom(50))
		f.wirelen += 4;
	return f;
}

/* What the general way makes of a packet's row. */
static struct hit general_hit(const struct packet *p, const struct verdict *v)
{
	uint32_t flags = p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST);
	return (struct hit){
		.key = (uint64_t)p->src << 32 | (uint32_t)p->dport << 16 | (uint32_t)p->proto << 8 | v->class,
		.ns = (uint64_t)(p->ts - START), .dst = p->dst.v4, .seq = p->seq, .length = p->ip_len, .sport = p->sport,
		.rules = v->rules, .tags = v->tags, .ttl = p->ttl, .tcp_flags = p->tcp_flags,
		.second = (uint8_t)((p->ts - START) / 1000000000), .access = v->flags & VERDICT_ACCESS,
		.profile = v->class == CLASS_SCAN && flags == TCP_SYN ? hit_profile(p) : 0,
	};
}

static void check_hit(const struct classify *c, const struct frame *f, const struct hit *hit)
{
	const struct decode_config decode = { .checksums = true };
	struct packet p;
	struct verdict v;
	decode_frames(&decode, f, &p, 1);
	classify_packets(c, &p, &v, 1, NULL);
	struct hit want = general_hit(&p, &v);
	assert_true(f->ts >= START && f->ts < START + MINUTE);
	assert_memory_equal(hit, &want, sizeof want);
	assert_int_equal(v.reason, REASON_NONE);
	assert_int_equal(v.flags & ~(VERDICT_ACCESS | VERDICT_PROBE), 0);
	assert_int_equal(p.bits & ~(PACKET_DF | PACKET_L4), 0);
	assert_int_equal(p.outer_l4, OUTER_TCP);
}

/* Each frame is a hit, which is right, or given back, in order. */
static size_t check_batch(const struct classify *c, const struct frame *frames, size_t n)
{
	static struct hit hits[PLAIN_BATCH];
	static struct frame rest[PLAIN_BATCH];
	size_t n_rest, n_hits = classify_plain(c, true, START, frames, n, hits, rest, &n_rest), at = 0;
	assert_int_equal(n_hits + n_rest, n);
	for (size_t i = 0; i < n; i++) {
		if (at < n_rest && rest[at].data == frames[i].data)
			at++;
		else
			check_hit(c, &frames[i], &hits[i - at]);
	}
	assert_int_equal(at, n_rest);
	return n_hits;
}

static void hits_are_right(void **state)
{
	(void)state;
	static uint8_t bytes[PLAIN_BATCH][ROOM];
	struct frame frames[PLAIN_BATCH];
	const struct scope everything = { 0 };
	struct classify *c;
	struct error e;
	size_t made = 0, all = 0;
	srand(5);
	assert_int_equal(classify_open(&c, env_system(), &everything, &e), 0);
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)rand() % (PLAIN_BATCH + 1);
		for (size_t i = 0; i < n; i++) {
			uint32_t length = make_frame(bytes[i]);
			frames[i] = frame_of(bytes[i], length);
		}
		made += check_batch(c, frames, n);
		all += n;
	}
	assert_true(made > all / 5);
	classify_close(c);
}

/* What a telescope sees most of takes the short cut, and reads nothing behind a frame. */
static void usual_frames_are_plain(void **state)
{
	(void)state;
	static const uint8_t lengths[] = { 0, 4, 20 }, flags[] = { 0x02, 0x12, 0x14, 0x04, 0xc2, 0x10 };
	const struct scope everything = { 0 };
	struct classify *c;
	struct error e;
	assert_int_equal(classify_open(&c, env_system(), &everything, &e), 0);
	for (size_t i = 0; i < sizeof flags; i++) {
		for (size_t k = 0; k < sizeof lengths; k++) {
			uint8_t d[ROOM];
			do
				make_frame(d);
			while (d[46] != (20 + lengths[k]) << 2 || load_be16(d + 16) != 40 + lengths[k] || d[14] != 0x45 || d[23] != 6 ||
			       load_be16(d + 12) != 0x800 || (d[20] & 0xbf) || d[21] || load_be32(d + 26) >> 24 != 1 || d[29] == 0 ||
			       d[29] == 255 || d[30] != 10 || (lengths[k] && d[54] != 2));
			d[47] = flags[i];
			store_be16(d + 48, 29200);
			store_be32(d + 38, 0x12345678);
			store_be16(d + 24, 0);
			store_be16(d + 24, checksum(d + 14, 20, 0));
			store_be16(d + 50, 0);
			uint64_t pseudo = 6 + 20u + lengths[k];
			for (size_t at = 26; at < 34; at += 2)
				pseudo += load_be16(d + at);
			store_be16(d + 50, checksum(d + 34, 20u + lengths[k], pseudo));
			uint32_t n = 54u + lengths[k];
			uint8_t *exact = malloc(n); /* so that a sanitizer sees a read too far */
			memcpy(exact, d, n);
			struct frame f = { .data = exact, .caplen = n, .wirelen = n, .link = 1, .ts = START };
			assert_int_equal(check_batch(c, &f, 1), 1);
			free(exact);
		}
	}
	classify_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(hits_are_right), cmocka_unit_test(usual_frames_are_plain) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
