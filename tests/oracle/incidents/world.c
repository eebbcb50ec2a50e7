/* Who asks for what while nothing happens: counts of networks by key, and what is drawn of them. */
#include "incidents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Parameters ---- */
static bool take(struct params *p, const char *key, double value)
{
#define X(name, v, text) if (!strcmp(key, #name)) { p->name = value; return true; }
	PARAMS(X)
#undef X
	return false;
}

void params_read(struct params *p, const char *path)
{
	char line[256], key[64];
	double value;
#define X(name, v, text) p->name = v;
	PARAMS(X)
#undef X
	FILE *f = path && *path ? fopen(path, "r") : NULL;
	if (path && *path && !f) {
		fprintf(stderr, "incidents: %s cannot be read\n", path);
		exit(2);
	}
	while (f && fgets(line, sizeof line, f)) {
		if (line[strspn(line, " \t\n")] == '#' || !line[strspn(line, " \t\n")])
			continue;
		if (sscanf(line, " %63[a-z_] = %lf", key, &value) != 2 || !take(p, key, value)) {
			fprintf(stderr, "incidents: not a parameter: %s", line);
			exit(2);
		}
	}
	if (f)
		fclose(f);
}

/* ---- Random numbers: SplitMix64 (public domain) ---- */
uint64_t hash64(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t draw(struct random *r) { return hash64(r->s += 0x9e3779b97f4a7c15u); }
double uniform(struct random *r) { return ((double)(draw(r) >> 11) + 0.5) * 0x1p-53; }
double between(struct random *r, double least, double most) { return least * pow(most / least, uniform(r)); }

double normal(struct random *r)
{
	double a = uniform(r);
	return sqrt(-2 * log(a)) * cos(6.283185307179586 * uniform(r));
}

uint32_t poisson(struct random *r, double mean)
{
	uint32_t n = 0;
	for (; mean > 60; mean /= 2) /* halves are independent; the second one waits its turn */
		n += poisson(r, mean / 2);
	if (mean <= 0)
		return n;
	double p = exp(-mean), u = uniform(r);
	uint32_t k = 0;
	for (double sum = p; u > sum && k < 400; sum += p)
		p *= mean / ++k;
	return n + k;
}

/* ---- Series ---- */
static struct series *add(struct world *w, uint8_t family, uint32_t id, double packets, double pool)
{
	struct series *s = &w->series[w->n_series++];
	struct random *r = &w->random;
	*s = (struct series){ .key = { family, family == WARNING_PORT ? 6 : 0, id }, .pool = pool };
	s->mean = pool * -expm1(-packets / pool);
	s->human = uniform(r);
	s->amplitude = w->p.season * s->human;
	s->weekend = w->p.weekend * s->human;
	s->phase = uniform(r) * 24;
	s->trend = w->p.trend * (2 * uniform(r) - 1);
	s->sd = family == WARNING_COUNTRY ? w->p.drift_country : w->p.drift;
	s->dispersion = w->p.dispersion;
	s->level = s->sd * normal(r);
	return s;
}

/* Accesses an hour of all addresses, at so many a day and address. */
static double hourly(const struct world *w, double daily) { return daily * w->p.rate_scale * w->addresses / 24; }

static void add_ports(struct world *w)
{
	/* DEFINITIONS 8: February 2021; a Windows sends three SYNs for an attempt, a Linux four. */
	static const struct { uint16_t port; double daily; } known[] = { { 445, 169 }, { 1433, 42.6 }, { 22, 28.5 }, { 3389, 30 },
		{ 23, 293 }, { 2323, 33 }, { 80, 60 }, { 443, 50 }, { 8080, 40 }, { 5555, 25 } };
	w->of_port = malloc(65536 * sizeof *w->of_port);
	memset(w->of_port, 255, 65536 * sizeof *w->of_port);
	for (uint32_t i = 0; i < (uint32_t)w->p.heads; i++) {
		bool named = i < sizeof known / sizeof *known;
		uint16_t port = named ? known[i].port : (uint16_t)(1 + draw(&w->random) % 20000);
		if (w->of_port[port] >= 0)
			continue;
		w->of_port[port] = (int32_t)w->n_series;
		add(w, WARNING_PORT, port, hourly(w, named ? known[i].daily : between(&w->random, 0.3, 20)), 3000);
	}
}

static void add_tail(struct world *w)
{
	w->first_rare = w->n_series;
	for (uint32_t i = 0; i < (uint32_t)w->p.tail; i++) {
		uint16_t port = (uint16_t)(draw(&w->random) & 65535);
		if (w->of_port[port] >= 0)
			continue;
		w->of_port[port] = (int32_t)w->n_series;
		struct series *s = add(w, WARNING_PORT, port, hourly(w, 3000.0 / 65536 * between(&w->random, 0.3, 3)), 60);
		s->rare = true;
		s->amplitude = s->weekend = 0;
		s->human = 0;
	}
}

void world_open(struct world *w, uint64_t seed, uint32_t addresses, uint32_t steps, const struct params *p)
{
	double all = 0;
	*w = (struct world){ .p = *p, .seed = seed, .addresses = addresses, .steps = steps, .random = { hash64(seed) } };
	w->series = calloc((size_t)(p->heads + p->tail + p->countries + p->clusters + 32) + SPARE, sizeof *w->series);
	add_ports(w);
	double total = 20000 * -expm1(-hourly(w, 6000) / 20000);
	for (uint32_t i = 0; i < (uint32_t)p->countries; i++)
		all += 1.0 / (i + 2);
	w->first_country = w->n_series;
	for (uint32_t i = 0; i < (uint32_t)p->countries; i++)
		add(w, WARNING_COUNTRY, WARNING_COUNTRY('A' + i / 26, 'A' + i % 26), total / all / (i + 2), 20000 / all / (i + 2));
	w->first_tool = w->n_series;
	for (uint32_t i = 1; i <= 8; i++)
		add(w, WARNING_TOOL, i, hourly(w, 600.0 / i), 3000.0 / i);
	w->sweep = w->n_series;
	add(w, WARNING_SWEEP, 0, 2 + 60 * -expm1(-(double)addresses / 1000), 1000);
	w->first_cluster = w->n_series;
	for (uint32_t i = 1; i <= (uint32_t)p->clusters; i++)
		add(w, WARNING_PAYLOAD, i, hourly(w, between(&w->random, 0.05, 30)), 1000);
	w->spare = w->n_series;
	for (uint32_t i = 0; i < SPARE; i++)
		add(w, WARNING_PAYLOAD, 100000 + i, 0, 1)->now = 0;
	add_tail(w);
}

void world_close(struct world *w)
{
	free(w->series);
	free(w->of_port);
	free(w->incident);
}

uint32_t minute_of(const struct world *w, uint32_t step) { (void)w; return YEAR_BEGINS + step * STEP; }

static bool is_holiday(uint32_t step)
{
	uint32_t day = step / (24 * STEPS_HOUR) % 366;
	return day >= 363 || day < 3;
}

/* What holds for this hour. */
static void turn(struct world *w, struct series *s, uint32_t hour)
{
	double local = hour + s->phase, at = log(s->mean) + s->trend * hour / 8766;
	uint32_t weekday = ((uint32_t)(local / 24) + 3) % 7; /* 2020-01-01 was a Wednesday */
	if (hour % 24 == 0)
		s->level = 0.8 * s->level + 0.6 * s->sd * normal(&w->random);
	if (!s->rare)
		s->noise = sqrt(s->dispersion) * normal(&w->random) - s->dispersion / 2;
	at += s->level + s->noise + s->amplitude * cos(6.283185307179586 * local / 24);
	at += log1p(-(weekday >= 5 ? s->weekend : 0));
	at += s->rare || s->key.family == WARNING_SWEEP ? w->common : 0;
	at += is_holiday(hour * STEPS_HOUR) ? -0.35 * s->human : 0;
	s->now = exp(at);
}

static void draw_series(struct world *w, uint32_t i, bool hour)
{
	struct series *s = &w->series[i];
	uint32_t in_hour = w->now % STEPS_HOUR;
	if (hour)
		s->hour = 0;
	if (hour && s->mean > 0)
		turn(w, s, w->now / STEPS_HOUR);
	s->step = s->packets = 0;
	if (s->mean <= 0)
		return;
	if (s->rare && i % STEPS_HOUR == in_hour)
		s->step = poisson(&w->random, s->now * w->hour_exposure);
	else if (!s->rare)
		s->step = poisson(&w->random, s->now * w->exposure / STEPS_HOUR);
	s->hour += s->step;
	s->packets = s->step;
	if (s->step)
		warning_total(w->warning, s->key, s->step);
	w->totals += s->step != 0;
}

void incidents_step(struct world *w);
double incidents_exposure(const struct world *w, uint32_t step);

void world_step(struct world *w)
{
	bool hour = w->now % STEPS_HOUR == 0;
	if (w->now % (24 * STEPS_HOUR) == 0)
		w->common = 0.8 * w->common + 0.6 * w->p.drift * normal(&w->random);
	w->exposure = incidents_exposure(w, w->now);
	if (hour) {
		w->hour_exposure = 0;
		for (uint32_t i = 0; i < STEPS_HOUR; i++)
			w->hour_exposure += incidents_exposure(w, w->now + i) / STEPS_HOUR;
	}
	w->holiday = w->p.holiday_known && is_holiday(w->now);
	for (uint32_t i = 0; i < w->n_series; i++)
		draw_series(w, i, hour);
	incidents_step(w);
}
