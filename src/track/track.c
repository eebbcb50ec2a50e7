#include "track/track.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "packet/decode.h"
#include "track/open_window.h"
#include "track/payload.h"

#include <errno.h>
#include <string.h>

#define SECOND_NS 1000000000
#define MINUTE_NS (60 * (int64_t)SECOND_NS)
#define OPEN_MINUTES 3     /* the minute, and those that end less than `lateness` = 120 s before its start */
#define LATE_MAX (1u << 20)
#define BATCH ROWS_BATCH

/* Packets of a batch that go to one table. */
struct pending {
	struct row_op op[BATCH];
	uint32_t n;
};

struct track {
	const struct env *env;
	struct track_config config;
	uint64_t sensor;
	size_t windows_limit, sources_limit;
	struct open_window window[OPEN_MINUTES]; /* minute m at m mod 3; held: only the first */
	struct open_window *current;             /* NULL: its minute is late */
	int64_t start;                           /* ns: of the minute that `current` takes */
	uint64_t direct;                         /* ns from there on for which IPv4 packets need nothing special */
	uint32_t room_left;                      /* packets that `current` surely has room for */
	int32_t newest;
	bool begun;
	struct window_sums sums;
	struct sources sources;
	bool sources_spilled;
	struct spill *spill;
	int32_t *late;
	uint32_t n_late, late_room;
	bool all_late;
	uint64_t n_spills;
	struct sources_result result;
	/* the batch at hand */
	const struct packet *packets;
	const struct verdict *verdicts;
	struct pending flow[FAMILIES], victim[FAMILIES], payload[FAMILIES];
	struct sight sight[BATCH]; /* evidence not yet counted, of this batch and earlier ones */
	uint32_t n_sights;
};

/* ---- Making and ending ---- */
static uint32_t n_windows(const struct track *t) { return t->config.hold ? 1 : OPEN_MINUTES; }

static int init_tables(struct track *t, struct error *e)
{
	/* Half for open minutes, the rest for sources and for the buffers of the spill. */
	t->windows_limit = t->config.memory / 2;
	t->sources_limit = t->config.memory / 4;
	int rc = window_sums_init(&t->sums, t->env, e);
	for (uint32_t i = 0; !rc && i < n_windows(t); i++)
		rc = open_window_init(&t->window[i], t->env, t->windows_limit, t->config.hold, e);
	return rc ? rc : sources_init(&t->sources, t->env, t->sources_limit, e);
}

int track_open(struct track **out, const struct env *env, const struct track_config *config, struct error *e)
{
	if (config->memory < TRACK_MEMORY_LEAST)
		return error_set(e, -EINVAL, "MON-TRK-001", "%zu bytes of memory a shard are too few; %u MiB are the least",
		                 config->memory, TRACK_MEMORY_LEAST >> 20);
	struct track *t = env_alloc(env, sizeof *t);
	if (!t)
		return error_no_memory(e, "making a tracker");
	t->env = env;
	t->config = *config;
	t->sensor = XXH3_64bits(config->sensor, strlen(config->sensor));
	int rc = init_tables(t, e);
	if (rc) {
		track_close(t);
		return rc;
	}
	if (config->hold)
		t->current = &t->window[0];
	*out = t;
	return 0;
}

void track_close(struct track *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < OPEN_MINUTES; i++)
		open_window_fini(&t->window[i]);
	window_sums_fini(&t->sums);
	sources_fini(&t->sources);
	spill_close(t->spill);
	env_free(t->env, t->late, t->late_room * sizeof *t->late);
	env_free(t->env, t, sizeof *t);
}

/* ---- Handing over ---- */
static int need_spill(struct track *t, struct error *e)
{
	t->n_spills++;
	return t->spill ? 0 : spill_open(&t->spill, t->env, t->config.spill_dir, e);
}

static int hand_over_sources(struct track *t, struct error *e)
{
	int rc = need_spill(t, e);
	if (!rc)
		rc = sources_spill(&t->sources, t->spill, e);
	if (rc)
		return rc;
	sources_clear(&t->sources);
	t->sources_spilled = true;
	return 0;
}

/* What its flow rows say of their sources goes to the sources; exactly once for each partial row. */
static int tell_sources(struct track *t, const struct open_window *w, struct error *e)
{
	if (t->config.hold)
		return 0;
	for (uint64_t at = 0;;) {
		int rc = sources_used(&t->sources) > t->sources_limit ? -ENOSPC : 0;
		if (!rc)
			rc = open_window_tell_sources(w, &t->sources, !t->config.outer_sources, &at, e);
		if (rc != -ENOSPC)
			return rc;
		rc = hand_over_sources(t, e);
		if (rc)
			return rc;
	}
}

