/* Attacks out of what a store has got since the last time: rows of victims through the detectors (detect/detect.h), a day
 * at a time, into tables beside them (store/store.h, "Folds"). */
#pragma once
#include "base/env.h"
#include "base/error.h"

struct store;

/* With nothing pending. */
int folds_run(struct store *s, const struct env *env, struct error *e) MUST_USE;
