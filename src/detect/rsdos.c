#include "detect/rsdos.h"

#include <string.h>

/* corsaro 2 and 3: the constants of libcorsaro/plugins/corsaro_dos.c. */
#define MIN_PACKETS 25
#define MIN_SECONDS 60
#define MIN_PPM 30
#define BUCKET_SECONDS 10
#define TIMEOUT 300  /* of corsaro2 */
#define INTERVAL 60  /* of corsaro3: UTC minutes */

static int64_t interval_of(int64_t second) { return second / INTERVAL - (second % INTERVAL < 0); }

bool rsdos_over2(const struct rsdos *v, int64_t at) { return at - v->last > TIMEOUT; }
bool rsdos_over3(const struct rsdos *v, int64_t at) { return interval_of(at) - interval_of(v->last) > 1; }

static uint64_t max_ppm(const struct rsdos *v)
{
	uint64_t sum = 0;
	for (int i = 0; i < RSDOS_BUCKETS; i++)
		sum += v->bucket[i];
	return sum > v->max_ppm ? sum : v->max_ppm;
}

/* Buckets that end before it leave the window. */
static void move_window(struct rsdos *v, int64_t second)
{
	int64_t buckets = (second - v->bucket_start) / BUCKET_SECONDS;
	if (buckets <= 0)
		return;
	v->max_ppm = max_ppm(v);
	for (int i = 0; i < buckets && i < RSDOS_BUCKETS; i++) {
		v->at = (v->at + 1) % RSDOS_BUCKETS;
		v->bucket[v->at] = 0;
	}
	v->bucket_start += buckets * BUCKET_SECONDS;
}

static void add_port(struct rsdos *v, uint16_t port)
{
	uint32_t at = 0;
	while (at < v->n_ports && v->port[at] < port)
		at++;
	if (v->n_ports == RSDOS_PORTS || (at < v->n_ports && v->port[at] == port))
		return;
	memmove(&v->port[at + 1], &v->port[at], (v->n_ports - at) * sizeof *v->port);
	v->port[at] = port;
	v->n_ports++;
}

void rsdos_add(struct rsdos *v, const struct victim_row *r)
{
	if (!v->packets)
		*v = (struct rsdos){ .first = r->second, .bucket_start = r->second, .protocol = r->protocol, .place = r->place };
	move_window(v, r->second);
	v->fresh = true;
	v->last = r->second;
	v->packets += r->packets;
	v->bytes += r->bytes;
	v->bucket[v->at] += r->packets;
	v->attackers = r->attackers > v->attackers ? r->attackers : v->attackers;
	add_port(v, r->port);
}

bool rsdos_is_attack(const struct rsdos *v)
{
	return v->fresh && v->packets >= MIN_PACKETS && v->last - v->first >= MIN_SECONDS && max_ppm(v) >= MIN_PPM;
}

void rsdos_record(const struct rsdos *v, const struct addr *victim, struct rsdos_record *out)
{
	*out = (struct rsdos_record){ .victim = *victim, .first = v->first, .last = v->last, .packets = v->packets,
		.bytes = v->bytes, .max_ppm = max_ppm(v), .ports = v->n_ports, .attackers = v->attackers, .place = v->place,
		.protocol = v->protocol };
}

/* ---- At rest ---- */
void rsdos_write(const struct rsdos *v, struct writer *w)
{
	state_put(w, (uint64_t)v->first, 8);
	state_put(w, (uint64_t)v->last, 8);
	state_put(w, v->packets, 8);
	state_put(w, v->bytes, 8);
	state_put(w, (uint64_t)v->bucket_start, 8);
	for (int i = 0; i < RSDOS_BUCKETS; i++)
		state_put(w, v->bucket[i], 8);
	state_put(w, v->max_ppm, 8);
	state_put(w, v->at, 1);
	state_put(w, v->attackers, 4);
	state_put_place(w, &v->place);
	state_put(w, v->protocol, 1);
	state_put(w, v->n_ports, 1);
	for (uint32_t i = 0; i < v->n_ports; i++)
		state_put(w, v->port[i], 2);
}

void rsdos_read(struct rsdos *v, struct reader *r)
{
	*v = (struct rsdos){ .first = (int64_t)state_get(r, 8), .last = (int64_t)state_get(r, 8) };
	v->packets = state_get(r, 8);
	v->bytes = state_get(r, 8);
	v->bucket_start = (int64_t)state_get(r, 8);
	for (int i = 0; i < RSDOS_BUCKETS; i++)
		v->bucket[i] = state_get(r, 8);
	v->max_ppm = state_get(r, 8);
	v->at = (uint32_t)state_get(r, 1) % RSDOS_BUCKETS;
	v->attackers = (uint32_t)state_get(r, 4);
	state_get_place(r, &v->place);
	v->protocol = (uint8_t)state_get(r, 1);
	v->n_ports = (uint32_t)state_get(r, 1) % (RSDOS_PORTS + 1);
	for (uint32_t i = 0; i < v->n_ports; i++)
		v->port[i] = (uint16_t)state_get(r, 2);
}
