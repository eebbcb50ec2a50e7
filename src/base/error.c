#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void fill(struct error *e, const char *code, const char *format, va_list ap)
{
	snprintf(e->code, sizeof e->code, "%s", code);
	vsnprintf(e->text, sizeof e->text, format, ap);
	e->has_offset = false;
	e->offset = 0;
}

int error_set(struct error *e, int rc, const char *code, const char *format, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, format);
		fill(e, code, format, ap);
		va_end(ap);
	}
	return rc;
}

int error_set_at(struct error *e, int rc, const char *code, uint64_t offset, const char *format, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, format);
		fill(e, code, format, ap);
		va_end(ap);
		e->has_offset = true;
		e->offset = offset;
	}
	return rc;
}

int error_no_memory(struct error *e, const char *what)
{
	return error_set(e, -ENOMEM, "MON-BASE-001", "out of memory while %s", what);
}
