/* Actors in a calendar: 4,096 places of a second, and 4,096 of as many seconds each. Within a second all that are due run
 * one after another; sorting the second's packets makes the order of time. So an actor costs nothing while it waits. */
#include "simulate/state.h"

#include <string.h>

#define AGAIN_KEPT 1024 /* packets that a bucket keeps room for */

/* ---- Actors ---- */

struct actor *sim_actor(struct sim *s, uint32_t i) { return &s->chunk[i / CHUNK][i % CHUNK]; }

static bool add_chunk(struct sim *s)
{
	uint32_t first = s->n_chunks * CHUNK;
	if (s->n_chunks == CHUNKS)
		return false;
	struct actor *chunk = env_alloc(s->env, CHUNK * sizeof *chunk);
	if (!chunk) {
		sim_fail(s, error_no_memory(s->e, "the actors of a simulation"));
		return false;
	}
	s->chunk[s->n_chunks++] = chunk;
	for (uint32_t i = 0; i < CHUNK; i++)
		chunk[i].link = i + 1 < CHUNK ? first + i + 1 : s->free;
	s->free = first;
	return true;
}

static void file_actor(struct sim *s, struct actor *a)
{
	int64_t second = a->next / SECOND;
	if (second < s->second)
		second = s->second;
	int64_t block = second / WHEEL, now = s->second / WHEEL;
	uint32_t *place = block == now ? &s->fine[second % WHEEL] :
	                                 &s->coarse[(block - now < WHEEL ? block : now + WHEEL - 1) % WHEEL];
	a->link = *place;
	*place = a->self;
}

struct actor *actor_begin(struct sim *s, const struct population *p, uint64_t ordinal, actor_run run, int64_t next)
{
	if (s->actors == s->actors_max || (s->free == NOBODY && !add_chunk(s))) {
		s->not_begun++;
		return NULL;
	}
	uint32_t self = s->free;
	struct actor *a = sim_actor(s, self);
	s->free = a->link;
	memset(a, 0, sizeof *a);
	a->self = self;
	a->next = next;
	a->run = run;
	a->of = p;
	a->begun = next;
	uint64_t stream = ordinal;
	for (const char *c = p->name; *c; c++)
		stream = mix64(stream ^ (uint8_t)*c);
	rng_seed(&a->rng, s->config.seed, stream);
	s->actors++;
	if (s->actors > s->most_actors)
		s->most_actors = s->actors;
	file_actor(s, a);
	return a;
}

static void actor_end(struct sim *s, struct actor *a)
{
	sim_truth_actor(s, a);
	a->run = NULL;
	a->link = s->free;
	s->free = a->self;
	s->actors--;
}

/* ---- What is sent again ---- */

static void again_file(struct sim *s, const struct sim_again *g, int64_t second)
{
	struct again_bucket *b = &s->again[second % AGAIN_SECONDS];
	struct actor *a = sim_actor(s, g->actor);
	if (s->n_again == AGAIN_MAX) {
		s->not_again++;
		return;
	}
	if (b->n == b->room) {
		size_t from = b->room * sizeof *b->item, to = from ? from * 2 : 16 * sizeof *b->item;
		if (!sim_grow(s, (void **)&b->item, from, to))
			return;
		b->room = (uint32_t)(to / sizeof *b->item);
	}
	b->item[b->n++] = *g;
	s->n_again++;
	a->waiting++;
}

static void again_next(struct sim *s, struct sim_again g)
{
	if (!*g.delays)
		return;
	g.packet.ts += *g.delays * SECOND;
	g.packet.id = (uint16_t)(g.packet.id + 1 + mix64(g.packet.seq ^ g.packet.id) % 37);
	g.delays++;
	again_file(s, &g, g.packet.ts / SECOND);
}

void sim_again(struct sim *s, struct actor *a, const struct sim_packet *p, const uint8_t *delays)
{
	again_next(s, (struct sim_again){ *p, delays, a->self });
}

