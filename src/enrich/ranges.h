/* AS numbers by ranges of addresses, read from CSV lines `FIRST,LAST,NUMBER,"NAME"`, sorted, in memory. */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "base/index.h"
#include "base/span.h"

#include <stdint.h>

/* Each start says what holds from there to the next start; ranges that nobody has hold AS 0 (row RANGES_NONE). */
#define RANGES_NONE UINT32_MAX
#define RANGES_NAME 1024 /* most bytes of a name in the file; a longer one makes the line bad */

struct ranges_as {
	uint32_t number;
	uint32_t name, name_size; /* in `names`, as the file writes it */
};

struct ranges_start4 {
	uint32_t start, row;
};

struct ranges_start6 {
	uint64_t start[2]; /* upper and lower half */
	uint32_t row;
};

struct ranges {
	const struct env *env;
	size_t lines, names_room; /* which all arrays were made for: memory that is not touched costs nothing */
	struct ranges_start4 *starts4;
	struct ranges_start6 *starts6;
	struct ranges_as *list;   /* of the systems that are there; rows index it */
	char *names;
	uint32_t *first4;         /* by the upper 16 bits of an address: starts not after the first of them */
	uint32_t n4, n6, systems;
	size_t names_used;
};

/* `text` is the caller's and may go afterwards. On an error there is nothing to give back. MON-ENR-007, 008. */
int ranges_open(struct ranges *r, const struct env *env, struct span text, struct error *e) MUST_USE;
void ranges_close(struct ranges *r);

/* The row of `list`, or RANGES_NONE. */
uint32_t ranges_lookup4(const struct ranges *r, uint32_t v4);
uint32_t ranges_range4(const struct ranges *r, uint32_t v4, uint32_t *first, uint32_t *last); /* also of *first … *last */
uint32_t ranges_lookup6(const struct ranges *r, const uint8_t address[static 16]);
