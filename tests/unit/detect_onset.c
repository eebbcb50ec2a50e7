/* The early mode: raised at the fourth distinct packet of a flood, never by what only looks like one.
 *
 * Killed mutants: packets sent again counted; a port met again without a price; ports of a cluster as if drawn; ports below
 * 1024 as if drawn; one more address from a UDP replier, a peer or an echo as good as from a flooded service; the test of times left out; a
 * state kept over silence; nothing withdrawn; onset_sees a tenth too low or a quarter too high. */
#include "detect/onset.h"
#include "model/packet.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START 1600000000u

/* SplitMix64 (public domain). */
static uint64_t draw(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t *x, uint64_t n) { return draw(x) % n; }
static double wait_of(uint64_t *x, double mean) { return -log((double)(draw(x) >> 11) * 0x1p-53 + 0x1p-54) * mean; }

static uint64_t hash(uint64_t v)
{
	uint64_t x = v;
	return draw(&x);
}

static uint32_t element(uint64_t address, uint16_t port) { return (uint32_t)(hash(address) >> 48) << 16 | port; }

/* What sends: one packet a row. */
struct host {
	struct onset o;
	struct onset_rule rule;
	uint64_t random, monitored;
	double at; /* s since START */
	uint8_t kind, protocol;
	uint16_t port;
	unsigned raised; /* how often */
};

static struct host host(uint64_t seed, uint64_t monitored, uint8_t kind, uint8_t protocol, uint16_t port)
{
	struct host h = { .random = hash(seed), .monitored = monitored, .kind = kind, .protocol = protocol, .port = port };
	onset_rule_make(&h.rule, monitored, false);
	return h;
}

static enum onset_outcome sends(struct host *h, uint64_t address, uint16_t port)
{
	struct onset_row row = { START + (uint32_t)h->at, h->kind, h->protocol, h->port, 1, { element(address, port) } };
	uint16_t evidence;
	(void)onset_silence(&h->o, row.second);
	enum onset_outcome out = onset_add(&h->o, &h->rule, &row, &evidence);
	h->raised += out == ONSET_RAISED;
	if (out == ONSET_RAISED)
		assert_true(evidence >= 8);
	return out;
}

static uint16_t any_port(struct host *h) { return (uint16_t)(1024 + below(&h->random, 64512)); }
static uint64_t any_address(struct host *h) { return below(&h->random, h->monitored); }

/* As a flood with forged sources: the number of the packet that raises it, 0 if none of `most` does. */
static unsigned flood(struct host *h, unsigned most, double mean_wait)
{
	for (unsigned i = 1; i <= most; i++) {
		uint64_t address = any_address(h);
		if (sends(h, address, any_port(h)) == ONSET_RAISED)
			return i;
		h->at += wait_of(&h->random, mean_wait);
	}
	return 0;
}

/* How many of 1,000 floods are raised by their packet with this number. */
static unsigned raised_by(unsigned number, uint8_t kind, uint8_t protocol, uint16_t port, bool echo)
{
	unsigned n = 0;
	for (unsigned seed = 0; seed < 1000; seed++) {
		struct host h = host(seed, 65536, kind, protocol, port);
		for (unsigned i = 0; i < number && !h.raised; i++, h.at++) {
			uint64_t address = any_address(&h);
			sends(&h, address, echo ? 0 : any_port(&h));
		}
		n += h.raised;
	}
	return n;
}

