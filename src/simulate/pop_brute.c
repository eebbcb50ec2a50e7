/* Those who try passwords: connect() to the port of a service, with the SYNs that a kernel sends again while nothing
 * answers. Packets a day and address of the ports: DEFINITIONS 8, February 2021 (445 507.14, 1433 127.95, 22 113.88). They
 * work at the hours of their country. */
#include "simulate/forms.h"
#include "simulate/populations.h"

enum { DAILY, SOURCES };

static const struct param params[] = {
	{ "brute.daily", PARAM_PORTS, "445:169.0 1433:42.6 22:28.5 3389:30.0",
	  "port:attempts a day and address; a Windows sends three SYNs for one, a Linux four [P, 3389 A]" },
	{ "brute.sources", PARAM_NUMBER, "20000", "sources of each port [A]" },
};

/* tcp_syn_retries of a client that gives up after some ten seconds: RFC 6298's second, doubled. */
static const uint8_t linux_delays[] = { 1, 2, 4, 0 }, windows_delays[] = { 1, 2, 0 };

static void attempt(struct sim *s, struct actor *a, const struct param_value *v, int64_t ts)
{
	uint64_t who = mix64(sim_seed(s) ^ a->port * 0x10001u ^ rng_below(&a->rng, param_whole(&v[SOURCES]) + 1));
	unsigned country;
	uint32_t src = sim_source(s, who, &country);
	if (!sim_awake(s, country, &a->rng))
		return;
	struct sim_packet k = sim_tcp(ts, src, sim_target(s, rng_below(&a->rng, sim_world(s)->n4)));
	bool windows = a->port != 22;
	k.dport = a->port;
	form_syn(&k, windows ? FORM_WINDOWS : FORM_LINUX, &a->rng, who);
	sim_emit(s, a, &k);
	sim_again(s, a, &k, windows ? windows_delays : linux_delays);
}

struct port {
	uint64_t wait;
	const struct param_value *v;
};
STATE_FITS(struct port);

static void run(struct sim *s, struct actor *a, int64_t end)
{
	const struct port *w = (const struct port *)a->state;
	while (a->next < end) {
		attempt(s, a, w->v, a->next);
		a->next += rng_wait(&a->rng, w->wait);
	}
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	for (uint32_t i = 0; i < v[DAILY].n; i++) {
		const struct param_item *item = &v[DAILY].item[i];
		uint64_t wait = sim_wait_daily(item->micro * 1000 / AWAKE_MEAN, sim_world(s)->n4);
		struct actor *a = wait ? actor_begin(s, p, (uint64_t)item->at, run, sim_world(s)->from) : NULL;
		if (!a)
			continue;
		*(struct port *)a->state = (struct port){ wait, v };
		a->kind = "brute_force";
		a->port = (uint16_t)item->at;
		a->proto = PROTO_TCP;
		a->next += rng_wait(&a->rng, wait);
	}
}

const struct population population_brute = { "brute", params, sizeof params / sizeof *params, start };
