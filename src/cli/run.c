/* `monomi run`, and the roles that it starts itself in. */
#include "cli/config.h"
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- The command line ---- */
static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	struct said *s = ctx;
	if (id == OPT_PCAP)
		return said_add_file(s, value, e);
	if (id != OPT_ALSO) {
		said_set(s, id, value);
		return 0;
	}
	s->n_sensors += s->n_sensors ? 1 : 2;
	return s->n_sensors <= RUN_SENSORS_MAX ? 0 :
	       error_set(e, -E2BIG, "MON-CLI-087", "more than %d sensors", RUN_SENSORS_MAX);
}

static const char closing[] =
	"Without --interface, --pcap and --simulate the pages show what the store holds. The first line printed is the\n"
	"address of the pages. INT and TERM end it. Exit codes: 0 ended; 1 failed; 2 usage.";

/* 0, or an exit code plus one: the command is over. */
static int parse_line(const struct command *self, int argc, char **argv, struct said *out)
{
	const struct cli_options command_line = { run_options, run_options_n, closing, take_option };
	struct error e;
	int rc = 0, first = cli_options_parse(self, &command_line, argc, argv, out);
	if (first < 0)
		return -first;
	if (first < argc && !out->n_files)
		return cli_usage(self, "MON-CLI-006", "`run` takes no argument without --pcap") + 1;
	for (int i = first; !rc && i < argc; i++)
		rc = said_add_file(out, argv[i], &e);
	return rc ? cli_usage(self, e.code, "%s", e.text) + 1 : 0;
}

/* ---- The command line and the file ---- */
struct call {
	const struct command *self;
	int argc;
	char **argv;
};

static void complain(void *ctx, const struct error *e)
{
	(void)ctx;
	cli_complain(e, NULL);
}

/* Of several errors the first, with how many there are. */
static void remember(void *ctx, const struct error *e)
{
	struct error *first = ctx;
	if (!first->code[0])
		*first = *e;
}

/* Databases are opened by roles: what is wrong with them shows before. */
static int check_databases(const struct run_config *c, struct error *e)
{
	struct enrich *x = NULL;
	int rc = enrich_open(env_system(), &c->databases, &x, e);
	enrich_close(x);
	return rc;
}

/* 0, or an exit code plus one. `e` NULL: all errors are told at once; else it is the first. */
static int read_all(const struct call *c, struct session **out, struct error *e)
{
	struct said line = { .n_sensors = 0 }, file = { .n_sensors = 0 };
	struct error first = { .code = "" };
	const struct config_tell tell = { e ? remember : complain, &first };
	int status = parse_line(c->self, c->argc, c->argv, &line);
	const char *path = status ? NULL : line.value[OPT_CONFIG];
	unsigned errors = path ? config_read(path, &file, &tell) : 0;
	if (!status && !errors) {
		if (session_open(out, &line, path ? &file : NULL, &first))
			status = e ? EXIT_USAGE + 1 : cli_usage(c->self, first.code, "%s", first.text) + 1;
	} else if (errors) {
		status = EXIT_USAGE + 1;
	}
	if (e && errors > 1)
		error_set(e, -EINVAL, first.code, "%.200s (and %u more errors: --check)", first.text, errors - 1);
	else if (e)
		*e = first;
	said_fini(&line);
	said_fini(&file);
	return status;
}

/* ---- HUP ---- */
static int read_again(void *ctx, struct run_setup **out, struct error *e)
{
	struct session *s = NULL;
	if (read_all(ctx, &s, e))
		return -EINVAL;
	int rc = check_databases(&s->setup.config, e);
	if (rc) {
		session_close(s);
		return rc;
	}
	*out = &s->setup;
	return 0;
}

static void drop(void *ctx, struct run_setup *s)
{
	(void)ctx;
	session_close((struct session *)s);
}

/* ---- The command ---- */
static int failed(const struct error *e)
{
	cli_complain(e, NULL);
	return EXIT_FAILED;
}

static int check(struct session *s)
{
	struct error e;
	int rc = check_databases(&s->setup.config, &e);
	if (!rc)
		printf("good: %s\n", s->said.value[OPT_CONFIG] ? s->said.value[OPT_CONFIG] : "the options");
	session_close(s);
	return rc ? failed(&e) : EXIT_DONE;
}

int cli_run(const struct command *self, int argc, char **argv)
{
	struct call call = { self, argc, argv };
	struct session *s = NULL;
	struct error e;
	int status = read_all(&call, &s, NULL);
	if (status)
		return status - 1;
	if (s->said.value[OPT_CHECK])
		return check(s);
	const struct run_request request = { &s->setup, s->said.value[OPT_CONFIG] ? read_again : NULL, drop, &call };
	return run_observatory(env_system(), &request, &e) ? failed(&e) : EXIT_DONE;
}

/* ---- A role ---- */
#define ARGUMENTS_MAX 65536

static int parse_packed(const struct command *self, struct run_arguments *a, struct session **s)
{
	const struct env *env = env_system();
	struct call call = { self, 1, env_alloc(env, ARGUMENTS_MAX * sizeof *call.argv) };
	if (!call.argv)
		return EXIT_FAILED + 1;
	call.argv[0] = (char *)(uintptr_t)self->name;
	for (size_t at = 0; at < a->n && call.argc + 1 < ARGUMENTS_MAX; at += strlen(a->p + at) + 1)
		call.argv[call.argc++] = a->p + at;
	int status = read_all(&call, s, NULL);
	env_free(env, call.argv, ARGUMENTS_MAX * sizeof *call.argv);
	return status;
}

int cli_role(const struct command *self, int argc, char **argv)
{
	struct session *s = NULL;
	struct run_arguments a;
	struct error e;
	if (argc < 3 || run_role_arguments(env_system(), &a, &e))
		return cli_usage(&(struct command){ .name = "run" }, "MON-CLI-083", "`role` is what `monomi run` starts itself as");
	int status = parse_packed(self, &a, &s);
	if (status)
		return status - 1;
	int rc = run_role(env_system(), argv[1], argv[2], argc > 3, &s->setup.config, &e);
	if (rc)
		cli_complain(&e, argv[1]);
	session_close(s);
	return rc ? EXIT_FAILED : EXIT_DONE;
}
