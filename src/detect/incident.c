#include "detect/incident.h"

#include "model/packet.h"

#include <string.h>

#define IDLE 600         /* s without a packet that end it */
#define LEAST_FORGED 10  /* distinct packets below which nobody is told */
#define FEW 3            /* ports or addresses that are narrow (DEFINITIONS 1) */
#define MANY_ADDRESSES 10
#define LEAST_MONITORED 64 /* for a verdict on who answers by UDP */

bool incident_over(const struct incident *v, int64_t at) { return at - v->last > IDLE; }

/* ---- Adding ---- */
static void lower(struct incident *v, uint32_t bound)
{
	v->bound = bound < v->bound ? bound : v->bound;
	while (v->n_sample && v->sample[v->n_sample - 1].element > v->bound)
		v->n_sample--;
}

static void add_pair(struct incident *v, uint32_t element)
{
	uint32_t at = 0;
	if (element > v->bound)
		return;
	while (at < v->n_sample && v->sample[at].element < element)
		at++;
	if (at < v->n_sample && v->sample[at].element == element) {
		v->sample[at].seen++;
		return;
	}
	if (v->n_sample == INCIDENT_SAMPLE)
		lower(v, (at == v->n_sample ? element : v->sample[v->n_sample - 1].element) - 1);
	if (element > v->bound)
		return;
	memmove(&v->sample[at + 1], &v->sample[at], (v->n_sample - at) * sizeof *v->sample);
	v->sample[at] = (struct sampled){ element, 1 };
	v->n_sample++;
}

static void add_sample(struct incident *v, const struct victim_row *r)
{
	if (r->forged > r->sample.n && r->sample.n)
		lower(v, r->sample.element[r->sample.n - 1]);
	for (uint32_t i = 0; i < r->sample.n; i++)
		add_pair(v, r->sample.element[i]);
}

static void add_vector(struct incident *v, const struct victim_row *r)
{
	struct attack_vector_record *x = v->vector, *end = v->vector + v->n_vectors;
	while (x < end && (x->kind != r->kind || x->protocol != r->protocol || x->port != r->port))
		x++;
	if (x == end && v->n_vectors == INCIDENT_VECTORS) {
		v->more = true;
		return;
	}
	if (x == end) {
		*x = (struct attack_vector_record){ .first = r->second, .kind = r->kind, .protocol = r->protocol, .port = r->port,
			.length_min = UINT16_MAX, .ttl_min = UINT8_MAX };
		v->n_vectors++;
	}
	x->last = r->second;
	x->packets += r->packets;
	x->bytes += r->bytes;
	x->forged += r->forged;
	x->length_min = r->length_min < x->length_min ? r->length_min : x->length_min;
	x->length_max = r->length_max > x->length_max ? r->length_max : x->length_max;
	x->ttl_min = r->ttl_min < x->ttl_min ? r->ttl_min : x->ttl_min;
	x->ttl_max = r->ttl_max > x->ttl_max ? r->ttl_max : x->ttl_max;
}

static void add_minute(struct incident *v, const struct victim_row *r)
{
	int64_t minute = r->second / 60 - (r->second % 60 < 0);
	if (minute != v->minute)
		v->now = v->now_forged = 0;
	v->minute = minute;
	v->now += r->packets;
	v->now_forged += r->forged;
	v->peak_forged = v->now_forged > v->peak_forged ? v->now_forged : v->peak_forged;
	if (v->now <= v->peak)
		return;
	v->peak = v->now;
	v->peak_minute = minute;
}

void incident_add(struct incident *v, const struct victim_row *r)
{
	if (!v->packets)
		*v = (struct incident){ .first = r->second, .minute = INT64_MIN, .bound = UINT32_MAX, .addresses = r->addresses,
			.place = r->place };
	v->fresh = true;
	v->last = r->second;
	v->packets += r->packets;
	v->bytes += r->bytes;
	v->forged += r->forged;
	v->addresses = r->addresses < v->addresses ? r->addresses : v->addresses;
	v->row_addresses = r->attackers > v->row_addresses ? r->attackers : v->row_addresses;
	v->row_pairs = r->forged > v->row_pairs ? r->forged : v->row_pairs;
	add_minute(v, r);
	add_sample(v, r);
	add_vector(v, r);
}

