/* Prefixes as ranges against the prefixes themselves; opening under failing memory; a table of flags by itself.
 *
 * Mutants this kills, each tried once: ranges that touch not merged or merged one too far, the search off by one at
 * either side, host bits of a /0, a leak when the second list cannot be had, a NAT entry of unequal lengths accepted. */
#include "classify/judge.h"
#include "classify/rules.h"
#include "classify/scope.h"

#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint32_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 32);
}

static struct prefix prefix4(uint32_t net, unsigned bits)
{
	uint32_t mask = bits ? ~(uint32_t)0 << (32 - bits) : 0;
	return (struct prefix){ .net = addr_from_v4(net & mask), .version = 4, .bits = (uint8_t)bits };
}

/* A small corner of the address space, so that prefixes nest, touch and repeat. */
static void prefixes_make(struct prefix *list, size_t n, uint64_t *state)
{
	for (size_t i = 0; i < n; i++) {
		list[i] = prefix4(0xc6330000 + next(state) % 4096, 22 + next(state) % 11);
		if (next(state) % 4 == 0) {
			list[i].version = 6;
			list[i].bits = (uint8_t)(118 + next(state) % 11);
			memset(list[i].net.bytes, 0, 16);
			list[i].net.bytes[0] = 0x2a;
			store_be16(list[i].net.bytes + 14, (uint16_t)(next(state) & 1023 & ~0u << (128 - list[i].bits)));
		}
	}
}

static void ranges_agree(const struct prefix *list, size_t n)
{
	struct ranges r;
	struct error e = { 0 };
	assert_int_equal(ranges_init(&r, env_system(), list, n, &e), 0);
	for (uint32_t a = 0xc6330000 - 2; a != 0xc6330000 + 5200; a++) {
		bool want = false;
		for (size_t i = 0; i < n; i++)
			want |= list[i].version == 4 && prefix_contains4(&list[i], a);
		assert_int_equal(ranges_contain4(&r, a), want);
		assert_int_equal(ranges_search4(&r, a), want);
	}
	for (uint32_t low = 0; low < 1200; low++) {
		uint8_t a[16] = { 0x2a };
		store_be16(a + 14, (uint16_t)low);
		bool want = false;
		for (size_t i = 0; i < n; i++)
			want |= list[i].version == 6 && prefix_contains6(&list[i], a);
		assert_int_equal(ranges_contain6(&r, a), want);
	}
	ranges_fini(&r, env_system());
}

static void test_ranges(void **state)
{
	(void)state;
	uint64_t seed = 42;
	for (size_t round = 0; round < 60; round++) {
		struct prefix list[24];
		size_t n = round % 24;
		prefixes_make(list, n, &seed);
		ranges_agree(list, n);
	}
}

static void test_ranges_whole(void **state)
{
	(void)state;
	struct prefix list[3] = { prefix4(0, 0), prefix4(UINT32_MAX, 32), { .version = 6 } };
	struct ranges r;
	struct error e = { 0 };
	uint8_t top[16];
	memset(top, 0xff, sizeof top);
	assert_int_equal(ranges_init(&r, env_system(), list, 3, &e), 0);
	assert_int_equal(r.n4, 1);
	assert_true(ranges_contain4(&r, 0) && ranges_contain4(&r, UINT32_MAX) && ranges_contain6(&r, top));
	ranges_fini(&r, env_system());
}

/* A /24 that was given as its 256 addresses, in any order, is one range. */
static void test_ranges_merge(void **state)
{
	(void)state;
	struct prefix list[256];
	struct ranges r;
	struct error e = { 0 };
	for (uint32_t i = 0; i < 256; i++)
		list[i] = prefix4(0xc6330700 + (i * 91 & 255), 32);
	assert_int_equal(ranges_init(&r, env_system(), list, 256, &e), 0);
	assert_int_equal(r.n4, 1);
	assert_true(ranges_contain4(&r, 0xc6330700) && ranges_contain4(&r, 0xc63307ff));
	assert_false(ranges_contain4(&r, 0xc6330800) || ranges_contain4(&r, 0xc63306ff));
	ranges_fini(&r, env_system());
}

/* ---- Memory that fails at the n-th call ---- */

struct failing {
	struct env env;
	int left; /* calls that still succeed */
	int live; /* blocks not given back */
};

static void *failing_alloc(const struct env *env, size_t n)
{
	struct failing *f = env->ctx;
	if (f->left-- <= 0)
		return NULL;
	f->live++;
	return env_system()->alloc(env_system(), n);
}

static void failing_free(const struct env *env, void *p, size_t n)
{
	struct failing *f = env->ctx;
	f->live -= p != NULL;
	env_system()->free(env_system(), p, n);
}

static void test_open_without_memory(void **state)
{
	(void)state;
	struct prefix list[2] = { prefix4(0xc6330700, 24), { .version = 6, .bits = 32 } };
	struct scope scope = { .monitored = list, .n_monitored = 2, .own = list, .n_own = 2 };
	for (int allowed = 0; allowed <= 5; allowed++) {
		struct failing f = { .env = *env_system(), .left = allowed };
		struct error e = { 0 };
		struct classify *c;
		f.env.ctx = &f;
		f.env.alloc = failing_alloc;
		f.env.free = failing_free;
		int rc = classify_open(&c, &f.env, &scope, &e);
		assert_int_equal(rc, allowed < 5 ? -ENOMEM : 0);
		assert_string_equal(e.code, allowed < 5 ? "MON-BASE-001" : "");
		assert_int_equal(c != NULL, allowed == 5);
		classify_close(c);
		assert_int_equal(f.live, 0);
	}
}

