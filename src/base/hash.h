/* Seeded hashing of table keys. Sources are chosen by attackers, so every table draws its seeds at random and nothing
 * a table orders by its hash may reach a row. (What is stored is hashed by XXH3 and XXH64 with seed 0 instead.) */
#pragma once
#include "base/env.h"

#include <stdint.h>

struct seed {
	uint64_t a, b; /* b is odd */
};

static inline int seed_draw(struct seed *s, const struct env *env)
{
	int rc = env->random(env, s, sizeof *s);
	s->b |= 1;
	return rc;
}

/* One 64×64→128 bit multiplication, folded: every bit of the key reaches every bit of the result. */
static inline uint64_t hash_fold(uint64_t x, uint64_t y)
{
	unsigned __int128 z = (unsigned __int128)x * y;
	return (uint64_t)z ^ (uint64_t)(z >> 64);
}

static inline uint64_t hash_u64(const struct seed *s, uint64_t key) { return hash_fold(key ^ s->a, s->b); }

static inline uint64_t hash_u64x2(const struct seed *s, uint64_t x, uint64_t y)
{
	return hash_fold(hash_fold(x ^ s->a, s->b) ^ y, s->b ^ 0x9e3779b97f4a7c15u);
}
