/* usage: incidents-run SEED ADDRESSES MONTHS PARAMS null
 *        incidents-run SEED ADDRESSES MONTHS PARAMS incidents THRESHOLD…    (one a rival, as `null` gave them)
 *        incidents-run changefinder < numbers                              (scores, a line each)
 *
 * Months of a simulated telescope through early warning and the rules to beat. Lines, fields separated by tabs:
 *   false   step family id bits needed         a warning that no incident is the cause of, or the second of one
 *   rival   name threshold                     so that as many of its alarms are false as may be (null)
 *   incident kind multiple hours delay again oracle rival… resembled     delays in hours, -1: missed; again: second events
 *   total   rows totals warnings notices
 * tools/incidents makes figures of them. */
#include "incidents.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORACLE_BITS 31.6 /* log2(131072 keys × 6 steps × 4096 hours): the same bound as early warning's */
#define FALSE_A_YEAR 6.0
#define WEEK (7 * 24 * STEPS_HOUR)

struct run {
	struct world world;
	struct rivals *rivals;
	bool null;
	double threshold[RIVALS];
	float *best[RIVALS];     /* of a series and week */
	uint32_t weeks;
	uint32_t (*rival_at)[RIVALS]; /* of an incident: step + 1 */
	uint32_t warnings, notices;
	uint8_t grade[65536]; /* of an event: told so far, + 1 */
};

static bool same_key(const struct warning_key *a, const struct warning_key *b)
{
	return a->family == b->family && a->protocol == b->protocol && a->id == b->id;
}

static bool is_cause(const struct incident *i, const struct warning_event *v)
{
	for (uint32_t k = 0; k < i->keys; k++) {
		if (same_key(&i->key[k], &v->key))
			return true;
		for (uint32_t o = 0; o + 1 < v->keys; o++)
			if (same_key(&i->key[k], &v->also[o]))
				return true;
	}
	return false;
}

static int take_event(void *ctx, const struct warning_event *v, struct error *e)
{
	struct run *r = ctx;
	struct world *w = &r->world;
	(void)e;
	if (r->grade[v->id & 65535] > v->grade)
		return 0;
	r->grade[v->id & 65535] = (uint8_t)(v->grade + 1);
	if (v->grade != WARNING_WARNING) {
		r->notices++;
		return 0;
	}
	r->warnings++;
	for (uint32_t k = 0; k < w->n_incidents; k++) {
		struct incident *i = &w->incident[k];
		if (i->kind >= RAISED || w->now < i->onset || w->now > i->end + STEPS_HOUR || !is_cause(i, v))
			continue;
		i->again += i->raised != 0;
		if (!i->raised) {
			i->raised = w->now + 1;
			i->resembled = v->resembles;
			return 0;
		}
	}
	printf("false\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\n", w->now, v->key.family, v->key.id, v->evidence >> 8, v->needed >> 8,
	       v->expected, v->networks, v->since);
	return 0;
}

static void note_oracle(struct world *w)
{
	for (uint32_t k = 0; k < w->n_incidents; k++) {
		struct incident *i = &w->incident[k];
		double added = incident_rate(i, w->now) * w->exposure / STEPS_HOUR;
		if (i->kind >= RAISED || added <= 0 || i->oracle_at)
			continue;
		/* Negative binomial within each hour: what makes hours differ is not known to it. */
		const struct series *s = &w->series[i->series];
		double level = s->now * exp(-s->noise), a = s->rare || s->mean <= 0 ? 1e6 : 1 / s->dispersion;
		double mean = (level > 1.0 / 168 ? level : 1.0 / 168) * w->exposure / STEPS_HOUR;
		if (w->now % STEPS_HOUR == 0 || w->now == i->onset) {
			i->oracle = i->oracle_now > 0 ? i->oracle_now : 0;
			i->oracle_x = i->oracle_mean = i->oracle_other = 0;
		}
		i->oracle_x += s->step;
		i->oracle_mean += mean;
		i->oracle_other += mean + added;
		double d = log2((a + i->oracle_other) / (a + i->oracle_mean));
		i->oracle_now = i->oracle + i->oracle_x * (log2(i->oracle_other / i->oracle_mean) - d) - a * d;
		if (i->oracle_now >= ORACLE_BITS)
			i->oracle_at = w->now + 1;
	}
}

static bool key_of_series(const struct incident *i, const struct series *s)
{
	for (uint32_t k = 0; k < i->keys; k++)
		if (same_key(&i->key[k], &s->key))
			return true;
	return false;
}

static void note_alarm(struct run *r, uint32_t series, int rival)
{
	struct world *w = &r->world;
	for (uint32_t k = 0; k < w->n_incidents; k++) {
		const struct incident *i = &w->incident[k];
		if (i->kind < RAISED && !r->rival_at[k][rival] && w->now >= i->onset && w->now <= i->end + STEPS_HOUR &&
		    key_of_series(i, &w->series[series]))
			r->rival_at[k][rival] = w->now + 1;
	}
}

