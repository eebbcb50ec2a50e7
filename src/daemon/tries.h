/* How often a segment was begun and not ended: a small file each in DB/tried/. A process that dies by a fault of its own
 * leaves it one higher; whatever else ends a process is not the segment's fault and is taken back. */
#pragma once
#include "base/env.h"

#include <stdbool.h>

#define TRIES_MOST 2 /* faults after which a segment is not read any more */

struct tries {
	const struct env *env;
	const char *db;
};

/* What the one before left. `crashed`: by a fault of its own. */
int tries_open(struct tries *t, const struct env *env, const char *db, bool crashed, struct error *e) MUST_USE;
/* Counts a beginning, durably; *before: faults so far. */
int tries_begin(const struct tries *t, const char *name, unsigned *before, struct error *e) MUST_USE;
/* It is stored, or left out. */
int tries_end(const struct tries *t, const char *name, struct error *e) MUST_USE;
