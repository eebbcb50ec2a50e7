#include "serve/moments.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LAST INT64_C(3786912000) /* 2090-01-01 */

/* Two digits, or as many as `n` says: -1 when there are fewer. */
static int digits(const char **p, unsigned n)
{
	int value = 0;
	for (; n; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = 10 * value + (**p - '0');
	}
	return value;
}

static bool skip(const char **p, char c)
{
	bool there = **p == c;
	*p += there;
	return there;
}

static bool parse_date(const char **p, struct tm *tm)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = digits(p, 4), month, day;
	if (!skip(p, '-') || (month = digits(p, 2)) < 1 || month > 12)
		return false;
	if (!skip(p, '-') || (day = digits(p, 2)) < 1 || day > days[month - 1])
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (year < 1970 || year > 2089 || (month == 2 && day == 29 && !leap))
		return false;
	*tm = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
	return true;
}

/* Leap seconds (":60") are those of the minute after. */
static bool parse_time(const char **p, struct tm *tm)
{
	tm->tm_hour = digits(p, 2);
	if (tm->tm_hour < 0 || tm->tm_hour > 23 || !skip(p, ':'))
		return false;
	tm->tm_min = digits(p, 2);
	if (tm->tm_min < 0 || tm->tm_min > 59)
		return false;
	if (!skip(p, ':'))
		return true;
	tm->tm_sec = digits(p, 2);
	if (tm->tm_sec < 0 || tm->tm_sec > 60)
		return false;
	if (skip(p, '.')) {
		if (digits(p, 1) < 0)
			return false;
		*p += strspn(*p, "0123456789");
	}
	return true;
}

/* What is to be taken away to come to UTC. */
static bool parse_offset(const char **p, int64_t *out)
{
	*out = 0;
	if (skip(p, 'Z') || skip(p, 'z') || !**p)
		return true;
	bool east = **p == '+' || **p == ' '; /* a plus that a form turned into a space */
	if (!east && **p != '-')
		return false;
	(*p)++;
	int hours = digits(p, 2), minutes = skip(p, ':') ? digits(p, 2) : -1;
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*out = (east ? 1 : -1) * (hours * MOMENTS_HOUR + minutes * MOMENTS_MINUTE);
	return true;
}

static bool parse_before(const char *text, int64_t as_of, int64_t *out)
{
	char *end;
	if (text[1] < '0' || text[1] > '9' || strlen(text) > 10)
		return false;
	int64_t n = strtol(text + 1, &end, 10);
	int64_t unit = *end == 'm' ? MOMENTS_MINUTE : *end == 'h' ? MOMENTS_HOUR : *end == 'd' ? MOMENTS_DAY : 0;
	if (!unit || end[1] || n * unit > as_of)
		return false;
	*out = as_of - n * unit;
	return true;
}

bool moments_parse(const char *text, int64_t as_of, int64_t *out)
{
	struct tm tm;
	int64_t offset = 0;
	const char *p = text;
	if (*text == '-')
		return parse_before(text, as_of, out);
	if (!parse_date(&p, &tm))
		return false;
	if (*p && ((!skip(&p, 'T') && !skip(&p, 't') && !skip(&p, ' ')) || !parse_time(&p, &tm) || !parse_offset(&p, &offset)))
		return false;
	*out = (int64_t)timegm(&tm) - offset;
	return !*p && *out >= 0 && *out < LAST;
}

char *moments_format(int64_t moment, char out[static MOMENTS_TEXT])
{
	time_t t = (time_t)moment;
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(out, MOMENTS_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}
