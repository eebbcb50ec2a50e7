/* What the commands that take options share: the list of them, their parsing and their help. */
#pragma once
#include "cli/cli.h"

#include <stddef.h>

struct cli_option {
	const char *name;
	const char *value; /* NULL: none */
	int id;            /* its place in the list, from 1; --help is the last */
	const char *help;
};

/* What an option does. 0; -errno for a value that makes no sense; an exit code plus one when the command is over. */
typedef int (*cli_take_fn)(void *ctx, int id, const char *value, struct error *e);

struct cli_options {
	const struct cli_option *option;
	size_t n;
	const char *closing; /* last line of the help: what the exit codes mean */
	cli_take_fn take;
};

/* Parses until the first argument that is no option: its place in argv, or minus an exit code minus one when the command
 * is over (--help, or a mistake that was told). */
int cli_options_parse(const struct command *self, const struct cli_options *o, int argc, char **argv, void *ctx);

/* Tells what is wrong with the command line; EXIT_USAGE. */
int cli_usage(const struct command *self, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* CPUs that this process may use. */
unsigned cli_cpus(void);

/* "512M", "2G", "1048576": bytes; K, M, G, T are powers of 1024. */
int size_parse(const char *text, size_t *out, struct error *e) MUST_USE;
