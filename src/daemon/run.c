/* The parent: opens what needs rights, starts roles, and starts those again that die. It parses nothing that comes from
 * outside but its own configuration. */
#include "daemon/notify.h"
#include "daemon/parent.h"

#include "capture/live.h"

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

#define BACK_OFF (SECOND / 5)       /* before a role that has died is started again; doubled each time … */
#define BACK_OFF_MOST (4 * SECOND)  /* … to this, */
#define STEADY (30 * SECOND)        /* and begun anew when it has lived so long */
#define EXTRACT_MOST (50 * SECOND)  /* of one request for packets */
#define FAREWELL (8 * SECOND)       /* for a role that is asked to end */

void parent_say(const struct error *e) { fprintf(stderr, "monomi: %s: %s\n", e->code, e->text); }

/* ---- Descriptors ---- */
static int socket_pair(int out[2], struct error *e)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) ?
	       error_set(e, -errno, "MON-DMN-031", "no sockets to be had: %s", strerror(errno)) : 0;
}

/* Roles read their options from it; nobody can change it, and no list of processes shows it. */
int parent_hold(struct parent *p, struct held *h, struct run_setup *s, struct error *e)
{
	const struct run_arguments *a = &s->arguments;
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
	*h = (struct held){ s, fd };
	return 0;
}

void parent_let_go(struct parent *p, struct held *h)
{
	if (h->arguments >= 0)
		p->env->close(p->env, h->arguments);
	if (h->setup && p->request->drop)
		p->request->drop(p->request->ctx, h->setup);
	*h = (struct held){ NULL, -1 };
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

/* ---- Captures ---- */
static void set_capture(struct child *c, const struct run_sensor *s, const struct held *h, int packets)
{
	*c = (struct child){ .role = ROLE_CAPTURE, .wanted = true, .held = h, .packets = packets, .told = -1 };
	snprintf(c->sensor, sizeof c->sensor, "%s", s->analysis.sensor);
	snprintf(c->interface, sizeof c->interface, "%s", s->interface);
}

int parent_add_capture(struct parent *p, const struct run_sensor *s, const struct held *h, struct child **out,
                       struct error *e)
{
	const struct live_socket_config socket = { .interface = s->interface, .filter = s->analysis.capture.filter };
	struct child *c = &p->child[CAPTURES];
	int packets;
	while (c < &p->child[CHILDREN] && c->wanted)
		c++;
	if (c == &p->child[CHILDREN])
		return error_set(e, -E2BIG, "MON-DMN-035", "more than %d sensors capture", RUN_SENSORS_MAX);
	int rc = live_socket_open(&packets, p->env, &socket, e);
	if (rc)
		return rc;
	set_capture(c, s, h, packets);
	*out = c;
	rc = parent_open_told(p, c, e);
	if (rc)
		parent_remove_capture(p, c);
	else
		parent_look_at_answers(p, c, true);
	return rc;
}

void parent_remove_capture(struct parent *p, struct child *c)
{
	if (c->packets >= 0)
		p->env->close(p->env, c->packets);
	if (c->told >= 0)
		p->env->close(p->env, c->told);
	*c = (struct child){ .role = ROLE_CAPTURE, .packets = -1, .told = -1 };
}

static int open_captures(struct parent *p, struct error *e)
{
	const struct run_config *config = parent_config(p);
	struct child *ignored;
	int rc = 0;
	for (unsigned i = 0; !rc && config->source == RUN_INTERFACE && i < config->n_sensors; i++)
		rc = parent_add_capture(p, &config->sensor[i], parent_now(p), &ignored, e);
	return rc;
}

static int open_all(struct parent *p, struct error *e)
{
	int rc = serve_listen(parent_config(p)->listen, false, &p->listener, p->url, e);
	if (!rc && (p->null = p->env->open(p->env, "/dev/null", O_RDWR | O_CLOEXEC, 0)) < 0)
		rc = error_set(e, p->null, "MON-DMN-031", "/dev/null cannot be opened: %s", strerror(-p->null));
	if (!rc)
		rc = open_captures(p, e);
	if (!rc)
		rc = open_signals(p, e);
	if (!rc)
		rc = socket_pair(p->reader_pair, e);
	if (!rc)
		rc = socket_pair(p->live_pair, e);
	if (!rc)
		rc = socket_pair(p->packets_pair, e);
	return rc;
}

static void close_all(struct parent *p)
{
	const int all[] = { p->signals, p->ready[0], p->ready[1], p->null, p->listener, p->reader_pair[1],
		            p->live_pair[0], p->live_pair[1], p->packets_pair[0], p->packets_pair[1] };
	for (int i = CAPTURES; i < CHILDREN; i++)
		parent_remove_capture(p, &p->child[i]);
	parent_let_go(p, parent_now(p));
	parent_let_go(p, parent_next(p));
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] >= 0)
			p->env->close(p->env, all[i]);
}

