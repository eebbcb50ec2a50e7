/* One query in a process of its own: starts it, watches its limits, hears its error. */
#include "store/client.h"
#include "store/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARAMS_MAX 32
#define TRIES 5      /* while commits replace what is being read */
#define WATCH_MS 100 /* how often the stop flag is looked at */

struct child {
	const struct env *env;
	const struct store_request *request;
	char temporary[256];
	pid_t pid;
	int report;  /* read end: the worker's error */
	size_t heard;
	char said[sizeof(struct error) + 1];
	bool late;
};

/* A folder of its own, with nothing of a name's that a stranger could guess. */
static int make_temporary(struct child *c, struct error *e)
{
	const char *base = getenv("TMPDIR");
	snprintf(c->temporary, sizeof c->temporary, "%s/monomi-query-XXXXXX", base && *base ? base : "/tmp");
	if (mkdtemp(c->temporary))
		return 0;
	int rc = -errno;
	c->temporary[0] = 0;
	return error_set(e, rc, "MON-STO-112", "no temporary folder can be made: %s", strerror(-rc));
}

/* DuckDB makes no folders in it. */
static void remove_temporary(struct child *c)
{
	struct dirent **entries;
	char path[sizeof c->temporary + NAME_MAX + 2];
	int n = c->temporary[0] ? scandir(c->temporary, &entries, NULL, NULL) : -1;
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", c->temporary, entries[i]->d_name);
		c->env->unlink(c->env, path);
		free(entries[i]);
	}
	if (n >= 0) {
		free(entries);
		rmdir(c->temporary);
	}
}

/* In the new process, where only what may be called after fork is: descriptors, then the program anew. */
static void become_worker(const struct store_request *q, char **argv, int report)
{
	int safe = fcntl(report, F_DUPFD, 10);
	if (safe < 0 || dup2(q->out, WORKER_OUT) < 0 || dup2(safe, WORKER_REPORT) < 0)
		_exit(WORKER_BROKEN);
	for (int fd = WORKER_REPORT + 1; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	execv("/proc/self/exe", argv);
	_exit(WORKER_BROKEN);
}

static int start(struct child *c, struct error *e)
{
	const struct store_request *q = c->request;
	char numbers[5][24];
	char *argv[WORKER_ARGUMENTS + 2 * PARAMS_MAX + 1] = { "monomi", STORE_WORKER };
	int ends[2];
	size_t n = 2;
	const unsigned long long values[5] = { q->format, q->width, q->limits.memory, q->limits.disk, q->limits.threads };
	for (size_t i = 0; i < 5; i++) {
		snprintf(numbers[i], sizeof numbers[i], "%llu", values[i]);
		argv[n++] = numbers[i];
	}
	char seconds[24];
	snprintf(seconds, sizeof seconds, "%u", q->limits.seconds);
	argv[n++] = seconds;
	argv[n++] = (char *)q->db;
	argv[n++] = c->temporary;
	argv[n++] = (char *)q->query;
	for (size_t i = 0; i < q->n_params; i++) {
		argv[n++] = (char *)q->params[i].name;
		argv[n++] = (char *)q->params[i].value;
	}
	if (pipe2(ends, O_CLOEXEC))
		return error_set(e, -errno, "MON-STO-115", "the query's process cannot be started: %s", strerror(errno));
	c->pid = fork();
	if (c->pid == 0)
		become_worker(q, argv, ends[1]);
	int rc = c->pid < 0 ? -errno : 0;
	c->env->close(c->env, ends[1]);
	c->report = ends[0];
	return rc ? error_set(e, rc, "MON-STO-115", "the query's process cannot be started: %s", strerror(-rc)) : 0;
}

/* Until the worker has closed its end, or is to be ended. */
static void listen_to(struct child *c)
{
	const volatile sig_atomic_t *stop = c->request->stop;
	int64_t end = c->env->monotonic(c->env) + (int64_t)c->request->limits.seconds * 1000000000;
	while (!stop || !*stop) {
		struct pollfd p = { .fd = c->report, .events = POLLIN };
		c->late = c->env->monotonic(c->env) > end;
		if (c->late)
			return;
		if (poll(&p, 1, WATCH_MS) <= 0)
			continue;
		ssize_t n = c->env->read(c->env, c->report, c->said + c->heard, sizeof c->said - 1 - c->heard);
		if (n > 0)
			c->heard += (size_t)n;
		else if (n != -EINTR)
			return;
	}
}

/* What the worker said of itself, or how it ended. */
static int outcome(struct child *c, int status, struct error *e)
{
	const struct store_limits *limits = &c->request->limits;
	const char *text = memchr(c->said, 0, c->heard);
	if (c->request->stop && *c->request->stop)
		return error_set(e, -EINTR, "MON-STO-117", "the query was interrupted");
	if (c->late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
		return error_set(e, -ETIME, "MON-STO-116", "the query took more than its %u s and was ended", limits->seconds);
	if (text && text + 1 < c->said + c->heard)
		return error_set(e, -EINVAL, c->said, "%s", text + 1);
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_AGAIN)
		return error_set(e, -EAGAIN, "MON-STO-111", "the store is being rewritten faster than it can be read: ask again");
	bool simulated = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_SIMULATED;
	if (simulated && c->request->simulated)
		*c->request->simulated = true;
	if (simulated || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return 0;
	if (WIFSIGNALED(status))
		return error_set(e, -ENOMEM, "MON-STO-110", "the query's process broke down (signal %d) in its %zu MiB of memory",
		                 WTERMSIG(status), limits->memory >> 20);
	return error_set(e, -EIO, "MON-STO-115", "the query's process ended with %d and gave no reason",
	                 WEXITSTATUS(status));
}

static int ask_once(struct child *c, struct error *e)
{
	const struct store_request *request = c->request;
	int status = 0, rc = start(c, e);
	if (!rc) {
		listen_to(c);
		if (c->late || (request->stop && *request->stop))
			kill(c->pid, SIGKILL);
		while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
			;
		rc = outcome(c, status, e);
	}
	if (c->report >= 0)
		c->env->close(c->env, c->report);
	c->report = -1;
	return rc;
}

int store_query(const struct env *env, const struct store_request *request, struct error *e)
{
	struct child c = { .env = env, .request = request, .report = -1 };
	if (request->n_params > PARAMS_MAX)
		return error_set(e, -E2BIG, "MON-STO-106", "more than %d parameters", PARAMS_MAX);
	int rc = make_temporary(&c, e), tries = 0;
	if (rc)
		return rc;
	do
		rc = ask_once(&c, e);
	while (rc == -EAGAIN && ++tries < TRIES);
	remove_temporary(&c);
	return rc;
}
