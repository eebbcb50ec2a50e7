#include "store/rollup.h"

#include "base/moment.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 16 /* of struct totals: all before the sums */
_Static_assert(offsetof(struct totals, packets) == KEY_BYTES, "the key is what comes first");

#define PORTS 65536

#define COLUMN(member, type) { #member, COLUMN_##type, offsetof(struct totals, member), -1 }
#define TOLD(member) { #member, COLUMN_u64, offsetof(struct totals, member), offsetof(struct totals, packets) }
#define SUMS COLUMN(packets, u64), TOLD(accesses), TOLD(attempts), COLUMN(bytes, u64), COLUMN(flows, u64)

static const struct shape shapes[ROLLUPS] = {
	[ROLLUP_CLASS_HOUR] = { sizeof(struct totals), 9, {
		COLUMN(hour, i32), COLUMN(protocol, u8), COLUMN(class, u8), COLUMN(band, u8), SUMS } },
	[ROLLUP_PORT_DAY] = { sizeof(struct totals), 8, { COLUMN(protocol, u8), COLUMN(port, u16), COLUMN(class, u8), SUMS } },
};

const char *rollup_name(enum rollup_kind kind) { return kind == ROLLUP_CLASS_HOUR ? "class_hour" : "port_day"; }
const struct shape *rollup_shape(enum rollup_kind kind) { return &shapes[kind]; }

int rollup_init(struct rollup *r, const struct env *env, struct error *e)
{
	*r = (struct rollup){ .env = env };
	int rc = seed_draw(&r->seed, env);
	if (rc)
		return error_set(e, rc, "MON-STO-013", "no random numbers to be had");
	for (int k = 0; !rc && k < ROLLUPS; k++)
		rc = index_init(&r->table[k].index, env, 0, e);
	if (rc)
		return rc;
	r->of_port = env_alloc(env, PORTS * sizeof *r->of_port);
	return r->of_port ? 0 : error_no_memory(e, "summing rows");
}

void rollup_fini(struct rollup *r)
{
	for (int k = 0; r->env && k < ROLLUPS; k++) {
		index_fini(&r->table[k].index, r->env);
		env_free(r->env, r->table[k].row, r->table[k].room * sizeof *r->table[k].row);
	}
	if (r->env)
		env_free(r->env, r->of_port, PORTS * sizeof *r->of_port);
}

void rollup_clear(struct rollup *r)
{
	for (int k = 0; k < ROLLUPS; k++) {
		index_clear(&r->table[k].index);
		r->table[k].n = 0;
	}
	memset(r->of_port, 0, PORTS * sizeof *r->of_port);
	memset(r->of_hour, 0, sizeof r->of_hour);
}

static uint64_t hash_of(const struct rollup *r, const struct totals *t)
{
	uint64_t key[2];
	memcpy(key, t, sizeof key);
	return hash_u64x2(&r->seed, key[0], key[1]);
}

struct rehash {
	const struct rollup *r;
	const struct totals *row;
};

static uint64_t hash_of_row(const void *ctx, uint32_t row)
{
	const struct rehash *h = ctx;
	return hash_of(h->r, &h->row[row]);
}

static int reserve(struct rollup *r, int k, struct error *e)
{
	struct rehash h = { r, r->table[k].row };
	int rc = index_has_room(&r->table[k].index, 1) ? 0 : index_grow(&r->table[k].index, r->env, hash_of_row, &h, e);
	if (rc || r->table[k].n < r->table[k].room)
		return rc;
	uint32_t room = r->table[k].room ? 2 * r->table[k].room : 256;
	struct totals *grown = env_grow(r->env, r->table[k].row, r->table[k].room * sizeof *grown, room * sizeof *grown);
	if (!grown)
		return error_no_memory(e, "summing rows");
	r->table[k].row = grown;
	r->table[k].room = room;
	return 0;
}

