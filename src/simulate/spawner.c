#include "simulate/spawner.h"

struct spawner {
	const struct param_value *v;
	uint64_t wait, n;
	spawner_fn begin;
};
STATE_FITS(struct spawner);

static void run(struct sim *s, struct actor *a, int64_t end)
{
	struct spawner *w = (struct spawner *)a->state;
	while (a->next < end) {
		w->begin(s, a, w->v, ++w->n);
		a->next += rng_wait(&a->rng, w->wait);
	}
}

void spawner_start(struct sim *s, const struct population *p, const struct param_value *v, uint64_t wait, int64_t from,
                   spawner_fn begin)
{
	struct actor *a = wait ? actor_begin(s, p, 0, run, sim_world(s)->from) : NULL;
	if (!a)
		return;
	*(struct spawner *)a->state = (struct spawner){ v, wait, 0, begin };
	a->next = from + rng_wait(&a->rng, wait);
}