/* ---- The verdict ---- */
/* Distinct of a few numbers: no sort is worth it. */
static uint32_t count_distinct(const struct incident *v, uint16_t (*of)(uint32_t element))
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < v->n_sample; i++) {
		uint32_t k = 0;
		while (k < i && of(v->sample[k].element) != of(v->sample[i].element))
			k++;
		n += k == i;
	}
	return n;
}

static uint32_t count_attacked(const struct incident *v)
{
	uint32_t n = v->more;
	for (uint32_t i = 0; i < v->n_vectors; i++) {
		uint32_t k = 0;
		while (k < i && v->vector[k].port != v->vector[i].port)
			k++;
		n += k == i;
	}
	return n;
}

static const struct attack_vector_record *main_vector(const struct incident *v)
{
	const struct attack_vector_record *most = v->vector;
	for (uint32_t i = 1; i < v->n_vectors; i++)
		if (v->vector[i].packets > most->packets)
			most = &v->vector[i];
	return most;
}

/* DEFINITIONS 1: a UDP replier is usually a reflector; many forged ports from few attacked ones are a victim's, few from
 * many a scanner's; narrow on both sides, nobody can tell. */
static enum attack_verdict judge(const struct attack_record *a, uint32_t addresses)
{
	bool udp = a->kind == REPLY_ANSWER && a->protocol == PROTO_UDP;
	if (udp && addresses <= FEW)
		return ATTACK_REFLECTION;
	if (addresses < MANY_ADDRESSES || (udp && a->addresses < LEAST_MONITORED))
		return ATTACK_UNDECIDED;
	if (a->kind == REPLY_ANSWER && !udp)
		return ATTACK_SURE; /* no ports to ask */
	if (a->ports_seen <= FEW)
		return a->attacked > FEW ? ATTACK_SCAN : ATTACK_UNDECIDED;
	return a->attacked <= FEW ? ATTACK_SURE : ATTACK_UNDECIDED;
}

static uint64_t appearances(const struct incident *v)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < v->n_sample; i++)
		n += v->sample[i].seen;
	return n;
}

bool incident_counts(const struct incident *v)
{
	uint64_t seen = appearances(v);
	return v->fresh && v->packets && seen &&
	       (v->row_pairs >= LEAST_FORGED || v->forged * v->n_sample >= LEAST_FORGED * seen);
}

void incident_record(const struct incident *v, const struct addr *victim, struct attack_record *out)
{
	const struct attack_vector_record *most = main_vector(v);
	*out = (struct attack_record){ .victim = *victim, .first = v->first, .last = v->last, .packets = v->packets,
		.bytes = v->bytes, .forged = v->forged, .addresses = v->addresses, .sampled = v->n_sample,
		.appearances = appearances(v), .peak = v->peak, .peak_forged = v->peak_forged, .peak_minute = v->peak_minute,
		.addresses_seen = count_distinct(v, reply_address_hash), .ports_seen = count_distinct(v, reply_port),
		.attacked = count_attacked(v), .vectors = v->n_vectors, .kind = most->kind, .protocol = most->protocol,
		.port = most->port, .length_min = UINT16_MAX, .ttl_min = UINT8_MAX, .place = v->place };
	for (uint32_t i = 0; i < v->n_vectors; i++) {
		const struct attack_vector_record *x = &v->vector[i];
		out->length_min = x->length_min < out->length_min ? x->length_min : out->length_min;
		out->length_max = x->length_max > out->length_max ? x->length_max : out->length_max;
		out->ttl_min = x->ttl_min < out->ttl_min ? x->ttl_min : out->ttl_min;
		out->ttl_max = x->ttl_max > out->ttl_max ? x->ttl_max : out->ttl_max;
	}
	uint32_t seen = out->addresses_seen;
	out->verdict = (uint8_t)judge(out, seen > v->row_addresses ? seen : v->row_addresses);
}

