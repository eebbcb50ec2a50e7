#include "track/rows.h"

#include "track/layouts.h"

#include <errno.h>
#include <string.h>

#define LEAST_ROWS 4096u
#define LARGE_TABLE ((size_t)1 << 30) /* bytes it may take: then it begins large, since growing beside other threads */
#define LARGE_ROWS 65536u             /* interrupts them; what it does not use of that is not touched */
#define LARGE_SET_LOG 12
#define FIRST_SET_LOG 5 /* slots of a new set: room for 16 entries */
#define SETS_MAX ((size_t)SET_UNIT << 27)
_Static_assert((sizeof(uint64_t) << FIRST_SET_LOG) == SET_UNIT, "sets are whole units");

int rows_init(struct rows *t, const struct env *env, size_t limit, size_t sets_limit, struct error *e)
{
	*t = (struct rows){ .env = env };
	int rc = seed_draw(&t->seed, env);
	if (rc)
		return error_set(e, rc, "MON-TRK-002", "no random numbers to be had");
	rc = index_init(&t->index, env, limit < LARGE_TABLE ? LEAST_ROWS : LARGE_ROWS, e);
	if (!rc)
		rc = region_init(&t->room, env, limit, e);
	if (!rc)
		rc = region_init(&t->sets, env, sets_limit < SETS_MAX ? sets_limit : SETS_MAX, e);
	if (rc)
		rows_fini(t);
	t->row = (struct row *)(void *)t->room.base;
	return rc;
}

void rows_fini(struct rows *t)
{
	if (!t->env)
		return;
	index_fini(&t->index, t->env);
	region_fini(&t->room, t->env);
	region_fini(&t->sets, t->env);
	t->env = NULL;
}

void rows_clear(struct rows *t, size_t keep)
{
	t->n = 0;
	index_clear(&t->index);
	region_clear(&t->room, keep);
	region_clear(&t->sets, keep);
}

size_t rows_used(const struct rows *t)
{
	return t->room.used + t->sets.used + (t->n ? index_bytes(&t->index) : 0);
}

static uint64_t hash_of_row(const void *ctx, uint32_t row)
{
	const struct rows *t = ctx;
	return hash_u64(&t->seed, t->row[row].key);
}

int rows_prepare(struct rows *t, struct error *e)
{
	if (t->room.limit - t->room.used < ROWS_ROOM * sizeof(struct row))
		return -ENOSPC;
	if (index_has_room(&t->index, ROWS_ROOM))
		return 0;
	return index_grow(&t->index, t->env, hash_of_row, t, e);
}

/* ---- Sets of a row that has outgrown its pairs ----
 * A slot of the main set: destination << 32 | port << 16 | state; of the multi set: destination << 32 | port << 16 | 1.
 * Both are at most half full: most of
 * what comes is new, and what is not there is found out slowly in a full table. */
enum { SET_EMPTY, SET_NO_ACCESS, SET_ONE_PORT, SET_MANY_PORTS };

static uint64_t *set_slots(const struct rows *t, uint32_t offset)
{
	return (uint64_t *)(void *)(t->sets.base + (size_t)offset * SET_UNIT);
}

static uint32_t set_start(const struct rows *t, uint64_t key, uint8_t log)
{
	return (uint32_t)(hash_u64(&t->seed, key) >> (64 - log));
}

static bool set_make(struct rows *t, uint8_t log, uint32_t *offset)
{
	size_t bytes = sizeof(uint64_t) << log;
	uint64_t *slots = region_take(&t->sets, bytes);
	if (!slots)
		return false;
	memset(slots, 0, bytes);
	*offset = (uint32_t)((size_t)((uint8_t *)slots - t->sets.base) / SET_UNIT);
	return true;
}

/* Moves a set into one of four times the slots, or a large one into twice; the old one is left behind in the region
 * until the window ends. (By four: going through a half-full table is slow, and most sets that grow go on growing.) */
