/* Alarms into events: whose cause is known already, what is behind a new one, how it goes on.
 *
 * An alarm belongs to an event that goes on (or was over lately) if it is of one of its keys, if half of the networks
 * behind it do what the event is about, or if it is another port asked for by the same tool within a day. */
#include "detect/warn.h"

#include <string.h>

#define AGAIN_PORT (14u * 1440)  /* minutes after its end in which a port's alarm is the same event's */
#define AGAIN_OTHER (2u * 1440)
#define QUIET (24u * 60)         /* minutes without excess, then it is over; of a rare key three times that */
#define NORMAL (7u * 1440)       /* what lasts so long is how it is now */
#define FEW 6                    /* networks below which nothing is a scan */
#define SAME_TOOL (24u * 60)

/* ---- Thresholds: the weights of all keys come to 0.998 ---- */
int32_t warn_need(const struct warning *w, uint32_t slot)
{
	static const uint8_t weight[WARNING_FAMILIES] = { [WARNING_PORT] = 18, [WARNING_TOOL] = 8, [WARNING_PAYLOAD] = 20,
		                                          [WARNING_COUNTRY] = 12, [WARNING_NETWORK] = 20, [WARNING_SWEEP] = 4 };
	int32_t alternatives = BITS(3); /* eight */
	return BITS(12 + weight[warn_key_of(w, slot).family] + w->config.threshold) + alternatives;
}

/* ---- What is behind an alarm ---- */
struct profile {
	uint32_t networks, sources, packets, hours, most_hours;
	uint32_t alone[64];  /* networks that reach few of our addresses, by which */
	uint32_t tool[16];
	uint32_t country[1024];
	uint64_t sensors;
	uint64_t bits[EVENT_WORDS];
	uint32_t joins[EVENTS]; /* networks that do what this event is about */
};

static bool is_about(const struct warn_event *v, const struct warn_pair *p, uint64_t ports, bool sweeps)
{
	const struct warning_key *k = &v->told.key;
	switch (k->family) {
	case WARNING_PORT:
		return __builtin_popcountll(ports) <= 24 && !(warn_port_bits(v->slot[0]) & ~ports);
	case WARNING_TOOL:
		return p->tools >> k->id & 1;
	case WARNING_PAYLOAD:
		return p->payloads >> (warn_mix(k->id) & 31) & 1;
	case WARNING_COUNTRY:
		return p->country == k->id;
	case WARNING_NETWORK:
		return p->network == k->id;
	case WARNING_SWEEP:
		return sweeps;
	}
	return false;
}

static void add_pair(const struct warning *w, const struct warn_pairs *of, const struct warn_pair *p, struct profile *out)
{
	const struct warn_pair *all = warn_pair_find(w, of, SLOT_SWEEP, p->network);
	uint64_t ports = p->ports | (all ? all->ports : 0);
	/* Of a port's alarm its own port says nothing of an event about another. */
	ports &= p->slot < SLOT_TOOL ? ~warn_port_bits(p->slot) : UINT64_MAX;
	uint32_t hash = (uint32_t)warn_mix(p->network) & (64 * EVENT_WORDS - 1);
	out->networks++;
	out->sources += (uint32_t)__builtin_popcount(p->sources);
	out->packets += p->packets;
	out->hours += p->hours;
	out->most_hours = p->hours > out->most_hours ? p->hours : out->most_hours;
	out->sensors |= p->sensors;
	out->country[p->country & 1023]++;
	out->bits[hash / 64] |= UINT64_C(1) << hash % 64;
	for (uint32_t i = 0; i < 16; i++)
		out->tool[i] += p->tools >> i & 1;
	if (__builtin_popcountll(p->reach) <= 3)
		for (uint64_t left = p->reach; left; left &= left - 1)
			out->alone[__builtin_ctzll(left)]++;
	for (uint32_t i = 0; i < w->n_events; i++)
		out->joins[i] += w->event[i].open && is_about(&w->event[i], p, ports, all && all->swept);
}

static void profile_of(const struct warning *w, uint32_t slot, uint32_t since, struct profile *out)
{
	memset(out, 0, sizeof *out);
	for (int t = 0; t < 2; t++) {
		const struct warn_pairs *of = t ? &w->yesterday : &w->today;
		for (uint32_t i = 0; of->n && i < w->config.pairs; i++)
			if (of->pair[i].hour && of->pair[i].slot == slot && of->pair[i].hour > since / 60)
				add_pair(w, of, &of->pair[i], out);
	}
}

