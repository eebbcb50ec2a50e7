/* Open addressing from hashes to the numbers of dense rows that the caller keeps.
 *
 * A slot is 4 bytes, as it is their number that costs: they are hit at random, and must lie in a cache. Below are as many
 * bits as the table's size has, with the row's number and one; above a tag, bits of the hash. The key itself stays in the
 * row, and the caller compares it: a tag is a hint, never identity. 0 is an empty slot. Linear probing, grown to stay at
 * most half full. Not for hashes an attacker can predict: see hash.h.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct index {
	uint32_t *slots;
	uint32_t mask; /* slots - 1, a power of two minus one */
	uint32_t used;
};

#define INDEX_NONE UINT32_MAX

int index_init(struct index *x, const struct env *env, uint32_t rows_expected, struct error *e) MUST_USE;
void index_fini(struct index *x, const struct env *env);
void index_clear(struct index *x);
static inline size_t index_bytes(const struct index *x) { return ((size_t)x->mask + 1) * sizeof *x->slots; }

/* True when `more` insertions keep it at most half full. */
static inline bool index_has_room(const struct index *x, uint32_t more)
{
	return (uint64_t)x->used + more <= ((uint64_t)x->mask + 1) / 2;
}

/* Doubles it. Its rows must be 0 to used - 1; `hash_of(ctx, row)` gives the hash of each again, in their order, so that
 * the rows are read one after the other. -ENOMEM leaves it as it was. */
int index_grow(struct index *x, const struct env *env, uint64_t (*hash_of)(const void *ctx, uint32_t row),
               const void *ctx, struct error *e) MUST_USE;

/* Probing: start at index_at(hash), step with index_next; index_live slots hold row index_row if index_tagged. */
static inline uint32_t index_at(const struct index *x, uint64_t hash) { return (uint32_t)(hash >> 32) & x->mask; }
static inline uint32_t index_next(const struct index *x, uint32_t at) { return (at + 1) & x->mask; }
static inline uint32_t index_key(const struct index *x, uint64_t hash) { return (uint32_t)hash & ~x->mask; }
static inline bool index_live(uint32_t slot) { return slot != 0; }
static inline bool index_tagged(const struct index *x, uint32_t slot, uint32_t key) { return (slot ^ key) <= x->mask; }
static inline uint32_t index_row(const struct index *x, uint32_t slot) { return (slot & x->mask) - 1; }

/* The first slot for a hash that is not live or has its tag. The second try is part of the first: whether a slot is
 * taken by another is a coin that no branch predictor calls. */
static inline uint32_t index_candidate(const struct index *x, uint64_t hash)
{
	uint32_t key = index_key(x, hash), at = index_at(x, hash), second = index_next(x, at);
	bool live = index_live(x->slots[at]), tagged = index_tagged(x, x->slots[at], key);
	at = (live & !tagged) ? second : at;
	while (index_live(x->slots[at]) && !index_tagged(x, x->slots[at], key))
		at = index_next(x, at);
	return at;
}

static inline void index_put(struct index *x, uint32_t at, uint32_t key, uint32_t row)
{
	assert(row < x->mask);
	x->slots[at] = key | (row + 1);
	x->used++;
}
