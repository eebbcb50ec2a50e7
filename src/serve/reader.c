/* The role that reads: takes requests, lets threads answer them, watches the clock and the store's next commit. */
#include "serve/message.h"
#include "serve/resources.h"
#include "serve/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define THREADS_MOST 16
#define WAITING_MOST 64 /* requests that no thread has taken yet */
#define TRIES 5         /* while commits replace what is being read */
#define TICK_MS 100

struct job {
	struct message request;
	bool used;
};

struct worker {
	struct reader *reader;
	struct store_session *session;
	pthread_t thread;
	bool started;
	struct message request, reply;
	int64_t until; /* when its query is ended, by the monotonic clock; 0: it has none. Under the lock. */
	bool late;     /* it was ended for that */
};

struct reader {
	const struct env *env;
	const struct serve_reader_config *config;
	struct store_service *service;
	struct worker worker[THREADS_MOST];
	unsigned n_workers;

	pthread_mutex_t lock; /* of what follows, and of the workers' clocks */
	pthread_cond_t work;
	struct message *waiting; /* WAITING_MOST, a ring */
	unsigned first, n_waiting;
	bool ending;

	pthread_mutex_t refreshing; /* of what follows: one thread at a time looks for a commit and tells of it */
	struct store_session *session;
	struct message told, received;
	char start[24];
};

/* ---- What is shown ---- */
struct shown {
	char as_of[40], first[40], simulated[8], commit[STORE_COMMIT];
};

static void copy_cell(char *out, size_t room, const struct store_cell *c)
{
	snprintf(out, room, "%.*s", c->text ? (int)c->n : 0, c->text ? c->text : "");
}

static int take_shown(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct shown *s = ctx;
	(void)n;
	(void)e;
	copy_cell(s->as_of, sizeof s->as_of, &cells[0]);
	copy_cell(s->first, sizeof s->first, &cells[1]);
	copy_cell(s->simulated, sizeof s->simulated, &cells[2]);
	return 0;
}

static int tell_shown(struct reader *r, struct error *e)
{
	struct shown s = { .simulated = "false" };
	struct message *m = &r->told;
	int rc = store_session_rows(r->session, "as-of", NULL, 0, take_shown, &s, s.commit, e);
	if (rc)
		return rc;
	message_begin(m, "store");
	message_add(m, r->start);
	message_add(m, MESSAGE_VERSION);
	message_add(m, s.commit);
	message_add(m, s.as_of);
	message_add(m, s.first);
	message_add(m, !strcmp(s.simulated, "true") ? "1" : "0");
	rc = message_send(r->config->fd, m, -1, true);
	return rc && rc != -EPIPE ?
	       error_set(e, rc, "MON-SRV-020", "the server cannot be told of a commit: %s", strerror(-rc)) : 0;
}

/* Shows the newest commit, and tells the server when it is another one (or `anyway`). */
static int refresh(struct reader *r, bool anyway, struct error *e)
{
	bool changed = false;
	pthread_mutex_lock(&r->refreshing);
	int rc = store_service_refresh(r->service, &changed, e);
	if (!rc && (changed || anyway))
		rc = tell_shown(r, e);
	pthread_mutex_unlock(&r->refreshing);
	return rc;
}

/* ---- One request ---- */
static bool parse_format(const char *text, struct store_ask *out)
{
	static const struct {
		const char *name;
		enum store_format format;
		bool marked;
	} formats[] = {
		{ "json", STORE_JSON, false }, { "jsonl", STORE_JSONL, false }, { "jsonl+simulated", STORE_JSONL, true },
		{ "csv", STORE_CSV, false }, { "csv+simulated", STORE_CSV, true },
	};
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (!strcmp(formats[i].name, text)) {
			out->format = formats[i].format;
			out->marked = formats[i].marked;
			return true;
		}
	}
	return false;
}

/* ask ID QUERY FORMAT LIMIT [NAME VALUE]… */
enum { ASK_ID = 1, ASK_QUERY, ASK_FORMAT, ASK_LIMIT, ASK_PARAMS };

static bool is_first_with(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (resources[k].query && !strcmp(resources[k].query, resources[i].query))
			return false;
	return true;
}

/* "QUERY":SCHEMA, … of all queries that resources have: members of an object. */
static int describe_all(struct worker *w, int out, struct error *e)
{
	const struct env *env = w->reader->env;
	char head[80];
	int rc = 0;
	for (size_t i = 0, n = 0; i < n_resources && !rc; i++) {
		const char *query = resources[i].query;
		if (!query || !strcmp(query, RESOURCE_SCHEMAS) || !is_first_with(i))
			continue;
		int length = snprintf(head, sizeof head, "%s\"%s\":", n++ ? ",\n" : "", query);
		if (env->write(env, out, head, (size_t)length) != length)
			return error_set(e, -ENOSPC, "MON-SRV-023", "there is no memory for an answer");
		rc = store_session_describe(w->session, query, out, e);
	}
	return rc;
}

