/* Inside simulate/: the calendar (proleptic Gregorian). */
#pragma once
#include <stdint.h>

/* Days from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms", public domain). */
static inline int64_t days_of(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400), doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

/* s since 1970. */
static inline int64_t year_start(int64_t year) { return days_of(year, 1, 1) * 86400; }
