/* The Internet checksum (RFC 1071), over 64-bit words with end-around carry.
 *
 * Words are of this machine's order: sums of byte-swapped words are byte-swapped sums. (A 128-bit sum would say the
 * same, but the compiler keeps it in memory.) */
#pragma once
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#ifdef __AVX512BW__
#include <immintrin.h>
#endif

/* The last 0 to 7 bytes as one word. An odd last byte counts as if a zero followed it. */
static inline uint64_t checksum_tail(const uint8_t *p, size_t n)
{
	uint64_t word = 0;
	size_t at = 0;
	if (n & 4) {
		word = load_le32(p);
		at = 4;
	}
	if (n & 2) {
		word |= (uint64_t)load_le16(p + at) << 8 * at;
		at += 2;
	}
	return n & 1 ? word | (uint64_t)p[at] << 8 * at : word;
}

static inline uint64_t checksum_word(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

/* Three words at once. */
static inline uint64_t checksum_sum3(uint64_t a, uint64_t b, uint64_t c)
{
#ifdef __x86_64__
	__asm__("add %1, %0\n\tadc %2, %0\n\tadc $0, %0" : "+r"(a) : "rm"(b), "rm"(c) : "cc");
	return a;
#else
	return checksum_word(checksum_word(a, b), c);
#endif
}

#ifdef __AVX512BW__
/* Adds 1 to 64 bytes at once: nearly every packet of a telescope, whose lengths no branch predictor guesses. The mask
 * keeps the load from reading behind the end. */
static inline uint64_t checksum_short(uint64_t sum, const uint8_t *p, size_t n)
{
	__m512i bytes = _mm512_maskz_loadu_epi8(~0ull >> (64 - n), p);
	__m512i low = _mm512_and_si512(bytes, _mm512_set1_epi64(UINT32_MAX)), high = _mm512_srli_epi64(bytes, 32);

	return checksum_word(sum, (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(low, high)));
}
#endif

/* Adds n bytes. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *p, size_t n)
{
#ifdef __AVX512BW__
	if (n - 1 < 64)
		return checksum_short(sum, p, n);
#endif
	if (n < 8)
		return checksum_word(sum, checksum_tail(p, n));
	const uint8_t *last = p + n - 8;
	for (; n >= 8; n -= 8, p += 8)
		sum = checksum_word(sum, load_le64(p));
	/* What is no whole word is cut from the last eight bytes, without a branch for each size. */
	return checksum_word(sum, (load_le64(last) >> 1) >> (63 - 8 * n));
}

/* True when a sum that includes the checksum field itself says that nothing was changed. Each step adds the halves of
 * what is there, with the carry of the lower one, in the upper half of a sum with the halves exchanged. */
static inline bool checksum_ok(uint64_t sum)
{
	uint32_t word = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);
	return (word + (word << 16 | word >> 16)) >> 16 == 0xffff;
}

/* Protocol and length of a pseudo header, in this machine's order of big-endian words. */
static inline uint64_t checksum_pseudo(uint8_t proto, uint32_t length)
{
	return (uint64_t)__builtin_bswap16(proto) + __builtin_bswap32(length);
}
