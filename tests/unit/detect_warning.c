/* Early warning: silent on what is as it was, however rows lie in a window; loud about what begins; the same after a
 * restart. */
#include "detect/warn.h"
#include "detect/warning.h"
#include "model/packet.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START (26297280u) /* 2020-01-01, minutes */
#define DAY 1440u

static uint64_t draw(uint64_t *x) { return warn_mix(*x += 0x9e3779b97f4a7c15u); }
static double uniform(uint64_t *x) { return ((double)(draw(x) >> 11) + 0.5) * 0x1p-53; }

static uint32_t poisson(uint64_t *x, double mean)
{
	uint32_t n = 0;
	for (double p = uniform(x); p > exp(-mean); p *= uniform(x))
		n++;
	return n;
}

struct told {
	uint32_t n, warnings, again;
	struct warning_event last, first;
};

static int take(void *ctx, const struct warning_event *v, struct error *e)
{
	struct told *t = ctx;
	(void)e;
	if (v->phase != WARNING_NEW) {
		t->again++;
		return 0;
	}
	t->warnings += v->grade == WARNING_WARNING;
	if (!t->n++)
		t->first = *v;
	t->last = *v;
	return 0;
}

static struct warning *make(uint32_t addresses, uint32_t pairs)
{
	struct warning_config config = { .addresses = addresses, .others = 256, .pairs = pairs };
	struct warning *w;
	struct error e;
	assert_int_equal(warning_open(&w, env_system(), &config, START, &e), 0);
	return w;
}

static void end_window(struct warning *w, uint32_t minute, uint32_t minutes, uint32_t exposure, struct told *t)
{
	struct warning_window window = { minute, minutes, exposure, false };
	struct error e;
	assert_int_equal(warning_window(w, &window, take, t, &e), 0);
}

static struct warning_row row_of(uint32_t network, uint16_t port, uint64_t address)
{
	return (struct warning_row){ .source = network, .network = network + 1, .port = port, .protocol = PROTO_TCP, .packets = 1,
		                     .reach = UINT64_C(1) << address % 64, .sensor = (uint8_t)(address % 5) };
}

/* An hour in which networks drawn from many ask for a port. */
static void hour_of(struct warning *w, uint64_t *x, uint32_t hour, uint16_t port, double mean, struct told *t)
{
	uint32_t n = poisson(x, mean);
	for (uint32_t i = 0; i < n; i++) {
		struct warning_row r = row_of((uint32_t)draw(x) >> 4, port, draw(x));
		warning_row(w, &r);
	}
	end_window(w, START + (hour + 1) * 60, 60, ONE, t);
}

/* ---- Arithmetic ---- */
static void logarithms_and_roots(void **state)
{
	(void)state;
	for (uint64_t x = 1, i = 0; i < 60; i++, x = x * 2 + i % 3) {
		assert_true(fabs(warn_log2(x) - (log2((double)x) - 16) * 65536) < 2);
		assert_true(fabs(warn_root(x) - floor(sqrt((double)x))) <= 1);
	}
	for (uint32_t x = 0; x < 20 * ONE; x += 997)
		assert_true(fabs(warn_exp2_negative(x) - exp2(-(double)x / 65536) * 65536) < 2);
}

/* The evidence of an hour is an e-value: its mean over counts of the null is 1 at most, for every alternative. */
static void evidence_is_an_e_value(void **state)
{
	(void)state;
	struct warning *w = make(256, 1024);
	uint64_t x = 5;
	for (int busy = 0; busy < 2; busy++) {
		double mean[ALTERNATIVES] = { 0 };
		for (int trial = 0; trial < 20000; trial++) {
			struct warn_key k = { .born = 1, .hour = START / 60, .hot = busy, .weekend = 4096, .sum = busy ? 20000 * (uint64_t)ONE : 0 };
			k.hours = k.fresh_hours = 970 * ONE;
			k.fresh_sum = 60 * ONE;
			k.square = 1000 * (uint64_t)ONE;
			k.excess = 20 * ONE;
			uint32_t shape;
			double m = (double)warn_null(w, &k, START / 60, &shape) / 65536;
			k.x = k.fresh = poisson(&x, m);
			w->hour_exposure = ONE;
			w->minute = START + 60 * 24 * 30;
			warn_key_commit(w, &k, START / 60 + 24 * 30);
			for (int i = 0; i < ALTERNATIVES; i++)
				mean[i] += exp2(k.s[i] / 256.0) * (k.s[i] > 0) / 20000;
		}
		for (int i = 0; i < ALTERNATIVES; i++)
			assert_true(mean[i] <= 1.05);
	}
	warning_close(w);
}