static int hand_over(struct track *t, struct open_window *w, struct error *e)
{
	int rc = tell_sources(t, w, e);
	if (!rc)
		rc = open_window_spill(w, t->spill, e);
	if (rc)
		return rc;
	w->spilled = true;
	open_window_clear(w, 0);
	return 0;
}

/* All open minutes are handed over at once: it is their sum that is bounded. */
static int hand_over_windows(struct track *t, struct error *e)
{
	int rc = need_spill(t, e);
	for (uint32_t i = 0; !rc && i < n_windows(t); i++)
		if (t->window[i].open || t->config.hold)
			rc = hand_over(t, &t->window[i], e);
	return rc;
}

static int seal(struct track *t, struct open_window *w, struct error *e)
{
	int rc;
	if (w->spilled) {
		rc = hand_over(t, w, e);
	} else {
		rc = open_window_digest(w, t->sensor, &t->sums, e);
		if (!rc)
			rc = tell_sources(t, w, e);
	}
	if (rc)
		return rc;
	open_window_clear(w, t->windows_limit / 8);
	w->open = w->spilled = false;
	return 0;
}

/* ---- Minutes ---- */
static int note_late(struct track *t, int32_t minute, struct error *e)
{
	if (t->all_late || (t->n_late && t->late[t->n_late - 1] == minute))
		return 0;
	if (t->n_late == LATE_MAX) {
		t->all_late = true;
		return 0;
	}
	if (t->n_late == t->late_room) {
		uint32_t room = t->late_room ? 2 * t->late_room : 64;
		int32_t *grown = env_grow(t->env, t->late, t->late_room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "noting late minutes");
		t->late = grown;
		t->late_room = room;
	}
	t->late[t->n_late++] = minute;
	return 0;
}

/* Minutes before 1970 are negative; neighbours must not meet where the sign changes. */
static struct open_window *window_at(struct track *t, int32_t minute)
{
	int32_t at = minute % OPEN_MINUTES;
	return &t->window[at < 0 ? at + OPEN_MINUTES : at];
}

#define MINUTE_FIRST (INT64_MIN / MINUTE_NS - 1)
#define MINUTE_LAST (INT64_MAX / MINUTE_NS)

/* Its first nanosecond. That of the very first minute does not fit 64 bits: it wraps, and so does what is counted from
 * it (ns_since), rightly for times in it; but it and the very last minute then look alike. */
static int64_t start_of_minute(int64_t minute) { return (int64_t)((uint64_t)minute * MINUTE_NS); }
static inline uint64_t ns_since(int64_t start, int64_t ts) { return (uint64_t)ts - (uint64_t)start; }

/* Makes `current` the window of the minute that ts lies in, sealing what is now past its lateness. */
static int enter_minute(struct track *t, int64_t ts, struct error *e)
{
	int32_t minute = (int32_t)(ts / MINUTE_NS - (ts % MINUTE_NS < 0));
	if (!t->begun || minute > t->newest) {
		for (uint32_t i = 0; i < OPEN_MINUTES; i++) {
			struct open_window *w = &t->window[i];
			int rc = w->open && w->minute < minute - (OPEN_MINUTES - 1) ? seal(t, w, e) : 0;
			if (rc)
				return rc;
		}
		t->newest = minute;
		t->begun = true;
	}
	t->start = start_of_minute(minute);
	t->direct = 0;
	t->current = NULL;
	if (minute <= t->newest - OPEN_MINUTES)
		return note_late(t, minute, e);
	t->current = window_at(t, minute);
	t->current->open = true;
	t->current->minute = minute;
	t->direct = minute == MINUTE_FIRST || minute == MINUTE_LAST ? 0 : MINUTE_NS; /* 0: every packet asks anew */
	return 0;
}

/* ---- A batch ---- */
static void name_v6(struct track *t, const struct packet *p, uint32_t epoch, uint32_t *src, uint32_t *dst)
{
	struct addr a;
	memcpy(a.bytes, p->addrs6, 16);
	*src = names_put(&t->current->names, &a, epoch);
	memcpy(a.bytes, p->addrs6 + 16, 16);
	*dst = names_put(&t->current->names, &a, 0);
}

