/* Moments: nanoseconds since 1970, UTC; before it they are negative. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The minute and the hour that a moment lies in, rounded down. */
static inline int32_t moment_minute(int64_t ns) { return (int32_t)(ns / 60000000000 - (ns % 60000000000 < 0)); }
static inline int32_t moment_hour_of_minute(int32_t minute) { return minute / 60 - (minute % 60 < 0); }

/* Is it one whose nanoseconds all fit 64 bits? All but the very first and last are. */
static inline bool moment_minute_is_whole(int32_t minute)
{
	return minute > INT64_MIN / 60000000000 - 1 && minute < INT64_MAX / 60000000000;
}

/* The first nanosecond of such a minute. */
static inline int64_t moment_of_minute(int32_t minute) { return minute * INT64_C(60000000000); }

#define MOMENT_TEXT 40
/* As text, RFC 3339: "2026-11-24T05:28:00.000000001Z"; any int64 of nanoseconds since 1970 has one. Returns out. */
char *moment_format(int64_t ns, char out[static MOMENT_TEXT]);