/* ---- What is raised, and what is not ---- */

/* 400 ports at all rates, a year between them, a day's level that wanders: fewer false alarms than the bound allows. */
static void nulls_raise_nothing(void **state)
{
	(void)state;
	struct warning *w = make(256, 1u << 14);
	struct told t = { 0 };
	uint64_t x = 1;
	double level[400];
	for (uint32_t hour = 0; hour < 24 * 60; hour++) {
		for (uint16_t port = 0; port < 400; port++) {
			if (hour % 24 == 0)
				level[port] = exp(0.1 * (uniform(&x) + uniform(&x) - 1));
			double mean = pow(10, port / 100.0 - 2) * level[port] * (1 + 0.3 * cos((hour + port) * 0.2618));
			warning_total(w, (struct warning_key){ WARNING_PORT, PROTO_TCP, port }, poisson(&x, mean));
		}
		end_window(w, START + (hour + 1) * 60, 60, ONE, &t);
	}
	assert_int_equal(t.n, 0);
	warning_close(w);
}

/* Hours until a port that had `mean` networks an hour for 40 days is raised when it has `more`. */
static uint32_t delay_of(double mean, double more, struct told *t)
{
	struct warning *w = make(256, 1u << 14);
	uint64_t x = 3;
	uint32_t hour = 0;
	for (; hour < 24 * 40; hour++)
		hour_of(w, &x, hour, 8443, mean, t);
	assert_int_equal(t->n, 0);
	for (; !t->n && hour < 24 * 60; hour++)
		hour_of(w, &x, hour, 8443, more, t);
	warning_close(w);
	return hour - 24 * 40;
}

static void what_begins_is_raised(void **state)
{
	(void)state;
	struct told t = { 0 };
	assert_true(delay_of(0.01, 8, &t) <= 2);
	assert_int_equal(t.first.grade, WARNING_WARNING);
	assert_int_equal(t.first.key.id, 8443);
	assert_true(t.first.networks >= 6 && t.first.learning == 28);
	memset(&t, 0, sizeof t);
	assert_true(delay_of(30, 60, &t) <= 12);
	memset(&t, 0, sizeof t);
	assert_true(delay_of(0.05, 0.5, &t) <= 7 * 24);
}

/* None of these is a scan: rows given in each hour of two days, after 40 quiet ones. */
static void nothing_is_made_of(uint8_t flags, uint32_t networks, uint32_t addresses, uint32_t rows)
{
	struct warning *w = make(256, 1u << 14);
	struct told t = { 0 };
	uint64_t x = 3;
	uint32_t hour = 0;
	for (; hour < 24 * 40; hour++)
		hour_of(w, &x, hour, 8443, 0.5, &t);
	for (; hour < 24 * 42; hour++) {
		for (uint32_t i = 0; i < rows; i++) {
			struct warning_row r = row_of(1000 + (uint32_t)draw(&x) % networks, 8443, addresses == 1 ? 9 : draw(&x) % addresses);
			r.flags = flags;
			r.packets = 100000;
			warning_row(w, &r);
		}
		hour_of(w, &x, hour, 8443, 0.5, &t);
	}
	assert_int_equal(t.warnings, 0);
	warning_close(w);
}

static void what_is_no_scan(void **state)
{
	(void)state;
	nothing_is_made_of(0, 1, 64, 500);                     /* one loud source */
	nothing_is_made_of(0, 5, 64, 100);                     /* a few */
	nothing_is_made_of(WARNING_NO_ACCESS, 10000, 64, 500); /* backscatter */
	nothing_is_made_of(WARNING_SETTLING, 10000, 1, 500);   /* an address that was swapped */
	nothing_is_made_of(0, 10000, 3, 500);                  /* decoys */
}

/* An outage is neither news, nor does what comes back look like some. */
static void outages_are_no_news(void **state)
{
	(void)state;
	struct warning *w = make(256, 1u << 14);
	struct told t = { 0 };
	uint64_t x = 3;
	for (uint32_t hour = 0; hour < 24 * 60; hour++) {
		if (hour > 24 * 35 && hour < 24 * 42)
			end_window(w, START + (hour + 1) * 60, 60, 0, &t);
		else if (hour > 24 * 45 && hour < 24 * 48) {
			warning_total(w, (struct warning_key){ WARNING_PORT, PROTO_TCP, 8443 }, poisson(&x, 10));
			end_window(w, START + (hour + 1) * 60, 60, ONE / 2, &t);
		} else {
			hour_of(w, &x, hour, 8443, 20, &t);
		}
	}
	assert_int_equal(t.n, 0);
	warning_close(w);
}

