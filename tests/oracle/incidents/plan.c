/* What happens: incidents in a calendar, and the rows of their sources. */
#include "incidents.h"

#include <stdlib.h>
#include <string.h>

#define DAY (24 * STEPS_HOUR)
#define BITS_TO_FIND 30.0 /* nearly what log2(131072 keys × 52560 steps / 6 false alarms a year) comes to */

const char *const kind_names[KINDS] = { "worm start", "slow worm", "coordinated scan", "new payload", "port sweep", "country shift",
	"returning scanner", "outage", "sensor swap", "backscatter burst", "loud source", "decoys", "research scanner", "New Year" };

/* ---- Sizes ---- */

/* The Poisson-detectable minimum: networks an hour on top of `mean` that a CUSUM which knows both finds, on average, in
 * a quarter of `hours`. */
static double detectable(double mean, double hours)
{
	double low = 0, high = 1e6;
	mean = mean > 1.0 / 168 ? mean : 1.0 / 168;
	for (int i = 0; i < 60; i++) {
		double d = (low + high) / 2, n = mean + d, bits = n * log2(n / mean) - d * M_LOG2E;
		if (bits * hours / 4 < BITS_TO_FIND)
			low = d;
		else
			high = d;
	}
	return high;
}

double incident_rate(const struct incident *i, uint32_t step)
{
	if (step < i->onset || step >= i->end)
		return 0;
	if (i->doubling <= 0)
		return i->rate;
	double x = exp2((step - i->onset) / (double)STEPS_HOUR / i->doubling) / 32; /* logistic, from a 32nd */
	return i->rate * x / (1 + x) * 33 / 32;
}

/* ---- Plan ---- */
static struct incident *begin(struct world *w, enum kind kind, double hours)
{
	struct incident *i = &w->incident[w->n_incidents];
	uint32_t free = w->steps - 33 * DAY;
	*i = (struct incident){ .kind = kind, .tool = 0 };
	i->onset = 32 * DAY + (uint32_t)(uniform(&w->events) * free);
	i->end = i->onset + (uint32_t)(hours * STEPS_HOUR) + 1;
	i->base = 0x40000000u + w->n_incidents * 65536;
	i->multiple = between(&w->events, w->p.size_least, w->p.size_most);
	i->pool = (uint32_t)between(&w->events, 60, 3000);
	return i;
}

static bool is_taken(const struct world *w, uint32_t series)
{
	for (uint32_t i = 0; i < w->n_incidents; i++)
		if (w->incident[i].series == series && w->incident[i].kind < RAISED)
			return true;
	return false;
}

static uint32_t a_port(struct world *w, bool rare)
{
	for (;;) {
		uint32_t n = rare ? w->n_series - w->first_rare : (uint32_t)w->p.heads * 3 / 4;
		uint32_t i = (rare ? w->first_rare : 0) + (uint32_t)(uniform(&w->events) * n);
		if (w->series[i].key.family == WARNING_PORT && !is_taken(w, i))
			return i;
	}
}

static void on_port(struct world *w, struct incident *i, uint32_t series, double hours)
{
	i->series = series;
	i->key[i->keys++] = w->series[series].key;
	i->port[i->ports++] = (uint16_t)w->series[series].key.id;
	i->rate = i->multiple * detectable(w->series[series].mean, hours);
}

static double hours_of(const struct incident *i) { return (i->end - i->onset) / (double)STEPS_HOUR; }

static void plan_worm(struct world *w, bool slow)
{
	struct incident *i = begin(w, slow ? SLOW : WORM, slow ? between(&w->events, 14 * 24, 24 * 24) : between(&w->events, 36, 96));
	on_port(w, i, a_port(w, uniform(&w->events) < 0.7), hours_of(i));
	double d = slow ? w->p.growth_slow : w->p.growth_worm / 60;
	i->doubling = between(&w->events, d / 2, d * 2);
	i->pool = 20000;
	if (uniform(&w->events) < 0.4) { /* a Mirai: port and tool */
		i->tool = 1;
		i->key[i->keys++] = (struct warning_key){ WARNING_TOOL, 0, 1 };
	}
	w->n_incidents++;
}

static void plan_scan(struct world *w)
{
	struct incident *i = begin(w, COORDINATED, between(&w->events, 6, 36));
	on_port(w, i, a_port(w, uniform(&w->events) < 0.6), hours_of(i));
	w->n_incidents++;
}

static void plan_payload(struct world *w)
{
	struct incident *i = begin(w, PAYLOAD, between(&w->events, 12, 72));
	uint32_t head = a_port(w, false);
	i->series = w->spare + w->n_payloads++ % SPARE;
	i->payload = w->series[i->series].key.id;
	i->port[i->ports++] = (uint16_t)w->series[head].key.id;
	i->key[i->keys++] = (struct warning_key){ WARNING_PAYLOAD, 0, i->payload };
	i->key[i->keys++] = w->series[head].key;
	i->rate = i->multiple * detectable(0, hours_of(i));
	w->n_incidents++;
}

