#include "cli/analyze.h"
#include "cli/options.h"
#include "daemon/simulation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_SEED = 1, OPT_ADDRESSES, OPT_FROM, OPT_TO, OPT_PARAMS, OPT_OUT, OPT_TRUTH, OPT_TRUTH_ROWS, OPT_LIST, OPT_HELP };

static const struct cli_option options[] = {
	{ "seed", "S", OPT_SEED, "number that everything random follows from (default: 1)" },
	{ "addresses", "PREFIX,…", OPT_ADDRESSES, "the monitored addresses: 1 to 2^24 of IPv4, and any of IPv6" },
	{ "from", "TIME", OPT_FROM, "beginning: 2020-01-01T00:00:00Z, 2020-01-01 or seconds since 1970" },
	{ "to", "TIME", OPT_TO, "end, not included" },
	{ "params", "FILE", OPT_PARAMS, "parameters, a KEY = VALUE a line" },
	{ "out", "FILE", OPT_OUT, "the capture: .pcap, else pcapng; .zst compressed; - for standard output" },
	{ "truth", "FILE", OPT_TRUTH, "what was meant, as JSON lines" },
	{ "truth-rows", "FILE", OPT_TRUTH_ROWS, "the rows that it must become, as tab-separated text" },
	{ "list", NULL, OPT_LIST, "the parameters, their defaults and sources, as a file for --params" },
	{ "help", NULL, OPT_HELP, "this" },
};

struct simulation {
	struct simulate_config config;
	struct prefix *prefixes;
	bool has_from, has_to;
};

static void print_parameter(void *ctx, const char *key, const char *value, const char *source)
{
	(void)ctx;
	printf("# %s\n%s = %s\n", source, key, value);
}

static int list(void)
{
	simulate_parameters(print_parameter, NULL);
	return EXIT_DONE + 1;
}

static int parse_seed(const char *text, uint64_t *out, struct error *e)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (end == text || *end || errno || *text == '-')
		return error_set(e, -EINVAL, "MON-CLI-060", "'%.40s' is no seed: a number from 0 to 2^64 - 1", text);
	*out = n;
	return 0;
}

static int parse_time(const char *text, int64_t *out, bool *has, struct error *e)
{
	*has = true;
	if (!simulate_moment(text, out))
		return 0;
	return error_set(e, -EINVAL, "MON-CLI-061", "'%.40s' is no time: 2020-01-01T00:00:00Z, 2020-01-01 or seconds", text);
}

static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	struct simulation *o = ctx;
	struct simulate_config *c = &o->config;
	switch (id) {
	case OPT_SEED: return parse_seed(value, &c->seed, e);
	case OPT_ADDRESSES:
		c->addresses = o->prefixes;
		return prefix_list_parse(value, o->prefixes, PREFIXES_MAX, &c->n_addresses, e);
	case OPT_FROM: return parse_time(value, &c->from, &o->has_from, e);
	case OPT_TO: return parse_time(value, &c->to, &o->has_to, e);
	case OPT_PARAMS: c->params = value; return 0;
	case OPT_OUT: c->out = value; return 0;
	case OPT_TRUTH: c->truth = value; return 0;
	case OPT_LIST: return list();
	default: c->rows = value; return 0;
	}
}

static const struct cli_options command_line = {
	options, sizeof options / sizeof *options,
	"The capture says that it is made up, and so does what is made of it. Exit codes: 0 done; 1 failed; 2 usage.",
	take_option,
};

/* 0, or an exit code plus one: the command is over. */
static int parse(const struct command *self, int argc, char **argv, struct simulation *o)
{
	int first = cli_options_parse(self, &command_line, argc, argv, o);
	if (first < 0)
		return -first;
	if (first < argc)
		return cli_usage(self, "MON-CLI-006", "`%s` is given no argument beside options", self->name) + 1;
	if (!o->config.n_addresses || !o->has_from || !o->has_to)
		return cli_usage(self, "MON-CLI-062", "--addresses, --from and --to are wanted") + 1;
	if (!o->config.out && !o->config.truth && !o->config.rows)
		return cli_usage(self, "MON-CLI-062", "neither --out nor --truth nor --truth-rows is given: nothing would come "
		                 "of it") + 1;
	return 0;
}

static int simulate(const struct simulation *o)
{
	const struct env *env = env_system();
	struct simulate_result r;
	struct error e;
	int64_t began = env->monotonic(env);
	if (simulate_run(env, &o->config, &r, &e)) {
		cli_complain(&e, NULL);
		return EXIT_FAILED;
	}
	double seconds = (double)(env->monotonic(env) - began) / 1e9;
	fprintf(stderr, "monomi: SIMULATED %llu packets, %llu of them accesses, in %.1f s\n", (unsigned long long)r.packets,
	        (unsigned long long)r.accesses, seconds);
	return EXIT_DONE;
}

int cli_simulate(const struct command *self, int argc, char **argv)
{
	const struct env *env = env_system();
	struct simulation o = { .config = { .seed = 1, .application = "monomi " MONOMI_VERSION } };
	struct error e;
	int status = EXIT_FAILED;
	o.prefixes = env_alloc(env, PREFIXES_MAX * sizeof *o.prefixes);
	if (o.prefixes) {
		int rc = parse(self, argc, argv, &o);
		status = rc ? rc - 1 : simulate(&o);
	} else {
		error_no_memory(&e, "reading the options");
		cli_complain(&e, NULL);
	}
	env_free(env, o.prefixes, PREFIXES_MAX * sizeof *o.prefixes);
	return status;
}
