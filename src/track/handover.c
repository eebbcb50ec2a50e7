/* Partial rows to records of the spill and back. Integers little-endian, addresses 16 bytes. A row with many pairs
 * becomes several records: the first has its sums, the others only pairs (a partial row without packets). */
#include "base/bytes.h"
#include "track/open_window.h"

#include <errno.h>
#include <string.h>

/* ---- Where a source's records go: fixed within a process, so that one source meets itself in one partition ---- */
static uint32_t partition_of(const struct addr *source)
{
	uint64_t h = hash_fold(load_le64(source->bytes) ^ 0x9e3779b97f4a7c15u,
	                       load_le64(source->bytes + 8) ^ 0xd6e8feb86659fd93u);
	return (uint32_t)(h >> 32) % SPILL_PARTITIONS;
}

struct row_part { /* head of a SPILL_FLOW, SPILL_VICTIM or SPILL_PAYLOAD record; pairs follow */
	struct addr addr;
	uint64_t key; /* its low half; of a payload row the epoch of its content */
	struct addr content; /* of a payload row, else zero */
	uint64_t word, syn_time;
	uint32_t minute, packets, accesses;
	uint16_t rules, tags, length_min, length_max;
	uint8_t ttl_min, ttl_max, first, last;
	uint8_t syn[24]; /* canonical, when syn_time is one */
};
_Static_assert(sizeof(struct row_part) == 104, "no hidden padding in it");

struct pair_part {
	struct addr dst;
	uint16_t sport;
	uint16_t access;
};

#define PAIRS_A_RECORD ((SPILL_RECORD_MAX - sizeof(struct row_part)) / sizeof(struct pair_part))

struct record { /* one being built */
	struct spill *spill;
	const struct open_window *w;
	struct error *e;
	enum spill_kind kind;
	int family;
	uint32_t partition;
	struct row_part head;
	struct pair_part pair[PAIRS_A_RECORD];
	uint32_t n;
};

static int record_put(struct record *r)
{
	uint8_t bytes[SPILL_RECORD_MAX];
	memcpy(bytes, &r->head, sizeof r->head);
	memcpy(bytes + sizeof r->head, r->pair, r->n * sizeof *r->pair);
	int rc = spill_put(r->spill, r->partition, r->kind, bytes,
	                   (uint16_t)(sizeof r->head + r->n * sizeof *r->pair), r->e);
	r->n = 0;
	r->head = (struct row_part){ .addr = r->head.addr, .key = r->head.key, .content = r->head.content,
	                             .minute = r->head.minute, .syn_time = ROW_NO_SYN, .length_min = UINT16_MAX,
	                             .ttl_min = UINT8_MAX, .first = UINT8_MAX };
	return rc;
}

static int record_add_pair(void *ctx, uint32_t dst, uint16_t sport, bool access)
{
	struct record *r = ctx;
	if (r->n == PAIRS_A_RECORD) {
		int rc = record_put(r);
		if (rc)
			return rc;
	}
	r->pair[r->n++] = (struct pair_part){
		.dst = r->family == DIRECT ? addr_from_v4(dst) : r->w->names.name[dst].addr,
		.sport = sport, .access = access,
	};
	return 0;
}

static void head_of(struct record *r, const struct row *row)
{
	uint32_t name = (uint32_t)(row->key >> 32);
	r->head = (struct row_part){
		.addr = r->family == DIRECT ? addr_from_v4(name) : r->w->names.name[name].addr,
		.key = row->key & 0xffffffff, .word = row->word & ((1ull << 56) - 1),
		.minute = r->w->many ? r->w->names.name[name].epoch : (uint32_t)r->w->minute,
		.packets = row->packets, .accesses = row_accesses(row), .rules = row->rules, .tags = row->tags,
		.length_min = row->length_min, .length_max = row->length_max,
		.ttl_min = row->ttl_min, .ttl_max = row->ttl_max, .first = row->first, .last = row->last,
		.syn_time = ROW_NO_SYN,
	};
	if (row->syn != ROW_NO_SYN) {
		struct syn_profile syn = layouts_get(r->w->layouts, (uint32_t)row->syn & 0xfffffff);
		r->head.syn_time = row->syn >> 28;
		syn_profile_store(&syn, r->head.syn);
	}
	if (r->kind == SPILL_PAYLOAD) {
		const struct name *content = &r->w->contents.name[(uint32_t)row->key];
		r->head.key = content->epoch;
		r->head.content = content->addr;
	}
	r->partition = partition_of(&r->head.addr);
}

