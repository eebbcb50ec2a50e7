/* Random numbers that are the same on every machine: integers alone.
 *
 * The generator is xoshiro256** 1.0, seeded by SplitMix64 (Blackman and Vigna, prng.di.unimi.it, public domain). Each
 * actor has one of its own, made of the run's seed and its own number, so that a population more or less changes no other.
 * An expression draws once at most: C does not say which of two arguments is computed first.
 * Fixed-point numbers have 32 bits behind the point. */
#pragma once
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* SplitMix64's output function: also a good hash of a number. */
static inline uint64_t mix64(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

void rng_seed(struct rng *r, uint64_t seed, uint64_t stream);

static inline uint64_t rng_rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->s, out = rng_rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rng_rotate(s[3], 45);
	return out;
}

static inline uint32_t rng_u32(struct rng *r) { return (uint32_t)(rng_next(r) >> 32); }

/* 0 … n - 1; the bias is below n / 2^64. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	return (uint64_t)((unsigned __int128)rng_next(r) * n >> 64);
}

/* log2(x) for x >= 1; 2^x, floored (UINT64_MAX from 2^63 on). Both linear between 256 places: 3e-6 off at most. */
uint64_t fixed_log2(uint64_t x);
uint64_t fixed_exp2(uint64_t x);

/* Mean 1, in fixed point. */
uint64_t rng_exponential(struct rng *r);

/* Heavy tail: P(X > x) = (least / x)^alpha, cut at `most`; alpha in millionths. */
uint64_t rng_pareto(struct rng *r, uint64_t least, uint64_t most, uint64_t alpha_micro);

/* Its logarithm is uniform. 1 <= least <= most. */
uint64_t rng_log_uniform(struct rng *r, uint64_t least, uint64_t most);

/* The wait for the next event of a Poisson process, ns; `mean` in ns with 8 bits behind the point. */
static inline int64_t rng_wait(struct rng *r, uint64_t mean)
{
	unsigned __int128 wait = (unsigned __int128)rng_exponential(r) * mean >> 40;
	return wait > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)wait;
}