static bool set_enlarge(struct rows *t, uint32_t *offset, uint8_t log, uint8_t to, bool by_destination)
{
	uint32_t bigger;
	if (to > 31 || !set_make(t, to, &bigger))
		return false;
	const uint64_t *from = set_slots(t, *offset);
	uint64_t *into = set_slots(t, bigger);
	uint32_t mask = (uint32_t)((1ull << to) - 1);
	for (uint64_t i = 0; i < 1ull << log; i++) {
		if (!from[i])
			continue;
		uint32_t at = set_start(t, by_destination ? from[i] >> 32 : from[i] >> 16, to);
		while (into[at])
			at = (at + 1) & mask;
		into[at] = from[i];
	}
	*offset = bigger;
	return true;
}

static uint8_t log_after(uint8_t log) { return (uint8_t)(log + (log < LARGE_SET_LOG ? 2 : 1)); }

static bool main_enlarge(struct rows *t, struct row_sets *s)
{
	uint32_t at = s->main;
	uint8_t to = log_after(s->main_log);
	if (!set_enlarge(t, &at, s->main_log, to, true))
		return false;
	s->main = at & 0x7ffffff;
	s->main_log = to & 31u;
	return true;
}

static bool multi_enlarge(struct rows *t, struct row_sets *s)
{
	uint32_t at = s->multi;
	uint8_t to = s->multi_log ? log_after(s->multi_log) : FIRST_SET_LOG;
	if (!(s->multi_log ? set_enlarge(t, &at, s->multi_log, to, false) : set_make(t, to, &at)))
		return false;
	s->multi = at & 0x7ffffff;
	s->multi_log = to & 31u;
	return true;
}

static bool set_full(uint32_t used, uint8_t log) { return used + 1 > (1ull << log) / 2; }

/* One more source port of a destination that has been asked from another: is this pair new? -1: no room. */
static int multi_add(struct rows *t, struct row_sets *s, uint32_t dst, uint16_t sport)
{
	if ((!s->multi_log || set_full(s->multi_used, s->multi_log)) && !multi_enlarge(t, s))
		return -1;
	uint64_t *slot = set_slots(t, s->multi);
	uint32_t mask = (uint32_t)((1ull << s->multi_log) - 1);
	uint64_t entry = (uint64_t)dst << 32 | (uint64_t)sport << 16 | 1;
	for (uint32_t at = set_start(t, entry >> 16, s->multi_log);; at = (at + 1) & mask) {
		if (slot[at] == entry)
			return 0;
		if (!slot[at]) {
			slot[at] = entry;
			s->multi_used++;
			return 1;
		}
	}
}

/* An access from `sport` to a destination that the main set holds. */
static bool main_access(struct rows *t, struct row_sets *s, uint64_t *entry, uint16_t sport)
{
	unsigned state = (unsigned)(*entry & 0xffff);
	if (state == SET_NO_ACCESS) {
		*entry = (*entry & ~(uint64_t)0xffffffff) | (uint64_t)sport << 16 | SET_ONE_PORT;
		s->attempts++;
		return true;
	}
	if ((uint16_t)(*entry >> 16) == sport)
		return true;
	uint32_t dst = (uint32_t)(*entry >> 32);
	*entry |= SET_MANY_PORTS;
	int fresh = multi_add(t, s, dst, sport);
	if (fresh > 0)
		s->attempts++;
	return fresh >= 0;
}

static bool sets_add(struct rows *t, struct row_sets *s, uint32_t dst, uint16_t sport, bool access)
{
	uint64_t *slot = set_slots(t, s->main);
	uint32_t mask = (uint32_t)((1ull << s->main_log) - 1);
	uint32_t at = set_start(t, dst, s->main_log);
	for (; slot[at]; at = (at + 1) & mask)
		if ((uint32_t)(slot[at] >> 32) == dst)
			return !access || main_access(t, s, &slot[at], sport);
	if (set_full(s->destinations, s->main_log)) {
		if (!main_enlarge(t, s))
			return false;
		return sets_add(t, s, dst, sport, access);
	}
	slot[at] = (uint64_t)dst << 32 | (access ? (uint64_t)sport << 16 | SET_ONE_PORT : SET_NO_ACCESS);
	s->destinations++;
	s->attempts += access;
	return true;
}