static int spill_table(struct record *r, const struct rows *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		head_of(r, &t->row[i]);
		int rc = rows_each_pair(t, &t->row[i], record_add_pair, r);
		if (!rc)
			rc = record_put(r);
		if (rc)
			return rc;
	}
	return 0;
}

int open_window_spill(const struct open_window *w, struct spill *spill, struct error *e)
{
	struct record r = { .spill = spill, .w = w, .e = e };
	int rc = 0;
	for (r.family = w->many ? NAMED : DIRECT; !rc && r.family < FAMILIES; r.family++) {
		r.kind = SPILL_FLOW;
		rc = spill_table(&r, &w->flow[r.family]);
		r.kind = SPILL_VICTIM;
		if (!rc)
			rc = spill_table(&r, &w->victim[r.family]);
		r.kind = SPILL_PAYLOAD;
		if (!rc)
			rc = spill_table(&r, &w->payload[r.family]);
	}
	return rc;
}

static void merge_syn(struct layouts *l, struct row *r, const struct row_part *part)
{
	if (part->syn_time == ROW_NO_SYN || part->syn_time > r->syn >> 28)
		return;
	struct syn_profile mine = syn_profile_load(part->syn);
	if (r->syn != ROW_NO_SYN && r->syn >> 28 == part->syn_time) {
		struct syn_profile other = layouts_get(l, (uint32_t)r->syn & 0xfffffff);
		if (syn_profile_compare(&mine, &other) >= 0)
			return;
	}
	r->syn = part->syn_time << 28 | layouts_put_profile(l, &mine);
}

static void merge_head(struct layouts *l, struct row *r, const struct row_part *p)
{
	r->word = row_word_add(r->word, p->word & ROW_BYTES_MAX) | (p->word & 0xffull << 48);
	r->rules |= p->rules;
	r->tags |= p->tags;
	r->length_min = r->length_min < p->length_min ? r->length_min : p->length_min;
	r->length_max = r->length_max > p->length_max ? r->length_max : p->length_max;
	r->ttl_min = r->ttl_min < p->ttl_min ? r->ttl_min : p->ttl_min;
	r->ttl_max = r->ttl_max > p->ttl_max ? r->ttl_max : p->ttl_max;
	r->first = r->first < p->first ? r->first : p->first;
	r->last = r->last > p->last ? r->last : p->last;
	merge_syn(l, r, p);
}

/* Of what makes a row one: all its records have the same. */
uint64_t open_window_record_hash(const struct open_window *w, struct span record)
{
	struct row_part head;
	memcpy(&head, record.p, sizeof head);
	uint64_t address = hash_u64x2(&w->names.seed, load_le64(head.addr.bytes), load_le64(head.addr.bytes + 8));
	uint64_t content = hash_u64x2(&w->names.seed, load_le64(head.content.bytes), load_le64(head.content.bytes + 8));
	return hash_u64x2(&w->names.seed, address ^ head.minute, content ^ head.key);
}

