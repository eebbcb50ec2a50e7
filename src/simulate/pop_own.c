/* Answers that this telescope asked for: hosts of it look up names, set their clocks and fetch pages, and a capture whose
 * management traffic was not left out has what comes back (DEFINITIONS 1: own). Rates are assumptions. */
#include "simulate/populations.h"
#include "simulate/stream.h"

enum { DAILY, HOSTS, SERVERS };

static const struct param params[] = {
	{ "own.daily", PARAM_NUMBER, "100", "answers a day to each host of the telescope's own [A]" },
	{ "own.hosts", PARAM_NUMBER, "1", "of the monitored addresses that are such hosts [A]" },
	{ "own.servers", PARAM_NUMBER, "12", "who answers [A]" },
};

static const char name_answer[] = "\x51\x0e\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x05" "clock" "\x04" "test\x00\x00\x01"
                                  "\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x0a";
static const char time_answer[49] = "\x24\x02\x06\xe9SIMULATED answer of a clock";

static void answer_udp(struct sim_packet *k, uint16_t sport, const char *bytes, uint16_t len)
{
	k->proto = PROTO_UDP;
	k->sport = sport;
	k->payload = (const uint8_t *)bytes;
	k->payload_len = len;
}

static void packet(struct sim *s, struct actor *a, const struct param_value *v, int64_t ts)
{
	uint64_t hosts = param_whole(&v[HOSTS]), servers = param_whole(&v[SERVERS]) + 1, n4 = sim_world(s)->n4;
	uint64_t host = mix64(sim_seed(s) ^ 0x6f776e ^ rng_below(&a->rng, hosts)) % n4;
	uint64_t who = mix64(sim_seed(s) ^ 0x6f776e << 8 ^ rng_below(&a->rng, servers));
	struct sim_packet k = sim_tcp(ts, sim_source(s, who, NULL), sim_target(s, host));
	k.dport = (uint16_t)(32768 + rng_below(&a->rng, 28232));
	k.ttl = (uint8_t)(64 - sim_hops(k.src));
	k.id = (uint16_t)rng_u32(&a->rng);
	k.class = CLASS_BACKSCATTER;
	k.victim = VICTIM_SOURCE;
	if (who % 3 == 0) {
		answer_udp(&k, 53, name_answer, sizeof name_answer - 1);
	} else if (who % 3 == 1) {
		answer_udp(&k, 123, time_answer, 48);
	} else {
		k.sport = 443;
		k.seq = rng_u32(&a->rng);
		k.ack = rng_u32(&a->rng);
		k.window = 65160;
		k.options = OPTIONS_SYNACK;
		k.tcp_flags = TCP_SYN | TCP_ACK;
	}
	sim_emit(s, a, &k);
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	stream_begin(s, p, 0, "own", sim_wait_daily(v[DAILY].micro, sim_world(s)->n4 ? param_whole(&v[HOSTS]) : 0), v, packet);
}

const struct population population_own = { "own", params, sizeof params / sizeof *params, start };