static void the_first_week_is_silent(void **state)
{
	(void)state;
	struct warning *w = make(256, 1u << 14);
	struct told t = { 0 };
	uint64_t x = 3;
	for (uint32_t hour = 0; hour < 24 * 7; hour++)
		hour_of(w, &x, hour, (uint16_t)(hour / 8), hour % 7 ? 1 : 40, &t);
	assert_int_equal(t.n, 0);
	warning_close(w);
}

/* ---- Order, restarts ---- */

/* 50 days; on the 41st a scan of two ports begins. Rows of a window forwards or backwards; restored from bytes at `cut`. */
static void story(uint32_t pairs, bool backwards, uint32_t cut, struct told *t, uint64_t *digest)
{
	struct warning *w = make(256, pairs);
	static struct warning_row rows[4096];
	uint64_t x = 9;
	for (uint32_t step = 0; step < 50 * 144; step++) {
		uint32_t n = 0, more = step > 41 * 144 ? 5 : 0;
		for (uint32_t i = poisson(&x, 4) + more; i > 0; i--) {
			rows[n] = row_of((uint32_t)draw(&x) >> 4, (uint16_t)(i <= more ? 8443 + i % 2 : draw(&x) % 50), draw(&x));
			rows[n].country = (uint16_t)(1 + draw(&x) % 600);
			rows[n].payload = 7;
			rows[n++].tool = (uint8_t)(draw(&x) % 5);
		}
		for (uint32_t i = 0; i < n; i++)
			warning_row(w, &rows[backwards ? n - 1 - i : i]);
		end_window(w, START + (step + 1) * 10, 10, ONE, t);
		if (step == cut) {
			uint8_t *bytes;
			uint32_t size, room;
			struct error e;
			struct warning *other = make(256, pairs);
			assert_int_equal(warning_save(w, &bytes, &size, &room, &e), 0);
			assert_int_equal(warning_restore(other, bytes, size, &e), 0);
			env_free(env_system(), bytes, room);
			warning_close(w);
			w = other;
		}
	}
	*digest = 0;
	for (uint32_t i = 0; i < SLOT_FREE; i++)
		for (int k = 0; k < ALTERNATIVES; k++)
			*digest = warn_mix(*digest ^ (uint32_t)w->key[i].s[k] ^ w->key[i].sum ^ w->key[i].x);
	warning_close(w);
}

static void neither_order_nor_restart_shows(void **state)
{
	(void)state;
	for (uint32_t pairs = 1u << 8; pairs <= 1u << 14; pairs <<= 6) {
		struct told a = { 0 }, b = { 0 }, c = { 0 };
		uint64_t x, y, z;
		story(pairs, false, UINT32_MAX, &a, &x);
		story(pairs, true, UINT32_MAX, &b, &y);
		story(pairs, false, 41 * 144 + 3, &c, &z);
		assert_true(a.n >= 1);
		assert_memory_equal(&a, &b, sizeof a);
		assert_memory_equal(&a, &c, sizeof a);
		assert_true(x == y && x == z);
	}
}

static void damaged_states_are_refused(void **state)
{
	(void)state;
	struct warning *w = make(256, 1024);
	struct told t = { 0 };
	uint64_t x = 2;
	uint8_t *bytes;
	uint32_t n, room;
	struct error e;
	for (uint32_t hour = 0; hour < 50; hour++)
		hour_of(w, &x, hour, 80, 3, &t);
	assert_int_equal(warning_save(w, &bytes, &n, &room, &e), 0);
	for (uint32_t cut = 0; cut < n; cut += 7) {
		struct warning *other = make(256, 1024);
		assert_true(warning_restore(other, bytes, cut, &e) < 0);
		warning_close(other);
	}
	bytes[0] ^= 1;
	struct warning *other = make(256, 1024);
	assert_true(warning_restore(other, bytes, n, &e) < 0);
	warning_close(other);
	env_free(env_system(), bytes, room);
	warning_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithms_and_roots),
		cmocka_unit_test(evidence_is_an_e_value),
		cmocka_unit_test(nulls_raise_nothing),
		cmocka_unit_test(what_begins_is_raised),
		cmocka_unit_test(what_is_no_scan),
		cmocka_unit_test(outages_are_no_news),
		cmocka_unit_test(the_first_week_is_silent),
		cmocka_unit_test(neither_order_nor_restart_shows),
		cmocka_unit_test(damaged_states_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
