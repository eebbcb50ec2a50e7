#include "track/sources.h"

#include "base/bytes.h"
#include "track/track.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int sources_init(struct sources *s, const struct env *env, size_t limit, struct error *e)
{
	*s = (struct sources){ .env = env };
	int rc = seed_draw(&s->seed, env);
	if (rc) {
		s->env = NULL;
		return error_set(e, rc, "MON-TRK-002", "no random numbers to be had");
	}
	rc = names_init(&s->names, env, limit, e);
	if (!rc)
		rc = tally_init(&s->tally, env, limit / 2, e);
	if (!rc)
		rc = index_init(&s->evidence_index, env, 1024, e);
	if (!rc)
		rc = region_init(&s->evidence_room, env, limit, e);
	if (!rc)
		rc = region_init(&s->sets, env, limit, e);
	if (rc)
		sources_fini(s);
	s->evidence = (struct evidence_row *)(void *)s->evidence_room.base;
	return rc;
}

void sources_fini(struct sources *s)
{
	if (!s->env)
		return;
	names_fini(&s->names);
	tally_fini(&s->tally);
	index_fini(&s->evidence_index, s->env);
	region_fini(&s->evidence_room, s->env);
	region_fini(&s->sets, s->env);
	s->env = NULL;
}

void sources_clear(struct sources *s)
{
	names_clear(&s->names, 0);
	tally_clear(&s->tally);
	index_clear(&s->evidence_index);
	region_clear(&s->evidence_room, 0);
	region_clear(&s->sets, 0);
	s->n_evidence = 0;
}

size_t sources_used(const struct sources *s)
{
	return names_used(&s->names) + tally_used(&s->tally) + s->evidence_room.used + s->sets.used +
	       (s->n_evidence ? index_bytes(&s->evidence_index) : 0);
}

static uint64_t hash_of_evidence(const void *ctx, uint32_t row)
{
	const struct sources *s = ctx;
	return hash_u64(&s->seed, s->evidence[row].key);
}

int sources_prepare(struct sources *s, struct error *e)
{
	if (s->evidence_room.limit - s->evidence_room.used < SOURCES_BATCH * sizeof(struct evidence_row))
		return -ENOSPC;
	int rc = tally_prepare(&s->tally, SOURCES_BATCH, e);
	while (!rc && !index_has_room(&s->evidence_index, SOURCES_BATCH))
		rc = index_grow(&s->evidence_index, s->env, hash_of_evidence, s, e);
	return rc ? rc : names_prepare(&s->names, 2 * SOURCES_BATCH, e);
}

uint64_t sources_name(struct sources *s, const struct addr *addr)
{
	if (addr_is_v4(addr))
		return (uint64_t)addr_v4(addr) << 32;
	return (uint64_t)names_put(&s->names, addr, 0) << 32 | SOURCE_V6;
}

struct addr sources_addr(const struct sources *s, uint64_t key)
{
	uint32_t name = (uint32_t)(key >> 32);
	return key & SOURCE_V6 ? s->names.name[name].addr : addr_from_v4(name);
}

/* ---- Evidence ---- */
static const uint8_t protocol_of_code[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, 255 };

static uint64_t code_of_protocol(uint8_t proto)
{
	uint64_t code = 0;
	while (code < sizeof protocol_of_code - 1 && protocol_of_code[code] != proto)
		code++;
	return code;
}

static uint64_t *set_at(const struct sources *s, uint32_t offset)
{
	return (uint64_t *)(void *)(s->sets.base + ((size_t)offset - 1) * 8);
}

/* A cleared piece of the sets' region; that it fits was made sure of by evidence_has_room. */
static uint32_t set_make(struct sources *s, size_t bytes)
{
	uint8_t *p = region_take(&s->sets, bytes);
	assert(p);
	memset(p, 0, bytes);
	return (uint32_t)((size_t)(p - s->sets.base) / 8 + 1);
}

/* Is there room for what n sights (a packet and a rule) or merged rows can need at the most: keys, table, registers? */
static bool evidence_has_room(const struct sources *s, uint32_t n)
{
	size_t one = sizeof(struct evidence_keys) + EVIDENCE_SLOTS * sizeof(uint64_t) + HLL_REGISTERS + 16;
	return s->sets.limit - s->sets.used >= n * one;
}

