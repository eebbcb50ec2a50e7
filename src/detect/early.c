#include "detect/early.h"

#include <string.h>

bool early_over(const struct early *v, int64_t at)
{
	return v->onset.packets && at - (int64_t)v->onset.last > ONSET_IDLE;
}

/* ---- Adding ---- */
static const struct onset_rule *rule_for(struct early_rule *r, uint64_t addresses)
{
	if (!r->made || r->addresses != addresses)
		onset_rule_make(&r->rule, addresses, true); /* readers leave out what nobody asked for */
	r->made = true;
	r->addresses = addresses;
	return &r->rule;
}

static void take_outcome(struct early *v, const struct victim_row *r, enum onset_outcome outcome, uint16_t evidence)
{
	struct onset_record *t = &v->told;
	if (outcome == ONSET_RAISED)
		*t = (struct onset_record){ .raised = r->second, .first = v->onset.first, .evidence = evidence,
			.packets = v->onset.packets, .addresses = v->addresses, .kind = r->kind, .protocol = r->protocol,
			.port = r->port, .place = r->place };
	if (outcome != ONSET_CONFIRMED && outcome != ONSET_CONTRADICTED)
		return;
	t->outcome = outcome == ONSET_CONFIRMED ? ONSET_IS_CONFIRMED : ONSET_IS_CONTRADICTED;
	t->settled = r->second;
	t->packets = v->onset.packets;
	t->evidence = evidence;
	t->addresses = v->addresses < t->addresses ? v->addresses : t->addresses;
}

void early_add(struct early *v, struct early_rule *rule, const struct victim_row *r)
{
	struct onset_row row = { .second = (uint32_t)r->second, .kind = r->kind, .protocol = r->protocol, .port = r->port,
		                 .n = (uint8_t)r->sample.n };
	uint16_t evidence;
	for (uint32_t i = 0; i < r->sample.n; i++)
		row.sample[i] = reply_pair(r->sample.element[i]);
	if (!v->onset.packets)
		*v = (struct early){ .addresses = r->addresses };
	v->addresses = r->addresses < v->addresses ? r->addresses : v->addresses;
	enum onset_outcome outcome = onset_add(&v->onset, rule_for(rule, r->addresses), &row, &evidence);
	take_outcome(v, r, outcome, evidence);
	if (!v->told.raised || (v->told.settled && outcome == ONSET_NOTHING) || !row.n)
		return;
	v->told.last = r->second;
	v->fresh = true;
}

/* ---- What is told ---- */
bool early_counts(const struct early *v) { return v->fresh && v->told.raised; }

void early_record(const struct early *v, const struct addr *victim, struct onset_record *out)
{
	*out = v->told;
	out->victim = *victim;
}

/* ---- At rest ---- */
static uint32_t held(const struct onset *o) { return o->packets < ONSET_RING ? o->packets : ONSET_RING; }

static void write_told(const struct onset_record *t, struct writer *w)
{
	const uint64_t eight[] = { (uint64_t)t->raised, (uint64_t)t->first, (uint64_t)t->last, (uint64_t)t->settled,
		                   t->addresses };
	for (size_t i = 0; i < sizeof eight / sizeof *eight; i++)
		state_put(w, eight[i], 8);
	state_put(w, t->packets, 4);
	state_put(w, t->evidence, 4);
	state_put_place(w, &t->place);
	state_put(w, t->port, 2);
	state_put(w, t->kind, 1);
	state_put(w, t->protocol, 1);
	state_put(w, t->outcome, 1);
}

static void read_told(struct onset_record *t, struct reader *r)
{
	t->raised = (int64_t)state_get(r, 8);
	t->first = (int64_t)state_get(r, 8);
	t->last = (int64_t)state_get(r, 8);
	t->settled = (int64_t)state_get(r, 8);
	t->addresses = state_get(r, 8);
	t->packets = (uint32_t)state_get(r, 4);
	t->evidence = (uint32_t)state_get(r, 4);
	state_get_place(r, &t->place);
	t->port = (uint16_t)state_get(r, 2);
	t->kind = (uint8_t)state_get(r, 1);
	t->protocol = (uint8_t)state_get(r, 1);
	t->outcome = (uint8_t)state_get(r, 1);
}

void early_write(const struct early *v, struct writer *w)
{
	const struct onset *o = &v->onset;
	state_put(w, o->packets, 1);
	for (uint32_t i = 0; i < held(o); i++)
		state_put(w, o->pair[i], 4);
	state_put(w, o->first, 4);
	state_put(w, o->last, 4);
	state_put(w, (uint16_t)o->addresses, 2);
	state_put(w, (uint16_t)o->ports, 2);
	state_put(w, o->attacked, 2);
	state_put(w, o->phase, 1);
	state_put(w, v->addresses, 8);
	state_put(w, v->told.raised != 0, 1);
	if (v->told.raised)
		write_told(&v->told, w);
}

void early_read(struct early *v, struct reader *r)
{
	struct onset *o = &v->onset;
	*v = (struct early){ 0 };
	o->packets = (uint8_t)state_get(r, 1);
	for (uint32_t i = 0; i < held(o); i++)
		o->pair[i] = (uint32_t)state_get(r, 4);
	o->first = (uint32_t)state_get(r, 4);
	o->last = (uint32_t)state_get(r, 4);
	o->addresses = (int16_t)state_get(r, 2);
	o->ports = (int16_t)state_get(r, 2);
	o->attacked = (uint16_t)state_get(r, 2);
	o->phase = (uint8_t)state_get(r, 1);
	v->addresses = state_get(r, 8);
	if (state_get(r, 1))
		read_told(&v->told, r);
}
