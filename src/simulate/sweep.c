#include "simulate/sweep.h"

struct sweep {
	struct sweep_plan plan;
	uint64_t gap;         /* ns << 8 between probes that reach the telescope */
	uint64_t n, k;        /* probes in all, done */
	uint64_t place, step; /* of the next in the order: an affine permutation, n and step without common divisor */
};
STATE_FITS(struct sweep);

static const uint8_t dns_version[] = { 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 'v', 'e', 'r', 's', 'i', 'o', 'n', 4,
	                               'b', 'i', 'n', 'd', 0, 0, 16, 0, 3 }; /* version.bind CH TXT, as zmap_udp53_n3000 */

static uint64_t divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t t = a % b;
		a = b;
		b = t;
	}
	return a;
}

static uint16_t port_of(const struct sweep_plan *p, uint64_t i)
{
	return p->ports == 1 ? p->port : (uint16_t)(1 + mix64(p->key ^ i * 0x9e37) % 65535);
}

static uint32_t source_of(const struct sim *s, const struct sweep_plan *p, struct rng *r)
{
	uint64_t i = p->sources > 1 ? rng_below(r, p->sources) : 0;
	return p->source ? p->source + (uint32_t)i : sim_source(s, mix64(p->key + i), NULL);
}

/* UDP and ICMP of ZMap and masscan: old ZMap marks their ip.id too, the others do not. */
static void probe_other(struct sim_packet *k, const struct sweep_plan *p, struct rng *r)
{
	static const uint8_t zeros[20] = { 0 };
	uint64_t random = rng_next(r);
	k->class = p->kind == SWEEP_UDP ? CLASS_PAYLOAD : CLASS_SCAN;
	k->access = true;
	k->id = p->form == FORM_ZMAP_OLD ? 54321 : (uint16_t)random;
	k->ttl = (uint8_t)((p->form == FORM_ZMAP_WINDOWS ? 64 : 255) - sim_hops(k->src));
	if (p->kind == SWEEP_UDP) {
		k->sport = (uint16_t)(32768 + (random >> 16) % 28232);
		k->payload = dns_version;
		k->payload_len = sizeof dns_version;
	} else {
		k->rest = (uint32_t)(random >> 32);
		k->payload = zeros;
		k->payload_len = sizeof zeros;
	}
}

static void probe(struct sim *s, struct actor *a, struct sweep *w, int64_t ts)
{
	const struct sweep_plan *p = &w->plan;
	uint64_t n4 = sim_world(s)->n4, port = w->place / n4;
	uint32_t src = source_of(s, p, &a->rng), dst = sim_target(s, w->place - port * n4);
	struct sim_packet k = sim_tcp(ts, src, dst);
	k.dport = port_of(p, port);
	if (p->kind == SWEEP_TCP) {
		form_syn(&k, p->form, &a->rng, p->key);
	} else {
		k.proto = p->kind == SWEEP_UDP ? PROTO_UDP : PROTO_ICMP;
		k.dport = p->kind == SWEEP_UDP ? p->port : 8 << 8;
		probe_other(&k, p, &a->rng);
	}
	sim_emit(s, a, &k);
}

static int64_t time_of(const struct sweep *w, struct rng *r)
{
	unsigned __int128 at = (unsigned __int128)w->gap * w->k + rng_below(r, w->gap);
	return w->plan.start + (int64_t)(at >> 8);
}

static void run(struct sim *s, struct actor *a, int64_t end)
{
	struct sweep *w = (struct sweep *)a->state;
	while (a->next < end) {
		probe(s, a, w, a->next);
		w->place += w->step;
		w->place -= w->place >= w->n ? w->n : 0;
		a->next = ++w->k < w->n ? time_of(w, &a->rng) : NEVER;
	}
}

/* What was done before the run began is passed over. */
static void skip_past(struct sweep *w, const struct sim_world *world)
{
	if (w->plan.start >= world->from)
		return;
	w->k = (uint64_t)(((unsigned __int128)(world->from - w->plan.start) << 8) / w->gap) + 1;
	w->place = (uint64_t)((unsigned __int128)w->step * w->k % w->n);
}

void sweep_begin(struct sim *s, const struct population *p, uint64_t ordinal, const char *kind,
                 const struct sweep_plan *plan)
{
	const struct sim_world *world = sim_world(s);
	struct sweep w = { .plan = *plan, .n = world->n4 * plan->ports };
	unsigned __int128 gap = (unsigned __int128)world->internet * SECOND * 256 /
	                        ((unsigned __int128)plan->per_second * world->n4);
	w.gap = gap > UINT64_C(1) << 62 ? UINT64_C(1) << 62 : gap ? (uint64_t)gap : 1;
	w.step = (uint64_t)((unsigned __int128)w.n * 2654435769u >> 32) + plan->key % (w.n / 7 + 1);
	w.step = w.step % w.n ? w.step % w.n : 1;
	while (divisor(w.step, w.n) != 1)
		w.step = w.step + 1 < w.n ? w.step + 1 : 1;
	skip_past(&w, world);
	if (w.k >= w.n)
		return;
	struct actor *a = actor_begin(s, p, ordinal, run, plan->start);
	if (!a)
		return;
	*(struct sweep *)a->state = w;
	a->next = time_of(&w, &a->rng);
	a->kind = kind;
	a->incident = ordinal;
	a->begun = plan->start;
	a->ends = plan->start + (int64_t)((unsigned __int128)w.gap * w.n >> 8);
	a->who = plan->source;
	a->n_who = plan->sources;
	a->proto = plan->kind == SWEEP_TCP ? PROTO_TCP : plan->kind == SWEEP_UDP ? PROTO_UDP : PROTO_ICMP;
	a->port = plan->ports == 1 && plan->kind != SWEEP_ICMP ? plan->port : 0;
	a->n_ports = plan->kind == SWEEP_ICMP ? 0 : plan->ports;
	a->how = form_names[plan->form];
}
