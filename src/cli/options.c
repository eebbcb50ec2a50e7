#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 32

int cli_usage(const struct command *self, const char *code, const char *format, ...)
{
	va_list ap;
	fprintf(stderr, "monomi: %s: ", code);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "; `monomi %s --help` tells more\n", self->name);
	return EXIT_USAGE;
}

static int help(const struct command *self, const struct cli_options *o)
{
	printf("usage: monomi %s [OPTION…]%s%s\n\n%s.\n\n", self->name, *self->arguments ? " " : "", self->arguments,
	       self->summary);
	for (size_t i = 0; i < o->n; i++) {
		char left[64];
		const char *value = o->option[i].value;
		snprintf(left, sizeof left, "--%s%s%s", o->option[i].name, value ? " " : "", value ? value : "");
		int extra = value && strstr(value, "…") ? 2 : 0; /* three bytes, one column */
		printf("  %-*s  %s\n", 25 + extra, left, o->option[i].help);
	}
	printf("\n%s\n", o->closing);
	return EXIT_DONE;
}

/* What getopt has found: as `take`, mistakes told. */
static int take_one(const struct command *self, const struct cli_options *o, int id, char **argv, void *ctx)
{
	struct error e;
	if (id == ':')
		return cli_usage(self, "MON-CLI-004", "%s wants a value", argv[optind - 1]) + 1;
	if (id == '?')
		return cli_usage(self, "MON-CLI-005", "there is no option %s", argv[optind - 1]) + 1;
	int rc = o->take(ctx, id, optarg, &e);
	return rc < 0 ? cli_usage(self, e.code, "%s", e.text) + 1 : rc;
}

int cli_options_parse(const struct command *self, const struct cli_options *o, int argc, char **argv, void *ctx)
{
	struct option longs[OPTIONS_MAX + 1] = { { 0 } };
	int id, over = 0;
	for (size_t i = 0; i < o->n && i < OPTIONS_MAX; i++)
		longs[i] = (struct option){ o->option[i].name, o->option[i].value ? required_argument : no_argument, NULL,
			                    o->option[i].id };
	opterr = 0;
	optind = 1;
	while (!over && (id = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (id == 'h' || id == (int)o->n)
			return -1 - help(self, o);
		over = take_one(self, o, id, argv, ctx);
	}
	return over ? -over : optind;
}

unsigned cli_cpus(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n;
}

int size_parse(const char *text, size_t *out, struct error *e)
{
	static const char units[] = "KMGT";
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	unsigned shift = 0;
	if (*end && strchr(units, *end & ~0x20))
		shift = 10 * (unsigned)(strchr(units, *end & ~0x20) - units + 1);
	if (shift)
		end++;
	if (end == text || *end || errno || *text == '-' || n > SIZE_MAX >> shift)
		return error_set(e, -EINVAL, "MON-CLI-010", "'%s' is no size; say 512M or 4G", text);
	*out = (size_t)n << shift;
	return 0;
}
