/* Packets into the tables: named, keyed and laid up as operations, a batch at a time. */
#include "model/reply.h"
#include "packet/decode.h"
#include "track/payload.h"
#include "track/state.h"

#include <errno.h>
#include <string.h>

/* ---- Names ---- */
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
	int32_t minute = moment_minute(p->ts);
	*epoch = (uint32_t)minute;
	return start_of_minute(minute);
}

static inline bool is_syn(const struct packet *p, const struct verdict *v)
{
	uint32_t flags = p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST);
	return ((uint32_t)v->class << 16 | (uint32_t)p->proto << 8 | flags) == (CLASS_SCAN << 16 | PROTO_TCP << 8 | TCP_SYN);
}

/* What packet i of the batch adds to the row of a key; no access, and of no SYN, unless the caller says so. */
static inline struct hit *push(const struct track *t, struct pending *q, const struct rows *table, uint64_t key,
                               uint32_t i, uint64_t rel, uint32_t dst)
{
	const struct packet *p = &t->packets[i];
	const struct verdict *v = &t->verdicts[i];
	struct hit *h = &q->hit[q->n];
	*h = (struct hit){
		.key = key, .ns = rel, .dst = dst, .seq = p->seq, .length = p->ip_len, .sport = p->sport, .rules = v->rules,
		.tags = v->tags, .ttl = p->ttl, .tcp_flags = p->tcp_flags, .second = (uint8_t)(rel / SECOND_NS),
		.packet = (uint16_t)i,
	};
	q->hash[q->n++] = rows_want(table, key);
	return h;
}

static inline void push_flow_as(struct track *t, uint32_t i, int family, uint64_t rel, uint32_t src, uint32_t dst)
{
	const struct packet *p = &t->packets[i];
	const struct verdict *v = &t->verdicts[i];
	uint64_t key = (uint64_t)src << 32 | (uint32_t)p->dport << 16 | (uint32_t)p->proto << 8 | v->class;
	struct hit *h = push(t, &t->flow[family], &t->current->flow[family], key, i, rel, dst);
	h->access = v->flags & VERDICT_ACCESS;
	if (is_syn(p, v))
		h->profile = HIT_LAYOUT | layouts_put(t->current->layouts, p);
}

/* Any packet into the current window's flow hits. */
static void push_flow(struct track *t, uint32_t i)
{
	const struct packet *p = &t->packets[i];
	uint32_t epoch, src, dst;
	uint64_t rel = ns_since(start_of(t, p, &epoch), p->ts);
	int family = name_packet(t, p, epoch, &src, &dst);
	push_flow_as(t, i, family, rel, src, dst);
}

/* A backscatter packet into the hits of its victim, unless that cannot be told. */
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
	uint64_t key = (uint64_t)src << 32 | row_victim_key(victim.port, victim.proto, victim.kind, (uint8_t)(rel / SECOND_NS));
	struct hit *h = push(t, &t->victim[family], &t->current->victim[family], key, i, rel, dst);
	h->sport = victim.forged_port;
	h->access = 1; /* so that pairs are told apart by their ports */
}

/* Data that somebody sent, not the answer to something: what is asked for, and with what. */
static inline bool has_payload(const struct packet *p, const struct verdict *v)
{
	return (p->payload_len != 0) & ((v->class == CLASS_PAYLOAD) | ((v->class == CLASS_SCAN) & (p->proto == PROTO_TCP)));
}

/* What a packet carries, and the hash that names it. */
struct carried {
	uint32_t packet, epoch;
	uint32_t n;
	struct addr content;
	uint8_t sample[PAYLOAD_ROOM];
};

static void carry(const struct track *t, uint32_t i, struct carried *c)
{
	const struct packet *p = &t->packets[i];
	c->packet = i;
	c->epoch = (uint32_t)p->dport << 8 | p->proto;
	c->n = (uint32_t)payload_sample(p, c->sample);
	c->content = payload_content(c->sample, c->n);
	names_want(&t->current->contents, &c->content, c->epoch);
}

