#include "base/region.h"

#include <sys/mman.h>

int region_init(struct region *r, const struct env *env, size_t limit, struct error *e)
{
	*r = (struct region){ .limit = limit & ~(size_t)63, .base = env_alloc(env, limit) };
	return r->base ? 0 : error_no_memory(e, "making a table");
}

void region_fini(struct region *r, const struct env *env)
{
	env_free(env, r->base, r->limit);
	r->base = NULL;
}

void region_clear(struct region *r, size_t keep)
{
	r->used = 0;
	if (r->touched <= keep)
		return;
	size_t from = (keep + (2u << 20) - 1) & ~(size_t)((2u << 20) - 1); /* whole huge pages only */
	if (r->touched > from) {
		/* An allocation below the mapping threshold is not page-aligned; advice is then refused, harmlessly. */
		madvise(r->base + from, r->touched - from, MADV_DONTNEED);
		r->touched = from;
	}
}