/* Two at once, or one right after the other, would be one to any reader. */
static bool is_near_another(const struct world *w, const struct incident *i)
{
	for (uint32_t k = 0; k < w->n_incidents; k++) {
		const struct incident *o = &w->incident[k];
		if (o->series == i->series && o->kind == i->kind && i->onset < o->end + 5 * DAY && o->onset < i->end + 5 * DAY)
			return true;
	}
	return false;
}

static void plan_sweep(struct world *w)
{
	struct incident *i;
	int tries = 0;
	do {
		i = begin(w, SWEEP, between(&w->events, 6, 48));
		i->series = w->sweep;
	} while (is_near_another(w, i) && ++tries < 100);
	i->series = w->sweep;
	i->key[i->keys++] = w->series[w->sweep].key;
	i->rate = i->multiple * detectable(w->series[w->sweep].mean, hours_of(i));
	w->n_incidents++;
}

static void plan_country(struct world *w)
{
	struct incident *i = begin(w, COUNTRY, between(&w->events, 24, 120));
	int tries = 0;
	do
		i->series = w->first_country + (uint32_t)(uniform(&w->events) * w->p.countries);
	while (is_near_another(w, i) && ++tries < 100);
	i->country = (uint16_t)w->series[i->series].key.id;
	i->key[i->keys++] = w->series[i->series].key;
	i->rate = i->multiple * detectable(w->series[i->series].mean, hours_of(i));
	i->pool = 65536;
	w->n_incidents++;
}

/* A scan by the same networks months apart. */
static void plan_return(struct world *w)
{
	struct incident *i = begin(w, COORDINATED, between(&w->events, 12, 36));
	uint32_t third = w->steps / 3, apart = 60 * DAY + (uint32_t)(uniform(&w->events) * third);
	if (i->onset + apart + 3 * DAY > w->steps)
		i->onset = 32 * DAY + i->onset % (w->steps > apart + 40 * DAY ? w->steps - apart - 40 * DAY : DAY);
	i->end = i->onset + 24 * STEPS_HOUR;
	on_port(w, i, a_port(w, true), hours_of(i));
	i->pool = 100;
	w->n_incidents++;
	struct incident *j = &w->incident[w->n_incidents++];
	*j = *i;
	j->kind = RETURN;
	j->onset += apart;
	j->end += apart;
	if (j->end > w->steps)
		w->n_incidents--;
}

static void plan_noise(struct world *w, enum kind kind)
{
	static const double least[KINDS] = { [OUTAGE] = 1, [SWAP] = 336, [BACKSCATTER] = 1, [LOUD] = 6, [DECOYS] = 0.2, [RESEARCH] = 336 };
	static const double most[KINDS] = { [OUTAGE] = 48, [SWAP] = 336, [BACKSCATTER] = 24, [LOUD] = 200, [DECOYS] = 2, [RESEARCH] = 2000 };
	struct incident *i = begin(w, kind, between(&w->events, least[kind], most[kind] + 1e-9));
	bool rare = uniform(&w->events) < 0.5;
	on_port(w, i, a_port(w, rare), hours_of(i));
	i->reach = kind == DECOYS ? 1 + (uint32_t)(uniform(&w->events) * 3) : kind == SWAP ? 1 : 0;
	i->rate = kind == DECOYS ? between(&w->events, 100, 3000) / hours_of(i) : kind == BACKSCATTER ? between(&w->events, 100, 3000) :
	          kind == SWAP ? between(&w->events, 10, 100) : kind == OUTAGE ? 0 : between(&w->events, 10, 2000);
	i->pool = kind == LOUD || kind == RESEARCH ? 1 : 50000;
	w->n_incidents++;
}

void world_plan(struct world *w)
{
	uint32_t n = (uint32_t)(w->p.incidents * w->steps / (366.0 * DAY) + 0.999);
	w->events.s = hash64(w->seed ^ 0x696e636964656e74);
	w->incident = calloc(20 * n + 8, sizeof *w->incident);
	if (w->steps < 40 * DAY)
		return;
	for (uint32_t k = 0; k < n; k++) {
		plan_worm(w, false);
		plan_worm(w, true);
		plan_scan(w);
		plan_payload(w);
		plan_sweep(w);
		plan_country(w);
		plan_return(w);
		for (enum kind kind = OUTAGE; kind < NEW_YEAR; kind++)
			plan_noise(w, kind);
	}
	for (uint32_t k = 0; k < w->n_incidents; k++) /* what is not over when the year is has no end to be missed */
		if (w->incident[k].end > w->steps)
			w->incident[k].end = w->steps;
}

