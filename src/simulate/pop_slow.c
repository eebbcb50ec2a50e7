/* Slow scanners: each source asks one port, an address now and then, below what any session rule holds together
 * (DEFINITIONS 5). Headers are those of nmap and of plain kernels. */
#include "simulate/forms.h"
#include "simulate/populations.h"
#include "simulate/stream.h"

enum { DAILY, SOURCES, PORTS };

static const struct param params[] = {
	{ "slow.daily", PARAM_NUMBER, "150", "probes a day and address, of all of them [A]" },
	{ "slow.sources", PARAM_NUMBER, "50000", "sources [A]" },
	{ "slow.ports", PARAM_PORTS, "80:5 8080:5 81:3 8000:3 5900:3 8888:3 3306:2 5432:2 6379:2 9200:2 11211:1 49152:1",
	  "port:weight; each source keeps to one [A]" },
};

static void packet(struct sim *s, struct actor *a, const struct param_value *v, int64_t ts)
{
	uint64_t who = mix64(sim_seed(s) ^ 0x736c6f77 ^ rng_below(&a->rng, param_whole(&v[SOURCES]) + 1));
	struct sim_packet k = sim_tcp(ts, sim_source(s, who, NULL), sim_target(s, rng_below(&a->rng, sim_world(s)->n4)));
	k.dport = (uint16_t)param_draw(&v[PORTS], mix64(who))->at;
	form_syn(&k, who % 4 ? FORM_LINUX : FORM_NMAP, &a->rng, who);
	sim_emit(s, a, &k);
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	stream_begin(s, p, 0, "slow_scan", sim_wait_daily(v[DAILY].micro, sim_world(s)->n4), v, packet);
}

const struct population population_slow = { "slow", params, sizeof params / sizeof *params, start };