static int ask_store(struct worker *w, int out, struct store_answer *answer, struct error *e)
{
	const struct message *m = &w->request;
	struct store_param params[MESSAGE_FIELDS / 2];
	struct store_ask ask = { .query = m->field[ASK_QUERY], .params = params, .out = out };
	if (!strcmp(m->field[ASK_FORMAT], "schema"))
		return describe_all(w, out, e);
	if (!parse_format(m->field[ASK_FORMAT], &ask) || !message_number(m->field[ASK_LIMIT], &ask.limit))
		return error_set(e, -EINVAL, "MON-SRV-021", "a request of the server has a wrong form");
	for (size_t i = ASK_PARAMS; i + 1 < m->n_fields; i += 2)
		params[ask.n_params++] = (struct store_param){ m->field[i], m->field[i + 1] };
	return store_session_ask(w->session, &ask, answer, e);
}

static int try_once(struct worker *w, int *out, struct store_answer *answer, struct error *e)
{
	const struct reader *r = w->reader;
	if (*out >= 0)
		r->env->close(r->env, *out);
	*out = memfd_create("monomi-answer", MFD_CLOEXEC);
	if (*out < 0)
		return error_set(e, -errno, "MON-SRV-023", "there is no memory for an answer: %s", strerror(errno));
	return ask_store(w, *out, answer, e);
}

static void set_clock(struct worker *w, int64_t until)
{
	pthread_mutex_lock(&w->reader->lock);
	w->until = until;
	if (until)
		w->late = false;
	pthread_mutex_unlock(&w->reader->lock);
}

static int answer(struct worker *w, int *out, struct store_answer *found, struct error *e)
{
	struct reader *r = w->reader;
	int rc, tries = 0;
	set_clock(w, r->env->monotonic(r->env) + (int64_t)r->config->limits.seconds * 1000000000);
	do
		rc = tries ? refresh(r, false, e) : 0;
	while (!rc && (rc = try_once(w, out, found, e)) == -EAGAIN && ++tries < TRIES);
	set_clock(w, 0);
	if (rc == -EINTR && w->late)
		rc = error_set(e, -ETIME, "MON-SRV-022", "the query took more than its %u s and was ended",
		               r->config->limits.seconds);
	return rc;
}

static void serve_request(struct worker *w)
{
	struct store_answer found = { 0 };
	struct error e;
	int out = -1, rc = answer(w, &out, &found, &e);
	struct message *m = &w->reply;
	message_begin(m, rc ? "fail" : "answer");
	message_add(m, w->request.field[ASK_ID]);
	if (rc) {
		message_add(m, e.code);
		message_add(m, e.text);
	} else {
		message_add(m, found.commit);
		message_add_number(m, found.rows);
		message_add_number(m, found.more);
	}
	/* A server that is gone is noticed by whoever reads from it. */
	message_send(w->reader->config->fd, m, rc ? -1 : out, true);
	if (out >= 0)
		w->reader->env->close(w->reader->env, out);
}

/* ---- Threads ---- */
static void copy_message(struct message *to, const struct message *from)
{
	to->n = from->n;
	to->n_fields = from->n_fields;
	to->fd = -1;
	memcpy(to->bytes, from->bytes, from->n);
	for (size_t i = 0; i < from->n_fields; i++)
		to->field[i] = to->bytes + (from->field[i] - from->bytes);
}

static bool take_job(struct worker *w)
{
	struct reader *r = w->reader;
	pthread_mutex_lock(&r->lock);
	while (!r->n_waiting && !r->ending)
		pthread_cond_wait(&r->work, &r->lock);
	bool found = !r->ending;
	if (found) {
		copy_message(&w->request, &r->waiting[r->first]);
		r->first = (r->first + 1) % WAITING_MOST;
		r->n_waiting--;
	}
	pthread_mutex_unlock(&r->lock);
	return found;
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	while (take_job(w))
		serve_request(w);
	return NULL;
}

static int start_threads(struct reader *r, struct error *e)
{
	unsigned n = r->config->queries ? r->config->queries : 1;
	for (unsigned i = 0; i < n && i < THREADS_MOST; i++) {
		struct worker *w = &r->worker[r->n_workers++];
		w->reader = r;
		int rc = store_session_open(r->service, &w->session, e);
		if (rc)
			return rc;
		rc = -pthread_create(&w->thread, NULL, work, w);
		w->started = !rc;
		if (rc)
			return error_set(e, rc, "MON-SRV-024", "a thread cannot be started: %s", strerror(-rc));
	}
	return 0;
}