static void name_v4(struct track *t, const struct packet *p, uint32_t epoch, uint32_t *src, uint32_t *dst)
{
	struct addr a = addr_from_v4(p->src);
	*src = names_put(&t->current->names, &a, epoch);
	a = addr_from_v4(p->dst.v4);
	*dst = names_put(&t->current->names, &a, 0);
}

/* The names of a packet in the current window, and which of its tables they are for. */
static inline int name_packet(struct track *t, const struct packet *p, uint32_t epoch, uint32_t *src, uint32_t *dst)
{
	if (p->version == 6) {
		name_v6(t, p, epoch, src, dst);
		return NAMED;
	}
	if (__builtin_expect(t->config.hold, 0)) {
		name_v4(t, p, epoch, src, dst);
		return NAMED;
	}
	*src = p->src;
	*dst = p->dst.v4;
	return DIRECT;
}

/* A held window takes any minute: each packet then has its own epoch and start. */
static inline int64_t start_of(const struct track *t, const struct packet *p, uint32_t *epoch)
{
	if (!t->config.hold) {
		*epoch = 0;
		return t->start;
	}
	int64_t minute = p->ts / MINUTE_NS - (p->ts % MINUTE_NS < 0);
	*epoch = (uint32_t)minute;
	return start_of_minute(minute);
}

static inline bool is_syn(const struct packet *p, const struct verdict *v)
{
	uint32_t flags = p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST);
	return ((uint32_t)v->class << 16 | (uint32_t)p->proto << 8 | flags) == (CLASS_SCAN << 16 | PROTO_TCP << 8 | TCP_SYN);
}

static inline void flow_op(const struct rows *table, const struct packet *p, const struct verdict *v, uint32_t i,
                           uint64_t rel, uint32_t src, uint32_t dst, struct row_op *op)
{
	uint64_t key = (uint64_t)src << 32 | (uint32_t)p->dport << 16 | (uint32_t)p->proto << 8 | v->class;
	op->key = key;
	op->hash = rows_want(table, key);
	op->syn_time = is_syn(p, v) ? rel : ROW_NO_SYN;
	op->dst = dst;
	op->packet = (uint16_t)i;
	op->second = (uint8_t)(rel / SECOND_NS);
	op->access = v->flags & VERDICT_ACCESS;
}

/* Any packet into the current window's flow ops. */
static void push_flow(struct track *t, uint32_t i)
{
	const struct packet *p = &t->packets[i];
	uint32_t epoch, src, dst;
	uint64_t rel = ns_since(start_of(t, p, &epoch), p->ts);
	int family = name_packet(t, p, epoch, &src, &dst);
	struct pending *q = &t->flow[family];
	flow_op(&t->current->flow[family], p, &t->verdicts[i], i, rel, src, dst, &q->op[q->n++]);
}

/* A backscatter packet into the ops of its victim, unless that cannot be told. */
static void push_victim(struct track *t, uint32_t i)
{
	const struct packet *p = &t->packets[i];
	struct victim victim;
	uint32_t epoch, src, dst;
	if (!classify_victim(p, &victim))
		return;
	uint64_t rel = ns_since(start_of(t, p, &epoch), p->ts);
	int family = name_packet(t, p, epoch, &src, &dst);
	if (family == DIRECT && addr_is_v4(&victim.addr))
		src = addr_v4(&victim.addr);
	else
		src = names_put(&t->current->names, &victim.addr, epoch);
	struct pending *q = &t->victim[family];
	struct row_op *op = &q->op[q->n++];
	*op = (struct row_op){
		.key = (uint64_t)src << 32 | (uint32_t)victim.port << 16 | (uint32_t)victim.proto << 8 | rel / SECOND_NS,
		.syn_time = ROW_NO_SYN, .dst = dst, .packet = (uint16_t)i,
	};
	op->hash = rows_want(&t->current->victim[family], op->key);
}

/* Data that somebody sent, not the answer to something: what is asked for, and with what. */
static inline bool has_payload(const struct packet *p, const struct verdict *v)
{
	return p->payload_len && (v->class == CLASS_PAYLOAD || (v->class == CLASS_SCAN && p->proto == PROTO_TCP));
}

