/* Noise with forged sources: bogons, last bytes 0 and 255, TTLs near 255, flags that no stack sends (the conditions that
 * corsaro3 calls spoofed, DEFINITIONS 3). */
#include "simulate/forms.h"
#include "simulate/populations.h"
#include "simulate/stream.h"

enum { DAILY };

static const struct param params[] = {
	{ "spoofed.daily", PARAM_NUMBER, "20", "packets a day and address [A]" },
};

/* Flags, and whether they ask: NULL, FIN, Xmas, Maimon, ACK are probes, but no accesses (DEFINITIONS 1). */
static const struct {
	uint8_t flags;
	bool access;
} probes[] = {
	{ TCP_SYN, true }, { TCP_SYN, true }, { 0, false }, { TCP_FIN, false }, { TCP_FIN | TCP_PSH | TCP_URG, false },
	{ TCP_FIN | TCP_ACK, false }, { TCP_ACK, false }, { TCP_SYN | TCP_ECE | TCP_CWR, true }, { TCP_SYN | TCP_FIN, false },
};

static void packet(struct sim *s, struct actor *a, const struct param_value *v, int64_t ts)
{
	(void)v;
	uint64_t random = rng_next(&a->rng);
	uint32_t src = sim_forged(s, &a->rng);
	struct sim_packet k = sim_tcp(ts, src, sim_target(s, rng_below(&a->rng, sim_world(s)->n4)));
	size_t i = random % (sizeof probes / sizeof *probes);
	k.dport = (uint16_t)(random >> 8);
	form_syn(&k, FORM_ZMAP_SMALLEST, &a->rng, random);
	k.sport = (uint16_t)(random >> 24);
	k.window = (uint16_t)(random >> 40);
	k.options = OPTIONS_NONE;
	k.tcp_flags = probes[i].flags;
	k.ttl = random >> 63 ? 255 - (uint8_t)(random >> 56 & 31) : (uint8_t)(32 + (random >> 56 & 63));
	k.class = CLASS_SCAN;
	k.access = probes[i].access;
	sim_emit(s, a, &k);
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	stream_begin(s, p, 0, "spoofed", sim_wait_daily(v[DAILY].micro, sim_world(s)->n4), v, packet);
}

const struct population population_spoofed = { "spoofed", params, sizeof params / sizeof *params, start };
