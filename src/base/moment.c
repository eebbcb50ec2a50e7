#include "base/moment.h"

#include <stdio.h>
#include <time.h>

char *moment_format(int64_t ns, char out[static MOMENT_TEXT])
{
	int64_t second = ns / 1000000000, rest = ns % 1000000000;
	if (rest < 0) {
		rest += 1000000000;
		second--;
	}
	time_t t = (time_t)second;
	struct tm tm;
	gmtime_r(&t, &tm);
	snprintf(out, MOMENT_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	         tm.tm_hour, tm.tm_min, tm.tm_sec, (int)rest);
	return out;
}
