#include "simulate/stream.h"

struct stream {
	stream_packet packet;
	const struct param_value *v;
	uint64_t wait;
};
STATE_FITS(struct stream);

static void run(struct sim *s, struct actor *a, int64_t end)
{
	const struct stream *w = (const struct stream *)a->state;
	while (a->next < end) {
		w->packet(s, a, w->v, a->next);
		a->next += rng_wait(&a->rng, w->wait);
	}
}

void stream_begin(struct sim *s, const struct population *p, uint64_t ordinal, const char *kind, uint64_t wait,
                  const struct param_value *v, stream_packet packet)
{
	struct actor *a = wait ? actor_begin(s, p, ordinal, run, sim_world(s)->from) : NULL;
	if (!a)
		return;
	*(struct stream *)a->state = (struct stream){ packet, v, wait };
	a->kind = kind;
	a->next += rng_wait(&a->rng, wait);
}
