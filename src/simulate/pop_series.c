/* Accesses as a published series has them: so many a day and address in each year, on ports to 1023, from 1024 on, and
 * without a port. Off by default; `make figures` runs it with DEFINITIONS 8's numbers. Packets come evenly, each at a
 * random place of its own share of the time, so that a year's number is exact to a packet wherever the sensor was up. */
#include "simulate/forms.h"
#include "simulate/populations.h"
#include "simulate/years.h"

enum { LOW, HIGH, WITHOUT, SOURCES, LOW_PORTS, HIGH_PORTS };

static const struct param params[] = {
	{ "series.low", PARAM_SERIES, "", "YEAR:accesses a day and address on ports to 1023 …" },
	{ "series.high", PARAM_SERIES, "", "… from 1024 on …" },
	{ "series.without", PARAM_SERIES, "", "… and without a port (ICMP)" },
	{ "series.sources", PARAM_NUMBER, "47000", "sources of a day [P]" },
	{ "series.low_ports", PARAM_PORTS, "445:507 23:293 22:114 123:82 80:60 443:50 21:20 25:20 53:20 81:20",
	  "port:weight; 123 and 53 are asked by UDP [P]" },
	{ "series.high_ports", PARAM_PORTS, "1433:128 3389:90 8080:60 2323:40 5555:40 3306:30 5060:30",
	  "port:weight of a tenth of them; the others are drawn from all [P, A]" },
};

struct band {
	const struct param_value *v;
	uint64_t gap;  /* ns << 8 */
	int64_t start; /* of this year's share */
	int64_t until; /* when another year's number begins */
	uint64_t k;
	uint8_t which;
};
STATE_FITS(struct band);

/* The number of the year at `ts`, and from when to when it holds. */
static void enter_year(const struct sim *s, struct band *w, int64_t ts)
{
	const struct param_value *v = &w->v[w->which];
	int64_t micro = 0;
	w->start = ts;
	w->until = NEVER;
	w->k = 0;
	for (uint32_t i = 0; i < v->n; i++) {
		int64_t begins = year_start(v->item[i].at) * SECOND;
		if (begins <= ts)
			micro = v->item[i].micro;
		else if (begins < w->until)
			w->until = begins;
	}
	w->gap = sim_wait_daily(micro, sim_world(s)->n4);
}

static void next(const struct sim *s, struct actor *a, struct band *w)
{
	for (;;) {
		unsigned __int128 at = (unsigned __int128)w->gap * w->k + (w->gap ? rng_below(&a->rng, w->gap) : 0);
		w->k++;
		if (w->gap && w->start + (int64_t)(at >> 8) < w->until) {
			a->next = w->start + (int64_t)(at >> 8);
			return;
		}
		if (w->until == NEVER) {
			a->next = NEVER;
			return;
		}
		enter_year(s, w, w->until);
	}
}

static void send_echo(struct sim_packet *k)
{
	static const uint8_t data[32] = { 'S', 'I', 'M' };
	k->proto = PROTO_ICMP;
	k->dport = 8 << 8;
	k->payload = data;
	k->payload_len = sizeof data;
	k->class = CLASS_SCAN;
	k->access = true;
	k->ttl = 50;
}

static void send_datagram(struct sim_packet *k, struct rng *r)
{
	static const uint8_t data[] = { 'S', 'I', 'M', 'U', 'L', 'A', 'T', 'E', 'D' };
	k->proto = PROTO_UDP;
	k->sport = (uint16_t)(32768 + rng_below(r, 28000));
	k->payload = data;
	k->payload_len = sizeof data;
	k->class = CLASS_PAYLOAD;
	k->access = true;
	k->ttl = 50;
}

static uint16_t port_of(const struct band *w, struct rng *r)
{
	if (w->which == LOW)
		return (uint16_t)param_draw(&w->v[LOW_PORTS], rng_next(r))->at;
	if (rng_below(r, 10) == 0)
		return (uint16_t)param_draw(&w->v[HIGH_PORTS], rng_next(r))->at;
	return (uint16_t)(1024 + rng_below(r, 64512));
}

static void access_one(struct sim *s, struct actor *a, const struct band *w)
{
	uint64_t day = (uint64_t)a->next / (86400 * (uint64_t)SECOND), i = rng_below(&a->rng, param_whole(&w->v[SOURCES]) + 1);
	uint64_t who = mix64(sim_seed(s) ^ 0x736572 ^ mix64(day) ^ i);
	struct sim_packet k = sim_tcp(a->next, sim_source(s, who, NULL), sim_target(s, rng_below(&a->rng, sim_world(s)->n4)));
	k.dport = port_of(w, &a->rng);
	if (w->which == WITHOUT)
		send_echo(&k);
	else if (w->which == LOW && (k.dport == 123 || k.dport == 53))
		send_datagram(&k, &a->rng);
	else
		form_syn(&k, i % 3 ? FORM_LINUX : FORM_MASSCAN, &a->rng, who);
	k.id = k.id ? k.id : (uint16_t)rng_u32(&a->rng);
	sim_emit(s, a, &k);
}

static void run(struct sim *s, struct actor *a, int64_t end)
{
	struct band *w = (struct band *)a->state;
	while (a->next < end) {
		access_one(s, a, w);
		next(s, a, w);
	}
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	static const char *const names[] = { "ports to 1023", "ports from 1024", "without a port" };
	for (uint8_t i = LOW; i <= WITHOUT; i++) {
		struct actor *a = v[i].n && sim_world(s)->n4 ? actor_begin(s, p, i, run, sim_world(s)->from) : NULL;
		if (!a)
			continue;
		struct band *w = (struct band *)a->state;
		*w = (struct band){ .v = v, .which = i };
		enter_year(s, w, sim_world(s)->from);
		next(s, a, w);
		a->kind = "series";
		a->how = names[i];
	}
}

const struct population population_series = { "series", params, sizeof params / sizeof *params, start };
