/* Staged rows in the order of parts (docs/formats/store.md); those alike stay in the order they came. */
#pragma once
#include "store/columns.h"

struct sort_run { /* rows order[from..to) are of one family and day */
	uint32_t from, to;
	int32_t day;
	bool v4;
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
void sort_fini(struct sort *s);
