/* The configuration file of `monomi run` (docs/formats/config.md): YAML into the same texts as the command line's. */
#pragma once
#include "cli/session.h"

struct config_tell {
	/* Each error, in the order of the file; the text begins with FILE:LINE:COLUMN. */
	void (*error)(void *ctx, const struct error *e);
	void *ctx;
};

/* How many errors there are; 0: `out` is what it says. Paths in it are below the file's folder. */
unsigned config_read(const char *path, struct said *out, const struct config_tell *tell);