static void push_payload(struct track *t, uint32_t i)
{
	const struct packet *p = &t->packets[i];
	uint8_t sample[PAYLOAD_ROOM];
	uint32_t epoch, src, dst;
	struct addr content = payload_content(sample, payload_sample(p, sample));
	uint64_t rel = (uint64_t)(p->ts - start_of(t, p, &epoch));
	int family = name_packet(t, p, epoch, &src, &dst);
	uint32_t id = names_put(&t->current->contents, &content, (uint32_t)p->dport << 8 | p->proto);
	struct pending *q = &t->payload[family];
	struct row_op *op = &q->op[q->n++];
	*op = (struct row_op){ .key = (uint64_t)src << 32 | id, .syn_time = ROW_NO_SYN, .dst = dst, .packet = (uint16_t)i,
	                       .second = (uint8_t)(rel / SECOND_NS) };
	op->hash = rows_want(&t->current->payload[family], op->key);
}

/* After a hand-over names mean nothing any more: what still waits is named anew. */
static void name_again(struct track *t)
{
	for (int family = 0; family < FAMILIES; family++) {
		struct pending flow = t->flow[family], victim = t->victim[family], payload = t->payload[family];
		t->flow[family].n = t->victim[family].n = t->payload[family].n = 0;
		for (uint32_t i = 0; i < flow.n; i++)
			push_flow(t, flow.op[i].packet);
		for (uint32_t i = 0; i < victim.n; i++)
			push_victim(t, victim.op[i].packet);
		for (uint32_t i = 0; i < payload.n; i++)
			push_payload(t, payload.op[i].packet);
	}
}

/* A set found no room for the pair of the queue's first op: hand over, and give that row its pair. */
static int go_on_behind(struct track *t, struct pending *q, struct rows *table, struct error *e)
{
	int rc = hand_over_windows(t, e);
	if (!rc)
		rc = open_window_prepare(t->current, e);
	if (rc)
		return rc;
	name_again(t);
	rc = rows_add_pair(table, q->op[0].key, q->op[0].dst, t->packets[q->op[0].packet].sport, q->op[0].access, e);
	if (rc == -ENOSPC)
		return error_set(e, rc, "MON-TRK-014", "one row does not fit the memory given; give --memory more");
	memmove(q->op, q->op + 1, --q->n * sizeof *q->op);
	return rc;
}