/* Networks that a rare key has had of late, as far as its masks tell. */
static uint32_t known_networks(const struct warn_key *k)
{
	uint32_t n = 0;
	for (int i = 0; i < MASK_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(k->mask[0][i] | k->mask[1][i]);
	return n;
}

static uint8_t shape_of(const struct warning *w, const struct warn_key *k, const struct profile *p)
{
	uint32_t greatest[3] = { 0 };
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t n = p->alone[i];
		for (int g = 0; g < 3; g++) {
			if (n > greatest[g]) {
				uint32_t had = greatest[g];
				greatest[g] = n;
				n = had;
			}
		}
	}
	uint32_t classes = w->config.addresses < 64 ? w->config.addresses : 64, three = greatest[0] + greatest[1] + greatest[2];
	if ((p->networks && p->networks < FEW) || (!k->hot && known_networks(k) < FEW))
		return WARNING_FEW;
	/* Halfway between what three of so many addresses get of a scan, and all; of few addresses nearly all of many. */
	if (classes >= 16 && p->networks >= 8 && (uint64_t)three * 2 * classes >= (uint64_t)p->networks * (classes + 3))
		return WARNING_NARROW;
	if (classes > 3 && p->networks >= 24 && three * 20 >= p->networks * 19)
		return WARNING_NARROW;
	return WARNING_SPREAD;
}

static uint16_t tools_of(const struct profile *p)
{
	uint16_t out = 0;
	for (uint32_t i = 0; i < 16; i++)
		out |= (uint16_t)((p->tool[i] * 5 >= p->networks * 3 && p->networks) << i);
	return out;
}

static uint16_t country_of(const struct profile *p)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < 1024; i++)
		if (p->country[i] > p->country[best] || !best)
			best = i;
	return p->country[best] * 2 > p->networks ? (uint16_t)best : 0;
}

static void describe(const struct warning *w, struct warn_event *v, const struct warn_key *k, const struct profile *p)
{
	v->told.networks = p->networks > v->told.networks ? p->networks : v->told.networks;
	v->told.sources = p->sources > v->told.sources ? p->sources : v->told.sources;
	v->told.packets = p->packets > v->told.packets ? p->packets : v->told.packets;
	v->told.sensors |= p->sensors;
	v->told.shape = shape_of(w, k, p);
	v->told.tools = tools_of(p);
	v->told.country = country_of(p);
	v->told.grade = v->told.shape == WARNING_SPREAD && v->told.key.family != WARNING_NETWORK;
	for (int i = 0; i < EVENT_WORDS; i++)
		v->networks[i] |= p->bits[i];
}

/* ---- Whose is it? ---- */
static bool has_key(const struct warn_event *v, uint32_t slot)
{
	for (uint32_t i = 0; i < v->told.keys; i++)
		if (v->slot[i] == slot)
			return true;
	return false;
}

static uint32_t again_within(const struct warn_event *v)
{
	return v->told.key.family == WARNING_PORT || v->told.key.family == WARNING_PAYLOAD ? AGAIN_PORT : AGAIN_OTHER;
}

static struct warn_event *event_of_key(struct warning *w, uint32_t slot)
{
	for (uint32_t i = 0; i < w->n_events; i++) {
		struct warn_event *v = &w->event[i];
		if (has_key(v, slot) && (v->open || w->minute - v->told.last <= again_within(v)))
			return v;
	}
	return NULL;
}

static uint32_t apart(uint32_t a, uint32_t b) { return a > b ? a - b : b - a; }

static struct warn_event *event_of_cause(struct warning *w, const struct warn_alarm *a, const struct profile *p)
{
	uint16_t tools = tools_of(p) & 0xfffe;
	for (uint32_t i = 0; i < w->n_events; i++) {
		struct warn_event *v = &w->event[i];
		if (!v->open || (v->told.grade == WARNING_NOTICE && shape_of(w, &w->key[a->slot], p) == WARNING_SPREAD))
			continue;
		if (p->networks >= 3 && p->joins[i] * 2 >= p->networks)
			return v;
		if (a->key.family == WARNING_PORT && v->told.key.family == WARNING_PORT && tools & v->told.tools &&
		    apart(v->told.since, w->key[a->slot].since) <= SAME_TOOL)
			return v;
	}
	return NULL;
}

/* The likest of those before: of the same key, or half of its networks the same. */
static void remember(const struct warning *w, struct warn_event *v)
{
	uint32_t best = 0;
	for (uint32_t i = 0; i < w->n_past; i++) {
		const struct warn_event *old = &w->past[i];
		uint32_t common = 0, mine = 0;
		for (int k = 0; k < EVENT_WORDS; k++) {
			common += (uint32_t)__builtin_popcountll(v->networks[k] & old->networks[k]);
			mine += (uint32_t)__builtin_popcountll(v->networks[k]);
		}
		bool key = old->slot[0] == v->slot[0];
		uint32_t score = (key ? 64 : 0) + (mine ? common * 64 / mine : 0);
		if (score >= 40 && score >= best) {
			best = score;
			v->told.resembles = old->told.id;
			v->told.absent = (v->told.since - old->told.last) / 1440;
		}
	}
}

/* ---- The life of an event ---- */
static void end_keys(struct warning *w, struct warn_event *v, bool adopt)
{
	for (uint32_t i = 0; i < v->told.keys; i++) {
		struct warn_key *k = &w->key[v->slot[i]];
		if (k->event != v->told.id)
			continue;
		k->event = 0;
		warn_key_forgive(k, w->minute);
		if (adopt)
			warn_key_adopt(k);
	}
}

static void keep(struct warning *w, const struct warn_event *v)
{
	if (w->n_past == PAST)
		memmove(w->past, w->past + 1, --w->n_past * sizeof *w->past);
	w->past[w->n_past++] = *v;
}