static uint32_t slot_of(uint64_t hash) { return (uint32_t)(hash >> 32) & (EVIDENCE_SLOTS - 1); }

static void table_put(uint64_t *slot, uint64_t hash, uint8_t *used)
{
	uint32_t at = slot_of(hash);
	while (slot[at] && slot[at] != hash)
		at = (at + 1) & (EVIDENCE_SLOTS - 1);
	*used = (uint8_t)(*used + !slot[at]);
	slot[at] = hash;
}

static void evidence_to_table(struct sources *s, struct evidence_row *r)
{
	uint32_t offset = set_make(s, EVIDENCE_SLOTS * sizeof(uint64_t));
	r->used = 0;
	for (uint32_t i = 0; i < EVIDENCE_INLINE; i++)
		table_put(set_at(s, offset), r->tuple[i], &r->used);
	r->set = offset;
	r->mode = EVIDENCE_TABLE;
}

static void evidence_to_hll(struct sources *s, struct evidence_row *r)
{
	uint32_t offset = set_make(s, HLL_REGISTERS);
	uint8_t *reg = (uint8_t *)set_at(s, offset);
	const uint64_t *slot = set_at(s, r->set);
	for (uint32_t i = 0; i < EVIDENCE_SLOTS; i++)
		if (slot[i])
			hll_add(reg, slot[i]);
	r->set = offset;
	r->mode = EVIDENCE_HLL;
}

static void evidence_add_tuple(struct sources *s, struct evidence_row *r, uint64_t hash)
{
	hash = hash ? hash : EVIDENCE_TUPLE_STEP; /* 0 marks an empty slot */
	if (r->mode <= EVIDENCE_INLINE) {
		for (uint32_t i = 0; i < r->mode; i++)
			if (r->tuple[i] == hash)
				return;
		if (r->mode < EVIDENCE_INLINE) {
			r->tuple[r->mode++] = hash;
			return;
		}
		evidence_to_table(s, r);
	}
	if (r->mode == EVIDENCE_TABLE) {
		table_put(set_at(s, r->set), hash, &r->used);
		if (r->used > EVIDENCE_EXACT)
			evidence_to_hll(s, r);
		return;
	}
	hll_add((uint8_t *)set_at(s, r->set), hash);
}

static void evidence_add_key(struct sources *s, struct evidence_row *r, uint32_t key, uint32_t packets)
{
	if (!r->keys)
		r->keys = set_make(s, sizeof(struct evidence_keys));
	struct evidence_keys *k = (struct evidence_keys *)(void *)set_at(s, r->keys);
	for (uint32_t i = 0; i < k->n && i < EVIDENCE_KEYS; i++) {
		if (k->key[i] == key) {
			k->packets[i] = tally_add_saturated(k->packets[i], packets);
			return;
		}
	}
	if (k->n < EVIDENCE_KEYS) {
		k->key[k->n] = key;
		k->packets[k->n] = packets;
	}
	k->n = k->n < EVIDENCE_KEYS + 1 ? k->n + 1 : k->n;
}

static struct evidence_row *evidence_find_or_append(struct sources *s, uint64_t key, uint64_t hash)
{
	struct index *x = &s->evidence_index;
	uint32_t tag = index_key(x, hash);
	for (uint32_t at = index_at(x, hash);; at = index_next(x, at)) {
		uint32_t slot = x->slots[at];
		if (!index_live(slot)) {
			index_put(x, at, tag, s->n_evidence++);
			struct evidence_row *r = region_take(&s->evidence_room, sizeof *r);
			*r = (struct evidence_row){ .key = key, .sport_min = UINT16_MAX, .ttl_min = UINT8_MAX };
			return r;
		}
		if (index_tagged(x, slot, tag) && s->evidence[index_row(x, slot)].key == key)
			return &s->evidence[index_row(x, slot)];
	}
}

static inline uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

/* XXH64 (seed 0) over destination (16 bytes), port, seq, big-endian: what makes two probes one (DEFINITIONS 2); its upper
 * bits, as sets at rest are mostly of hashes. Two of 64 are alike by chance once in 5 · 10^8 sets. Of IPv4 destinations,
 * whose first word is zero, and from registers: put together in memory the bytes could not be read back as words before
 * they have left the store buffer. */
