/* An actor that is nobody: it begins the incidents of a population, at random times. */
#pragma once
#include "simulate/sim.h"

/* Begins incident number `ordinal` (from 1) at a->next, drawing from a->rng. */
typedef void (*spawner_fn)(struct sim *s, struct actor *a, const struct param_value *v, uint64_t ordinal);

/* `wait`: mean ns << 8 between incidents, 0: never; the first comes so long after `from`. */
void spawner_start(struct sim *s, const struct population *p, const struct param_value *v, uint64_t wait, int64_t from,
                   spawner_fn begin);
