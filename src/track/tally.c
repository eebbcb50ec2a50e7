#include "track/tally.h"

#include <errno.h>
#include <string.h>

#define LEAST_LOG2 10u
#define BUCKET_BITS 9 /* the log is sorted into so many parts of the table */
#define BUCKETS (1u << BUCKET_BITS)
#define LOG_MAX 65536u /* all may be new, and the table grows for so many before a run of them is settled */
#define AHEAD 48 /* entries between asking for a row and adding to it */

static size_t table_bytes(unsigned log2) { return sizeof(struct tally_row) << log2; }

int tally_init(struct tally *t, const struct env *env, size_t limit, struct error *e)
{
	*t = (struct tally){ .env = env, .limit = limit, .log2 = LEAST_LOG2 };
	int rc = seed_draw(&t->seed, env);
	if (rc) {
		t->env = NULL;
		return error_set(e, rc, "MON-TRK-002", "no random numbers to be had");
	}
	size_t room = limit / (8 * sizeof *t->log);
	t->log_room = room < LOG_MAX ? (uint32_t)room : LOG_MAX;
	t->row = env_alloc(env, table_bytes(t->log2));
	t->log = env_alloc(env, t->log_room * sizeof *t->log);
	t->sorted = env_alloc(env, t->log_room * sizeof *t->sorted);
	if (t->row && t->log && t->sorted)
		return 0;
	tally_fini(t);
	return error_no_memory(e, "making a table");
}

void tally_fini(struct tally *t)
{
	if (!t->env)
		return;
	env_free(t->env, t->row, table_bytes(t->log2));
	env_free(t->env, t->log, t->log_room * sizeof *t->log);
	env_free(t->env, t->sorted, t->log_room * sizeof *t->sorted);
	t->env = NULL;
}

/* An empty table is a small one again: what it takes counts against the bound of all sources. */
void tally_clear(struct tally *t)
{
	struct tally_row *least = t->log2 > LEAST_LOG2 ? env_alloc(t->env, table_bytes(LEAST_LOG2)) : NULL;
	if (least) {
		env_free(t->env, t->row, table_bytes(t->log2));
		t->row = least;
		t->log2 = LEAST_LOG2;
	} else if (t->n) {
		memset(t->row, 0, table_bytes(t->log2));
	}
	t->n = 0;
}

/* By contents, not by the table: that keeps its size when it is emptied, and would be full again with its first row. */
size_t tally_used(const struct tally *t) { return (size_t)t->n * sizeof *t->row / 3 * 4; }

static uint64_t place(const struct tally *t, uint64_t hash) { return hash >> (64 - t->log2); }

static struct tally_row *slot_of(const struct tally *t, uint64_t key, uint64_t hash)
{
	uint64_t mask = (1ull << t->log2) - 1, at = place(t, hash);
	while (t->row[at].packets && t->row[at].key != key)
		at = (at + 1) & mask;
	return &t->row[at];
}

/* Doubles the table. Places come from the upper bits, so old and new are both walked through in order. */
static int grow(struct tally *t, struct error *e)
{
	struct tally old = *t;
	if (table_bytes(t->log2 + 1) > t->limit)
		return -ENOSPC;
	t->row = env_alloc(t->env, table_bytes(t->log2 + 1));
	if (!t->row) {
		t->row = old.row;
		return error_no_memory(e, "counting sources");
	}
	t->log2++;
	for (uint64_t at = 0; at < 1ull << old.log2; at++)
		if (old.row[at].packets)
			*slot_of(t, old.row[at].key, hash_u64(&t->seed, old.row[at].key)) = old.row[at];
	env_free(t->env, old.row, table_bytes(old.log2));
	return 0;
}

int tally_prepare(struct tally *t, uint32_t more, struct error *e)
{
	while ((uint64_t)t->n + more > (3ull << t->log2) / 4) {
		int rc = grow(t, e);
		if (rc)
			return rc;
	}
	return 0;
}

static inline struct tally_row *row_at(struct tally *t, uint64_t key, uint64_t hash)
{
	struct tally_row *r = slot_of(t, key, hash);
	t->n += !r->packets;
	r->key = key;
	return r;
}

struct tally_row *tally_at(struct tally *t, uint64_t key) { return row_at(t, key, hash_u64(&t->seed, key)); }

const struct tally_row *tally_find(const struct tally *t, uint64_t key)
{
	const struct tally_row *r = slot_of(t, key, hash_u64(&t->seed, key));
	return r->packets ? r : NULL;
}

/* ---- Settling ---- */
static uint32_t bucket(const struct tally *t, uint64_t key)
{
	return (uint32_t)(hash_u64(&t->seed, key) >> (64 - BUCKET_BITS));
}

static void sort_log(struct tally *t)
{
	uint32_t next[BUCKETS] = { 0 }, sum = 0;
	for (uint32_t i = 0; i < t->n_log; i++)
		next[bucket(t, t->log[i].key)]++;
	for (uint32_t b = 0; b < BUCKETS; b++) {
		uint32_t n = next[b];
		next[b] = sum;
		sum += n;
	}
	for (uint32_t i = 0; i < t->n_log; i++)
		t->sorted[next[bucket(t, t->log[i].key)]++] = t->log[i];
	t->n_sorted = t->n_log;
	t->n_log = t->settled = 0;
}

static inline void settle_entry(struct tally *t, const struct tally_entry *entry)
{
	struct tally_row *r = row_at(t, entry->key, hash_u64(&t->seed, entry->key));
	r->packets = (r->packets + entry->packets) | (uint64_t)entry->seen << 63;
	r->probes[entry->protocol] = tally_add_saturated(r->probes[entry->protocol], entry->probe ? entry->packets : 0);
}

/* As much of what is sorted as surely finds room. */
static int settle_some(struct tally *t, struct error *e)
{
	uint32_t left = t->n_sorted - t->settled;
	int rc = tally_prepare(t, left, e);
	if (rc == -ENOSPC) { /* perhaps not all are new */
		uint64_t room = (3ull << t->log2) / 4 - t->n;
		left = room < left ? (uint32_t)room : left;
		rc = left ? 0 : rc;
	}
	if (rc)
		return rc;
	for (uint32_t end = t->settled + left; t->settled < end; t->settled++) {
		uint32_t ahead = t->settled + AHEAD < t->n_sorted ? t->settled + AHEAD : t->settled;
		__builtin_prefetch(&t->row[place(t, hash_u64(&t->seed, t->sorted[ahead].key))], 1);
		settle_entry(t, &t->sorted[t->settled]);
	}
	return 0;
}

int tally_settle(struct tally *t, struct error *e)
{
	int rc = 0;
	while (!rc && !tally_is_settled(t)) {
		if (t->settled == t->n_sorted)
			sort_log(t);
		rc = settle_some(t, e);
	}
	return rc;
}

const struct tally_row *tally_next(const struct tally *t, uint64_t *at)
{
	while (*at < 1ull << t->log2) {
		const struct tally_row *r = &t->row[(*at)++];
		if (r->packets)
			return r;
	}
	return NULL;
}
