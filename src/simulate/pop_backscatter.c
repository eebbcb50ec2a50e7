/* Victims of floods with forged sources, whose replies reach us. Moore et al., "Inferring Internet Denial-of-Service
 * Activity", USENIX Security 2001: replies come from the victim to addresses drawn at random, rate × N / 2^32 to us.
 * Jonker et al., "Millions of Targets Under Attack", IMC 2017: 30,000 attacks a day; rates and durations have heavy tails
 * (their least and tail exponents here are assumptions). A Linux sends up to six SYN-ACKs (0, 1, 3, 7, 15, 31 s), with
 * SYN cookies one (DEFINITIONS 6, captured). */
#include "simulate/forms.h"
#include "simulate/populations.h"
#include "simulate/spawner.h"

enum { DAILY, RATE_LEAST, RATE_MOST, RATE_TAIL, DURATION_LEAST, DURATION_MOST, DURATION_TAIL, REPLIES, PORTS, VECTORS };

static const struct param params[] = {
	{ "backscatter.daily", PARAM_NUMBER, "30000", "attacks begun a day on the Internet [P]" },
	{ "backscatter.rate_least", PARAM_NUMBER, "200", "forged packets a second at the victim: Pareto from … [A]" },
	{ "backscatter.rate_most", PARAM_NUMBER, "5000000", "… cut here … [A]" },
	{ "backscatter.rate_tail", PARAM_NUMBER, "0.9", "… with this exponent [A]" },
	{ "backscatter.duration_least", PARAM_NUMBER, "60", "s: Pareto from … [A]" },
	{ "backscatter.duration_most", PARAM_NUMBER, "86400", "… cut here … [A]" },
	{ "backscatter.duration_tail", PARAM_NUMBER, "1", "… with this exponent: median 120 s [A]" },
	{ "backscatter.replies", PARAM_PORTS, "0:30 1:15 2:20 3:5 4:5 5:10 6:5 7:2 8:2 9:1 10:1 11:1 12:1 13:2",
	  "reply:weight: 0 SYN-ACK, sent again; 1 SYN-ACK, cookies; 2 RST-ACK; 3 RST; 4 echo reply; ICMP errors quoting "
	  "5 UDP port, 6 TCP host, 7 TCP prohibited, 8 time exceeded, 9 quench, 10 redirect, 11 parameter; 12 timestamp and "
	  "mask replies; 13 DNS answers [A]" },
	{ "backscatter.ports", PARAM_PORTS, "80:30 443:25 22:5 53:5 25565:5 3306:2 6667:2 27015:3 8080:4 21:2",
	  "port:weight of what is attacked [A]" },
	{ "backscatter.vectors", PARAM_NUMBER, "0.15", "share of attacks with a second vector [A]" },
};

enum reply { SYN_ACK, SYN_ACK_COOKIE, RST_ACK, RST, ECHO, UDP_PORT, TCP_HOST, TCP_PROHIBITED, TIME_EXCEEDED, QUENCH,
             REDIRECT, PARAMETER, STAMP, DNS_ANSWER, REPLIES_COUNT };

static const char *const reply_names[REPLIES_COUNT] = {
	"SYN-ACK sent again", "SYN-ACK cookies", "RST-ACK", "RST", "echo reply", "port unreachable", "host unreachable",
	"prohibited", "time exceeded", "source quench", "redirect", "parameter problem", "timestamp and mask replies",
	"DNS answer",
};

/* ICMP errors: type, code, what they quote; by a router where the victim does not speak itself. */
static const struct {
	uint8_t type, code, proto;
	bool router;
} errors[REPLIES_COUNT] = {
	[UDP_PORT] = { 3, 3, PROTO_UDP, false }, [TCP_HOST] = { 3, 1, PROTO_TCP, true },
	[TCP_PROHIBITED] = { 3, 13, PROTO_TCP, true }, [TIME_EXCEEDED] = { 11, 0, PROTO_TCP, true },
	[QUENCH] = { 4, 0, PROTO_UDP, false }, [REDIRECT] = { 5, 1, PROTO_TCP, true },
	[PARAMETER] = { 12, 0, PROTO_UDP, false },
};