static uint64_t tuple_hash(uint32_t dst, uint16_t port, uint32_t seq)
{
	const uint64_t prime1 = 0x9e3779b185ebca87u, prime2 = 0xc2b2ae3d27d4eb4fu, prime3 = 0x165667b19e3779f9u,
	               prime4 = 0x85ebca77c2b2ae63u, prime5 = 0x27d4eb2f165667c5u;
	uint64_t h = rotate(prime5 + 22, 27) * prime1 + prime4; /* of ten zero bytes the first eight */
	uint64_t mapped = (uint64_t)__builtin_bswap32(dst) << 32 | 0xffff0000;
	h = rotate(h ^ rotate(mapped * prime2, 31) * prime1, 27) * prime1 + prime4;
	uint32_t port_seq = __builtin_bswap16(port) | (uint32_t)__builtin_bswap16((uint16_t)(seq >> 16)) << 16;
	h = rotate(h ^ port_seq * prime1, 23) * prime2 + prime3;
	h = rotate(h ^ (seq >> 8 & 0xff) * prime5, 11) * prime1;
	h = rotate(h ^ (seq & 0xff) * prime5, 11) * prime1;
	h = (h ^ h >> 33) * prime2;
	h = (h ^ h >> 29) * prime3;
	return (h ^ h >> 32) & ~(EVIDENCE_TUPLE_STEP - 1);
}

/* Pair rules: the keys that stay constant over a run are kept with their counts. */
static bool rule_has_key(enum rule r) { return r == RULE_NMAP_PAIR || r == RULE_UNICORNSCAN; }

uint32_t sources_sight(const struct sources *s, uint32_t hour, const struct hit *h, const struct packet *packet,
                       struct sight *out)
{
	uint64_t key = (h->key & ~(uint64_t)UINT32_MAX) | (uint64_t)hour << 7 | code_of_protocol((uint8_t)(h->key >> 8)) << 4;
	uint64_t tuple = tuple_hash(h->dst, (uint16_t)(h->key >> 16), h->seq);
	uint32_t n = 0;
	for (unsigned rules = h->rules; rules; rules &= rules - 1, n++) {
		unsigned rule = (unsigned)__builtin_ctz(rules);
		bool pair = packet && rule_has_key((enum rule)rule);
		out[n] = (struct sight){ .key = key | rule, .hash = hash_u64(&s->seed, key | rule), .tuple = tuple,
		                         .pair = pair ? rule_key((enum rule)rule, packet) : 0,
		                         .sport = h->sport, .ttl = h->ttl, .rule = (uint8_t)rule };
		__builtin_prefetch(&s->evidence_index.slots[index_at(&s->evidence_index, out[n].hash)]);
	}
	return n;
}

/* What its row's set will touch. (By force: gcc drops calls of functions that only prefetch.) */
static inline __attribute__((always_inline)) void want_set(const struct sources *s, const struct evidence_row *r,
                                                           uint64_t tuple)
{
	if (r->mode == EVIDENCE_TABLE)
		__builtin_prefetch(&set_at(s, r->set)[slot_of(tuple)], 1);
	else if (r->mode == EVIDENCE_HLL)
		__builtin_prefetch((const uint8_t *)set_at(s, r->set) + (tuple >> (64 - HLL_P)), 1);
}

static void evidence_count(struct sources *s, struct evidence_row *r, const struct sight *g)
{
	evidence_add_tuple(s, r, g->tuple);
	if (rule_has_key((enum rule)g->rule))
		evidence_add_key(s, r, g->pair, 1);
	r->packets++;
	r->sport_min = r->sport_min < g->sport ? r->sport_min : g->sport;
	r->sport_max = r->sport_max > g->sport ? r->sport_max : g->sport;
	r->ttl_min = r->ttl_min < g->ttl ? r->ttl_min : g->ttl;
	r->ttl_max = r->ttl_max > g->ttl ? r->ttl_max : g->ttl;
}

