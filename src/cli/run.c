/* `monomi run`, and the roles that it starts itself in. Options are gathered as texts first, so that a later one replaces
 * an earlier one and roles can be handed all of them. */
#include "base/text.h"
#include "cli/analyze.h"
#include "cli/options.h"
#include "daemon/run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_DB = 1, OPT_INTERFACE, OPT_PCAP, OPT_SIMULATE, OPT_LISTEN, OPT_MONITORED, OPT_OWN, OPT_MANAGE, OPT_NAT,
       OPT_NAT_UNKNOWN, OPT_SENSOR, OPT_DECAPSULATE, OPT_FILTER, OPT_SHARDS, OPT_MEMORY, OPT_SEED, OPT_COUNTRY_DB,
       OPT_AS_DB, OPT_HELP };

static const struct cli_option options[] = {
	{ "db", "FOLDER", OPT_DB, "the store, which is made if need be" },
	{ "interface", "NAME", OPT_INTERFACE, "capture from this interface (root, or CAP_NET_RAW)" },
	{ "pcap", "FILE", OPT_PCAP, "store this capture, or all of a folder; arguments behind the options are more" },
	{ "simulate", NULL, OPT_SIMULATE, "a telescope made up: the week before now, then on as time goes" },
	{ "listen", "HOST:PORT", OPT_LISTEN, "where the pages are served (default: 127.0.0.1:8080; loopback only)" },
	{ "monitored", "PREFIX,…", OPT_MONITORED, "addresses whose packets count" },
	{ "own", "ADDRESS,…", OPT_OWN, "addresses of this host and its management, left out" },
	{ "manage", "LIST", OPT_MANAGE, "its management on --interface: tcp/22, udp/161@192.0.2.0/24, 192.0.2.7, …" },
	{ "nat", "CAPTURED=PUBLIC,…", OPT_NAT, "prefixes of equal length behind a 1:1 NAT" },
	{ "nat-unknown", NULL, OPT_NAT_UNKNOWN, "behind a 1:1 NAT whose public side is not known" },
	{ "sensor", "NAME", OPT_SENSOR, "the sensor's name (default: local; simulated)" },
	{ "decapsulate", NULL, OPT_DECAPSULATE, "look into IP tunnels, which are probes themselves otherwise" },
	{ "filter", "EXPRESSION", OPT_FILTER, "only packets that pass it, in pcap-filter(7) syntax" },
	{ "shards", "N", OPT_SHARDS, "threads that read segments (default: the CPUs allowed)" },
	{ "memory", "SIZE", OPT_MEMORY, "bound of all tables (default: a quarter of the memory)" },
	{ "seed", "S", OPT_SEED, "of --simulate: what everything random follows from (default: 1)" },
	{ "country-db", "FILE", OPT_COUNTRY_DB, "the database of countries (see FILES in monomi(1))" },
	{ "as-db", "FILE", OPT_AS_DB, "the database of AS" },
	{ "help", NULL, OPT_HELP, "this" },
};

#define LISTEN "127.0.0.1:8080"
#define SIMULATED_ADDRESSES "198.18.0.0/24" /* RFC 2544: nobody's */
#define SIMULATED_SENSOR "simulated"

#define MANAGE_MOST 64

struct session {
	const char *value[OPT_HELP + 1]; /* by option; NULL: not given */
	struct path_list files;
	struct analyze_options analyze;
	const char **paths;
	struct live_own manage[MANAGE_MOST];
	struct run_request request;
};

/* ---- Options as texts ---- */
static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	struct session *s = ctx;
	if (id != OPT_PCAP)
		s->value[id] = value ? value : "";
	return id == OPT_PCAP ? path_list_add(&s->files, value, e) : 0;
}

static const struct cli_options command_line = {
	options, sizeof options / sizeof *options,
	"Without --interface, --pcap and --simulate the pages show what the store holds. The first line printed is the\n"
	"address of the pages. INT and TERM end it. Exit codes: 0 ended; 1 failed; 2 usage.",
	take_option,
};

