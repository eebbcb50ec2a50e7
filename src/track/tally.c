#include "track/tally.h"

#include <errno.h>
#include <string.h>

#define LEAST_LOG2 10u
#define LEAST_LARGE 64u

/* A row's counts: fields, each with a bit above it that the sum of two must leave alone; then whether they are the
 * number of large ones instead; then whether the source was seen. */
#define PACKETS_BITS 17
#define PROBES_BITS 10
#define PROBES_AT(protocol) (PACKETS_BITS + 1 + (PROBES_BITS + 1) * (unsigned)(protocol))
#define FIELD(bits) ((1ull << (bits)) - 1)
#define GUARD(protocol) (1ull << (PROBES_AT(protocol) + PROBES_BITS))
#define GUARDS (1ull << PACKETS_BITS | GUARD(PROBE_TCP) | GUARD(PROBE_UDP) | GUARD(PROBE_ICMP) | GUARD(PROBE_OTHER))
#define LARGE (1ull << 62)
_Static_assert(PROBES_AT(PROBE_PROTOCOLS) == 62, "the fields end below the two bits");

static size_t table_bytes(unsigned log2) { return sizeof(struct tally_row) << log2; }

int tally_init(struct tally *t, const struct env *env, size_t limit, struct error *e)
{
	*t = (struct tally){ .env = env, .limit = limit, .log2 = LEAST_LOG2 };
	int rc = seed_draw(&t->seed, env);
	if (rc) {
		t->env = NULL;
		return error_set(e, rc, "MON-TRK-002", "no random numbers to be had");
	}
	t->row = env_alloc(env, table_bytes(t->log2));
	if (t->row)
		return 0;
	t->env = NULL;
	return error_no_memory(e, "making a table");
}

void tally_fini(struct tally *t)
{
	if (!t->env)
		return;
	env_free(t->env, t->row, table_bytes(t->log2));
	env_free(t->env, t->large, t->large_room * sizeof *t->large);
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
	t->n = t->n_large = 0;
}

/* By contents, not by the table: that keeps its size when it is emptied, and would be full again with its first row. */
size_t tally_used(const struct tally *t)
{
	return (size_t)t->n * sizeof *t->row / 3 * 4 + t->n_large * sizeof *t->large;
}

static struct tally_row *slot_of(const struct tally *t, uint64_t key)
{
	uint64_t mask = (1ull << t->log2) - 1, at = hash_u64(&t->seed, key) >> (64 - t->log2);
	while (t->row[at].counts && t->row[at].key != key)
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
		if (old.row[at].counts)
			*slot_of(t, old.row[at].key) = old.row[at];
	env_free(t->env, old.row, table_bytes(old.log2));
	return 0;
}

static int grow_large(struct tally *t, struct error *e)
{
	uint32_t room = t->large_room ? 2 * t->large_room : LEAST_LARGE;
	if (room * sizeof *t->large > t->limit)
		return -ENOSPC;
	struct tally_counts *grown = env_grow(t->env, t->large, t->large_room * sizeof *grown, room * sizeof *grown);
	if (!grown)
		return error_no_memory(e, "counting sources");
	t->large = grown;
	t->large_room = room;
	return 0;
}

int tally_prepare(struct tally *t, uint32_t more, struct error *e)
{
	int rc = 0;
	while (!rc && (uint64_t)t->n + more > (3ull << t->log2) / 4)
		rc = grow(t, e);
	while (!rc && (uint64_t)t->n_large + more > t->large_room)
		rc = grow_large(t, e);
	return rc;
}

static inline struct tally_row *row_at(struct tally *t, uint64_t key)
{
	struct tally_row *r = slot_of(t, key);
	t->n += !r->counts;
	r->key = key;
	return r;
}

struct tally_counts tally_counts(const struct tally *t, const struct tally_row *r)
{
	uint64_t seen = r->counts & TALLY_SEEN;
	if (r->counts & LARGE) {
		struct tally_counts large = t->large[(uint32_t)r->counts];
		large.packets |= seen;
		return large;
	}
	struct tally_counts c = { .packets = (r->counts & FIELD(PACKETS_BITS)) | seen };
	for (unsigned i = 0; i < PROBE_PROTOCOLS; i++)
		c.probes[i] = (uint32_t)(r->counts >> PROBES_AT(i) & FIELD(PROBES_BITS));
	return c;
}

/* Any counts: into the list, if they are not there yet. Its packets are without the bit. */
static void add_large(struct tally *t, struct tally_row *r, const struct tally_counts *counts)
{
	uint64_t seen = (r->counts | counts->packets) & TALLY_SEEN;
	if (!(r->counts & LARGE)) {
		t->large[t->n_large] = tally_counts(t, r);
		t->large[t->n_large].packets &= ~TALLY_SEEN;
		r->counts = LARGE | t->n_large++;
	}
	struct tally_counts *large = &t->large[(uint32_t)r->counts];
	large->packets += counts->packets & ~TALLY_SEEN;
	for (unsigned i = 0; i < PROBE_PROTOCOLS; i++)
		large->probes[i] = tally_add_saturated(large->probes[i], counts->probes[i]);
	r->counts |= seen;
}

void tally_add(struct tally *t, const struct tally_entry *entry)
{
	struct tally_row *r = row_at(t, entry->key);
	uint64_t probes = entry->probe ? entry->packets : 0, seen = (uint64_t)entry->seen << 63;
	uint64_t sum = (r->counts & ~TALLY_SEEN) + entry->packets + (probes << PROBES_AT(entry->protocol));
	if (__builtin_expect(entry->packets > FIELD(PROBES_BITS) || (sum & (GUARDS | LARGE)), 0)) {
		struct tally_counts counts = { .packets = entry->packets | seen };
		counts.probes[entry->protocol] = (uint32_t)probes;
		add_large(t, r, &counts);
		return;
	}
	r->counts = sum | ((r->counts | seen) & TALLY_SEEN);
}

static bool is_small(const struct tally_counts *counts)
{
	bool small = (counts->packets & ~TALLY_SEEN) <= FIELD(PACKETS_BITS);
	for (unsigned i = 0; i < PROBE_PROTOCOLS; i++)
		small &= counts->probes[i] <= FIELD(PROBES_BITS);
	return small;
}

void tally_put(struct tally *t, uint64_t key, const struct tally_counts *counts)
{
	struct tally_row *r = row_at(t, key);
	uint64_t sum = (r->counts & ~TALLY_SEEN) + (counts->packets & ~TALLY_SEEN);
	for (unsigned i = 0; i < PROBE_PROTOCOLS; i++)
		sum += (uint64_t)counts->probes[i] << PROBES_AT(i);
	if (!is_small(counts) || (sum & (GUARDS | LARGE)))
		add_large(t, r, counts);
	else
		r->counts = sum | ((r->counts | counts->packets) & TALLY_SEEN);
}

const struct tally_row *tally_find(const struct tally *t, uint64_t key)
{
	const struct tally_row *r = slot_of(t, key);
	return r->counts ? r : NULL;
}

const struct tally_row *tally_next(const struct tally *t, uint64_t *at)
{
	while (*at < 1ull << t->log2) {
		const struct tally_row *r = &t->row[(*at)++];
		if (r->counts)
			return r;
	}
	return NULL;
}
