#include "serve/values.h"
#include "serve/message.h"

#include "base/addr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LONG (50 * MOMENTS_HOUR) /* spans past it are of whole days: sums of days answer them */
#define STEPS_MOST 10000
#define OFFSET_MOST 1000000

void values_begin(struct values *v, const struct resource *resource)
{
	memset(v, 0, sizeof *v);
	v->resource = resource;
}

/* ---- One value ---- */
static bool is_word(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(s);
	return n && n <= 64 && s[strspn(s, letters)] == 0;
}

static bool is_choice(const char *s, const char *choices)
{
	size_t n = strlen(s);
	for (const char *p = choices; n && *p; p += strspn(p, " ")) {
		size_t word = strcspn(p, " ");
		if (word == n && !memcmp(p, s, n))
			return true;
		p += word;
	}
	return false;
}

/* One canonical text of each address. */
static bool take_address(const char *s, char *out)
{
	struct prefix p;
	struct error e;
	char text[ADDR_TEXT];
	if (strchr(s, '/') || prefix_parse(s, &p, &e))
		return false;
	snprintf(out, VALUE_MOST, "%s", addr_format(&p.net, text));
	return true;
}

static bool take_country(const char *s, char *out)
{
	for (unsigned i = 0; i < 2; i++) {
		char c = s[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
			return false;
		out[i] = (char)(c & ~0x20);
	}
	return !s[2];
}

/* RFC 3629: no continuation without a head, nothing too long, no surrogates, nothing past U+10FFFF; and no controls. */
static bool is_plain_text(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	while (*p) {
		unsigned n = *p < 0x80 ? 0 : *p < 0xc2 ? 4 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : *p < 0xf5 ? 3 : 4;
		if (n == 4 || *p < 0x20 || *p == 0x7f || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
		    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f) || (*p == 0xc2 && p[1] < 0xa0))
			return false;
		for (p++; n; n--, p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static bool take_number(const struct parameter *p, const char *s, char *out)
{
	uint64_t n;
	if (!message_number(s, &n) || n < p->least || n > p->most)
		return false;
	snprintf(out, VALUE_MOST, "%" PRIu64, n);
	return true;
}

static bool take(const struct parameter *p, const char *s, char *out)
{
	size_t n = strlen(s);
	if (p->kind == VALUE_NUMBER)
		return take_number(p, s, out);
	if (p->kind == VALUE_ADDRESS)
		return take_address(s, out);
	if (p->kind == VALUE_COUNTRY)
		return take_country(s, out);
	if ((p->kind == VALUE_WORD && !is_word(s)) || (p->kind == VALUE_CHOICE && !is_choice(s, p->choices)) ||
	    (p->kind == VALUE_TEXT && (!n || n > 100 || !is_plain_text(s))) || n >= VALUE_MOST)
		return false;
	memcpy(out, s, n + 1);
	return true;
}

static const char *wanted(const struct parameter *p, char *room, size_t n)
{
	static const char *const kinds[] = {
		[VALUE_MOMENT] = "a moment as 2026-11-24T05:28:00Z, a date, or as -24h or -28d",
		[VALUE_WORD] = "up to 64 letters, digits and . _ -",
		[VALUE_COUNTRY] = "two letters",
		[VALUE_ADDRESS] = "an IPv4 or IPv6 address",
		[VALUE_TEXT] = "1 to 100 bytes of text",
		[VALUE_CURSOR] = "`next` of another answer",
	};
	if (p->kind == VALUE_NUMBER)
		snprintf(room, n, "a number from %" PRIu64 " to %" PRIu64, p->least, p->most);
	else if (p->kind == VALUE_CHOICE)
		snprintf(room, n, "one of: %s", p->choices);
	else
		snprintf(room, n, "%s", kinds[p->kind]);
	return room;
}

static int refuse(const struct parameter *p, struct error *e)
{
	char room[120];
	return error_set(e, -EINVAL, "MON-SRV-106", "`%s` is %s", p->name, wanted(p, room, sizeof room));
}

static unsigned find(const struct values *v, const char *name)
{
	unsigned i = 0;
	while (v->resource->parameter[i] && strcmp(v->resource->parameter[i]->name, name) != 0)
		i++;
	return v->resource->parameter[i] ? i : RESOURCE_PARAMETERS;
}

int values_take(struct values *v, const char *name, const char *text, struct error *e)
{
	unsigned i = find(v, name);
	if (i == RESOURCE_PARAMETERS)
		return error_set(e, -EINVAL, "MON-SRV-105", "%s has no such parameter; /openapi.json tells them",
		                 v->resource->path);
	if (v->given[i])
		return error_set(e, -EINVAL, "MON-SRV-105", "`%s` is given twice", v->resource->parameter[i]->name);
	v->given[i] = true;
	return take(v->resource->parameter[i], text ? text : "", v->text[i]) ? 0 : refuse(v->resource->parameter[i], e);
}

/* ---- All of them ---- */
const char *values_text(const struct values *v, const char *name)
{
	unsigned i = find(v, name);
	return i < RESOURCE_PARAMETERS && v->given[i] ? v->text[i] : NULL;
}

bool values_has(const struct values *v, const char *name) { return find(v, name) < RESOURCE_PARAMETERS; }

static int take_moment(const struct values *v, const char *name, int64_t as_of, int64_t *out, struct error *e)
{
	const char *text = values_text(v, name);
	return !text || moments_parse(text, as_of, out) ? 0 : refuse(v->resource->parameter[find(v, name)], e);
}

static int64_t step_seconds(const char *step)
{
	if (!step)
		return MOMENTS_MINUTE;
	return !strcmp(step, "minute") ? MOMENTS_MINUTE : !strcmp(step, "10min") ? 10 * MOMENTS_MINUTE :
	       !strcmp(step, "hour") ? MOMENTS_HOUR : !strcmp(step, "day") ? MOMENTS_DAY : 0;
}

/* Whole minutes; whole days when it is long, or the last of them up to what there is; whole steps. */
static int align(struct values *v, int64_t as_of, struct error *e)
{
	int64_t step = step_seconds(values_text(v, "step")), unit;
	v->by_day = v->to - v->from > LONG;
	unit = v->by_day ? MOMENTS_DAY : MOMENTS_MINUTE;
	v->from = moments_floor(v->from, step > unit ? step : unit);
	v->to = moments_ceil(v->to, unit);
	v->to = v->to > as_of && as_of > v->from ? as_of : v->to;
	if (v->resource->days && v->to - v->from > v->resource->days * INT64_C(86400))
		v->from = moments_ceil(v->to, MOMENTS_DAY) - v->resource->days * INT64_C(86400);
	if (step && values_text(v, "step") && (v->to - v->from) / step > STEPS_MOST)
		return error_set(e, -EINVAL, "MON-SRV-106", "more than %d steps: a longer `step`, or a shorter span", STEPS_MOST);
	return 0;
}

static int take_span(struct values *v, int64_t as_of, struct error *e)
{
	v->to = as_of;
	int rc = take_moment(v, "to", as_of, &v->to, e);
	if (!rc)
		rc = take_moment(v, "from", as_of, &v->from, e);
	if (!rc && v->from >= v->to)
		rc = error_set(e, -EINVAL, "MON-SRV-106", "`from` is not before `to`");
	return rc ? rc : align(v, as_of, e);
}

static bool next_number(const char **p, char end, uint64_t most, uint64_t *out)
{
	char text[24];
	size_t n = strspn(*p, "0123456789");
	if (n >= sizeof text || (*p)[n] != end)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)n, *p);
	*p += n + (end != 0);
	return message_number(text, out) && *out <= most;
}

/* The span of the first page: what came meanwhile shifts no row. */
static int take_cursor(struct values *v, int64_t as_of, struct error *e)
{
	const char *p = values_text(v, "cursor");
	uint64_t from, to;
	if (!p)
		return 0;
	if (!next_number(&p, '.', INT32_MAX, &from) || !next_number(&p, '.', UINT32_MAX, &to) ||
	    !next_number(&p, 0, OFFSET_MOST, &v->offset) || from > to)
		return refuse(v->resource->parameter[find(v, "cursor")], e);
	v->from = (int64_t)from;
	v->to = (int64_t)to;
	v->by_day = v->to - v->from > LONG;
	(void)as_of;
	return 0;
}

int values_end(struct values *v, int64_t as_of, struct error *e)
{
	for (unsigned i = 0; v->resource->parameter[i]; i++) {
		const struct parameter *p = v->resource->parameter[i];
		if (!v->given[i] && p->needed)
			return refuse(p, e);
		if (!v->given[i] && p->usual) {
			snprintf(v->text[i], VALUE_MOST, "%s", p->usual);
			v->given[i] = true;
		}
	}
	int rc = values_has(v, "from") ? take_span(v, as_of, e) : 0;
	if (!rc)
		rc = take_cursor(v, as_of, e);
	const char *limit = values_text(v, "limit");
	v->limit = STEPS_MOST;
	if (limit)
		message_number(limit, &v->limit);
	int64_t length = v->to - v->from;
	if (v->by_day)
		length = moments_ceil(length, MOMENTS_DAY);
	v->before = v->from > length ? v->from - length : 0;
	return rc;
}

/* FNV-1a: nothing is trusted to it, values_same is asked in the end. */
uint64_t values_question(const struct values *v)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(v->resource - resources);
	for (unsigned i = 0; v->resource->parameter[i]; i++) {
		h = (h ^ v->given[i]) * UINT64_C(0x100000001b3);
		for (const char *p = v->text[i]; v->given[i] && *p; p++)
			h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	}
	return h;
}

bool values_same(const struct values *a, const struct values *b)
{
	bool same = a->resource == b->resource;
	for (unsigned i = 0; same && a->resource->parameter[i]; i++)
		same = a->given[i] == b->given[i] && (!a->given[i] || !strcmp(a->text[i], b->text[i]));
	return same;
}

void values_cursor(const struct values *v, uint64_t offset, char out[static CURSOR_TEXT])
{
	snprintf(out, CURSOR_TEXT, "%" PRId64 ".%" PRId64 ".%" PRIu64, v->from, v->to, offset);
}
