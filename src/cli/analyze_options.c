#include "cli/analyze.h"

#include "cli/options.h"
#include "daemon/ingest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SENSOR_MAX 63 /* bytes of a sensor's name */

enum { OPT_MONITORED = 1, OPT_OWN, OPT_ANSWERS, OPT_NAT, OPT_NAT_UNKNOWN, OPT_SENSOR, OPT_DECAPSULATE, OPT_FILTER,
       OPT_FOLLOW, OPT_SHARDS, OPT_MEMORY, OPT_SUMMARY, OPT_JSON, OPT_DB, OPT_COUNTRY_DB, OPT_AS_DB, OPT_HELP };

/* The only list of options: parsing and help read it. */
static const struct cli_option options[] = {
	{ "monitored", "PREFIX,…", OPT_MONITORED, "addresses whose packets count; without it every destination does" },
	{ "own", "ADDRESS,…", OPT_OWN, "addresses of this host and its management, left out" },
	{ "answers", "MODE", OPT_ANSWERS, "how the sensor did: silent, host-answers or syn-ack, for --db (default: silent)" },
	{ "nat", "CAPTURED=PUBLIC,…", OPT_NAT, "prefixes of equal length behind a 1:1 NAT" },
	{ "nat-unknown", NULL, OPT_NAT_UNKNOWN, "behind a 1:1 NAT whose public side is not known" },
	{ "sensor", "NAME", OPT_SENSOR, "the sensor's name, part of every row (default: local)" },
	{ "decapsulate", NULL, OPT_DECAPSULATE, "look into IP tunnels, which are probes themselves otherwise" },
	{ "filter", "EXPRESSION", OPT_FILTER, "only packets that pass it, in pcap-filter(7) syntax" },
	{ "follow", NULL, OPT_FOLLOW, "the files still grow: go on until INT or TERM" },
	{ "shards", "N", OPT_SHARDS, "threads and parts of the tables (default: the CPUs allowed)" },
	{ "memory", "SIZE", OPT_MEMORY, "bound of tables, with --db of the process, as 512M (default: a quarter)" },
	{ "summary", "text|json", OPT_SUMMARY, "form of the numbers; JSON: one object a line (default: text)" },
	{ "json", "FILE", OPT_JSON, "the same as JSON into FILE, beside the summary" },
	{ "db", "FOLDER", OPT_DB, "keep the rows in this store, which is made if need be" },
	{ "country-db", "FILE", OPT_COUNTRY_DB, "the database of countries for --db (see FILES in monomi(1))" },
	{ "as-db", "FILE", OPT_AS_DB, "the database of AS for --db" },
	{ "help", NULL, OPT_HELP, "this" },
};

/* Calls `add` for each part between commas; an empty list or part is an error. */
static int each_part(const char *text, int (*add)(void *ctx, const char *part, struct error *e), void *ctx,
                     struct error *e)
{
	for (;;) {
		size_t n = strcspn(text, ",");
		char part[128];
		if (n == 0 || n >= sizeof part)
			return error_set(e, -EINVAL, "MON-CLI-011", "'%.40s' is not a list of prefixes with commas between", text);
		memcpy(part, text, n);
		part[n] = 0;
		int rc = add(ctx, part, e);
		if (rc || !text[n])
			return rc;
		text += n + 1;
	}
}

struct prefix_list {
	struct prefix *out;
	size_t room, n;
};

static int add_prefix(void *ctx, const char *part, struct error *e)
{
	struct prefix_list *l = ctx;
	if (l->n == l->room)
		return error_set(e, -E2BIG, "MON-CLI-012", "more than %zu prefixes", l->room);
	return prefix_parse(part, &l->out[l->n++], e);
}

int prefix_list_parse(const char *text, struct prefix *out, size_t room, size_t *n, struct error *e)
{
	struct prefix_list l = { out, room, 0 };
	int rc = each_part(text, add_prefix, &l, e);
	*n = l.n;
	return rc;
}

struct nat_list {
	struct nat *out;
	size_t room, n;
};

static int add_nat(void *ctx, const char *part, struct error *e)
{
	struct nat_list *l = ctx;
	char captured[128];
	const char *equals = strchr(part, '=');
	if (!equals)
		return error_set(e, -EINVAL, "MON-CLI-013", "'%s' is not CAPTURED=PUBLIC", part);
	if (l->n == l->room)
		return error_set(e, -E2BIG, "MON-CLI-012", "more than %zu prefixes", l->room);
	struct nat *nat = &l->out[l->n++];
	snprintf(captured, sizeof captured, "%.*s", (int)(equals - part), part);
	int rc = prefix_parse(captured, &nat->captured, e);
	if (!rc)
		rc = prefix_parse(equals + 1, &nat->public, e);
	if (!rc && (nat->captured.version != nat->public.version || nat->captured.bits != nat->public.bits))
		rc = error_set(e, -EINVAL, "MON-CLI-014", "'%s': the two prefixes must be of one family and length", part);
	return rc;
}

