/* Encodings of Parquet (https://parquet.apache.org/docs/file-format/data-pages/encodings): numbers to bytes. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define ENCODE_GROUP 8 /* numbers that are packed together */

static inline unsigned encode_width(uint64_t most) { return most ? 64u - (unsigned)__builtin_clzll(most) : 0; }

uint8_t *encode_varint(uint8_t *to, uint64_t v);
static inline uint8_t *encode_zigzag(uint8_t *to, int64_t v)
{
	return encode_varint(to, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

/* Runs and packed groups (RLE / bit-packing hybrid) of codes of `width` bits, 1 … 16. Up to ENCODE_GROUP - 1 codes behind
 * the n are written over. Returns the end, at most encode_codes_room(n, width) bytes on. */
uint8_t *encode_codes(uint8_t *to, uint16_t *code, uint32_t n, unsigned width);
static inline size_t encode_codes_room(uint32_t n, unsigned width)
{
	return (size_t)n * width / 8 + n / 2 + 64; /* a run of 8 takes at most 8 bytes */
}

uint8_t *encode_run(uint8_t *to, uint16_t code, uint32_t n, unsigned width); /* n times the same */

/* A bit for each of n rows, as it is; all of them set or clear: a run. `bits`: 64 rows a word. */
uint8_t *encode_bits(uint8_t *to, const uint64_t *bits, uint32_t n, uint32_t n_set);

/* DELTA_BINARY_PACKED of numbers of 32 bits; n > 0. At most encode_deltas_room(n) bytes. */
uint8_t *encode_deltas(uint8_t *to, const uint32_t *v, uint32_t n);
static inline size_t encode_deltas_room(uint32_t n) { return (size_t)n * 4 + n / 64 + 2048 * 4 + 64; }
