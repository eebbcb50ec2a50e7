/* The Internet checksum (RFC 1071), over 64-bit words. Private to this folder. */
#pragma once
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* Adds n bytes, as 16-bit words in this machine's order. The sum of up to 2^31 bytes cannot overflow: every step adds
 * less than 2^33. An odd last byte counts as the high byte of a word whose low byte is zero. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v = load_le64(p);
		sum += (v & 0xffffffff) + (v >> 32);
	}
	if (n & 4) {
		sum += load_le32(p);
		p += 4;
	}
	if (n & 2) {
		sum += load_le16(p);
		p += 2;
	}
	if (n & 1)
		sum += *p;
	return sum;
}

/* True when a sum that includes the checksum field itself says that nothing was changed. */
static inline bool checksum_ok(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
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