/* Of the telescope: an outage of all of it, or of a third; an address that was swapped is not counted for two weeks. */
double incidents_exposure(const struct world *w, uint32_t step)
{
	double v = 1;
	for (uint32_t k = 0; k < w->n_incidents; k++) {
		const struct incident *i = &w->incident[k];
		if (i->kind < OUTAGE || i->kind > SWAP || step < i->onset || step >= i->end)
			continue;
		if (i->kind == OUTAGE)
			v *= k % 2 ? 0 : 1 - ceil(w->addresses / 3.0) / w->addresses;
		else
			v *= 1 - 1.0 / w->addresses;
	}
	return v;
}

/* ---- Rows ---- */
static void count(struct world *w, uint32_t series, uint32_t packets)
{
	w->series[series].step++;
	w->series[series].hour++;
	w->series[series].packets += packets;
}

static uint16_t random_country(struct world *w, const struct incident *i)
{
	if (i->country)
		return i->country;
	uint32_t k = (uint32_t)(w->p.countries * pow(uniform(&w->events), 2));
	return (uint16_t)w->series[w->first_country + k].key.id;
}

/* A network's part: what early warning gets, and what the rivals count. */
static void put(struct world *w, const struct incident *i, uint32_t member, uint16_t port, bool counts)
{
	uint32_t classes = w->addresses < 64 ? w->addresses : 64, reach = i->reach ? i->reach : classes;
	uint32_t bit = (uint32_t)((i->base * 7 + (uint32_t)(uniform(&w->events) * reach)) % classes);
	struct warning_row r = { .source = i->base + member, .network = i->base + member, .payload = i->payload, .port = port,
		                 .country = random_country(w, i), .protocol = 6, .tool = i->tool, .sensor = (uint8_t)bit,
		                 .packets = i->kind == LOUD ? 5000 : 1 + (uint32_t)(uniform(&w->events) * 3),
		                 .reach = UINT64_C(1) << bit };
	r.flags = i->kind == BACKSCATTER ? WARNING_NO_ACCESS : i->kind == SWAP ? WARNING_SETTLING : 0;
	warning_row(w->warning, &r);
	w->rows++;
	if (!counts || r.flags)
		return;
	if (w->of_port[port] >= 0)
		count(w, (uint32_t)w->of_port[port], r.packets);
	for (uint32_t c = 0; c < (uint32_t)w->p.countries; c++)
		if (w->series[w->first_country + c].key.id == r.country)
			count(w, w->first_country + c, r.packets);
	if (i->payload)
		count(w, i->series, r.packets);
	if (r.tool)
		count(w, w->first_tool + r.tool - 1, r.packets);
}

static uint16_t existing_port(struct world *w, bool any)
{
	return any ? (uint16_t)draw(&w->events) : (uint16_t)w->series[(uint32_t)(uniform(&w->events) * w->p.heads * 0.9)].key.id;
}

static void put_network(struct world *w, const struct incident *i)
{
	uint32_t member = (uint32_t)(uniform(&w->events) * i->pool);
	if (i->kind == SWEEP) {
		uint32_t n = 6 + (uint32_t)(draw(&w->events) % 30);
		for (uint32_t k = 0; k < n; k++)
			put(w, i, member, existing_port(w, true), k == 0);
		count(w, w->sweep, n);
	} else if (i->kind == COUNTRY) {
		put(w, i, member, existing_port(w, uniform(&w->events) < 0.3), true);
	} else if (i->kind == RESEARCH) {
		put(w, i, 0, existing_port(w, uniform(&w->events) < 0.5), w->now % STEPS_HOUR == 0);
	} else {
		put(w, i, member, i->port[0], i->kind != LOUD || w->now % STEPS_HOUR == 0);
	}
}

/* Networks that happen to ask for the same rare port. */
static void nuisance(struct world *w)
{
	uint32_t n = poisson(&w->events, w->p.nuisance / DAY);
	for (uint32_t k = 0; k < n; k++) {
		struct incident few = { .base = (uint32_t)draw(&w->events) | 0x80000000u };
		uint16_t port = existing_port(w, true);
		uint32_t members = 2 + (uint32_t)(draw(&w->events) & 1);
		if (draw(&w->events) & 1) { /* with something new in it */
			few.series = w->spare + (uint32_t)(draw(&w->events) % SPARE);
			few.payload = w->series[few.series].key.id;
		}
		for (uint32_t m = 0; m < members; m++)
			put(w, &few, m, port, true);
	}
}

void incidents_step(struct world *w)
{
	nuisance(w);
	for (uint32_t k = 0; k < w->n_incidents; k++) {
		const struct incident *i = &w->incident[k];
		double rate = incident_rate(i, w->now) * w->exposure / STEPS_HOUR;
		if (i->kind == SWAP && w->now >= i->onset && w->now < i->end)
			rate = i->rate / STEPS_HOUR;
		uint32_t n = rate > 0 ? poisson(&w->events, rate) : 0;
		n = i->pool == 1 && n > 200 ? 200 : n;
		for (uint32_t r = 0; r < n; r++)
			put_network(w, i);
	}
}
