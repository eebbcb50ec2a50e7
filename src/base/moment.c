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
	size_t n = strftime(out, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, MOMENT_TEXT - n, ".%09uZ", (unsigned)rest);
	return out;
}
