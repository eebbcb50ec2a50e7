/* The Internet checksum (RFC 1071), over 64-bit words. Private to this folder. */
#pragma once
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* The two halves added: less than 2^33, and equal to the word modulo 2^16 - 1, so that sums of halves never overflow. */
static inline uint64_t checksum_halves(uint64_t v)
{
	return (v & 0xffffffff) + (v >> 32);
}

/* The last 0 to 7 bytes as one word. An odd last byte counts as if a zero followed it. */
static inline uint64_t checksum_tail(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	if (n & 4) {
		sum += load_le32(p);
		p += 4;
	}
	if (n & 2) {
		sum += load_le16(p);
		p += 2;
	}
	return n & 1 ? sum + *p : sum;
}

/* Adds n bytes, as 16-bit words in this machine's order: sums of byte-swapped words are byte-swapped sums. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *p, size_t n)
{
	if (n < 8)
		return sum + checksum_tail(p, n);
	const uint8_t *last = p + n - 8;
	for (; n >= 8; n -= 8, p += 8)
		sum += checksum_halves(load_le64(p));
	/* What is no whole word is cut from the last eight bytes, without a branch for each size. */
	return sum + checksum_halves((load_le64(last) >> 1) >> (63 - 8 * n));
}

/* True when a sum that includes the checksum field itself says that nothing was changed. */
static inline bool checksum_ok(uint64_t sum)
{
	sum = checksum_halves(sum);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* Protocol and length of a pseudo header, in this machine's order of big-endian words. */
static inline uint64_t checksum_pseudo(uint8_t proto, uint32_t length)
{
	return (uint64_t)__builtin_bswap16(proto) + __builtin_bswap32(length);
}
