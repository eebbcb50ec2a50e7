/* A new commit is shown once what is asked for often is there for it: until then the one before is, whole and in time. So
 * whoever watches waits for no query; only what nobody asked for in the last minutes is still to be found.
 *
 * One query at a time is asked ahead, the one most often given first, and after all that somebody waits for. */
#include "serve/answers.h"
#include "serve/server.h"

#include <string.h>

#define SECOND INT64_C(1000000000)
#define WANTED (180 * SECOND) /* what was not given for so long is not asked ahead */
#define LONGEST (60 * SECOND) /* then it is shown as it is */

static void show(struct server *s, int64_t now)
{
	int64_t took = s->ahead.going ? now - s->ahead.since : 0;
	s->shown = s->next;
	s->commits++;
	s->ahead = (struct ahead){ .rest = now + took }; /* while a store fills, half of the time at the most goes to it */
	results_forget(&s->results, s->commits);
	stream_event(s);
}

/* The result of what is shown that was given most often and is not yet asked for again. */
static struct result *most_wanted(const struct server *s, int64_t now)
{
	struct result *most = NULL;
	for (struct result *r = s->results.first; r; r = r->next)
		if (r->state == RESULT_READY && !r->renewed && r->values.resource && r->generation == s->commits &&
		    now - r->used < WANTED && (!most || r->given > most->given))
			most = r;
	return most;
}

/* Whether it is asked for: its span may make no sense any more. */
static bool renew(struct server *s, struct result *old, int64_t now)
{
	struct values values = old->values;
	struct error ignored;
	bool is_new;
	old->renewed = true;
	if (values_end(&values, s->next.as_of, &ignored))
		return false;
	asks_write(&s->message, &values, NULL, s->next.simulated);
	struct result *r = s->message.failed ? NULL : results_find(&s->results, &s->message, s->commits + 1, now, &is_new);
	if (!r)
		return false;
	r->values = values;
	r->used = old->used;
	r->given = old->given / 2;
	s->ahead.asking = r->state == RESULT_WAITING ? r->id : 0;
	s->counters.ahead += is_new;
	results_drop(r);
	return s->ahead.asking != 0;
}

void ahead_told(struct server *s, const struct shown *told)
{
	if (!strcmp(told->commit, s->next.commit) && s->commits)
		return;
	s->next = *told; /* one that is being prepared becomes it: the reader answers from the newest alone */
	ahead_step(s);
}

void ahead_step(struct server *s)
{
	struct ahead *a = &s->ahead;
	int64_t now = s->env->monotonic(s->env);
	struct result *old;
	if (!strcmp(s->next.commit, s->shown.commit) && s->commits)
		return;
	if (!a->going && now < a->rest && s->shown.as_of)
		return;
	if (!a->going)
		*a = (struct ahead){ .going = true, .since = now };
	if (a->asking && results_by_id(&s->results, a->asking) && now - a->since < LONGEST)
		return;
	a->asking = 0;
	while (now - a->since < LONGEST && (old = most_wanted(s, now)))
		if (renew(s, old, now))
			return;
	show(s, now);
}
