/* Self-spreading bots with Mirai's header: each infected device sends SYNs to addresses drawn at random; whom it reaches
 * that is vulnerable is infected too. Antonakakis et al., "Understanding the Mirai Botnet", USENIX Security 2017: 64,500
 * in 20 hours, doubling every 76 minutes, peak 600,000 (DEFINITIONS 8). Header and pace: mirai/bot/scanner.c. The growth is
 * the logistic equation with recovery (SIS), in whole steps of a minute; the probes of all bots together are a Poisson
 * process, whose every packet comes from one of them drawn at random: the same as each drawing for itself. */
#include "simulate/forms.h"
#include "simulate/populations.h"

enum { VULNERABLE, BEGIN, DOUBLING, CURE, RATE, PORTS, LEASE };

static const struct param params[] = {
	{ "bots.vulnerable", PARAM_NUMBER, "120000", "devices that can be infected; 600000 is the peak of 2016 [P]" },
	{ "bots.begin", PARAM_NUMBER, "60000", "infected when the run begins [A]" },
	{ "bots.doubling", PARAM_NUMBER, "76", "minutes for their number to double while few are infected [P]" },
	{ "bots.cure", PARAM_NUMBER, "7", "days until one is cured, on average [A]" },
	{ "bots.rate", PARAM_NUMBER, "128", "SYNs a second of one; 160 in each burst, less what its uplink holds back [S][A]" },
	{ "bots.ports", PARAM_PORTS, "23:9 2323:1", "port:weight [S]" },
	{ "bots.lease", PARAM_NUMBER, "24", "hours that one keeps its address [A]" },
};

#define STEP (60 * SECOND)

struct bots {
	const struct param_value *v;
	uint64_t infected; /* << 16 */
	uint64_t wait;
	int64_t step;      /* when the epidemic goes on */
};
STATE_FITS(struct bots);

static void grow(struct sim *s, struct bots *w)
{
	uint64_t vulnerable = (param_whole(&w->v[VULNERABLE]) + 1) << 16, doubling = param_whole(&w->v[DOUBLING]) + 1;
	uint64_t cure = (param_whole(&w->v[CURE]) + 1) * 1440;
	/* ln 2 / doubling a minute */
	unsigned __int128 born = (unsigned __int128)w->infected * (vulnerable - w->infected) / vulnerable * 693147 /
	                         (doubling * 1000000);
	w->infected += (uint64_t)born - w->infected / cure;
	w->infected = w->infected < vulnerable ? w->infected : vulnerable;
	w->wait = sim_wait_spread(s, (w->infected >> 16) * param_whole(&w->v[RATE]));
	w->step += STEP;
}

/* A bot's burst takes a few milliseconds of each second, always the same ones. */
static int64_t burst(struct sim *s, struct actor *a, uint64_t bot)
{
	return sim_world(s)->start + (int64_t)(bot % 960000000 + rng_below(&a->rng, 40000000));
}

static void probe(struct sim *s, struct actor *a, struct bots *w)
{
	uint64_t number = rng_below(&a->rng, (w->infected >> 16) + 1), bot = mix64(sim_seed(s) ^ number ^ 0x6d69726169);
	uint64_t lease = (param_whole(&w->v[LEASE]) + 1) * 3600 * SECOND;
	uint64_t epoch = ((uint64_t)a->next + bot % lease) / lease;
	unsigned country;
	uint32_t src = sim_source(s, mix64(bot + epoch), &country);
	if (!sim_awake(s, country, &a->rng))
		return;
	int64_t ts = burst(s, a, bot);
	struct sim_packet k = sim_tcp(ts, src, sim_target(s, rng_below(&a->rng, sim_world(s)->n4)));
	k.dport = (uint16_t)param_draw(&w->v[PORTS], rng_next(&a->rng))->at;
	form_syn(&k, FORM_MIRAI, &a->rng, bot);
	sim_emit(s, a, &k);
}

static void run(struct sim *s, struct actor *a, int64_t end)
{
	struct bots *w = (struct bots *)a->state;
	while (a->next < end) {
		if (a->next >= w->step) {
			a->next = w->step;
			grow(s, w);
		} else {
			probe(s, a, w);
		}
		int64_t wait = w->wait ? rng_wait(&a->rng, w->wait) : NEVER / 2;
		a->next = wait < w->step - a->next ? a->next + wait : w->step;
	}
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	if (!param_whole(&v[BEGIN]) || !sim_world(s)->n4)
		return;
	struct actor *a = actor_begin(s, p, 0, run, sim_world(s)->from);
	if (!a)
		return;
	a->kind = "bots";
	a->how = form_names[FORM_MIRAI];
	*(struct bots *)a->state = (struct bots){ .v = v, .infected = param_whole(&v[BEGIN]) << 16, .step = a->next };
}

const struct population population_bots = { "bots", params, sizeof params / sizeof *params, start };
