#include "cli/cli.h"
#include "cli/options.h"
#include "daemon/verdict.h"
#include "store/client.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PARAMS_MAX 32
#define MEMORY_LEAST ((size_t)64 << 20)
#define MEMORY_USUAL ((size_t)1 << 30)
#define SECONDS_USUAL 60

enum { OPT_DB = 1, OPT_LIST, OPT_PARAM, OPT_FORMAT, OPT_OUT, OPT_MEMORY, OPT_TIME, OPT_HELP };

static const struct cli_option options[] = {
	{ "db", "PATH", OPT_DB, "the store's folder" },
	{ "list", NULL, OPT_LIST, "the named queries with their columns and parameters" },
	{ "param", "NAME=VALUE", OPT_PARAM, "a value for $NAME; may be given again for others" },
	{ "format", "FORMAT", OPT_FORMAT, "table, csv, json (one array), jsonl (an object a line) or parquet" },
	{ "out", "FILE", OPT_OUT, "where the result goes (default: standard output)" },
	{ "memory", "SIZE", OPT_MEMORY, "working memory (default: 1G); four times as much may go to TMPDIR" },
	{ "time", "SECONDS", OPT_TIME, "when it is ended (default: 60)" },
	{ "help", NULL, OPT_HELP, "this" },
};

struct query_options {
	struct store_request request;
	struct store_param params[PARAMS_MAX];
	char names[PARAMS_MAX][40];
	const char *out;
	bool list;
};

static volatile sig_atomic_t stop;

static void on_signal(int s)
{
	(void)s;
	stop = 1;
}

/* So that the temporary folder goes too. */
static void stop_on_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal };
	sigemptyset(&a.sa_mask);
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
}

static int parse_param(struct query_options *o, const char *text, struct error *e)
{
	struct store_request *r = &o->request;
	size_t n = strcspn(text, "=");
	if (!text[n] || !n || n >= sizeof o->names[0])
		return error_set(e, -EINVAL, "MON-CLI-031", "'%.60s' is no NAME=VALUE", text);
	if (r->n_params == PARAMS_MAX)
		return error_set(e, -E2BIG, "MON-CLI-031", "more than %d parameters", PARAMS_MAX);
	memcpy(o->names[r->n_params], text, n);
	o->params[r->n_params] = (struct store_param){ o->names[r->n_params], text + n + 1 };
	r->n_params++;
	return 0;
}

static int parse_format(const char *text, enum store_format *out, struct error *e)
{
	static const char *const names[STORE_FORMATS] = { "table", "json", "jsonl", "csv", "parquet" };
	for (unsigned i = 0; i < STORE_FORMATS; i++) {
		if (!strcmp(text, names[i])) {
			*out = (enum store_format)i;
			return 0;
		}
	}
	return error_set(e, -EINVAL, "MON-CLI-032", "--format is table, csv, json, jsonl or parquet, not '%.40s'", text);
}

static int parse_memory(const char *text, size_t *out, struct error *e)
{
	int rc = size_parse(text, out, e);
	if (!rc && *out < MEMORY_LEAST)
		rc = error_set(e, -EINVAL, "MON-CLI-033", "--memory must be %zu MiB or more", MEMORY_LEAST >> 20);
	return rc;
}

static int parse_seconds(const char *text, unsigned *out, struct error *e)
{
	char *end;
	long n = strtol(text, &end, 10);
	if (end == text || *end || n < 1 || n > 86400)
		return error_set(e, -EINVAL, "MON-CLI-034", "'%.40s' is no number of seconds from 1 to 86400", text);
	*out = (unsigned)n;
	return 0;
}

static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	struct query_options *o = ctx;
	switch (id) {
	case OPT_DB: o->request.db = value; return 0;
	case OPT_LIST: o->list = true; return 0;
	case OPT_PARAM: return parse_param(o, value, e);
	case OPT_FORMAT: return parse_format(value, &o->request.format, e);
	case OPT_OUT: o->out = value; return 0;
	case OPT_MEMORY: return parse_memory(value, &o->request.limits.memory, e);
	default: return parse_seconds(value, &o->request.limits.seconds, e);
	}
}

