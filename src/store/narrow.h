/* Flow rows as nearly all of them are, in 64 bytes: of IPv4, with counts that fit in 16 bits. They are staged so; the
 * others wait as they are (struct flow_record). At rest both are rows of flow4.
 */
#pragma once
#include "store/columns.h"
#include "store/rollup.h"
#include "store/sort.h"

struct narrow_flow {
	uint32_t source; /* host order */
	int32_t minute;
	uint16_t port;
	uint8_t protocol, class;
	uint16_t tags, rules;
	uint16_t packets, destinations, attempts, accesses;
	uint32_t bytes;
	uint16_t length_min, length_max;
	uint8_t ttl_min, ttl_max, first, last;
	uint8_t tcp_flags, pad[3];
	uint8_t syn[24]; /* canonical bytes; all zero: no SYN */
};
_Static_assert(sizeof(struct narrow_flow) == 64, "one line of the cache a row, since they are read in random order");

#define NARROW_SOURCE 1 /* the vector of the source's address */

/* False: it does not fit. */
bool narrow_from(const struct flow_record *f, struct narrow_flow *out);
/* Its place in a part, as sort.c has it for flows of IPv4. */
uint64_t narrow_key(const struct narrow_flow *f);

/* Rows in the order of `item` into the columns of flow4 in tables.def, from vector 0 on. Each is added to `sums`, and its
 * minute to from … to, since here it is at hand. */
struct narrow_sums {
	struct rollup *rollup;
	int32_t from, to;
};
int narrow_put(const struct narrow_flow *rows, const struct sort_item *item, uint32_t n, uint32_t left,
               duckdb_data_chunk out, struct narrow_sums *sums, struct error *e) MUST_USE;
