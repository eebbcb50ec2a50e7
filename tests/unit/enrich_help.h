/* Makes small MaxMind DBs in memory. */
#pragma once
#include "base/bytes.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define MAKE_NODES 512
#define MAKE_NONE 0u

struct make_mmdb {
	uint32_t child[MAKE_NODES][2]; /* MAKE_NONE; below 2^31 a node; else 2^31 + offset in data */
	uint32_t nodes;
	uint8_t data[4096];
	uint32_t data_used;
	int version, bits;
	uint8_t file[1 << 16];
	size_t n;
};

static inline void make_init(struct make_mmdb *m, int version, int bits)
{
	memset(m, 0, sizeof *m);
	m->version = version;
	m->bits = bits;
	m->nodes = 1;
}

static inline size_t make_head(uint8_t *p, unsigned type, size_t size)
{
	assert(size < 285);
	size_t n = 0;
	uint8_t low = size < 29 ? (uint8_t)size : 29;
	p[n++] = type < 8 ? (uint8_t)(type << 5 | low) : low;
	if (type >= 8)
		p[n++] = (uint8_t)(type - 7);
	if (low == 29)
		p[n++] = (uint8_t)(size - 29);
	return n;
}

static inline size_t make_string(uint8_t *p, const char *s)
{
	size_t n = make_head(p, 2, strlen(s));
	memcpy(p + n, s, strlen(s));
	return n + strlen(s);
}

static inline size_t make_u32(uint8_t *p, uint32_t v)
{
	size_t n = make_head(p, 6, 4);
	store_be32(p + n, v);
	return n + 4;
}

/* Appends bytes to the data section; gives their offset. */
static inline uint32_t make_data(struct make_mmdb *m, const void *p, size_t n)
{
	uint32_t at = m->data_used;
	assert(at + n <= sizeof m->data);
	memcpy(m->data + at, p, n);
	m->data_used += (uint32_t)n;
	return at;
}

/* {"country_code": code} */
static inline uint32_t make_country(struct make_mmdb *m, const char *code)
{
	uint8_t p[64];
	size_t n = make_head(p, 7, 1);
	n += make_string(p + n, "country_code");
	n += make_string(p + n, code);
	return make_data(m, p, n);
}

/* The first `length` bits of `address` lead to the record at `data`. */
static inline void make_insert(struct make_mmdb *m, const uint8_t *address, int length, uint32_t data)
{
	uint32_t node = 0;
	for (int i = 0; i < length; i++) {
		unsigned bit = address[i / 8] >> (7 - i % 8) & 1;
		if (i == length - 1) {
			m->child[node][bit] = 1u << 31 | data;
			return;
		}
		if (!m->child[node][bit]) {
			assert(m->nodes < MAKE_NODES);
			m->child[node][bit] = m->nodes++;
		}
		node = m->child[node][bit];
	}
}

static inline void make_insert4(struct make_mmdb *m, uint32_t v4, int length, uint32_t data)
{
	uint8_t bytes[16] = { 0 };
	store_be32(m->version == 6 ? bytes + 12 : bytes, v4);
	make_insert(m, bytes, m->version == 6 ? 96 + length : length, data);
}

static inline uint32_t make_record(const struct make_mmdb *m, uint32_t c)
{
	return c == MAKE_NONE ? m->nodes : c >> 31 ? m->nodes + 16 + (c & ~(1u << 31)) : c;
}

static inline size_t make_meta(const struct make_mmdb *m, uint8_t *p)
{
	size_t n = 0;
	memcpy(p, "\xab\xcd\xefMaxMind.com", 14);
	n = 14;
	n += make_head(p + n, 7, 6);
	n += make_string(p + n, "binary_format_major_version");
	n += make_u32(p + n, 2);
	n += make_string(p + n, "node_count");
	n += make_u32(p + n, m->nodes);
	n += make_string(p + n, "record_size");
	n += make_u32(p + n, (uint32_t)m->bits);
	n += make_string(p + n, "ip_version");
	n += make_u32(p + n, (uint32_t)m->version);
	n += make_string(p + n, "build_epoch");
	n += make_u32(p + n, 1700000000);
	n += make_string(p + n, "database_type");
	n += make_string(p + n, "Test");
	return n;
}

static inline void make_file(struct make_mmdb *m)
{
	size_t n = 0;
	memset(m->file, 0, sizeof m->file);
	for (uint32_t i = 0; i < m->nodes; i++) {
		uint32_t a = make_record(m, m->child[i][0]), b = make_record(m, m->child[i][1]);
		uint8_t *p = m->file + n;
		if (m->bits == 32) {
			store_be32(p, a);
			store_be32(p + 4, b);
		} else {
			for (int k = 0; k < 3; k++) {
				p[k] = (uint8_t)(a >> (16 - 8 * k));
				p[(m->bits == 28 ? 4 : 3) + k] = (uint8_t)(b >> (16 - 8 * k));
			}
			if (m->bits == 28)
				p[3] = (uint8_t)((a >> 24 & 15) << 4 | (b >> 24 & 15));
		}
		n += (size_t)m->bits / 4;
	}
	n += 16;
	memcpy(m->file + n, m->data, m->data_used);
	n += m->data_used;
	m->n = n + make_meta(m, m->file + n);
}