static const struct cli_options command_line = { options, sizeof options / sizeof *options,
	                                         "Exit codes: 0 done; 1 failed; 2 usage.", take_option };

/* ---- --list ---- */
static void print_parameter(const struct store_head *h)
{
	char left[96];
	snprintf(left, sizeof left, "%s%s%s", h->name, h->has_default && !h->is_null ? "=" : "", h->is_null ? "" : h->value);
	printf("      %-20s %s%s\n", left, h->what, h->has_default ? "" : " (must be given)");
}

static void print_query(const struct store_named *q)
{
	static const char *const heads[] = { [STORE_HEAD_PARAM] = "    parameters\n", [STORE_HEAD_COLUMN] = "    columns\n" };
	const char *cursor = q->text;
	struct store_head h;
	int last = STORE_HEAD_TITLE;
	bool titled = false;
	while (store_named_head(&cursor, &h)) {
		if (h.kind == STORE_HEAD_TITLE) {
			printf(titled ? "    %s\n" : "  %s\n", h.what);
			titled = true;
			continue;
		}
		if ((int)h.kind != last)
			fputs(heads[h.kind], stdout);
		last = (int)h.kind;
		if (h.kind == STORE_HEAD_PARAM)
			print_parameter(&h);
		else
			printf("      %-20s %s\n", h.name, h.what);
	}
}

static int list(void)
{
	size_t n;
	const struct store_named *q = store_named_list(&n);
	for (size_t i = 0; i < n; i++) {
		printf("%s%s\n", i ? "\n" : "", q[i].name);
		print_query(&q[i]);
	}
	return EXIT_DONE;
}

/* ---- Running it ---- */
static unsigned screen_width(int fd)
{
	struct winsize w;
	return !ioctl(fd, TIOCGWINSZ, &w) ? w.ws_col : 0;
}

static int run(struct query_options *o)
{
	const struct env *env = env_system();
	struct store_request *r = &o->request;
	struct error e;
	bool simulated = false;
	r->simulated = &simulated;
	r->out = STDOUT_FILENO;
	r->stop = &stop;
	r->params = o->params;
	if (o->out)
		r->out = env->open(env, o->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (r->out < 0) {
		error_set(&e, r->out, "MON-CLI-035", "cannot be written: %s", strerror(-r->out));
		cli_complain(&e, o->out);
		return EXIT_FAILED;
	}
	if (r->format == STORE_TABLE)
		r->width = screen_width(r->out);
	stop_on_signals();
	int rc = store_query(env, r, &e);
	if (o->out && env->close(env, r->out) && !rc)
		rc = error_set(&e, -EIO, "MON-CLI-035", "'%s' cannot be written", o->out);
	if (!rc && simulated)
		cli_say_simulated();
	if (!rc)
		return EXIT_DONE;
	cli_complain(&e, NULL);
	return EXIT_FAILED;
}

int cli_query(const struct command *self, int argc, char **argv)
{
	struct query_options o = { .request = { .limits = { .memory = MEMORY_USUAL, .threads = cli_cpus(),
	                                                    .seconds = SECONDS_USUAL } } };
	int first = cli_options_parse(self, &command_line, argc, argv, &o);
	if (first < 0)
		return -first - 1;
	if (o.list)
		return list();
	if (!o.request.db)
		return cli_usage(self, "MON-CLI-030", "no --db PATH given");
	if (argc - first != 1)
		return cli_usage(self, "MON-CLI-036", "%s given", argc == first ? "no query" : "more than one query");
	o.request.query = argv[first];
	o.request.limits.disk = 4 * o.request.limits.memory;
	if (store_named_looks(o.request.query) && !store_named_find(o.request.query))
		return cli_usage(self, "MON-CLI-037", "there is no query of that name; --list tells them all");
	return run(&o);
}

int cli_query_worker(const struct command *self, int argc, char **argv)
{
	(void)self;
	/* Locked in as it is then, what runs at exit (a sanitizer's search for leaks, say) cannot. */
	_exit(store_worker(env_system(), verdict_tool, argc, argv));
}
