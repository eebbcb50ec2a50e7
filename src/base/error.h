/* Operational failures: what a caller must be told in one sentence.
 *
 * Hostile data is not an error (parsers return a status and count it); an error is a file that cannot be read, memory
 * that is not there, a configuration that makes no sense. Functions that can fail so return 0 or -errno and fill the
 * error; codes (`MON-CAP-012`: folder, number) are stable and listed in docs/errors.md.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))

struct error {
	char code[16];    /* "MON-CAP-012"; empty: no error */
	char text[300];   /* one sentence, without a final newline */
	uint64_t offset;  /* byte of the input it happened at */
	bool has_offset;
};

/* Fills `e` (which may be NULL) and returns `rc`, a negative errno, so that `return error_set(…)` reads well. */
int error_set(struct error *e, int rc, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5), cold));

/* The same with the byte offset at which the input went wrong. */
int error_set_at(struct error *e, int rc, const char *code, uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 5, 6), cold));

/* Memory ran out while doing `what`: -ENOMEM with the code MON-BASE-001. */
int error_no_memory(struct error *e, const char *what) __attribute__((cold));

static inline void error_clear(struct error *e)
{
	e->code[0] = e->text[0] = 0;
	e->has_offset = false;
	e->offset = 0;
}
