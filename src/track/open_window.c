#include "track/flow_digest.h"
#include "track/open_window.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <string.h>

/* Address space, not memory: what a table may grow to before all are handed over. Flow rows of the family that most
 * packets have get the whole bound, side tables a quarter. */
int open_window_init(struct open_window *w, const struct env *env, size_t limit, bool many, struct error *e)
{
	*w = (struct open_window){ .many = many, .env = env };
	int rc = layouts_open(&w->layouts, env, e);
	if (!rc)
		rc = names_init(&w->names, env, many ? limit : limit / 4, e);
	if (!rc)
		rc = names_init(&w->contents, env, many ? limit : limit / 4, e);
	if (!rc)
		rc = region_init(&w->samples, env, limit / 8, e);
	for (int family = many ? NAMED : DIRECT; !rc && family < FAMILIES; family++) {
		size_t main = many || family == DIRECT ? limit : limit / 4, side = many ? limit : limit / 4;
		rc = rows_init(&w->flow[family], env, main, main, e);
		if (!rc)
			rc = rows_init(&w->victim[family], env, side, side, e);
		if (!rc)
			rc = rows_init(&w->payload[family], env, side, side, e);
	}
	if (rc)
		open_window_fini(w);
	return rc;
}

void open_window_fini(struct open_window *w)
{
	if (!w->env)
		return;
	layouts_close(w->layouts);
	w->layouts = NULL;
	names_fini(&w->names);
	names_fini(&w->contents);
	region_fini(&w->samples, w->env);
	for (int family = 0; family < FAMILIES; family++) {
		rows_fini(&w->flow[family]);
		rows_fini(&w->victim[family]);
		rows_fini(&w->payload[family]);
	}
	w->env = NULL;
}

void open_window_clear(struct open_window *w, size_t keep)
{
	layouts_clear(w->layouts);
	names_clear(&w->names, keep);
	names_clear(&w->contents, keep);
	region_clear(&w->samples, keep);
	for (int family = w->many ? NAMED : DIRECT; family < FAMILIES; family++) {
		rows_clear(&w->flow[family], keep);
		rows_clear(&w->victim[family], keep);
		rows_clear(&w->payload[family], keep);
	}
}

size_t open_window_used(const struct open_window *w)
{
	size_t used = names_used(&w->names) + names_used(&w->contents) + w->samples.used;
	for (int family = w->many ? NAMED : DIRECT; family < FAMILIES; family++)
		used += rows_used(&w->flow[family]) + rows_used(&w->victim[family]) + rows_used(&w->payload[family]);
	return used;
}

int open_window_prepare(struct open_window *w, struct error *e)
{
	if (!layouts_has_room(w->layouts, ROWS_ROOM))
		return -ENOSPC;
	int rc = names_prepare(&w->names, 3 * ROWS_ROOM, e); /* source, destination and victim of each packet */
	if (!rc)
		rc = names_prepare(&w->contents, ROWS_ROOM, e);
	for (int family = w->many ? NAMED : DIRECT; !rc && family < FAMILIES; family++) {
		rc = rows_prepare(&w->flow[family], e);
		if (!rc)
			rc = rows_prepare(&w->victim[family], e);
		if (!rc)
			rc = rows_prepare(&w->payload[family], e);
	}
	return rc;
}

/* ---- Samples: two bytes of length, then the bytes ---- */
void open_window_keep_sample(struct open_window *w, uint32_t content, const uint8_t *bytes, size_t n)
{
	uint8_t *p = region_take(&w->samples, n + 2);
	if (!p)
		return;
	store_le16(p, (uint16_t)n);
	memcpy(p + 2, bytes, n);
	w->contents.name[content].pad = (uint32_t)((size_t)(p - w->samples.base) / 8 + 1);
}

struct span open_window_sample(const struct open_window *w, uint32_t content)
{
	uint32_t at = w->contents.name[content].pad;
	if (!at)
		return (struct span){ NULL, 0 };
	const uint8_t *p = w->samples.base + ((size_t)at - 1) * 8;
	return (struct span){ p + 2, load_le16(p) };
}

/* ---- Sums ---- */
int window_sums_init(struct window_sums *s, const struct env *env, struct error *e)
{
	*s = (struct window_sums){ .env = env };
	int rc = seed_draw(&s->seed, env);
	if (rc)
		return error_set(e, rc, "MON-TRK-002", "no random numbers to be had");
	return index_init(&s->index, env, 64, e);
}

void window_sums_fini(struct window_sums *s)
{
	if (!s->env)
		return;
	index_fini(&s->index, s->env);
	env_free(s->env, s->window, s->room * sizeof *s->window);
	s->window = NULL;
}

static uint64_t hash_of_window(const void *ctx, uint32_t row)
{
	const struct window_sums *s = ctx;
	return hash_u64(&s->seed, s->window[row].minute);
}

