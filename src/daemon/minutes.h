/* A sorted set of minutes: which of them must be derived (again). */
#pragma once
#include "base/env.h"

#include <stdbool.h>
#include <stdint.h>

struct minutes {
	int32_t *minute; /* ascending, distinct after minutes_sort */
	uint32_t n, room;
	const struct env *env;
};

int minutes_add(struct minutes *m, const int32_t *minute, uint32_t n, struct error *e) MUST_USE;
void minutes_sort(struct minutes *m);
bool minutes_have(const struct minutes *m, int32_t minute);
void minutes_fini(struct minutes *m);