int nat_list_parse(const char *text, struct nat *out, size_t room, size_t *n, struct error *e)
{
	struct nat_list l = { out, room, 0 };
	int rc = each_part(text, add_nat, &l, e);
	*n = l.n;
	return rc;
}

static int parse_shards(const char *text, unsigned *out, struct error *e)
{
	char *end;
	long n = strtol(text, &end, 10);
	if (end == text || *end || n < 1 || n > ANALYSIS_SHARDS_MAX)
		return error_set(e, -EINVAL, "MON-CLI-015", "'%s' is no number of shards from 1 to %d", text,
		                 ANALYSIS_SHARDS_MAX);
	*out = (unsigned)n;
	return 0;
}

static int parse_sensor(const char *text, const char **out, struct error *e)
{
	if (!*text || strlen(text) > SENSOR_MAX)
		return error_set(e, -EINVAL, "MON-CLI-016", "a sensor's name has 1 to %d bytes", SENSOR_MAX);
	*out = text;
	return 0;
}

static int parse_mode(const char *text, enum answer_mode *out, struct error *e)
{
	*out = mode_parse(text);
	return *out ? 0 :
	       error_set(e, -EINVAL, "MON-CLI-026", "a sensor is silent, host-answers or syn-ack, not '%.40s'", text);
}

static int parse_summary(const char *text, bool *json, struct error *e)
{
	*json = !strcmp(text, "json");
	return *json || !strcmp(text, "text") ? 0 :
	       error_set(e, -EINVAL, "MON-CLI-017", "--summary is text or json, not '%s'", text);
}

static int parse_memory(const char *text, size_t *out, struct error *e)
{
	int rc = size_parse(text, out, e);
	if (!rc && *out < ANALYSIS_MEMORY_LEAST)
		rc = error_set(e, -EINVAL, "MON-CLI-018", "--memory must be %u MiB or more for each shard",
		               ANALYSIS_MEMORY_LEAST >> 20);
	return rc;
}

static int set_option(struct analyze_options *o, int id, const char *value, struct error *e)
{
	struct scope *scope = &o->config.scope;
	switch (id) {
	case OPT_MONITORED:
		scope->monitored = o->prefixes;
		o->monitored = value;
		return prefix_list_parse(value, o->prefixes, PREFIXES_MAX, &scope->n_monitored, e);
	case OPT_OWN:
		scope->own = o->prefixes + PREFIXES_MAX;
		return prefix_list_parse(value, o->prefixes + PREFIXES_MAX, PREFIXES_MAX, &scope->n_own, e);
	case OPT_ANSWERS: return parse_mode(value, &o->mode, e);
	case OPT_NAT:
		scope->nat = o->nat;
		return nat_list_parse(value, o->nat, PREFIXES_MAX, &scope->n_nat, e);
	case OPT_NAT_UNKNOWN: scope->nat_unknown = true; return 0;
	case OPT_SENSOR: return parse_sensor(value, &o->config.sensor, e);
	case OPT_DECAPSULATE: o->config.decode.decapsulate = true; return 0;
	case OPT_FILTER: o->config.capture.filter = value; return capture_filter_check(value, e);
	case OPT_FOLLOW: o->config.capture.follow = true; return 0;
	case OPT_JSON: o->json_file = value; return 0;
	case OPT_DB: o->db = value; return 0;
	case OPT_COUNTRY_DB: o->databases.path[ENRICH_COUNTRY] = value; return 0;
	case OPT_AS_DB: o->databases.path[ENRICH_AS] = value; return 0;
	case OPT_SHARDS: o->shards_told = true; return parse_shards(value, &o->config.shards, e);
	case OPT_MEMORY: o->memory_told = true; return parse_memory(value, &o->config.memory, e);
	default: return parse_summary(value, &o->json, e);
	}
}

static size_t quarter_of_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	size_t quarter = pages > 0 && page > 0 ? (size_t)pages / 4 * (size_t)page : 0;
	return quarter > ANALYSIS_MEMORY_LEAST ? quarter : (size_t)1 << 30;
}

int analyze_options_init(struct analyze_options *o)
{
	const struct env *env = env_system();
	unsigned cpus = cli_cpus();
	*o = (struct analyze_options){ .config = { .sensor = "local",
	                                           .shards = cpus > ANALYSIS_SHARDS_MAX ? ANALYSIS_SHARDS_MAX : cpus,
	                                           .memory = quarter_of_memory(), .decode = { .checksums = true } } };
	o->monitored = "";
	o->prefixes = env_alloc(env, 2 * PREFIXES_MAX * sizeof *o->prefixes);
	o->nat = env_alloc(env, PREFIXES_MAX * sizeof *o->nat);
	struct error e;
	if (o->prefixes && o->nat)
		return 0;
	error_no_memory(&e, "reading the options");
	cli_complain(&e, NULL);
	return EXIT_FAILED + 1;
}

