/* usage: serve-main DB [ADDRESS]: a server and a reader of a store, as `monomi run` has them, without the rest. The first
 * line printed is the page's address. Each line of standard input is one message of live counters; its end changes nothing.
 * SIGTERM ends it. SIGUSR1 kills the reader, and starts another. */
#include "daemon/verdict.h"
#include "serve/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stop, again;

static void on_signal(int s)
{
	if (s == SIGUSR1)
		again = 1;
	else
		stop = 1;
}

static const char *name_of(void *ctx, uint32_t number)
{
	(void)ctx;
	return number == 64496 ? "Example & \"Sons\"" : NULL;
}

static int run_reader(const char *db, int fd)
{
	struct error e;
	const struct serve_reader_config c = {
		.db = db, .fd = fd, .limits = { .memory = (size_t)512 << 20, .threads = 2, .seconds = 20 }, .queries = SERVE_QUERIES,
		.tool = verdict_tool, .as_names = { name_of, NULL }, .stop = &stop,
	};
	int rc = serve_reader_run(env_system(), &c, &e);
	if (rc)
		fprintf(stderr, "reader: %s: %s\n", e.code, e.text);
	return rc != 0;
}

static int run_server(int listen_fd, int reader_fd, int live_fd)
{
	static const struct serve_database databases[] = { { "country", "a test's", "Countries by nobody.", 1700000000 } };
	struct error e;
	const struct serve_config c = { .listen_fd = listen_fd, .reader_fd = reader_fd, .live_fd = live_fd, .packets_fd = -1, .version = "0.0-test",
		                        .databases = databases, .n_databases = 1, .stop = &stop };
	int rc = serve_run(env_system(), &c, &e);
	if (rc)
		fprintf(stderr, "server: %s: %s\n", e.code, e.text);
	return rc != 0;
}

static pid_t start_reader(const char *db, int fd)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGUSR1, SIG_IGN);
	_exit(run_reader(db, fd));
}

/* Lines of standard input to the server, until it has ended. */
static void pass_lines(int live, const char *db, int reader_fd, pid_t *reader)
{
	static char line[SERVE_LIVE_MOST];
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t n = 0;
	while (!stop) {
		int ready = poll(&p, 1, 200);
		if (again) {
			again = 0;
			kill(*reader, SIGKILL);
			waitpid(*reader, NULL, 0);
			*reader = start_reader(db, reader_fd);
		}
		if (ready <= 0)
			continue;
		if (read(STDIN_FILENO, line + n, 1) != 1) {
			p.fd = -1;
		} else if (line[n] == '\n' || n + 1 == sizeof line) {
			send(live, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
			n = 0;
		} else {
			n++;
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction a = { .sa_handler = on_signal };
	char url[SERVE_URL];
	struct error e;
	int listen_fd, reader[2], live[2];
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGUSR1, &a, NULL);
	if (argc < 2 || serve_listen(argc > 2 ? argv[2] : "127.0.0.1:0", false, &listen_fd, url, &e)) {
		fprintf(stderr, "%s\n", argc < 2 ? "no DB" : e.text);
		return 2;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reader) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, live))
		return 2;
	pid_t reading = start_reader(argv[1], reader[1]), serving = fork();
	if (!serving) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(STDIN_FILENO);
		_exit(run_server(listen_fd, reader[0], live[0]));
	}
	printf("%s\n", url);
	fflush(stdout);
	pass_lines(live[1], argv[1], reader[1], &reading);
	int status = 0, worst = 0;
	kill(serving, SIGTERM);
	kill(reading, SIGTERM);
	while (wait(&status) > 0)
		worst = WIFEXITED(status) && !WEXITSTATUS(status) ? worst : 1;
	return worst;
}