static void push_carried(struct track *t, const struct carried *c)
{
	const struct packet *p = &t->packets[c->packet];
	uint32_t i = c->packet, epoch, src, dst;
	uint64_t rel = ns_since(start_of(t, p, &epoch), p->ts);
	int family = name_packet(t, p, epoch, &src, &dst);
	uint32_t had = t->current->contents.n;
	uint32_t id = names_put(&t->current->contents, &c->content, c->epoch);
	if (id == had && !t->config.hold)
		open_window_keep_sample(t->current, id, c->sample, c->n);
	push(t, &t->payload[family], &t->current->payload[family], (uint64_t)src << 32 | id, i, rel, dst);
}

static void push_payload(struct track *t, uint32_t i)
{
	struct carried c;
	carry(t, i, &c);
	push_carried(t, &c);
}

#define CARRIED 8 /* payloads whose names are asked for together */

static void push_payloads(struct track *t, const uint16_t *which, uint32_t n)
{
	struct carried c[CARRIED];
	for (uint32_t from = 0; from < n; from += CARRIED) {
		uint32_t some = n - from < CARRIED ? n - from : CARRIED;
		for (uint32_t i = 0; i < some; i++)
			carry(t, which[from + i], &c[i]);
		for (uint32_t i = 0; i < some; i++)
			names_want_name(&t->current->contents, &c[i].content, c[i].epoch);
		for (uint32_t i = 0; i < some; i++)
			push_carried(t, &c[i]);
	}
}

/* After a hand-over names mean nothing any more: what still waits is named anew. */
static void name_again(struct track *t)
{
	for (int family = 0; family < FAMILIES; family++) {
		struct pending flow = t->flow[family], victim = t->victim[family], payload = t->payload[family];
		t->flow[family].n = t->victim[family].n = t->payload[family].n = 0;
		for (uint32_t i = 0; i < flow.n; i++)
			push_flow(t, flow.hit[i].packet);
		for (uint32_t i = 0; i < victim.n; i++)
			push_victim(t, victim.hit[i].packet);
		for (uint32_t i = 0; i < payload.n; i++)
			push_payload(t, payload.hit[i].packet);
	}
}

/* Empties the tables; what still waits is named anew. */
static int start_anew(struct track *t, struct error *e)
{
	int rc = track_hand_over_windows(t, e);
	if (!rc)
		rc = open_window_prepare(t->current, e);
	if (!rc)
		name_again(t);
	return rc;
}

/* Sets found no room for the pairs of some hits: the tables start anew, and rows without packets take the pairs. (The
 * hits of a queue are named anew with it.) */
static int add_pairs(struct track *t, const struct hit *hits, uint32_t n, struct rows *table, struct error *e)
{
	int rc = start_anew(t, e);
	for (uint32_t i = 0; i < n && !rc; i++) {
		for (int tries = 0; tries < 2; tries++) {
			const struct hit *h = &hits[i];
			rc = rows_add_pair(table, h->key, h->dst, h->sport, h->access, e);
			if (rc != -ENOSPC)
				break;
			rc = tries ? error_set(e, rc, "MON-TRK-014",
			                       "one row does not fit the memory given; give --memory more") : start_anew(t, e);
			if (rc)
				return rc;
		}
	}
	return rc;
}

static int drain(struct track *t, struct pending *q, struct rows *table, struct error *e)
{
	uint8_t left[ROWS_BATCH];
	struct hit kept[ROWS_BATCH];
	if (!q->n)
		return 0;
	q->n = rows_add(table, q->hit, q->hash, q->n, t->current->layouts, left);
	if (!q->n)
		return 0;
	for (uint32_t i = 0; i < q->n; i++)
		kept[i] = q->hit[left[i]];
	memcpy(q->hit, kept, q->n * sizeof *kept);
	int rc = add_pairs(t, q->hit, q->n, table, e);
	q->n = 0;
	return rc;
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
		rc = track_hand_over_windows(t, e);
		if (!rc)
			rc = open_window_prepare(t->current, e);
	}
	t->room_left = rc ? 0 : ROWS_ROOM;
	return rc;
}

