/* The parent: opens what needs rights, starts roles, and starts those again that die. It parses nothing that comes from
 * outside but its own configuration. */
#include "daemon/run.h"
#include "daemon/role.h"

#include "capture/live.h"
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define BACK_OFF (SECOND / 5)       /* before a role that has died is started again; doubled each time … */
#define BACK_OFF_MOST (4 * SECOND)  /* … to this, */
#define STEADY (30 * SECOND)        /* and begun anew when it has lived so long */
#define FAREWELL (8 * SECOND)       /* for a role that is asked to end */

struct child {
	pid_t pid;        /* 0: does not run */
	bool wanted;      /* what comes in asks for it */
	bool was_ready;   /* in this run of the program */
	bool crashed;     /* the last one was ended by a fault of its own */
	int64_t started, again; /* monotonic; again: when to start it, 0: not planned */
	int64_t back_off;
};

struct parent {
	const struct env *env;
	struct run_request *request;
	struct child child[ROLES];
	int signals;            /* signalfd */
	int ready[2];           /* pipe: roles say here that they can work */
	int arguments;          /* memfd */
	int null;               /* /dev/null */
	int listener, packets;  /* sockets; -1: none */
	int reader_pair[2], live_pair[2]; /* server's end first; kept open here, so that either side can be another process */
	char url[SERVE_URL];
	bool told, ending, again;
	int failed;             /* a role that never came up: -errno */
};

static const struct run_config *config_of(const struct parent *p) { return &p->request->config; }

static void say(const struct error *e) { fprintf(stderr, "monomi: %s: %s\n", e->code, e->text); }

/* ---- Descriptors ---- */
static int socket_pair(int out[2], struct error *e)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) ?
	       error_set(e, -errno, "MON-DMN-031", "no sockets to be had: %s", strerror(errno)) : 0;
}