static void end_threads(struct reader *r)
{
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	pthread_cond_broadcast(&r->work);
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < r->n_workers; i++) {
		struct worker *w = &r->worker[i];
		if (w->started) {
			store_session_interrupt(w->session);
			pthread_join(w->thread, NULL);
		}
		store_session_close(w->session);
	}
}

/* Queries that took too long. An interrupt that comes between two steps of DuckDB may be lost: it is said again. */
static void watch_clocks(struct reader *r)
{
	int64_t now = r->env->monotonic(r->env);
	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->n_workers; i++) {
		struct worker *w = &r->worker[i];
		if (w->until && now > w->until) {
			w->late = true;
			store_session_interrupt(w->session);
		}
	}
	pthread_mutex_unlock(&r->lock);
}

/* ---- The main thread ---- */
static void refuse(struct reader *r, const char *id)
{
	struct message *m = &r->received; /* the request itself, whose id is copied first */
	char copy[24];
	snprintf(copy, sizeof copy, "%s", id);
	message_begin(m, "fail");
	message_add(m, copy);
	message_add(m, "MON-SRV-025");
	message_add(m, "too many queries wait: ask again in a while");
	message_send(r->config->fd, m, -1, false);
}

static void queue(struct reader *r)
{
	pthread_mutex_lock(&r->lock);
	bool room = r->n_waiting < WAITING_MOST;
	if (room) {
		copy_message(&r->waiting[(r->first + r->n_waiting++) % WAITING_MOST], &r->received);
		pthread_cond_signal(&r->work);
	}
	pthread_mutex_unlock(&r->lock);
	if (!room)
		refuse(r, r->received.field[ASK_ID]);
}

/* All requests that are there: 1, or 0 when the server has gone. */
static int receive(struct reader *r, struct error *e)
{
	for (;;) {
		int rc = message_receive(r->env, r->config->fd, &r->received);
		if (rc == 1 && message_is(&r->received, "ask", ASK_PARAMS) && r->received.fd < 0)
			queue(r);
		else if (rc == 1 && message_is(&r->received, "hello", 1))
			rc = refresh(r, true, e) ? -EIO : 1;
		else if (rc == 1 && r->received.fd >= 0)
			r->env->close(r->env, r->received.fd);
		if (rc == -EAGAIN)
			return 1;
		if (rc == -EIO)
			return rc;
		if (rc <= 0 && rc != -EPROTO)
			return rc == 0 || rc == -ECONNRESET ? 0 :
			       error_set(e, rc, "MON-SRV-020", "requests cannot be received: %s", strerror(-rc));
	}
}

static int loop(struct reader *r, struct error *e)
{
	const volatile sig_atomic_t *stop = r->config->stop;
	int rc = refresh(r, true, e);
	while (!rc && !(stop && *stop)) {
		struct pollfd p = { .fd = r->config->fd, .events = POLLIN };
		if (poll(&p, 1, TICK_MS) > 0) {
			rc = receive(r, e);
			if (rc <= 0)
				return rc;
			rc = 0;
		}
		watch_clocks(r);
		if (!rc)
			rc = refresh(r, false, e);
	}
	return rc;
}

static int open_all(struct reader *r, struct error *e)
{
	const struct serve_reader_config *c = r->config;
	uint64_t start;
	int rc = r->env->random(r->env, &start, sizeof start);
	if (rc)
		return error_set(e, rc, "MON-SRV-026", "the system gives no random numbers: %s", strerror(-rc));
	snprintf(r->start, sizeof r->start, "%" PRIx64, start);
	r->waiting = env_alloc(r->env, WAITING_MOST * sizeof *r->waiting);
	if (!r->waiting)
		return error_no_memory(e, "waiting for queries");
	rc = store_service_open(&r->service, r->env, c->db, &c->limits, c->tool, &c->as_names, e);
	if (!rc && c->ready)
		rc = c->ready(c->ctx, e);
	if (!rc)
		rc = store_service_start(r->service, e);
	if (!rc)
		rc = store_session_open(r->service, &r->session, e);
	return rc ? rc : start_threads(r, e);
}

int serve_reader_run(const struct env *env, const struct serve_reader_config *config, struct error *e)
{
	struct reader *r = env_alloc(env, sizeof *r);
	if (!r)
		return error_no_memory(e, "reading for the server");
	r->env = env;
	r->config = config;
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_init(&r->refreshing, NULL);
	pthread_cond_init(&r->work, NULL);
	int rc = open_all(r, e);
	if (!rc)
		rc = loop(r, e);
	end_threads(r);
	store_session_close(r->session);
	store_service_close(r->service);
	env_free(env, r->waiting, WAITING_MOST * sizeof *r->waiting);
	pthread_cond_destroy(&r->work);
	pthread_mutex_destroy(&r->refreshing);
	pthread_mutex_destroy(&r->lock);
	env_free(env, r, sizeof *r);
	return rc;
}
