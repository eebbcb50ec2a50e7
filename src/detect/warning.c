/* Rows into the counts of keys; windows and hours. */
#include "detect/warning.h"

#include "detect/warn.h"
#include "model/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OTHERS 65536u
#define PAIRS (1u << 18)
#define REGULAR 6      /* hours of a day, half of those before added, after which a network is no news to a key */
#define SWEEP_PORTS 5  /* in an hour, from which a network sweeps */

/* ---- Keys and slots ---- */

static uint32_t port_slot(uint8_t protocol, uint32_t port)
{
	if (protocol == PROTO_TCP)
		return SLOT_TCP + (port & 65535);
	if (protocol == PROTO_UDP)
		return SLOT_UDP + (port & 65535);
	if (protocol == PROTO_ICMP)
		return SLOT_ICMP + (port >> 8 & 255);
	return SLOT_OTHER_PROTOCOL + protocol;
}

static uint32_t other_slot(struct warning *w, uint8_t family, uint32_t id, bool make)
{
	uint32_t size = 2 * w->config.others, i = (uint32_t)(warn_mix((uint64_t)family << 32 | id) ^ w->seed) % size;
	for (; w->other_place[i]; i = i + 1 < size ? i + 1 : 0) {
		uint32_t o = w->other_place[i] - 1;
		if (w->other[o].id == id && w->other[o].family == family)
			return SLOT_FREE + o;
	}
	if (!make)
		return SLOT_NONE;
	if (w->n_other == w->config.others) {
		w->no_room++;
		return SLOT_NONE;
	}
	w->other[w->n_other] = (struct other){ id, family };
	w->other_place[i] = ++w->n_other;
	return SLOT_FREE + w->n_other - 1;
}

uint32_t warn_slot(struct warning *w, const struct warning_key *key, bool make)
{
	switch (key->family) {
	case WARNING_PORT:
		return port_slot(key->protocol, key->id);
	case WARNING_TOOL:
		return key->id && key->id < 16 ? SLOT_TOOL + key->id : SLOT_NONE;
	case WARNING_SWEEP:
		return SLOT_SWEEP;
	case WARNING_COUNTRY:
		return key->id && key->id < 1008 ? SLOT_COUNTRY + key->id : SLOT_NONE;
	case WARNING_PAYLOAD:
	case WARNING_NETWORK:
		return key->id ? other_slot(w, key->family, key->id, make) : SLOT_NONE;
	}
	return SLOT_NONE;
}

struct warning_key warn_key_of(const struct warning *w, uint32_t slot)
{
	if (slot < SLOT_UDP)
		return (struct warning_key){ WARNING_PORT, PROTO_TCP, slot };
	if (slot < SLOT_ICMP)
		return (struct warning_key){ WARNING_PORT, PROTO_UDP, slot - SLOT_UDP };
	if (slot < SLOT_OTHER_PROTOCOL)
		return (struct warning_key){ WARNING_PORT, PROTO_ICMP, (slot - SLOT_ICMP) << 8 };
	if (slot < SLOT_TOOL)
		return (struct warning_key){ WARNING_PORT, (uint8_t)(slot - SLOT_OTHER_PROTOCOL), 0 };
	if (slot < SLOT_SWEEP)
		return (struct warning_key){ WARNING_TOOL, 0, slot - SLOT_TOOL };
	if (slot < SLOT_COUNTRY)
		return (struct warning_key){ WARNING_SWEEP, 0, 0 };
	if (slot < SLOT_FREE)
		return (struct warning_key){ WARNING_COUNTRY, 0, slot - SLOT_COUNTRY };
	return (struct warning_key){ w->other[slot - SLOT_FREE].family, 0, w->other[slot - SLOT_FREE].id };
}

/* ---- Rows ---- */

