/* The rules to beat, on the same counts of networks: DEFINITIONS 7. */
#include "incidents.h"

#include <stdlib.h>
#include <string.h>

#define DAYS 366

const char *const rival_names[RIVALS] = { "3-sigma", "EWMA", "GreyNoise", "ChangeFinder" };

struct rival_state {
	double mean, square, smooth; /* of hours, over 28 days */
	double days[DAYS];           /* sorted: all of them; … */
	float last[28];              /* and the last 28 */
	uint32_t n_days, n_hours, today;
	struct changefinder find;
};

struct rivals {
	struct rival_state *state;
};

struct rivals *rivals_open(uint32_t n)
{
	struct rivals *r = malloc(sizeof *r);
	r->state = calloc(n, sizeof *r->state);
	return r;
}

void rivals_close(struct rivals *r)
{
	free(r->state);
	free(r);
}

/* ---- ChangeFinder: SDAR, order 2 ---- */
static double sdar(struct sdar *s, double x)
{
	const double r = 0.005;
	if (s->n < 2) {
		/* What has too short a past has no score. */
		s->x[1] = s->x[0];
		s->x[0] = x;
		s->n++;
		return 0;
	}
	s->mu = (1 - r) * s->mu + r * x;
	s->c[0] = (1 - r) * s->c[0] + r * (x - s->mu) * (x - s->mu);
	s->c[1] = (1 - r) * s->c[1] + r * (x - s->mu) * (s->x[0] - s->mu);
	s->c[2] = (1 - r) * s->c[2] + r * (x - s->mu) * (s->x[1] - s->mu);
	/* Yule and Walker's equations of two unknowns: [c0 c1; c1 c0] w = [c1 c2]; singular: the least solution. */
	double det = s->c[0] * s->c[0] - s->c[1] * s->c[1], w1, w2;
	if (fabs(det) > 1e-15 * s->c[0] * s->c[0]) {
		w1 = s->c[1] * (s->c[0] - s->c[2]) / det;
		w2 = (s->c[0] * s->c[2] - s->c[1] * s->c[1]) / det;
	} else {
		double sign = s->c[1] < 0 ? -1 : 1, sum = s->c[0] + fabs(s->c[1]);
		w1 = sum > 0 ? (s->c[1] + sign * s->c[2]) / 2 / sum : 0;
		w2 = sign * w1;
	}
	double guess = s->mu + w1 * (s->x[0] - s->mu) + w2 * (s->x[1] - s->mu);
	s->sigma = (1 - r) * s->sigma + r * (x - guess) * (x - guess);
	s->x[1] = s->x[0];
	s->x[0] = x;
	if (s->sigma <= 0)
		return 0;
	return 0.5 * (log(6.283185307179586 * s->sigma) + (x - guess) * (x - guess) / s->sigma);
}

static double mean_of(double *ring, uint32_t size, uint32_t n, double x)
{
	double sum = 0;
	ring[n % size] = x;
	uint32_t have = n + 1 < size ? n + 1 : size;
	for (uint32_t i = 0; i < have; i++)
		sum += ring[i];
	return sum / have;
}

double changefinder(struct changefinder *c, double x)
{
	double smooth = mean_of(c->recent, 10, c->n, sdar(&c->first, x));
	double score = mean_of(c->smoothed, 5, c->n, sdar(&c->second, smooth));
	return c->n++ < 15 ? -INFINITY : score;
}

/* ---- GreyNoise: a day's sources ---- */
static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double greynoise(struct rival_state *s)
{
	double x = s->today, score = -INFINITY, mean = 0, square = 0;
	if (s->n_days >= 28) {
		double median = s->days[s->n_days / 2], iqr = s->days[s->n_days * 3 / 4] - s->days[s->n_days / 4];
		for (int i = 0; i < 28; i++)
			mean += s->last[i] / 28.0;
		for (int i = 0; i < 28; i++)
			square += (s->last[i] - mean) * (s->last[i] - mean) / 28;
		double a = (x - median) / (iqr > 1 ? iqr : 1), b = (x - mean) / (square > 1 ? sqrt(square) : 1);
		score = a < b ? a : b;
	}
	s->last[s->n_days % 28] = (float)x;
	if (s->n_days < DAYS) {
		s->days[s->n_days++] = x;
		qsort(s->days, s->n_days, sizeof *s->days, compare);
	}
	s->today = 0;
	return score;
}

static void hourly(struct rival_state *s, double x, double score[RIVALS])
{
	const double r = 1.0 / 672, fast = 0.2;
	double variance = s->square - s->mean * s->mean, least = s->mean > 1 ? s->mean : 1;
	variance = variance > least ? variance : least;
	s->smooth = (1 - fast) * s->smooth + fast * x;
	if (s->n_hours >= 168) {
		score[SIGMA] = (x - s->mean) / sqrt(variance);
		score[EWMA] = (s->smooth - s->mean) / sqrt(variance * fast / (2 - fast));
	}
	double rate = s->n_hours < 672 ? 1.0 / (s->n_hours + 1) : r;
	s->mean += rate * (x - s->mean);
	s->square += rate * (x * x - s->square);
	s->n_hours++;
}

void rivals_step(struct rivals *r, uint32_t i, const struct series *s, uint32_t step, double score[RIVALS])
{
	struct rival_state *t = &r->state[i];
	for (int k = 0; k < RIVALS; k++)
		score[k] = -INFINITY;
	bool hour = step % STEPS_HOUR == STEPS_HOUR - 1;
	if (!s->rare)
		score[CHANGEFINDER] = changefinder(&t->find, s->step);
	else if (hour)
		score[CHANGEFINDER] = changefinder(&t->find, s->hour);
	if (!hour)
		return;
	hourly(t, s->hour, score);
	t->today += s->hour;
	if (step % (24 * STEPS_HOUR) == 24 * STEPS_HOUR - 1)
		score[GREYNOISE] = greynoise(t);
}