static void a_flood_at_the_fourth_packet(void **state)
{
	(void)state;
	const struct { uint8_t kind, protocol; uint16_t port; } sure[] = {
		{ REPLY_SYN_ACK, PROTO_TCP, 80 }, { REPLY_SYN_ACK, PROTO_TCP, 443 }, { REPLY_SYN_ACK, PROTO_TCP, 41000 },
		{ REPLY_RST, PROTO_TCP, 22 }, { REPLY_RST, PROTO_TCP, 25565 }, { REPLY_ERROR, PROTO_UDP, 53 },
		{ REPLY_ERROR, PROTO_UDP, 41000 }, { REPLY_ERROR, PROTO_TCP, 80 },
	};
	for (size_t i = 0; i < sizeof sure / sizeof *sure; i++) {
		assert_int_equal(raised_by(3, sure[i].kind, sure[i].protocol, sure[i].port, false), 0);
		assert_true(raised_by(4, sure[i].kind, sure[i].protocol, sure[i].port, false) > 970);
		assert_true(raised_by(7, sure[i].kind, sure[i].protocol, sure[i].port, false) > 998);
	}
}

static void later_where_less_is_proven(void **state)
{
	(void)state;
	/* resets from a port that a peer may have; echo replies; errors that quote no ports; answers over UDP */
	assert_int_equal(raised_by(6, REPLY_RST, PROTO_TCP, 41000, false), 0);
	assert_true(raised_by(9, REPLY_RST, PROTO_TCP, 41000, false) > 950);
	assert_int_equal(raised_by(6, REPLY_ANSWER, PROTO_ICMP, 0, true), 0);
	assert_int_equal(raised_by(7, REPLY_ANSWER, PROTO_ICMP, 0, true), 1000);
	assert_int_equal(raised_by(6, REPLY_ERROR, PROTO_ICMP, 0, true), 0);
	assert_int_equal(raised_by(7, REPLY_ERROR, PROTO_ICMP, 0, true), 1000);
	assert_int_equal(raised_by(12, REPLY_ANSWER, PROTO_UDP, 53, false), 0);
	assert_true(raised_by(13, REPLY_ANSWER, PROTO_UDP, 53, false) > 950);
}

static void slow_floods(void **state)
{
	(void)state;
	unsigned early = 0, all = 0; /* 3.4 an hour: the least that can be observed */
	for (unsigned seed = 0; seed < 1000; seed++) {
		struct host h = host(seed, 4096, REPLY_SYN_ACK, PROTO_TCP, 80);
		unsigned at = flood(&h, 20, 3600 / 3.4);
		early += at == 4;
		all += at != 0;
	}
	assert_true(early > 900);
	assert_true(all > 995);
}

static void sent_again_is_no_news(void **state)
{
	(void)state;
	struct host h = host(1, 65536, REPLY_SYN_ACK, PROTO_TCP, 80);
	for (unsigned i = 0; i < 60; i++, h.at++)
		assert_int_equal(sends(&h, i % 3, (uint16_t)(20000 + i % 3 * 9000)), ONSET_NOTHING);
	assert_int_equal(sends(&h, 3, 60000), ONSET_RAISED);
}

/* Thirty days' worth and more of packets from hosts that are none's victims. */
static unsigned raised_of(unsigned hosts, unsigned packets, struct host proto, double mean_wait,
                          void (*next)(struct host *h, unsigned i, uint64_t *address, uint16_t *port))
{
	unsigned n = 0;
	for (unsigned seed = 0; seed < hosts; seed++) {
		struct host h = proto;
		h.random = hash(seed ^ 0x6e756c6c);
		for (unsigned i = 0; i < packets; i++, h.at += wait_of(&h.random, mean_wait)) {
			uint64_t address;
			uint16_t port;
			next(&h, i, &address, &port);
			sends(&h, address, port);
		}
		n += h.raised;
	}
	return n;
}

static void one_port(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	*address = any_address(h);
	*port = 443;
}

static void three_ports(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	*address = any_address(h);
	*port = (uint16_t)(20000 + 13000 * below(&h->random, 3));
}

static void ports_in_a_row(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	*address = any_address(h);
	*port = (uint16_t)(8000 + i % 1000);
}

static void low_ports(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	*address = any_address(h);
	*port = (uint16_t)(1 + below(&h->random, 1023));
}

