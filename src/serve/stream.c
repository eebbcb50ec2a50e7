/* Live counters and server-sent events (WHATWG HTML, "Server-sent events"). A listener that reads slowly misses counters,
 * never a commit, and holds nobody up. */
#include "serve/answers.h"
#include "serve/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define STREAMS_MOST 256
#define COMMENT_EVERY (15 * INT64_C(1000000000))
#define LIVE_OLD (15 * INT64_C(1000000000)) /* counters that have not moved for so long are none */

struct stream {
	struct stream *next;
	struct server *server;
	struct MHD_Connection *connection;
	struct body *sending; /* NULL: all was sent */
	size_t sent;
	uint64_t live, commit; /* numbers of the last that was sent */
	int64_t said;          /* monotonic: when it last was told anything */
	bool suspended;
};

/* ---- Live counters ---- */
/* The newest of those that are there. */
void live_receive(struct server *s)
{
	char *room = s->live_room;
	ssize_t n;
	while ((n = recv(s->config->live_fd, room, SERVE_LIVE_MOST, MSG_DONTWAIT | MSG_TRUNC)) > 0) {
		while (n > 0 && (size_t)n <= SERVE_LIVE_MOST && room[n - 1] == '\n')
			n--;
		if (!n || (size_t)n > SERVE_LIVE_MOST || memchr(room, '\n', (size_t)n) || memchr(room, '\r', (size_t)n))
			continue;
		struct body *b = body_make(s->env, (size_t)n);
		if (!b)
			continue;
		memcpy(b->p, room, (size_t)n);
		body_drop(s->live.now);
		s->live.now = b;
		s->live.number++;
		s->live.at = s->env->monotonic(s->env);
	}
	stream_event(s);
}

bool live_is_there(const struct server *s)
{
	return s->live.now && s->env->monotonic(s->env) - s->live.at < LIVE_OLD;
}

const char schema_of_live[] =
	"{\"type\":\"object\",\"properties\":{\"at\":{\"type\":\"integer\"},\"sensors\":{\"type\":\"array\"},"
	"\"seconds\":{\"type\":\"array\"},\"minutes\":{\"type\":\"array\"},\"ports\":{\"type\":\"array\"},"
	"\"sources\":{\"type\":\"array\"},\"tools\":{\"type\":\"array\"},\"ignored\":{\"type\":\"integer\"},"
	"\"undecoded\":{\"type\":\"integer\"},\"simulated\":{\"type\":\"boolean\"}},\"required\":[\"at\",\"simulated\"]}";

int answer_live(struct request *r)
{
	if (!live_is_there(r->server))
		return answer_error(r, 404, "MON-SRV-107", "nothing is captured at this moment");
	return answer_body(r, 200, HTTP_JSON, body_hold(r->server->live.now));
}

/* ---- Events ---- */
static struct body *event_of(const struct server *s, const char *name, const char *data, size_t n)
{
	char head[64];
	size_t length = (size_t)snprintf(head, sizeof head, "event: %s\ndata: ", name);
	struct body *b = body_make(s->env, length + n + 2);
	if (!b)
		return NULL;
	memcpy(b->p, head, length);
	memcpy(b->p + length, data, n);
	memcpy(b->p + length + n, "\n\n", 2);
	return b;
}

static struct body *commit_event(const struct server *s)
{
	char moment[MOMENTS_TEXT], data[80];
	int n = s->shown.as_of ? snprintf(data, sizeof data, "{\"as_of\":\"%s\"}", moments_format(s->shown.as_of, moment)) :
	        snprintf(data, sizeof data, "{\"as_of\":null}");
	return event_of(s, "commit", data, (size_t)n);
}

static struct body *comment(const struct server *s)
{
	struct body *b = body_make(s->env, 3);
	if (b)
		memcpy(b->p, ":\n\n", 3);
	return b;
}

/* What a listener is to hear next; NULL: nothing. */
static struct body *next_event(struct stream *t, int64_t now)
{
	struct server *s = t->server;
	if (t->commit != s->news) {
		t->commit = s->news;
		return commit_event(s);
	}
	if (t->live != s->live.number && s->live.now) {
		t->live = s->live.number;
		return event_of(s, "live", s->live.now->p, s->live.now->n);
	}
	return now - t->said > COMMENT_EVERY ? comment(s) : NULL;
}

static ssize_t read_stream(void *cls, uint64_t at, char *out, size_t room)
{
	struct stream *t = cls;
	struct server *s = t->server;
	int64_t now = s->env->monotonic(s->env);
	(void)at;
	t->suspended = false;
	if (s->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!t->sending) {
		t->sending = next_event(t, now);
		t->sent = 0;
		s->counters.events += t->sending != NULL;
	}
	if (!t->sending) {
		t->suspended = true;
		MHD_suspend_connection(t->connection);
		return 0;
	}
	size_t n = t->sending->n - t->sent < room ? t->sending->n - t->sent : room;
	memcpy(out, t->sending->p + t->sent, n);
	t->sent += n;
	t->said = now;
	if (t->sent == t->sending->n) {
		body_drop(t->sending);
		t->sending = NULL;
	}
	return (ssize_t)n;
}

static void end_stream(void *cls)
{
	struct stream *t = cls, **at = &t->server->streams;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->server->n_streams--;
	body_drop(t->sending);
	env_free(t->server->env, t, sizeof *t);
}

static void resume(struct stream *t)
{
	if (t->suspended)
		MHD_resume_connection(t->connection);
	t->suspended = false;
}

void stream_event(struct server *s)
{
	for (struct stream *t = s->streams; t; t = t->next)
		resume(t);
}

void stream_tick(struct server *s, int64_t now)
{
	for (struct stream *t = s->streams; t; t = t->next)
		if (now - t->said > COMMENT_EVERY)
			resume(t);
}

/* The first thing that is said is what is there, so that whoever comes back after a break misses nothing. */
int answer_stream(struct request *r)
{
	struct server *s = r->server;
	if (s->n_streams >= STREAMS_MOST)
		return answer_error(r, 503, "MON-SRV-110", "%u listen already", STREAMS_MOST);
	if (r->head)
		return answer_body(r, 200, "text/event-stream", body_make(s->env, 0));
	struct stream *t = env_alloc(s->env, sizeof *t);
	if (!t)
		return -ENOMEM;
	*t = (struct stream){ .next = s->streams, .server = s, .connection = r->connection, .commit = s->news - 1,
		              .said = s->env->monotonic(s->env) };
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, t, end_stream);
	if (!response) {
		env_free(s->env, t, sizeof *t);
		return -ENOMEM;
	}
	s->streams = t;
	s->n_streams++;
	if (MHD_add_response_header(response, "Content-Type", "text/event-stream") != MHD_YES) {
		MHD_destroy_response(response);
		response = NULL;
	}
	return http_send(r, 200, response, "no-store");
}
