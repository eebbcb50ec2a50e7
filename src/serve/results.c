#include "serve/results.h"

#include <string.h>

#define RESULTS_MOST 1024
#define WAITING_MOST 256
#define BYTES_MOST ((size_t)64 << 20)

struct body *body_make(const struct env *env, size_t n)
{
	struct body *b = env_alloc(env, sizeof *b + n);
	if (b)
		*b = (struct body){ .env = env, .refs = 1, .n = n };
	return b;
}

struct body *body_hold(struct body *b)
{
	b->refs++;
	return b;
}

void body_drop(struct body *b)
{
	if (b && !--b->refs)
		env_free(b->env, b, sizeof *b + b->n);
}

void results_init(struct results *c, const struct env *env, uint64_t first_id)
{
	*c = (struct results){ .env = env, .next_id = first_id };
}

static void free_result(struct result *r)
{
	const struct env *env = r->env;
	body_drop(r->rows);
	env_free(env, r->key, r->n_key);
	env_free(env, r, sizeof *r);
}

/* Out of the list; gone once nobody holds it. */
static void unlink_result(struct results *c, struct result **at)
{
	struct result *r = *at;
	*at = r->next;
	c->n--;
	c->bytes -= r->rows ? r->rows->n : 0;
	c->n_sent -= r->state == RESULT_WAITING && r->sent;
	r->owner = NULL;
	if (!r->users)
		free_result(r);
}

void results_fini(struct results *c)
{
	while (c->first)
		unlink_result(c, &c->first);
}

/* The one that was given longest ago, of those that do not wait. */
static bool evict(struct results *c)
{
	struct result **oldest = NULL;
	for (struct result **at = &c->first; *at; at = &(*at)->next)
		if ((*at)->state != RESULT_WAITING && (!oldest || (*at)->used < (*oldest)->used))
			oldest = at;
	if (oldest)
		unlink_result(c, oldest);
	return oldest != NULL;
}

static unsigned waiting(const struct results *c)
{
	unsigned n = 0;
	for (const struct result *r = c->first; r; r = r->next)
		n += r->state == RESULT_WAITING;
	return n;
}

static struct result *add(struct results *c, const char *key, size_t n_key, uint64_t generation, int64_t now)
{
	if (waiting(c) >= WAITING_MOST || (c->n >= RESULTS_MOST && !evict(c)))
		return NULL;
	struct result *r = env_alloc(c->env, sizeof *r);
	char *copy = env_alloc(c->env, n_key);
	if (!r || !copy) {
		env_free(c->env, r, sizeof *r);
		env_free(c->env, copy, n_key);
		return NULL;
	}
	memcpy(copy, key, n_key);
	*r = (struct result){ .next = c->first, .env = c->env, .owner = c, .id = c->next_id++, .generation = generation,
		              .key = copy, .n_key = n_key, .since = now, .used = now };
	c->first = r;
	c->n++;
	return r;
}

static bool is_of(const struct result *r, const struct message *ask, uint64_t generation)
{
	return r->generation == generation && r->n_key == ask->n && !memcmp(r->key, ask->bytes, ask->n) &&
	       r->state != RESULT_FAILED;
}

struct result *results_find(struct results *c, const struct message *ask, uint64_t generation, int64_t now, bool *is_new)
{
	struct result *r = c->first;
	while (r && !is_of(r, ask, generation))
		r = r->next;
	*is_new = !r;
	if (!r)
		r = add(c, ask->bytes, ask->n, generation, now);
	if (r) {
		r->used = now;
		r->given++;
		r->users++;
	}
	return r;
}

void results_drop(struct result *r)
{
	if (r && !--r->users && !r->owner)
		free_result(r);
}

struct result *results_by_id(struct results *c, uint64_t id)
{
	struct result *r = c->first;
	while (r && (r->id != id || r->state != RESULT_WAITING))
		r = r->next;
	return r;
}

void results_forget(struct results *c, uint64_t generation)
{
	for (struct result **at = &c->first; *at;) {
		if ((*at)->state != RESULT_WAITING && (*at)->generation < generation)
			unlink_result(c, at);
		else
			at = &(*at)->next;
	}
}

void results_settle(struct result *r, enum result_state state)
{
	struct results *c = r->owner;
	struct result **at = &c->first;
	c->n_sent -= r->sent;
	r->state = state;
	c->bytes += r->rows ? r->rows->n : 0;
	while (*at != r)
		at = &(*at)->next;
	if (state == RESULT_FAILED)
		unlink_result(c, at);
	while (state == RESULT_READY && c->bytes > BYTES_MOST && evict(c))
		;
}
