/* Scans split over many sources: one list of targets shared out among hundreds of addresses, each of which sends few
 * probes (Dainotti et al., "Analysis of a /0 Stealth Scan from a Botnet", IMC 2012: 3 million bots, each address once). */
#include "simulate/populations.h"
#include "simulate/spawner.h"
#include "simulate/sweep.h"

enum { DAILY, SOURCES_LEAST, SOURCES_MOST, PORTS, RATE };

static const struct param params[] = {
	{ "split.daily", PARAM_NUMBER, "6", "scans begun a day on the Internet [A]" },
	{ "split.sources_least", PARAM_NUMBER, "64", "sources of one, log-uniform from … [A]" },
	{ "split.sources_most", PARAM_NUMBER, "20000", "… to [A]" },
	{ "split.ports", PARAM_PORTS, "5060:3 5555:3 8291:2 37215:2 52869:2 7547:2 60001:1 2375:1", "port:weight [A]" },
	{ "split.rate", PARAM_NUMBER, "60000", "probes a second over the Internet, of all its sources together [A]" },
};

static void scan_begin(struct sim *s, struct actor *a, const struct param_value *v, uint64_t ordinal)
{
	struct sweep_plan plan = { .start = a->next, .per_second = param_whole(&v[RATE]) + 1, .key = rng_next(&a->rng),
		                   .form = FORM_LINUX, .ports = 1 };
	plan.port = (uint16_t)param_draw(&v[PORTS], rng_next(&a->rng))->at;
	plan.sources = (uint32_t)rng_log_uniform(&a->rng, param_whole(&v[SOURCES_LEAST]) + 1,
	                                         param_whole(&v[SOURCES_MOST]) + 1);
	sweep_begin(s, a->of, ordinal, "split_scan", &plan);
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	spawner_start(s, p, v, sim_wait_daily(v[DAILY].micro, sim_world(s)->n4 ? 1 : 0), sim_world(s)->from, scan_begin);
}

const struct population population_split = { "split", params, sizeof params / sizeof *params, start };
