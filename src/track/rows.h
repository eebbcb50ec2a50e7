/* Row tables: the partial rows of one open window, and the exact sets that belong to them.
 *
 * One table serves `flow` (key: source, port, protocol, class) and `victim_second` (key: victim, port, protocol, kind and
 * second; its pairs are what was forged, all counted as those of accesses are). A row is one cache line, appended in
 * order; an index finds it. Addresses are 32-bit names: IPv4 addresses themselves, or numbers given by a `struct names`
 * (IPv6, and held windows).
 *
 *   destinations and attempts of a row: up to four (name, source port) pairs inline, past that an own open-addressing
 *   set of destinations in the table's region, which remembers one source port each; only a destination asked from
 *   several source ports goes to a second set of (name, port). So retransmissions and fresh destinations, which is
 *   nearly everything, cost one look-up.
 *
 *   accesses of a row: all of its packets, or none, as its inline pairs say; a row that has both kinds has sets, and
 *   counts beside them.
 */
#pragma once
#include "base/hash.h"
#include "base/index.h"
#include "base/region.h"
#include "model/hit.h"

#include <stdbool.h>

#define ROW_PAIRS 4
#define ROW_NO_SYN UINT64_MAX

struct row_sets { /* of a row that has outgrown its pairs */
	uint32_t destinations;
	uint32_t attempts;
	uint32_t accesses;
	uint32_t main : 27, main_log : 5;   /* set of destinations: offset in the region, in SET_UNIT; log2 of its slots */
	uint32_t multi : 27, multi_log : 5; /* set of (destination, port) past each destination's first port; log 0: none */
	uint32_t multi_used;
};
#define SET_UNIT 256 /* bytes: the least set, so that none shares a cache line */

struct row {
	uint64_t key;
	uint32_t packets;
	uint16_t rules, tags;
	uint64_t word; /* bits 0–47 bytes, 48–55 TCP flags, 56–58 pairs in use (7: sets), 60–63 which of them are accesses:
	                * all or none */
	uint64_t syn;  /* least (nanosecond of the minute << 28 | window << 12 | layout), see syn.h; ROW_NO_SYN */
	union {
		struct {
			uint32_t dst[ROW_PAIRS];
			uint16_t sport[ROW_PAIRS];
		};
		struct row_sets sets;
	};
	uint16_t length_min, length_max;
	uint8_t ttl_min, ttl_max, first, last;
};
_Static_assert(sizeof(struct row) == 64, "one cache line");

enum { ROW_HAS_SETS = 7 };
#define ROW_BYTES_MAX 0xffffffffffffu

/* A row's word with more bytes. They stop at what 48 bits hold, for lengths are what hostile headers say: a carry would
 * reach the flags and the pairs. A sum that stops at a bound still does not mind the order. */
static inline uint64_t row_word_add(uint64_t word, uint64_t bytes)
{
	uint64_t sum = word + bytes;
	return __builtin_expect((sum ^ word) >> 48 != 0, 0) ? word | ROW_BYTES_MAX : sum;
}

static inline uint64_t row_bytes(const struct row *r) { return r->word & 0xffffffffffff; }
static inline uint8_t row_flags(const struct row *r) { return (uint8_t)(r->word >> 48); }
static inline uint32_t row_pairs(const struct row *r) { return (uint32_t)(r->word >> 56) & 7; }
static inline uint32_t row_access_mask(const struct row *r) { return (uint32_t)(r->word >> 60); }

/* Whether a packet would make the inline pairs of a row of both kinds. */
static inline bool row_would_mix(const struct row *r, bool access) { return (row_access_mask(r) != 0) != access; }

static inline uint32_t row_accesses(const struct row *r)
{
	if (__builtin_expect(row_pairs(r) == ROW_HAS_SETS, 0))
		return r->sets.accesses;
	return row_access_mask(r) ? r->packets : 0;
}

/* The lower half of a key of `victim_second`: a second of a minute leaves two bits of its byte to the kind. */
static inline uint32_t row_victim_key(uint16_t port, uint8_t proto, uint8_t kind, uint8_t second)
{
	return (uint32_t)port << 16 | (uint32_t)proto << 8 | (uint32_t)kind << 6 | second;
}

uint32_t row_destinations(const struct row *r);
uint32_t row_attempts(const struct row *r);

struct rows {
	struct row *row;
	uint32_t n;
	struct index index;
	struct region room;  /* of the rows */
	struct region sets;
	struct seed seed;
	const struct env *env;
};

#define ROWS_BATCH 128
#define ROWS_ROOM 1024 /* packets that rows_prepare makes room for */

/* Limits in bytes, of rows and of their sets. */
int rows_init(struct rows *t, const struct env *env, size_t limit, size_t sets_limit, struct error *e) MUST_USE;
void rows_fini(struct rows *t);
void rows_clear(struct rows *t, size_t keep);
size_t rows_used(const struct rows *t); /* bytes that its contents take */

/* Makes sure that ROWS_ROOM packets find room for their rows. -ENOSPC: the table is full, hand over and clear. */
int rows_prepare(struct rows *t, struct error *e) MUST_USE;

/* Says early that a key will be looked up, so that its slot is on the way while the batch is still being made. */
static inline uint64_t rows_want(const struct rows *t, uint64_t key)
{
	uint64_t hash = hash_u64(&t->seed, key);
	__builtin_prefetch(&t->index.slots[index_at(&t->index, hash)]);
	return hash;
}

/* Adds up to ROWS_BATCH hits with their hashes by rows_want, after rows_prepare and with room in the layouts. Returns 0,
 * or of how many hits only the pair is missing because a set found no room: their numbers are then in `left`. Hand over,
 * clear, and add those pairs by rows_add_pair. */
struct layouts;
uint32_t rows_add(struct rows *t, const struct hit *hits, const uint64_t *hashes, uint32_t n, struct layouts *layouts,
                  uint8_t left[static ROWS_BATCH]);

/* Adds only a pair (destination, source port) to the row of a key, made empty if need be. -ENOSPC as above. */
int rows_add_pair(struct rows *t, uint64_t key, uint32_t dst, uint16_t sport, bool access, struct error *e) MUST_USE;

/* The row of a key, made empty (no packets) if need be. NULL: full. */
struct row *rows_get(struct rows *t, uint64_t key);

/* Adds packets, and how many of them are accesses, to a row that has their pairs. False: its sets found no room. */
bool rows_add_packets(struct rows *t, struct row *r, uint32_t packets, uint32_t accesses) MUST_USE;

/* Calls for every pair of a row: destination, source port, whether it is an access. Stops at a non-zero return. */
typedef int (*row_pair_fn)(void *ctx, uint32_t dst, uint16_t sport, bool access);
int rows_each_pair(const struct rows *t, const struct row *r, row_pair_fn fn, void *ctx);
