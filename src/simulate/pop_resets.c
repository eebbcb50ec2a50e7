/* Hosts that know a few of our addresses and go on answering them: peers of file sharing that reset what was a connection
 * once, and hosts whose NAT or tables still have one of ours. Neither is a victim (DEFINITIONS 1: undecided). Rates are
 * assumptions. */
#include "simulate/forms.h"
#include "simulate/populations.h"
#include "simulate/spawner.h"

enum { DAILY, WAIT_LEAST, WAIT_MOST, DURATION, ADDRESSES };

static const struct param peer_params[] = {
	{ "resets.daily", PARAM_NUMBER, "100", "peers begun a day that reset old connections [A]" },
	{ "resets.wait_least", PARAM_NUMBER, "5", "s between packets of one, log-uniform from … [A]" },
	{ "resets.wait_most", PARAM_NUMBER, "3600", "… to [A]" },
	{ "resets.duration", PARAM_NUMBER, "14400", "s on average [A]" },
	{ "resets.addresses", PARAM_NUMBER, "3", "of our addresses that one knows, at most [A]" },
};

static const struct param stale_params[] = {
	{ "stale.daily", PARAM_NUMBER, "20", "hosts begun a day that still answer one of our addresses [A]" },
	{ "stale.wait_least", PARAM_NUMBER, "5", "s between packets of one, log-uniform from … [A]" },
	{ "stale.wait_most", PARAM_NUMBER, "1800", "… to [A]" },
	{ "stale.duration", PARAM_NUMBER, "43200", "s on average [A]" },
	{ "stale.addresses", PARAM_NUMBER, "1", "of our addresses that one knows, at most [A]" },
};

enum habit { RESET, SYN_ACK, UNREACHABLE };

struct host {
	uint64_t wait, key, addresses;
	int64_t ends;
	uint32_t source;
	uint16_t sport; /* 0: another each time */
	uint8_t habit, ports; /* what it sends; to how many ports of an address, 0: any */
};
STATE_FITS(struct host);

/* Ports of ours that a peer has in mind: what the programs listen at, or one of a few. */
static uint16_t known_port(const struct host *w, uint64_t address, struct rng *r)
{
	static const uint16_t listening[] = { 6881, 51413, 4662, 6889 };
	if (!w->ports)
		return (uint16_t)(1024 + rng_below(r, 64512));
	if (w->ports == 1)
		return listening[mix64(w->key ^ address) % 4];
	return (uint16_t)(1024 + mix64(w->key ^ address << 8 ^ rng_below(r, w->ports)) % 64512);
}

/* An error about what our address is to have sent. */
static void unreachable(struct sim_packet *k, uint16_t sport, uint8_t out[static 28])
{
	k->forged_port = k->dport;
	form_quote(out, k, PROTO_UDP, k->dport, k->src, sport);
	k->victim = VICTIM_QUOTED;
	k->victim4 = k->src;
	k->victim_port = sport;
	k->victim_proto = PROTO_UDP;
	k->proto = PROTO_ICMP;
	k->dport = 3 << 8 | 3;
	k->payload = out;
	k->payload_len = 28;
}

static void answer(struct sim *s, struct actor *a, const struct host *w, int64_t ts)
{
	uint8_t bytes[28];
	uint64_t address = rng_below(&a->rng, w->addresses);
	struct sim_packet k = sim_tcp(ts, w->source, sim_target(s, mix64(w->key + address) % sim_world(s)->n4));
	uint16_t sport = w->sport ? w->sport : (uint16_t)(32768 + rng_below(&a->rng, 28232));
	k.dport = known_port(w, address, &a->rng);
	k.ttl = (uint8_t)(128 - sim_hops(w->source));
	k.id = (uint16_t)rng_u32(&a->rng);
	k.class = CLASS_BACKSCATTER;
	k.victim = VICTIM_SOURCE;
	if (w->habit == UNREACHABLE) {
		unreachable(&k, sport, bytes);
	} else {
		k.sport = sport;
		k.seq = rng_u32(&a->rng);
		k.tcp_flags = w->habit == SYN_ACK ? TCP_SYN | TCP_ACK : w->key & 1 ? TCP_RST : TCP_RST | TCP_ACK;
		k.options = w->habit == SYN_ACK ? OPTIONS_SYNACK : OPTIONS_NONE;
	}
	sim_emit(s, a, &k);
}

static void run_host(struct sim *s, struct actor *a, int64_t end)
{
	const struct host *w = (const struct host *)a->state;
	while (a->next < end && a->next < w->ends) {
		answer(s, a, w, a->next);
		a->next += rng_wait(&a->rng, w->wait);
	}
	if (a->next >= w->ends)
		a->next = NEVER;
}

static struct host *host_begin(struct sim *s, struct actor *of, const struct param_value *v, uint64_t ordinal,
                               const char *kind)
{
	struct rng *r = &of->rng;
	struct actor *a = actor_begin(s, of->of, ordinal, run_host, of->next);
	if (!a)
		return NULL;
	struct host *w = (struct host *)a->state;
	w->key = rng_next(r);
	w->wait = rng_log_uniform(r, param_whole(&v[WAIT_LEAST]) + 1, param_whole(&v[WAIT_MOST]) + 1) * (uint64_t)SECOND << 8;
	w->ends = of->next + rng_wait(r, ((param_whole(&v[DURATION]) + 1) * (uint64_t)SECOND) << 8);
	w->addresses = 1 + rng_below(r, param_whole(&v[ADDRESSES]) | !param_whole(&v[ADDRESSES]));
	w->source = sim_source(s, mix64(w->key), NULL);
	a->kind = kind;
	a->incident = ordinal;
	a->ends = w->ends;
	a->who = w->source;
	return w;
}

static void peer_begin(struct sim *s, struct actor *of, const struct param_value *v, uint64_t ordinal)
{
	struct host *w = host_begin(s, of, v, ordinal, "resets");
	if (!w)
		return;
	w->ports = (uint8_t)(1 + rng_below(&of->rng, 4));
	w->sport = w->key & 2 ? 0 : (uint16_t)(10000 + (w->key >> 16) % 55000);
}

static void stale_begin(struct sim *s, struct actor *of, const struct param_value *v, uint64_t ordinal)
{
	static const uint16_t services[] = { 443, 80, 53, 22, 5222, 8080, 3478, 123 };
	struct host *w = host_begin(s, of, v, ordinal, "stale");
	if (!w)
		return;
	w->habit = (uint8_t)rng_below(&of->rng, 3);
	w->sport = services[w->key % 8];
}

static void start_resets(struct sim *s, const struct population *p, const struct param_value *v)
{
	spawner_start(s, p, v, sim_wait_daily(v[DAILY].micro, sim_world(s)->n4 ? 1 : 0), sim_world(s)->from, peer_begin);
}

static void start_stale(struct sim *s, const struct population *p, const struct param_value *v)
{
	spawner_start(s, p, v, sim_wait_daily(v[DAILY].micro, sim_world(s)->n4 ? 1 : 0), sim_world(s)->from, stale_begin);
}

const struct population population_resets = { "resets", peer_params, sizeof peer_params / sizeof *peer_params,
	                                      start_resets };
const struct population population_stale = { "stale", stale_params, sizeof stale_params / sizeof *stale_params,
	                                     start_stale };
