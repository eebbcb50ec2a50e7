/* The short cut for plain frames, see classify.h: from the frame's bytes to the hit of its row without a packet or a
 * verdict between. Three quarters of a telescope's packets are such, and most of what the general way costs is writing
 * down and reading again what it knows of them. Nothing here decides anew: each line is the general rule with the rest
 * of its cases left out; what would need more is given back, and a test holds the two together.
 *
 * Eight frames at a time: their words are turned into columns, so that one instruction judges as many frames as the
 * machine's vectors hold, and none of it branches on what a frame is, which is as good as random. The vectors are the
 * compiler's (it makes of them what the target has), columns of 32 bits; conditions are 0 or all ones. */
#include "base/bytes.h"
#include "base/checksum.h"
#include "classify/judge.h"
#include "classify/rules.h"
#include "classify/scope.h"
#include "classify/tags.h"
#include "model/syn.h"

#include <stddef.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define EACH _Pragma("GCC unroll 8")

#pragma GCC diagnostic ignored "-Wpsabi" /* of calls by vectors; all here are inlined */
#define LANES 8
#define COLUMN __attribute__((vector_size(4 * LANES))) uint32_t

/* Offsets in an Ethernet frame with IPv4 and TCP. */
enum { AT_TYPE = 12, AT_IP = 14, AT_SOURCE = 26, AT_HEADER = 46, AT_FLAGS = 47, AT_OPTIONS = 54, LEAST = 54 };
enum { LINK_ETHERNET = 1 };
/* Headers of TCP without options, with MSS alone, with Linux's list. */
enum { HEADER_BARE = 20, HEADER_MSS = 24, HEADER_LINUX = 40 };

/* What is read of each frame, one row a frame; words are as they lie in it. */
struct rows {
	COLUMN low[LANES], high[LANES]; /* the first and the last eight of the ten words from the IP header on */
	COLUMN options[LANES];          /* five words of Linux's list and three before them; zero where it is not */
	uint64_t cell[LANES];           /* struct tcp_cell by its flags */
	COLUMN type;                    /* ethertype, version and header length, type of service; 0: too short */
	COLUMN mss;                     /* the first word of the options, or zero */
	COLUMN bogon;                   /* may its source be one? */
};

/* The same turned. */
struct columns {
	COLUMN ip[5], tcp[5], options[5], type, bogon;
	COLUMN ns_low, ns_high, caplen, wirelen, link;
	COLUMN cell[2];
};

/* What comes of it: the words of the hits, and whether each is one. */
struct hits {
	COLUMN word[sizeof(struct hit) / 4];
	COLUMN ok;
};
_Static_assert(offsetof(struct hit, key) == 0 && offsetof(struct hit, ns) == 8 && offsetof(struct hit, profile) == 16 &&
               offsetof(struct hit, dst) == 24 && offsetof(struct hit, seq) == 28 && offsetof(struct hit, length) == 32 &&
               offsetof(struct hit, sport) == 36 && offsetof(struct hit, rules) == 38 &&
               offsetof(struct hit, tags) == 40 && offsetof(struct hit, ttl) == 42 &&
               offsetof(struct hit, tcp_flags) == 43 && offsetof(struct hit, second) == 44 &&
               offsetof(struct hit, access) == 45 && offsetof(struct hit, packet) == 46, "hits are written as words");
enum { KEY_LOW, KEY_HIGH, NS_LOW, NS_HIGH, PROFILE_LOW, PROFILE_HIGH, DST, SEQ, LENGTH, SPORT_RULES, TAGS_TTL_FLAGS,
       SECOND_ACCESS };
_Static_assert(offsetof(struct tcp_cell, flags) == 1 && offsetof(struct tcp_cell, tags) == 2 &&
               offsetof(struct tcp_cell, rules) == 4 && sizeof(struct tcp_cell) == 8, "cells are read as two words");

bool classify_has_plain(const struct classify *c) { return c->n_nat == 0 && c->quick_size != 0; }