/* A fifth pair, or one of the other kind: the pairs move into a set. Nothing changes when that finds no room. */
static bool row_make_sets(struct rows *t, struct row *r)
{
	struct row_sets s = { .accesses = row_accesses(r) };
	uint32_t at;
	if (!set_make(t, FIRST_SET_LOG, &at))
		return false;
	s.main = at & 0x7ffffff;
	s.main_log = FIRST_SET_LOG;
	for (uint32_t i = 0; i < row_pairs(r); i++)
		if (!sets_add(t, &s, r->dst[i], r->sport[i], row_access_mask(r) >> i & 1))
			return false;
	r->sets = s;
	r->word = (r->word & ~(0xffull << 56)) | (uint64_t)ROW_HAS_SETS << 56;
	return true;
}

#ifdef __SSE2__
#include <emmintrin.h>
/* Which of the four inline pairs equal (dst, sport): a bit each. */
static inline uint32_t pairs_equal(const struct row *r, uint32_t dst, uint16_t sport)
{
	__m128i d = _mm_cmpeq_epi32(_mm_loadu_si128((const void *)r->dst), _mm_set1_epi32((int)dst));
	__m128i p = _mm_cmpeq_epi16(_mm_loadl_epi64((const void *)r->sport), _mm_set1_epi16((short)sport));
	__m128i both = _mm_and_si128(d, _mm_unpacklo_epi16(p, p));
	return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(both));
}
#else
static inline uint32_t pairs_equal(const struct row *r, uint32_t dst, uint16_t sport)
{
	uint32_t equal = 0;
	for (uint32_t i = 0; i < ROW_PAIRS; i++)
		equal |= (uint32_t)(r->dst[i] == dst && r->sport[i] == sport) << i;
	return equal;
}
#endif

/* Adds a pair to a row that has no sets yet; false: it would be the fifth. Nearly as many pairs are new as are known,
 * so the place is written either way and only counts if the pair is new. */
static inline bool row_add_inline(struct row *r, uint32_t dst, uint16_t sport, uint32_t access)
{
	uint32_t n = row_pairs(r);
	bool fresh = !(pairs_equal(r, dst, sport) & ((1u << n) - 1));
	if (__builtin_expect(n == ROW_PAIRS, 0))
		return !fresh;
	r->dst[n] = dst;
	r->sport[n] = sport;
	r->word += (uint64_t)fresh << 56;
	r->word |= (uint64_t)(fresh & access) << (60 + n);
	return true;
}

/* Adds a pair to any row; false: a set found no room. */
static bool row_add_pair(struct rows *t, struct row *r, uint32_t dst, uint16_t sport, bool access)
{
	if (row_pairs(r) != ROW_HAS_SETS) {
		bool mixes = row_pairs(r) && row_would_mix(r, access);
		if (!mixes && row_add_inline(r, dst, sport, access))
			return true;
		if (!row_make_sets(t, r))
			return false;
	}
	return sets_add(t, &r->sets, dst, sport, access);
}

/* ---- Rows ---- */
static struct row *row_append(struct rows *t, uint32_t at, uint32_t tag)
{
	index_put(&t->index, at, tag, t->n++);
	return region_take(&t->room, sizeof(struct row));
}

static const struct row empty_row = { .syn = ROW_NO_SYN, .length_min = UINT16_MAX, .ttl_min = UINT8_MAX,
	                              .first = UINT8_MAX };

