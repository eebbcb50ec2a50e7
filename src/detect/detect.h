/* Folds over rows of victims: from replies at monitored addresses to attacks. Pure functions of their rows, in integers: no
 * files, no clock, no SQL.
 *
 * Rows come by victim, those of one in the order of (second, protocol, kind, port): then what one victim needs is all that
 * is in memory, whatever the number of victims. A fold is of one UTC day or of its beginning; what goes on when it ends is
 * given as the victim's state, with which the next fold begins. So folds of parts that follow each other come to what one
 * over everything does: an attack is given by each of them in which it had a packet, with what it has come to by then.
 *
 * Definitions and their sources: docs/decisions/attacks.md.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "model/attack.h"

/* Another number: other rules. What was folded by others is folded again. */
#define DETECT_VERSION 4

struct detect;

/* What comes of it; each may fail, which ends the fold. Text and bytes are the detector's until the next call. */
struct detect_sink {
	int (*corsaro2)(void *ctx, const struct rsdos_record *r, struct error *e);
	int (*corsaro3)(void *ctx, const struct rsdos_record *r, struct error *e);
	int (*attack)(void *ctx, const struct attack_record *r, struct error *e);
	int (*vector)(void *ctx, const struct attack_vector_record *r, struct error *e); /* of the attack told before */
	int (*onset)(void *ctx, const struct onset_record *r, struct error *e);
	int (*state)(void *ctx, const struct victim_state *s, struct error *e);
	void *ctx;
};

int detect_open(struct detect **out, const struct env *env, const struct detect_sink *sink, struct error *e) MUST_USE;
void detect_close(struct detect *d); /* NULL is fine */

/* A victim, in any order, each once; with its state of the fold before (n 0: none). */
int detect_begin(struct detect *d, const struct victim_state *before, struct error *e) MUST_USE;
int detect_row(struct detect *d, const struct victim_row *r, struct error *e) MUST_USE;
/* No more rows of it before the second `until`. */
int detect_end(struct detect *d, int64_t until, struct error *e) MUST_USE;
