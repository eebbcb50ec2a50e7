/* What the commands that read a store share: options, their parsing and their help. */
#pragma once
#include "cli/cli.h"

#include <stddef.h>

struct cli_option {
	const char *name;
	const char *value; /* NULL: none */
	int id;
	const char *help;
};

/* Parses until the first argument that is no option: its place in argv, or minus an exit code minus one when the command
 * is over (--help, or a mistake that was told). `take` fails for a value that makes no sense. */
int cli_options(const struct command *self, const struct cli_option *options, size_t n, int argc, char **argv,
                int (*take)(void *ctx, int id, const char *value, struct error *e), void *ctx);

/* Tells what is wrong with the command line; EXIT_USAGE. */
int cli_usage(const struct command *self, const char *code, const char *what);

/* CPUs that this process may use. */
unsigned cli_cpus(void);

/* "512M", "2G", "1048576": bytes; K, M, G, T are powers of 1024. */
int size_parse(const char *text, size_t *out, struct error *e) MUST_USE;
