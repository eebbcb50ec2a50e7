/* What a request wants: its parameters, checked, and in the one form that a result is kept by. Private to this folder. */
#pragma once
#include "base/error.h"
#include "serve/moments.h"
#include "serve/resources.h"

#define VALUE_MOST 128

struct values {
	const struct resource *resource;
	bool given[RESOURCE_PARAMETERS];
	char text[RESOURCE_PARAMETERS][VALUE_MOST]; /* as given, or usual */
	/* of a resource with `from`: */
	int64_t from, to, before; /* whole steps; `before`: where the span of equal length begins that ends at `from` */
	bool by_day;              /* long: of whole days */
	uint64_t limit, offset;   /* of a list */
};

/* The codes are those of answers with status 400: MON-SRV-105, 106. */
void values_begin(struct values *v, const struct resource *resource);
int values_take(struct values *v, const char *name, const char *text, struct error *e) MUST_USE;
/* After the last: what was not given, and the span. `as_of`: the end of what there is. */
int values_end(struct values *v, int64_t as_of, struct error *e) MUST_USE;

/* Text of a parameter by its name; NULL: the resource has none, or nothing stands for it. */
const char *values_text(const struct values *v, const char *name);
bool values_has(const struct values *v, const char *name); /* whether the resource has such a parameter */

/* Whether two requests ask the same whatever the commit: "-24h" is the same text of another day. After values_end. */
uint64_t values_question(const struct values *v); /* a hash of that */
bool values_same(const struct values *a, const struct values *b);

/* Where a list goes on: "FROM.TO.OFFSET". */
#define CURSOR_TEXT 64
void values_cursor(const struct values *v, uint64_t offset, char out[static CURSOR_TEXT]);
