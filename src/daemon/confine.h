/* Locking a process in, for good: who it is, which files it reaches, which system calls it may make, how much it may take.
 *
 * As root it becomes a user of its own. What it may read is said by Landlock where the kernel has it (Linux 5.13); then
 * it keeps one capability, to read and search what is not its own (CAP_DAC_READ_SEARCH), which reaches no farther than
 * that. System calls that no role has a use for are refused with EPERM, those of `allowed` are left. */
#pragma once
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a role may do beyond reading, writing and waiting on descriptors it has. */
enum confine_allowed {
	CONFINE_FILES = 1,    /* open files; which, Landlock says */
	CONFINE_CHANGES = 2,  /* make, rename, remove them */
	CONFINE_THREADS = 4,
	CONFINE_ACCEPT = 8,   /* connections on a socket that it has */
	CONFINE_SEND = 16,    /* messages on sockets that it has */
	CONFINE_MEMORY_FILES = 32,
};

struct confine_path {
	const char *path; /* absent is fine */
	bool writable;
};

#define CONFINE_PATHS 4
struct confine {
	unsigned allowed;
	uid_t uid;      /* 0: stays who it is */
	gid_t gid;
	bool search;    /* keeps CAP_DAC_READ_SEARCH */
	struct confine_path path[CONFINE_PATHS];
	size_t n_paths;
	const char *const *more; /* files to read, absolute paths */
	size_t n_more;
	size_t files;   /* descriptors at the most */
};

/* Before any thread is started that shall be locked in. MON-DMN-040: the kernel refuses. */
int confine_enter(const struct confine *c, struct error *e) MUST_USE;