/* The row of a key, appended if there is none, starting at a candidate slot. */
static struct row *find_or_append(struct rows *t, uint64_t hash, uint64_t key, uint32_t at)
{
	const struct index *x = &t->index;
	uint32_t tag = index_key(x, hash);
	for (;; at = index_next(x, at)) {
		uint32_t slot = x->slots[at];
		if (!index_live(slot)) {
			struct row *r = row_append(t, at, tag);
			*r = empty_row;
			r->key = key;
			return r;
		}
		if (index_tagged(x, slot, tag) && t->row[index_row(x, slot)].key == key)
			return &t->row[index_row(x, slot)];
	}
}

struct row *rows_get(struct rows *t, uint64_t key)
{
	struct error ignored;
	if (rows_prepare(t, &ignored))
		return NULL;
	uint64_t hash = hash_u64(&t->seed, key);
	return find_or_append(t, hash, key, index_candidate(&t->index, hash));
}

/* A SYN at or before the row's least: equal times are told apart by the profile (docs/decisions/rows.md). */
static void row_see_syn(struct row *r, const struct hit *h, struct layouts *layouts)
{
	uint64_t word = h->ns << 28 | layouts_of_hit(layouts, h->profile);
	if (r->syn >> 28 == h->ns && r->syn != ROW_NO_SYN) {
		struct syn_profile a = layouts_get(layouts, (uint32_t)word & 0xfffffff);
		struct syn_profile b = layouts_get(layouts, (uint32_t)r->syn & 0xfffffff);
		if (syn_profile_compare(&a, &b) >= 0)
			return;
	}
	r->syn = word;
}

static inline uint16_t clamp16(uint32_t v) { return v > UINT16_MAX ? UINT16_MAX : (uint16_t)v; }

/* Only accesses make attempts, so that only their source port tells pairs apart. */
static inline uint16_t pair_port(const struct hit *h) { return h->sport & (uint16_t)-h->access; }

/* The first packet of a row: all of it in one go. */
static inline void row_fill(struct row *r, const struct hit *h, struct layouts *layouts)
{
	uint16_t length = clamp16(h->length);
	*r = (struct row){
		.key = h->key, .packets = 1, .rules = h->rules, .tags = h->tags,
		.word = h->length | (uint64_t)h->tcp_flags << 48 | 1ull << 56 | (uint64_t)h->access << 60,
		.syn = h->profile ? h->ns << 28 | layouts_of_hit(layouts, h->profile) : ROW_NO_SYN,
		.dst = { h->dst }, .sport = { pair_port(h) },
		.length_min = length, .length_max = length, .ttl_min = h->ttl, .ttl_max = h->ttl,
		.first = h->second, .last = h->second,
	};
}

static inline void row_add_packet(struct row *r, const struct hit *h, struct layouts *layouts)
{
	uint16_t length = clamp16(h->length);
	r->packets++;
	r->word = row_word_add(r->word, h->length) | (uint64_t)h->tcp_flags << 48;
	r->rules |= h->rules;
	r->tags |= h->tags;
	r->length_min = r->length_min < length ? r->length_min : length;
	r->length_max = r->length_max > length ? r->length_max : length;
	r->ttl_min = r->ttl_min < h->ttl ? r->ttl_min : h->ttl;
	r->ttl_max = r->ttl_max > h->ttl ? r->ttl_max : h->ttl;
	r->first = r->first < h->second ? r->first : h->second;
	r->last = r->last > h->second ? r->last : h->second;
	if (__builtin_expect((h->ns <= r->syn >> 28) & (h->profile != 0), 0))
		row_see_syn(r, h, layouts);
}

bool rows_add_packets(struct rows *t, struct row *r, uint32_t packets, uint32_t accesses)
{
	bool sets = row_pairs(r) == ROW_HAS_SETS;
	if (!sets && accesses != (row_access_mask(r) ? packets : 0)) {
		if (!row_make_sets(t, r))
			return false;
		sets = true;
	}
	r->packets += packets;
	if (sets)
		r->sets.accesses += accesses;
	return true;
}