/* ---- Rows to columns and back ---- */
#define MASK(condition) ((COLUMN)(condition))
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

/* Of four rows: words 0 and 4 of each beside each other, 1 and 5, 2 and 6, 3 and 7. */
INLINE void turn4(const COLUMN v[static 4], COLUMN out[static 4])
{
	COLUMN a = PICK(v[0], v[1], 0, 8, 1, 9, 4, 12, 5, 13), b = PICK(v[0], v[1], 2, 10, 3, 11, 6, 14, 7, 15);
	COLUMN c = PICK(v[2], v[3], 0, 8, 1, 9, 4, 12, 5, 13), d = PICK(v[2], v[3], 2, 10, 3, 11, 6, 14, 7, 15);
	out[0] = PICK(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
	out[1] = PICK(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
	out[2] = PICK(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
	out[3] = PICK(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
}

INLINE void turn8(const COLUMN v[static 8], COLUMN out[static 8])
{
	COLUMN first[4], last[4];
	turn4(v, first);
	turn4(v + 4, last);
	EACH
	for (unsigned i = 0; i < 4; i++) {
		out[i] = PICK(first[i], last[i], 0, 1, 2, 3, 8, 9, 10, 11);
		out[i + 4] = PICK(first[i], last[i], 4, 5, 6, 7, 12, 13, 14, 15);
	}
}

/* ---- Reading: frames to columns ---- */
/* The compiler would make a branch of ?:, and no processor guesses the options of the next frame. */
INLINE const uint8_t *either(unsigned condition, const uint8_t *a, const uint8_t *b)
{
	return (const uint8_t *)((uintptr_t)b ^ (((uintptr_t)a ^ (uintptr_t)b) & -(uintptr_t)condition));
}

INLINE void read_frame(struct rows *r, unsigned lane, const struct frame *f)
{
	static const uint8_t nothing[sizeof(COLUMN)];
	const uint8_t *d = f->data;
	if (__builtin_expect(f->caplen < LEAST, 0)) {
		r->type[lane] = 0;
		return;
	}
	uint32_t header = d[AT_HEADER] >> 2 & 0x3c;
	unsigned full = (header == HEADER_LINUX) & (f->caplen >= AT_IP + 20 + HEADER_LINUX);
	unsigned mss = full | ((header == HEADER_MSS) & (f->caplen >= AT_IP + 20 + HEADER_MSS));
	memcpy(&r->low[lane], d + AT_IP, sizeof(COLUMN));
	memcpy(&r->high[lane], d + AT_IP + 8, sizeof(COLUMN));
	memcpy(&r->options[lane], either(full, d + AT_OPTIONS - 12, nothing), sizeof(COLUMN));
	r->mss[lane] = load_le32(either(mss, d + AT_OPTIONS, nothing));
	r->type[lane] = load_le32(d + AT_TYPE);
	memcpy(&r->cell[lane], &tcp_cells[0][d[AT_FLAGS]], sizeof r->cell[lane]);
	r->bogon[lane] = tags_bogon_first[d[AT_SOURCE]];
}
_Static_assert(AT_OPTIONS - 12 + sizeof(COLUMN) == AT_IP + 20 + HEADER_LINUX, "options end the row they are read in");
_Static_assert(offsetof(struct frame, ts) == 0 && offsetof(struct frame, caplen) == 16 &&
               offsetof(struct frame, wirelen) == 20 && offsetof(struct frame, link) == 24 &&
               offsetof(struct frame, fcs_len) == 26 && offsetof(struct frame, marks) == 27 &&
               sizeof(struct frame) == sizeof(COLUMN), "a frame is a row");

INLINE void turn_frames(const struct frame *frames, int64_t start, struct columns *c)
{
	COLUMN row[8], out[8];
	uint32_t low = (uint32_t)start, high = (uint32_t)((uint64_t)start >> 32);
	EACH
	for (unsigned i = 0; i < 8; i++)
		memcpy(&row[i], &frames[i], sizeof row[i]);
	turn8(row, out);
	c->ns_low = out[0] - low;
	c->ns_high = out[1] - high + MASK(out[0] < low); /* borrow: all ones are -1 */
	c->caplen = out[4];
	c->wirelen = out[5];
	c->link = out[6];
}

INLINE void turn_rows(const struct rows *r, struct columns *c)
{
	COLUMN out[8], cell[2];
	turn8(r->low, out);
	EACH
	for (unsigned i = 0; i < 5; i++)
		c->ip[i] = out[i];
	turn8(r->high, out);
	EACH
	for (unsigned i = 0; i < 5; i++)
		c->tcp[i] = out[i + 3];
	turn8(r->options, out);
	c->options[0] = r->mss;
	EACH
	for (unsigned i = 1; i < 5; i++)
		c->options[i] = out[i + 3];
	memcpy(cell, r->cell, sizeof cell);
	c->cell[0] = PICK(cell[0], cell[1], 0, 2, 4, 6, 8, 10, 12, 14);
	c->cell[1] = PICK(cell[0], cell[1], 1, 3, 5, 7, 9, 11, 13, 15);
	c->type = r->type;
	c->bogon = r->bogon;
}

/* ---- Judging: columns to hits ---- */
INLINE COLUMN swap32(COLUMN v) { return v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24; }
INLINE COLUMN swap16(COLUMN v) { return (v & 0xff) << 8 | (v >> 8 & 0xff); }
INLINE COLUMN halves(COLUMN v) { return (v & 0xffff) + (v >> 16); }

INLINE COLUMN checksum_is_right(COLUMN sum) { return MASK(halves(halves(sum)) == 0xffff); }

/* Of headers of the three lengths: all that follows is zero. */
INLINE COLUMN checksums_right(const struct columns *c, COLUMN header)
{
	COLUMN addresses = halves(c->ip[3]) + halves(c->ip[4]);
	COLUMN ip = addresses + halves(c->ip[0]) + halves(c->ip[1]) + halves(c->ip[2]);
	COLUMN tcp = addresses + (header << 8) + (PROTO_TCP << 8); /* both below 256, and their order is the network's */
	EACH
	for (unsigned i = 0; i < 5; i++)
		tcp += halves(c->tcp[i]) + halves(c->options[i]);
	return checksum_is_right(ip) & checksum_is_right(tcp);
}

/* Nanoseconds of a minute are less than 60,000,000,000; in two words. */
INLINE COLUMN is_in_minute(COLUMN low, COLUMN high)
{
	const uint32_t end_low = (uint32_t)60000000000, end_high = (uint32_t)(60000000000 >> 32);
	return MASK(high < end_high) | (MASK(high == end_high) & MASK(low < end_low));
}

/* A second is 2^9 times 1,953,125 nanoseconds. */
INLINE COLUMN second_of(COLUMN low, COLUMN high) { return (low >> 9 | high << 23) / 1953125; }

/* Whole frames of IPv4 with five words, no bit but DF and no offset, and TCP that ends with its header. */
INLINE COLUMN is_plain(const struct columns *c, COLUMN header)
{
	COLUMN length = swap16(c->ip[0] >> 16);
	COLUMN differs = ((c->type ^ 0x450008) & 0xffffff) | (c->ip[1] >> 16 & 0xffbf) |
	                 ((c->ip[2] ^ PROTO_TCP << 8) & 0xff00) | (c->link ^ LINK_ETHERNET) |
	                 (length ^ (20 + header)) | c->bogon;
	COLUMN whole = is_in_minute(c->ns_low, c->ns_high) & MASK(c->caplen >= length + AT_IP) & MASK(c->caplen >= c->wirelen);
	COLUMN usual = MASK(header == HEADER_BARE) | MASK(header == HEADER_MSS) | MASK(header == HEADER_LINUX);
	return MASK(differs == 0) & whole & usual;
}

/* Whether the options are one of the lists that a hit knows. */
INLINE COLUMN has_known_options(const struct columns *c, COLUMN header)
{
	COLUMN mss = MASK((c->options[0] & 0xffff) == 0x0402);
	COLUMN rest = MASK(((c->options[1] ^ 0x0a080204) | ((c->options[4] ^ 0x030301) & 0xffffff)) == 0);
	return MASK(header == HEADER_BARE) | (mss & (MASK(header == HEADER_MSS) | rest));
}

/* As rules_gate. */
INLINE COLUMN passes_gate(COLUMN shape, COLUMN window, COLUMN seq)
{
	return MASK(shape == (65535 | SHAPE_OPTIONS)) | MASK(((shape - (1024 | SHAPE_OPTIONS)) & ~0xc00u) == 0) |
	       MASK(window == 4096) | MASK(window == 512) | MASK((seq & 0xffff) == 0) | MASK(seq >> 16 == 0) |
	       MASK(seq == 2018915346) | MASK(seq == 333994513);
}

/* As rules_of_comparisons, whose entries are unions of these three. */
INLINE COLUMN rules_of(COLUMN id, COLUMN dst, COLUMN dport, COLUMN seq)
{
	return (MASK(id == ZMAP_IP_ID) & rules_of_comparisons[1]) |
	       (MASK(((dst ^ dport ^ seq ^ id) & 0xffff) == 0) & rules_of_comparisons[2]) |
	       (MASK(seq == dst) & rules_of_comparisons[4]);
}

INLINE COLUMN is_service(COLUMN port)
{
	return MASK(port == 23) | MASK(port == 53) | MASK(port == 80) | MASK(port == 5000);
}

/* As tags_of_segment. */
INLINE COLUMN tags_of(COLUMN sport, COLUMN dport, COLUMN ttl, COLUMN cell, COLUMN scanner)
{
	COLUMN high = MASK(ttl >= 200);
	return cell | ((is_service(sport) | is_service(dport)) & tags_of_port_kinds[PORT_SERVICE]) |
	       ((MASK(sport == 0) | MASK(dport == 0)) & tags_of_port_kinds[PORT_NONE]) | (high & PART_TTL_200) |
	       (high & ~scanner & PART_TTL_SPOOFED);
}

INLINE void judge_columns(const struct classify *classify, bool checksums, const struct columns *c, struct hits *h)
{
	COLUMN src = swap32(c->ip[3]), dst = swap32(c->ip[4]), seq = swap32(c->tcp[1]), id = swap16(c->ip[1]);
	COLUMN sport = swap16(c->tcp[0]), dport = swap16(c->tcp[0] >> 16), window = swap16(c->tcp[3] >> 16);
	COLUMN ttl = c->ip[2] & 0xff, flags = c->tcp[3] >> 8 & 0xff, header = c->tcp[3] >> 2 & 0x3c;
	COLUMN df = c->ip[1] >> 22 & 1, optionless = MASK(header == HEADER_BARE), full = MASK(header == HEADER_LINUX);
	COLUMN is_syn = -(c->cell[1] >> 16 & 1), shape = window | df << 16 | (~optionless & SHAPE_OPTIONS);
	COLUMN rules = rules_of(id, dst, dport, seq) & c->cell[1];
	COLUMN scanner = is_syn & (MASK(rules != 0) | MASK((shape & ~(uint32_t)SHAPE_DF) == 1024));
	COLUMN tags = tags_of(sport, dport, ttl, c->cell[0] >> 16, scanner);
	COLUMN seldom = (c->cell[1] >> 18 & 1) | MASK(dst - classify->quick_first > (uint32_t)(classify->quick_size - 1)) |
	                MASK(((src + 1) & 0xff) <= 1) | MASK(src == dst) |
	                (is_syn & (~has_known_options(c, header) | passes_gate(shape, window, seq)));
	h->ok = is_plain(c, header) & MASK(seldom == 0);
	if (checksums)
		h->ok &= checksums_right(c, header);
	COLUMN bits = c->cell[1] >> 24 | df * SYN_DF | (MASK(id == 0) & SYN_ID_ZERO) |
	              (MASK(c->tcp[2] != 0) & SYN_ACK_NONZERO);
	COLUMN scale = (full & (c->options[4] >> 24)) | (~full & 255);
	COLUMN list = (full & HIT_LINUX) | (MASK(header == HEADER_MSS) & HIT_MSS);
	h->word[KEY_LOW] = dport << 16 | PROTO_TCP << 8 | (c->cell[0] & 0xff);
	h->word[KEY_HIGH] = src;
	h->word[PROFILE_LOW] = is_syn & (bits << HIT_FLAGS_AT | scale << HIT_SCALE_AT | swap16(c->options[0] >> 16));
	h->word[PROFILE_HIGH] = is_syn & (window << (HIT_WINDOW_AT - 32) | list << (HIT_LIST_AT - 32));
	h->word[DST] = dst;
	h->word[SEQ] = seq;
	h->word[LENGTH] = 20 + header;
	h->word[SPORT_RULES] = sport | rules << 16;
	h->word[TAGS_TTL_FLAGS] = (tags & 0xffff) | ttl << 16 | flags << 24;
	h->word[NS_LOW] = c->ns_low;
	h->word[NS_HIGH] = c->ns_high;
	h->word[SECOND_ACCESS] = second_of(c->ns_low, c->ns_high) | (c->cell[0] >> 8 & VERDICT_ACCESS) << 8;
}

/* ---- Writing: hits of those that are ---- */
struct written {
	COLUMN low[LANES];  /* words 0 to 7 of each hit */
	COLUMN high[4];     /* words 8 to 11: of hits i and i + 4 */
};

INLINE void turn_hits(const struct hits *h, struct written *w)
{
	turn8(h->word, w->low);
	turn4(h->word + 8, w->high);
}

INLINE void write_hit(const struct written *w, unsigned lane, struct hit *out)
{
	memcpy(out, &w->low[lane], sizeof(COLUMN));
	memcpy((uint8_t *)out + sizeof(COLUMN), (const uint8_t *)&w->high[lane & 3] + (lane & 4) * 4, sizeof(COLUMN) / 2);
}

/* Up to eight frames; of them the hits and the rest. */
struct progress {
	struct hit *hit;
	struct frame *rest;
};

INLINE void do_block(const struct classify *classify, bool checksums, int64_t start, const struct frame *frames,
                     unsigned n, struct rows *r, struct progress *to)
{
	struct columns c;
	struct hits h;
	struct written w;
	for (unsigned lane = 0; lane < n; lane++)
		read_frame(r, lane, &frames[lane]);
	turn_frames(frames, start, &c);
	turn_rows(r, &c);
	judge_columns(classify, checksums, &c, &h);
	turn_hits(&h, &w);
	for (unsigned lane = 0; lane < n; lane++) {
		uint32_t ok = h.ok[lane] & 1;
		write_hit(&w, lane, to->hit);
		*to->rest = frames[lane];
		to->hit += ok;
		to->rest += 1 - ok;
	}
}

size_t classify_plain(const struct classify *classify, bool checksums, int64_t minute_start, const struct frame *frames,
                      size_t n, struct hit *hits, struct frame *rest, size_t *n_rest)
{
	struct rows r;
	struct progress to = { hits, rest };
	memset(&r, 0, sizeof r);
	size_t at = 0;
	for (; at + LANES <= n; at += LANES)
		do_block(classify, checksums, minute_start, frames + at, LANES, &r, &to);
	if (at < n) {
		struct frame last[LANES] = { { 0 } };
		memcpy(last, frames + at, (n - at) * sizeof *last);
		do_block(classify, checksums, minute_start, last, (unsigned)(n - at), &r, &to);
	}
	*n_rest = (size_t)(to.rest - rest);
	return (size_t)(to.hit - hits);
}