/* A network of the key's first week or the one before: known. */
static void count_fresh(struct warn_key *k, uint32_t network)
{
	uint32_t bit = (uint32_t)warn_mix(network) & (64 * MASK_WORDS - 1);
	uint64_t m = UINT64_C(1) << bit % 64;
	if (!(k->mask[0][bit / 64] & m)) {
		k->mask[0][bit / 64] |= m;
		k->fresh += !(k->mask[1][bit / 64] & m);
	}
}

uint64_t warn_port_bits(uint32_t slot)
{
	uint64_t hash = warn_mix(slot);
	return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63);
}

static void note(struct warn_pair *p, const struct warning_row *r, uint64_t port)
{
	uint32_t packets = p->packets + r->packets;
	p->packets = packets < p->packets ? UINT32_MAX : packets;
	p->tools |= (uint16_t)(1u << (r->tool & 15));
	p->sources |= 1u << (warn_mix(r->source) & 31);
	p->payloads |= r->payload ? 1u << (warn_mix(r->payload) & 31) : 0;
	p->country = r->country > p->country ? r->country : p->country;
	p->reach |= r->reach;
	p->sensors |= UINT64_C(1) << (r->sensor & 63);
	p->ports |= port;
}

/* The networks of an hour weigh as many as are left out of the sample. */
static uint32_t weight(const struct warning *w) { return w->today.level < 24 ? 1u << w->today.level : 1u << 24; }

static void add(struct warning *w, uint32_t slot, uint32_t unit, const struct warning_row *r, uint32_t hour, uint64_t port)
{
	if (slot == SLOT_NONE)
		return;
	warn_key_touch(w, slot, hour);
	struct warn_key *k = &w->key[slot];
	count_fresh(k, unit);
	uint32_t level = w->today.level;
	struct warn_pair *p = warn_pair(w, slot, unit);
	if (w->today.level != level)
		w->recount = true;
	if (!p)
		return;
	if (p->hour != hour + 1) {
		p->hour = hour + 1;
		k->x += p->hours++ < REGULAR ? weight(w) : 0;
	}
	note(p, r, port);
}

/* The ports of a network. */
static void add_sweep(struct warning *w, const struct warning_row *r, uint32_t hour, uint64_t port)
{
	uint32_t level = w->today.level;
	struct warn_pair *p = warn_pair(w, SLOT_SWEEP, r->network);
	if (w->today.level != level)
		w->recount = true;
	if (!p)
		return;
	if (p->hour != hour + 1) {
		p->hour = hour + 1;
		p->hour_ports = 0;
		p->counted = 0;
	}
	note(p, r, port);
	p->hour_ports |= port & -port;
	if (p->counted || __builtin_popcountll(p->hour_ports) < SWEEP_PORTS)
		return;
	p->counted = p->swept = 1;
	warn_key_touch(w, SLOT_SWEEP, hour);
	count_fresh(&w->key[SLOT_SWEEP], r->network);
	w->key[SLOT_SWEEP].x += p->hours++ < REGULAR ? weight(w) : 0;
}

/* When the sample became smaller, the hour's counts are told anew by what is left: so no order shows. */
static void recount(struct warning *w, uint32_t hour)
{
	for (uint32_t i = 0; i < w->slots; i++)
		if (w->in_hour[i / 64] >> i % 64 & 1)
			w->key[i].x = w->key[i].totals;
	for (uint32_t i = 0; i < w->config.pairs; i++) {
		const struct warn_pair *p = &w->today.pair[i];
		bool counts = p->slot == SLOT_SWEEP ? p->counted : true;
		if (p->hour == hour + 1 && counts && p->hours <= REGULAR)
			w->key[p->slot].x += weight(w);
	}
	w->recount = false;
}

