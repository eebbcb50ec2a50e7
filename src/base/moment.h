/* Moments as text: RFC 3339, UTC, nanoseconds. */
#pragma once
#include <stdint.h>

#define MOMENT_TEXT 40
/* "2026-11-24T05:28:00.000000001Z"; any int64 of nanoseconds since 1970 has one. Returns out. */
char *moment_format(int64_t ns, char out[static MOMENT_TEXT]);
