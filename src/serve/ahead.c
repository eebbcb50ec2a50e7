/* What is asked before anybody waits for it. A new commit is shown once what the pages ask for, and what was asked for in
 * the last minutes, is there for it: until then the one before is. What is late after a minute is given of the commit
 * before, each answer with its own `as_of`, until the new one is there. So whoever watches waits for no query that was
 * asked before.
 *
 * One query at a time, beside those that somebody waits for: the pages' own in the order of their table, then the one most
 * often given first. While nobody asks for anything the pages' own are brought forward every ten minutes alone. */
#include "serve/answers.h"
#include "serve/server.h"

#include <string.h>

#define SECOND INT64_C(1000000000)
#define WANTED (180 * SECOND)   /* what was not given for so long is not asked ahead */
#define LONGEST (60 * SECOND)   /* then a commit is shown, whatever is late */
#define KEPT (900 * SECOND)     /* an answer of a commit before is not given after so long */
#define QUIET_EVERY (600 * SECOND)
#define MANY 128                /* for one commit, beside the pages' own */

/* What is asked for: of the commit that will be shown next, or, while none is prepared, of that which is. */
static const struct shown *target(const struct server *s) { return s->ahead.going ? &s->next : &s->shown; }
static uint64_t target_generation(const struct server *s) { return s->commits + (s->ahead.going ? 1 : 0); }

static void show(struct server *s, int64_t now)
{
	int64_t took = s->ahead.going ? now - s->ahead.since : 0;
	/* What was said of no rows, not even that they are real, is no answer once there are some. */
	bool first = !s->shown.as_of && s->next.as_of;
	s->shown = s->next;
	s->commits++;
	s->news++;
	/* While a store fills, half of the time at the most goes to it. */
	s->ahead = (struct ahead){ .rest = now + took, .asking = s->ahead.asking, .late = s->ahead.late };
	results_forget(&s->results, s->commits, first ? INT64_MAX : now - KEPT);
	stream_event(s);
}

/* Asks for it at the newest commit; false: it is there, is asked for already, or cannot be. */
static bool ask(struct server *s, const struct values *values, const struct result *old, bool standing,
                int64_t now)
{
	bool is_new;
	asks_write(&s->message, values, NULL, target(s)->simulated);
	struct result *r = NULL;
	if (!s->message.failed)
		r = results_find(&s->results, &s->message, target_generation(s), now, &is_new);
	if (!r)
		return false;
	r->standing |= standing;
	if (is_new) {
		asks_describe(s, r, values, target(s));
		r->used = old ? old->used : now - WANTED;
		r->given = old ? old->given / 2 : 0;
	}
	s->ahead.asking = r->state == RESULT_WAITING ? r->id : 0;
	s->counters.ahead += is_new;
	results_drop(r);
	return s->ahead.asking != 0;
}

/* ---- The pages' own ---- */
static bool is_due(const struct server *s, const struct result *r, int64_t now)
{
	if (r && (r->generation >= target_generation(s) || r->state == RESULT_WAITING))
		return false;
	return !r || !r->as_of || now - s->asked < WANTED || now - r->since > QUIET_EVERY;
}

static bool ask_standing(struct server *s, int64_t now)
{
	struct values v;
	struct error ignored;
	for (; s->ahead.standing < n_standing; s->ahead.standing++) {
		if (standing_values(s->ahead.standing, target(s)->as_of, &v, &ignored))
			continue;
		const struct result *old = results_of(&s->results, &v, target_generation(s));
		if (is_due(s, old, now) && ask(s, &v, old, true, now)) {
			s->ahead.standing++;
			return true;
		}
	}
	s->warm |= target(s)->as_of != 0; /* of a store without rows next to nothing can be asked */
	return false;
}

bool ahead_ready(const struct server *s) { return s->warm || !s->shown.as_of; }

/* ---- What was asked for ---- */
/* The result of a commit before that was given most often and is not asked for again yet; of a commit that is shown already
 * those alone that were given although they are old. */
static struct result *most_wanted(const struct server *s, int64_t now)
{
	uint64_t generation = target_generation(s);
	struct result *most = NULL;
	for (struct result *r = s->results.first; r; r = r->next)
		if (r->state == RESULT_READY && r->renewed != generation && r->values.resource && r->generation < generation &&
		    now - r->used < WANTED && (s->ahead.going || r->overdue) && (!most || r->given > most->given))
			most = r;
	return most;
}

static bool ask_wanted(struct server *s, int64_t now)
{
	struct result *old;
	struct error ignored;
	while (s->ahead.n < MANY && (old = most_wanted(s, now))) {
		struct values values = old->values;
		old->renewed = target_generation(s);
		s->ahead.n++;
		/* Its span may make no sense any more. */
		if (!values_end(&values, target(s)->as_of, &ignored) && ask(s, &values, old, old->standing, now))
			return true;
	}
	return false;
}

/* ---- Steps ---- */
void ahead_told(struct server *s, const struct shown *told)
{
	s->told = *told;
	ahead_step(s);
}

/* All that was late is there: whoever was given something old hears that there is more. */
static void catch_up(struct server *s)
{
	if (!s->ahead.late)
		return;
	s->ahead.late = false;
	s->news++;
	stream_event(s);
}

static void begin(struct server *s, int64_t now)
{
	struct ahead *a = &s->ahead;
	s->next = s->told;
	*a = (struct ahead){ .going = true, .since = now, .asking = a->asking, .late = a->late };
}

void ahead_step(struct server *s)
{
	struct ahead *a = &s->ahead;
	int64_t now = s->env->monotonic(s->env);
	if (!s->reader[0])
		return;
	if (!a->going && (!s->commits || strcmp(s->told.commit, s->shown.commit) != 0) && (now >= a->rest || !s->shown.as_of))
		begin(s, now);
	if (!s->commits) { /* nothing is shown yet: what comes first is */
		show(s, now);
	} else if (a->going && now - a->since >= LONGEST) {
		a->late = true;
		show(s, now);
	}
	if (a->asking && results_by_id(&s->results, a->asking))
		return;
	a->asking = 0;
	if (ask_standing(s, now) || ask_wanted(s, now))
		return;
	if (a->going)
		show(s, now);
	else
		catch_up(s);
}
