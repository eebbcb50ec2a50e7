/* Flow rows as nearly all of them are, in 64 bytes: of IPv4, with counts that fit in 16 bits. They are staged so; the
 * others wait as they are (struct flow_record). At rest both are rows of flow4.
 */
#pragma once
#include "store/origin.h"
#include "store/parquet.h"
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

/* False: it does not fit. */
bool narrow_from(const struct flow_record *f, struct narrow_flow *out);
/* Its place in a part, as sort.c has it for flows of IPv4. */
uint64_t narrow_key(const struct narrow_flow *f);

/* Rows of a group, column by column, on their way into a file: those of flow4 in tables.def, then those of origin.h. */
#define NARROW_COLUMNS (COLUMNS_MAX + ORIGIN_COLUMNS)
struct narrow_group;
int narrow_group_init(struct narrow_group **out, const struct env *env, struct error *e) MUST_USE;
void narrow_group_fini(struct narrow_group *g); /* NULL is fine */
uint32_t narrow_columns(struct parquet_column out[static NARROW_COLUMNS]);

/* What rows come to: each is added as it is read, since here it is at hand. */
struct narrow_sums {
	struct rollup *rollup;
	int32_t from, to; /* minutes */
};
/* The next rows in the order of `item`, of `left`; how many it took, at least one. The columns then are valid until the
 * next ones are taken. */
int narrow_take(struct narrow_group *g, const struct narrow_flow *rows, const struct sort_item *item, uint32_t left,
                const struct store_origins *origins, struct narrow_sums *sums, uint32_t *taken, struct error *e) MUST_USE;
const struct parquet_values *narrow_values(const struct narrow_group *g);
