#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool make_room(struct text *t, size_t more)
{
	if (t->failed || more >= SIZE_MAX / 4 - t->n)
		return false;
	if (t->room - t->n > more)
		return true;
	size_t room = 2 * (t->n + more) + 256;
	char *p = env_grow(t->env, t->p, t->room, room);
	t->failed = !p;
	if (p) {
		t->p = p;
		t->room = room;
	}
	return p != NULL;
}

void text_add(struct text *t, const char *p, size_t n)
{
	if (!make_room(t, n))
		return;
	memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = 0;
}

void text_puts(struct text *t, const char *s) { text_add(t, s, strlen(s)); }

void text_printf(struct text *t, const char *format, ...)
{
	char line[1024];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line)
		t->failed = true;
	else
		text_add(t, line, (size_t)n);
}

static void put_quoted(struct text *t, const char *s, char quote)
{
	text_add(t, &quote, 1);
	for (; *s; s++) {
		if (*s == quote)
			text_add(t, s, 1);
		text_add(t, s, 1);
	}
	text_add(t, &quote, 1);
}

void text_quote(struct text *t, const char *s) { put_quoted(t, s, '\''); }
void text_identifier(struct text *t, const char *s) { put_quoted(t, s, '"'); }

void text_json(struct text *t, const char *s)
{
	text_add(t, "\"", 1);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
			text_printf(t, "\\u%04x", c);
		else
			text_add(t, s, 1);
	}
	text_add(t, "\"", 1);
}

void text_fini(struct text *t)
{
	if (t->env)
		env_free(t->env, t->p, t->room);
	*t = (struct text){ .env = t->env };
}
