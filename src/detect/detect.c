#include "detect/detect.h"

#include "detect/early.h"
#include "detect/incident.h"
#include "detect/rsdos.h"

#include <errno.h>

/* corsaro3 has tables of vectors for three attacked protocols, and takes no other. */
enum { VECTOR_TCP, VECTOR_UDP, VECTOR_ICMP, VECTORS3 };

struct detect {
	const struct env *env;
	struct detect_sink sink;
	struct addr victim;
	struct rsdos two, three[VECTORS3];
	struct incident incident;
	struct early early;
	struct early_rule rule;
	struct writer state;
};

int detect_open(struct detect **out, const struct env *env, const struct detect_sink *sink, struct error *e)
{
	struct detect *d = env_alloc(env, sizeof *d);
	if (!d)
		return error_no_memory(e, "looking for attacks");
	d->env = d->state.env = env;
	d->sink = *sink;
	*out = d;
	return 0;
}

void detect_close(struct detect *d)
{
	if (!d)
		return;
	env_free(d->env, d->state.p, d->state.room);
	env_free(d->env, d, sizeof *d);
}

/* ---- States ---- */
/* One bit a vector that is there, then these. */
static void write_state(const struct detect *d, struct writer *w)
{
	uint32_t there = d->two.packets != 0;
	for (int i = 0; i < VECTORS3; i++)
		there |= (uint32_t)(d->three[i].packets != 0) << (1 + i);
	there |= (uint32_t)(d->incident.packets != 0) << (1 + VECTORS3);
	there |= (uint32_t)(d->early.onset.packets != 0) << (2 + VECTORS3);
	if (!there)
		return;
	state_put(w, there, 1);
	if (d->two.packets)
		rsdos_write(&d->two, w);
	for (int i = 0; i < VECTORS3; i++)
		if (d->three[i].packets)
			rsdos_write(&d->three[i], w);
	if (d->incident.packets)
		incident_write(&d->incident, w);
	if (d->early.onset.packets)
		early_write(&d->early, w);
}

static bool read_state(struct detect *d, const struct victim_state *s)
{
	struct reader r = { .p = s->bytes, .n = s->n };
	uint32_t there = (uint32_t)state_get(&r, 1);
	if (there & 1)
		rsdos_read(&d->two, &r);
	for (int i = 0; i < VECTORS3; i++)
		if (there >> (1 + i) & 1)
			rsdos_read(&d->three[i], &r);
	if (there >> (1 + VECTORS3) & 1)
		incident_read(&d->incident, &r);
	if (there >> (2 + VECTORS3) & 1)
		early_read(&d->early, &r);
	return !r.failed && r.at == r.n;
}

/* ---- A victim ---- */
int detect_begin(struct detect *d, const struct victim_state *before, struct error *e)
{
	d->victim = *before->victim;
	d->two = (struct rsdos){ 0 };
	d->incident = (struct incident){ 0 };
	d->early = (struct early){ 0 };
	for (int i = 0; i < VECTORS3; i++)
		d->three[i] = (struct rsdos){ 0 };
	return !before->n || read_state(d, before) ? 0 :
	       error_set(e, -EIO, "MON-DET-001", "what is at rest of attacks that go on cannot be read");
}

static int tell(const struct detect *d, struct rsdos *v,
                int (*to)(void *ctx, const struct rsdos_record *r, struct error *e), struct error *e)
{
	struct rsdos_record record;
	if (!rsdos_is_attack(v))
		return 0;
	rsdos_record(v, &d->victim, &record);
	return to(d->sink.ctx, &record, e);
}

static int add2(struct detect *d, const struct victim_row *r, struct error *e)
{
	int rc = 0;
	if (d->two.packets && rsdos_over2(&d->two, r->second)) {
		rc = tell(d, &d->two, d->sink.corsaro2, e);
		d->two.packets = 0;
	}
	rsdos_add(&d->two, r);
	return rc;
}

static int add3(struct detect *d, const struct victim_row *r, struct error *e)
{
	int rc = 0;
	int vector = r->protocol == 6 ? VECTOR_TCP : r->protocol == 17 ? VECTOR_UDP : r->protocol == 1 ? VECTOR_ICMP : -1;
	if (vector < 0)
		return 0;
	struct rsdos *v = &d->three[vector];
	if (v->packets && rsdos_over3(v, r->second)) {
		rc = tell(d, v, d->sink.corsaro3, e);
		v->packets = 0;
	}
	rsdos_add(v, r);
	return rc;
}

/* corsaro knows IPv4 alone, and no answers of UDP. */
static bool corsaro_takes(const struct detect *d, const struct victim_row *r)
{
	return addr_is_v4(&d->victim) && (r->kind != REPLY_ANSWER || r->protocol == 1);
}

static int tell_incident(const struct detect *d, struct error *e)
{
	const struct incident *v = &d->incident;
	struct attack_record record;
	if (!incident_counts(v))
		return 0;
	incident_record(v, &d->victim, &record);
	int rc = d->sink.attack(d->sink.ctx, &record, e);
	for (uint32_t i = 0; !rc && i < v->n_vectors; i++) {
		struct attack_vector_record vector = v->vector[i];
		vector.victim = d->victim;
		vector.attack = v->first;
		rc = d->sink.vector(d->sink.ctx, &vector, e);
	}
	return rc;
}

static int tell_onset(const struct detect *d, struct error *e)
{
	struct onset_record record;
	if (!early_counts(&d->early))
		return 0;
	early_record(&d->early, &d->victim, &record);
	return d->sink.onset(d->sink.ctx, &record, e);
}

static int add_early(struct detect *d, const struct victim_row *r, struct error *e)
{
	int rc = 0;
	if (early_over(&d->early, r->second)) {
		rc = tell_onset(d, e);
		d->early = (struct early){ 0 };
	}
	early_add(&d->early, &d->rule, r);
	return rc;
}

int detect_row(struct detect *d, const struct victim_row *r, struct error *e)
{
	int rc = 0;
	if (d->incident.packets && incident_over(&d->incident, r->second)) {
		rc = tell_incident(d, e);
		d->incident.packets = 0;
	}
	incident_add(&d->incident, r);
	if (!rc)
		rc = add_early(d, r, e);
	if (!rc && corsaro_takes(d, r))
		rc = add2(d, r, e);
	if (!rc && corsaro_takes(d, r))
		rc = add3(d, r, e);
	return rc;
}

int detect_end(struct detect *d, int64_t until, struct error *e)
{
	int rc = tell(d, &d->two, d->sink.corsaro2, e);
	for (int i = 0; !rc && i < VECTORS3; i++)
		rc = tell(d, &d->three[i], d->sink.corsaro3, e);
	if (!rc)
		rc = tell_incident(d, e);
	if (!rc)
		rc = tell_onset(d, e);
	if (rc)
		return rc;
	if (incident_over(&d->incident, until))
		d->incident.packets = 0;
	if (early_over(&d->early, until))
		d->early = (struct early){ 0 };
	if (rsdos_over2(&d->two, until))
		d->two.packets = 0;
	for (int i = 0; i < VECTORS3; i++)
		if (rsdos_over3(&d->three[i], until))
			d->three[i].packets = 0;
	d->state.n = 0;
	write_state(d, &d->state);
	if (d->state.failed)
		return error_no_memory(e, "looking for attacks");
	struct victim_state s = { &d->victim, d->state.p, d->state.n };
	return s.n ? d->sink.state(d->sink.ctx, &s, e) : 0;
}
