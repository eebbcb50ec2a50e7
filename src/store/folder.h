/* The folder of a store: what tells it from others, its lock, names in it, and steps that last. */
#pragma once
#include "base/env.h"
#include "base/error.h"

#define STORE_PATH 4096
#define STORE_FORMAT 1 /* of the folder; a newer one is refused */

struct folder {
	const struct env *env;
	char path[STORE_PATH];
	int lock; /* fd; -1: only read */
};

/* Makes the folder when it is not there or empty; takes the lock. */
int folder_open(struct folder *f, const struct env *env, const char *path, struct error *e) MUST_USE;
/* To read: no lock is taken. */
int folder_look(struct folder *f, const struct env *env, const char *path, struct error *e) MUST_USE;
/* To read while nobody writes: the lock is taken, nothing is made or written. */
int folder_guard(struct folder *f, const struct env *env, const char *path, struct error *e) MUST_USE;
/* To be filled: absent or empty so far, and no store before folder_mark. */
int folder_new(struct folder *f, const struct env *env, const char *path, struct error *e) MUST_USE;
int folder_mark(const struct folder *f, struct error *e) MUST_USE;
void folder_close(struct folder *f);

/* A name in the folder as a whole path; false: too long. */
bool folder_path(const struct folder *f, char out[static STORE_PATH], const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The folder of a relative path, with all above it, in the folder; new ones are synced into those above. */
int folder_make(const struct folder *f, const char *relative, struct error *e) MUST_USE;
/* A file written by others: synced, renamed to its name without ".tmp", the folder synced. Absolute path with ".tmp". */
int folder_settle(const struct folder *f, const char *temporary, struct error *e) MUST_USE;
int folder_sync(const struct folder *f, const char *path, struct error *e) MUST_USE; /* a file or a folder */
int folder_unlink(const struct folder *f, const char *path, struct error *e) MUST_USE; /* absent is fine */
/* A small file, written whole under its name or not at all. */
int folder_write(const struct folder *f, const char *name, const char *text, struct error *e) MUST_USE;