/* Asks for the slot of a destination in a row's main set: it is what the cache lacks then. (Inlined
 * by force: gcc takes a function that only prefetches for one without effect, and drops the call.) */
static inline __attribute__((always_inline)) void want_set(const struct rows *t, const struct row *r, uint32_t dst)
{
	__builtin_prefetch(&set_slots(t, r->sets.main)[set_start(t, dst, r->sets.main_log)], 1);
}

/* A batch on its way through the stages of rows_add. Each stage goes through lists that the one before has made without
 * a branch: whether a packet's row is there, and whether it has sets, is as good as random. */
struct stages {
	struct row *row[ROWS_BATCH]; /* of the hits in `there` */
	uint32_t at[ROWS_BATCH];     /* slots of the hits in `fresh` */
	uint8_t there[ROWS_BATCH], fresh[ROWS_BATCH], with_sets[ROWS_BATCH];
	uint32_t n_there, n_fresh, n_with_sets;
	const struct hit *unmixed; /* one that sets had no room for, see row_to_mix */
};

static void look_up(const struct rows *t, const uint64_t *hashes, uint32_t n, struct stages *s)
{
	const struct index *x = &t->index;
	uint32_t there = 0, fresh = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = index_candidate(x, hashes[i]);
		uint32_t slot = x->slots[at];
		bool live = index_live(slot);
		struct row *row = &t->row[live ? index_row(x, slot) : 0]; /* what is not there must not be fetched */
		__builtin_prefetch(row, 1);
		s->row[there] = row;
		s->there[there] = (uint8_t)i;
		there += live;
		s->at[fresh] = at;
		s->fresh[fresh] = (uint8_t)i;
		fresh += !live;
	}
	s->n_there = there;
	s->n_fresh = fresh;
}

/* Rows that were not there are filled in one go, unless the batch itself has made them since. */
static void fill_fresh(struct rows *t, const struct hit *hits, const uint64_t *hashes, struct layouts *layouts,
                       struct stages *s)
{
	struct index *x = &t->index;
	for (uint32_t i = 0; i < s->n_fresh; i++) {
		uint32_t hit = s->fresh[i], at = s->at[i];
		if (__builtin_expect(index_live(x->slots[at]), 0))
			at = index_candidate(x, hashes[hit]);
		if (__builtin_expect(index_live(x->slots[at]), 0)) {
			s->row[s->n_there] = &t->row[index_row(x, x->slots[at])];
			s->there[s->n_there++] = (uint8_t)hit;
			continue;
		}
		row_fill(row_append(t, at, index_key(x, hashes[hit])), &hits[hit], layouts);
	}
}

/* The row that an access, or the first that is none, is to be counted in when the row of its key has the other kind:
 * that row with sets, or when these find no room a second one, which only the merge will make one with it. */
static struct row *row_to_mix(struct rows *t, struct row *r, const struct hit *h, struct stages *s)
{
	if (row_make_sets(t, r))
		return r;
	s->unmixed = h;
	struct row *second = region_take(&t->room, sizeof *second);
	*second = empty_row;
	second->key = h->key;
	t->n++;
	return second;
}

static void merge_there(struct rows *t, const struct hit *hits, const uint64_t *hashes, struct layouts *layouts,
                        struct stages *s)
{
	uint32_t with_sets = 0;
	for (uint32_t i = 0; i < s->n_there; i++) {
		const struct hit *h = &hits[s->there[i]];
		struct row *r = s->row[i];
		if (__builtin_expect(r->key != h->key, 0)) /* two keys with one tag */
			s->row[i] = r = find_or_append(t, hashes[s->there[i]], h->key, index_at(&t->index, hashes[s->there[i]]));
		bool sets = row_pairs(r) == ROW_HAS_SETS;
		if (__builtin_expect(!sets && row_would_mix(r, h->access), 0)) {
			s->row[i] = r = row_to_mix(t, r, h, s);
			sets = row_pairs(r) == ROW_HAS_SETS;
		}
		row_add_packet(r, h, layouts);
		if (sets) {
			r->sets.accesses += h->access;
			want_set(t, r, h->dst);
		} else {
			sets = !row_add_inline(r, h->dst, pair_port(h), h->access);
		}
		s->with_sets[with_sets] = (uint8_t)i;
		with_sets += sets;
	}
	s->n_with_sets = with_sets;
}

