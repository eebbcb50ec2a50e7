/* What processes that lock themselves in share: limits, Landlock's rules, lists of refused system calls. None has a way
 * back. Functions return 0 or -errno. */
#pragma once
#include "base/error.h"

#include <linux/audit.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lowers a limit of setrlimit(2); one that is lower stays. */
int sandbox_limit(int what, uint64_t most) MUST_USE;

/* ---- Landlock: the files ---- */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define SANDBOX_READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define SANDBOX_READ (SANDBOX_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define SANDBOX_WRITE_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

bool sandbox_has_landlock(void);

/* A descriptor for rules that refuse every file; *rules -1: this kernel (before 5.13) has no Landlock. */
int sandbox_rules(int *rules) MUST_USE;
/* Lets rules allow what lies beneath a folder, or a file; of `access` what this kernel can refuse. */
int sandbox_allow(int rules, int fd, uint64_t access) MUST_USE;
/* The rules hold from here on, for this thread and those it starts; -1: nothing. They are closed. */
int sandbox_lock_files(int rules) MUST_USE;

/* ---- seccomp: the system calls ---- */
#if defined(__x86_64__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

struct sandbox_calls { /* numbers of system calls (SYS_…) */
	const uint32_t *call;
	size_t n;
};
#define SANDBOX_CALLS_MOST 150

/* Refuses the calls of all lists, and new processes, with EPERM. All threads are locked in. Nothing on a machine without
 * SANDBOX_ARCHITECTURE. */
int sandbox_lock_calls(const struct sandbox_calls *lists, size_t n) MUST_USE;