static struct window *append_window(struct window_sums *s, uint32_t minute, uint64_t hash, struct error *e)
{
	if (s->n == s->room) {
		uint32_t room = s->room ? 2 * s->room : 64;
		struct window *grown = env_grow(s->env, s->window, s->room * sizeof *grown, room * sizeof *grown);
		if (!grown) {
			error_no_memory(e, "summing minutes");
			return NULL;
		}
		s->window = grown;
		s->room = room;
	}
	if (!index_has_room(&s->index, 1) && index_grow(&s->index, s->env, hash_of_window, s, e))
		return NULL;
	uint32_t at = index_at(&s->index, hash);
	while (index_live(s->index.slots[at]))
		at = index_next(&s->index, at);
	index_put(&s->index, at, index_key(&s->index, hash), s->n);
	s->window[s->n] = (struct window){ .minute = minute };
	return &s->window[s->n++];
}

struct window *window_sums_at(struct window_sums *s, int32_t minute, struct error *e)
{
	uint64_t hash = hash_u64(&s->seed, (uint32_t)minute);
	uint32_t tag = index_key(&s->index, hash);
	for (uint32_t at = index_at(&s->index, hash); index_live(s->index.slots[at]);
	     at = index_next(&s->index, at)) {
		struct window *w = &s->window[index_row(&s->index, s->index.slots[at])];
		if (index_tagged(&s->index, s->index.slots[at], tag) && w->minute == (uint32_t)minute)
			return w;
	}
	return append_window(s, (uint32_t)minute, hash, e);
}

/* ---- Rows to records ---- */
static uint32_t name_of(const struct row *r) { return (uint32_t)(r->key >> 32); }

static struct addr address_of(const struct open_window *w, int family, const struct row *r)
{
	return family == DIRECT ? addr_from_v4(name_of(r)) : w->names.name[name_of(r)].addr;
}

static uint32_t minute_of(const struct open_window *w, const struct row *r)
{
	return w->many ? w->names.name[name_of(r)].epoch : (uint32_t)w->minute;
}

int32_t open_window_minute(const struct open_window *w, const struct row *r) { return (int32_t)minute_of(w, r); }

struct sampling {
	const struct open_window *w;
	int family;
	struct reply_sample *sample;
};

static int sample_pair(void *ctx, uint32_t dst, uint16_t port, bool access)
{
	struct sampling *s = ctx;
	struct addr a = s->family == DIRECT ? addr_from_v4(dst) : s->w->names.name[dst].addr;
	(void)access;
	reply_sample_add(s->sample, reply_element((uint16_t)(XXH3_64bits(a.bytes, sizeof a.bytes) >> 48), port));
	return 0;
}

struct victim_second_record open_window_victim(const struct open_window *w, int family, const struct row *r,
                                               uint64_t sensor)
{
	struct victim_second_record v = {
		.second = minute_of(w, r) * 60 + (uint32_t)(r->key & 63), .sensor = sensor,
		.victim = address_of(w, family, r), .kind = (uint8_t)(r->key >> 6 & 3), .protocol = (uint8_t)(r->key >> 8),
		.port = (uint16_t)(r->key >> 16), .packets = r->packets, .bytes = row_bytes(r),
		.attackers = row_destinations(r), .forged = row_attempts(r), .length_min = r->length_min,
		.length_max = r->length_max, .ttl_min = r->ttl_min, .ttl_max = r->ttl_max,
	};
	rows_each_pair(&w->victim[family], r, sample_pair, &(struct sampling){ w, family, &v.sample });
	return v;
}

struct flow_payload_record open_window_payload(const struct open_window *w, int family, const struct row *r,
                                               uint64_t sensor)
{
	const struct name *content = &w->contents.name[(uint32_t)r->key];
	return (struct flow_payload_record){
		.minute = minute_of(w, r), .sensor = sensor, .source = address_of(w, family, r),
		.port = (uint16_t)(content->epoch >> 8), .protocol = (uint8_t)content->epoch, .content = content->addr,
		.packets = r->packets, .bytes = row_bytes(r), .destinations = row_destinations(r),
		.first = r->first, .last = r->last,
	};
}

struct flow_record open_window_flow(const struct open_window *w, int family, const struct row *r, uint64_t sensor)
{
	struct flow_record f = {
		.minute = minute_of(w, r), .sensor = sensor, .source = address_of(w, family, r),
		.port = (uint16_t)(r->key >> 16), .protocol = (uint8_t)(r->key >> 8), .class = (uint8_t)r->key,
		.tags = r->tags, .rules = r->rules, .packets = r->packets, .destinations = row_destinations(r),
		.attempts = row_attempts(r), .accesses = row_accesses(r), .bytes = row_bytes(r), .length_min = r->length_min,
		.length_max = r->length_max, .ttl_min = r->ttl_min, .ttl_max = r->ttl_max, .first = r->first,
		.last = r->last, .tcp_flags = row_flags(r),
	};
	if (r->syn != ROW_NO_SYN)
		f.syn = layouts_get(w->layouts, (uint32_t)r->syn & 0xfffffff);
	return f;
}