static int add_source(struct track *t, const struct addr *source, int64_t ts, struct tally_entry entry, struct error *e)
{
	int rc = sources_used(&t->sources) > t->sources_limit ? -ENOSPC : sources_prepare(&t->sources, e);
	if (rc == -ENOSPC) {
		rc = track_hand_over_sources(t, e);
		if (!rc)
			rc = sources_prepare(&t->sources, e);
	}
	if (rc)
		return rc;
	entry.key = sources_name(&t->sources, source) | source_hour(moment_minute(ts));
	tally_add(&t->sources.tally, &entry);
	return 0;
}

int track_source_seen(struct track *t, const struct addr *source, int64_t ts, struct error *e)
{
	return add_source(t, source, ts, (struct tally_entry){ .seen = 1 }, e);
}

/* A late packet: its window is void and derived elsewhere, but what it says of its source is counted here. */
static int see_late_source(struct track *t, const struct addr *source, int64_t ts, uint8_t class, uint8_t proto,
                           struct error *e)
{
	struct tally_entry entry = { .packets = 1, .probe = class_is_probe(class), .seen = !t->config.outer_sources,
	                             .protocol = (uint16_t)probe_protocol(proto) };
	return add_source(t, source, ts, entry, e);
}

static int see_late(struct track *t, const struct packet *p, const struct verdict *v, struct error *e)
{
	struct addr a = source_of(p);
	int rc = see_late_source(t, &a, p->ts, v->class, p->proto, e);
	if (rc || !has_payload(p, v))
		return rc;
	uint8_t sample[PAYLOAD_ROOM];
	size_t n = payload_sample(p, sample);
	struct addr content = payload_content(sample, n);
	return samples_add(&t->samples, &content, (uint32_t)p->dport << 8 | p->proto, 1, sample, (uint32_t)n, e);
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
		rc = track_enter_minute(t, ts, e);
	return !rc && t->current ? prepare(t, e) : rc;
}

/* Counts the evidence that waits. */
int track_drain_evidence(struct track *t, struct error *e)
{
	for (;;) {
		int rc = sources_used(&t->sources) > t->sources_limit ? -ENOSPC : sources_prepare(&t->sources, e);
		if (!rc && sources_see(&t->sources, t->sight, t->n_sights))
			break;
		if (!rc || rc == -ENOSPC)
			rc = track_hand_over_sources(t, e);
		if (rc)
			return rc;
	}
	t->n_sights = 0;
	return 0;
}

static inline int take_sights(struct track *t, const struct hit *h, const struct packet *p, uint32_t hour, struct error *e)
{
	t->n_sights += sources_sight(&t->sources, hour, h, p, t->sight + t->n_sights);
	return t->n_sights > BATCH - RULE_COUNT ? track_drain_evidence(t, e) : 0;
}

/* Evidence is of IPv4 alone (rules.def), so that its names are addresses and outlive a hand-over. */
static int note_evidence(struct track *t, const struct packet *p, const struct verdict *v, struct error *e)
{
	if (t->config.hold || p->version != 4)
		return 0;
	struct hit h = { .key = (uint64_t)p->src << 32 | (uint32_t)p->dport << 16 | (uint32_t)p->proto << 8, .dst = p->dst.v4,
	                 .seq = p->seq, .sport = p->sport, .ttl = p->ttl, .rules = v->rules };
	return take_sights(t, &h, p, source_hour(moment_minute(p->ts)), e);
}