void analyze_options_fini(struct analyze_options *o)
{
	const struct env *env = env_system();
	env_free(env, o->prefixes, 2 * PREFIXES_MAX * sizeof *o->prefixes);
	env_free(env, o->nat, PREFIXES_MAX * sizeof *o->nat);
}

int analyze_options_bound(struct analyze_options *o, struct error *e)
{
	unsigned *shards = &o->config.shards;
	if (o->memory_told && o->config.memory < INGEST_MEMORY_KEPT(*shards))
		return error_set(e, -EINVAL, "MON-CLI-019", "--memory must be %zu MiB or more to keep rows with %u shard%s",
		                 INGEST_MEMORY_KEPT(*shards) >> 20, *shards, *shards == 1 ? "" : "s");
	while (!o->shards_told && *shards > 1 && o->config.memory < INGEST_MEMORY_KEPT(*shards))
		--*shards;
	if (o->config.memory < INGEST_MEMORY_KEPT(*shards))
		o->config.memory = INGEST_MEMORY_KEPT(*shards);
	return 0;
}

static int check_together(const struct command *self, struct analyze_options *o)
{
	struct error e;
	if (!o->n_files)
		return cli_usage(self, "MON-CLI-003", "no FILE given") + 1;
	if (!o->db && o->config.memory / o->config.shards < ANALYSIS_MEMORY_LEAST)
		return cli_usage(self, "MON-CLI-018", "--memory must be %u MiB or more for each of the %u shards",
		                 ANALYSIS_MEMORY_LEAST >> 20, o->config.shards) + 1;
	if (o->db && analyze_options_bound(o, &e))
		return cli_usage(self, e.code, "%s", e.text) + 1;
	if (o->db && strlen(o->row_options) + 1 == ROW_OPTIONS_MAX)
		return cli_usage(self, "MON-CLI-024", "with --db the options about packets have %d bytes at the most",
		                 ROW_OPTIONS_MAX - 2) + 1;
	return 0;
}

/* Options that make the rows of a packet are kept with a segment, word for word. */
static void keep_row_option(struct analyze_options *o, int id, const char *value)
{
	size_t n = strlen(o->row_options);
	if (id == OPT_MONITORED || id == OPT_OWN || id == OPT_NAT || id == OPT_NAT_UNKNOWN || id == OPT_DECAPSULATE ||
	    id == OPT_FILTER)
		snprintf(o->row_options + n, sizeof o->row_options - n, "--%s%s%s ", options[id - 1].name, value ? "=" : "",
		         value ? value : "");
}

static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	int rc = set_option(ctx, id, value, e);
	if (!rc)
		keep_row_option(ctx, id, value);
	return rc;
}

int analyze_option_take(struct analyze_options *o, const char *name, const char *value, struct error *e)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (!strcmp(options[i].name, name))
			return take_option(o, options[i].id, value, e);
	return error_set(e, -EINVAL, "MON-CLI-005", "there is no option --%s", name);
}

int analyze_options_parse(const struct command *self, int argc, char **argv, struct analyze_options *o)
{
	static const struct cli_options command_line = {
		options, sizeof options / sizeof *options,
		"Exit codes: 0 all read; 1 a file is damaged or absent, what came before counts; 2 usage.", take_option,
	};
	int status = analyze_options_init(o);
	if (status)
		return status;
	int first = cli_options_parse(self, &command_line, argc, argv, o);
	if (first < 0)
		return -first;
	o->files = argv + first;
	o->n_files = argc - first;
	return check_together(self, o);
}

/* ---- As they are kept ---- */
#define WORDS_MOST 16

int analyze_options_kept(char *kept, extract_use_fn use, void *ctx, struct error *e)
{
	static const struct command self = { .name = "analyze" };
	struct analyze_options analyze;
	char *argv[WORDS_MOST + 2] = { "analyze" };
	int argc = 1;
	for (char *p = kept; *p && argc < WORDS_MOST;) {
		char *end = strstr(p + 1, " --");
		argv[argc++] = p;
		p = end ? end + 1 : p + strlen(p);
		if (end)
			*end = 0;
		else if (p[-1] == ' ')
			p[-1] = 0;
	}
	argv[argc++] = "-";
	if (analyze_options_parse(&self, argc, argv, &analyze)) {
		analyze_options_fini(&analyze);
		return error_set(e, -EINVAL, "MON-CLI-044", "the options that a segment was added with cannot be read");
	}
	int rc = use(ctx, &analyze.config, e);
	analyze_options_fini(&analyze);
	return rc;
}
