#include "base/index.h"

#include <errno.h>
#include <string.h>

#define LEAST_SLOTS 1024u

int index_init(struct index *x, const struct env *env, uint32_t rows_expected, struct error *e)
{
	uint64_t slots = LEAST_SLOTS;
	while (slots < 2 * (uint64_t)rows_expected)
		slots *= 2;
	*x = (struct index){ .mask = (uint32_t)(slots - 1) };
	x->slots = env_alloc(env, slots * sizeof *x->slots);
	return x->slots ? 0 : error_no_memory(e, "making a table");
}

void index_fini(struct index *x, const struct env *env)
{
	if (x->slots)
		env_free(env, x->slots, index_bytes(x));
	x->slots = NULL;
}

void index_clear(struct index *x)
{
	if (x->used)
		memset(x->slots, 0, index_bytes(x));
	x->used = 0;
}

int index_grow(struct index *x, const struct env *env, uint64_t (*hash_of)(const void *ctx, uint32_t row),
               const void *ctx, struct error *e)
{
	if (x->mask >= UINT32_MAX / 2)
		return error_set(e, -E2BIG, "MON-BASE-002", "a table has outgrown 2^31 slots");
	struct index y;
	int rc = index_init(&y, env, x->mask + 1, e);
	if (rc)
		return rc;
	for (uint32_t row = 0; row < x->used; row++) {
		uint64_t hash = hash_of(ctx, row);
		uint32_t at = index_at(&y, hash);
		while (index_live(y.slots[at]))
			at = index_next(&y, at);
		index_put(&y, at, index_key(&y, hash), row);
	}
	index_fini(x, env);
	*x = y;
	return 0;
}