struct attack {
	uint64_t wait;
	int64_t ends;
	uint64_t key;
	uint32_t victim;
	uint16_t port;
	uint8_t reply;
};
STATE_FITS(struct attack);

static const uint8_t again[] = { 1, 2, 4, 8, 16, 0 }; /* tcp_synack_retries 5 */

static void reply_tcp(struct sim *s, struct actor *a, const struct attack *w, struct sim_packet *k)
{
	uint64_t random = rng_next(&a->rng);
	k->proto = PROTO_TCP;
	k->sport = w->port;
	k->dport = (uint16_t)(1024 + random % 64512);
	k->ack = (uint32_t)(random >> 32);
	k->seq = w->reply >= RST_ACK ? 0 : rng_u32(&a->rng);
	k->tcp_flags = w->reply == RST_ACK ? TCP_RST | TCP_ACK : TCP_RST;
	if (w->reply <= SYN_ACK_COOKIE) {
		k->tcp_flags = TCP_SYN | TCP_ACK;
		k->window = 29200;
		k->options = OPTIONS_SYNACK;
	}
	k->df = true;
	k->id = w->reply == SYN_ACK ? (uint16_t)random : 0;
	k->victim = VICTIM_SOURCE;
	sim_emit(s, a, k);
	if (w->reply == SYN_ACK)
		sim_again(s, a, k, again);
}

static void reply_error(struct sim *s, struct actor *a, const struct attack *w, struct sim_packet *k)
{
	uint8_t bytes[28];
	uint8_t proto = errors[w->reply].proto;
	if (errors[w->reply].router)
		k->src = (w->victim & ~UINT32_C(255)) + 1 + (uint32_t)(w->key % 30);
	k->forged_port = (uint16_t)(1024 + rng_below(&a->rng, 64512));
	form_quote(bytes, k, proto, k->forged_port, w->victim, w->port);
	k->dport = (uint16_t)(errors[w->reply].type << 8 | errors[w->reply].code);
	k->payload = bytes;
	k->payload_len = sizeof bytes;
	k->victim = VICTIM_QUOTED;
	k->victim4 = w->victim;
	k->victim_port = w->port;
	k->victim_proto = proto;
	sim_emit(s, a, k);
}

static void reply_icmp(struct sim *s, struct actor *a, const struct attack *w, struct sim_packet *k)
{
	static const uint8_t data[56] = { 'S', 'I', 'M' };
	bool stamp = w->reply == STAMP && rng_below(&a->rng, 2);
	k->dport = (uint16_t)(w->reply == ECHO ? 0 : stamp ? 14 << 8 : 18 << 8);
	k->rest = rng_u32(&a->rng);
	k->payload = data;
	k->payload_len = w->reply == ECHO ? sizeof data : stamp ? 12 : 4;
	k->victim = VICTIM_SOURCE;
	sim_emit(s, a, k);
}

static void reply_dns(struct sim *s, struct actor *a, struct sim_packet *k)
{
	static const uint8_t refused[] = { 0x53, 0x49, 0x81, 5, 0, 1, 0, 0, 0, 0, 0, 0, /* dos.test A IN */
		                           3, 'd', 'o', 's', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1 };
	k->proto = PROTO_UDP;
	k->sport = 53;
	k->dport = (uint16_t)(1024 + rng_below(&a->rng, 64512));
	k->payload = refused;
	k->payload_len = sizeof refused;
	k->victim = VICTIM_SOURCE;
	sim_emit(s, a, k);
}