static void scanners(void **state)
{
	(void)state;
	struct host h = host(0, 65536, REPLY_SYN_ACK, PROTO_TCP, 80);
	assert_int_equal(raised_of(2000, 500, h, 0.1, one_port), 0);
	assert_int_equal(raised_of(2000, 500, h, 100, three_ports), 0);
	assert_int_equal(raised_of(2000, 500, h, 0.1, low_ports), 0);
	assert_int_equal(raised_of(100, 1000, h, 0.1, ports_in_a_row), 0);
}

static void one_address(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	*address = 7;
	*port = any_port(h);
}

static void three_addresses(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	*address = below(&h->random, 3);
	*port = any_port(h);
}

static void few_addresses(void **state)
{
	(void)state;
	for (uint8_t kind = REPLY_SYN_ACK; kind <= REPLY_ANSWER; kind++) {
		uint8_t protocol = kind == REPLY_ANSWER ? PROTO_UDP : PROTO_TCP;
		struct host h = host(0, 65536, kind, protocol, 443);
		assert_int_equal(raised_of(500, 1000, h, 10, one_address), 0);
		assert_int_equal(raised_of(500, 1000, h, 10, three_addresses), 0);
	}
}

static void six_addresses(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	*address = below(&h->random, 6);
	*port = any_port(h);
}

/* As many addresses as there are, each with its port in one cluster. */
static void cluster(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	*address = any_address(h);
	*port = (uint16_t)(6881 + hash(*address) % 9000);
}

/* Another port of its own for each: a client's. */
static void wandering(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	h->port = (uint16_t)(32768 + below(&h->random, 28000));
	*address = any_address(h);
	*port = any_port(h);
}

static void peers(void **state)
{
	(void)state;
	struct host h = host(0, 65536, REPLY_RST, PROTO_TCP, 51413);
	assert_int_equal(raised_of(2000, 500, h, 300, six_addresses), 0);
	assert_int_equal(raised_of(2000, 500, h, 300, cluster), 0);
	assert_int_equal(raised_of(2000, 500, h, 300, wandering), 0);
}

static void anything(struct host *h, unsigned i, uint64_t *address, uint16_t *port)
{
	(void)i;
	*address = any_address(h);
	*port = any_port(h);
}

static void strays(void **state)
{
	(void)state;
	/* 45 packets a month and host, as wide as a flood: the test of times alone is left */
	struct host h = host(0, 65536, REPLY_SYN_ACK, PROTO_TCP, 80);
	unsigned n = raised_of(5000, 45, h, ONSET_STRAY_WAIT, anything);
	assert_true(n < 5000 / 50);
}

static void confirmed_withdrawn_forgotten(void **state)
{
	(void)state;
	struct host h = host(3, 65536, REPLY_SYN_ACK, PROTO_TCP, 80);
	assert_int_equal(flood(&h, 10, 1), 4);
	struct host narrow = h, silent = h;
	unsigned n = 4;
	for (enum onset_outcome out = ONSET_NOTHING; out != ONSET_CONFIRMED; h.at++, n++) {
		uint64_t address = any_address(&h);
		out = sends(&h, address, any_port(&h));
	}
	assert_int_equal(n, 10);
	h.at += ONSET_IDLE + 1;
	assert_int_equal(onset_silence(&h.o, START + (uint32_t)h.at), ONSET_NOTHING);
	assert_int_equal(flood(&h, 10, 1), 4); /* a new one */

	enum onset_outcome out = ONSET_NOTHING;
	for (n = 0; n < 10 && out == ONSET_NOTHING; n++, narrow.at++)
		out = sends(&narrow, 1000 + n, 443);
	assert_int_equal(out, ONSET_CONTRADICTED);
	assert_int_equal(n, 3);
	assert_int_equal(flood(&narrow, 100, 1), 0); /* not twice */

	assert_int_equal(onset_silence(&silent.o, silent.o.last + ONSET_IDLE), ONSET_NOTHING);
	assert_int_equal(onset_silence(&silent.o, silent.o.last + ONSET_IDLE + 1), ONSET_SILENT);
	static const struct onset nothing;
	assert_memory_equal(&silent.o, &nothing, sizeof nothing);
}