void warning_row(struct warning *w, const struct warning_row *r)
{
	if (r->flags & (WARNING_NO_ACCESS | WARNING_SETTLING)) {
		w->not_counted++;
		return;
	}
	uint32_t hour = w->minute / 60, slot = port_slot(r->protocol, r->port);
	uint64_t bit = warn_port_bits(slot);
	struct warning_key tool = { WARNING_TOOL, 0, r->tool }, payload = { WARNING_PAYLOAD, 0, r->payload };
	struct warning_key country = { WARNING_COUNTRY, 0, r->country }, network = { WARNING_NETWORK, 0, r->network };
	add(w, slot, r->network, r, hour, bit);
	add(w, warn_slot(w, &tool, true), r->network, r, hour, bit);
	add(w, warn_slot(w, &payload, true), r->network, r, hour, bit);
	add(w, warn_slot(w, &country, true), r->network, r, hour, bit);
	if (w->config.networks)
		add(w, warn_slot(w, &network, true), (uint32_t)warn_mix(r->source), r, hour, bit);
	add_sweep(w, r, hour, bit);
}

void warning_total(struct warning *w, struct warning_key key, uint32_t networks)
{
	uint32_t slot = warn_slot(w, &key, true), hour = w->minute / 60;
	if (slot == SLOT_NONE || !networks)
		return;
	warn_key_touch(w, slot, hour);
	struct warn_key *k = &w->key[slot];
	k->x += networks;
	k->totals += networks;
	if (k->hot)
		return;
	/* Of a rare key each is a network of its own, drawn by what is known: the key, the hour and the number. */
	for (uint32_t i = 0; i < networks && i < 64 * MASK_WORDS; i++)
		count_fresh(k, (uint32_t)warn_mix((uint64_t)slot << 32 | (hour << 8) | (k->totals - i)));
}

/* ---- Windows ---- */

/* The strongest first: it gives the event its name. */
static int compare_alarms(const void *a, const void *b)
{
	const struct warn_alarm *x = a, *y = b;
	if (x->bits - x->need != y->bits - y->need)
		return x->bits - x->need > y->bits - y->need ? -1 : 1;
	if (x->key.family != y->key.family)
		return x->key.family < y->key.family ? -1 : 1;
	return x->key.protocol != y->key.protocol ? x->key.protocol - y->key.protocol :
	       x->key.id < y->key.id ? -1 : x->key.id > y->key.id;
}

static int look(struct warning *w, warning_sink sink, void *ctx, struct error *e)
{
	uint32_t hour = (w->minute - 1) / 60, n = 0;
	for (uint32_t word = 0; word < w->words; word++) {
		for (uint64_t left = w->touched[word]; left; left &= left - 1) {
			uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(left);
			int32_t bits = warn_evidence(w, &w->key[slot], hour), need = warn_need(w, slot);
			if (bits >= need && n < ALARMS)
				w->alarm[n++] = (struct warn_alarm){ slot, bits, need, warn_key_of(w, slot) };
		}
		w->touched[word] = 0;
	}
	qsort(w->alarm, n, sizeof *w->alarm, compare_alarms);
	for (uint32_t i = 0; i < n; i++) {
		int rc = warn_alarm(w, &w->alarm[i], sink, ctx, e);
		if (rc)
			return rc;
	}
	return 0;
}

static void end_hour(struct warning *w, uint32_t hour)
{
	for (uint32_t word = 0; word < w->words; word++) {
		for (uint64_t left = w->in_hour[word] | w->hot[word]; left; left &= left - 1) {
			uint32_t bit = (uint32_t)__builtin_ctzll(left);
			struct warn_key *k = &w->key[word * 64 + bit];
			warn_key_commit(w, k, hour);
			k->totals = 0;
			w->hot[word] |= (uint64_t)k->hot << bit;
		}
		w->in_hour[word] = 0;
	}
	w->observed += w->hour_exposure;
	w->hour_exposure = 0;
	w->calm = w->holiday ? 0 : w->calm + 1;
	if (hour % 24 == 23)
		warn_pairs_day(w);
}