static void reply(struct sim *s, struct actor *a, const struct attack *w, int64_t ts)
{
	struct sim_packet k = sim_icmp(ts, w->victim, sim_target(s, rng_below(&a->rng, sim_world(s)->n4)), 0, 0);
	k.class = CLASS_BACKSCATTER;
	k.ttl = (uint8_t)(64 - sim_hops(w->victim));
	k.id = (uint16_t)rng_u32(&a->rng);
	if (w->reply <= RST)
		reply_tcp(s, a, w, &k);
	else if (errors[w->reply].type)
		reply_error(s, a, w, &k);
	else if (w->reply == DNS_ANSWER)
		reply_dns(s, a, &k);
	else
		reply_icmp(s, a, w, &k);
}

static void run_attack(struct sim *s, struct actor *a, int64_t end)
{
	const struct attack *w = (const struct attack *)a->state;
	while (a->next < end && a->next < w->ends) {
		reply(s, a, w, a->next);
		a->next += rng_wait(&a->rng, w->wait);
	}
	if (a->next >= w->ends)
		a->next = NEVER;
}

static void attack_begin(struct sim *s, const struct actor *of, const struct attack *w, int64_t start, uint64_t ordinal)
{
	struct actor *a = actor_begin(s, of->of, ordinal, run_attack, start);
	if (!a)
		return;
	*(struct attack *)a->state = *w;
	a->kind = "attack";
	a->incident = ordinal >> 1;
	a->ends = w->ends;
	a->who = w->victim;
	a->proto = w->reply <= RST ? PROTO_TCP : w->reply == DNS_ANSWER ? PROTO_UDP :
	           errors[w->reply].type ? errors[w->reply].proto : PROTO_ICMP;
	a->port = w->reply == DNS_ANSWER ? 53 : a->proto == PROTO_ICMP ? 0 : w->port;
	a->how = reply_names[w->reply];
	a->next += rng_wait(&a->rng, w->wait);
	if (a->next >= w->ends)
		a->next = NEVER;
}

static void draw(struct sim *s, const struct param_value *v, struct rng *r, int64_t start, struct attack *w)
{
	uint64_t rate = rng_pareto(r, param_whole(&v[RATE_LEAST]) + 1, param_whole(&v[RATE_MOST]) + 1,
	                           (uint64_t)v[RATE_TAIL].micro | 1);
	uint64_t seconds = rng_pareto(r, param_whole(&v[DURATION_LEAST]) + 1, param_whole(&v[DURATION_MOST]) + 1,
	                              (uint64_t)v[DURATION_TAIL].micro | 1);
	w->key = rng_next(r);
	w->victim = sim_source(s, w->key, NULL);
	w->wait = sim_wait_spread(s, rate);
	w->ends = start + (int64_t)seconds * SECOND;
	w->reply = (uint8_t)(param_draw(&v[REPLIES], rng_next(r))->at % REPLIES_COUNT);
	w->port = (uint16_t)param_draw(&v[PORTS], rng_next(r))->at;
}

static void incident_begin(struct sim *s, struct actor *a, const struct param_value *v, uint64_t ordinal)
{
	struct attack attack = { 0 };
	draw(s, v, &a->rng, a->next, &attack);
	attack_begin(s, a, &attack, a->next, ordinal << 1);
	if (rng_below(&a->rng, 1000000) < (uint64_t)v[VECTORS].micro) {
		attack.reply = (uint8_t)(param_draw(&v[REPLIES], rng_next(&a->rng))->at % REPLIES_COUNT);
		attack.port = (uint16_t)param_draw(&v[PORTS], rng_next(&a->rng))->at;
		attack_begin(s, a, &attack, a->next, ordinal << 1 | 1);
	}
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	spawner_start(s, p, v, sim_wait_daily(v[DAILY].micro, sim_world(s)->n4 ? 1 : 0), sim_world(s)->from, incident_begin);
}

const struct population population_backscatter = { "backscatter", params, sizeof params / sizeof *params, start };
