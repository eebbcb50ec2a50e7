/* Radix sorts, the least digit first: a comparison sort of as many rows takes longer than writing them.
 *
 * The order is for compression (docs/bytes.md): rows that are alike follow each other, and are found as fast. Within what
 * is alike, addresses ascend, so that those of a part are found by the least and greatest of its row groups.
 */
#include "store/sort.h"

#include "model/verdict.h"
#include "store/narrow.h"
#include "store/part.h"

#include <netinet/in.h>
#include <string.h>

struct item6 {
	uint64_t high, low;
	uint32_t tail;
	uint32_t row;
	uint32_t day;
	uint32_t head;
};

/* ---- Keys ---- */
static uint32_t protocol_code(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? 0 : protocol == IPPROTO_UDP ? 1 : protocol == IPPROTO_ICMP ? 2 : 3;
}

#define RULE_BITS 11
_Static_assert(CLASS_COUNT <= 8, "a class has 3 bits in flow_kind");

/* 16 bits: protocol, class, evidence. Rows alike in these are alike in flags, lengths, options and ports. */
static uint64_t flow_kind(uint8_t protocol, uint8_t of_class, uint16_t rules)
{
	return (uint64_t)protocol_code(protocol) << 14 | (uint64_t)of_class << RULE_BITS | (rules & ((1u << RULE_BITS) - 1));
}

uint64_t sort_flow_key(uint8_t protocol, uint8_t class, uint16_t rules, uint32_t source, uint16_t port)
{
	return flow_kind(protocol, class, rules) << 48 | (uint64_t)source << 16 | port;
}

/* 18 bits: protocol, port. */
static uint64_t payload_kind(const struct flow_payload_record *p)
{
	return (uint64_t)protocol_code(p->protocol) << 16 | p->port;
}

static uint64_t key_of(enum store_table table, const void *row)
{
	const struct flow_record *f = row;
	const struct flow_payload_record *p = row;
	const struct victim_second_record *v = row;
	const struct source_evidence_record *s = row;
	switch (table) {
	case STORE_FLOW: return sort_flow_key(f->protocol, f->class, f->rules, addr_v4(&f->source), f->port);
	case STORE_PAYLOAD: /* of content and address as many bits as there is room for */
		return payload_kind(p) << 46 | (uint64_t)load_be32(p->content.bytes) >> 8 << 22 | addr_v4(&p->source) >> 10;
	case STORE_VICTIM: return (uint64_t)addr_v4(&v->victim) << 16 | v->port;
	default: return (uint64_t)addr_v4(&s->source) << 16 | (uint64_t)s->protocol << 8 | s->rule;
	}
}

static struct item6 item6_of(enum store_table table, const void *row)
{
	const struct addr *a = staged_addr(table, row);
	const struct flow_record *f = row;
	const struct flow_payload_record *p = row;
	const struct source_evidence_record *s = row;
	struct item6 i = { .high = load_be64(a->bytes), .low = load_be64(a->bytes + 8) };
	switch (table) {
	case STORE_FLOW:
		i.head = (uint32_t)flow_kind(f->protocol, f->class, f->rules);
		i.tail = f->port;
		break;
	case STORE_PAYLOAD:
		i = (struct item6){ .head = (uint32_t)payload_kind(p), .high = load_be64(p->content.bytes), .low = i.high };
		break;
	case STORE_VICTIM: i.tail = ((const struct victim_second_record *)row)->port; break;
	default: i.tail = (uint32_t)(s->protocol << 8 | s->rule); break;
	}
	return i;
}

/* ---- Room ---- */
static int reserve(const struct env *env, void **p, uint32_t *room, uint32_t n, size_t size, struct error *e)
{
	if (n <= *room)
		return 0;
	env_free(env, *p, *room * size);
	*room = 0;
	*p = env_alloc(env, n * size);
	if (!*p)
		return error_no_memory(e, "sorting rows");
	*room = n;
	return 0;
}

static int reserve_pair(const struct env *env, void *p[2], uint32_t *room, uint32_t n, size_t size, struct error *e)
{
	uint32_t before = *room, again = *room;
	int rc = reserve(env, &p[0], &again, n, size, e);
	*room = before;
	return rc ? rc : reserve(env, &p[1], room, n, size, e);
}

void sort_fini(struct sort *s)
{
	if (!s->env)
		return;
	for (int i = 0; i < 2; i++) {
		env_free(s->env, s->items[i], s->items_room * sizeof(struct sort_item));
		env_free(s->env, s->items6[i], s->items6_room * sizeof(struct item6));
	}
	env_free(s->env, s->order, s->order_room * sizeof *s->order);
	env_free(s->env, s->run, s->runs_room * sizeof *s->run);
	*s = (struct sort){ 0 };
}

/* ---- Passes ---- */
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

static uint32_t digit_of(const struct sort_item *i, unsigned shift)
{
	return (uint32_t)(shift < 64 ? i->key >> shift : i->day >> (shift - 64)) & (DIGITS - 1);
}

