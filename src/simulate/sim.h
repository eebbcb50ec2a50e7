/* Inside simulate/: the world, its actors, and how a packet comes to be. */
#pragma once
#include "base/addr.h"
#include "base/env.h"
#include "base/error.h"
#include "model/packet.h"
#include "model/verdict.h"
#include "simulate/params.h"
#include "simulate/random.h"
#include "simulate/simulate.h"

#include <stdbool.h>
#include <stdint.h>

#define SECOND INT64_C(1000000000)
#define NEVER INT64_MAX

enum sim_options { OPTIONS_NONE, OPTIONS_MSS, OPTIONS_ZMAP_WINDOWS, OPTIONS_ZMAP_LINUX, OPTIONS_ZMAP_BSD, OPTIONS_LINUX,
                   OPTIONS_WINDOWS, OPTIONS_SYNACK, OPTIONS_COUNT };

enum sim_victim { VICTIM_NONE, VICTIM_SOURCE, VICTIM_QUOTED };

/* A packet as its population means it. What it does not have is zero. */
struct sim_packet {
	int64_t ts;
	uint32_t src, dst;             /* version 4, host order */
	const uint8_t *src6, *dst6;    /* version 6 */
	const uint8_t *payload;        /* behind the transport header; behind IP, if proto has none */
	uint64_t content;              /* names what is carried, the destination in it left out; 0: the bytes do */
	uint32_t seq, ack;
	uint32_t rest;                 /* ICMP: the four bytes behind the checksum */
	uint16_t payload_len;
	uint16_t sport, dport;         /* ICMP: dport is type << 8 | code */
	uint16_t window, id;
	uint8_t version, proto, ttl, tcp_flags;
	uint8_t options;               /* enum sim_options */
	bool df;
	uint8_t raw;                   /* enum sim_raw */

	uint8_t class;                 /* what it is meant as: enum packet_class */
	bool access;
	uint8_t victim;                /* enum sim_victim, of backscatter */
	uint8_t victim_proto;          /* of VICTIM_QUOTED */
	uint16_t victim_port;
	uint16_t forged_port;          /* from which it was asked in our name */
	uint32_t victim4;
	const uint8_t *victim6;
};

/* Frames that are no ordinary packet. */
enum sim_raw {
	RAW_NO,
	RAW_LATER_FRAGMENT, /* payload at offset 1480 of a fragmented packet */
	RAW_ARP,            /* what a sensor's own network says */
	RAW_CUT,            /* a TCP header that its IP length cuts */
};

struct sim;
struct actor;

/* Emits everything due before `end` and sets `next`, NEVER when there is no more. */
typedef void (*actor_run)(struct sim *s, struct actor *a, int64_t end);

#define ACTOR_STATE 160

struct actor {
	int64_t next; /* ns of its next event, exact or earlier */
	actor_run run;
	struct rng rng;
	const struct population *of;
	uint32_t self, link; /* its number; the next in the same place of the calendar */

	/* For the truth. */
	const char *kind;   /* NULL: no line of its own */
	uint64_t incident;
	int64_t begun, ends;
	int64_t first, last;
	uint64_t packets, accesses, bytes, unseen;
	uint64_t classes[CLASS_COUNT];
	uint32_t waiting;   /* packets of it that wait to be sent again */
	uint32_t who;       /* a source or victim; 0: not one */
	uint32_t n_who;     /* how many sources */
	uint16_t port;      /* 0: none or many */
	uint32_t n_ports;
	uint8_t proto;
	const char *how;    /* a tool's form or the kind of reply */

	_Alignas(16) uint8_t state[ACTOR_STATE];
};

#define STATE_FITS(type) _Static_assert(sizeof(type) <= ACTOR_STATE, "an actor has this much room")

struct population {
	const char *name;
	const struct param *params;
	unsigned n_params;
	void (*start)(struct sim *s, const struct population *p, const struct param_value *v);
};

/* Begins an actor at `next`; `ordinal` names its stream within the population. NULL: no room, which is counted. */
struct actor *actor_begin(struct sim *s, const struct population *p, uint64_t ordinal, actor_run run, int64_t next);

/* ---- the world ---- */
struct sim_world {
	uint64_t n4;         /* monitored IPv4 addresses */
	uint64_t internet;   /* addresses that the Internet has: what a scanner's rate is spread over */
	uint64_t n6;         /* IPv6 addresses that are scanned */
	int64_t from, to;    /* ns */
	int64_t start;       /* of the second at hand, ns */
};
const struct sim_world *sim_world(const struct sim *s);
uint64_t sim_seed(const struct sim *s);

/* The monitored address with a number below n4, at this second (a swapped sensor's changes). */
uint32_t sim_target(const struct sim *s, uint64_t i);
const uint8_t *sim_target6(const struct sim *s, uint64_t i, uint8_t out[static 16]);
bool sim_monitored(const struct sim *s, uint32_t address);

/* A source by a hash: the same hash, the same address. `country` (NULL: not wanted) for sim_awake. Never monitored, never
 * ending in 0 or 255. */
uint32_t sim_source(const struct sim *s, uint64_t hash, unsigned *country);
/* Any address, as forgers draw them: bogons too. Never monitored. */
uint32_t sim_forged(const struct sim *s, struct rng *r);
/* Does somebody of this country do what people and their machines do, at this hour? */
bool sim_awake(const struct sim *s, unsigned country, struct rng *r);
#define AWAKE_MEAN 700 /* of 1,000 draws over a week */

/* Hops from there to here, by a hash of the source. */
static inline uint8_t sim_hops(uint32_t source) { return (uint8_t)(8 + (mix64(source) >> 20) % 17); }

/* Waits (ns << 8) of a Poisson process: so many events a day at each of n addresses; so many a second spread over the
 * Internet, as seen by all monitored addresses. 0: never. */
uint64_t sim_wait_daily(int64_t micro_per_day, uint64_t n);
uint64_t sim_wait_spread(const struct sim *s, uint64_t per_second);

/* ---- packets ---- */
void sim_emit(struct sim *s, struct actor *a, const struct sim_packet *p);
/* The same packet again `after` seconds (1 to 63) later, with another IP id: as sent by a stack that got no answer.
 * `delays`: seconds between sendings, ended by 0; its payload must stay. */
void sim_again(struct sim *s, struct actor *a, const struct sim_packet *p, const uint8_t *delays);

static inline struct sim_packet sim_tcp(int64_t ts, uint32_t src, uint32_t dst)
{
	return (struct sim_packet){ .ts = ts, .version = 4, .proto = PROTO_TCP, .src = src, .dst = dst };
}

static inline struct sim_packet sim_udp(int64_t ts, uint32_t src, uint32_t dst)
{
	return (struct sim_packet){ .ts = ts, .version = 4, .proto = PROTO_UDP, .src = src, .dst = dst };
}

static inline struct sim_packet sim_icmp(int64_t ts, uint32_t src, uint32_t dst, unsigned type, unsigned code)
{
	return (struct sim_packet){ .ts = ts, .version = 4, .proto = PROTO_ICMP, .src = src, .dst = dst,
	                            .dport = (uint16_t)(type << 8 | code) };
}
