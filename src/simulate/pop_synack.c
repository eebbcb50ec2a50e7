/* Scanners that send SYN-ACKs, to pass filters that know no state: a few ports over many addresses, from one source port or
 * a random one (DEFINITIONS 1: not victims). Rates are assumptions; ZMap has a module for it (captured: zmap4_*). */
#include "simulate/populations.h"
#include "simulate/spawner.h"

enum { DAILY, RATE_LEAST, RATE_MOST, DURATION, PORTS, PORTS_MOST };

static const struct param params[] = {
	{ "synack.daily", PARAM_NUMBER, "20", "scans with SYN-ACKs begun a day on the Internet [A]" },
	{ "synack.rate_least", PARAM_NUMBER, "100", "packets a second over the Internet, log-uniform from … [A]" },
	{ "synack.rate_most", PARAM_NUMBER, "100000", "… to [A]" },
	{ "synack.duration", PARAM_NUMBER, "3600", "s on average [A]" },
	{ "synack.ports", PARAM_PORTS, "80:30 443:30 22:10 3389:10 8080:10 445:10",
	  "port:weight of half the ports that are scanned; the others are any [A]" },
	{ "synack.ports_most", PARAM_NUMBER, "3", "ports that one scans, at most [A]" },
};

#define IN_ORDER_MOST 4096 /* addresses of ours, where they come one after the other */

struct scan {
	const struct param_value *ports;
	uint64_t wait, key, at;
	int64_t ends;
	uint32_t source, n_ports;
	uint16_t sport; /* 0: another each time */
	bool in_order;
};
STATE_FITS(struct scan);

static uint16_t scanned_port(const struct scan *w, uint64_t number)
{
	uint64_t random = mix64(w->key ^ number);
	return random & 1 ? (uint16_t)param_draw(w->ports, mix64(random))->at : (uint16_t)(1 + (random >> 8) % 65535);
}

static void probe(struct sim *s, struct actor *a, struct scan *w, int64_t ts)
{
	uint64_t n4 = sim_world(s)->n4, random = rng_next(&a->rng);
	uint64_t target = w->in_order ? (w->key + w->at++) % n4 : rng_below(&a->rng, n4);
	struct sim_packet k = sim_tcp(ts, w->source, sim_target(s, target));
	k.sport = w->sport ? w->sport : (uint16_t)(32768 + (random >> 16) % 28232);
	k.dport = scanned_port(w, rng_below(&a->rng, w->n_ports));
	k.tcp_flags = TCP_SYN | TCP_ACK;
	k.seq = (uint32_t)random;
	k.ack = (uint32_t)(random >> 32);
	k.window = 65535;
	k.options = w->key & 2 ? OPTIONS_MSS : OPTIONS_NONE;
	k.id = w->key & 4 ? 54321 : (uint16_t)rng_u32(&a->rng);
	k.ttl = (uint8_t)((w->key & 4 ? 255 : 64) - sim_hops(w->source));
	k.class = CLASS_BACKSCATTER;
	k.victim = VICTIM_SOURCE;
	sim_emit(s, a, &k);
}

static void run_scan(struct sim *s, struct actor *a, int64_t end)
{
	struct scan *w = (struct scan *)a->state;
	while (a->next < end && a->next < w->ends) {
		probe(s, a, w, a->next);
		a->next += rng_wait(&a->rng, w->wait);
	}
	if (a->next >= w->ends)
		a->next = NEVER;
}

/* In order: a stretch of our addresses at the scanner's own rate. Else spread over its time. */
static void draw_pace(struct sim *s, struct rng *r, const struct param_value *v, struct scan *w, int64_t start)
{
	uint64_t rate = rng_log_uniform(r, param_whole(&v[RATE_LEAST]) + 1, param_whole(&v[RATE_MOST]) + 1);
	uint64_t n4 = sim_world(s)->n4, some = n4 < IN_ORDER_MOST ? n4 : IN_ORDER_MOST;
	uint64_t seconds = (uint64_t)rng_wait(r, ((param_whole(&v[DURATION]) + 1) * (uint64_t)SECOND) << 8) / (uint64_t)SECOND;
	w->in_order = w->key & 1;
	w->wait = w->in_order ? SECOND * 256 / rate : sim_wait_spread(s, rate);
	w->ends = start + (w->in_order ? (int64_t)(some * (uint64_t)SECOND / rate) + 1 : (int64_t)seconds * SECOND + 1);
}

static void scan_begin(struct sim *s, struct actor *of, const struct param_value *v, uint64_t ordinal)
{
	struct rng *r = &of->rng;
	struct actor *a = actor_begin(s, of->of, ordinal, run_scan, of->next);
	if (!a)
		return;
	struct scan *w = (struct scan *)a->state;
	w->key = rng_next(r);
	draw_pace(s, r, v, w, of->next);
	w->ports = &v[PORTS];
	w->n_ports = 1 + (uint32_t)rng_below(r, param_whole(&v[PORTS_MOST]) | !param_whole(&v[PORTS_MOST]));
	w->source = sim_source(s, mix64(w->key), NULL);
	uint64_t from = rng_below(r, 3);
	w->sport = from == 2 ? 0 : from ? (uint16_t)(32768 + (w->key >> 16) % 28232) : 80;
	a->kind = "synack_scan";
	a->incident = ordinal;
	a->ends = w->ends;
	a->who = w->source;
	a->proto = PROTO_TCP;
	a->port = w->n_ports == 1 ? scanned_port(w, 0) : 0;
	a->n_ports = w->n_ports;
	a->how = w->in_order ? "in order" : "at random";
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	spawner_start(s, p, v, sim_wait_daily(v[DAILY].micro, sim_world(s)->n4 ? 1 : 0), sim_world(s)->from, scan_begin);
}

const struct population population_synack = { "synack", params, sizeof params / sizeof *params, start };