static void again_due(struct sim *s)
{
	struct again_bucket *b = &s->again[s->second % AGAIN_SECONDS];
	uint32_t n = b->n;
	for (uint32_t i = 0; i < n && !s->failed; i++) {
		struct sim_again g = b->item[i];
		struct actor *a = sim_actor(s, g.actor);
		sim_emit(s, a, &g.packet);
		a->waiting--;
		s->n_again--;
		again_next(s, g);
		if (a->next == NEVER && !a->waiting)
			actor_end(s, a);
	}
	b->n = 0;
	if (b->room > AGAIN_KEPT) { /* or every second's bucket would become as large as the largest */
		env_free(s->env, b->item, b->room * sizeof *b->item);
		*b = (struct again_bucket){ 0 };
	}
}

/* ---- Seconds ---- */

static void run_actor(struct sim *s, struct actor *a, int64_t end)
{
	if (a->next < end)
		a->run(s, a, end);
	if (a->next != NEVER)
		file_actor(s, a);
	else if (!a->waiting)
		actor_end(s, a);
}

static void run_place(struct sim *s, uint32_t *place, int64_t end)
{
	uint32_t i = *place;
	*place = NOBODY;
	while (i != NOBODY && !s->failed) {
		struct actor *a = sim_actor(s, i);
		i = a->link;
		run_actor(s, a, end);
	}
}

/* The actors of the 4,096 seconds that begin get their places; `second` is the one before. */
static void enter_block(struct sim *s, int64_t first)
{
	uint32_t *place = &s->coarse[first / WHEEL % WHEEL], i = *place;
	*place = NOBODY;
	while (i != NOBODY) {
		struct actor *a = sim_actor(s, i);
		int64_t second = a->next / SECOND < first ? first : a->next / SECOND;
		i = a->link;
		if (second / WHEEL == first / WHEEL) {
			a->link = s->fine[second % WHEEL];
			s->fine[second % WHEEL] = a->self;
		} else {
			file_actor(s, a);
		}
	}
}

static void run_second(struct sim *s)
{
	int64_t end = (s->second + 1) * SECOND;
	sim_world_second(s);
	sim_sensor_second(s);
	if (s->again[s->second % AGAIN_SECONDS].n)
		again_due(s);
	while (s->fine[s->second % WHEEL] != NOBODY && !s->failed) /* who runs may begin another that is due at once */
		run_place(s, &s->fine[s->second % WHEEL], end);
	sim_slice_write(s);
}

static void tell_second(struct sim *s)
{
	const struct simulate_sink *to = s->config.sink;
	int rc = to ? to->second(to->ctx, s->second, s->e) : 0;
	if (rc)
		sim_fail(s, rc);
}

/* Rows of minutes that no clock step brings back. */
static void flush_rows(struct sim *s)
{
	if (!s->rows || s->second % 60)
		return;
	int rc = rows_flush(s->rows, (s->second - s->offset_most) / 60 - 1, s->e);
	if (rc)
		sim_fail(s, rc);
}

void sim_run_seconds(struct sim *s)
{
	for (int64_t second = s->config.from; second < s->config.to && !s->failed; second++) {
		if (second == s->config.from || second % WHEEL == 0)
			enter_block(s, second);
		s->second = second;
		tell_second(s);
		if (!s->failed)
			run_second(s);
		flush_rows(s);
	}
	/* What is still going on has its line too. */
	for (uint32_t i = 0; i < s->n_chunks * CHUNK && !s->failed; i++)
		if (sim_actor(s, i)->run && sim_actor(s, i)->kind)
			sim_truth_actor(s, sim_actor(s, i));
}

void sim_schedule_open(struct sim *s)
{
	s->free = NOBODY;
	s->second = s->config.from;
	for (uint32_t i = 0; i < WHEEL; i++)
		s->fine[i] = s->coarse[i] = NOBODY;
}

void sim_schedule_close(struct sim *s)
{
	for (uint32_t i = 0; i < s->n_chunks; i++)
		env_free(s->env, s->chunk[i], CHUNK * sizeof *s->chunk[i]);
	for (uint32_t i = 0; i < AGAIN_SECONDS; i++)
		env_free(s->env, s->again[i].item, s->again[i].room * sizeof *s->again[i].item);
}
