/* Records: the rows of tables.def as structs, and their canonical bytes (DESIGN section 3).
 *
 * struct flow_record, struct victim_second_record, …: one member a column, in its order. flow_record_store(r, out)
 * writes the canonical bytes and returns how many; FLOW_RECORD_BYTES, … is that number.
 */
#pragma once
#include "base/addr.h"
#include "base/bytes.h"
#include "model/reply.h"
#include "model/syn.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RECORD_TYPE_u8 uint8_t
#define RECORD_TYPE_u16 uint16_t
#define RECORD_TYPE_u32 uint32_t
#define RECORD_TYPE_u64 uint64_t
#define RECORD_TYPE_addr struct addr
#define RECORD_TYPE_hash struct addr /* 16 bytes too */
#define RECORD_TYPE_syn struct syn_profile
#define RECORD_TYPE_sample struct reply_sample

static inline uint8_t *record_put_u8(uint8_t *p, const uint8_t *v) { *p = *v; return p + 1; }
static inline uint8_t *record_put_u16(uint8_t *p, const uint16_t *v) { store_be16(p, *v); return p + 2; }
static inline uint8_t *record_put_u32(uint8_t *p, const uint32_t *v) { store_be32(p, *v); return p + 4; }
static inline uint8_t *record_put_u64(uint8_t *p, const uint64_t *v) { store_be64(p, *v); return p + 8; }
static inline uint8_t *record_put_addr(uint8_t *p, const struct addr *v) { memcpy(p, v, 16); return p + 16; }
static inline uint8_t *record_put_hash(uint8_t *p, const struct addr *v) { return record_put_addr(p, v); }
static inline uint8_t *record_put_syn(uint8_t *p, const struct syn_profile *v)
{
	memcpy(p, v, sizeof *v);
	store_be16(p, v->window);
	store_be16(p + 2, v->mss);
	return p + sizeof *v;
}
static inline uint8_t *record_put_sample(uint8_t *p, const struct reply_sample *v) { return p + reply_sample_store(v, p); }

#define TABLE(table, what) struct table##_record {
#define KEY(table, name, type, what) RECORD_TYPE_##type name;
#define COL(table, name, type, merge, what) RECORD_TYPE_##type name;
#define END(table) };
#include "model/tables.def"
#undef TABLE
#undef KEY
#undef COL
#undef END

#define TABLE(table, what) \
	static inline size_t table##_record_store(const struct table##_record *r, uint8_t *out) { uint8_t *p = out;
#define KEY(table, name, type, what) p = record_put_##type(p, &r->name);
#define COL(table, name, type, merge, what) p = record_put_##type(p, &r->name);
#define END(table) return (size_t)(p - out); }
#include "model/tables.def"
#undef TABLE
#undef KEY
#undef COL
#undef END

#define RECORD_MAX 128 /* canonical bytes of the longest row fit */

/* A row of schema 2 keeps the digest that it had then: it has no kind, and nothing that came with it. */
static inline size_t victim_second_record_bytes(const struct victim_second_record *r, uint8_t *out)
{
	if (r->kind != REPLY_UNKNOWN)
		return victim_second_record_store(r, out);
	uint8_t *p = record_put_u32(out, &r->second);
	p = record_put_u64(p, &r->sensor);
	p = record_put_addr(p, &r->victim);
	p = record_put_u8(p, &r->protocol);
	p = record_put_u16(p, &r->port);
	p = record_put_u32(p, &r->packets);
	p = record_put_u64(p, &r->bytes);
	return (size_t)(record_put_u32(p, &r->attackers) - out);
}
