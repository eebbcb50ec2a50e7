/* A spool makes what can be read only once readable again: an env whose reads are also written to an unlinked file.
 *
 * For standard input and pipes, whose minutes may have to be derived again. The descriptor read must be the only one
 * that is read through this env.
 */
#pragma once
#include "base/env.h"

struct spool {
	struct env env;         /* hand this to whoever reads */
	const struct env *base;
	int fd;                 /* -1: not open */
	off_t end;
	char path[32];          /* to open for reading it again, from its start */
};

int spool_open(struct spool *s, const struct env *base, const char *folder, struct error *e) MUST_USE;
void spool_close(struct spool *s);
