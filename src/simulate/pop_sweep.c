/* Research and commercial sweeps: few addresses with names that scan all of IPv4, one port or many, again and again.
 * Durumeric, Bailey, Halderman, "An Internet-Wide View of Internet-Wide Scanning", USENIX Security 2014: most probes come
 * from few large scans; that ZMap covers the Internet in 45 minutes at 1.4 million packets a second, ibid. 2013. How many
 * ports and how fast is an assumption that brings a day's accesses near 2019's (DEFINITIONS 8). */
#include "simulate/populations.h"
#include "simulate/spawner.h"
#include "simulate/sweep.h"

enum { DAILY, FORMS, PORTS, PORTS_MOST, RATE_LEAST, RATE_MOST, UDP, ICMP, SCANNERS, PAST };

static const struct param params[] = {
	{ "sweep.daily", PARAM_NUMBER, "450", "sweeps begun a day on the Internet [A]" },
	{ "sweep.forms", PARAM_PORTS, "0:25 1:10 2:3 3:1 4:2 5:40 6:10 7:1",
	  "form:weight: 0 zmap < 4.1, 1-4 zmap >= 4.1 (windows, linux, bsd, smallest), 5 masscan 1.3.2, 6 1.3.9, 7 nmap [A]" },
	{ "sweep.ports", PARAM_PORTS, "80:10 443:10 22:8 8080:6 3389:5 21:4 25:4 23:4 5900:3 6379:3 9200:2 27017:2 8443:3",
	  "port:weight of those that sweep one [A]" },
	{ "sweep.ports_most", PARAM_NUMBER, "1000",
	  "most ports of a sweep; half of them have 1, the others log-uniform, as many as it can ask in sweep.past [A]" },
	{ "sweep.rate_least", PARAM_NUMBER, "20000", "probes a second over the Internet, log-uniform from … [A]" },
	{ "sweep.rate_most", PARAM_NUMBER, "1400000", "… to [P zmap 2013]" },
	{ "sweep.udp", PARAM_NUMBER, "0.08", "share that asks UDP 53 [A]" },
	{ "sweep.icmp", PARAM_NUMBER, "0.05", "share that pings [A]" },
	{ "sweep.scanners", PARAM_NUMBER, "40", "organisations, 1 to 16 neighbouring addresses each [A]" },
	{ "sweep.past", PARAM_NUMBER, "3",
	  "days that sweeps of several ports last at most, and those under way began before; 0: no bound, none [A]" },
};

/* Who it is tells the addresses and the tool: each keeps to one. */
static void draw_source(struct sim *s, const struct param_value *v, struct rng *r, struct sweep_plan *p)
{
	uint64_t who = mix64(sim_seed(s) ^ 0x7377656570 ^ rng_below(r, param_whole(&v[SCANNERS]) + 1));
	p->form = (enum form)(param_draw(&v[FORMS], mix64(who))->at % FORM_COUNT);
	p->sources = (uint32_t)(1 + (who >> 8) % 16);
	p->source = (sim_source(s, who, NULL) & ~31u) + 1;
	if (sim_monitored(s, p->source) || sim_monitored(s, p->source + 15))
		p->source = 0;
}

/* A sweep that went on for longer than those under way at the beginning have would make the level rise from there on. */
static uint32_t ports_in_time(const struct sim *s, const struct param_value *v, uint64_t ports, uint64_t per_second)
{
	uint64_t seconds = param_whole(&v[PAST]) * 86400, internet = sim_world(s)->internet;
	uint64_t most = (uint64_t)((unsigned __int128)per_second * seconds / internet);
	most = most ? most : 1;
	return (uint32_t)(seconds && ports > most ? most : ports);
}

static void draw(struct sim *s, const struct param_value *v, struct rng *r, struct sweep_plan *p)
{
	uint64_t kind = rng_below(r, 1000000);
	p->key = rng_next(r);
	p->per_second = rng_log_uniform(r, param_whole(&v[RATE_LEAST]) + 1, param_whole(&v[RATE_MOST]) + 1);
	p->kind = kind < (uint64_t)v[UDP].micro                     ? SWEEP_UDP :
	          kind < (uint64_t)(v[UDP].micro + v[ICMP].micro) ? SWEEP_ICMP : SWEEP_TCP;
	uint64_t many = rng_log_uniform(r, 1, param_whole(&v[PORTS_MOST]) + 1);
	p->ports = p->kind != SWEEP_TCP || rng_below(r, 2) ? 1 : ports_in_time(s, v, many, p->per_second);
	p->port = p->kind == SWEEP_UDP ? 53 : (uint16_t)param_draw(&v[PORTS], rng_next(r))->at;
	draw_source(s, v, r, p);
}

static void scan_begin(struct sim *s, struct actor *a, const struct param_value *v, uint64_t ordinal)
{
	struct sweep_plan plan = { .start = a->next };
	draw(s, v, &a->rng, &plan);
	sweep_begin(s, a->of, ordinal, "sweep", &plan);
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	int64_t past = (int64_t)param_whole(&v[PAST]) * 86400 * SECOND;
	uint64_t wait = sim_wait_daily(v[DAILY].micro, sim_world(s)->n4 ? 1 : 0);
	spawner_start(s, p, v, wait, sim_world(s)->from - past, scan_begin);
}

const struct population population_sweep = { "sweep", params, sizeof params / sizeof *params, start };
