/* Staged rows in the order of parts (docs/formats/store.md); those alike stay in the order they came. */
#pragma once
#include "store/columns.h"

struct sort_item { /* a row of IPv4 and its key */
	uint64_t key;
	uint32_t row;
	uint32_t day; /* from the least of those sorted together */
};

struct sort_run { /* rows order[from..to) are of one family and day */
	uint32_t from, to;
	int32_t day;
	bool v4;
	bool side; /* of narrow rows: where their items lie */
};

struct sort {
	const struct env *env;
	uint32_t *order; /* rows, sorted */
	struct sort_run *run;
	uint32_t n_runs;
	/* room that is kept from one sort to the next */
	uint32_t order_room, runs_room;
	void *items[2], *items6[2];
	uint32_t items_room, items6_room;
};

/* Sorts rows from … to - 1. */
int sort_rows(struct sort *s, enum store_table table, const uint8_t *rows, size_t width, uint32_t from, uint32_t to,
              struct error *e) MUST_USE;
/* Narrow rows: parts them by day, and those of a day by ranges of sources into about `most` each. Runs can then be sorted
 * at the same time, each by one thread: sort_run gives its items, as long as nothing else is parted. */
struct narrow_flow;
int sort_part(struct sort *s, const struct narrow_flow *rows, uint32_t from, uint32_t to, uint32_t most,
              struct error *e) MUST_USE;
const struct sort_item *sort_run(struct sort *s, const struct sort_run *run);
void sort_fini(struct sort *s);

/* 16 bits of protocol, class and evidence, then the source and the port. */
uint64_t sort_flow_key(uint8_t protocol, uint8_t class, uint16_t rules, uint32_t source, uint16_t port);
