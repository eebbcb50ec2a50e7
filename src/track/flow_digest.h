/* The digest of flow rows: every row of every minute goes through it, so it has a way of its own. */
#pragma once
#include "model/window.h"
#include "track/layouts.h"
#include "track/names.h"
#include "track/rows.h"

/* Adds rows [from, to), all of the minute of `sum`, to it. `names`: of their sources; NULL: they are IPv4 addresses. */
void flow_digest_rows(const struct rows *t, uint32_t from, uint32_t to, const struct names *names,
                      const struct layouts *layouts, uint64_t sensor, struct window *sum);

/* The same bytes that flow_record_store makes of a row's record, without the record; tests hold the two together. */
#define FLOW_CANONICAL 93
void flow_canonical(const struct row *r, const struct addr *source, uint32_t minute, uint64_t sensor,
                    const struct layouts *layouts, uint8_t out[static FLOW_CANONICAL]);
