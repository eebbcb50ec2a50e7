#include "detect/state.h"

#define LEAST 256

static bool reserve(struct writer *w, uint32_t more)
{
	if (w->failed || w->room - w->n >= more)
		return !w->failed;
	uint32_t room = w->room ? 2 * w->room : LEAST;
	uint8_t *p = env_grow(w->env, w->p, w->room, room);
	if (p) {
		w->p = p;
		w->room = room;
	}
	w->failed = !p;
	return p;
}

void state_put(struct writer *w, uint64_t value, uint32_t bytes)
{
	if (!reserve(w, bytes))
		return;
	for (uint32_t i = 0; i < bytes; i++)
		w->p[w->n++] = (uint8_t)(value >> 8 * i);
}

uint64_t state_get(struct reader *r, uint32_t bytes)
{
	uint64_t value = 0;
	if (r->failed || r->n - r->at < bytes) {
		r->failed = true;
		return 0;
	}
	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint64_t)r->p[r->at++] << 8 * i;
	return value;
}

void state_put_place(struct writer *w, const struct place *p)
{
	state_put(w, (uint8_t)p->country[0], 1);
	state_put(w, (uint8_t)p->country[1], 1);
	state_put(w, p->as_number, 4);
}

void state_get_place(struct reader *r, struct place *out)
{
	out->country[0] = (char)state_get(r, 1);
	out->country[1] = (char)state_get(r, 1);
	out->as_number = (uint32_t)state_get(r, 4);
}