/* The room of an event that was over first. */
static struct warn_event *room(struct warning *w)
{
	if (w->n_events < EVENTS)
		return &w->event[w->n_events++];
	struct warn_event *oldest = NULL;
	for (uint32_t i = 0; i < w->n_events; i++)
		if (!w->event[i].open && (!oldest || w->event[i].told.last < oldest->told.last))
			oldest = &w->event[i];
	if (!oldest)
		return NULL;
	keep(w, oldest);
	return oldest;
}

static void take_key(struct warning *w, struct warn_event *v, uint32_t slot)
{
	struct warn_key *k = &w->key[slot];
	k->event = v->told.id;
	memset(k->s, 0, sizeof k->s);
	if (has_key(v, slot) || v->told.keys == 16)
		return;
	if (v->told.keys)
		v->told.also[v->told.keys - 1] = warn_key_of(w, slot);
	v->slot[v->told.keys++] = slot;
}

static int begin(struct warning *w, const struct warn_alarm *a, const struct profile *p, warning_sink sink, void *ctx,
                 struct error *e)
{
	struct warn_event *v = room(w);
	if (!v)
		return 0; /* 256 at a time: nobody reads more */
	const struct warn_key *k = &w->key[a->slot];
	uint32_t days = (w->minute - w->first) / 1440;
	*v = (struct warn_event){ .open = true, .peak = warn_count(k), .now = warn_count(k) };
	v->told.id = w->next_id++;
	v->told.key = a->key;
	v->told.since = k->since;
	v->told.raised = v->told.last = w->minute;
	v->told.evidence = (uint32_t)a->bits;
	v->told.needed = (uint32_t)a->need;
	v->told.expected = (uint32_t)warn_mean(w, k, (w->minute - 1) / 60);
	v->told.learning = (uint8_t)(days < WARNING_LEARNING_DAYS ? days : WARNING_LEARNING_DAYS);
	describe(w, v, k, p);
	take_key(w, v, a->slot);
	remember(w, v);
	return sink(ctx, &v->told, e);
}

int warn_alarm(struct warning *w, const struct warn_alarm *a, warning_sink sink, void *ctx, struct error *e)
{
	struct warn_event *v = event_of_key(w, a->slot);
	struct profile p;
	if (v && v->open && v->told.grade == WARNING_WARNING) {
		v->told.last = w->minute;
		take_key(w, v, a->slot);
		return 0;
	}
	profile_of(w, a->slot, w->key[a->slot].since, &p);
	if (!v)
		v = event_of_cause(w, a, &p);
	if (!v)
		return begin(w, a, &p, sink, ctx, e);
	bool again = !v->open || (v->told.grade == WARNING_NOTICE && shape_of(w, &w->key[a->slot], &p) == WARNING_SPREAD);
	v->open = true;
	v->told.last = w->minute;
	v->told.phase = again ? WARNING_GROWING : v->told.phase;
	describe(w, v, &w->key[a->slot], &p);
	take_key(w, v, a->slot);
	return again ? sink(ctx, &v->told, e) : 0;
}

static int go_on(struct warning *w, struct warn_event *v, uint32_t hour, warning_sink sink, void *ctx, struct error *e)
{
	bool high = false, rare = false;
	uint8_t phase = v->told.phase;
	v->now = 0;
	for (uint32_t i = 0; i < v->told.keys; i++) {
		const struct warn_key *k = &w->key[v->slot[i]];
		bool asked = w->in_hour[v->slot[i] / 64] >> v->slot[i] % 64 & 1;
		high |= asked && warn_key_is_high(w, k, hour);
		rare |= !k->hot;
		v->now = asked && warn_count(k) > v->now ? warn_count(k) : v->now;
	}
	if (high)
		v->told.last = w->minute;
	if (v->now * 4 > v->peak * 5)
		v->told.phase = WARNING_GROWING;
	else if (v->now * 2 < v->peak && w->minute - v->told.last > 180)
		v->told.phase = WARNING_FADING;
	v->peak = v->now > v->peak ? v->now : v->peak;
	bool lasts = w->minute - v->told.raised > NORMAL && high;
	if (lasts || w->minute - v->told.last > (rare ? 3 * QUIET : QUIET)) {
		v->told.phase = WARNING_OVER;
		v->open = false;
		end_keys(w, v, lasts);
	}
	return phase == v->told.phase ? 0 : sink(ctx, &v->told, e);
}

/* Those that can no longer go on become memories. */
static void bury(struct warning *w)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->n_events; i++) {
		const struct warn_event *v = &w->event[i];
		if (v->open || w->minute - v->told.last <= again_within(v)) {
			if (n != i)
				w->event[n] = *v;
			n++;
			continue;
		}
		keep(w, v);
	}
	w->n_events = n;
}

int warn_events_hour(struct warning *w, uint32_t hour, warning_sink sink, void *ctx, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; i < w->n_events && !rc; i++)
		rc = w->event[i].open ? go_on(w, &w->event[i], hour, sink, ctx, e) : 0;
	bury(w);
	return rc;
}
