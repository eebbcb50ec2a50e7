/* A region: address space for the largest it may become, memory for what it has become.
 *
 * Takes pieces from its front until `limit`; emptying it keeps the touched pages for the next use, up to a bound.
 */
#pragma once
#include "base/env.h"

#include <stddef.h>
#include <stdint.h>

struct region {
	uint8_t *base;
	size_t used;
	size_t touched; /* the most that was ever used since it was mapped: what it costs in memory */
	size_t limit;
};

int region_init(struct region *r, const struct env *env, size_t limit, struct error *e) MUST_USE;
void region_fini(struct region *r, const struct env *env);

/* NULL when it does not fit. Not cleared. n is rounded up to 8 bytes. */
static inline void *region_take(struct region *r, size_t n)
{
	n = (n + 7) & ~(size_t)7;
	if (n > r->limit - r->used)
		return NULL;
	void *p = r->base + r->used;
	r->used += n;
	if (r->used > r->touched)
		r->touched = r->used;
	return p;
}

/* Empties it; pages past `keep` bytes go back to the system. */
void region_clear(struct region *r, size_t keep);