/* Each option as "--name=value" and a zero byte: what a role makes the same of. */
static int pack(struct session *s, struct error *e)
{
	struct text t = { .env = env_system() };
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const char *value = s->value[options[i].id];
		if (!value)
			continue;
		text_puts(&t, "--");
		text_puts(&t, options[i].name);
		text_puts(&t, options[i].value ? "=" : "");
		text_add(&t, value, strlen(value) + 1);
	}
	for (size_t i = 0; i < s->files.n; i++) {
		text_puts(&t, "--pcap=");
		text_add(&t, s->paths[i], strlen(s->paths[i]) + 1);
	}
	s->request.arguments = (struct run_arguments){ t.p, t.n };
	return text_ok(&t) ? 0 : error_no_memory(e, "handing options on");
}

/* ---- Texts as a configuration ---- */
static int take_rows(struct session *s, struct error *e)
{
	static const int shared[] = { OPT_MONITORED, OPT_OWN, OPT_NAT, OPT_NAT_UNKNOWN, OPT_SENSOR, OPT_DECAPSULATE, OPT_FILTER,
		                      OPT_SHARDS, OPT_MEMORY, OPT_COUNTRY_DB, OPT_AS_DB };
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof shared / sizeof *shared; i++)
		if (s->value[shared[i]])
			rc = analyze_option_take(&s->analyze, options[shared[i] - 1].name, s->value[shared[i]], e);
	return rc;
}

/* What a made-up telescope is without further words. */
static void set_simulated(struct session *s)
{
	if (!s->value[OPT_MONITORED])
		s->value[OPT_MONITORED] = SIMULATED_ADDRESSES;
	if (!s->value[OPT_SENSOR])
		s->value[OPT_SENSOR] = SIMULATED_SENSOR;
}

static int list_files(struct session *s, struct error *e)
{
	const struct env *env = env_system();
	char whole[PATH_MAX];
	s->paths = env_alloc(env, (s->files.n + 1) * sizeof *s->paths);
	if (!s->paths)
		return error_no_memory(e, "reading the options");
	for (size_t i = 0; i < s->files.n; i++) {
		const char *path = s->files.item[i].path;
		if (!realpath(path, whole))
			return error_set(e, -errno, "MON-CLI-082", "%s cannot be found: %s", path, strerror(errno));
		char *kept = env_alloc(env, strlen(whole) + 1);
		if (!kept)
			return error_no_memory(e, "reading the options");
		memcpy(kept, whole, strlen(whole) + 1);
		s->paths[i] = kept;
	}
	return 0;
}

static int parse_seed(const char *text, uint64_t *out, struct error *e)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return end == text || *end || errno || *text == '-' ?
	       error_set(e, -EINVAL, "MON-CLI-060", "'%.40s' is no seed: a number from 0 to 2^64 - 1", text) : 0;
}

static int choose_source(const struct session *s, enum run_source *out, struct error *e)
{
	int given = (s->value[OPT_INTERFACE] != NULL) + (s->files.n != 0) + (s->value[OPT_SIMULATE] != NULL);
	*out = s->value[OPT_INTERFACE] ? RUN_INTERFACE : s->files.n ? RUN_FILES : s->value[OPT_SIMULATE] ? RUN_SIMULATE :
	                                                                                                   RUN_STORE;
	return given <= 1 ? 0 :
	       error_set(e, -EINVAL, "MON-CLI-080", "one of --interface, --pcap and --simulate, not several");
}

