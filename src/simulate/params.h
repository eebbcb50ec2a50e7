/* Inside simulate/: parameters by name, with their defaults and where these come from. */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum param_kind {
	PARAM_NUMBER,  /* a decimal of at most six places */
	PARAM_PORTS,   /* "445:507 22:113.9": ports and weights */
	PARAM_SERIES,  /* "2016:1692.0 2017:1893.0": years and numbers */
	PARAM_MOMENTS, /* "2020-01-01T00:00:00Z=3600 …": moments and seconds; "…=ADDRESS" */
};

/* One parameter of a population: `population.key = value`. */
struct param {
	const char *key;
	enum param_kind kind;
	const char *value;  /* default */
	const char *source; /* what it is and where the number comes from: [S] source, [C] captured, [P] published, [M] from
	                     * memory, [A] an assumption */
};

#define PARAM_ITEMS 64

struct param_value {
	int64_t micro; /* number × 10^6 */
	uint32_t n;
	struct param_item {
		int64_t at;    /* port, year, or s since 1970 */
		int64_t micro; /* weight, number, seconds; or an address */
	} item[PARAM_ITEMS];
	int64_t total; /* sum of the items' numbers */
};

/* The whole part, and rounded down. */
static inline uint64_t param_whole(const struct param_value *v) { return v->micro < 0 ? 0 : (uint64_t)v->micro / 1000000; }

/* An item by a random number: as often as its weight says. */
const struct param_item *param_draw(const struct param_value *v, uint64_t random);

int param_parse(const struct param *p, const char *text, struct param_value *out, struct error *e) MUST_USE;
/* "2020-01-01T00:00:00Z", "2020-01-01" or seconds since 1970. */
int param_moment(const char *text, size_t n, int64_t *out);
