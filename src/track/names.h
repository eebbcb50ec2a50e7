/* Names: 32-bit numbers for what does not fit 32 bits itself, so that one kind of row serves all.
 *
 * A name stands for an address (16 bytes) and an epoch: 0, or the minute of a held window. */
#pragma once
#include "base/addr.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/region.h"

struct name {
	struct addr addr;
	uint32_t epoch;
	uint32_t pad;
};

struct names {
	struct name *name;
	uint32_t n;
	struct index index;
	struct region room;
	struct seed seed;
	const struct env *env;
};

int names_init(struct names *t, const struct env *env, size_t limit, struct error *e) MUST_USE;
void names_fini(struct names *t);
void names_clear(struct names *t, size_t keep);
size_t names_used(const struct names *t);

/* Makes sure that `more` names fit: 0, -ENOSPC when full, -ENOMEM. */
int names_prepare(struct names *t, uint32_t more, struct error *e) MUST_USE;
static inline uint64_t names_hash(const struct names *t, const struct addr *addr, uint32_t epoch)
{
	return hash_u64x2(&t->seed, load_le64(addr->bytes), load_le64(addr->bytes + 8) ^ (uint64_t)epoch << 17);
}

/* Asks early for the slot of a name. (By force: gcc drops calls of functions that only prefetch.) */
static inline __attribute__((always_inline)) void names_want(const struct names *t, const struct addr *addr,
                                                             uint32_t epoch)
{
	__builtin_prefetch(&t->index.slots[index_at(&t->index, names_hash(t, addr, epoch))]);
}

/* And then for the name that is found there. */
static inline __attribute__((always_inline)) void names_want_name(const struct names *t, const struct addr *addr,
                                                                  uint32_t epoch)
{
	uint32_t slot = t->index.slots[index_at(&t->index, names_hash(t, addr, epoch))];
	__builtin_prefetch(&t->name[index_live(slot) ? index_row(&t->index, slot) : 0]);
}

/* The number of a name, INDEX_NONE if there is none. */
uint32_t names_find(const struct names *t, const struct addr *addr, uint32_t epoch);

/* The number of a name; room for it must have been made sure of. */
uint32_t names_put(struct names *t, const struct addr *addr, uint32_t epoch);
