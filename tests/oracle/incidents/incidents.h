/* A simulated telescope as early warning sees it, for months: how many networks ask for each key in each ten minutes, without
 * a packet. Backgrounds are drawn as counts, incidents as rows of sources with all that is known of them; both are what
 * sealed windows give. docs/decisions/warning.md says what is drawn how. */
#pragma once
#include "detect/warning.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define STEP 10           /* minutes */
#define STEPS_HOUR 6
#define SPARE 512         /* payloads that nobody has sent yet */
#define YEAR_BEGINS 26297280u /* 2020-01-01T00:00Z, minutes since 1970 */

/* ---- Parameters ---- */
#define PARAMS(X) \
	X(rate_scale, 1.0, "packets a day and address, times those of DEFINITIONS 8") \
	X(heads, 200, "ports that are asked for often") \
	X(tail, 4096, "of the other 65,336 TCP ports, how many are simulated") \
	X(drift, 0.06, "sd of a key's level from day to day (its logarithm, AR(1) with 0.8)") \
	X(drift_country, 0.03, "the same of a country, which adds up many") \
	X(dispersion, 0.02, "variance of an hour's level beyond Poisson, relative") \
	X(trend, 0.3, "a year's change of a level, at most, its logarithm") \
	X(season, 0.35, "amplitude of the day, at most") \
	X(weekend, 0.15, "how much less on weekends, at most") \
	X(clusters, 60, "payloads that are known") \
	X(countries, 40, "countries") \
	X(nuisance, 3.0, "a day: two or three networks ask for one rare port for some hours") \
	X(incidents, 6, "of each kind in twelve months") \
	X(size_least, 3.0, "size, multiples of the Poisson-detectable minimum: from …") \
	X(size_most, 10.0, "… to (uniform in the logarithm)") \
	X(growth_worm, 150, "minutes in which a worm doubles, from half of it to twice") \
	X(growth_slow, 60, "hours in which a slow worm doubles, from half to twice") \
	X(threshold, 0, "bits on top of the bound's threshold") \
	X(holiday_known, 1, "the holiday file knows the turn of the year")

struct params {
#define X(name, value, text) double name;
	PARAMS(X)
#undef X
};
void params_read(struct params *p, const char *path); /* NULL: defaults */

/* ---- Random numbers ---- */
struct random {
	uint64_t s;
};
uint64_t hash64(uint64_t x);
uint64_t draw(struct random *r);
double uniform(struct random *r);
double between(struct random *r, double least, double most); /* uniform in the logarithm */
double normal(struct random *r);
uint32_t poisson(struct random *r, double mean);

/* ---- Backgrounds ---- */
struct series {
	struct warning_key key;
	double mean;      /* networks an hour */
	double pool;      /* networks there are */
	double amplitude, phase, weekend, trend, sd, human;
	double dispersion;
	double level, noise;  /* of the day, of the hour: logarithms */
	bool rare;        /* drawn once an hour */
	double now;       /* mean of an hour, as it is now */
	uint32_t step, hour; /* networks of this step, of this hour */
	uint32_t packets;
};

enum kind { WORM, SLOW, COORDINATED, PAYLOAD, SWEEP, COUNTRY, RETURN, OUTAGE, SWAP, BACKSCATTER, LOUD, DECOYS, RESEARCH, NEW_YEAR,
            KINDS };
#define RAISED 7 /* kinds that must be raised */
extern const char *const kind_names[KINDS];

struct incident {
	enum kind kind;
	uint32_t onset, end;  /* steps from the beginning */
	uint32_t series;      /* index of its main key */
	struct warning_key key[3];
	uint32_t keys;
	uint16_t port[3];
	uint32_t ports;
	uint8_t tool;
	uint32_t payload;
	uint16_t country;
	double rate;          /* networks an hour on its main key when it is greatest */
	double multiple;
	double doubling;      /* hours; 0: at once */
	uint32_t pool, base;  /* networks: base + 0 … pool - 1 */
	uint32_t reach;       /* addresses, 0: all */
	uint32_t raised;      /* step, + 1 */
	uint32_t again;       /* events after the first */
	double oracle, oracle_now; /* bits of a CUSUM that knows it, until this hour and now; in this hour: */
	double oracle_x, oracle_mean, oracle_other;
	uint32_t oracle_at;   /* step, + 1 */
	uint32_t resembled;
};

struct world {
	struct params p;
	uint64_t seed;
	uint32_t addresses, steps, now;
	struct random random;
	struct series *series;
	uint32_t n_series, first_country, first_tool, first_cluster, sweep, spare, first_rare;
	int32_t *of_port;         /* series of a TCP port, -1 */
	struct incident *incident;
	uint32_t n_incidents, n_payloads;
	double exposure, hour_exposure; /* of this step; of this hour */
	struct random events;     /* of incidents: so that they do not change what is drawn beside them */
	bool holiday;
	double common;            /* log level of what sweeps */
	struct warning *warning;
	uint64_t rows, totals;
};

void world_open(struct world *w, uint64_t seed, uint32_t addresses, uint32_t steps, const struct params *p);
void world_close(struct world *w);
void world_plan(struct world *w); /* incidents */
/* Draws this step's counts and gives them and the incidents' rows to w->warning. */
void world_step(struct world *w);
/* Networks an hour that an incident adds to its main key at a step. */
double incident_rate(const struct incident *i, uint32_t step);
uint32_t minute_of(const struct world *w, uint32_t step);

/* ---- Rivals: the rules to beat (DEFINITIONS 7), each a score of a key's step; an alarm is one above a threshold ---- */
enum rival { SIGMA, EWMA, GREYNOISE, CHANGEFINDER, RIVALS };
extern const char *const rival_names[RIVALS];
struct rivals;
struct rivals *rivals_open(uint32_t n_series);
void rivals_close(struct rivals *r);
/* Scores of a series at the end of a step; -INFINITY where a rule does not look. */
void rivals_step(struct rivals *r, uint32_t i, const struct series *s, uint32_t step, double score[RIVALS]);

/* ChangeFinder as NICT runs it (DEFINITIONS 7). */
struct changefinder {
	struct sdar {
		double mu, c[3], sigma;
		double x[2];
		uint32_t n;
	} first, second;
	double recent[10], smoothed[5];
	uint32_t n;
};
double changefinder(struct changefinder *c, double x);
