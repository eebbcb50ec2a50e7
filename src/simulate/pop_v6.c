/* IPv6: scans of the low addresses of a prefix, pings, and backscatter with quotes. Richter, Gasser, Berger, "Illuminating
 * Large-Scale IPv6 Scanning in the Internet", IMC 2022: scanners choose low and structured addresses, some from whole /64s.
 * Hop limit 255 of nmap: captured (nmap_v6_sS). */
#include "base/bytes.h"
#include "simulate/populations.h"
#include "simulate/stream.h"

#include <string.h>

enum { DAILY, SOURCES, PORTS };

static const struct param params[] = {
	{ "v6.daily", PARAM_NUMBER, "0.05", "packets a day and address that is scanned [A]" },
	{ "v6.sources", PARAM_NUMBER, "60", "/64s of sources [A]" },
	{ "v6.ports", PARAM_PORTS, "22:5 80:5 443:5 23:2 8080:2 3389:1 21:1", "port:weight [A]" },
};

/* 2400::/12 to 2c00::/12, as the registries hand out; half the scanners use all of their /64. */
static void source6(uint8_t out[static 16], uint64_t who, struct rng *r)
{
	memset(out, 0, 16);
	out[0] = (uint8_t)(0x24 + who % 5 * 2);
	store_be64(out + 1, who);
	memset(out + 8, 0, 8);
	out[15] = 1 + (uint8_t)(who >> 60);
	if (who & 32)
		store_be64(out + 8, rng_next(r) | 1);
}

static void scan6(struct sim_packet *k, const struct param_value *v, struct rng *r, uint64_t who)
{
	k->proto = PROTO_TCP;
	k->dport = (uint16_t)param_draw(&v[PORTS], rng_next(r))->at;
	k->sport = (uint16_t)(32768 + who % 28000);
	k->seq = rng_u32(r);
	k->window = 1024;
	k->options = OPTIONS_MSS;
	k->tcp_flags = TCP_SYN;
	k->class = CLASS_SCAN;
	k->access = true;
}

static void echo6(struct sim_packet *k, uint64_t who)
{
	static const uint8_t data[8] = { 'S', 'I', 'M' };
	k->proto = PROTO_ICMPV6;
	k->dport = 128 << 8;
	k->rest = (uint32_t)who;
	k->payload = data;
	k->payload_len = sizeof data;
	k->class = CLASS_SCAN;
	k->access = true;
}

static void syn_ack6(struct sim_packet *k, struct rng *r)
{
	k->proto = PROTO_TCP;
	k->sport = 443;
	k->dport = (uint16_t)(1024 + rng_below(r, 64512));
	k->seq = rng_u32(r);
	k->ack = rng_u32(r);
	k->window = 64800;
	k->options = OPTIONS_SYNACK;
	k->tcp_flags = TCP_SYN | TCP_ACK;
	k->class = CLASS_BACKSCATTER;
	k->victim = VICTIM_SOURCE;
}

/* Destination unreachable (RFC 4443 section 3.1): a router of the victim's /64 quotes what it was sent in our name. */
static void error6(struct sim_packet *k, uint8_t quote[static 48], uint8_t victim[static 16], uint64_t who)
{
	memcpy(victim, k->src6, 16);
	victim[15] = 0x80;
	memset(quote, 0, 48);
	quote[0] = 0x60;
	quote[5] = 20;
	quote[6] = PROTO_TCP;
	quote[7] = 40;
	memcpy(quote + 8, k->dst6, 16);
	memcpy(quote + 24, victim, 16);
	store_be16(quote + 40, (uint16_t)(1024 + who % 60000));
	store_be16(quote + 42, 80);
	k->proto = PROTO_ICMPV6;
	k->dport = 1 << 8 | 3;
	k->payload = quote;
	k->payload_len = 48;
	k->class = CLASS_BACKSCATTER;
	k->victim = VICTIM_QUOTED;
	k->victim6 = victim;
	k->victim_port = 80;
	k->forged_port = (uint16_t)(1024 + who % 60000);
	k->victim_proto = PROTO_TCP;
}

static void packet(struct sim *s, struct actor *a, const struct param_value *v, int64_t ts)
{
	uint8_t src[16], dst[16], quote[48], victim[16];
	uint64_t who = mix64(sim_seed(s) ^ 0x7636 ^ rng_below(&a->rng, param_whole(&v[SOURCES]) + 1));
	source6(src, who, &a->rng);
	struct sim_packet k = { .ts = ts, .version = 6, .src6 = src,
		                .dst6 = sim_target6(s, rng_below(&a->rng, sim_world(s)->n6), dst) };
	k.ttl = (uint8_t)((who & 1 ? 255 : 64) - who % 20);
	switch (mix64(who) % 8) {
	case 0: echo6(&k, who); break;
	case 1: syn_ack6(&k, &a->rng); break;
	case 2: error6(&k, quote, victim, who); break;
	default: scan6(&k, v, &a->rng, who);
	}
	sim_emit(s, a, &k);
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	if (sim_world(s)->n6)
		stream_begin(s, p, 0, "v6", sim_wait_daily(v[DAILY].micro, sim_world(s)->n6), v, packet);
}

const struct population population_v6 = { "v6", params, sizeof params / sizeof *params, start };
