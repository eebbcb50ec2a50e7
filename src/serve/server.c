/* The server's loop: HTTP, the reader, the engine's counters, the clock; one thread. */
#include "serve/server.h"
#include "serve/answers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TICK INT64_C(1000000000)

static void name_own_address(struct server *s)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof a;
	char text[INET6_ADDRSTRLEN] = "";
	if (getsockname(s->config->listen_fd, (struct sockaddr *)&a, &n))
		return;
	if (a.ss_family == AF_INET6) {
		s->on_loopback = IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&a)->sin6_addr);
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&a)->sin6_addr, text, sizeof text);
		snprintf(s->address, sizeof s->address, "[%s]", text);
	} else {
		s->on_loopback = ntohl(((struct sockaddr_in *)&a)->sin_addr.s_addr) >> 24 == 127;
		inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, text, sizeof text);
		snprintf(s->address, sizeof s->address, "%s", text);
	}
}

static int milliseconds(const struct server *s)
{
	MHD_UNSIGNED_LONG_LONG most;
	int64_t left = (s->ticked + TICK - s->env->monotonic(s->env)) / 1000000;
	left = left < 0 ? 0 : left;
	return MHD_get_timeout(s->daemon, &most) == MHD_YES && (int64_t)most < left ? (int)most : (int)left;
}

static void tick(struct server *s)
{
	int64_t now = s->env->monotonic(s->env);
	if (now - s->ticked < TICK)
		return;
	s->ticked = now;
	http_tick(s, now);
	asks_tick(s, now);
	stream_tick(s, now);
	packets_tick(s, now);
}

static int loop(struct server *s, struct error *e)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	const volatile sig_atomic_t *stop = s->config->stop;
	if (!info)
		return error_set(e, -EIO, "MON-SRV-003", "the HTTP library does not start");
	struct pollfd p[4] = { { .fd = info->epoll_fd, .events = POLLIN }, { .fd = s->config->reader_fd, .events = POLLIN },
		               { .fd = s->config->live_fd, .events = POLLIN }, { .fd = s->config->packets_fd, .events = POLLIN } };
	while (!(stop && *stop)) {
		if (poll(p, 4, milliseconds(s)) < 0 && errno != EINTR)
			return error_set(e, -errno, "MON-SRV-004", "the server cannot wait for requests: %s", strerror(errno));
		if (p[1].revents & POLLIN)
			asks_receive(s);
		if (p[2].revents & POLLIN)
			live_receive(s);
		if (p[3].revents & POLLIN)
			packets_receive(s);
		for (unsigned i = 1; i < 4; i++) /* an end that is gone for good, and read to its end, says nothing any more */
			if (p[i].revents & (POLLHUP | POLLERR | POLLNVAL))
				p[i].fd = -1;
		tick(s);
		if (MHD_run(s->daemon) != MHD_YES)
			return error_set(e, -EIO, "MON-SRV-004", "the HTTP library cannot go on");
	}
	return 0;
}

/* Requests that wait are answered that they wait in vain, and streams end: the library does not stop with any asleep. */
static void end(struct server *s)
{
	s->ending = true;
	for (struct result *r = s->results.first; r; r = r->next)
		for (struct request *q = r->waiting; q; q = q->next)
			http_resume(q);
	packets_tick(s, s->env->monotonic(s->env));
	stream_event(s);
	MHD_run(s->daemon);
	http_close(s);
}

static int open_all(struct server *s, struct error *e)
{
	uint64_t id;
	int rc = s->env->random(s->env, &id, sizeof id);
	if (rc)
		return error_set(e, rc, "MON-SRV-005", "the system gives no random numbers: %s", strerror(-rc));
	results_init(&s->results, s->env, id >> 1);
	s->ticked = s->env->monotonic(s->env);
	s->live_room = env_alloc(s->env, SERVE_LIVE_MOST);
	if (!s->live_room)
		return error_no_memory(e, "serving");
	name_own_address(s);
	rc = http_open(s, e);
	if (!rc && s->config->ready)
		rc = s->config->ready(s->config->ctx, e);
	if (rc)
		return rc;
	message_begin(&s->message, "hello");
	message_send(s->config->reader_fd, &s->message, -1, false); /* one that is not there yet speaks first */
	return 0;
}

int serve_run(const struct env *env, const struct serve_config *config, struct error *e)
{
	struct server *s = env_alloc(env, sizeof *s);
	if (!s)
		return error_no_memory(e, "serving");
	s->env = env;
	s->config = config;
	int rc = open_all(s, e);
	if (!rc)
		rc = loop(s, e);
	if (s->daemon)
		end(s);
	results_fini(&s->results);
	body_drop(s->live.now);
	env_free(env, s->live_room, SERVE_LIVE_MOST);
	env_free(env, s, sizeof *s);
	return rc;
}
