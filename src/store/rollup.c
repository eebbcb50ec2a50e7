#include "store/rollup.h"

#include "base/moment.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 16 /* of struct totals: all before the sums */
_Static_assert(offsetof(struct totals, packets) == KEY_BYTES, "the key is what comes first");

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
	return rc;
}

void rollup_fini(struct rollup *r)
{
	for (int k = 0; r->env && k < ROLLUPS; k++) {
		index_fini(&r->table[k].index, r->env);
		env_free(r->env, r->table[k].row, r->table[k].room * sizeof *r->table[k].row);
	}
}

void rollup_clear(struct rollup *r)
{
	for (int k = 0; k < ROLLUPS; k++) {
		index_clear(&r->table[k].index);
		r->table[k].n = 0;
	}
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

static int find(struct rollup *r, int k, const struct totals *key, struct totals **out, struct error *e)
{
	int rc = reserve(r, k, e);
	if (rc)
		return rc;
	struct index *x = &r->table[k].index;
	uint64_t hash = hash_of(r, key);
	uint32_t at = index_candidate(x, hash);
	while (index_live(x->slots[at])) {
		struct totals *t = &r->table[k].row[index_row(x, x->slots[at])];
		if (index_tagged(x, x->slots[at], index_key(x, hash)) && !memcmp(t, key, KEY_BYTES)) {
			*out = t;
			return 0;
		}
		at = index_next(x, at);
	}
	uint32_t row = r->table[k].n++;
	index_put(x, at, index_key(x, hash), row);
	*out = &r->table[k].row[row];
	**out = *key;
	return 0;
}

enum { PROTO_TCP = 6, PROTO_UDP = 17, PROTO_SCTP = 132 };

static uint8_t band_of(const struct flow_record *f)
{
	bool ports = f->protocol == PROTO_TCP || f->protocol == PROTO_UDP || f->protocol == PROTO_SCTP;
	return ports ? (f->port <= 1023 ? 1 : 2) : 0;
}

int rollup_add(struct rollup *r, const struct flow_record *f, struct error *e)
{
	struct totals key[ROLLUPS] = {
		[ROLLUP_CLASS_HOUR] = { .hour = moment_hour_of_minute((int32_t)f->minute), .band = band_of(f) },
		[ROLLUP_PORT_DAY] = { .port = f->port },
	};
	int rc = 0;
	for (int k = 0; !rc && k < ROLLUPS; k++) {
		struct totals *t;
		key[k].protocol = f->protocol;
		key[k].class = f->class;
		rc = find(r, k, &key[k], &t, e);
		if (rc)
			break;
		t->packets += f->packets;
		t->accesses += f->accesses;
		t->attempts += f->attempts;
		t->bytes += f->bytes;
		t->flows++;
	}
	return rc;
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
