/* Spill: partial rows of tables that were full, kept in an unlinked temporary file until they are merged.
 *
 * Records go to one of SPILL_PARTITIONS by a hash of their source, so that each partition can be merged by itself in
 * bounded memory. The file is never seen by another process and has no format to keep.
 */
#pragma once
#include "base/env.h"
#include "base/span.h"

#include <stdbool.h>

#define SPILL_PARTITIONS 64u
#define SPILL_RECORD_MAX 16384u

enum spill_kind { SPILL_FLOW, SPILL_VICTIM, SPILL_PAYLOAD, SPILL_SOURCE, SPILL_EVIDENCE };

struct spill;

int spill_open(struct spill **out, const struct env *env, const char *folder, struct error *e) MUST_USE;
void spill_close(struct spill *s); /* NULL is fine */

int spill_put(struct spill *s, uint32_t partition, enum spill_kind kind, const void *record, uint16_t n,
              struct error *e) MUST_USE;

/* -ENOSPC: what was taken back does not fit memory. */
int spill_too_small(struct error *e) __attribute__((cold));

/* Calls fn for every record of a partition, in the order it was put. Stops at a non-zero return, which it returns. */
typedef int (*spill_fn)(void *ctx, enum spill_kind kind, struct span record);
int spill_each(struct spill *s, uint32_t partition, spill_fn fn, void *ctx, struct error *e) MUST_USE;
