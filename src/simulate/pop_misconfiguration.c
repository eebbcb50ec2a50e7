/* Hosts that mean somebody else: an old address in a configuration, a typing error, protocols that stray (Francois et al.
 * and most telescope papers list them; rates are assumptions). A few things of the sensor's own network and frames that
 * cannot be read, since every capture has them. */
#include "simulate/forms.h"
#include "simulate/populations.h"
#include "simulate/stream.h"

#include <string.h>

enum { DAILY, SOURCES };

static const struct param params[] = {
	{ "misconfiguration.daily", PARAM_NUMBER, "30", "packets a day and address [A]" },
	{ "misconfiguration.sources", PARAM_NUMBER, "500", "hosts [A]" },
};

#define TEXT(k, text) ((k)->payload = (const uint8_t *)(text), (k)->payload_len = sizeof(text) - 1)

static void datagram(struct sim_packet *k, uint16_t port, uint64_t who)
{
	k->proto = PROTO_UDP;
	k->dport = port;
	k->sport = (uint16_t)(40000 + who % 20000);
	k->class = CLASS_PAYLOAD;
	k->access = true;
}

/* Clients of services that were here once. */
static void client(struct sim_packet *k, struct rng *r, uint64_t who, unsigned kind)
{
	switch (kind) {
	case 0:
		datagram(k, 514, who);
		TEXT(k, "<13>Jan  1 00:00:00 host SIMULATED: a log line");
		return;
	case 1:
		datagram(k, 137, who);
		k->sport = 137;
		TEXT(k, "\x80\x01\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00"
		        "\x20" "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01");
		return;
	case 2:
		datagram(k, 53, who);
		TEXT(k, "\x53\x49\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04" "host\x04" "test\x00\x00\x01\x00\x01");
		return;
	case 3:
		k->proto = PROTO_ICMP;
		k->dport = 8 << 8;
		k->rest = (uint32_t)who << 16 | (rng_u32(r) & 0xffff);
		TEXT(k, "SIMULATED monitoring of a host that moved");
		k->class = CLASS_SCAN;
		k->access = true;
		return;
	default:
		k->dport = 25;
		form_syn(k, FORM_LINUX, r, who);
	}
}

/* What fits no question and no answer. */
static void stray(struct sim_packet *k, struct rng *r, uint64_t who, unsigned kind)
{
	switch (kind) {
	case 0: /* ESP (RFC 4303): a tunnel to a gateway that is gone */
		k->proto = 50;
		k->dport = 0;
		TEXT(k, "\x53\x49\x4d\x01\x00\x00\x00\x07................................");
		k->class = CLASS_MISCONFIGURATION;
		return;
	case 1: /* a connection's end without its beginning, flags that no stack sends */
		form_syn(k, FORM_LINUX, r, who);
		k->dport = 443;
		k->options = OPTIONS_NONE;
		k->tcp_flags = TCP_FIN | TCP_URG;
		k->class = CLASS_MISCONFIGURATION;
		k->access = false;
		return;
	case 2:
		k->raw = RAW_LATER_FRAGMENT;
		k->proto = PROTO_UDP;
		k->dport = 0;
		TEXT(k, "the rest of a large datagram.....");
		k->class = CLASS_OTHER;
		return;
	default: /* router advertisement of IPv4 (RFC 1256), sent to a host */
		k->proto = PROTO_ICMP;
		k->dport = 9 << 8;
		k->class = CLASS_OTHER;
	}
}

static void of_the_wire(struct sim_packet *k, bool arp)
{
	k->class = arp ? CLASS_IGNORED : CLASS_UNDECODED;
	k->raw = arp ? RAW_ARP : RAW_CUT;
	k->dport = 80;
	k->tcp_flags = TCP_SYN;
}

static void packet(struct sim *s, struct actor *a, const struct param_value *v, int64_t ts)
{
	uint64_t number = rng_below(&a->rng, param_whole(&v[SOURCES]) + 1), who = mix64(sim_seed(s) ^ number ^ 0x6d697363);
	/* Each means one address of ours, always the same. */
	struct sim_packet k = sim_tcp(ts, sim_source(s, who, NULL), sim_target(s, mix64(who) % sim_world(s)->n4));
	unsigned kind = (unsigned)(mix64(who ^ 1) % 12);
	k.id = (uint16_t)rng_u32(&a->rng);
	k.ttl = (uint8_t)(64 - sim_hops(k.src));
	if (kind < 6)
		client(&k, &a->rng, who, kind);
	else if (kind < 10)
		stray(&k, &a->rng, who, kind - 6);
	else
		of_the_wire(&k, kind == 10);
	sim_emit(s, a, &k);
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	stream_begin(s, p, 0, "misconfiguration", sim_wait_daily(v[DAILY].micro, sim_world(s)->n4), v, packet);
}

const struct population population_misconfiguration = { "misconfiguration", params, sizeof params / sizeof *params, start };
