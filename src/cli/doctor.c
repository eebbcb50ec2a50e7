/* What this machine allows. Every line says ok, note (a limit that harms nothing now) or warn (with what to do). */
#include "cli/doctor.h"

#include "cli/config.h"
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_OF_CONFIG = 1, OPT_OF_DB, OPT_OF_INTERFACE, OPT_OF_COUNTRY_DB, OPT_OF_AS_DB, OPT_OF_FORMAT, OPT_OF_ROOT,
      OPT_OF_HELP };

static const struct cli_option options[] = {
	{ "config", "FILE", OPT_OF_CONFIG, "what `monomi run --config FILE` would use: store, interfaces, databases" },
	{ "db", "PATH", OPT_OF_DB, "also the room for this folder of rows" },
	{ "interface", "NAME", OPT_OF_INTERFACE, "also all about this one, to capture from; may be given again" },
	{ "country-db", "FILE", OPT_OF_COUNTRY_DB, "the database of countries to look at" },
	{ "as-db", "FILE", OPT_OF_AS_DB, "that of AS" },
	{ "format", "text|json", OPT_OF_FORMAT, "a line each, or one array of objects (default: text)" },
	{ "root", "FOLDER", OPT_OF_ROOT, "/proc and /sys are below it, as those of a host seen from a container" },
	{ "help", NULL, OPT_OF_HELP, "this" },
};

struct request {
	struct doctor doctor;
	const char *config, *db;
	const char *interface[RUN_SENSORS_MAX];
	unsigned n_interfaces;
	struct enrich_options databases;
	struct store_retention keep;
};

/* ---- What the other files share ---- */
static void put_text(struct text *t, const char *level, const char *what, const char *finding, const char *todo)
{
	text_printf(t, "%-5s%-13s%s%s%s\n", level, what, finding, todo ? ": " : "", todo ? todo : "");
}

static void put_json(struct text *t, bool first, const char *level, const char *what, const char *finding, const char *todo)
{
	text_printf(t, "%s{\"level\":\"%s\",\"topic\":\"%s\",\"finding\":", first ? "[" : ",\n ", level, what);
	text_json(t, finding);
	text_puts(t, ",\"todo\":");
	if (todo)
		text_json(t, todo);
	else
		text_puts(t, "null");
	text_puts(t, "}");
}

void doctor_say(struct doctor *d, enum level level, const char *what, const char *todo, const char *format, ...)
{
	static const char *const names[] = { "ok", "note", "warn" };
	char finding[700];
	va_list ap;
	va_start(ap, format);
	vsnprintf(finding, sizeof finding, format, ap);
	va_end(ap);
	if (d->json)
		put_json(&d->out, !d->told, names[level], what, finding, todo);
	else
		put_text(&d->out, names[level], what, finding, todo);
	d->told++;
	d->warnings += level == LEVEL_WARN;
}

const char *doctor_read(const struct doctor *d, const char *path, char *out, size_t n)
{
	char whole[4096];
	size_t have = 0;
	out[0] = 0;
	int fd = snprintf(whole, sizeof whole, "%s%s", d->root, path) < (int)sizeof whole ?
	         d->env->open(d->env, whole, O_RDONLY, 0) : -ENAMETOOLONG;
	if (fd < 0)
		return out;
	while (have < n - 1) {
		ssize_t got = d->env->read(d->env, fd, out + have, n - 1 - have);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	have -= have && out[have - 1] == '\n';
	out[have] = 0;
	if (d->env->close(d->env, fd))
		out[0] = 0;
	return out;
}

uint64_t doctor_number(const char *text, const char *key, int base, uint64_t missing)
{
	const char *at = strstr(text, key);
	if (!at)
		return missing;
	at += strlen(key);
	char *end;
	errno = 0;
	uint64_t v = strtoull(at, &end, base);
	return end == at || errno ? missing : v;
}

/* ---- The command line ---- */
static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	struct request *r = ctx;
	switch (id) {
	case OPT_OF_CONFIG: r->config = value; break;
	case OPT_OF_DB: r->db = value; break;
	case OPT_OF_INTERFACE:
		if (r->n_interfaces == RUN_SENSORS_MAX)
			return error_set(e, -E2BIG, "MON-CLI-087", "more than %d interfaces", RUN_SENSORS_MAX);
		r->interface[r->n_interfaces++] = value;
		break;
	case OPT_OF_COUNTRY_DB: r->databases.path[ENRICH_COUNTRY] = value; break;
	case OPT_OF_AS_DB: r->databases.path[ENRICH_AS] = value; break;
	case OPT_OF_ROOT: r->doctor.root = value; break;
	case OPT_OF_FORMAT:
		r->doctor.json = !strcmp(value, "json");
		return r->doctor.json || !strcmp(value, "text") ? 0 :
		       error_set(e, -EINVAL, "MON-CLI-046", "--format is text or json, not '%.40s'", value);
	}
	return 0;
}

