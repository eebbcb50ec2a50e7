/* What a process that runs a stranger's query may do: read the store, write its temporary folder and its output, compute.
 * Private to this folder. */
#pragma once
#include "base/error.h"

#include <stddef.h>

struct jail {
	const char *readable;  /* folder */
	const char *temporary; /* folder that may be written */
	int out;               /* descriptor that may be opened again */
	size_t memory;         /* bytes of address space beyond what a process has at its start */
	unsigned seconds;      /* of processor time */
};

/* Before any thread is started; there is no way back. MON-STO-114 when the kernel refuses; a kernel without Landlock
 * (before 5.13) leaves the file system to DuckDB's own list. */
int jail_enter(const struct jail *j, struct error *e) MUST_USE;
