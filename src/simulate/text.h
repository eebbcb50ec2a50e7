/* Inside simulate/: a text file that is written through a buffer; the first failure is kept and told at the end. */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define TEXT_BUFFER (64u << 10)

struct text {
	const struct env *env;
	char *buffer;
	size_t n;
	int fd;
	bool owns_fd;
	int failed;
};

/* "-": standard output. MON-SIM-010. */
int text_open(struct text *t, const struct env *env, const char *path, struct error *e) MUST_USE;
void text_put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* MON-SIM-011. A text that was never opened is fine. */
int text_close(struct text *t, bool discard, struct error *e) MUST_USE;
static inline bool text_is_open(const struct text *t) { return t->buffer != NULL; }
