/* The capture role alone, for tests: INTERFACE FOLDER [ring=BYTES] [memory=BYTES] [filter=TEXT] [own=LIST]
 * [kills=N]. It says "ready" when it listens; SIGTERM ends it, and then its status is one line of JSON. With `kills` a
 * parent opens the socket and kills N readers of it (-9), one after the other, before one lives on. */
#include "capture/live.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

#define OWN_MOST 8

struct options {
	struct live_socket_config socket;
	struct live_config live;
	struct live_own own[OWN_MOST];
	unsigned long kills;
};

static int parse(struct options *o, int argc, char **argv, struct error *e)
{
	o->socket.interface = argv[1];
	o->live.folder = argv[2];
	for (int i = 3; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		if (!value)
			return error_set(e, -1, "TEST", "not NAME=VALUE: %s", argv[i]);
		*value++ = 0;
		if (!strcmp(argv[i], "ring"))
			o->socket.ring = o->live.ring = strtoul(value, NULL, 10);
		else if (!strcmp(argv[i], "memory"))
			o->live.memory = strtoul(value, NULL, 10);
		else if (!strcmp(argv[i], "filter"))
			o->socket.filter = value;
		else if (!strcmp(argv[i], "kills"))
			o->kills = strtoul(value, NULL, 10);
		else if (live_own_parse(value, o->own, OWN_MOST, &o->live.n_own, e))
			return -1;
	}
	o->live.own = o->own;
	return 0;
}

static void tell(const struct live_status *s)
{
	printf("{\"received\":%" PRIu64 ",\"own\":%" PRIu64 ",\"outgoing\":%" PRIu64 ",\"kernel_dropped\":%" PRIu64
	       ",\"broken\":%" PRIu64 ",\"jumps\":%" PRIu64 ",\"up\":%d,\"lost\":%" PRIu64 ",\"pieces\":%" PRIu64 "}\n", s->received,
	       s->own, s->outgoing, s->kernel_dropped, s->broken, s->clock_jumps, s->up, s->pieces.lost, s->pieces.pieces);
	fflush(stdout);
}

static int run(struct options *o, struct error *e)
{
	const struct env *env = env_system();
	struct live *l;
	int rc = live_open(&l, env, &o->live, e);
	if (rc)
		return rc;
	puts("ready");
	fflush(stdout);
	while (!stop && !rc)
		rc = live_step(l, 100, e);
	struct live_status last;
	live_drain(l);
	live_status(l, &last);
	int closed = live_close(l, rc ? NULL : e);
	tell(&last);
	return rc ? rc : closed;
}

/* Readers that die; their socket lives. */
static void kill_readers(struct options *o)
{
	struct error e;
	for (unsigned long i = 0; i < o->kills && !stop; i++) {
		pid_t reader = fork();
		if (!reader)
			_exit(run(o, &e) != 0);
		usleep((useconds_t)(300000 + i * 7919 % 11 * 50000));
		kill(reader, SIGKILL);
		waitpid(reader, NULL, 0);
	}
}

static int run_all(struct options *o, struct error *e)
{
	int rc = live_socket_open(&o->live.socket, env_system(), &o->socket, e);
	if (rc)
		return rc;
	kill_readers(o);
	return run(o, e);
}

int main(int argc, char **argv)
{
	static struct options o;
	struct error e = { 0 };
	struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (argc < 3 || parse(&o, argc, argv, &e) || run_all(&o, &e)) {
		fprintf(stderr, "live-capture: %s %s\n", e.code, e.text);
		return 1;
	}
	return 0;
}