/* ---- At rest ---- */
static void write_vector(const struct attack_vector_record *x, struct writer *w)
{
	const uint64_t eight[] = { (uint64_t)x->first, (uint64_t)x->last, x->packets, x->bytes, x->forged };
	for (size_t i = 0; i < sizeof eight / sizeof *eight; i++)
		state_put(w, eight[i], 8);
	state_put(w, x->port, 2);
	state_put(w, x->length_min, 2);
	state_put(w, x->length_max, 2);
	state_put(w, x->kind, 1);
	state_put(w, x->protocol, 1);
	state_put(w, x->ttl_min, 1);
	state_put(w, x->ttl_max, 1);
}

static void read_vector(struct attack_vector_record *x, struct reader *r)
{
	*x = (struct attack_vector_record){ 0 };
	x->first = (int64_t)state_get(r, 8);
	x->last = (int64_t)state_get(r, 8);
	x->packets = state_get(r, 8);
	x->bytes = state_get(r, 8);
	x->forged = state_get(r, 8);
	x->port = (uint16_t)state_get(r, 2);
	x->length_min = (uint16_t)state_get(r, 2);
	x->length_max = (uint16_t)state_get(r, 2);
	x->kind = (uint8_t)state_get(r, 1);
	x->protocol = (uint8_t)state_get(r, 1);
	x->ttl_min = (uint8_t)state_get(r, 1);
	x->ttl_max = (uint8_t)state_get(r, 1);
}

void incident_write(const struct incident *v, struct writer *w)
{
	const uint64_t eight[] = { (uint64_t)v->first, (uint64_t)v->last, v->packets, v->bytes, v->forged, v->addresses,
		                   (uint64_t)v->minute, (uint64_t)v->peak_minute, v->now, v->now_forged, v->peak, v->peak_forged };
	for (size_t i = 0; i < sizeof eight / sizeof *eight; i++)
		state_put(w, eight[i], 8);
	state_put_place(w, &v->place);
	state_put(w, v->row_addresses, 4);
	state_put(w, v->row_pairs, 4);
	state_put(w, v->bound, 4);
	state_put(w, v->n_sample, 1);
	for (uint32_t i = 0; i < v->n_sample; i++) {
		state_put(w, v->sample[i].element, 4);
		state_put(w, v->sample[i].seen, 4);
	}
	state_put(w, v->more, 1);
	state_put(w, v->n_vectors, 1);
	for (uint32_t i = 0; i < v->n_vectors; i++)
		write_vector(&v->vector[i], w);
}

void incident_read(struct incident *v, struct reader *r)
{
	*v = (struct incident){ 0 };
	uint64_t *const eight[] = { (uint64_t *)&v->first, (uint64_t *)&v->last, &v->packets, &v->bytes, &v->forged,
		                    &v->addresses, (uint64_t *)&v->minute, (uint64_t *)&v->peak_minute, &v->now,
		                    &v->now_forged, &v->peak, &v->peak_forged };
	for (size_t i = 0; i < sizeof eight / sizeof *eight; i++)
		*eight[i] = state_get(r, 8);
	state_get_place(r, &v->place);
	v->row_addresses = (uint32_t)state_get(r, 4);
	v->row_pairs = (uint32_t)state_get(r, 4);
	v->bound = (uint32_t)state_get(r, 4);
	v->n_sample = (uint32_t)state_get(r, 1) % (INCIDENT_SAMPLE + 1);
	for (uint32_t i = 0; i < v->n_sample; i++) {
		v->sample[i].element = (uint32_t)state_get(r, 4);
		v->sample[i].seen = (uint32_t)state_get(r, 4);
	}
	v->more = state_get(r, 1);
	v->n_vectors = (uint32_t)state_get(r, 1) % (INCIDENT_VECTORS + 1);
	for (uint32_t i = 0; i < v->n_vectors; i++)
		read_vector(&v->vector[i], r);
}
