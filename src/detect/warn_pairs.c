/* (key, network) pairs of today and yesterday: which networks an hour has, and what is behind an alarm. A table that is too
 * full keeps one in two, those whose hash begins with one zero bit more: what it keeps is a function of what it was given,
 * not of its order. */
#include "detect/warn.h"

#include <string.h>

static uint64_t name_of(uint32_t slot, uint32_t network) { return warn_mix((uint64_t)slot << 32 | network); }
static bool is_sampled(const struct warn_pairs *p, uint64_t name) { return !p->level || name >> (64 - p->level) == 0; }

/* Its place, or the free one where it belongs. */
static struct warn_pair *place_of(const struct warning *w, struct warn_pair *pair, uint32_t slot, uint32_t network)
{
	uint32_t mask = w->config.pairs - 1, i = (uint32_t)warn_mix(name_of(slot, network) ^ w->seed) & mask;
	while (pair[i].hour && (pair[i].slot != slot || pair[i].network != network))
		i = (i + 1) & mask;
	return &pair[i];
}

int warn_pairs_open(struct warning *w, struct error *e)
{
	size_t size = w->config.pairs * sizeof *w->today.pair;
	w->today.pair = env_alloc(w->env, size);
	w->yesterday.pair = env_alloc(w->env, size);
	w->spare.pair = env_alloc(w->env, size);
	return w->today.pair && w->yesterday.pair && w->spare.pair ? 0 : error_no_memory(e, "the networks of a day");
}

void warn_pairs_close(struct warning *w)
{
	size_t size = w->config.pairs * sizeof *w->today.pair;
	env_free(w->env, w->today.pair, size);
	env_free(w->env, w->yesterday.pair, size);
	env_free(w->env, w->spare.pair, size);
}

static void thin(struct warning *w)
{
	struct warn_pairs from = w->today, *to = &w->today;
	*to = (struct warn_pairs){ w->spare.pair, 0, from.level + 1 };
	for (uint32_t i = 0; i < w->config.pairs; i++) {
		const struct warn_pair *p = &from.pair[i];
		if (!p->hour || !is_sampled(to, name_of(p->slot, p->network)))
			continue;
		*place_of(w, to->pair, p->slot, p->network) = *p;
		to->n++;
	}
	memset(from.pair, 0, w->config.pairs * sizeof *from.pair);
	w->spare.pair = from.pair;
}

struct warn_pair *warn_pair(struct warning *w, uint32_t slot, uint32_t network)
{
	uint64_t name = name_of(slot, network);
	if (!is_sampled(&w->today, name))
		return NULL;
	struct warn_pair *p = place_of(w, w->today.pair, slot, network);
	if (p->hour)
		return p;
	while (w->today.n >= w->config.pairs / 4 * 3) {
		thin(w);
		if (!is_sampled(&w->today, name))
			return NULL;
		p = place_of(w, w->today.pair, slot, network);
	}
	const struct warn_pair *before = warn_pair_find(w, &w->yesterday, slot, network);
	*p = (struct warn_pair){ .slot = slot, .network = network, .hours = before ? before->hours / 2 : 0 };
	w->today.n++;
	return p;
}

const struct warn_pair *warn_pair_find(const struct warning *w, const struct warn_pairs *of, uint32_t slot,
                                       uint32_t network)
{
	const struct warn_pair *p = place_of(w, of->pair, slot, network);
	return p->hour ? p : NULL;
}

void warn_pair_put(struct warning *w, struct warn_pairs *of, const struct warn_pair *p)
{
	struct warn_pair *to = place_of(w, of->pair, p->slot, p->network);
	of->n += to->hour == 0;
	*to = *p;
}

void warn_pairs_day(struct warning *w)
{
	struct warn_pair *old = w->yesterday.pair;
	if (w->yesterday.n)
		memset(old, 0, w->config.pairs * sizeof *old);
	w->yesterday = w->today;
	w->today = (struct warn_pairs){ .pair = old };
}
