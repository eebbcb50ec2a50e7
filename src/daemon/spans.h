/* Spans of time, as a sorted set: what has been observed, and what has not. */
#pragma once
#include "base/env.h"

#include <stdint.h>

struct span_of_time {
	int64_t from, to; /* ns: from <= t < to */
};

struct spans {
	struct span_of_time *item; /* in any order until spans_sort, then ascending and apart */
	uint32_t n, room;
};

int spans_add(struct spans *s, const struct env *env, int64_t from, int64_t to, struct error *e) MUST_USE;
void spans_sort(struct spans *s);
/* What of from … to is in none of them (sorted), ascending, into `out`. */
int spans_gaps(const struct spans *s, const struct env *env, int64_t from, int64_t to, struct spans *out,
               struct error *e) MUST_USE;
void spans_fini(struct spans *s, const struct env *env);
