/* A synthetic telescope whose truth is known.
 *
 * Populations (pop_*.c: scanners, bots, victims of floods, noise) send packets to the monitored addresses; the result is
 * a capture that says it is made up (capture/write.h), and a truth file that says what was meant. The same seed, addresses,
 * span and parameters give the same bytes on every machine; a run that ends sooner gives the first of them.
 * docs/simulate.md lists populations, parameters, formats.
 *
 * Memory follows the packets of a second and the actors alive, never the span; with `rows` also the packets of the
 * minutes that can still get some.
 */
#pragma once
#include "base/addr.h"
#include "base/env.h"

#include <stddef.h>
#include <stdint.h>

struct frame;

/* Takes the packets instead of a file. Either ends the run by a non-zero return, which simulate_run then gives back. */
struct simulate_sink {
	int (*frame)(void *ctx, const struct frame *f, struct error *e);
	int (*second)(void *ctx, int64_t second, struct error *e); /* all before this second of the run (s since 1970) came */
	void *ctx;
};

struct simulate_config {
	uint64_t seed;
	const struct prefix *addresses; /* the monitored ones, 1 to 2^24 of IPv4 in all; disjoint */
	size_t n_addresses;
	int64_t from, to;   /* s since 1970: from <= t < to */
	const char *params; /* file of `key = value`; NULL: all defaults */
	const char *out;    /* capture, its format by its name; "-": standard output; NULL: none */
	const struct simulate_sink *sink; /* beside `out`; NULL: none */
	const char *truth;  /* JSON lines; NULL: none */
	const char *rows;   /* the rows as tab-separated text; NULL: none */
	const char *application; /* name and version of the writer */
};

struct simulate_result {
	uint64_t packets, bytes; /* written; bytes: IP lengths */
	uint64_t accesses;
	uint64_t unseen; /* meant, but the sensor was down */
};

/* MON-SIM-…: parameters or addresses that make no sense; also what writing raises. */
int simulate_run(const struct env *env, const struct simulate_config *config, struct simulate_result *out,
                 struct error *e) MUST_USE;

/* "2020-01-01T00:00:00Z", "2020-01-01" or seconds since 1970: 0, or -EINVAL. */
int simulate_moment(const char *text, int64_t *out) MUST_USE;

/* Calls `tell` for each parameter: key, default, what it is and where the number comes from. */
void simulate_parameters(void (*tell)(void *ctx, const char *key, const char *value, const char *source), void *ctx);