/* What is left are pairs of rows that have sets or now need them. Returns how many found no room. */
static uint32_t add_to_sets(struct rows *t, const struct hit *hits, const struct stages *s, uint8_t *left)
{
	for (uint32_t i = 0; i < s->n_with_sets; i++) {
		const struct hit *h = &hits[s->there[s->with_sets[i]]];
		if (__builtin_expect(row_add_pair(t, s->row[s->with_sets[i]], h->dst, pair_port(h), h->access), 1))
			continue;
		for (uint32_t j = i; j < s->n_with_sets; j++)
			left[j - i] = s->there[s->with_sets[j]];
		return s->n_with_sets - i;
	}
	return 0;
}

uint32_t rows_add(struct rows *t, const struct hit *hits, const uint64_t *hashes, uint32_t n, struct layouts *layouts,
                  uint8_t left[static ROWS_BATCH])
{
	struct stages s;
	s.unmixed = NULL;
	look_up(t, hashes, n, &s);
	fill_fresh(t, hits, hashes, layouts, &s);
	merge_there(t, hits, hashes, layouts, &s);
	uint32_t n_left = add_to_sets(t, hits, &s, left);
	if (n_left || !s.unmixed)
		return n_left;
	left[0] = (uint8_t)(s.unmixed - hits);
	return 1;
}

int rows_add_pair(struct rows *t, uint64_t key, uint32_t dst, uint16_t sport, bool access, struct error *e)
{
	int rc = rows_prepare(t, e);
	if (rc)
		return rc;
	uint64_t hash = hash_u64(&t->seed, key);
	struct row *r = find_or_append(t, hash, key, index_candidate(&t->index, hash));
	return row_add_pair(t, r, dst, access ? sport : 0, access) ? 0 : -ENOSPC;
}

uint32_t row_destinations(const struct row *r)
{
	uint32_t n = row_pairs(r), distinct = 0;
	if (n <= 1)
		return n;
	if (n == ROW_HAS_SETS)
		return r->sets.destinations;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t seen = 0;
		for (uint32_t j = 0; j < i; j++)
			seen |= r->dst[j] == r->dst[i];
		distinct += !seen;
	}
	return distinct;
}

uint32_t row_attempts(const struct row *r)
{
	if (row_pairs(r) == ROW_HAS_SETS)
		return r->sets.attempts;
	return (uint32_t)__builtin_popcount(row_access_mask(r));
}

int rows_each_pair(const struct rows *t, const struct row *r, row_pair_fn fn, void *ctx)
{
	int rc = 0;
	uint32_t n = row_pairs(r);
	if (n != ROW_HAS_SETS) {
		for (uint32_t i = 0; i < n && !rc; i++)
			rc = fn(ctx, r->dst[i], r->sport[i], row_access_mask(r) >> i & 1);
		return rc;
	}
	const uint64_t *slot = set_slots(t, r->sets.main);
	for (uint64_t i = 0; i < 1ull << r->sets.main_log && !rc; i++)
		if (slot[i])
			rc = fn(ctx, (uint32_t)(slot[i] >> 32), (uint16_t)(slot[i] >> 16), (slot[i] & 0xffff) != SET_NO_ACCESS);
	slot = set_slots(t, r->sets.multi);
	for (uint64_t i = 0; r->sets.multi_log && i < 1ull << r->sets.multi_log && !rc; i++)
		if (slot[i])
			rc = fn(ctx, (uint32_t)(slot[i] >> 32), (uint16_t)(slot[i] >> 16), true);
	return rc;
}