/* False: all rows have the same digit, nothing was moved. */
static bool pass(const struct sort_item *from, struct sort_item *to, uint32_t n, unsigned shift)
{
	uint32_t start[DIGITS] = { 0 }, at = 0;
	for (uint32_t i = 0; i < n; i++)
		start[digit_of(&from[i], shift)]++;
	if (start[digit_of(&from[0], shift)] == n)
		return false;
	for (uint32_t d = 0; d < DIGITS; d++) {
		uint32_t count = start[d];
		start[d] = at;
		at += count;
	}
	for (uint32_t i = 0; i < n; i++)
		to[start[digit_of(&from[i], shift)]++] = from[i];
	return true;
}

static const unsigned shifts[] = { 0, 11, 22, 33, 44, 55, 64, 75, 86 };
#define PASSES (sizeof shifts / sizeof *shifts)
#define KEY_PASSES 6 /* the others are of the day */

/* By the passes first … last - 1. */
static struct sort_item *sort_items(struct sort_item *a, struct sort_item *b, uint32_t n, size_t first, size_t last)
{
	for (size_t i = first; n && i < last; i++) {
		if (!pass(a, b, n, shifts[i]))
			continue;
		struct sort_item *sorted = b;
		b = a;
		a = sorted;
	}
	return a;
}

/* By bytes: where those of the key lie, the least first (little-endian machines). */
static const uint8_t bytes6[] = {
	16, 17, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 28, 29, 30, 24, 25, 26, 27
};

static bool pass6(const struct item6 *from, struct item6 *to, uint32_t n, unsigned byte)
{
	uint32_t start[256] = { 0 }, at = 0;
	for (uint32_t i = 0; i < n; i++)
		start[((const uint8_t *)&from[i])[byte]]++;
	if (start[((const uint8_t *)&from[0])[byte]] == n)
		return false;
	for (int b = 0; b < 256; b++) {
		uint32_t count = start[b];
		start[b] = at;
		at += count;
	}
	for (uint32_t i = 0; i < n; i++)
		to[start[((const uint8_t *)&from[i])[byte]]++] = from[i];
	return true;
}

static const struct item6 *sort_items6(struct item6 *a, struct item6 *b, uint32_t n)
{
	for (size_t i = 0; n && i < sizeof bytes6; i++) {
		if (!pass6(a, b, n, bytes6[i]))
			continue;
		struct item6 *sorted = b;
		b = a;
		a = sorted;
	}
	return a;
}

/* ---- Rows ---- */
struct counts {
	int32_t day; /* the least */
	uint32_t n4, n6;
};

static struct counts count_rows(enum store_table table, const uint8_t *rows, size_t width, uint32_t from, uint32_t to)
{
	struct counts c = { .day = INT32_MAX };
	for (uint32_t i = from; i < to; i++) {
		const uint8_t *row = rows + width * i;
		int32_t day = day_of_minute(staged_minute(table, row));
		c.day = day < c.day ? day : c.day;
		c.n4 += addr_is_v4(staged_addr(table, row));
	}
	c.n6 = to - from - c.n4;
	return c;
}

static void fill(struct sort *s, enum store_table table, const uint8_t *rows, size_t width, uint32_t from, uint32_t to,
                 int32_t least)
{
	struct sort_item *item = s->items[0];
	struct item6 *item6 = s->items6[0];
	for (uint32_t i = from; i < to; i++) {
		const uint8_t *row = rows + width * i;
		uint32_t day = (uint32_t)day_of_minute(staged_minute(table, row)) - (uint32_t)least;
		if (addr_is_v4(staged_addr(table, row))) {
			*item++ = (struct sort_item){ key_of(table, row), i, day };
			continue;
		}
		*item6 = item6_of(table, row);
		item6->row = i;
		item6++->day = day;
	}
}

static int add_run(struct sort *s, const struct sort_run *run, struct error *e)
{
	if (s->n_runs == s->runs_room) {
		uint32_t room = s->runs_room ? 2 * s->runs_room : 16;
		struct sort_run *grown = env_grow(s->env, s->run, s->runs_room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "sorting rows");
		s->run = grown;
		s->runs_room = room;
	}
	s->run[s->n_runs++] = *run;
	return 0;
}

static int add_row(struct sort *s, uint32_t at, uint32_t row, int32_t day, bool v4, struct error *e)
{
	struct sort_run *last = s->n_runs ? &s->run[s->n_runs - 1] : NULL;
	s->order[at] = row;
	if (!last || last->day != day || last->v4 != v4)
		return add_run(s, &(struct sort_run){ .from = at, .to = at + 1, .day = day, .v4 = v4 }, e);
	last->to = at + 1;
	return 0;
}

static int lay_out(struct sort *s, const struct counts *c, struct error *e)
{
	const struct sort_item *item = sort_items(s->items[0], s->items[1], c->n4, 0, PASSES);
	const struct item6 *item6 = sort_items6(s->items6[0], s->items6[1], c->n6);
	int rc = 0;
	s->n_runs = 0;
	for (uint32_t i = 0; !rc && i < c->n4; i++)
		rc = add_row(s, i, item[i].row, c->day + (int32_t)item[i].day, true, e);
	for (uint32_t i = 0; !rc && i < c->n6; i++)
		rc = add_row(s, c->n4 + i, item6[i].row, c->day + (int32_t)item6[i].day, false, e);
	return rc;
}

