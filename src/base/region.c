#include "base/region.h"

#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define MAPPED ((size_t)1 << 20)  /* from here on env_alloc maps */
#define SMALL (8 * HUGE_PAGE)     /* a bound that was chosen small: huge pages would take more than what they hold */

int region_init(struct region *r, const struct env *env, size_t limit, struct error *e)
{
	limit &= ~(size_t)63;
	*r = (struct region){ .limit = limit, .base = env_alloc(env, limit) };
	if (!r->base)
		return error_no_memory(e, "making a table");
	/* Most tables stay small: their first bytes shall not cost a huge page each. Refused advice is harmless. */
	if (limit >= MAPPED)
		madvise(r->base, limit <= SMALL ? limit : HUGE_PAGE, MADV_NOHUGEPAGE);
	return 0;
}

void region_fini(struct region *r, const struct env *env)
{
	env_free(env, r->base, r->limit);
	r->base = NULL;
}

void region_clear(struct region *r, size_t keep)
{
	r->used = 0;
	size_t from = keep & ~(HUGE_PAGE - 1); /* whole huge pages only */
	if (r->touched <= from || r->limit < MAPPED)
		return;
	madvise(r->base + from, r->touched - from, MADV_DONTNEED);
	r->touched = from;
}