static int drain(struct track *t, struct pending *q, struct rows *table, struct error *e)
{
	while (q->n) {
		q->n = rows_add(table, q->op, q->n, t->packets, t->verdicts, t->current->layouts);
		int rc = q->n ? go_on_behind(t, q, table, e) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static struct addr source_of(const struct packet *p)
{
	struct addr a;
	if (p->version != 6)
		return addr_from_v4(p->src);
	memcpy(a.bytes, p->addrs6, 16);
	return a;
}

static int drain_all(struct track *t, struct error *e)
{
	int rc = 0;
	for (int family = 0; !rc && family < FAMILIES; family++) {
		rc = drain(t, &t->flow[family], &t->current->flow[family], e);
		if (!rc)
			rc = drain(t, &t->victim[family], &t->current->victim[family], e);
		if (!rc)
			rc = drain(t, &t->payload[family], &t->current->payload[family], e);
	}
	return rc;
}

/* Room for a batch in the current window, and the bound over all of them. */
static int prepare(struct track *t, struct error *e)
{
	size_t used = 0;
	for (uint32_t i = 0; i < n_windows(t); i++)
		used += open_window_used(&t->window[i]);
	int rc = used > t->windows_limit ? -ENOSPC : open_window_prepare(t->current, e);
	if (rc == -ENOSPC) {
		rc = hand_over_windows(t, e);
		if (!rc)
			rc = open_window_prepare(t->current, e);
	}
	t->room_left = rc ? 0 : ROWS_ROOM;
	return rc;
}

static int add_source(struct track *t, const struct addr *source, int64_t ts, struct source_add *add, struct error *e)
{
	int rc = sources_used(&t->sources) > t->sources_limit ? -ENOSPC : sources_prepare(&t->sources, e);
	if (rc == -ENOSPC) {
		rc = hand_over_sources(t, e);
		if (!rc)
			rc = sources_prepare(&t->sources, e);
	}
	if (rc)
		return rc;
	int64_t minute = ts / MINUTE_NS - (ts % MINUTE_NS < 0);
	add->key = sources_name(&t->sources, source) | (((uint32_t)minute / 60) & 0xffffff);
	sources_add(&t->sources, add, 1);
	return 0;
}

int track_source_seen(struct track *t, const struct addr *source, int64_t ts, struct error *e)
{
	struct source_add add = { .packets = SOURCE_SEEN };
	return add_source(t, source, ts, &add, e);
}

/* A late packet: its window is void and derived elsewhere, but what it says of its source is counted here. */
static int see_late(struct track *t, const struct packet *p, const struct verdict *v, struct error *e)
{
	struct addr a = source_of(p);
	struct source_add add = { .packets = 1 | (t->config.outer_sources ? 0 : SOURCE_SEEN),
	                          .probes = class_is_probe(v->class), .protocol = probe_protocol(p->proto) };
	return add_source(t, &a, p->ts, &add, e);
}

static int see_ignored(struct track *t, const struct packet *p, struct error *e)
{
	if (!p->ip || t->config.outer_sources || t->config.hold)
		return 0;
	struct addr a = source_of(p);
	return track_source_seen(t, &a, p->ts, e);
}

static int switch_minute(struct track *t, int64_t ts, struct error *e)
{
	int rc = t->current ? drain_all(t, e) : 0;
	if (!rc)
		rc = enter_minute(t, ts, e);
	return !rc && t->current ? prepare(t, e) : rc;
}

/* Counts the evidence that waits. */
static int drain_evidence(struct track *t, struct error *e)
{
	for (;;) {
		int rc = sources_used(&t->sources) > t->sources_limit ? -ENOSPC : sources_prepare(&t->sources, e);
		if (!rc && sources_see(&t->sources, t->sight, t->n_sights))
			break;
		if (!rc || rc == -ENOSPC)
			rc = hand_over_sources(t, e);
		if (rc)
			return rc;
	}
	t->n_sights = 0;
	return 0;
}

/* Evidence is of IPv4 alone (rules.def), so that its names are addresses and outlive a hand-over. */
static int note_evidence(struct track *t, const struct packet *p, const struct verdict *v, struct error *e)
{
	if (t->config.hold || p->version != 4)
		return 0;
	t->n_sights += sources_sight(&t->sources, (uint64_t)p->src << 32, p, v->rules, t->sight + t->n_sights);
	return t->n_sights > BATCH - RULE_COUNT ? drain_evidence(t, e) : 0;
}

static inline bool has_victim(const struct verdict *v)
{
	return v->class == CLASS_BACKSCATTER && !(v->flags & VERDICT_VICTIM_ELSEWHERE);
}

/* Whatever is not the common case: another minute, IPv6, a held window, a packet that makes no row. */
static int add_other(struct track *t, uint32_t i, struct error *e)
{
	const struct packet *p = &t->packets[i];
	const struct verdict *v = &t->verdicts[i];
	bool victim_only = v->flags & VERDICT_VICTIM_ONLY;
	if (v->class <= CLASS_UNDECODED && !victim_only)
		return see_ignored(t, p, e);
	int rc = v->rules ? note_evidence(t, p, v, e) : 0;
	if (!rc && !t->config.hold && (!t->direct || ns_since(t->start, p->ts) >= MINUTE_NS))
		rc = switch_minute(t, p->ts, e);
	if (rc)
		return rc;
	if (!t->current)
		return victim_only ? 0 : see_late(t, p, v, e);
	if (!victim_only)
		push_flow(t, i);
	if (victim_only || has_victim(v))
		push_victim(t, i);
	if (!victim_only && has_payload(p, v))
		push_payload(t, i);
	return 0;
}

/* The common case: IPv4 into the current minute's rows, from packet *i on until one that wants more than that. */
static int push_direct(struct track *t, uint32_t *i, uint32_t n, struct error *e)
{
	const struct rows *table = t->current ? &t->current->flow[DIRECT] : NULL;
	struct pending *q = &t->flow[DIRECT];
	uint64_t direct = t->direct;
	int64_t start = t->start;
	int rc = 0;
	for (; *i < n && !rc; ++*i) {
		const struct packet *p = &t->packets[*i];
		const struct verdict *v = &t->verdicts[*i];
		uint64_t rel = ns_since(start, p->ts);
		if (__builtin_expect(v->class <= CLASS_UNDECODED || p->version != 4 || rel >= direct, 0))
			break;
		flow_op(table, p, v, *i, rel, p->src, p->dst.v4, &q->op[q->n++]);
		if (v->rules)
			rc = note_evidence(t, p, v, e);
		if (has_victim(v))
			push_victim(t, *i);
		if (has_payload(p, v))
			push_payload(t, *i);
	}
	return rc;
}

static int add_batch(struct track *t, uint32_t n, struct error *e)
{
	int rc = t->current && t->room_left < 2 * BATCH ? prepare(t, e) : 0;
	t->room_left -= t->current ? n : 0;
	for (uint32_t i = 0; i < n && !rc; i++) {
		rc = push_direct(t, &i, n, e);
		if (!rc && i < n)
			rc = add_other(t, i, e);
	}
	return !rc && t->current ? drain_all(t, e) : rc;
}

int track_packets(struct track *t, const struct packet *packets, const struct verdict *verdicts, size_t n,
                  struct error *e)
{
	for (size_t i = 0; i < n; i += BATCH) {
		t->packets = packets + i;
		t->verdicts = verdicts + i;
		int rc = add_batch(t, (uint32_t)(n - i < BATCH ? n - i : BATCH), e);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- The end ---- */
struct merge {
	struct track *t;
	struct open_window window;
	struct error *e;
};

static int merge_record(void *ctx, enum spill_kind kind, struct span record)
{
	struct merge *m = ctx;
	if (kind <= SPILL_PAYLOAD)
		return open_window_take(&m->window, kind, record, m->e);
	return sources_take(&m->t->sources, kind, record, m->e);
}

static int absorb(struct track *total, const struct sources *s, struct error *e)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct addr a = sources_addr(s, s->row[i].key);
		int rc = sources_used(&total->sources) > total->sources_limit ? -ENOSPC : sources_prepare(&total->sources, e);
		if (rc == -ENOSPC) {
			rc = hand_over_sources(total, e);
			if (!rc)
				rc = sources_prepare(&total->sources, e);
		}
		if (rc)
			return rc;
		sources_put(&total->sources, &a, (uint32_t)s->row[i].key & 0xffffff, s->row[i].packets, s->row[i].probes);
	}
	for (uint32_t i = 0; i < s->n_evidence; i++) {
		struct evidence_part part = sources_evidence(s, i);
		int rc = sources_prepare(&total->sources, e);
		if (!rc && sources_put_evidence(&total->sources, &part))
			continue;
		if (!rc || rc == -ENOSPC)
			rc = hand_over_sources(total, e);
		if (!rc)
			rc = sources_prepare(&total->sources, e);
		if (rc)
			return rc;
		sources_put_evidence(&total->sources, &part);
	}
	return 0;
}

static int fold_sources(struct track *t, struct track *total, struct error *e)
{
	int rc = sources_fold(&t->sources, t->sensor, &t->result, e);
	return !rc && total ? absorb(total, &t->sources, e) : rc;
}

static int merge_partition(struct merge *m, uint32_t partition, struct track *total, struct error *e)
{
	struct track *t = m->t;
	int rc = spill_each(t->spill, partition, merge_record, m, e);
	if (!rc)
		rc = open_window_digest(&m->window, t->sensor, &t->sums, e);
	if (!rc && t->sources_spilled) {
		rc = fold_sources(t, total, e);
		sources_clear(&t->sources);
	}
	open_window_clear(&m->window, 0);
	return rc;
}

static int merge_spilled(struct track *t, struct track *total, struct error *e)
{
	struct merge m = { .t = t, .e = e };
	int rc = t->sources_spilled ? hand_over_sources(t, e) : 0;
	if (!rc)
		rc = open_window_init(&m.window, t->env, t->windows_limit, true, e);
	for (uint32_t i = 0; !rc && i < SPILL_PARTITIONS; i++)
		rc = merge_partition(&m, i, total, e);
	open_window_fini(&m.window);
	return rc;
}

int track_finish(struct track *t, struct track *total, struct error *e)
{
	int rc = drain_evidence(t, e);
	for (uint32_t i = 0; !rc && i < n_windows(t); i++)
		if (t->window[i].open || t->config.hold)
			rc = seal(t, &t->window[i], e);
	if (!rc && t->spill)
		rc = merge_spilled(t, total, e);
	if (!rc && !t->sources_spilled)
		rc = fold_sources(t, total, e);
	return rc;
}

void track_result(const struct track *t, struct track_result *out)
{
	*out = (struct track_result){
		.windows = t->sums.window, .n_windows = t->sums.n, .late = t->late, .n_late = t->n_late,
		.all_late = t->all_late, .spilled = t->n_spills, .sources = t->result.distinct,
		.evidence = t->result.evidence, .evidence_digest = t->result.evidence_digest,
	};
	memcpy(out->tool_packets, t->result.tool_packets, sizeof out->tool_packets);
	memcpy(out->tool_sources, t->result.tool_sources, sizeof out->tool_sources);
}