/* ---- Starting a role ---- */
struct given {
	int fd[8];
	int n, null;
};

/* Descriptors from ROLE_FD_ARGUMENTS on. */
static struct given given_to(const struct parent *p, const struct child *c)
{
	struct given g = { { c->held->arguments, p->ready[1] }, 2, p->null };
	switch (c->role) {
	case ROLE_SERVER:
		g.fd[g.n++] = p->listener;
		g.fd[g.n++] = p->reader_pair[0];
		g.fd[g.n++] = p->live_pair[0];
		g.fd[g.n++] = p->packets_pair[0];
		break;
	case ROLE_READER: g.fd[g.n++] = p->reader_pair[1]; break;
	case ROLE_ENGINE: g.fd[g.n++] = p->live_pair[1]; break;
	case ROLE_EXTRACT: g.fd[g.n++] = p->packets_pair[1]; break;
	case ROLE_CAPTURE:
		g.fd[g.n++] = c->packets;
		g.fd[g.n++] = c->told;
		break;
	case ROLE_KEEPER: case ROLE_SIMULATOR: case ROLES: break;
	}
	return g;
}

#define FDS_SAFE 64 /* above all that a role is given */

/* In the new process, where only what may be called after fork is. */
static void become_role(const struct given *g, const struct child *c)
{
	char *const argv[] = { "monomi", RUN_ROLE, (char *)(uintptr_t)role_name(c->role), (char *)(uintptr_t)c->sensor,
		               c->crashed ? "crashed" : NULL, NULL };
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

int parent_start(struct parent *p, struct child *c, struct error *e)
{
	struct given g = given_to(p, c);
	c->again = 0;
	c->started = p->env->monotonic(p->env);
	c->pid = fork();
	if (c->pid == 0)
		become_role(&g, c);
	if (c->pid < 0) {
		c->pid = 0;
		return error_set(e, -errno, "MON-DMN-033", "the %s cannot be started: %s", role_name(c->role), strerror(errno));
	}
	return 0;
}

int parent_start_wanted(struct parent *p, struct error *e)
{
	int rc = parent_make_folders(p, parent_config(p), e);
	for (int i = 0; !rc && i < CHILDREN; i++)
		if (p->child[i].wanted && !p->child[i].pid)
			rc = parent_start(p, &p->child[i], e);
	return rc;
}

void parent_choose_roles(struct parent *p)
{
	enum run_source source = parent_config(p)->source;
	for (enum role r = 0; r < ROLES; r++) {
		p->child[r].role = r;
		p->child[r].held = parent_now(p);
		p->child[r].wanted = r != ROLE_CAPTURE && r != ROLE_EXTRACT; /* each its own child; when asked for */
	}
	p->child[ROLE_ENGINE].wanted = source == RUN_INTERFACE || source == RUN_SIMULATE;
	p->child[ROLE_SIMULATOR].wanted = source == RUN_SIMULATE;
}

/* ---- What roles do ---- */
static int heed_one(struct parent *p, struct child *c, struct error *e)
{
	bool first = !c->was_ready;
	c->was_ready = true;
	if (c->role == ROLE_SERVER && !p->told) {
		printf("%s\n", p->url);
		fflush(stdout);
		p->told = true;
		notify_manager(p->env, "READY=1\nSTATUS=serves the pages");
	}
	if (c->leaving) /* the one that was told has died before it was done */
		kill(c->pid, SIGHUP);
	return c->role == ROLE_KEEPER && first && !p->ending ? parent_start_wanted(p, e) : 0; /* there is a store now */
}

static int heed_ready(struct parent *p, struct error *e)
{
	int32_t pid[16];
	ssize_t n = p->env->read(p->env, p->ready[0], pid, sizeof pid);
	int rc = 0;
	for (ssize_t i = 0; !rc && i < n / (ssize_t)sizeof *pid; i++)
		for (int k = 0; !rc && k < CHILDREN; k++)
			if (p->child[k].pid == pid[i])
				rc = heed_one(p, &p->child[k], e);
	return rc;
}

/* A fault of its own: not what people and the system end processes by. */
static bool is_crash(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM;
}

static void plan_again(struct parent *p, struct child *c, int status)
{
	struct error said;
	int64_t now = p->env->monotonic(p->env);
	c->crashed = is_crash(status);
	c->back_off = now - c->started > STEADY || !c->back_off ? BACK_OFF : 2 * c->back_off;
	bool killed = WIFSIGNALED(status);
	int64_t most = killed && WTERMSIG(status) == SIGKILL ? SECOND : BACK_OFF_MOST; /* what others do to it is soon over */
	c->back_off = c->back_off < most ? c->back_off : most;
	c->again = now + c->back_off;
	error_set(&said, 0, "MON-DMN-034", "the %s%s%s %s %d and is started again", role_name(c->role),
	          c->sensor[0] ? " of " : "", c->sensor, killed ? "was ended by signal" : "ended with",
	          killed ? WTERMSIG(status) : WEXITSTATUS(status));
	parent_say(&said);
}

static void heed_death(struct parent *p, struct child *c, int status)
{
	c->pid = 0;
	c->failed = !WIFEXITED(status) || WEXITSTATUS(status);
	if (p->ending || !c->wanted)
		return;
	if (c->leaving && WIFEXITED(status) && !WEXITSTATUS(status))
		c->leaving = false; /* run_switch.c goes on */
	else if (!c->was_ready && !p->switched && WIFEXITED(status)) /* it has said why */
		p->failed = -ECHILD;
	else
		plan_again(p, c, status);
}

static void reap(struct parent *p)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		for (int i = 0; i < CHILDREN; i++)
			if (p->child[i].pid == pid)
				heed_death(p, &p->child[i], status);
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
	for (int i = 0; !rc && i < CHILDREN; i++)
		if (p->child[i].again && p->child[i].again <= now)
			rc = parent_start(p, &p->child[i], e);
	return rc;
}