int warning_window(struct warning *w, const struct warning_window *window, warning_sink sink, void *ctx, struct error *e)
{
	uint32_t hour = (window->minute - 1) / 60;
	w->hour_exposure += (uint32_t)((uint64_t)window->exposure * window->minutes / 60);
	w->minute = window->minute;
	w->holiday = window->holiday;
	if (w->recount)
		recount(w, hour);
	int rc = w->minute - w->first >= WARNING_SILENT_DAYS * 1440 ? look(w, sink, ctx, e) : 0;
	if (rc)
		return rc;
	if (w->minute % 60 == 0) {
		rc = warn_events_hour(w, hour, sink, ctx, e);
		end_hour(w, hour);
		memset(w->touched, 0, w->words * sizeof *w->touched);
	}
	return rc;
}

/* ---- Open and close ---- */

static int allocate(struct warning *w, struct error *e)
{
	size_t bits = w->words * sizeof *w->touched;
	w->key = env_alloc(w->env, w->slots * sizeof *w->key);
	w->touched = env_alloc(w->env, bits);
	w->in_hour = env_alloc(w->env, bits);
	w->hot = env_alloc(w->env, bits);
	w->other = env_alloc(w->env, w->config.others * sizeof *w->other);
	w->other_place = env_alloc(w->env, 2 * w->config.others * sizeof *w->other_place);
	w->event = env_alloc(w->env, EVENTS * sizeof *w->event);
	w->past = env_alloc(w->env, PAST * sizeof *w->past);
	if (!w->key || !w->touched || !w->in_hour || !w->hot || !w->other || !w->other_place || !w->event || !w->past)
		return error_no_memory(e, "the keys of early warning");
	return warn_pairs_open(w, e);
}

int warning_open(struct warning **out, const struct env *env, const struct warning_config *config, uint32_t minute,
                 struct error *e)
{
	struct warning *w = env_alloc(env, sizeof *w);
	*out = NULL;
	if (!w)
		return error_no_memory(e, "early warning");
	w->env = env;
	w->config = *config;
	w->config.others = config->others ? config->others : OTHERS;
	w->config.pairs = config->pairs ? config->pairs : PAIRS;
	w->slots = SLOT_FREE + w->config.others;
	w->words = (w->slots + 63) / 64;
	w->first = w->minute = minute;
	w->calm = 24;
	w->next_id = 1;
	int rc = allocate(w, e);
	if (!rc && (rc = env->random(env, &w->seed, sizeof w->seed)) < 0)
		rc = error_set(e, rc, "MON-DET-003", "no random number for the tables of early warning");
	if (rc)
		warning_close(w);
	else
		*out = w;
	return rc;
}

void warning_close(struct warning *w)
{
	if (!w)
		return;
	size_t bits = w->words * sizeof *w->touched;
	env_free(w->env, w->key, w->slots * sizeof *w->key);
	env_free(w->env, w->touched, bits);
	env_free(w->env, w->in_hour, bits);
	env_free(w->env, w->hot, bits);
	env_free(w->env, w->other, w->config.others * sizeof *w->other);
	env_free(w->env, w->other_place, 2 * w->config.others * sizeof *w->other_place);
	env_free(w->env, w->event, EVENTS * sizeof *w->event);
	env_free(w->env, w->past, PAST * sizeof *w->past);
	warn_pairs_close(w);
	env_free(w->env, w, sizeof *w);
}

/* ---- Questions ---- */

size_t warning_events(struct warning *w, const struct warning_event **out)
{
	size_t n = 0;
	for (uint32_t i = 0; i < w->n_events; i++)
		if (w->event[i].open)
			w->told[n++] = w->event[i].told;
	*out = w->told;
	return n;
}

uint64_t warning_left_out(const struct warning *w, uint64_t *no_room)
{
	*no_room = w->no_room;
	return w->not_counted;
}

uint32_t warning_expected(struct warning *w, struct warning_key key)
{
	uint32_t slot = warn_slot(w, &key, false);
	return slot == SLOT_NONE || !w->key[slot].born ? 0 : (uint32_t)warn_mean(w, &w->key[slot], w->minute / 60);
}