static void digest_victim(const struct open_window *w, int family, const struct row *r, uint64_t sensor,
                          struct window *sum)
{
	struct victim_second_record v = open_window_victim(w, family, r, sensor);
	uint8_t bytes[RECORD_MAX];
	XXH128_hash_t x = XXH3_128bits(bytes, victim_second_record_store(&v, bytes));
	digest_add(&sum->victim_digest, x.low64, x.high64);
	sum->victim_seconds++;
}

static void digest_payload(const struct open_window *w, int family, const struct row *r, uint64_t sensor,
                           struct window *sum)
{
	struct flow_payload_record f = open_window_payload(w, family, r, sensor);
	uint8_t bytes[RECORD_MAX];
	XXH128_hash_t x = XXH3_128bits(bytes, flow_payload_record_store(&f, bytes));
	digest_add(&sum->payload_digest, x.low64, x.high64);
	sum->flow_payloads++;
}

typedef void (*digest_fn)(const struct open_window *w, int family, const struct row *r, uint64_t sensor,
                          struct window *sum);

/* Side tables: rare enough for a record each. */
static int digest_side(const struct open_window *w, const struct rows *t, int family, digest_fn digest, uint64_t sensor,
                       struct window_sums *sums, struct error *e)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct window *sum = window_sums_at(sums, (int32_t)minute_of(w, &t->row[i]), e);
		if (!sum)
			return -ENOMEM;
		digest(w, family, &t->row[i], sensor, sum);
	}
	return 0;
}

static int digest_flows(const struct open_window *w, int family, uint64_t sensor, struct window_sums *sums,
                        struct error *e)
{
	const struct rows *t = &w->flow[family];
	for (uint32_t i = 0, next; i < t->n; i = next) {
		uint32_t minute = minute_of(w, &t->row[i]);
		for (next = w->many ? i + 1 : t->n; next < t->n && minute_of(w, &t->row[next]) == minute; next++)
			;
		struct window *sum = window_sums_at(sums, (int32_t)minute, e);
		if (!sum)
			return -ENOMEM;
		flow_digest_rows(t, i, next, family == NAMED ? &w->names : NULL, w->layouts, sensor, sum);
	}
	return 0;
}

int open_window_digest(const struct open_window *w, uint64_t sensor, struct window_sums *sums, struct error *e)
{
	int rc = 0;
	for (int family = 0; !rc && family < FAMILIES; family++) {
		rc = digest_flows(w, family, sensor, sums, e);
		if (!rc)
			rc = digest_side(w, &w->victim[family], family, digest_victim, sensor, sums, e);
		if (!rc)
			rc = digest_side(w, &w->payload[family], family, digest_payload, sensor, sums, e);
	}
	return rc;
}

/* ---- Rows to sources ---- */
bool class_is_probe(uint8_t class)
{
	return class == CLASS_SCAN || class == CLASS_PAYLOAD || class == CLASS_P2P;
}

#define TOLD 1024     /* rows told together */
#define TOLD_AHEAD 32 /* rows between asking for a source and telling it */

/* Rows without packets are only pairs that had to be started anew: their source has been told of. */
static inline void tell_row(const struct row *r, uint64_t key, bool seen, struct tally *tally)
{
	struct tally_entry entry = {
		.key = key, .packets = r->packets, .protocol = (uint16_t)probe_protocol((uint8_t)(r->key >> 8)),
		.probe = class_is_probe((uint8_t)r->key), .seen = seen,
	};
	if (r->packets)
		tally_add(tally, &entry);
}

static inline uint64_t key_of_direct(const struct row *r, uint64_t hour) { return (r->key & ~(uint64_t)UINT32_MAX) | hour; }

static void tell_direct(const struct open_window *w, uint32_t from, uint32_t to, struct tally *tally, bool seen)
{
	const struct row *row = w->flow[DIRECT].row;
	uint64_t hour = source_hour(w->minute);
	for (uint32_t i = from; i < to; i++) {
		uint32_t ahead = i + TOLD_AHEAD < to ? i + TOLD_AHEAD : i;
		tally_want(tally, key_of_direct(&row[ahead], hour));
		tell_row(&row[i], key_of_direct(&row[i], hour), seen, tally);
	}
}

int open_window_tell_sources(const struct open_window *w, struct sources *s, bool seen, uint64_t *at, struct error *e)
{
	const struct rows *direct = &w->flow[DIRECT], *named = &w->flow[NAMED];
	uint64_t end = *at + TOLD < open_window_flows(w) ? *at + TOLD : open_window_flows(w);
	int rc = tally_prepare(&s->tally, TOLD, e);
	if (!rc)
		rc = names_prepare(&s->names, TOLD, e);
	if (rc)
		return rc;
	if (*at < direct->n) {
		uint32_t to = end < direct->n ? (uint32_t)end : direct->n;
		tell_direct(w, (uint32_t)*at, to, &s->tally, seen);
		*at = to;
	}
	for (; *at < end; ++*at) {
		const struct row *r = &named->row[*at - direct->n];
		uint64_t name = sources_name(s, &w->names.name[name_of(r)].addr);
		tell_row(r, name | source_hour((int32_t)minute_of(w, r)), seen, &s->tally);
	}
	return 0;
}
