#include "track/names.h"

#include <errno.h>
#include <string.h>

#define LEAST_NAMES 1024u

int names_init(struct names *t, const struct env *env, size_t limit, struct error *e)
{
	*t = (struct names){ .env = env };
	int rc = seed_draw(&t->seed, env);
	if (rc)
		return error_set(e, rc, "MON-TRK-002", "no random numbers to be had");
	rc = index_init(&t->index, env, LEAST_NAMES, e);
	if (!rc)
		rc = region_init(&t->room, env, limit, e);
	t->name = (struct name *)(void *)t->room.base;
	if (rc)
		names_fini(t);
	return rc;
}

void names_fini(struct names *t)
{
	if (!t->env)
		return;
	index_fini(&t->index, t->env);
	region_fini(&t->room, t->env);
	t->env = NULL;
}

void names_clear(struct names *t, size_t keep)
{
	t->n = 0;
	index_clear(&t->index);
	region_clear(&t->room, keep);
}

size_t names_used(const struct names *t) { return t->room.used + (t->n ? index_bytes(&t->index) : 0); }

static uint64_t hash_of_row(const void *ctx, uint32_t row)
{
	const struct names *t = ctx;
	return names_hash(t, &t->name[row].addr, t->name[row].epoch);
}

int names_prepare(struct names *t, uint32_t more, struct error *e)
{
	if (t->room.limit - t->room.used < more * sizeof(struct name))
		return -ENOSPC;
	while (!index_has_room(&t->index, more)) {
		int rc = index_grow(&t->index, t->env, hash_of_row, t, e);
		if (rc)
			return rc;
	}
	return 0;
}

static bool is_name(const struct names *t, uint32_t row, const struct addr *addr, uint32_t epoch)
{
	return t->name[row].epoch == epoch && !memcmp(&t->name[row].addr, addr, sizeof *addr);
}

uint32_t names_find(const struct names *t, const struct addr *addr, uint32_t epoch)
{
	const struct index *x = &t->index;
	uint64_t hash = names_hash(t, addr, epoch);
	uint32_t key = index_key(x, hash);
	for (uint32_t at = index_at(x, hash); index_live(x->slots[at]); at = index_next(x, at))
		if (index_tagged(x, x->slots[at], key) && is_name(t, index_row(x, x->slots[at]), addr, epoch))
			return index_row(x, x->slots[at]);
	return INDEX_NONE;
}

uint32_t names_put(struct names *t, const struct addr *addr, uint32_t epoch)
{
	struct index *x = &t->index;
	uint64_t hash = names_hash(t, addr, epoch);
	uint32_t key = index_key(x, hash);
	for (uint32_t at = index_at(x, hash);; at = index_next(x, at)) {
		uint32_t slot = x->slots[at];
		if (!index_live(slot)) {
			index_put(x, at, key, t->n);
			struct name *n = region_take(&t->room, sizeof *n);
			*n = (struct name){ .addr = *addr, .epoch = epoch };
			return t->n++;
		}
		if (index_tagged(x, slot, key) && is_name(t, index_row(x, slot), addr, epoch))
			return index_row(x, slot);
	}
}
