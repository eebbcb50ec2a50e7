/* The process that a query runs in: locks itself in, answers, ends. */
#include "store/worker.h"
#include "store/format.h"
#include "store/jail.h"
#include "store/reader.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define OVERHEAD ((size_t)1 << 30) /* addresses for the program, its stacks and what DuckDB does not count */

struct worker {
	const struct env *env;
	enum store_format format;
	unsigned width;
	struct store_limits limits;
	store_tool_fn tool;
	const char *db, *temporary, *query;
	const struct store_param *params;
	size_t n_params;
};

static unsigned long long number(const char *s) { return strtoull(s, NULL, 10); }

/* DuckDB looks at the machine (its control groups) when it starts, which a jail forbids; its threads come after it, since
 * Landlock holds for those alone that are started later. */
static int open_and_lock_in(struct worker *w, struct store_reader **out, struct error *e)
{
	const struct store_limits single = { .memory = w->limits.memory, .disk = w->limits.disk, .threads = 1 };
	char threads[40];
	int rc = reader_open(out, w->env, w->db, &single, w->temporary, e);
	if (rc)
		return rc;
	const struct store_reader *r = *out;
	const struct jail jail = { .readable = r->folder, .temporary = w->temporary, .out = WORKER_OUT,
		                   .memory = w->limits.memory + OVERHEAD,
		                   .seconds = (w->limits.seconds + 1) * (w->limits.threads + 1) };
	rc = jail_enter(&jail, e);
	snprintf(threads, sizeof threads, "SET threads = %u", w->limits.threads ? w->limits.threads : 1);
	return rc ? rc : reader_execute(*out, threads, e);
}

/* Has there been another commit? Parts of an older one may be gone. */
static bool is_outdated(const struct store_reader *r)
{
	struct store_reader now = { .env = r->env };
	return !reader_locate(&now, r->folder, NULL) && strcmp(now.snapshot, r->snapshot) != 0;
}

static int write_text(const struct worker *w, struct store_reader *r, struct error *e)
{
	struct format *f = format_open(w->env, w->format, w->width, WORKER_OUT, e);
	if (!f)
		return -ENOMEM;
	const struct query_sink sink = format_sink(f);
	int rc = reader_query(r, w->query, w->params, w->n_params, &sink, e);
	if (rc == -EIO && !f->out.written && is_outdated(r))
		rc = -EAGAIN;
	format_close(f);
	return rc;
}

static int answer(struct worker *w, bool *simulated, struct error *e)
{
	static const char out[] = "/dev/fd/1";
	struct store_reader *r = NULL;
	int rc = open_and_lock_in(w, &r, e);
	if (!rc)
		r->tool = w->tool;
	if (!rc) {
		rc = reader_views(r, w->query, w->params, w->n_params, w->format == STORE_PARQUET ? out : NULL, e);
		rc = rc == -EIO && is_outdated(r) ? -EAGAIN : rc;
	}
	if (!rc)
		rc = w->format == STORE_PARQUET ? reader_parquet(r, w->query, w->params, w->n_params, out, e) : write_text(w, r, e);
	if (!rc)
		rc = store_reader_simulated(r, simulated, e);
	store_reader_close(r);
	return rc;
}

static void report(const struct env *env, const struct error *e)
{
	char line[sizeof *e];
	size_t n = strlen(e->code) + 1;
	memcpy(line, e->code, n);
	n += (size_t)snprintf(line + n, sizeof line - n, "%s", e->text);
	for (size_t done = 0; done < n;) {
		ssize_t some = env->write(env, WORKER_REPORT, line + done, n - done);
		if (some <= 0 && some != -EINTR)
			return;
		done += some > 0 ? (size_t)some : 0;
	}
}

static void take_params(struct store_param *params, int n, char **argv)
{
	for (int i = 0; i < n; i++)
		params[i] = (struct store_param){ argv[2 * i], argv[2 * i + 1] };
}

int store_worker(const struct env *env, store_tool_fn tool, int argc, char **argv)
{
	struct store_param params[32];
	struct error e;
	if (argc < WORKER_ARGUMENTS - 1 || argc > WORKER_ARGUMENTS - 1 + 64)
		return WORKER_BROKEN;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct worker w = {
		.env = env, .tool = tool, .format = (enum store_format)number(argv[1]), .width = (unsigned)number(argv[2]),
		.limits = { .memory = number(argv[3]), .disk = number(argv[4]), .threads = (unsigned)number(argv[5]),
		            .seconds = (unsigned)number(argv[6]) },
		.db = argv[7], .temporary = argv[8], .query = argv[9], .params = params, .n_params = (size_t)(argc - 10) / 2,
	};
	take_params(params, (argc - 10) / 2, argv + 10);
	bool simulated = false;
	int rc = answer(&w, &simulated, &e);
	if (rc == -EAGAIN)
		return WORKER_AGAIN;
	if (rc)
		report(env, &e);
	return rc ? 1 : simulated ? WORKER_SIMULATED : 0;
}
