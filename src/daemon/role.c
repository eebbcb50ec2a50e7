#include "daemon/role.h"

#include "base/sandbox.h"
#include "daemon/confine.h"
#include "daemon/verdict.h"
#include "serve/serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[ROLES] = { "keeper", "engine", "capture", "simulator", "reader", "server", "extract" };

const char *role_name(enum role r) { return names[r]; }

int role_folder(const struct run_config *config, const struct run_sensor *sensor, bool past, char out[static ROLE_PATH],
                struct error *e)
{
	int n = snprintf(out, ROLE_PATH, "%s/spool/live/%s%s", config->db, sensor->analysis.sensor, past ? "+past" : "");
	return n < ROLE_PATH ? 0 : error_set(e, -ENAMETOOLONG, "MON-DMN-020", "the path of the store is too long");
}

/* ---- Locking in ---- */
#define FILES 256        /* descriptors */
#define CLIENTS 4096

static const struct {
	unsigned allowed;
	bool search;
	size_t files;
} limits[ROLES] = {
	[ROLE_KEEPER] = { CONFINE_FILES | CONFINE_CHANGES | CONFINE_THREADS, true, CLIENTS },
	[ROLE_ENGINE] = { CONFINE_FILES | CONFINE_SEND, true, FILES },
	[ROLE_CAPTURE] = { CONFINE_FILES | CONFINE_CHANGES | CONFINE_THREADS, true, FILES },
	[ROLE_SIMULATOR] = { CONFINE_FILES | CONFINE_CHANGES | CONFINE_THREADS, true, FILES },
	[ROLE_READER] = { CONFINE_FILES | CONFINE_THREADS | CONFINE_SEND | CONFINE_MEMORY_FILES, true, CLIENTS },
	[ROLE_SERVER] = { CONFINE_ACCEPT | CONFINE_SEND, false, CLIENTS },
	[ROLE_EXTRACT] = { CONFINE_FILES | CONFINE_THREADS | CONFINE_SEND | CONFINE_MEMORY_FILES, true, CLIENTS },
};

/* Without Landlock nobody may read all that root can: who reads the store is the keeper then. */
static enum role user_of(enum role r)
{
	bool reads = r == ROLE_ENGINE || r == ROLE_READER || r == ROLE_EXTRACT;
	return r == ROLE_SIMULATOR ? ROLE_CAPTURE : reads && !sandbox_has_landlock() ? ROLE_KEEPER : r;
}

static void add_path(struct confine *x, const char *path, bool writable)
{
	x->path[x->n_paths++] = (struct confine_path){ path, writable };
}

/* DuckDB looks at what its machine has, and does without where it may not. */
static void add_store(struct confine *x, const struct run_config *config, bool writable)
{
	add_path(x, config->db, writable);
	add_path(x, "/proc/self", false);
	add_path(x, "/sys/fs/cgroup", false);
}

int role_lock_in(const struct role_call *c, struct error *e)
{
	char folder[2][ROLE_PATH], live[ROLE_PATH];
	struct confine x = { .allowed = limits[c->role].allowed, .search = limits[c->role].search && sandbox_has_landlock(),
		             .files = limits[c->role].files };
	for (int past = 0; past < 2; past++) {
		int rc = role_folder(c->config, c->sensor, past, folder[past], e);
		if (rc)
			return rc;
	}
	snprintf(live, sizeof live, "%.*s", (int)(strrchr(folder[0], '/') - folder[0]), folder[0]);
	if (geteuid() == 0)
		x.uid = x.gid = ROLE_USER + user_of(c->role);
	switch (c->role) {
	case ROLE_KEEPER:
		add_store(&x, c->config, true);
		x.more = (const char *const *)c->config->files;
		x.n_more = c->config->n_files;
		break;
	case ROLE_READER: add_store(&x, c->config, false); break;
	case ROLE_EXTRACT:
		add_store(&x, c->config, false);
		x.more = (const char *const *)c->config->files;
		x.n_more = c->config->n_files;
		break;
	case ROLE_ENGINE: add_path(&x, live, false); break;
	case ROLE_CAPTURE: add_path(&x, folder[0], true); break;
	case ROLE_SIMULATOR:
		add_path(&x, folder[0], true);
		add_path(&x, folder[1], true);
		break;
	case ROLE_SERVER: case ROLES: break;
	}
	return confine_enter(&x, e);
}

int role_ready(const struct role_call *c, struct error *e)
{
	int32_t number = getpid();
	ssize_t n = c->env->write(c->env, ROLE_FD_READY, &number, sizeof number);
	c->env->close(c->env, ROLE_FD_READY);
	return n == sizeof number ? 0 : error_set(e, -EPIPE, "MON-DMN-021", "the parent is gone");
}

void role_say(const struct role_call *c, const struct error *e)
{
	fprintf(stderr, "monomi: %s: %s: %s\n", role_name(c->role), e->code, e->text);
}

/* ---- Roles of serve/ ---- */
#define READER_MEMORY_LEAST (512u << 20)
#define QUERY_SECONDS 20

static int ready(void *ctx, struct error *e)
{
	int rc = role_lock_in(ctx, e);
	return rc ? rc : role_ready(ctx, e);
}

