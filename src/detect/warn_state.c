/* Everything that early warning knows, as bytes: one description for both ways. Only keys that were asked for and pairs
 * that are there are written. */
#include "detect/state.h"
#include "detect/warn.h"

#include <errno.h>

#define MAGIC 0x314e5257u /* "WRN1" */

struct codec {
	struct writer *w; /* or */
	struct reader *r;
};

static void code(struct codec *c, void *field, uint32_t bytes)
{
	uint64_t v = 0;
	uint8_t *p = field; /* little-endian machines alone: what the whole program asks for */
	if (c->w) {
		for (uint32_t i = 0; i < bytes; i++)
			v |= (uint64_t)p[i] << 8 * i;
		state_put(c->w, v, bytes);
		return;
	}
	v = state_get(c->r, bytes);
	for (uint32_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}
#define CODE(field) code(c, &(field), sizeof(field))
#define CODE_ALL(array) \
	for (size_t code_i = 0; code_i < sizeof(array) / sizeof *(array); code_i++) \
		code(c, &(array)[code_i], sizeof *(array))

static void code_key(struct codec *c, struct warn_key *k)
{
	CODE(k->born), CODE(k->hour), CODE(k->observed), CODE(k->x), CODE(k->fresh), CODE(k->since), CODE(k->event);
	CODE(k->totals);
	CODE_ALL(k->s);
	CODE(k->sum), CODE(k->fresh_sum), CODE(k->hours), CODE(k->fresh_hours), CODE(k->excess), CODE(k->square);
	CODE(k->day_x), CODE(k->day_mean), CODE(k->drift), CODE(k->week), CODE(k->hot), CODE(k->days), CODE(k->weekend);
	CODE_ALL(k->season);
	CODE_ALL(k->mask[0]);
	CODE_ALL(k->mask[1]);
}

static void code_pair(struct codec *c, struct warn_pair *p)
{
	CODE(p->slot), CODE(p->network), CODE(p->hour), CODE(p->hours), CODE(p->country), CODE(p->tools);
	CODE(p->counted), CODE(p->swept);
	CODE(p->sources), CODE(p->payloads), CODE(p->packets), CODE(p->reach), CODE(p->sensors), CODE(p->ports);
	CODE(p->hour_ports);
}

static void code_name(struct codec *c, struct warning_key *k) { CODE(k->family), CODE(k->protocol), CODE(k->id); }

static void code_event(struct codec *c, struct warn_event *v)
{
	struct warning_event *t = &v->told;
	CODE(t->id);
	code_name(c, &t->key);
	CODE(t->grade), CODE(t->phase), CODE(t->shape), CODE(t->keys);
	for (int i = 0; i < 15; i++)
		code_name(c, &t->also[i]);
	CODE(t->since), CODE(t->raised), CODE(t->last), CODE(t->evidence), CODE(t->needed), CODE(t->networks), CODE(t->sources);
	CODE(t->packets), CODE(t->expected), CODE(t->sensors), CODE(t->tools), CODE(t->country), CODE(t->resembles);
	CODE(t->absent);
	CODE(t->learning);
	CODE_ALL(v->slot);
	CODE_ALL(v->networks);
	CODE(v->peak), CODE(v->now), CODE(v->open);
}

static void code_head(struct codec *c, struct warning *w)
{
	CODE(w->n_other), CODE(w->first), CODE(w->minute), CODE(w->observed), CODE(w->hour_exposure), CODE(w->holiday);
	CODE(w->calm);
	CODE(w->n_events), CODE(w->n_past), CODE(w->next_id), CODE(w->recount), CODE(w->not_counted), CODE(w->no_room);
}

static void save_keys(struct codec *c, struct warning *w)
{
	uint32_t end = SLOT_NONE;
	for (uint32_t i = 0; i < w->n_other; i++)
		CODE(w->other[i].id), CODE(w->other[i].family);
	for (uint32_t slot = 0; slot < w->slots; slot++) {
		if (!w->key[slot].born)
			continue;
		uint8_t flags = (uint8_t)((w->touched[slot / 64] >> slot % 64 & 1) | (w->in_hour[slot / 64] >> slot % 64 & 1) << 1);
		CODE(slot), CODE(flags);
		code_key(c, &w->key[slot]);
	}
	CODE(end);
}

static void save_pairs(struct codec *c, struct warning *w, struct warn_pairs *of)
{
	CODE(of->n), CODE(of->level);
	for (uint32_t i = 0; of->n && i < w->config.pairs; i++)
		if (of->pair[i].hour)
			code_pair(c, &of->pair[i]);
}

int warning_save(struct warning *w, uint8_t **bytes, uint32_t *n, uint32_t *room, struct error *e)
{
	struct writer to = { .env = w->env };
	struct codec codec = { .w = &to }, *c = &codec;
	uint32_t magic = MAGIC;
	CODE(magic);
	code_head(c, w);
	save_keys(c, w);
	save_pairs(c, w, &w->today);
	save_pairs(c, w, &w->yesterday);
	for (uint32_t i = 0; i < w->n_events; i++)
		code_event(c, &w->event[i]);
	for (uint32_t i = 0; i < w->n_past; i++)
		code_event(c, &w->past[i]);
	if (to.failed) {
		env_free(w->env, to.p, to.room);
		return error_no_memory(e, "what early warning knows");
	}
	*bytes = to.p;
	*n = to.n;
	*room = to.room;
	return 0;
}

static bool load_keys(struct codec *c, struct warning *w)
{
	uint32_t others = w->n_other;
	w->n_other = 0;
	for (uint32_t i = 0; i < others && !c->r->failed; i++) {
		struct other o = { 0 };
		CODE(o.id), CODE(o.family);
		struct warning_key key = { o.family, 0, o.id };
		if ((o.family != WARNING_PAYLOAD && o.family != WARNING_NETWORK) || warn_slot(w, &key, true) != SLOT_FREE + i)
			return false;
	}
	for (uint32_t slot = 0; !c->r->failed;) {
		uint8_t flags = 0;
		CODE(slot);
		if (slot == SLOT_NONE)
			return true;
		if (slot >= w->slots)
			return false;
		CODE(flags);
		code_key(c, &w->key[slot]);
		w->touched[slot / 64] |= (uint64_t)(flags & 1) << slot % 64;
		w->in_hour[slot / 64] |= (uint64_t)(flags >> 1 & 1) << slot % 64;
		w->hot[slot / 64] |= (uint64_t)w->key[slot].hot << slot % 64;
	}
	return false;
}

static bool load_pairs(struct codec *c, struct warning *w, struct warn_pairs *of)
{
	uint32_t n = 0;
	CODE(n), CODE(of->level);
	if (n > w->config.pairs / 4 * 3 || of->level > 63)
		return false;
	for (uint32_t i = 0; i < n && !c->r->failed; i++) {
		struct warn_pair p = { 0 };
		code_pair(c, &p);
		if (p.slot >= w->slots || !p.hour)
			return false;
		warn_pair_put(w, of, &p);
	}
	return !c->r->failed;
}

static bool load_events(struct codec *c, struct warning *w)
{
	for (uint32_t i = 0; i < w->n_events + w->n_past; i++) {
		struct warn_event *v = i < w->n_events ? &w->event[i] : &w->past[i - w->n_events];
		code_event(c, v);
		if (v->told.keys > 16 || v->told.key.family >= WARNING_FAMILIES)
			return false;
		for (uint32_t k = 0; k < 16; k++)
			if (v->slot[k] >= w->slots)
				return false;
	}
	return !c->r->failed && c->r->at == c->r->n;
}

int warning_restore(struct warning *w, const uint8_t *bytes, uint32_t n, struct error *e)
{
	struct reader from = { .p = bytes, .n = n };
	struct codec codec = { .r = &from }, *c = &codec;
	uint32_t magic = 0;
	CODE(magic);
	code_head(c, w);
	bool right = magic == MAGIC && w->n_other <= w->config.others && w->n_events <= EVENTS && w->n_past <= PAST;
	if (!right || !load_keys(c, w) || !load_pairs(c, w, &w->today) || !load_pairs(c, w, &w->yesterday) ||
	    !load_events(c, w))
		return error_set(e, -EIO, "MON-DET-002", "what is at rest of early warning is damaged, or of another version");
	return 0;
}