static inline bool has_victim(const struct verdict *v)
{
	return (v->class == CLASS_BACKSCATTER) & !(v->flags & VERDICT_VICTIM_ELSEWHERE);
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

/* Packets of a batch that have evidence, a victim, a payload: noted without a branch, since a mix takes either way. */
struct notes {
	uint16_t evidence[BATCH], victim[BATCH], payload[BATCH];
	uint32_t n_evidence, n_victim, n_payload;
};

static inline void note(struct notes *notes, const struct packet *p, const struct verdict *v, uint32_t i)
{
	notes->evidence[notes->n_evidence] = (uint16_t)i;
	notes->n_evidence += v->rules != 0;
	notes->victim[notes->n_victim] = (uint16_t)i;
	notes->n_victim += has_victim(v);
	notes->payload[notes->n_payload] = (uint16_t)i;
	notes->n_payload += has_payload(p, v);
}

static int push_noted(struct track *t, const struct notes *notes, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; i < notes->n_victim; i++)
		push_victim(t, notes->victim[i]);
	push_payloads(t, notes->payload, notes->n_payload);
	for (uint32_t i = 0; i < notes->n_evidence && !rc; i++)
		rc = note_evidence(t, &t->packets[notes->evidence[i]], &t->verdicts[notes->evidence[i]], e);
	return rc;
}

/* Number of the batch's packet at a place. */
static inline uint32_t packet_at(const struct track *t, uint32_t place) { return t->which ? t->which[place] : place; }

#define PACKETS_AHEAD 16 /* places between asking for a packet's line, then for its header, and using them */

/* Packets of a list were decoded by another core, more often than not: their lines are asked for early. */
static inline __attribute__((always_inline)) void want_packet(const struct track *t, uint32_t place)
{
	if (!t->which || place + PACKETS_AHEAD >= t->listed)
		return;
	__builtin_prefetch(&t->packets[t->which[place + PACKETS_AHEAD]]);
	__builtin_prefetch(t->packets[t->which[place + PACKETS_AHEAD / 2]].ip + 40); /* TCP options, UDP's data */
}

/* The common case: IPv4 into the current minute's rows, from a place in the batch until a packet that wants more than
 * that. */
static int push_direct(struct track *t, uint32_t *place, uint32_t n, struct error *e)
{
	struct notes notes;
	uint64_t direct = t->direct;
	int64_t start = t->start;
	notes.n_evidence = notes.n_victim = notes.n_payload = 0;
	for (; *place < n; ++*place) {
		uint32_t i = packet_at(t, *place);
		want_packet(t, *place);
		const struct packet *p = &t->packets[i];
		const struct verdict *v = &t->verdicts[i];
		uint64_t rel = ns_since(start, p->ts);
		if (__builtin_expect(v->class <= CLASS_UNDECODED || p->version != 4 || rel >= direct, 0))
			break;
		push_flow_as(t, i, DIRECT, rel, p->src, p->dst.v4);
		note(&notes, p, v, i);
	}
	return push_noted(t, &notes, e);
}

static int add_batch(struct track *t, uint32_t n, struct error *e)
{
	int rc = t->current && t->room_left < 2 * BATCH ? prepare(t, e) : 0;
	t->room_left -= t->current ? n : 0;
	for (uint32_t place = 0; place < n && !rc; place++) {
		rc = push_direct(t, &place, n, e);
		if (!rc && place < n)
			rc = add_other(t, packet_at(t, place), e);
	}
	return !rc && t->current ? drain_all(t, e) : rc;
}

