/* A text that grows. Once memory has run out it stays as it was, and text_ok tells. */
#pragma once
#include "base/env.h"

#include <stdbool.h>
#include <stddef.h>

struct text {
	const struct env *env;
	char *p; /* always ends in a zero byte once something was added */
	size_t n, room;
	bool failed;
};

void text_add(struct text *t, const char *p, size_t n);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_quote(struct text *t, const char *s);      /* as a SQL string: 'it''s' */
void text_identifier(struct text *t, const char *s); /* as a SQL name: "it""s" */
void text_json(struct text *t, const char *s);       /* as a JSON string: "it\"s"; the bytes of UTF-8 as they are */
void text_fini(struct text *t);
static inline bool text_ok(const struct text *t) { return t->p && !t->failed; }
