#include "simulate/params.h"
#include "base/addr.h"
#include "simulate/years.h"

#include <errno.h>
#include <string.h>

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* A decimal of up to six places as millionths; *end behind it, NULL when there is none. */
static int64_t parse_micro(const char *text, const char **end)
{
	bool minus = *text == '-';
	const char *p = text + minus;
	int64_t v = 0;
	int places = -1;
	*end = NULL;
	for (; digit(*p) || (*p == '.' && places < 0); p++) {
		if (*p == '.') {
			places = 0;
			continue;
		}
		if (v > INT64_MAX / 20 || (places >= 0 && ++places > 6))
			return 0;
		v = v * 10 + (*p - '0');
		*end = p + 1;
	}
	for (int i = places < 0 ? 0 : places; i < 6; i++) {
		if (v > INT64_MAX / 20)
			return *end = NULL, 0;
		v *= 10;
	}
	return minus ? -v : v;
}

static bool number_at(const char *text, size_t n, size_t at, size_t digits, unsigned *out)
{
	*out = 0;
	if (at + digits > n)
		return false;
	for (size_t i = at; i < at + digits; i++) {
		if (!digit(text[i]))
			return false;
		*out = *out * 10 + (unsigned)(text[i] - '0');
	}
	return true;
}

static int parse_date(const char *text, size_t n, int64_t *out)
{
	unsigned y, mo, d, h = 0, mi = 0, s = 0;
	if (!number_at(text, n, 0, 4, &y) || text[4] != '-' || !number_at(text, n, 5, 2, &mo) || text[7] != '-' ||
	    !number_at(text, n, 8, 2, &d) || mo < 1 || mo > 12 || d < 1 || d > 31)
		return -EINVAL;
	bool clock = n == 20 && text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == 'Z' &&
	             number_at(text, n, 11, 2, &h) && number_at(text, n, 14, 2, &mi) && number_at(text, n, 17, 2, &s);
	if ((n != 10 && !clock) || h > 23 || mi > 59 || s > 59)
		return -EINVAL;
	*out = days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
	return 0;
}

int param_moment(const char *text, size_t n, int64_t *out)
{
	if (n >= 10 && text[4] == '-')
		return parse_date(text, n, out);
	int64_t v = 0;
	for (size_t i = 0; i < n; i++) {
		if (!digit(text[i]) || v > INT64_MAX / 100)
			return -EINVAL;
		v = v * 10 + (text[i] - '0');
	}
	*out = v;
	return n ? 0 : -EINVAL;
}

/* "12.5", or an address as the number that it is. */
static int parse_item_value(const char *text, size_t n, int64_t *out)
{
	const char *end;
	*out = parse_micro(text, &end);
	if (end == text + n)
		return 0;
	char address[64];
	struct prefix p;
	if (n >= sizeof address)
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = 0;
	if (prefix_parse(address, &p, NULL) || p.version != 4 || p.bits != 32)
		return -EINVAL;
	*out = addr_v4(&p.net);
	return 0;
}

static int parse_item(enum param_kind kind, const char *text, size_t n, struct param_item *out)
{
	const char *split = NULL;
	for (size_t i = 0; i < n; i++)
		if (text[i] == (kind == PARAM_MOMENTS ? '=' : ':'))
			split = text + i;
	size_t head = split ? (size_t)(split - text) : n;
	out->micro = 1000000;
	if (param_moment(text, head, &out->at) || (kind == PARAM_PORTS && out->at > 65535))
		return -EINVAL;
	return split ? parse_item_value(split + 1, n - head - 1, &out->micro) : 0;
}

static int parse_list(const struct param *p, const char *text, struct param_value *out)
{
	for (;;) {
		text += strspn(text, " ");
		size_t n = strcspn(text, " ");
		if (!n)
			return 0;
		if (out->n == PARAM_ITEMS || parse_item(p->kind, text, n, &out->item[out->n]))
			return -EINVAL;
		if (p->kind == PARAM_PORTS && out->item[out->n].micro < 0)
			return -EINVAL;
		out->total += p->kind == PARAM_PORTS ? out->item[out->n].micro : 0;
		out->n++;
		text += n;
	}
}

int param_parse(const struct param *p, const char *text, struct param_value *out, struct error *e)
{
	const char *end = NULL;
	*out = (struct param_value){ 0 };
	int rc = 0;
	if (p->kind == PARAM_NUMBER) {
		out->micro = parse_micro(text, &end);
		rc = end && !*end ? 0 : -EINVAL;
	} else {
		rc = parse_list(p, text, out);
	}
	static const char *const wants[] = { "a number", "a list PORT:WEIGHT", "a list YEAR:NUMBER", "a list MOMENT=SECONDS" };
	return rc ? error_set(e, rc, "MON-SIM-002", "'%.80s' is not %s, as %s wants", text, wants[p->kind], p->key) : 0;
}

const struct param_item *param_draw(const struct param_value *v, uint64_t random)
{
	int64_t at = (int64_t)((unsigned __int128)random * (uint64_t)v->total >> 64);
	for (uint32_t i = 0; i + 1 < v->n; i++) {
		at -= v->item[i].micro;
		if (at < 0)
			return &v->item[i];
	}
	return &v->item[v->n ? v->n - 1 : 0];
}