/* Roles read their options from it; nobody can change it, and no list of processes shows it. */
static int keep_arguments(struct parent *p, const struct run_arguments *a, struct error *e)
{
	int fd = memfd_create("monomi-arguments", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;
	if (fd < 0)
		return error_set(e, -errno, "MON-DMN-031", "no memory file to be had: %s", strerror(errno));
	rc = env_pwrite_all(p->env, fd, a->p, a->n, 0);
	if (!rc && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		rc = -errno;
	if (rc) {
		p->env->close(p->env, fd);
		return error_set(e, rc, "MON-DMN-031", "the options cannot be handed on: %s", strerror(-rc));
	}
	if (p->arguments >= 0)
		p->env->close(p->env, p->arguments);
	p->arguments = fd;
	return 0;
}

static int open_signals(struct parent *p, struct error *e)
{
	sigset_t set;
	sigemptyset(&set);
	const int watched[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
		sigaddset(&set, watched[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0 || pipe2(p->ready, O_CLOEXEC | O_NONBLOCK))
		return error_set(e, -errno, "MON-DMN-031", "no descriptors to be had: %s", strerror(errno));
	return 0;
}

static int open_packets(struct parent *p, struct error *e)
{
	const struct run_config *c = config_of(p);
	if (c->source != RUN_INTERFACE)
		return 0;
	const struct live_socket_config socket = { .interface = c->interface, .filter = c->analysis.capture.filter };
	return live_socket_open(&p->packets, p->env, &socket, e);
}

static int open_all(struct parent *p, struct error *e)
{
	int rc = serve_listen(config_of(p)->listen, false, &p->listener, p->url, e);
	if (!rc && (p->null = p->env->open(p->env, "/dev/null", O_RDWR | O_CLOEXEC, 0)) < 0)
		rc = error_set(e, p->null, "MON-DMN-031", "/dev/null cannot be opened: %s", strerror(-p->null));
	if (!rc)
		rc = open_packets(p, e);
	if (!rc)
		rc = open_signals(p, e);
	if (!rc)
		rc = socket_pair(p->reader_pair, e);
	if (!rc)
		rc = socket_pair(p->live_pair, e);
	return rc ? rc : keep_arguments(p, &p->request->arguments, e);
}

static void close_all(struct parent *p)
{
	const int all[] = { p->signals, p->ready[0], p->ready[1], p->arguments, p->null, p->listener, p->packets,
		            p->reader_pair[0], p->reader_pair[1], p->live_pair[0], p->live_pair[1] };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] >= 0)
			p->env->close(p->env, all[i]);
}

/* ---- Folders ---- */
/* Whoever is root gives the store to the keeper, and what captures write to the capture; links are given, not followed. */
struct giving {
	const struct env *env;
	char path[ROLE_PATH];
	int depth;
	uid_t user;
	struct error *e;
};

static int give(struct giving *g, uid_t user);

static int give_inside(void *ctx, const char *name)
{
	struct giving *g = ctx;
	size_t at = strlen(g->path);
	uid_t user = g->user;
	if (snprintf(g->path + at, sizeof g->path - at, "/%s", name) >= (int)(sizeof g->path - at))
		return error_set(g->e, -ENAMETOOLONG, "MON-DMN-020", "the path of the store is too long");
	bool live = g->depth >= 2 && strstr(g->path, "/spool/live/");
	int rc = give(g, live ? ROLE_USER + ROLE_CAPTURE : user);
	g->path[at] = 0;
	g->user = user;
	return rc;
}

static int give(struct giving *g, uid_t user)
{
	char link[8];
	int rc = lchown(g->path, user, ROLE_USER + ROLE_KEEPER) ? -errno : 0;
	if (rc)
		return error_set(g->e, rc, "MON-DMN-037", "%s cannot be given to the keeper: %s", g->path, strerror(-rc));
	if (g->env->readlink(g->env, g->path, link, sizeof link) >= 0)
		return 0;
	g->user = user;
	g->depth++;
	rc = g->env->list(g->env, g->path, give_inside, g);
	g->depth--;
	return rc == -ENOTDIR ? 0 : rc;
}

static int give_store(const struct parent *p, struct error *e)
{
	struct giving g = { .env = p->env, .e = e };
	const char *db = config_of(p)->db;
	int rc = p->env->mkdir(p->env, db, 0750);
	if (rc && rc != -EEXIST)
		return error_set(e, rc, "MON-DMN-032", "%s cannot be made: %s", db, strerror(-rc));
	if (geteuid())
		return 0;
	snprintf(g.path, sizeof g.path, "%s", db);
	return give(&g, ROLE_USER + ROLE_KEEPER);
}

static int give_folder(const char *path, bool last)
{
	if (geteuid())
		return 0;
	return lchown(path, ROLE_USER + (last ? ROLE_CAPTURE : ROLE_KEEPER), ROLE_USER + ROLE_KEEPER) ||
	       chmod(path, last ? 0770 : 0750) ? -errno : 0;
}

/* Made before anybody writes or watches there; the store itself is the keeper's to make, so it comes after that. */
static int make_folders(const struct parent *p, struct error *e)
{
	char path[ROLE_PATH];
	const struct run_config *c = config_of(p);
	if (c->source != RUN_INTERFACE && c->source != RUN_SIMULATE)
		return 0;
	for (int past = 0; past < 2; past++) {
		int rc = role_folder(c, past, path, e);
		for (char *slash = path + strlen(c->db) + 1; !rc && slash;) {
			slash = strchr(slash, '/');
			if (slash)
				*slash = 0;
			rc = p->env->mkdir(p->env, path, 0770);
			rc = rc && rc != -EEXIST ? rc : give_folder(path, !slash);
			if (rc)
				return error_set(e, rc, "MON-DMN-032", "%s cannot be made: %s", path, strerror(-rc));
			if (slash)
				*slash++ = '/';
		}
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- Starting a role ---- */
struct given {
	int fd[8];
	int n, null;
};

/* Descriptors from ROLE_FD_ARGUMENTS on. */
static struct given given_to(const struct parent *p, enum role r)
{
	struct given g = { { p->arguments, p->ready[1] }, 2, p->null };
	switch (r) {
	case ROLE_SERVER:
		g.fd[g.n++] = p->listener;
		g.fd[g.n++] = p->reader_pair[0];
		g.fd[g.n++] = p->live_pair[0];
		break;
	case ROLE_READER: g.fd[g.n++] = p->reader_pair[1]; break;
	case ROLE_ENGINE: g.fd[g.n++] = p->live_pair[1]; break;
	case ROLE_CAPTURE: g.fd[g.n++] = p->packets; break;
	case ROLE_KEEPER: case ROLE_SIMULATOR: case ROLES: break;
	}
	return g;
}

#define FDS_SAFE 64 /* above all that a role is given */

/* In the new process, where only what may be called after fork is. */
static void become_role(const struct given *g, const char *name, bool crashed)
{
	char *const argv[] = { "monomi", RUN_ROLE, (char *)(uintptr_t)name, crashed ? "crashed" : NULL, NULL };
	if (dup2(g->null, STDIN_FILENO) < 0 || dup2(g->null, STDOUT_FILENO) < 0)
		_exit(70);
	for (int i = 0; i < g->n; i++)
		if (fcntl(g->fd[i], F_DUPFD, FDS_SAFE + i) != FDS_SAFE + i)
			_exit(70);
	for (int i = 0; i < g->n; i++)
		if (dup2(FDS_SAFE + i, ROLE_FD_ARGUMENTS + i) < 0)
			_exit(70);
	if (close_range((unsigned)(ROLE_FD_ARGUMENTS + g->n), ~0u, 0))
		_exit(70);
	setpgid(0, 0); /* a terminal's INT is the parent's alone to hear */
	execv("/proc/self/exe", argv);
	_exit(70);
}

static int start(struct parent *p, enum role r, struct error *e)
{
	struct child *c = &p->child[r];
	struct given g = given_to(p, r);
	c->again = 0;
	c->started = p->env->monotonic(p->env);
	c->pid = fork();
	if (c->pid == 0)
		become_role(&g, role_name(r), c->crashed);
	if (c->pid < 0) {
		c->pid = 0;
		return error_set(e, -errno, "MON-DMN-033", "the %s cannot be started: %s", role_name(r), strerror(errno));
	}
	return 0;
}

static int start_wanted(struct parent *p, struct error *e)
{
	int rc = make_folders(p, e);
	for (enum role r = 0; !rc && r < ROLES; r++)
		if (p->child[r].wanted && !p->child[r].pid)
			rc = start(p, r, e);
	return rc;
}

static void choose_roles(struct parent *p)
{
	enum run_source source = config_of(p)->source;
	bool live = source == RUN_INTERFACE || source == RUN_SIMULATE;
	p->child[ROLE_KEEPER].wanted = p->child[ROLE_READER].wanted = p->child[ROLE_SERVER].wanted = true;
	p->child[ROLE_ENGINE].wanted = live;
	p->child[ROLE_CAPTURE].wanted = source == RUN_INTERFACE;
	p->child[ROLE_SIMULATOR].wanted = source == RUN_SIMULATE;
}

/* ---- What roles do ---- */
static int heed_ready(struct parent *p, struct error *e)
{
	uint8_t number[64];
	ssize_t n = p->env->read(p->env, p->ready[0], number, sizeof number);
	for (ssize_t i = 0; i < n; i++) {
		if (number[i] >= ROLES)
			continue;
		bool first = !p->child[number[i]].was_ready;
		p->child[number[i]].was_ready = true;
		if (number[i] == ROLE_KEEPER && first && !p->ending) { /* there is a store now */
			int rc = start_wanted(p, e);
			if (rc)
				return rc;
		}
		if (number[i] == ROLE_SERVER && !p->told) {
			printf("%s\n", p->url);
			fflush(stdout);
			p->told = true;
		}
	}
	return 0;
}

/* A fault of its own: not what people and the system end processes by. */
static bool is_crash(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM;
}

static void plan_again(struct parent *p, enum role r, int status)
{
	struct child *c = &p->child[r];
	struct error said;
	int64_t now = p->env->monotonic(p->env);
	c->crashed = is_crash(status);
	c->back_off = now - c->started > STEADY || !c->back_off ? BACK_OFF : 2 * c->back_off;
	c->back_off = c->back_off < BACK_OFF_MOST ? c->back_off : BACK_OFF_MOST;
	c->again = now + c->back_off;
	error_set(&said, 0, "MON-DMN-034", "the %s %s %d and is started again", role_name(r),
	          WIFSIGNALED(status) ? "was ended by signal" : "ended with", WIFSIGNALED(status) ? WTERMSIG(status) :
	                                                                                            WEXITSTATUS(status));
	say(&said);
}

static void heed_death(struct parent *p, pid_t pid, int status)
{
	for (enum role r = 0; r < ROLES; r++) {
		struct child *c = &p->child[r];
		if (c->pid != pid)
			continue;
		c->pid = 0;
		if (p->ending || p->again)
			return;
		if (!c->was_ready && WIFEXITED(status)) { /* it has said why */
			p->failed = -ECHILD;
			return;
		}
		plan_again(p, r, status);
		return;
	}
}

static void reap(struct parent *p)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		heed_death(p, pid, status);
}

static void heed_signals(struct parent *p)
{
	struct signalfd_siginfo info;
	while (p->env->read(p->env, p->signals, &info, sizeof info) == sizeof info) {
		p->ending |= info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM;
		p->again |= info.ssi_signo == SIGHUP;
	}
	reap(p);
}

static int start_planned(struct parent *p, struct error *e)
{
	int64_t now = p->env->monotonic(p->env);
	int rc = 0;
	for (enum role r = 0; !rc && r < ROLES; r++)
		if (p->child[r].again && p->child[r].again <= now)
			rc = start(p, r, e);
	return rc;
}

static int next_wait(const struct parent *p)
{
	int64_t now = p->env->monotonic(p->env), wait = SECOND;
	for (enum role r = 0; r < ROLES; r++)
		if (p->child[r].again && p->child[r].again - now < wait)
			wait = p->child[r].again > now ? p->child[r].again - now : 0;
	return (int)((wait + 999999) / 1000000);
}

static int step(struct parent *p, int wait, struct error *e)
{
	struct pollfd on[] = { { .fd = p->signals, .events = POLLIN }, { .fd = p->ready[0], .events = POLLIN } };
	if (poll(on, 2, wait) > 0 && on[0].revents)
		heed_signals(p);
	return heed_ready(p, e);
}

/* ---- Ending, and going on otherwise ---- */
static void ask_to_end(const struct parent *p, enum role r, int number)
{
	if (p->child[r].pid)
		kill(p->child[r].pid, number);
}

/* Waits for a role that was asked; one that does not hear is ended. */
static void await_end(struct parent *p, enum role r, int64_t patience)
{
	struct error ignored;
	int64_t end = p->env->monotonic(p->env) + patience;
	while (p->child[r].pid && p->env->monotonic(p->env) < end)
		if (step(p, 20, &ignored))
			break;
	ask_to_end(p, r, SIGKILL);
	while (p->child[r].pid) {
		int status;
		if (waitpid(p->child[r].pid, &status, 0) == p->child[r].pid)
			p->child[r].pid = 0;
		else if (errno != EINTR)
			break;
	}
}

static void end(struct parent *p, enum role r, int number, int64_t patience)
{
	p->child[r].again = 0;
	ask_to_end(p, r, number);
	await_end(p, r, patience);
}

/* What fills the folder first, so that the keeper finds all of it. */
static void end_all(struct parent *p)
{
	p->ending = true;
	end(p, ROLE_CAPTURE, SIGTERM, FAREWELL);
	end(p, ROLE_SIMULATOR, SIGTERM, FAREWELL);
	ask_to_end(p, ROLE_ENGINE, SIGTERM);
	ask_to_end(p, ROLE_SERVER, SIGTERM);
	end(p, ROLE_KEEPER, SIGTERM, FAREWELL);
	end(p, ROLE_ENGINE, SIGTERM, SECOND);
	end(p, ROLE_SERVER, SIGTERM, SECOND);
	end(p, ROLE_READER, SIGTERM, SECOND);
}

#define DRAIN (600 * SECOND)

/* The configuration was read and is good: what was captured by the old one is stored by the old one, then all roles but
 * the server start anew. Packets wait in the kernel's ring meanwhile. */
static int switch_over(struct parent *p, const struct run_config *config, const struct run_arguments *arguments,
                       struct error *e)
{
	end(p, ROLE_CAPTURE, SIGTERM, FAREWELL);
	end(p, ROLE_SIMULATOR, SIGTERM, FAREWELL);
	end(p, ROLE_ENGINE, SIGTERM, SECOND);
	end(p, ROLE_KEEPER, SIGHUP, DRAIN);
	end(p, ROLE_READER, SIGTERM, SECOND);
	p->request->config = *config;
	p->request->arguments = *arguments;
	for (enum role r = 0; r < ROLES; r++)
		p->child[r].back_off = 0;
	p->child[ROLE_KEEPER].was_ready = false; /* the others wait for it */
	choose_roles(p);
	int rc = keep_arguments(p, arguments, e);
	return rc ? rc : start(p, ROLE_KEEPER, e);
}

static int read_again(struct parent *p, struct error *e)
{
	struct run_config config;
	struct run_arguments arguments;
	struct error wrong;
	const struct run_config *now = config_of(p);
	if (!p->request->again)
		return 0;
	int rc = p->request->again(p->request->ctx, &config, &arguments, &wrong);
	if (!rc && (strcmp(config.db, now->db) || strcmp(config.listen, now->listen) || config.source != now->source ||
	            (config.interface && strcmp(config.interface, now->interface))))
		rc = error_set(&wrong, -EINVAL, "MON-DMN-035", "store, address and what is captured stay as they are until the "
		               "next start");
	if (!rc)
		return switch_over(p, &config, &arguments, e);
	say(&wrong); /* and all goes on as it was */
	return 0;
}

static int watch(struct parent *p, struct error *e)
{
	int rc = give_store(p, e);
	if (!rc)
		rc = start(p, ROLE_KEEPER, e);
	while (!rc && !p->ending && !p->failed) {
		rc = step(p, next_wait(p), e);
		if (!rc && !p->ending)
			rc = start_planned(p, e);
		if (!rc && p->again && !p->ending) {
			rc = read_again(p, e);
			p->again = false;
		}
	}
	return rc;
}

int run_observatory(const struct env *env, struct run_request *request, struct error *e)
{
	struct parent p = { .env = env, .request = request, .signals = -1, .ready = { -1, -1 }, .arguments = -1, .null = -1,
	                    .listener = -1, .packets = -1, .reader_pair = { -1, -1 }, .live_pair = { -1, -1 } };
	choose_roles(&p);
	int rc = open_all(&p, e);
	if (!rc)
		rc = watch(&p, e);
	end_all(&p);
	close_all(&p);
	if (!rc && p.failed)
		rc = error_set(e, p.failed, "MON-DMN-036", "the observatory did not come up: a line above says why");
	return rc;
}