static int configure(struct session *s, struct error *e)
{
	struct run_config *c = &s->request.config;
	int rc = choose_source(s, &c->source, e);
	if (!rc && !s->value[OPT_DB])
		rc = error_set(e, -EINVAL, "MON-CLI-081", "--db is wanted: the folder of the store");
	if (!rc && c->source == RUN_SIMULATE)
		set_simulated(s);
	if (!rc)
		rc = take_rows(s, e);
	if (!rc && s->value[OPT_MANAGE])
		rc = live_own_parse(s->value[OPT_MANAGE], s->manage, MANAGE_MOST, &c->n_manage, e);
	if (!rc)
		rc = list_files(s, e);
	c->manage = s->manage;
	c->seed = 1;
	if (!rc && s->value[OPT_SEED])
		rc = parse_seed(s->value[OPT_SEED], &c->seed, e);
	if (rc)
		return rc;
	c->db = s->value[OPT_DB];
	c->interface = s->value[OPT_INTERFACE];
	c->listen = s->value[OPT_LISTEN] ? s->value[OPT_LISTEN] : LISTEN;
	c->files = (char *const *)(uintptr_t)s->paths;
	c->n_files = s->files.n;
	c->analysis = s->analyze.config;
	c->monitored = s->analyze.monitored;
	c->row_options = s->analyze.row_options;
	c->databases = s->analyze.databases;
	c->version = MONOMI_VERSION;
	return 0;
}

/* 0, or an exit code plus one: the command is over. */
static int parse(const struct command *self, int argc, char **argv, struct session *s)
{
	struct error e;
	int rc = 0, first = cli_options_parse(self, &command_line, argc, argv, s);
	if (first < 0)
		return -first;
	if (first < argc && !s->files.n)
		return cli_usage(self, "MON-CLI-006", "`run` takes no argument without --pcap") + 1;
	for (int i = first; !rc && i < argc; i++)
		rc = path_list_add(&s->files, argv[i], &e);
	if (!rc)
		rc = configure(s, &e);
	return rc ? cli_usage(self, e.code, "%s", e.text) + 1 : 0;
}

static int open_session(struct session *s)
{
	*s = (struct session){ .files = { 0 } };
	return analyze_options_init(&s->analyze);
}

static void close_session(struct session *s)
{
	const struct env *env = env_system();
	for (size_t i = 0; s->paths && i < s->files.n; i++)
		if (s->paths[i])
			env_free(env, (void *)(uintptr_t)s->paths[i], strlen(s->paths[i]) + 1);
	env_free(env, s->paths, (s->files.n + 1) * sizeof *s->paths);
	path_list_fini(&s->files);
	analyze_options_fini(&s->analyze);
}

int cli_run(const struct command *self, int argc, char **argv)
{
	struct session s;
	struct error e;
	int status = open_session(&s);
	if (!status)
		status = parse(self, argc, argv, &s);
	if (!status) {
		status = EXIT_DONE + 1;
		int rc = pack(&s, &e);
		if (!rc)
			rc = run_observatory(env_system(), &s.request, &e);
		if (rc) {
			cli_complain(&e, NULL);
			status = EXIT_FAILED + 1;
		}
	}
	close_session(&s);
	return status - 1;
}

/* ---- A role ---- */
#define ARGUMENTS_MAX 65536

static int parse_packed(const struct command *self, struct run_arguments *a, struct session *s)
{
	const struct env *env = env_system();
	char **argv = env_alloc(env, ARGUMENTS_MAX * sizeof *argv);
	int argc = 0;
	if (!argv)
		return EXIT_FAILED + 1;
	argv[argc++] = (char *)(uintptr_t)self->name;
	for (size_t at = 0; at < a->n && argc + 1 < ARGUMENTS_MAX; at += strlen(a->p + at) + 1)
		argv[argc++] = a->p + at;
	int status = parse(self, argc, argv, s);
	env_free(env, argv, ARGUMENTS_MAX * sizeof *argv);
	return status;
}

int cli_role(const struct command *self, int argc, char **argv)
{
	struct session s;
	struct run_arguments a;
	struct error e;
	if (argc < 2 || run_role_arguments(env_system(), &a, &e)) {
		return cli_usage(&(struct command){ .name = "run" }, "MON-CLI-083", "`role` is what `monomi run` starts itself as");
	}
	int status = open_session(&s);
	if (!status)
		status = parse_packed(self, &a, &s);
	if (!status) {
		int rc = run_role(env_system(), argv[1], argc > 2, &s.request.config, &e);
		if (rc)
			cli_complain(&e, argv[1]);
		status = (rc ? EXIT_FAILED : EXIT_DONE) + 1;
	}
	close_session(&s);
	return status - 1;
}