static const char *name_of_as(void *as_names, uint32_t number) { return enrich_names_find(as_names, number); }

/* Names of AS, from a database that is closed again. */
static int read_names(const struct role_call *c, struct enrich_names **out, struct error *e)
{
	struct enrich *enrich = NULL;
	int rc = enrich_open(c->env, &c->config->databases, &enrich, e);
	if (!rc)
		rc = enrich_names_open(enrich, out, e);
	enrich_close(enrich);
	return rc;
}

static int reader_run(struct role_call *c, struct error *e)
{
	struct enrich_names *as_names = NULL;
	int rc = read_names(c, &as_names, e);
	if (rc)
		return rc;
	const struct analysis_config *shared = &c->config->sensor[0].analysis;
	size_t memory = shared->memory / 2;
	const struct serve_reader_config config = {
		.db = c->config->db, .fd = READER_FD_SERVER, .queries = SERVE_QUERIES, .tool = verdict_tool,
		.limits = { .memory = memory > READER_MEMORY_LEAST ? memory : READER_MEMORY_LEAST,
		            .threads = shared->shards, .seconds = QUERY_SECONDS },
		.as_names = { name_of_as, as_names }, .ready = ready, .ctx = c, .stop = c->stop,
	};
	rc = serve_reader_run(c->env, &config, e);
	enrich_names_close(as_names);
	return rc;
}

static size_t describe_databases(const struct enrich *enrich, struct serve_database out[static ENRICH_KINDS])
{
	static const char *const kinds[ENRICH_KINDS] = { "country", "as" };
	size_t n = 0;
	for (int k = 0; k < ENRICH_KINDS; k++) {
		const struct enrich_database *d = enrich_database(enrich, (enum enrich_kind)k);
		if (d)
			out[n++] = (struct serve_database){ kinds[k], d->type, d->credit, d->built };
	}
	return n;
}

static int server_run(struct role_call *c, struct error *e)
{
	struct enrich *enrich = NULL;
	struct serve_database databases[ENRICH_KINDS];
	bool captures = c->config->source == RUN_INTERFACE || c->config->source == RUN_SIMULATE;
	int rc = enrich_open(c->env, &c->config->databases, &enrich, e);
	if (rc)
		return rc;
	const struct serve_config config = {
		.listen_fd = SERVER_FD_LISTEN, .reader_fd = SERVER_FD_READER, .live_fd = captures ? SERVER_FD_LIVE : -1,
		.packets_fd = SERVER_FD_PACKETS,
		.version = c->config->version, .databases = databases, .n_databases = describe_databases(enrich, databases),
		.ready = ready, .ctx = c, .stop = c->stop,
	};
	rc = serve_run(c->env, &config, e);
	enrich_close(enrich);
	return rc;
}

/* ---- A role's process ---- */
static volatile sig_atomic_t stop, drain;

static void on_signal(int number)
{
	if (number == SIGHUP)
		drain = 1;
	else
		stop = 1;
}

/* INT goes to all processes of a terminal: the parent alone says when a role ends. */
static void watch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };
	sigset_t none;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int run_role_arguments(const struct env *env, struct run_arguments *out, struct error *e)
{
	struct stat st;
	int rc = env->stat(env, ROLE_FD_ARGUMENTS, &st);
	if (!rc && st.st_size > 0 && st.st_size < 1 << 24) {
		out->n = (size_t)st.st_size;
		out->p = env_alloc(env, out->n);
		rc = out->p ? env_pread_all(env, ROLE_FD_ARGUMENTS, out->p, out->n, 0) : -ENOMEM;
	} else if (!rc)
		rc = -EINVAL;
	if (!rc && out->p[out->n - 1])
		rc = -EINVAL;
	env->close(env, ROLE_FD_ARGUMENTS);
	return rc ? error_set(e, rc, "MON-DMN-022", "`monomi role` is for `monomi run` alone, which starts it") : 0;
}

static const struct run_sensor *find_sensor(const struct run_config *config, const char *name)
{
	unsigned i = 0;
	while (i + 1 < config->n_sensors && strcmp(config->sensor[i].analysis.sensor, name))
		i++;
	return &config->sensor[i];
}

int run_role(const struct env *env, const char *name, const char *sensor, bool crashed, const struct run_config *config,
             struct error *e)
{
	struct role_call c = { .env = env, .config = config, .crashed = crashed, .stop = &stop, .drain = &drain,
		               .sensor = find_sensor(config, sensor) };
	enum role r = 0;
	while (r < ROLES && strcmp(names[r], name))
		r++;
	c.role = r;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* once more when it is locked in */
	watch_signals();
	switch (r) {
	case ROLE_KEEPER: return keeper_run(&c, e);
	case ROLE_ENGINE: return engine_run(&c, e);
	case ROLE_CAPTURE: return capture_run(&c, e);
	case ROLE_SIMULATOR: return simulator_run(&c, e);
	case ROLE_READER: return reader_run(&c, e);
	case ROLE_SERVER: return server_run(&c, e);
	case ROLE_EXTRACT: return extractor_run(&c, e);
	case ROLES: break;
	}
	return error_set(e, -EINVAL, "MON-DMN-022", "there is no role '%s'", name);
}
