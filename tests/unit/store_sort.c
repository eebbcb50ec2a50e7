/* The order of parts: families and days apart, then as docs/formats/store.md says; what is alike stays as it came.
 *
 * Mutants it kills: a digit left out, the passes in another order, an IPv6 row among those of IPv4, a row lost or twice.
 */
#include "store/part.h"
#include "store/sort.h"

#include "model/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define ROWS 20000

static uint32_t state_of_draws = 1;

static uint32_t draw(uint32_t n)
{
	state_of_draws = state_of_draws * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)state_of_draws * n >> 32);
}

static struct addr draw_addr(void)
{
	struct addr a = addr_from_v4(0xfffff000 + draw(4096) * draw(2)); /* few, so that much is alike */
	if (draw(5))
		return a;
	memset(a.bytes, 0x20, sizeof a.bytes);
	a.bytes[3] = (uint8_t)draw(256);
	a.bytes[15] = (uint8_t)draw(2);
	return a;
}

static int32_t draw_minute(void) { return -1440 + (int32_t)draw(3 * 1440); } /* across 1970 */

/* Every row once; runs follow each other and hold one family and one day each; no run of the same twice. */
static void assert_laid_out(const struct sort *s, enum store_table table, const void *rows, size_t width, uint32_t from)
{
	static bool seen[ROWS];
	memset(seen, 0, sizeof seen);
	uint32_t at = 0;
	for (uint32_t r = 0; r < s->n_runs; r++) {
		assert_int_equal(s->run[r].from, at);
		for (; at < s->run[r].to; at++) {
			const void *row = (const char *)rows + width * s->order[at];
			assert_true(s->order[at] >= from && !seen[s->order[at]]);
			seen[s->order[at]] = true;
			assert_int_equal(addr_is_v4(staged_addr(table, row)), s->run[r].v4);
			assert_int_equal(day_of_minute(staged_minute(table, row)), s->run[r].day);
		}
		for (uint32_t k = 0; k < r; k++)
			assert_false(s->run[k].day == s->run[r].day && s->run[k].v4 == s->run[r].v4);
	}
	assert_int_equal(at, ROWS - from);
}

static int step(int64_t a, int64_t b) { return (a > b) - (a < b); }

/* Below 0: a may stand before b. */
static int compare_flows(const struct flow_record *a, const struct flow_record *b)
{
	static const uint8_t rank[] = { [6] = 0, [17] = 1, [1] = 2, [47] = 3 };
	int c = step(rank[a->protocol], rank[b->protocol]);
	c = c ? c : step(a->class, b->class);
	c = c ? c : step(a->rules, b->rules);
	c = c ? c : memcmp(&a->source, &b->source, sizeof a->source);
	return c ? c : step(a->port, b->port);
}

static void flows_by_kind_source_and_port(void **state)
{
	(void)state;
	static const uint8_t protocols[] = { 6, 17, 1, 47 };
	static struct flow_record row[ROWS];
	struct sort s = { .env = env_system() };
	for (uint32_t i = 0; i < ROWS; i++)
		row[i] = (struct flow_record){ .minute = (uint32_t)draw_minute(), .source = draw_addr(), .port = (uint16_t)draw(65536),
		                               .protocol = protocols[draw(4)], .class = (uint8_t)draw(CLASS_COUNT),
		                               .rules = (uint16_t)(1u << draw(11) & 0x7fe) };
	for (uint32_t i = 0; i < ROWS; i += 3)
		row[i] = row[i / 2];
	assert_int_equal(sort_rows(&s, STORE_FLOW, (const uint8_t *)row, sizeof *row, 0, ROWS, NULL), 0);
	assert_laid_out(&s, STORE_FLOW, row, sizeof *row, 0);
	for (uint32_t r = 0; r < s.n_runs; r++) {
		for (uint32_t i = s.run[r].from + 1; i < s.run[r].to; i++) {
			int c = compare_flows(&row[s.order[i - 1]], &row[s.order[i]]);
			assert_true(c < 0 || (c == 0 && s.order[i - 1] < s.order[i]));
		}
	}
	sort_fini(&s);
}

/* A content's rows of a protocol and port follow each other. */
static void payloads_by_content(void **state)
{
	(void)state;
	static struct flow_payload_record row[ROWS];
	struct sort s = { .env = env_system() };
	for (uint32_t i = 0; i < ROWS; i++) {
		row[i] = (struct flow_payload_record){ .minute = (uint32_t)draw_minute(), .source = draw_addr(),
		                                       .port = (uint16_t)(65000 + draw(3)), .protocol = draw(2) ? 6 : 17 };
		row[i].content.bytes[draw(2)] = (uint8_t)(1 + draw(5));
	}
	assert_int_equal(sort_rows(&s, STORE_PAYLOAD, (const uint8_t *)row, sizeof *row, 100, ROWS, NULL), 0);
	assert_laid_out(&s, STORE_PAYLOAD, row, sizeof *row, 100);
	for (uint32_t r = 0; r < s.n_runs; r++) {
		for (uint32_t i = s.run[r].from + 1; i < s.run[r].to; i++) {
			const struct flow_payload_record *a = &row[s.order[i - 1]], *b = &row[s.order[i]];
			int c = step(b->protocol == 6, a->protocol == 6); /* TCP first */
			c = c ? c : step(a->port, b->port);
			assert_true(c < 0 || (c == 0 && memcmp(&a->content, &b->content, 16) <= 0));
		}
	}
	sort_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_by_kind_source_and_port),
		cmocka_unit_test(payloads_by_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
