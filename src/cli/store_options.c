#include "cli/store_options.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 32

int cli_usage(const struct command *self, const char *code, const char *what)
{
	fprintf(stderr, "monomi: %s: %s; `monomi %s --help` tells more\n", code, what, self->name);
	return EXIT_USAGE;
}

static int help(const struct command *self, const struct cli_option *options, size_t n)
{
	printf("usage: monomi %s [OPTION…] %s\n\n%s.\n\n", self->name, self->arguments, self->summary);
	for (size_t i = 0; i < n; i++) {
		char left[64];
		const char *value = options[i].value;
		snprintf(left, sizeof left, "--%s%s%s", options[i].name, value ? " " : "", value ? value : "");
		printf("  %-25s  %s\n", left, options[i].help);
	}
	puts("\nExit codes: 0 done; 1 failed; 2 usage.");
	return EXIT_DONE;
}

/* What getopt has found, or 0 to go on. */
static int take_one(const struct command *self, int id, char **argv,
                    int (*take)(void *ctx, int id, const char *value, struct error *e), void *ctx)
{
	char what[200];
	struct error e;
	if (id == ':') {
		snprintf(what, sizeof what, "%.100s wants a value", argv[optind - 1]);
		return -1 - cli_usage(self, "MON-CLI-004", what);
	}
	if (id == '?') {
		snprintf(what, sizeof what, "there is no option %.100s", argv[optind - 1]);
		return -1 - cli_usage(self, "MON-CLI-005", what);
	}
	return take(ctx, id, optarg, &e) ? -1 - cli_usage(self, e.code, e.text) : 0;
}

int cli_options(const struct command *self, const struct cli_option *options, size_t n, int argc, char **argv,
                int (*take)(void *ctx, int id, const char *value, struct error *e), void *ctx)
{
	struct option longs[OPTIONS_MAX + 1] = { { 0 } };
	int id, over = 0;
	for (size_t i = 0; i < n && i < OPTIONS_MAX; i++)
		longs[i] = (struct option){ options[i].name, options[i].value ? required_argument : no_argument, NULL,
			                    options[i].id };
	opterr = 0;
	optind = 1;
	while (!over && (id = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (id == 'h' || (id > 0 && (size_t)id == n)) /* --help is the last of every list, numbered from 1 */
			return -1 - help(self, options, n);
		over = take_one(self, id, argv, take, ctx);
	}
	return over ? over : optind;
}

unsigned cli_cpus(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n;
}
