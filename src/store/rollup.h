/* Rollups: sums over the rows of a flow part, small enough for queries over a year. Each flow part has its own, with the
 * numbers that follow its own; readers add them up. They outlive rows that expire. */
#pragma once
#include "base/hash.h"
#include "base/index.h"
#include "store/columns.h"

enum rollup_kind { ROLLUP_CLASS_HOUR, ROLLUP_PORT_DAY, ROLLUPS };

const char *rollup_name(enum rollup_kind kind); /* of the table at rest */
const struct shape *rollup_shape(enum rollup_kind kind);

struct totals { /* a row of either */
	int32_t hour;  /* since 1970; of a day's 0 */
	uint16_t port; /* of an hour's 0 */
	uint8_t protocol, class;
	uint8_t band;  /* 0: no port, 1: to 1023, 2: from 1024; of a day's 0 */
	uint8_t pad[7];
	uint64_t packets, accesses, attempts, bytes, flows;
};

struct rollup_flow { /* what is summed of a flow row */
	int32_t minute;
	uint16_t port;
	uint8_t protocol, class;
	uint32_t packets, accesses, attempts;
	uint64_t bytes;
};

struct rollup {
	const struct env *env;
	struct seed seed;
	/* Rows that will be asked for again, since those of a part are sorted: 1 + their number, 0: unknown. */
	uint32_t *of_port;      /* of the last protocol and class */
	uint8_t protocol, class;
	uint32_t of_hour[64];   /* by the lower bits of the hour, and whether the port is a low one */
	struct {
		struct totals *row;
		uint32_t n, room;
		struct index index;
	} table[ROLLUPS];
};

int rollup_init(struct rollup *r, const struct env *env, struct error *e) MUST_USE;
void rollup_fini(struct rollup *r);
void rollup_clear(struct rollup *r);
int rollup_add(struct rollup *r, const struct rollup_flow *f, struct error *e) MUST_USE;
int rollup_add_record(struct rollup *r, const struct flow_record *f, struct error *e) MUST_USE;
/* In the order of their keys, as parts have them. */
void rollup_sort(struct rollup *r);
