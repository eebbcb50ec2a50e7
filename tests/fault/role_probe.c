/* Each role of a test build of monomi (monomi-probe, linked with --wrap) tries, once it is locked in, what it must not do,
 * and says on stderr how that went: "probe ROLE WHAT: refused" or ": ALLOWED". MONOMI_PROBE_DB is the store. Reading a file
 * whose path has MONOMI_PROBE_POISON in it ends the process by a fault. */
#include "daemon/analysis.h"
#include "daemon/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int __real_confine_enter(const struct confine *c, struct error *e);
int __wrap_confine_enter(const struct confine *c, struct error *e);

int __real_analysis_file(struct analysis *a, const char *path, struct summary *out, struct error *e);
int __wrap_analysis_file(struct analysis *a, const char *path, struct summary *out, struct error *e);

int __wrap_analysis_file(struct analysis *a, const char *path, struct summary *out, struct error *e)
{
	const char *poison = getenv("MONOMI_PROBE_POISON");
	if (poison && strstr(path, poison))
		abort();
	return __real_analysis_file(a, path, out, e);
}

struct probe {
	char role[32];
	const char *db;
};

static void say(const struct probe *p, const char *what, bool refused)
{
	char line[256];
	int n = snprintf(line, sizeof line, "probe %s %s: %s\n", p->role, what, refused ? "refused" : "ALLOWED");
	ssize_t written = write(STDERR_FILENO, line, (size_t)n);
	(void)written;
}

static bool denied(void) { return errno == EPERM || errno == EACCES; }

static void try_to_open(const struct probe *p, const char *what, const char *path, int flags)
{
	int fd = open(path, flags, 0600);
	say(p, what, fd < 0 && denied());
	if (fd >= 0)
		close(fd);
}

static void try_inside(const struct probe *p, const char *what, const char *name, int flags)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", p->db, name);
	try_to_open(p, what, path, flags);
}

static bool is(const struct probe *p, const char *role) { return !strcmp(p->role, role); }

/* A process that comes to be is ended at once. */
static void try_to_fork(const struct probe *p)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	say(p, "fork", pid < 0 && denied());
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void try_system(const struct probe *p)
{
	char *const argv[] = { "true", NULL };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	say(p, "socket", fd < 0 && denied());
	try_to_fork(p);
	say(p, "execve", execve("/bin/true", argv, argv + 1) < 0 && denied());
	say(p, "ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 && denied());
	say(p, "kill", kill(getppid(), 0) < 0 && denied());
	say(p, "setuid", setuid(0) < 0 && denied());
	say(p, "io_uring", syscall(SYS_io_uring_setup, 1, NULL) < 0 && denied());
	say(p, "unshare", unshare(CLONE_NEWUSER) < 0 && denied());
}

static void try_files(const struct probe *p)
{
	try_to_open(p, "read /etc/passwd", "/etc/passwd", O_RDONLY);
	try_to_open(p, "read /proc/1/environ", "/proc/1/environ", O_RDONLY);
	try_to_open(p, "write /tmp", "/tmp/monomi-probe", O_WRONLY | O_CREAT);
	if (is(p, "keeper"))
		return;
	try_inside(p, "write the catalog", "hot.duckdb", O_RDWR);
	try_inside(p, "make a file in the store", "probe", O_WRONLY | O_CREAT);
	if (is(p, "reader") || is(p, "extract"))
		return;
	try_inside(p, "read the catalog", "hot.duckdb", O_RDONLY);
	try_inside(p, "read the lock", "lock", O_RDONLY);
}

static void learn_role(struct probe *p)
{
	char line[256] = { 0 };
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 2);
	close(fd);
	const char *at = line;
	for (int i = 0; n > 0 && i < 2; i++)
		at += strlen(at) + 1;
	snprintf(p->role, sizeof p->role, "%.*s", (int)sizeof p->role - 1, at);
}

int __wrap_confine_enter(const struct confine *c, struct error *e)
{
	struct probe p = { .db = getenv("MONOMI_PROBE_DB") };
	learn_role(&p);
	int rc = __real_confine_enter(c, e);
	if (rc || !p.db)
		return rc;
	try_system(&p);
	try_files(&p);
	return 0;
}
