/* Staged rows in the order of parts: by family, day, address, port, protocol. */
#pragma once
#include "store/columns.h"

struct sort_item {
	uint64_t high, low; /* address; of IPv4 in `low` alone */
	uint32_t rest;      /* port, protocol, class or rule */
	uint32_t run;       /* day, counted from the least; top bit: IPv4 */
	uint32_t row;
	uint32_t pad;
};

/* Fills items[0..n) for rows from … from + n - 1 and sorts them; `spare` has room for as many, and the sorted ones are in
 * the one returned. *day: of run 0. */
struct sort_item *sort_rows(enum store_table table, const uint8_t *rows, size_t width, uint32_t from, uint32_t n,
                            struct sort_item *items, struct sort_item *spare, int32_t *day);
#define SORT_V4 (1u << 31)