int track_packets(struct track *t, const struct packet *packets, const struct verdict *verdicts, const uint16_t *which,
                  size_t n, struct error *e)
{
	for (size_t i = 0; i < n; i += BATCH) {
		t->packets = which ? packets : packets + i;
		t->verdicts = which ? verdicts : verdicts + i;
		t->which = which ? which + i : NULL;
		t->listed = (uint32_t)(n - i);
		int rc = add_batch(t, (uint32_t)(n - i < BATCH ? n - i : BATCH), e);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- Hits of plain frames ---- */
/* Adds hits to a direct table, whose names are addresses and outlive a hand-over. */
static int add_direct(struct track *t, struct rows *table, const struct hit *hits, const uint64_t *hashes, uint32_t n,
                      struct error *e)
{
	uint8_t left[ROWS_BATCH];
	struct hit kept[ROWS_BATCH];
	uint32_t n_left = rows_add(table, hits, hashes, n, t->current->layouts, left);
	for (uint32_t i = 0; i < n_left; i++)
		kept[i] = hits[left[i]];
	return n_left ? add_pairs(t, kept, n_left, table, e) : 0;
}

/* A backscatter segment's victim is its source, the attacked port its source port (classify_victim). */
static void victim_of(const struct hit *h, struct hit *victim)
{
	uint8_t kind = h->tcp_flags & TCP_RST ? REPLY_RST : REPLY_SYN_ACK;
	*victim = *h;
	victim->key = (h->key & ~(uint64_t)UINT32_MAX) | row_victim_key(h->sport, PROTO_TCP, kind, h->second);
	victim->sport = (uint16_t)(h->key >> 16);
	victim->access = 1;
}

static int add_victims(struct track *t, const struct hit *hits, const uint8_t *which, uint32_t n, struct error *e)
{
	struct rows *table = &t->current->victim[DIRECT];
	struct hit victim[BATCH];
	uint64_t hash[BATCH];
	for (uint32_t i = 0; i < n; i++) {
		victim_of(&hits[which[i]], &victim[i]);
		hash[i] = rows_want(table, victim[i].key);
	}
	return n ? add_direct(t, table, victim, hash, n, e) : 0;
}

static int add_hits(struct track *t, const struct hit *hits, uint32_t n, uint32_t hour, struct error *e)
{
	struct rows *table = &t->current->flow[DIRECT];
	uint64_t hash[BATCH];
	uint8_t evidence[BATCH], victim[BATCH];
	uint32_t n_evidence = 0, n_victims = 0;
	for (uint32_t i = 0; i < n; i++) {
		hash[i] = rows_want(table, hits[i].key);
		evidence[n_evidence] = victim[n_victims] = (uint8_t)i;
		n_evidence += hits[i].rules != 0;
		n_victims += (uint8_t)hits[i].key == CLASS_BACKSCATTER;
	}
	int rc = 0;
	for (uint32_t i = 0; i < n_evidence && !rc; i++)
		rc = take_sights(t, &hits[evidence[i]], NULL, hour, e);
	if (!rc)
		rc = add_direct(t, table, hits, hash, n, e);
	return rc ? rc : add_victims(t, hits, victim, n_victims, e);
}

static int see_late_hits(struct track *t, int64_t start, const struct hit *hits, size_t n, uint32_t hour, struct error *e)
{
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		struct addr a = addr_from_v4((uint32_t)(hits[i].key >> 32));
		rc = hits[i].rules ? take_sights(t, &hits[i], NULL, hour, e) : 0;
		if (!rc)
			rc = see_late_source(t, &a, start, (uint8_t)hits[i].key, PROTO_TCP, e);
	}
	return rc;
}

int track_hits(struct track *t, int32_t minute, const struct hit *hits, size_t n, struct error *e)
{
	int64_t start = start_of_minute(minute);
	uint32_t hour = source_hour(minute);
	int rc = n && (!t->direct || t->start != start) ? switch_minute(t, start, e) : 0;
	if (!rc && n && !t->current)
		return see_late_hits(t, start, hits, n, hour, e);
	for (size_t i = 0; i < n && !rc; i += BATCH) {
		uint32_t some = (uint32_t)(n - i < BATCH ? n - i : BATCH);
		rc = t->room_left < 2 * BATCH ? prepare(t, e) : 0;
		t->room_left -= some;
		if (!rc)
			rc = add_hits(t, hits + i, some, hour, e);
	}
	return rc;
}
