#include "store/encode.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <string.h>

uint8_t *encode_varint(uint8_t *to, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*to++ = (uint8_t)(v | 0x80);
	*to++ = (uint8_t)v;
	return to;
}

/* ---- Bits ---- */
struct packer {
	uint8_t *to;
	uint64_t bits;
	unsigned n; /* less than 8 between numbers */
};

static inline void pack(struct packer *p, uint64_t v, unsigned width)
{
	p->bits |= v << p->n;
	p->n += width;
	store_le64(p->to, p->bits);
	p->to += p->n / 8;
	p->bits >>= p->n & ~7u;
	p->n &= 7;
}

/* ---- Codes ---- */
static inline bool is_run(const uint16_t *code)
{
	uint64_t first = code[0] * UINT64_C(0x0001000100010001);
	return load_le64(code) == first && load_le64(code + 4) == first;
}

uint8_t *encode_run(uint8_t *to, uint16_t code, uint32_t n, unsigned width)
{
	to = encode_varint(to, (uint64_t)n << 1);
	store_le16(to, code);
	return to + (width + 7) / 8;
}

static uint8_t *put_groups(uint8_t *to, const uint16_t *code, uint32_t groups, unsigned width)
{
	struct packer p = { .to = encode_varint(to, (uint64_t)groups << 1 | 1) };
	for (uint32_t i = 0; i < groups * ENCODE_GROUP; i++)
		pack(&p, code[i], width);
	return p.to;
}

uint8_t *encode_codes(uint8_t *to, uint16_t *code, uint32_t n, unsigned width)
{
	for (uint32_t i = n; i % ENCODE_GROUP; i++)
		code[i] = n ? code[n - 1] : 0;
	for (uint32_t from = 0, at; from < n; from = at) {
		for (at = from; at < n && is_run(code + at) && code[at] == code[from]; at += ENCODE_GROUP)
			;
		if (at > from) {
			to = encode_run(to, code[from], (at < n ? at : n) - from, width);
			continue;
		}
		for (at += ENCODE_GROUP; at < n && !is_run(code + at); at += ENCODE_GROUP)
			;
		to = put_groups(to, code + from, (at - from) / ENCODE_GROUP, width);
	}
	return to;
}

uint8_t *encode_bits(uint8_t *to, const uint64_t *bits, uint32_t n, uint32_t n_set)
{
	if (n_set == 0 || n_set == n)
		return encode_run(to, n_set != 0, n, 1);
	uint32_t bytes = (n + 7) / 8;
	to = encode_varint(to, (uint64_t)bytes << 1 | 1);
	memcpy(to, bits, bytes);
	return to + bytes;
}

/* ---- Deltas ---- */
#define BLOCK 2048
#define MINIBLOCKS 8
#define MINIBLOCK (BLOCK / MINIBLOCKS)

/* `v`: the number before the first. */
static uint32_t deltas_of(const uint32_t *v, uint32_t n, int32_t *delta, int32_t *least)
{
	uint32_t some = n < BLOCK ? n : BLOCK;
	*least = INT32_MAX;
	for (uint32_t i = 0; i < some; i++) {
		delta[i] = (int32_t)(v[i + 1] - v[i]); /* modulo 2^32, as readers add them up */
		*least = delta[i] < *least ? delta[i] : *least;
	}
	for (uint32_t i = some; i < BLOCK; i++)
		delta[i] = *least;
	return some;
}

static uint8_t *put_block(uint8_t *to, const int32_t *delta, uint32_t n, int32_t least)
{
	to = encode_zigzag(to, least);
	uint8_t *width = to;
	struct packer p = { .to = to + MINIBLOCKS };
	for (uint32_t m = 0; m < MINIBLOCKS; m++) {
		uint32_t all = 0, from = m * MINIBLOCK;
		for (uint32_t i = from; i < from + MINIBLOCK; i++)
			all |= (uint32_t)delta[i] - (uint32_t)least;
		width[m] = (uint8_t)encode_width(all);
		for (uint32_t i = from; n > from && i < from + MINIBLOCK; i++)
			pack(&p, (uint32_t)delta[i] - (uint32_t)least, width[m]);
	}
	return p.to;
}

uint8_t *encode_deltas(uint8_t *to, const uint32_t *v, uint32_t n)
{
	int32_t delta[BLOCK], least;
	to = encode_varint(to, BLOCK);
	to = encode_varint(to, MINIBLOCKS);
	to = encode_varint(to, n);
	to = encode_zigzag(to, (int32_t)v[0]);
	for (uint32_t at = 1, some; at < n; at += some) {
		some = deltas_of(v + at - 1, n - at, delta, &least);
		to = put_block(to, delta, some, least);
	}
	return to;
}