static void complain(void *ctx, const struct error *e)
{
	(void)ctx;
	cli_complain(e, NULL);
}

/* What the file says, where the options say nothing. */
static int take_config(struct request *r, struct session **out)
{
	const struct config_tell tell = { complain, NULL };
	struct said line = { .n_sensors = 0 }, file = { .n_sensors = 0 };
	struct error e;
	int rc = config_read(r->config, &file, &tell) ? -EINVAL : 0;
	if (!rc && (rc = session_open(out, &line, &file, &e)))
		cli_complain(&e, r->config);
	said_fini(&line);
	said_fini(&file);
	if (rc)
		return EXIT_USAGE;
	const struct run_config *c = &(*out)->setup.config;
	r->db = r->db ? r->db : c->db;
	r->keep = c->keep;
	for (int k = 0; k < ENRICH_KINDS; k++)
		if (!r->databases.path[k])
			r->databases.path[k] = c->databases.path[k];
	for (unsigned i = 0; !r->interface[0] && c->source == RUN_INTERFACE && i < c->n_sensors; i++)
		r->interface[i] = c->sensor[i].interface;
	while (r->n_interfaces < RUN_SENSORS_MAX && r->interface[r->n_interfaces])
		r->n_interfaces++;
	return EXIT_DONE;
}

static void look(struct request *r)
{
	struct doctor *d = &r->doctor;
	doctor_rights(d);
	doctor_interfaces(d);
	for (unsigned i = 0; i < r->n_interfaces; i++)
		doctor_interface(d, r->interface[i]);
	doctor_nftables(d);
	doctor_cloud(d);
	doctor_clock(d);
	doctor_databases(d, &r->databases);
	doctor_disk(d);
	if (r->db)
		doctor_store(d, r->db, &r->keep);
	doctor_memory(d);
	doctor_processors(d);
	doctor_huge_pages(d);
}

int cli_doctor(const struct command *self, int argc, char **argv)
{
	static const struct cli_options command_line = {
		options, sizeof options / sizeof *options,
		"A line each: ok, note or warn, what it is about, what was found, what to do. Exit codes: 0; 1 one warns; 2 usage.",
		take_option,
	};
	struct request r = { .doctor = { .env = env_system(), .root = "", .out = { .env = env_system() } },
	                    .keep = STORE_RETENTION };
	struct session *session = NULL;
	int first = cli_options_parse(self, &command_line, argc, argv, &r);
	if (first < 0)
		return -first - 1;
	if (first < argc)
		return cli_usage(self, "MON-CLI-006", "doctor takes no '%s'", argv[first]);
	int status = r.config ? take_config(&r, &session) : EXIT_DONE;
	if (!status) {
		look(&r);
		text_puts(&r.doctor.out, r.doctor.json ? "]\n" : "");
		fputs(text_ok(&r.doctor.out) ? r.doctor.out.p : "", stdout);
		status = r.doctor.warnings || !text_ok(&r.doctor.out) ? EXIT_FAILED : EXIT_DONE;
	}
	text_fini(&r.doctor.out);
	session_close(session);
	return status;
}
