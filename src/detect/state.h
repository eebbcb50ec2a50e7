/* States of victims as bytes, little-endian, between two folds. They are at rest, so what is read is never trusted. */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "model/attack.h"

#include <stdbool.h>

struct writer {
	const struct env *env;
	uint8_t *p;
	uint32_t n, room;
	bool failed; /* no memory; what follows does nothing */
};

struct reader {
	const uint8_t *p;
	uint32_t n, at;
	bool failed; /* too short; what follows is 0 */
};

void state_put(struct writer *w, uint64_t value, uint32_t bytes);
uint64_t state_get(struct reader *r, uint32_t bytes);
void state_put_place(struct writer *w, const struct place *p);
void state_get_place(struct reader *r, struct place *out);