static void note_rivals(struct run *r)
{
	struct world *w = &r->world;
	double score[RIVALS];
	bool hour = w->now % STEPS_HOUR == STEPS_HOUR - 1;
	for (uint32_t s = 0; s < w->n_series; s++) {
		if (w->series[s].rare && !hour)
			continue;
		rivals_step(r->rivals, s, &w->series[s], w->now, score);
		if (w->now < 28 * 24 * STEPS_HOUR)
			continue;
		for (int k = 0; k < RIVALS; k++) {
			float *best = r->null ? &r->best[k][s * r->weeks + w->now / WEEK] : NULL;
			if (best && score[k] > *best)
				*best = (float)score[k];
			if (!r->null && score[k] > r->threshold[k])
				note_alarm(r, s, k);
		}
	}
}

struct best {
	float score;
	float weight;
};

static int descending(const void *a, const void *b)
{
	const struct best *x = a, *y = b;
	return x->score > y->score ? -1 : x->score < y->score;
}

static void tell_null(struct run *r)
{
	/* A rare port stands for all that are not simulated, in its false alarms too. */
	const struct world *w = &r->world;
	uint32_t n = w->n_series * r->weeks;
	double may = FALSE_A_YEAR * w->steps / (366.0 * 24 * STEPS_HOUR);
	struct best *all = malloc(n * sizeof *all);
	for (int k = 0; k < RIVALS; k++) {
		double sum = 0;
		uint32_t i = 0;
		for (; i < n; i++)
			all[i] = (struct best){ r->best[k][i], w->series[i / r->weeks].rare ? (float)((65536 - w->p.heads) / w->p.tail) : 1 };
		qsort(all, n, sizeof *all, descending);
		for (i = 0; i + 1 < n && (sum += all[i].weight) <= may; i++)
			;
		printf("rival\t%s\t%.9g\n", rival_names[k], all[i].score);
	}
	free(all);
}

static double hours(uint32_t at, const struct incident *i) { return at ? (at - i->onset) / (double)STEPS_HOUR : -1; }

static void tell_incidents(const struct run *r)
{
	for (uint32_t k = 0; k < r->world.n_incidents; k++) {
		const struct incident *i = &r->world.incident[k];
		if (i->kind >= RAISED) {
			printf("quiet\t%s\t%u\t%u\t%u\t%.1f\n", kind_names[i->kind], i->onset, i->end, i->port[0], i->rate);
			continue;
		}
		printf("incident\t%s\t%.2f\t%.2f\t%.3f\t%u\t%.3f", kind_names[i->kind], i->multiple, (i->end - i->onset) / (double)STEPS_HOUR,
		       hours(i->raised, i), i->again, hours(i->oracle_at, i));
		for (int v = 0; v < RIVALS; v++)
			printf("\t%.3f", hours(r->rival_at[k][v], i));
		printf("\t%u\t%u\t%.2f\t%.2f\t%u\n", i->resembled, i->key[0].id, i->rate, r->world.series[i->series].mean, i->onset);
	}
}

static void fail(const struct error *e)
{
	fprintf(stderr, "incidents: %s\n", e->text);
	exit(1);
}

static void go(struct run *r)
{
	struct world *w = &r->world;
	struct error e;
	struct warning_config config = { .addresses = w->addresses, .others = 4096, .pairs = 1u << 17,
		                         .threshold = (int32_t)w->p.threshold };
	if (warning_open(&w->warning, env_system(), &config, minute_of(w, 0), &e))
		fail(&e);
	r->rivals = rivals_open(w->n_series);
	for (w->now = 0; w->now < w->steps; w->now++) {
		world_step(w);
		struct warning_window window = { minute_of(w, w->now + 1), STEP, (uint32_t)(w->exposure * 65536), w->holiday };
		if (warning_window(w->warning, &window, take_event, r, &e))
			fail(&e);
		note_oracle(w);
		note_rivals(r);
	}
	warning_close(w->warning);
	rivals_close(r->rivals);
}

static int scores(void)
{
	struct changefinder c = { 0 };
	double x;
	while (scanf("%lf", &x) == 1)
		printf("%.12g\n", changefinder(&c, x));
	return 0;
}

int main(int argc, char **argv)
{
	static struct run r;
	struct params p;
	if (argc == 2 && !strcmp(argv[1], "changefinder"))
		return scores();
	if (argc < 6)
		return 2;
	params_read(&p, argv[4]);
	r.null = !strcmp(argv[5], "null");
	uint32_t steps = (uint32_t)(strtod(argv[3], NULL) * 366 / 12) * 24 * STEPS_HOUR;
	world_open(&r.world, strtoull(argv[1], NULL, 10), (uint32_t)strtoul(argv[2], NULL, 10), steps, &p);
	r.weeks = steps / WEEK + 1;
	if (!r.null)
		world_plan(&r.world);
	r.rival_at = calloc(r.world.n_incidents + 1, sizeof *r.rival_at);
	for (int k = 0; k < RIVALS; k++) {
		r.best[k] = malloc((size_t)r.world.n_series * r.weeks * sizeof(float));
		for (uint32_t i = 0; i < r.world.n_series * r.weeks; i++)
			r.best[k][i] = -INFINITY;
		r.threshold[k] = argc > 6 + k ? strtod(argv[6 + k], NULL) : INFINITY;
	}
	go(&r);
	if (r.null)
		tell_null(&r);
	else
		tell_incidents(&r);
	printf("total\t%" PRIu64 "\t%" PRIu64 "\t%u\t%u\n", r.world.rows, r.world.totals, r.warnings, r.notices);
	return 0;
}