int sort_rows(struct sort *s, enum store_table table, const uint8_t *rows, size_t width, uint32_t from, uint32_t to,
              struct error *e)
{
	struct counts c = count_rows(table, rows, width, from, to);
	void *order = s->order;
	int rc = reserve_pair(s->env, s->items, &s->items_room, c.n4, sizeof(struct sort_item), e);
	if (!rc)
		rc = reserve_pair(s->env, s->items6, &s->items6_room, c.n6, sizeof(struct item6), e);
	if (!rc)
		rc = reserve(s->env, &order, &s->order_room, to - from, sizeof *s->order, e);
	s->order = order;
	if (rc)
		return rc;
	fill(s, table, rows, width, from, to, c.day);
	return lay_out(s, &c, e);
}

/* ---- Narrow rows ---- */
#define SIGN (1u << 31) /* days before 1970 come first */
#define BINS 4096       /* of sources, by their upper bits */

static uint32_t bin_of(const struct sort_item *i) { return (uint32_t)(i->key >> 36) & (BINS - 1); }

/* Rows in the order they came; true: of several days. */
static bool fill_narrow(struct sort_item *item, const struct narrow_flow *rows, uint32_t from, uint32_t to)
{
	uint32_t differ = 0;
	for (uint32_t i = from; i < to; i++) {
		item[i - from] = (struct sort_item){ narrow_key(&rows[i]), i, (uint32_t)day_of_minute(rows[i].minute) ^ SIGN };
		differ |= item[i - from].day ^ item[0].day;
	}
	return differ;
}

/* Which of so many parts each bin belongs to, so that they are about as large; `start`: where each part's rows do. */
static void share_bins(const struct sort_item *item, uint32_t n, uint32_t parts, uint16_t part[BINS], uint32_t *start)
{
	uint32_t count[BINS] = { 0 }, before = 0;
	for (uint32_t i = 0; i < n; i++)
		count[bin_of(&item[i])]++;
	memset(start, 0, (parts + 1) * sizeof *start);
	for (uint32_t b = 0; b < BINS; b++) {
		part[b] = (uint16_t)(before < n ? (uint64_t)before * parts / n : parts - 1);
		before += count[b];
		start[part[b] + 1] = before;
	}
	for (uint32_t p = 1; p <= parts; p++)
		start[p] = start[p] ? start[p] : start[p - 1];
}

#define PARTS_MOST 64

/* Rows from … to - 1 of one day, on `side`. */
static int part_day_rows(struct sort *s, const struct sort_run *run, uint32_t most, struct error *e)
{
	const struct sort_item *item = (struct sort_item *)s->items[run->side] + run->from;
	struct sort_item *out = (struct sort_item *)s->items[!run->side] + run->from;
	uint32_t n = run->to - run->from, parts = (n - 1) / most + 1, start[PARTS_MOST + 1], at[PARTS_MOST];
	uint16_t part[BINS];
	if (parts == 1)
		return add_run(s, run, e);
	parts = parts > PARTS_MOST ? PARTS_MOST : parts;
	share_bins(item, n, parts, part, start);
	memcpy(at, start, parts * sizeof *at);
	for (uint32_t i = 0; i < n; i++)
		out[at[part[bin_of(&item[i])]]++] = item[i];
	int rc = 0;
	for (uint32_t p = 0; !rc && p < parts; p++) {
		struct sort_run made = { run->from + start[p], run->from + start[p + 1], run->day, true, !run->side };
		rc = made.from < made.to ? add_run(s, &made, e) : 0;
	}
	return rc;
}

int sort_part(struct sort *s, const struct narrow_flow *rows, uint32_t from, uint32_t to, uint32_t most, struct error *e)
{
	uint32_t n = to - from;
	int rc = reserve_pair(s->env, s->items, &s->items_room, n, sizeof(struct sort_item), e);
	s->n_runs = 0;
	if (rc)
		return rc;
	const struct sort_item *item = s->items[0];
	if (fill_narrow(s->items[0], rows, from, to))
		item = sort_items(s->items[0], s->items[1], n, KEY_PASSES, PASSES);
	for (uint32_t i = 0, end; !rc && i < n; i = end) {
		for (end = i + 1; end < n && item[end].day == item[i].day; end++)
			;
		struct sort_run run = { i, end, (int32_t)(item[i].day ^ SIGN), true, item != s->items[0] };
		rc = part_day_rows(s, &run, most, e);
	}
	return rc;
}

const struct sort_item *sort_run(struct sort *s, const struct sort_run *run)
{
	struct sort_item *item = (struct sort_item *)s->items[run->side] + run->from;
	struct sort_item *other = (struct sort_item *)s->items[!run->side] + run->from;
	return sort_items(item, other, run->to - run->from, 0, KEY_PASSES);
}