int open_window_take(struct open_window *w, enum spill_kind kind, struct span record, struct error *e)
{
	struct row_part head;
	memcpy(&head, record.p, sizeof head);
	struct rows *t = kind == SPILL_FLOW ? &w->flow[NAMED] :
	                 kind == SPILL_VICTIM ? &w->victim[NAMED] : &w->payload[NAMED];
	if (!layouts_has_room(w->layouts, 1) || names_prepare(&w->names, 2, e) || names_prepare(&w->contents, 1, e))
		return spill_too_small(e);
	if (kind == SPILL_PAYLOAD)
		head.key = names_put(&w->contents, &head.content, (uint32_t)head.key);
	uint64_t key = (uint64_t)names_put(&w->names, &head.addr, head.minute) << 32 | head.key;
	struct row *r = rows_get(t, key);
	if (!r)
		return spill_too_small(e);
	merge_head(w->layouts, r, &head);
	for (size_t at = sizeof head; at < record.n; at += sizeof(struct pair_part)) {
		struct pair_part pair;
		memcpy(&pair, record.p + at, sizeof pair);
		if (names_prepare(&w->names, 1, e))
			return spill_too_small(e);
		uint32_t dst = names_put(&w->names, &pair.dst, 0);
		if (rows_add_pair(t, key, dst, pair.sport, pair.access, e))
			return spill_too_small(e);
	}
	return rows_add_packets(t, r, head.packets, head.accesses) ? 0 : spill_too_small(e);
}

/* ---- Sources ---- */
struct source_part {
	struct addr addr;
	struct tally_counts counts;
	uint32_t hour, pad;
};

static int spill_sources(const struct sources *s, struct spill *spill, struct error *e)
{
	const struct tally_row *r;
	for (uint64_t at = 0; (r = tally_next(&s->tally, &at));) {
		struct source_part p = { .addr = sources_addr(s, r->key), .counts = tally_counts(&s->tally, r),
		                         .hour = (uint32_t)r->key & 0xffffff };
		int rc = spill_put(spill, partition_of(&p.addr), SPILL_SOURCE, &p, sizeof p, e);
		if (rc)
			return rc;
	}
	return 0;
}

static int spill_evidence(const struct sources *s, struct spill *spill, struct error *e)
{
	for (uint32_t i = 0; i < s->n_evidence; i++) {
		struct evidence_part p = sources_evidence(s, i);
		uint8_t bytes[sizeof p + HLL_REGISTERS];
		size_t body = p.registers ? HLL_REGISTERS : p.n_tuples * sizeof *p.tuples;
		memcpy(bytes, &p, sizeof p);
		memcpy(bytes + sizeof p, p.registers ? (const void *)p.registers : (const void *)p.tuples, body);
		int rc = spill_put(spill, partition_of(&p.addr), SPILL_EVIDENCE, bytes, (uint16_t)(sizeof p + body), e);
		if (rc)
			return rc;
	}
	return 0;
}

int sources_spill(const struct sources *s, struct spill *spill, struct error *e)
{
	int rc = spill_sources(s, spill, e);
	return rc ? rc : spill_evidence(s, spill, e);
}

/* Of the source that a record is about: all its hours and evidence stay together. */
uint64_t sources_record_hash(const struct sources *s, struct span record)
{
	struct addr addr; /* the first member of both kinds */
	memcpy(&addr, record.p, sizeof addr);
	return hash_u64x2(&s->seed, load_le64(addr.bytes), load_le64(addr.bytes + 8));
}

int sources_take(struct sources *s, enum spill_kind kind, struct span record, struct error *e)
{
	int rc = sources_prepare(s, e);
	if (rc)
		return rc == -ENOSPC ? spill_too_small(e) : rc;
	if (kind == SPILL_SOURCE) {
		struct source_part p;
		memcpy(&p, record.p, sizeof p);
		sources_put(s, &p.addr, p.hour, &p.counts);
		return 0;
	}
	struct evidence_part p;
	uint64_t body[HLL_REGISTERS / sizeof(uint64_t)];
	memcpy(&p, record.p, sizeof p);
	memcpy(body, record.p + sizeof p, record.n - sizeof p);
	p.tuples = p.registers ? NULL : body;
	p.registers = p.registers ? (const uint8_t *)body : NULL;
	p.n_tuples = p.registers ? 0 : p.n_tuples;
	return sources_put_evidence(s, &p) ? 0 : spill_too_small(e);
}
