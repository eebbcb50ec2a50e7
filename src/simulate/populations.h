/* Inside simulate/: who sends. One file each, pop_NAME.c. */
#pragma once
#include "simulate/sim.h"

extern const struct population population_sweep, population_bots, population_brute, population_exploit, population_slow,
	population_split, population_backscatter, population_reflection, population_misconfiguration, population_p2p,
	population_spoofed, population_flood, population_v6, population_series, population_synack, population_resets,
	population_stale, population_own;
