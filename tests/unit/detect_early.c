/* Onsets out of a fold: told once each, whatever comes of the victim later in it, and with the least N that was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "detect/detect.h"

#include <string.h>

#define DAY 86400
#define BEGIN INT64_C(1590969600) /* 2020-06-01 */

struct told {
	struct onset_record onset[8];
	uint32_t n;
	uint8_t state[4096];
	uint32_t n_state;
};

static int skip_rsdos(void *ctx, const struct rsdos_record *r, struct error *e) { return (void)ctx, (void)r, (void)e, 0; }
static int skip_attack(void *ctx, const struct attack_record *r, struct error *e) { return (void)ctx, (void)r, (void)e, 0; }
static int skip_vector(void *ctx, const struct attack_vector_record *r, struct error *e)
{
	return (void)ctx, (void)r, (void)e, 0;
}

static int take_onset(void *ctx, const struct onset_record *r, struct error *e)
{
	struct told *t = ctx;
	(void)e;
	assert_true(t->n < 8);
	t->onset[t->n++] = *r;
	return 0;
}

static int take_state(void *ctx, const struct victim_state *s, struct error *e)
{
	struct told *t = ctx;
	(void)e;
	assert_true(s->n <= sizeof t->state);
	memcpy(t->state, s->bytes, s->n);
	t->n_state = s->n;
	return 0;
}

/* n SYN-ACKs, a second each, to other addresses and ports. */
static void flood(struct detect *d, int64_t from, uint32_t n, uint64_t addresses)
{
	struct error e;
	for (uint32_t i = 0; i < n; i++) {
		struct victim_row r = { .second = from + i, .bytes = 40, .packets = 1, .attackers = 1, .forged = 1, .protocol = 6,
			                .port = 80, .length_min = 40, .length_max = 40, .ttl_min = 60, .ttl_max = 60,
			                .addresses = addresses };
		reply_sample_add(&r.sample, reply_element((uint16_t)(7919 * i + 13), (uint16_t)(2000 + 10007 * i)));
		assert_int_equal(detect_row(d, &r, &e), 0);
	}
}

static void fold(struct told *t, int64_t until, void (*rows)(struct detect *d))
{
	struct detect_sink sink = { skip_rsdos, skip_rsdos, skip_attack, skip_vector, take_onset, take_state, t };
	struct addr victim = addr_from_v4(0x01020304);
	struct victim_state before = { &victim, t->state, t->n_state };
	struct detect *d;
	struct error e;
	assert_int_equal(detect_open(&d, env_system(), &sink, &e), 0);
	assert_int_equal(detect_begin(d, &before, &e), 0);
	t->n = t->n_state = 0;
	rows(d);
	assert_int_equal(detect_end(d, until, &e), 0);
	detect_close(d);
}

static void two_floods(struct detect *d)
{
	flood(d, BEGIN + 100, 5, 256);
	flood(d, BEGIN + 100 + 3 * 3600, 12, 256);
}

static void again_after_silence(void **unused)
{
	struct told t = { .n_state = 0 };
	(void)unused;
	fold(&t, BEGIN + DAY, two_floods);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.onset[0].raised, BEGIN + 103);
	assert_int_equal(t.onset[0].last, BEGIN + 104);
	assert_int_equal(t.onset[0].outcome, ONSET_IS_WATCHED);
	assert_int_equal(t.onset[1].raised, BEGIN + 103 + 3 * 3600);
	assert_int_equal(t.onset[1].outcome, ONSET_IS_CONFIRMED);
	assert_int_equal(t.n_state, 0);
}

static void late(struct detect *d) { flood(d, BEGIN + DAY - 60, 5, 256); }
static void early(struct detect *d) { flood(d, BEGIN + DAY + 60, 12, 256); }
static void none(struct detect *d) { (void)d; }

static void over_midnight(void **unused)
{
	struct told t = { .n_state = 0 };
	(void)unused;
	fold(&t, BEGIN + DAY, late);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.onset[0].outcome, ONSET_IS_WATCHED);
	assert_true(t.n_state > 0);
	struct told quiet = t;
	fold(&t, BEGIN + 2 * DAY, early);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.onset[0].raised, BEGIN + DAY - 57);
	assert_int_equal(t.onset[0].outcome, ONSET_IS_CONFIRMED);
	fold(&quiet, BEGIN + 2 * DAY, none);
	assert_int_equal(quiet.n, 0); /* nothing is new */
	assert_int_equal(quiet.n_state, 0);
}

static void fewer_addresses(struct detect *d)
{
	flood(d, BEGIN + 100, 1, 16);
	flood(d, BEGIN + 101, 8, 256);
}

static void unknown_addresses(struct detect *d)
{
	flood(d, BEGIN + 100, 4, 256);
	flood(d, BEGIN + 110, 12, 0);
}

/* Readers leave out what few addresses raised, and go by the least. */
static void least_addresses(void **unused)
{
	struct told t = { .n_state = 0 };
	(void)unused;
	fold(&t, BEGIN + DAY, fewer_addresses);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.onset[0].addresses, 16);
	fold(&t, BEGIN + DAY, unknown_addresses);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.onset[0].outcome, ONSET_IS_CONFIRMED);
	assert_int_equal(t.onset[0].addresses, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(again_after_silence),
		cmocka_unit_test(over_midnight),
		cmocka_unit_test(least_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
