/* Tables of the live counters (tally.h): the heaviest sources and ports in fixed memory, and how many sources there were.
 *
 * Misra and Gries, "Finding repeated elements", Science of Computer Programming 2, 1982: when a table of K rows is full,
 * every row loses one of its weight, and those without weight their place. What came more than n / K times in n is there.
 * Each pass takes K off the n that came, so that passes cost as much as the packets did. Hashes are seeded by the caller.
 */
#pragma once
#include "base/hll.h"
#include "classify/classify.h"

#include <stdbool.h>
#include <stdint.h>

#define HEAVY_SOURCES 1024
#define HEAVY_PORTS 512
#define HEAVY_SLOTS(rows) (4 * (rows))

struct port {
	uint8_t proto;   /* IP protocol number */
	uint16_t number; /* or ICMP type << 8 | code */
};
static inline uint32_t port_key(struct port p) { return (uint32_t)p.proto << 16 | p.number; }
const char *port_protocol(struct port p);  /* "tcp", "udp", "icmp", "icmpv6", "sctp", else "other" */
static inline bool port_has_number(struct port p)
{
	return p.proto == PROTO_TCP || p.proto == PROTO_UDP || p.proto == PROTO_SCTP;
}

#define SOURCE_PORTS 4
#define SOURCE_MARKS 3
struct heavy_source {
	struct addr address;
	uint32_t hash;
	uint32_t packets, accesses; /* since it has its place */
	uint32_t probes[PROBE_PROTOCOLS];
	uint32_t n_ports, n_marks;
	struct port port[SOURCE_PORTS]; /* the first that it asked for */
	struct evidence mark[SOURCE_MARKS]; /* its tuples: packets, those sent again too */
};

struct heavy_sources {
	struct heavy_source row[HEAVY_SOURCES];
	uint32_t weight[HEAVY_SOURCES];
	uint16_t slot[HEAVY_SLOTS(HEAVY_SOURCES)]; /* row + 1; 0: empty */
	uint32_t n;
};

#define PORT_BITS 2048
struct heavy_port {
	struct port port;
	uint32_t hash, accesses;
	uint64_t seen[PORT_BITS / 64]; /* linear counting (Whang et al., ACM TODS 15, 1990) of its sources */
};

struct heavy_ports {
	struct heavy_port row[HEAVY_PORTS];
	uint32_t weight[HEAVY_PORTS];
	uint16_t slot[HEAVY_SLOTS(HEAVY_PORTS)];
	uint32_t n;
};

/* The row of a key; NULL: all rows are heavier, this one's weight was taken off them. */
struct heavy_source *heavy_source_add(struct heavy_sources *t, const struct addr *a, uint64_t hash);
struct heavy_port *heavy_port_add(struct heavy_ports *t, struct port port, uint64_t hash);

void heavy_source_count(struct heavy_source *s, const struct packet *p, const struct verdict *v);
void heavy_port_count(struct heavy_port *p, uint64_t source_hash);

/* Adds a row of another minute; both are of one key. */
void heavy_source_merge(struct heavy_source *into, const struct heavy_source *from);
void heavy_port_merge(struct heavy_port *into, const struct heavy_port *from);

enum tool heavy_source_tool(const struct heavy_source *s);
uint64_t heavy_port_sources(const struct heavy_port *p);

/* How many different hashes: exact as long as they are few. */
#define SET_EXACT 1024
struct source_set {
	uint64_t exact[2 * SET_EXACT]; /* 0: empty */
	uint32_t n;                    /* past SET_EXACT only `reg` tells */
	uint8_t reg[HLL_REGISTERS];
};
void source_set_add(struct source_set *s, uint64_t hash);
uint64_t source_set_count(const struct source_set *s);
