/* A reader over untrusted bytes that cannot be used unchecked.
 *
 * Every read checks what is left; the first read past the end makes the cursor `failed` for good and it, like all
 * reads after it, yields zeros. A parser reads what it needs and asks cursor_ok() once.
 */
#pragma once
#include "base/bytes.h"
#include "base/span.h"

#include <stdbool.h>

struct cursor {
	const uint8_t *p;
	const uint8_t *end;
	bool failed;
};

static inline struct cursor cursor_init(const uint8_t *p, size_t n)
{
	return (struct cursor){ .p = p, .end = p + n };
}

static inline size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->p); }
static inline bool cursor_ok(const struct cursor *c) { return !c->failed; }

/* Borrows the next n bytes; NULL when there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	if (n > cursor_left(c)) {
		c->failed = true;
		c->p = c->end;
		return NULL;
	}
	const uint8_t *p = c->p;
	c->p += n;
	return p;
}

static inline void cursor_skip(struct cursor *c, size_t n) { (void)cursor_take(c, n); }

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);
	return p ? *p : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);
	return p ? load_be16(p) : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);
	return p ? load_be32(p) : 0;
}

static inline uint64_t cursor_be64(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 8);
	return p ? load_be64(p) : 0;
}
