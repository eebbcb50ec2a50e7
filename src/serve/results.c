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

/* What was given once goes before what is given again and again, so that no one who asks for everything takes what others
 * watch; a page's own never goes. */
static bool goes_before(const struct result *a, const struct result *b)
{
	bool once_a = a->given <= 1, once_b = b->given <= 1;
	return once_a != once_b ? once_a : a->used < b->used;
}

static bool evict(struct results *c)
{
	struct result **oldest = NULL;
	for (struct result **at = &c->first; *at; at = &(*at)->next)
		if ((*at)->state != RESULT_WAITING && !(*at)->standing && (!oldest || goes_before(*at, *oldest)))
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
	if (r)
		results_take(r, now);
	return r;
}

struct result *results_of(struct results *c, const struct values *v, uint64_t generation)
{
	uint64_t question = values_question(v);
	struct result *best = NULL;
	for (struct result *r = c->first; r; r = r->next) {
		if (r->question != question || r->generation > generation || r->state == RESULT_FAILED || !r->values.resource ||
		    !values_same(&r->values, v))
			continue;
		bool ready = r->state == RESULT_READY, better = best && best->state == RESULT_READY;
		if (!best || (ready != better ? ready : r->generation > best->generation))
			best = r;
	}
	return best;
}

void results_take(struct result *r, int64_t now)
{
	r->used = now;
	r->given++;
	r->users++;
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

static struct result **place_of(struct result *r)
{
	struct result **at = &r->owner->first;
	while (*at != r)
		at = &(*at)->next;
	return at;
}

void results_cancel(struct result *r) { unlink_result(r->owner, place_of(r)); }

static bool stands_for(const struct result *by, const struct result *r)
{
	return r != by && r->state == RESULT_READY && by->state == RESULT_READY && r->generation <= by->generation &&
	       r->question == by->question && r->values.resource && by->values.resource && values_same(&r->values, &by->values);
}

void results_replace(const struct result *by)
{
	struct results *c = by->owner;
	for (struct result **at = &c->first; *at;) {
		if (stands_for(by, *at))
			unlink_result(c, at);
		else
			at = &(*at)->next;
	}
}

/* Is there one of what is shown now that stands for it? The newest are the first in the list. */
static bool is_replaced(const struct results *c, const struct result *r, uint64_t generation)
{
	for (const struct result *by = c->first; by && by != r; by = by->next)
		if (by->generation <= generation && stands_for(by, r))
			return true;
	return false;
}

void results_forget(struct results *c, uint64_t generation, int64_t moment)
{
	for (struct result **at = &c->first; *at;) {
		if ((*at)->state != RESULT_WAITING && (*at)->generation < generation &&
		    ((*at)->since < moment || is_replaced(c, *at, generation)))
			unlink_result(c, at);
		else
			at = &(*at)->next;
	}
}

void results_settle(struct result *r, enum result_state state)
{
	struct results *c = r->owner;
	c->n_sent -= r->sent;
	r->state = state;
	c->bytes += r->rows ? r->rows->n : 0;
	if (state == RESULT_FAILED)
		unlink_result(c, place_of(r));
	while (state == RESULT_READY && c->bytes > BYTES_MOST && evict(c))
		;
}
