/* File sharing that believes our address is a peer: stale DHT nodes, uTP, handshakes (captured: dht_lookups_into_darknet,
 * p2p_seen_at_darknet, amule_kad_ed2k_into_darknet). Whose address was a peer once is asked for months, so it is few
 * addresses that get most of it. */
#include "base/bytes.h"
#include "simulate/forms.h"
#include "simulate/populations.h"
#include "simulate/stream.h"

#include <string.h>

enum { DAILY, PEERS, HOT };

static const struct param params[] = {
	{ "p2p.daily", PARAM_NUMBER, "40", "packets a day and address [A]" },
	{ "p2p.peers", PARAM_NUMBER, "30000", "peers [A]" },
	{ "p2p.hot", PARAM_NUMBER, "16", "one in so many addresses was a peer once, and gets all of it [A]" },
};

#define MESSAGE 80

static void random_id(uint8_t out[static 20], uint64_t who)
{
	for (int i = 0; i < 20; i++)
		out[i] = (uint8_t)(mix64(who + (uint64_t)i) >> 24);
}

/* BEP 5: ping, find_node, and the answer that nobody asked for. */
static uint16_t krpc(uint8_t *m, uint64_t who, unsigned kind)
{
	const char *head = kind == 2 ? "d1:rd2:id20:" : "d1:ad2:id20:";
	const char *tail = kind == 2 ? "e1:t2:si1:y1:re" : kind ? "6:target4:SIMUe1:q9:find_node1:t2:si1:y1:qe" :
	                                                          "e1:q4:ping1:t2:si1:y1:qe";
	memcpy(m, head, 12);
	random_id(m + 12, who);
	size_t n = strlen(tail);
	memcpy(m + 32, tail, n);
	return (uint16_t)(32 + n);
}

/* BEP 29: version 1, type SYN. */
static uint16_t utp_syn(uint8_t *m, struct rng *r)
{
	memset(m, 0, 20);
	m[0] = 0x41;
	store_be16(m + 2, (uint16_t)rng_u32(r));
	store_be32(m + 4, rng_u32(r) | 1);
	store_be32(m + 12, 1 << 20);
	store_be16(m + 16, 1);
	return 20;
}

/* BEP 3, over TCP without a connection; Kademlia 2's request (eMule's opcodes.h). */
static uint16_t handshake(uint8_t *m, uint64_t who)
{
	memcpy(m, "\x13" "BitTorrent protocol\0\0\0\0\0\0\0\0", 28);
	random_id(m + 28, 0x73696d);
	random_id(m + 48, who);
	return 68;
}

static uint16_t kademlia(uint8_t *m, uint64_t who)
{
	memset(m, 0, 35);
	m[0] = 0xe4;
	m[1] = 0x21;
	random_id(m + 2, who);
	return 35;
}

static void packet(struct sim *s, struct actor *a, const struct param_value *v, int64_t ts)
{
	uint8_t m[MESSAGE];
	uint64_t who = mix64(sim_seed(s) ^ 0x703270 ^ rng_below(&a->rng, param_whole(&v[PEERS]) + 1));
	uint64_t n4 = sim_world(s)->n4, hot = param_whole(&v[HOT]) + 1, few = (n4 + hot - 1) / hot;
	unsigned country, kind = (unsigned)(mix64(who) % 8);
	uint32_t src = sim_source(s, who, &country);
	if (!sim_awake(s, country, &a->rng))
		return;
	struct sim_packet k = sim_udp(ts, src, sim_target(s, rng_below(&a->rng, few) * hot % n4));
	k.ttl = (uint8_t)(128 - sim_hops(src));
	k.id = (uint16_t)rng_u32(&a->rng);
	k.sport = (uint16_t)(20000 + who % 40000);
	k.dport = (uint16_t)(6881 + k.dst % 9000);
	k.class = CLASS_P2P;
	k.payload = m;
	k.payload_len = kind < 5 ? krpc(m, who, kind % 3) : kind == 5 ? utp_syn(m, &a->rng) : kind == 6 ? kademlia(m, who) :
	                                                                                                  handshake(m, who);
	k.access = kind < 5 ? kind % 3 != 2 : kind != 7;
	if (kind == 7) {
		k.proto = PROTO_TCP;
		k.tcp_flags = TCP_PSH | TCP_ACK;
		k.seq = rng_u32(&a->rng);
		k.ack = rng_u32(&a->rng);
		k.window = 64240;
	}
	sim_emit(s, a, &k);
}

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	stream_begin(s, p, 0, "p2p", sim_wait_daily(v[DAILY].micro * 1000 / AWAKE_MEAN, sim_world(s)->n4), v, packet);
}

const struct population population_p2p = { "p2p", params, sizeof params / sizeof *params, start };
