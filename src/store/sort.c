#include "store/sort.h"

#include "store/part.h"

#include <string.h>

static uint32_t rest_of(enum store_table table, const void *row)
{
	const struct flow_record *f = row;
	const struct flow_payload_record *p = row;
	const struct victim_second_record *v = row;
	const struct source_evidence_record *s = row;
	switch (table) {
	case STORE_FLOW: return (uint32_t)f->port << 16 | (uint32_t)f->protocol << 8 | f->class;
	case STORE_PAYLOAD: return (uint32_t)p->port << 16 | (uint32_t)p->protocol << 8;
	case STORE_VICTIM: return (uint32_t)v->port << 16 | (uint32_t)v->protocol << 8;
	default: return (uint32_t)s->protocol << 8 | s->rule;
	}
}

static void fill(enum store_table table, const uint8_t *rows, size_t width, uint32_t from, uint32_t n,
                 struct sort_item *items, int32_t *day)
{
	int32_t least = INT32_MAX;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *row = rows + width * (from + i);
		const struct addr *a = staged_addr(table, row);
		bool v4 = addr_is_v4(a);
		int32_t d = day_of_minute(staged_minute(table, row));
		least = d < least ? d : least;
		items[i] = (struct sort_item){ .high = v4 ? 0 : load_be64(a->bytes),
		                               .low = v4 ? addr_v4(a) : load_be64(a->bytes + 8),
		                               .rest = rest_of(table, row), .run = (uint32_t)d, .row = from + i, .pad = v4 };
	}
	for (uint32_t i = 0; i < n; i++)
		items[i].run = (items[i].run - (uint32_t)least) | (items[i].pad ? SORT_V4 : 0);
	*day = least;
}

/* Where the bytes of the key lie in an item, the least significant first (little-endian machines). */
static const uint8_t digits[] = { 16, 17, 18, 19, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 20, 21, 22, 23 };
#define DIGITS (sizeof digits)

static void pass(const struct sort_item *from, struct sort_item *to, uint32_t n, unsigned digit, uint32_t *start)
{
	uint32_t at = 0;
	for (int b = 0; b < 256; b++) {
		uint32_t count = start[b];
		start[b] = at;
		at += count;
	}
	for (uint32_t i = 0; i < n; i++)
		to[start[((const uint8_t *)&from[i])[digit]]++] = from[i];
}

struct sort_item *sort_rows(enum store_table table, const uint8_t *rows, size_t width, uint32_t from, uint32_t n,
                            struct sort_item *items, struct sort_item *spare, int32_t *day)
{
	uint32_t count[DIGITS][256] = { { 0 } };
	fill(table, rows, width, from, n, items, day);
	for (uint32_t i = 0; i < n; i++)
		for (size_t d = 0; d < DIGITS; d++)
			count[d][((const uint8_t *)&items[i])[digits[d]]]++;
	for (size_t d = 0; d < DIGITS; d++) {
		if (count[d][((const uint8_t *)&items[0])[digits[d]]] == n)
			continue; /* all alike */
		pass(items, spare, n, digits[d], count[d]);
		struct sort_item *sorted = spare;
		spare = items;
		items = sorted;
	}
	return items;
}
