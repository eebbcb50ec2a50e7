/* The tally: packets and probes of each source in each hour.
 *
 * A minute's rows come in the order their sources appeared, which is none, and a table of a million sources lies in no
 * cache. So what rows say is first written down one after the other (the log) and settled when the log is full, sorted
 * by where it goes in the table: then the table is walked through once instead of being hit at random.
 */
#pragma once
#include "base/env.h"
#include "base/hash.h"
#include "classify/classify.h"

/* Key: name << 32 | family << 31 | hour (sources.h). A row without packets is an empty slot. */
struct tally_row {
	uint64_t key;
	uint64_t packets; /* in rows; bit 63: seen as the source of an outermost IP header */
	uint32_t probes[PROBE_PROTOCOLS];
};
_Static_assert(sizeof(struct tally_row) == 32, "two a cache line");
#define TALLY_SEEN (1ull << 63)

struct tally_entry {
	uint64_t key;
	uint32_t packets;
	uint16_t protocol; /* enum probe_protocol */
	uint8_t probe, seen;
};

struct tally {
	const struct env *env;
	struct tally_row *row; /* 1 << log2 slots, filled to three quarters at most; place: upper bits of the hash */
	unsigned log2;
	uint32_t n;
	size_t limit;          /* bytes the table may grow to */
	struct seed seed;
	struct tally_entry *log, *sorted;
	uint32_t n_log, log_room;
	uint32_t settled;      /* of `sorted`, when settling stopped because the table was full */
	uint32_t n_sorted;
};

/* Counts of 32 bits stop at their end. */
static inline uint32_t tally_add_saturated(uint32_t a, uint32_t b)
{
	uint32_t sum;
	return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

int tally_init(struct tally *t, const struct env *env, size_t limit, struct error *e) MUST_USE;
void tally_fini(struct tally *t);
void tally_clear(struct tally *t); /* the table; the log stays */
size_t tally_used(const struct tally *t);

/* Room for `more` rows: 0, -ENOSPC when the table may not grow so far, -ENOMEM. */
int tally_prepare(struct tally *t, uint32_t more, struct error *e) MUST_USE;
/* The row of a key, made if need be: room must have been made sure of, and packets must be added before anything else
 * is asked of the table. */
struct tally_row *tally_at(struct tally *t, uint64_t key);
const struct tally_row *tally_find(const struct tally *t, uint64_t key); /* NULL: none */

/* Writes down what a row says. The log must have room: tally_log_left. */
static inline uint32_t tally_log_left(const struct tally *t) { return t->log_room - t->n_log; }
static inline void tally_note(struct tally *t, struct tally_entry entry) { t->log[t->n_log++] = entry; }

/* Adds the log to the table. -ENOSPC: the table is full; hand it over, clear it, and settle again. */
int tally_settle(struct tally *t, struct error *e) MUST_USE;
static inline bool tally_is_settled(const struct tally *t) { return t->n_log == 0 && t->settled == t->n_sorted; }

/* All rows, in no order: the next one from slot *at on, or NULL. */
const struct tally_row *tally_next(const struct tally *t, uint64_t *at);