/* Somebody wants packets: whoever looks for them reads what is wanted. One that takes too long, or dies at once, does not
 * keep the parent busy. */
static int serve_extract(struct parent *p, struct error *e)
{
	struct child *c = &p->child[ROLE_EXTRACT];
	struct pollfd wanted = { .fd = p->packets_pair[1], .events = POLLIN };
	int64_t lived = p->env->monotonic(p->env) - c->started;
	if (c->pid && lived > EXTRACT_MOST)
		kill(c->pid, SIGKILL);
	if (c->pid || (c->failed && lived < SECOND) || !p->told || poll(&wanted, 1, 0) <= 0)
		return 0;
	c->held = parent_now(p);
	return parent_start(p, c, e);
}

static int next_wait(const struct parent *p)
{
	int64_t now = p->env->monotonic(p->env), wait = SECOND;
	for (int i = 0; i < CHILDREN; i++)
		if (p->child[i].again && p->child[i].again - now < wait)
			wait = p->child[i].again > now ? p->child[i].again - now : 0;
	return (int)((wait + 999999) / 1000000);
}

static int step(struct parent *p, int wait, struct error *e)
{
	struct pollfd on[] = { { .fd = p->signals, .events = POLLIN }, { .fd = p->ready[0], .events = POLLIN },
		               { .fd = p->child[ROLE_EXTRACT].pid ? -1 : p->packets_pair[1], .events = POLLIN } };
	if (p->child[ROLE_EXTRACT].failed)
		on[2].fd = -1;
	if (poll(on, 3, wait) > 0 && on[0].revents)
		heed_signals(p);
	return heed_ready(p, e);
}

