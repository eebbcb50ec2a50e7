/* The tally: packets and probes of each source in each hour.
 *
 * A minute's rows come in the order their sources appeared, which is none, and a table of a million sources lies in no
 * cache: what it costs is the memory it touches. So a row is 16 bytes, the next rows are asked for early (tally_want),
 * and a source that sends more than small numbers count keeps its counts in a list beside the table.
 */
#pragma once
#include "base/env.h"
#include "base/hash.h"
#include "classify/classify.h"

/* Key: name << 32 | family << 31 | hour (sources.h). `counts` (tally.c) is 0 in an empty slot. */
struct tally_row {
	uint64_t key;
	uint64_t counts;
};
_Static_assert(sizeof(struct tally_row) == 16, "four a cache line");

struct tally_counts {
	uint64_t packets; /* in rows; bit 63: seen as the source of an outermost IP header */
	uint32_t probes[PROBE_PROTOCOLS];
};
#define TALLY_SEEN (1ull << 63)

struct tally {
	const struct env *env;
	struct tally_row *row; /* 1 << log2 slots, filled to three quarters at most; place: upper bits of the hash */
	unsigned log2;
	uint32_t n;
	size_t limit;          /* bytes the table may grow to, and the list of large counts */
	struct seed seed;
	struct tally_counts *large;
	uint32_t n_large, large_room;
};

/* Counts of 32 bits stop at their end. */
static inline uint32_t tally_add_saturated(uint32_t a, uint32_t b)
{
	uint32_t sum;
	return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

int tally_init(struct tally *t, const struct env *env, size_t limit, struct error *e) MUST_USE;
void tally_fini(struct tally *t);
void tally_clear(struct tally *t);
size_t tally_used(const struct tally *t);

/* Room for `more` additions: 0, -ENOSPC when the table may not grow so far, -ENOMEM. */
int tally_prepare(struct tally *t, uint32_t more, struct error *e) MUST_USE;

/* Asks for the row of a key that will be added to. */
static inline __attribute__((always_inline)) void tally_want(const struct tally *t, uint64_t key)
{
	__builtin_prefetch(&t->row[hash_u64(&t->seed, key) >> (64 - t->log2)], 1);
}

/* Adds packets of one protocol to the row of a key, made if need be, after tally_prepare; packets or `seen` are not 0. */
struct tally_entry {
	uint64_t key;
	uint32_t packets;
	uint16_t protocol; /* enum probe_protocol */
	uint8_t probe, seen;
};
void tally_add(struct tally *t, const struct tally_entry *entry);
void tally_put(struct tally *t, uint64_t key, const struct tally_counts *counts); /* the same of any counts */

const struct tally_row *tally_find(const struct tally *t, uint64_t key); /* NULL: none */
struct tally_counts tally_counts(const struct tally *t, const struct tally_row *r);

/* All rows, in no order: the next one from slot *at on, or NULL. */
const struct tally_row *tally_next(const struct tally *t, uint64_t *at);