static void small_telescopes_are_silent(void **state)
{
	(void)state;
	struct host h = host(1, 16, REPLY_SYN_ACK, PROTO_TCP, 80), unknown = host(1, 65536, REPLY_SYN_ACK, PROTO_TCP, 80);
	assert_int_equal(flood(&h, 200, 1), 0);
	onset_rule_make(&h.rule, 16, true);
	assert_true(flood(&h, 200, 1) > 0);
	onset_rule_make(&unknown.rule, 0, false);
	assert_int_equal(flood(&unknown, 200, 1), 0);
	onset_rule_make(&unknown.rule, 0, true);
	assert_int_equal(flood(&unknown, 200, 1), 4);
}

/* A row of more than its sample holds: eight packets of one second. */
static void a_whole_sample(void **state)
{
	(void)state;
	struct onset o = { 0 };
	struct onset_rule rule;
	struct onset_row row = { START, REPLY_SYN_ACK, PROTO_TCP, 80, 8, { 0 } };
	uint64_t random = 1;
	uint16_t evidence;
	for (unsigned i = 0; i < 8; i++)
		row.sample[i] = element(i * 77, (uint16_t)(1024 + below(&random, 64512)));
	onset_rule_make(&rule, 65536, false);
	assert_int_equal(onset_add(&o, &rule, &row, &evidence), ONSET_RAISED);
	assert_true(evidence >= 17);
	row.n = 0;
	assert_int_equal(onset_add(&o, &rule, &row, &evidence), ONSET_NOTHING);
}

/* Of 4,000 floods of a rate, how many are raised in time. */
static double share_seen(uint64_t monitored, uint32_t seconds, double rate)
{
	unsigned n = 0;
	for (unsigned seed = 0; seed < 4000; seed++) {
		struct host h = host(seed, monitored, REPLY_SYN_ACK, PROTO_TCP, 80);
		double mean = 4294967296.0 / (rate * (double)monitored);
		for (h.at = wait_of(&h.random, mean); h.at < seconds && !h.raised; h.at += wait_of(&h.random, mean)) {
			uint64_t address = any_address(&h);
			sends(&h, address, any_port(&h));
		}
		n += h.raised;
	}
	return n / 4000.0;
}

static void sees_what_it_says(void **state)
{
	(void)state;
	static const uint64_t sizes[] = { 17, 32, 64, 128, 256, 4096, 1 << 20 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (uint32_t seconds = 60; seconds <= 3600; seconds = seconds == 60 ? 600 : seconds * 6) {
			double rate = (double)onset_sees(sizes[i], seconds), seen = share_seen(sizes[i], seconds, rate);
			print_message("N %7llu, %4u s: %.0f/s, seen %.3f\n", (unsigned long long)sizes[i], seconds, rate, seen);
			assert_true(seen > 0.943); /* 0.95 less two deviations */
			assert_true(share_seen(sizes[i], seconds, rate * 0.75) < 0.93);
		}
	assert_int_equal(onset_sees(4, 60), 0);
	assert_int_equal(onset_sees(256, 0), 0);
	assert_int_equal(onset_sees(UINT64_C(1) << 32, 3600), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_at_the_fourth_packet), cmocka_unit_test(later_where_less_is_proven),
		cmocka_unit_test(slow_floods), cmocka_unit_test(sent_again_is_no_news), cmocka_unit_test(scanners),
		cmocka_unit_test(few_addresses), cmocka_unit_test(peers), cmocka_unit_test(strays),
		cmocka_unit_test(confirmed_withdrawn_forgotten), cmocka_unit_test(small_telescopes_are_silent),
		cmocka_unit_test(a_whole_sample), cmocka_unit_test(sees_what_it_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
