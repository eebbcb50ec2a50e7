/* Moments of the API: whole seconds since 1970, UTC. Private to this folder. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define MOMENTS_MINUTE 60
#define MOMENTS_HOUR 3600
#define MOMENTS_DAY 86400

/* RFC 3339 ("2026-11-24T05:28:00Z", an offset, a fraction that is dropped), a date, or so much before `as_of`: "-90m",
 * "-24h", "-28d". Years from 1970 to 2089. */
bool moments_parse(const char *text, int64_t as_of, int64_t *out);

/* "2026-11-24T05:28:00Z" */
#define MOMENTS_TEXT 24
char *moments_format(int64_t moment, char out[static MOMENTS_TEXT]);

static inline int64_t moments_floor(int64_t moment, int64_t step) { return moment - moment % step; }
static inline int64_t moments_ceil(int64_t moment, int64_t step) { return moments_floor(moment + step - 1, step); }
