/* Reflection at us: somebody asked many open servers in the name of one of our addresses, and they all answer
 * (DEFINITIONS 1: a UDP replier is usually a reflector). Rossow, "Amplification Hell", NDSS 2014, has the protocols. */
#include "simulate/populations.h"
#include "simulate/spawner.h"

enum { DAILY, REFLECTORS_LEAST, REFLECTORS_MOST, RATE_LEAST, RATE_MOST, DURATION };

static const struct param params[] = {
	{ "reflection.daily", PARAM_NUMBER, "0.0002", "attacks begun a day on each address [A]" },
	{ "reflection.reflectors_least", PARAM_NUMBER, "50", "servers that answer, log-uniform from … [A]" },
	{ "reflection.reflectors_most", PARAM_NUMBER, "5000", "… to [A]" },
	{ "reflection.rate_least", PARAM_NUMBER, "20", "answers a second, log-uniform from … [A]" },
	{ "reflection.rate_most", PARAM_NUMBER, "5000", "… to [A]" },
	{ "reflection.duration", PARAM_NUMBER, "300", "s on average [A]" },
};

static const struct answer {
	uint16_t port, len;
	const char *name, *bytes;
} answers[] = {
#define ANSWER(port, name, text) { port, sizeof text - 1, name, text }
	ANSWER(53, "DNS", "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03" "sim" "\x04" "test\x00\x00\xff\x00\x01"
	       "\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\xc0\x00\x02\x01"),
	ANSWER(123, "NTP monlist", "\xd7\x00\x03\x2a\x00\x01\x00\x48\x00\x00\x00\x00SIMULATED answer of a server......."),
	ANSWER(1900, "SSDP", "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: SIMULATED\r\n\r\n"),
	ANSWER(11211, "memcached", "\x00\x01\x00\x00\x00\x02\x00\x00STAT pid 1\r\n"),
	ANSWER(161, "SNMP", "\x30\x26\x02\x01\x01\x04\x06public\xa2\x19\x02\x04\x00\x00\x00\x01\x02\x01\x00\x02\x01\x00"
	       "\x30\x0b\x30\x09\x06\x05\x2b\x06\x01\x02\x01\x05\x00"),
	ANSWER(389, "CLDAP", "\x30\x10\x02\x01\x01\x64\x0b\x04\x00\x30\x07\x30\x05\x04\x01" "a\x31\x00"),
	ANSWER(19, "CharGEN", " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"),
};

struct attack {
	const struct answer *answer;
	uint64_t wait, key, reflectors, target;
	int64_t ends;
	uint16_t port; /* that the forger asked from */
};
STATE_FITS(struct attack);

static void answer(struct sim *s, struct actor *a, const struct attack *w, int64_t ts)
{
	uint32_t src = sim_source(s, mix64(w->key + rng_below(&a->rng, w->reflectors)), NULL);
	struct sim_packet k = sim_udp(ts, src, sim_target(s, w->target));
	k.sport = w->answer->port;
	k.dport = w->port;
	k.payload = (const uint8_t *)w->answer->bytes;
	k.payload_len = w->answer->len;
	k.id = (uint16_t)rng_u32(&a->rng);
	k.ttl = (uint8_t)(64 - sim_hops(src));
	k.class = CLASS_BACKSCATTER;
	k.victim = VICTIM_SOURCE;
	sim_emit(s, a, &k);
}

static void run_attack(struct sim *s, struct actor *a, int64_t end)
{
	const struct attack *w = (const struct attack *)a->state;
	while (a->next < end && a->next < w->ends) {
		answer(s, a, w, a->next);
		a->next += rng_wait(&a->rng, w->wait);
	}
	if (a->next >= w->ends)
		a->next = NEVER;
}

static void attack_begin(struct sim *s, struct actor *of, const struct param_value *v, uint64_t ordinal)
{
	struct rng *r = &of->rng;
	struct actor *a = actor_begin(s, of->of, ordinal, run_attack, of->next);
	if (!a)
		return;
	struct attack *w = (struct attack *)a->state;
	uint64_t rate = rng_log_uniform(r, param_whole(&v[RATE_LEAST]) + 1, param_whole(&v[RATE_MOST]) + 1);
	w->answer = &answers[rng_below(r, sizeof answers / sizeof *answers)];
	w->wait = SECOND * 256 / rate;
	w->key = rng_next(r);
	w->reflectors = rng_log_uniform(r, param_whole(&v[REFLECTORS_LEAST]) + 1, param_whole(&v[REFLECTORS_MOST]) + 1);
	w->target = rng_below(r, sim_world(s)->n4);
	w->ends = of->next + rng_wait(r, ((param_whole(&v[DURATION]) + 1) * (uint64_t)SECOND) << 8);
	w->port = (uint16_t)(1024 + rng_below(r, 64512));
	a->kind = "reflection";
	a->incident = ordinal;
	a->ends = w->ends;
	a->n_who = (uint32_t)w->reflectors;
	a->proto = PROTO_UDP;
	a->port = w->answer->port;
	a->how = w->answer->name;
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	spawner_start(s, p, v, sim_wait_daily(v[DAILY].micro, sim_world(s)->n4), sim_world(s)->from, attack_begin);
}

const struct population population_reflection = { "reflection", params, sizeof params / sizeof *params, start };
