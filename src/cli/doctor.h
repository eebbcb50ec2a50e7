/* What the files of `monomi doctor` share. Each finding has a level, what it is about, what was found and what to do. */
#pragma once
#include "base/env.h"
#include "base/text.h"
#include "cli/cli.h"
#include "enrich/enrich.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum level {
	LEVEL_OK,
	LEVEL_NOTE, /* a limit that harms nothing now */
	LEVEL_WARN,
};

struct doctor {
	const struct env *env;
	const char *root; /* before /proc and /sys: "" or a folder */
	bool json;
	unsigned told, warnings;
	struct text out;
};

/* `todo`: what to do; NULL: nothing. */
void doctor_say(struct doctor *d, enum level level, const char *what, const char *todo, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* A small file below the root as text, without its last newline; empty when it cannot be read. */
const char *doctor_read(const struct doctor *d, const char *path, char *out, size_t n);
/* The number after `key` in `text`; `missing` when there is none. */
uint64_t doctor_number(const char *text, const char *key, int base, uint64_t missing);

/* ---- doctor_machine.c ---- */
void doctor_rights(struct doctor *d);
void doctor_memory(struct doctor *d);
void doctor_processors(struct doctor *d);
void doctor_huge_pages(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_cloud(struct doctor *d);

/* ---- doctor_network.c ---- */
void doctor_interfaces(struct doctor *d);           /* which are up */
void doctor_nftables(struct doctor *d);
void doctor_interface(struct doctor *d, const char *name); /* everything about one that captures */

/* ---- doctor_store.c ---- */
void doctor_databases(struct doctor *d, const struct enrich_options *paths);
void doctor_disk(struct doctor *d);
void doctor_store(struct doctor *d, const char *folder, const struct store_retention *keep);
