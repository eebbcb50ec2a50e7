/* Replies to packets that somebody else sent in our name (backscatter): of what kind they are, and a sample of whom they
 * came to. */
#pragma once
#include "base/bytes.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum reply_kind {
	REPLY_SYN_ACK, /* TCP SYN+ACK without RST */
	REPLY_RST,     /* any RST */
	REPLY_ERROR,   /* ICMP or ICMPv6 error: protocol and ports are those of the packet that it quotes */
	REPLY_ANSWER,  /* echo, timestamp, mask, information; UDP by its content */
	REPLY_KINDS,
	REPLY_UNKNOWN = 255, /* of rows of schema 2, which knew no kinds */
};

/* What a row of schema 2 is taken for: most TCP replies are SYN+ACKs; of the others its sum holds both kinds. */
static inline uint8_t reply_kind_or(uint8_t kind, uint8_t protocol)
{
	return kind != REPLY_UNKNOWN ? kind : protocol == 6 ? REPLY_SYN_ACK : REPLY_ERROR;
}

/* The at most 8 least of the distinct pairs (monitored address, port that was forged) of a row: a bottom-k sketch, which
 * is a merge. An element is hash of the address << 16 | port, sent through a bijection: so it is its own rank, in 32 bits
 * spread evenly, and still tells the port. The address has 16 bits of XXH3-64, never itself. */
#define REPLY_SAMPLE 8
struct reply_sample {
	uint32_t n;
	uint32_t element[REPLY_SAMPLE]; /* ascending */
};
#define REPLY_SAMPLE_BYTES (1 + 4 * REPLY_SAMPLE) /* canonical: n, then the elements, the absent zero */

/* The finalizer of MurmurHash3 and its inverse (A. Appleby, public domain). */
static inline uint32_t reply_element(uint16_t address_hash, uint16_t port)
{
	uint32_t x = (uint32_t)address_hash << 16 | port;
	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

/* The address's hash << 16 | port of an element. */
static inline uint32_t reply_pair(uint32_t element)
{
	uint32_t x = (element ^ element >> 16) * 0x7ed1b41du;
	x = (x ^ x >> 13 ^ x >> 26) * 0xa5cb9243u;
	return x ^ x >> 16;
}

static inline uint16_t reply_port(uint32_t element) { return (uint16_t)reply_pair(element); }
static inline uint16_t reply_address_hash(uint32_t element) { return (uint16_t)(reply_pair(element) >> 16); }

static inline void reply_sample_add(struct reply_sample *s, uint32_t element)
{
	uint32_t at = s->n;
	if (at == REPLY_SAMPLE && element >= s->element[at - 1])
		return;
	while (at && s->element[at - 1] > element)
		at--;
	if (at && s->element[at - 1] == element)
		return;
	s->n += s->n < REPLY_SAMPLE;
	memmove(&s->element[at + 1], &s->element[at], (s->n - 1 - at) * sizeof *s->element);
	s->element[at] = element;
}

static inline void reply_sample_merge(struct reply_sample *s, const struct reply_sample *other)
{
	for (uint32_t i = 0; i < other->n; i++)
		reply_sample_add(s, other->element[i]);
}

static inline size_t reply_sample_store(const struct reply_sample *s, uint8_t out[static REPLY_SAMPLE_BYTES])
{
	out[0] = (uint8_t)s->n;
	for (uint32_t i = 0; i < REPLY_SAMPLE; i++)
		store_be32(out + 1 + 4 * i, i < s->n ? s->element[i] : 0);
	return REPLY_SAMPLE_BYTES;
}