/* Every stage asks the memory for what the next one needs: evidence of many sources is never in the cache. */
bool sources_see(struct sources *s, const struct sight *sights, uint32_t n)
{
	struct evidence_row *row[SOURCES_BATCH];
	if (!evidence_has_room(s, n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = s->evidence_index.slots[index_at(&s->evidence_index, sights[i].hash)];
		if (index_live(slot))
			__builtin_prefetch(&s->evidence[index_row(&s->evidence_index, slot)], 1);
	}
	for (uint32_t i = 0; i < n; i++) {
		row[i] = evidence_find_or_append(s, sights[i].key, sights[i].hash);
		want_set(s, row[i], sights[i].tuple);
	}
	for (uint32_t i = 0; i < n; i++)
		evidence_count(s, row[i], &sights[i]);
	return true;
}

/* ---- Merging ---- */
void sources_put(struct sources *s, const struct addr *addr, uint32_t hour, const struct tally_counts *counts)
{
	tally_put(&s->tally, sources_name(s, addr) | hour, counts);
}

static void merge_set(struct sources *s, struct evidence_row *r, const struct evidence_part *part)
{
	for (uint32_t i = 0; i < part->n_tuples; i++)
		if (part->tuples[i])
			evidence_add_tuple(s, r, part->tuples[i]);
	if (!part->registers)
		return;
	if (r->mode <= EVIDENCE_INLINE)
		evidence_to_table(s, r);
	if (r->mode == EVIDENCE_TABLE)
		evidence_to_hll(s, r);
	hll_merge((uint8_t *)set_at(s, r->set), part->registers);
}

bool sources_put_evidence(struct sources *s, const struct evidence_part *part)
{
	if (!evidence_has_room(s, 1))
		return false;
	uint64_t key = sources_name(s, &part->addr) | (uint64_t)part->hour << 7 |
	               code_of_protocol(part->protocol) << 4 | part->rule;
	struct evidence_row *r = evidence_find_or_append(s, key, hash_u64(&s->seed, key));
	merge_set(s, r, part);
	for (uint32_t i = 0; i < part->keys.n && i < EVIDENCE_KEYS; i++)
		evidence_add_key(s, r, part->keys.key[i], part->keys.packets[i]);
	if (part->keys.n > EVIDENCE_KEYS)
		((struct evidence_keys *)(void *)set_at(s, r->keys))->n = EVIDENCE_KEYS + 1;
	r->packets += part->packets;
	r->sport_min = r->sport_min < part->sport_min ? r->sport_min : part->sport_min;
	r->sport_max = r->sport_max > part->sport_max ? r->sport_max : part->sport_max;
	r->ttl_min = r->ttl_min < part->ttl_min ? r->ttl_min : part->ttl_min;
	r->ttl_max = r->ttl_max > part->ttl_max ? r->ttl_max : part->ttl_max;
	return true;
}

struct evidence_part sources_evidence(const struct sources *s, uint32_t i)
{
	const struct evidence_row *r = &s->evidence[i];
	struct evidence_part part = {
		.addr = sources_addr(s, r->key), .hour = (uint32_t)(r->key >> 7) & 0xffffff,
		.protocol = protocol_of_code[r->key >> 4 & 7], .rule = r->key & 15, .packets = r->packets,
		.sport_min = r->sport_min, .sport_max = r->sport_max, .ttl_min = r->ttl_min, .ttl_max = r->ttl_max,
	};
	if (r->mode <= EVIDENCE_INLINE) {
		part.tuples = r->tuple;
		part.n_tuples = r->mode;
	} else if (r->mode == EVIDENCE_TABLE) {
		part.tuples = set_at(s, r->set);
		part.n_tuples = EVIDENCE_SLOTS;
	} else {
		part.registers = (const uint8_t *)set_at(s, r->set);
	}
	if (r->keys)
		part.keys = *(const struct evidence_keys *)(const void *)set_at(s, r->keys);
	return part;
}

uint64_t evidence_tuples(const struct sources *s, const struct evidence_row *r)
{
	if (r->mode <= EVIDENCE_INLINE)
		return r->mode;
	return r->mode == EVIDENCE_TABLE ? r->used : hll_estimate((const uint8_t *)set_at(s, r->set));
}