static void test_nat_of_unequal_lengths(void **state)
{
	(void)state;
	struct nat nat[2] = { { prefix4(0x0a070000, 24), prefix4(0xc6330700, 24) },
		              { prefix4(0x0a080000, 24), prefix4(0xc6330800, 25) } };
	struct scope scope = { .nat = nat, .n_nat = 2 };
	struct error e = { 0 };
	struct classify *c;
	assert_int_equal(classify_open(&c, env_system(), &scope, &e), -EINVAL);
	assert_string_equal(e.code, "MON-CLS-001");
	nat[1].public = (struct prefix){ .version = 6, .bits = 24 };
	assert_int_equal(classify_open(&c, env_system(), &scope, &e), -EINVAL);
	scope.n_nat = 1;
	assert_int_equal(classify_open(&c, env_system(), &scope, &e), 0);
	classify_close(c);
}

/* ---- The table of flags against the sentences of DEFINITIONS 1 ---- */

static void test_flags(void **state)
{
	(void)state;
	for (unsigned data = 0; data < 2; data++) {
		for (unsigned f = 0; f < 256; f++) {
			bool syn = f & TCP_SYN, ack = f & TCP_ACK, rst = f & TCP_RST, fin = f & TCP_FIN;
			unsigned plain = f & 0x3f;
			const struct tcp_cell *cell = &tcp_cells[data][f];
			enum packet_class want = CLASS_OTHER;
			if (!data && (plain == 0 || plain == 1 || plain == 0x29 || plain == 0x11 || plain == 0x10))
				want = CLASS_SCAN;
			if (data)
				want = CLASS_PAYLOAD;
			if (syn && !ack)
				want = CLASS_SCAN;
			if (rst || (syn && ack))
				want = CLASS_BACKSCATTER;
			assert_int_equal(cell->class, want);
			assert_int_equal((cell->flags & VERDICT_ACCESS) != 0, syn && !ack && !rst && !fin);
			assert_int_equal((cell->flags & VERDICT_PROBE) != 0, want == CLASS_SCAN || want == CLASS_PAYLOAD);
		}
	}
}

/* ---- The hot path's rules are the rules ---- */

static void random_syn(struct packet *p, uint64_t *state)
{
	static const uint16_t windows[] = { 0, 512, 1024, 1025, 2048, 3072, 4096, 5120, 14600, 29200, 65535, 128 };
	static const uint32_t seqs[] = { 2018915346, 333994513, 30000, 100, 0x12340000, 0x1234, 0xc6330706 };
	static const uint8_t flags[] = { TCP_SYN, TCP_SYN, TCP_SYN, TCP_FIN, TCP_FIN | TCP_PSH | TCP_URG, 0, TCP_ACK,
		                         TCP_SYN | TCP_ACK, TCP_SYN | TCP_ECE, TCP_RST, TCP_SYN | TCP_FIN };
	static uint8_t bytes[64] = { [40] = 2, [41] = 4, [42] = 5, [43] = 0xb4 };
	*p = (struct packet){ .ip = bytes, .version = 4, .proto = PROTO_TCP, .l4_offset = 20, .bits = PACKET_L4 };
	p->src = next(state);
	p->dst.v4 = 0xc6330706;
	p->seq = next(state) % 3 ? next(state) : seqs[next(state) % 7];
	p->sport = (uint16_t)next(state);
	p->dport = (uint16_t)next(state);
	p->ack = next(state) % 2 ? next(state) : 0;
	p->window = windows[next(state) % 12];
	p->ip_id = (uint16_t)(next(state) % 3 ? next(state) : next(state) % 2 ? 54321 : 123);
	if (next(state) % 4 == 0)
		p->ip_id = (uint16_t)(p->dst.v4 ^ p->dport ^ p->seq);
	p->ttl = (uint8_t)next(state);
	p->tcp_flags = flags[next(state) % 11];
	p->tcp_options_len = next(state) % 2 ? 4 : 0;
	p->bits |= next(state) % 2 ? PACKET_DF : 0;
}

static void test_rules_of_segments(void **state)
{
	(void)state;
	uint64_t seed = 7;
	unsigned seen = 0, ordinary = 0;
	for (unsigned i = 0; i < 200000; i++) {
		struct packet p;
		random_syn(&p, &seed);
		unsigned by_row = 0;
		for (unsigned r = 0; r < RULE_COUNT; r++)
			by_row |= (unsigned)rule_rows[r].match(&p) << r;
		assert_int_equal(rules_match(&p, true), by_row);
		for (unsigned r = 0; r < RULE_COUNT; r++)
			if (rule_rows[r].reads_destination)
				assert_false(rules_match(&p, false) >> r & 1);
		for (unsigned known = 0; known < 2; known++)
			assert_int_equal(rules_of_segment(&p, rules_shape(&p), &tcp_cells[0][p.tcp_flags], known),
			                 rules_match(&p, known));
		ordinary += !rules_gate(rules_shape(&p), p.seq);
		seen |= by_row;
	}
	assert_int_equal(seen, (1u << RULE_COUNT) - 1); /* each rule was met */
	assert_true(ordinary > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges), cmocka_unit_test(test_ranges_whole), cmocka_unit_test(test_ranges_merge),
		cmocka_unit_test(test_open_without_memory), cmocka_unit_test(test_nat_of_unequal_lengths),
		cmocka_unit_test(test_flags), cmocka_unit_test(test_rules_of_segments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