/* ---- Ending ---- */
static void ask_to_end(const struct child *c, int number)
{
	if (c->pid)
		kill(c->pid, number);
}

/* Waits for a role that was asked; one that does not hear is ended. What dies meanwhile of others is planned again. */
static void await_end(struct parent *p, struct child *c, int64_t patience)
{
	struct error ignored;
	int64_t end = p->env->monotonic(p->env) + patience;
	while (c->pid && p->env->monotonic(p->env) < end)
		if (step(p, 20, &ignored))
			break;
	ask_to_end(c, SIGKILL);
	while (c->pid) {
		int status;
		if (waitpid(c->pid, &status, 0) == c->pid)
			c->pid = 0;
		else if (errno != EINTR)
			break;
	}
}

void parent_end(struct parent *p, struct child *c, int number, int64_t patience)
{
	c->again = 0;
	c->wanted = false;
	ask_to_end(c, number);
	await_end(p, c, patience);
	c->again = 0;
}

/* What fills the folder first, so that the keeper finds all of it. */
static void end_all(struct parent *p)
{
	p->ending = true;
	notify_manager(p->env, "STOPPING=1\nSTATUS=stores what still waits");
	for (int i = CAPTURES; i < CHILDREN; i++)
		ask_to_end(&p->child[i], SIGTERM);
	for (int i = CAPTURES; i < CHILDREN; i++)
		parent_end(p, &p->child[i], SIGTERM, FAREWELL);
	parent_end(p, &p->child[ROLE_SIMULATOR], SIGTERM, FAREWELL);
	ask_to_end(&p->child[ROLE_ENGINE], SIGTERM);
	ask_to_end(&p->child[ROLE_SERVER], SIGTERM);
	parent_end(p, &p->child[ROLE_KEEPER], SIGTERM, FAREWELL);
	parent_end(p, &p->child[ROLE_ENGINE], SIGTERM, SECOND);
	parent_end(p, &p->child[ROLE_SERVER], SIGTERM, SECOND);
	parent_end(p, &p->child[ROLE_READER], SIGTERM, SECOND);
	parent_end(p, &p->child[ROLE_EXTRACT], SIGTERM, 0);
}

static int watch(struct parent *p, struct error *e)
{
	int rc = parent_give_store(p, e);
	if (!rc)
		rc = parent_start(p, &p->child[ROLE_KEEPER], e);
	while (!rc && !p->ending && !p->failed) {
		rc = step(p, next_wait(p), e);
		if (!rc && !p->ending)
			rc = start_planned(p, e);
		if (!rc && !p->ending)
			rc = serve_extract(p, e);
		if (!rc && !p->ending)
			parent_look_again(p);
		if (!rc && p->again && p->told && !p->ending)
			rc = parent_read_again(p, e);
		if (!rc && !p->ending)
			rc = parent_switch_step(p, e);
	}
	return rc;
}

int run_listen_check(const char *listen, struct error *e) { return serve_address_check(listen, e); }

int run_observatory(const struct env *env, const struct run_request *request, struct error *e)
{
	struct parent p = { .env = env, .request = request, .signals = -1, .ready = { -1, -1 }, .null = -1, .listener = -1,
	                    .held = { { NULL, -1 }, { NULL, -1 } }, .reader_pair = { -1, -1 }, .live_pair = { -1, -1 },
	                    .packets_pair = { -1, -1 } };
	for (int i = 0; i < CHILDREN; i++)
		p.child[i] = (struct child){ .role = ROLE_CAPTURE, .packets = -1, .told = -1 };
	int rc = parent_hold(&p, parent_now(&p), request->setup, e);
	if (rc)
		return rc;
	parent_choose_roles(&p);
	rc = open_all(&p, e);
	if (!rc)
		rc = watch(&p, e);
	end_all(&p);
	close_all(&p);
	if (!rc && p.failed)
		rc = error_set(e, p.failed, "MON-DMN-036", "the observatory did not come up: a line above says why");
	return rc;
}
