/* Vectors by the definitions of corsaro2 and corsaro3 (plugin "dos"), over rows of whole seconds. */
#pragma once
#include "detect/state.h"
#include "model/attack.h"

#define RSDOS_BUCKETS 6

struct rsdos {
	bool fresh;           /* has had a packet in this fold */
	int64_t first, last;
	uint64_t packets;     /* 0: there is none */
	uint64_t bytes;
	int64_t bucket_start; /* of the one at hand */
	uint64_t bucket[RSDOS_BUCKETS], max_ppm;
	uint32_t at;          /* the bucket at hand */
	uint32_t attackers;
	uint32_t n_ports;
	uint16_t port[RSDOS_PORTS]; /* ascending */
	uint8_t protocol;
	struct place place;
};

void rsdos_add(struct rsdos *v, const struct victim_row *r);
/* Is it an attack that this fold has to tell of? */
bool rsdos_is_attack(const struct rsdos *v);
void rsdos_record(const struct rsdos *v, const struct addr *victim, struct rsdos_record *out);

void rsdos_write(const struct rsdos *v, struct writer *w);
void rsdos_read(struct rsdos *v, struct reader *r);

/* Is it over for a packet of second `at`? */
bool rsdos_over2(const struct rsdos *v, int64_t at);
bool rsdos_over3(const struct rsdos *v, int64_t at);