/* The row of a key: its number into *out. */
static int find(struct rollup *r, int k, const struct totals *key, uint32_t *out, struct error *e)
{
	int rc = reserve(r, k, e);
	if (rc)
		return rc;
	struct index *x = &r->table[k].index;
	uint64_t hash = hash_of(r, key);
	uint32_t at = index_candidate(x, hash);
	while (index_live(x->slots[at])) {
		*out = index_row(x, x->slots[at]);
		if (index_tagged(x, x->slots[at], index_key(x, hash)) && !memcmp(&r->table[k].row[*out], key, KEY_BYTES))
			return 0;
		at = index_next(x, at);
	}
	*out = r->table[k].n++;
	index_put(x, at, index_key(x, hash), *out);
	r->table[k].row[*out] = *key;
	return 0;
}

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_SCTP = 132 };

static uint8_t band_of(const struct rollup_flow *f)
{
	bool ports = f->protocol == PROTO_TCP || f->protocol == PROTO_UDP || f->protocol == PROTO_SCTP;
	return ports ? (f->port <= 1023 ? 1 : 2) : 0;
}

static void add(struct totals *t, const struct rollup_flow *f)
{
	t->packets += f->packets;
	t->accesses += f->accesses;
	t->attempts += f->attempts;
	t->bytes += f->bytes;
	t->flows++;
}

static int add_to_hour(struct rollup *r, const struct rollup_flow *f, struct error *e)
{
	struct totals key = { .hour = moment_hour_of_minute(f->minute), .protocol = f->protocol, .class = f->class,
	                      .band = band_of(f) };
	struct totals *row = r->table[ROLLUP_CLASS_HOUR].row;
	uint32_t *known = &r->of_hour[((uint32_t)key.hour << 1 | (key.band == 1)) & 63], found;
	if (*known && !memcmp(&row[*known - 1], &key, KEY_BYTES)) {
		add(&row[*known - 1], f);
		return 0;
	}
	int rc = find(r, ROLLUP_CLASS_HOUR, &key, &found, e);
	if (rc)
		return rc;
	*known = found + 1;
	add(&r->table[ROLLUP_CLASS_HOUR].row[found], f);
	return 0;
}

static int add_to_port(struct rollup *r, const struct rollup_flow *f, struct error *e)
{
	struct totals key = { .port = f->port, .protocol = f->protocol, .class = f->class };
	bool sorted = f->protocol == PROTO_TCP || f->protocol == PROTO_UDP || f->protocol == PROTO_ICMP; /* others are mixed */
	uint32_t other = 0, *known = sorted ? &r->of_port[f->port] : &other, found;
	if (sorted && (r->protocol != f->protocol || r->class != f->class)) {
		memset(r->of_port, 0, PORTS * sizeof *r->of_port);
		r->protocol = f->protocol;
		r->class = f->class;
	}
	if (*known) {
		add(&r->table[ROLLUP_PORT_DAY].row[*known - 1], f);
		return 0;
	}
	int rc = find(r, ROLLUP_PORT_DAY, &key, &found, e);
	if (rc)
		return rc;
	*known = found + 1;
	add(&r->table[ROLLUP_PORT_DAY].row[found], f);
	return 0;
}

int rollup_add(struct rollup *r, const struct rollup_flow *f, struct error *e)
{
	int rc = add_to_hour(r, f, e);
	return rc ? rc : add_to_port(r, f, e);
}

int rollup_add_record(struct rollup *r, const struct flow_record *f, struct error *e)
{
	return rollup_add(r, &(struct rollup_flow){ (int32_t)f->minute, f->port, f->protocol, f->class, f->packets, f->accesses,
	                                            f->attempts, f->bytes }, e);
}

static int compare(const void *a, const void *b)
{
	const struct totals *x = a, *y = b;
	if (x->hour != y->hour)
		return x->hour < y->hour ? -1 : 1;
	uint32_t u = (uint32_t)x->protocol << 24 | (uint32_t)x->port << 8 | x->class;
	uint32_t v = (uint32_t)y->protocol << 24 | (uint32_t)y->port << 8 | y->class;
	return u != v ? (u < v ? -1 : 1) : (x->band > y->band) - (x->band < y->band);
}

void rollup_sort(struct rollup *r)
{
	for (int k = 0; k < ROLLUPS; k++)
		if (r->table[k].n)
			qsort(r->table[k].row, r->table[k].n, sizeof *r->table[k].row, compare);
}
