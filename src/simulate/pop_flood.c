/* Floods and decoys at one of our addresses: hundreds of forged sources with one packet each (captured:
 * hping_synflood_direct), or a scan of all ports that hides among invented sources (captured: nmap_decoy). */
#include "simulate/forms.h"
#include "simulate/populations.h"
#include "simulate/spawner.h"

enum { DAILY, RATE_LEAST, RATE_MOST, DURATION, DECOYS };

static const struct param params[] = {
	{ "flood.daily", PARAM_NUMBER, "0.0002", "begun a day on each address; a third of them are decoys [A]" },
	{ "flood.rate_least", PARAM_NUMBER, "20", "packets a second, log-uniform from … [A]" },
	{ "flood.rate_most", PARAM_NUMBER, "20000", "… to [A]" },
	{ "flood.duration", PARAM_NUMBER, "60", "s on average [A]" },
	{ "flood.decoys", PARAM_NUMBER, "4", "sources that a scan with decoys seems to have [C nmap_decoy]" },
};

struct flood {
	uint64_t wait, key, target, n;
	int64_t ends;
	uint32_t decoys; /* 0: every source once */
	uint16_t port;
};
STATE_FITS(struct flood);

static void flood_packet(struct sim *s, struct actor *a, struct flood *w, int64_t ts)
{
	struct sim_packet k = sim_tcp(ts, sim_forged(s, &a->rng), sim_target(s, w->target));
	k.dport = w->port;
	form_syn(&k, FORM_HPING, &a->rng, w->key);
	k.ttl = (uint8_t)(64 - sim_hops((uint32_t)w->key)); /* one host sends them all */
	k.sport = (uint16_t)(1024 + w->n++ % 64512);
	sim_emit(s, a, &k);
}

/* Every decoy sends what the scanner sends: the same port, one after the other. */
static void decoy_packet(struct sim *s, struct actor *a, struct flood *w, int64_t ts)
{
	uint64_t who = w->n % w->decoys, port = w->n / w->decoys;
	struct sim_packet k = sim_tcp(ts, sim_source(s, mix64(w->key + who), NULL), sim_target(s, w->target));
	k.dport = (uint16_t)(1 + mix64(w->key ^ port) % 1024);
	form_syn(&k, FORM_NMAP, &a->rng, w->key);
	w->n++;
	sim_emit(s, a, &k);
}

static void run_flood(struct sim *s, struct actor *a, int64_t end)
{
	struct flood *w = (struct flood *)a->state;
	while (a->next < end && a->next < w->ends) {
		if (w->decoys)
			decoy_packet(s, a, w, a->next);
		else
			flood_packet(s, a, w, a->next);
		a->next += rng_wait(&a->rng, w->wait);
	}
	if (a->next >= w->ends)
		a->next = NEVER;
}

static void flood_begin(struct sim *s, struct actor *of, const struct param_value *v, uint64_t ordinal)
{
	struct rng *r = &of->rng;
	struct actor *a = actor_begin(s, of->of, ordinal, run_flood, of->next);
	if (!a)
		return;
	struct flood *w = (struct flood *)a->state;
	w->wait = SECOND * 256 / rng_log_uniform(r, param_whole(&v[RATE_LEAST]) + 1, param_whole(&v[RATE_MOST]) + 1);
	w->key = rng_next(r);
	w->target = rng_below(r, sim_world(s)->n4);
	w->ends = of->next + rng_wait(r, ((param_whole(&v[DURATION]) + 1) * (uint64_t)SECOND) << 8);
	w->decoys = rng_below(r, 3) ? 0 : (uint32_t)param_whole(&v[DECOYS]);
	w->port = rng_below(r, 2) ? 80 : (uint16_t)(1 + rng_below(r, 65535));
	a->kind = w->decoys ? "decoys" : "flood";
	a->incident = ordinal;
	a->ends = w->ends;
	a->n_who = w->decoys;
	a->proto = PROTO_TCP;
	a->port = w->decoys ? 0 : w->port;
	a->how = form_names[w->decoys ? FORM_NMAP : FORM_HPING];
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	spawner_start(s, p, v, sim_wait_daily(v[DAILY].micro, sim_world(s)->n4), sim_world(s)->from, flood_begin);
}

const struct population population_flood = { "flood", params, sizeof params / sizeof *params, start };
