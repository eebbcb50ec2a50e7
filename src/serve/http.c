/* The door: connections, requests, who may ask, and the headers of every answer. */
#include "serve/answers.h"
#include "serve/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECTIONS_MOST 800
#define CONNECTIONS_MANY 600   /* past it the one that has kept silent longest goes */
#define CONNECTION_MEMORY ((size_t)24 << 10) /* bytes of one: request line and headers must fit */
#define RETRY_AFTER "5"        /* seconds that who is refused should wait */
#define SILENCE 60             /* seconds without a byte */
#define REQUEST_MOST 90        /* seconds from a connection's beginning, or its last answer, to a whole request */

/* ---- Connections ---- */
static void on_connection(void *cls, struct MHD_Connection *mhd, void **ctx, enum MHD_ConnectionNotificationCode what);

/* The library closes no connection on demand, but one whose time is over; nothing comes or goes any more until then. */
static void hang_up(struct server *s, struct connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
	MHD_set_connection_option(c->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1);
	c->busy = true; /* not twice */
	s->counters.refused++;
}

/* The oldest of those that have not sent a whole request. */
static void make_room(struct server *s)
{
	struct connection *oldest = NULL;
	for (struct connection *c = s->connections; c; c = c->next)
		if (!c->busy && (!oldest || c->since < oldest->since))
			oldest = c;
	if (oldest)
		hang_up(s, oldest);
}

static void begin_connection(struct server *s, struct MHD_Connection *mhd, void **ctx)
{
	struct connection *c = env_alloc(s->env, sizeof *c);
	*ctx = c;
	if (!c)
		return;
	*c = (struct connection){ .next = s->connections, .mhd = mhd, .since = s->env->monotonic(s->env) };
	if (c->next)
		c->next->previous = c;
	s->connections = c;
	if (++s->n_connections > CONNECTIONS_MANY)
		make_room(s);
}

static void end_connection(struct server *s, struct connection *c)
{
	if (!c)
		return;
	*(c->previous ? &c->previous->next : &s->connections) = c->next;
	if (c->next)
		c->next->previous = c->previous;
	s->n_connections--;
	env_free(s->env, c, sizeof *c);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **ctx, enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		begin_connection(cls, mhd, ctx);
	else
		end_connection(cls, *ctx);
}

static void set_busy(struct request *r, bool busy)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *c = info ? info->socket_context : NULL;
	if (!c)
		return;
	c->busy = busy;
	c->since = r->server->env->monotonic(r->server->env);
}

/* Has the client said all that it will ever say? The library waits for the rest of a request even then. */
static bool is_over(const struct connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	char one;
	return info && recv(info->connect_fd, &one, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void http_tick(struct server *s, int64_t now)
{
	for (struct connection *c = s->connections; c; c = c->next)
		if (!c->busy && (now - c->since > REQUEST_MOST * INT64_C(1000000000) || is_over(c)))
			hang_up(s, c);
}

/* ---- Answers ---- */
static const char *const headers[][2] = {
	{ "Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
};

int http_send(struct request *r, unsigned status, struct MHD_Response *response, const char *cache)
{
	if (!response)
		return -ENOMEM;
	char as_of[MOMENTS_TEXT];
	bool ok = true;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		ok &= MHD_add_response_header(response, headers[i][0], headers[i][1]) == MHD_YES;
	ok &= MHD_add_response_header(response, "Cache-Control", cache) == MHD_YES;
	if (r->server->shown.simulated)
		ok &= MHD_add_response_header(response, "X-Monomi-Simulated", "true") == MHD_YES;
	if (r->result && r->result->as_of && status < 300)
		ok &= MHD_add_response_header(response, "X-Monomi-As-Of", moments_format(r->result->as_of, as_of)) == MHD_YES;
	if (status == 503)
		ok &= MHD_add_response_header(response, "Retry-After", RETRY_AFTER) == MHD_YES;
	ok = ok && MHD_queue_response(r->connection, status, response) == MHD_YES;
	MHD_destroy_response(response);
	r->server->counters.answers[status / 100 % 6]++;
	return ok ? 0 : -ENOMEM;
}

static void drop_body(void *b) { body_drop(b); }

struct MHD_Response *http_response(struct body *b, const char *type)
{
	if (!b)
		return NULL;
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(b->n, b->p, drop_body, b);
	if (!response)
		body_drop(b);
	else if (MHD_add_response_header(response, "Content-Type", type) != MHD_YES) {
		MHD_destroy_response(response);
		response = NULL;
	}
	return response;
}

int answer_body(struct request *r, unsigned status, const char *type, struct body *b)
{
	return http_send(r, status, http_response(b, type), "no-store");
}

int answer_text(struct request *r, unsigned status, const char *type, struct text *t)
{
	struct body *b = text_ok(t) ? body_make(r->server->env, t->n) : NULL;
	if (b)
		memcpy(b->p, t->p, t->n);
	text_fini(t);
	return answer_body(r, status, type, b);
}

int answer_error(struct request *r, unsigned status, const char *code, const char *format, ...)
{
	char sentence[400];
	struct text t = { .env = r->server->env };
	va_list ap;
	va_start(ap, format);
	vsnprintf(sentence, sizeof sentence, format, ap);
	va_end(ap);
	text_puts(&t, "{\"error\":{\"code\":");
	text_json(&t, code);
	text_puts(&t, ",\"text\":");
	text_json(&t, sentence);
	text_puts(&t, "}}\n");
	return answer_text(r, status, "application/json", &t);
}

/* ---- Who may ask ---- */
/* The name in a Host or an Origin, without a port: "[::1]:8080" is "[::1]". */
static size_t host_name(const char *host)
{
	return *host == '[' ? strcspn(host, "]") + (strchr(host, ']') != NULL) : strcspn(host, ":");
}

static bool is_own_host(const struct server *s, const char *host)
{
	const char *const names[] = { "localhost", "127.0.0.1", "[::1]", s->address };
	size_t n = host_name(host);
	const char *port = host + n;
	if (*port && (*port != ':' || !port[1] || strlen(port) > 6 || port[1 + strspn(port + 1, "0123456789")]))
		return false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == n && !strncasecmp(names[i], host, n))
			return true;
	return false;
}

/* Another page's script may make the browser ask (by a form, or a name that was made to mean this address): the browser
 * then tells whose it is. */
static int check_client(struct request *r)
{
	const char *host = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Host");
	const char *origin = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Origin");
	if (!host || !is_own_host(r->server, host))
		return answer_error(r, 403, "MON-SRV-101",
		                    "this server answers to its own address alone, not to the Host it was asked as");
	if (origin && (strncmp(origin, "http://", 7) != 0 || strcasecmp(origin + 7, host) != 0))
		return answer_error(r, 403, "MON-SRV-102", "pages of other sites are not answered");
	return 1;
}

/* ---- Requests ---- */
struct taking {
	struct request *request;
	struct error e;
	int rc;
};

static enum MHD_Result take_argument(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct taking *t = cls;
	(void)kind;
	t->rc = values_take(&t->request->values, name, value, &t->e);
	return t->rc ? MHD_NO : MHD_YES;
}

static int take_parts(struct request *r, unsigned n_parts, struct error *e)
{
	int rc = 0;
	for (unsigned i = 0; i < n_parts && !rc; i++) {
		char text[VALUE_MOST];
		size_t n = r->part[i].n < sizeof text ? r->part[i].n : sizeof text - 1;
		snprintf(text, sizeof text, "%.*s", (int)n, r->part[i].p);
		rc = values_take(&r->values, r->resource->parameter[i]->name, text, e);
	}
	return rc;
}

static int answer_resource(struct request *r, unsigned n_parts)
{
	struct server *s = r->server;
	struct taking t = { .request = r };
	int64_t now = s->env->realtime(s->env) / 1000000000;
	values_begin(&r->values, r->resource);
	t.rc = take_parts(r, n_parts, &t.e);
	if (!t.rc)
		MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, take_argument, &t);
	if (!t.rc)
		t.rc = values_end(&r->values, s->shown.as_of ? s->shown.as_of : moments_floor(now, MOMENTS_MINUTE), &t.e);
	if (!t.rc && r->post)
		t.rc = addresses_take(r, &t.e);
	if (t.rc)
		return answer_error(r, 400, t.e.code, "%s", t.e.text);
	return r->resource->query ? ask_for(r) : r->resource->answer(r);
}

static int refuse_method(struct request *r, const char *allowed)
{
	struct text t = { .env = r->server->env };
	text_printf(&t, "{\"error\":{\"code\":\"%s\",\"text\":\"this can be asked with %s alone\"}}\n", "MON-SRV-103", allowed);
	struct body *b = text_ok(&t) ? body_make(r->server->env, t.n) : NULL;
	if (b)
		memcpy(b->p, t.p, t.n);
	text_fini(&t);
	struct MHD_Response *response = http_response(b, "application/json");
	if (response && MHD_add_response_header(response, "Allow", allowed) != MHD_YES) {
		MHD_destroy_response(response);
		response = NULL;
	}
	return http_send(r, 405, response, "no-store");
}

static int route(struct request *r, const char *path, const char *method)
{
	unsigned n_parts = 0;
	int rc = check_client(r);
	if (rc <= 0)
		return rc;
	const struct resource *x = r->resource = resources_find(path, r->part, &n_parts);
	bool get = !x || x->what, post = x && x->post;
	if (r->post ? !post : !get || (strcmp(method, "GET") != 0 && !r->head))
		return refuse_method(r, !get ? "POST" : post ? "GET, HEAD, POST" : "GET, HEAD");
	if (r->resource)
		return answer_resource(r, n_parts);
	if (!strcmp(path, "/v1") || !strncmp(path, "/v1/", 4))
		return answer_error(r, 404, "MON-SRV-104", "there is no such resource; /openapi.json tells them");
	return answer_page(r, path);
}

/* ---- The library's side ---- */
static struct request *begin_request(struct server *s, struct MHD_Connection *connection, const char *method)
{
	struct request *r = env_alloc(s->env, sizeof *r);
	if (!r)
		return NULL;
	r->server = s;
	r->connection = connection;
	r->head = !strcmp(method, "HEAD");
	r->post = !strcmp(method, "POST");
	s->counters.requests++;
	return r;
}

/* A body is kept where one is wanted; the rest of one that is too long is read and forgotten. */
static enum MHD_Result take_upload(struct request *r, const char *data, size_t *n)
{
	if (r->post && !r->upload)
		r->upload = env_alloc(r->server->env, UPLOAD_MOST);
	size_t room = r->upload ? UPLOAD_MOST - r->n_upload : 0, some = *n < room ? *n : room;
	if (some)
		memcpy(r->upload + r->n_upload, data, some);
	r->n_upload += *n; /* past UPLOAD_MOST: too long */
	if (r->n_upload > 16 * UPLOAD_MOST)
		return MHD_NO;
	*n = 0;
	return MHD_YES;
}

/* Called once when the headers are there, for each piece of a body, when all has come, and again after each resume. To
 * answer at the first of these calls is 12 times slower, for the library then closes the connection. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *data, size_t *n, void **ctx)
{
	struct request *r = *ctx;
	(void)version;
	if (!r)
		return (*ctx = begin_request(cls, connection, method)) ? MHD_YES : MHD_NO;
	if (*n)
		return take_upload(r, data, n);
	r->suspended = false;
	if (!r->begun)
		set_busy(r, true);
	bool again = r->begun;
	r->begun = true;
	int rc = !again ? route(r, path, method) : r->packets.id ? answer_packets(r) : answer_result(r);
	return rc ? MHD_NO : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **ctx, enum MHD_RequestTerminationCode why)
{
	struct server *s = cls;
	struct request *r = *ctx;
	(void)connection;
	(void)why;
	if (!r)
		return;
	set_busy(r, false);
	asks_leave(r);
	packets_leave(r);
	env_free(s->env, r->upload, r->upload ? UPLOAD_MOST : 0);
	env_free(s->env, r, sizeof *r);
	*ctx = NULL;
}

void http_resume(struct request *r)
{
	if (r->suspended)
		MHD_resume_connection(r->connection);
}

/* What strangers send is counted, not written down. */
static void on_log(void *cls, const char *format, va_list ap)
{
	(void)cls;
	(void)format;
	(void)ap;
}

int http_open(struct server *s, struct error *e)
{
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s,
	                             MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
	                             MHD_OPTION_LISTEN_SOCKET, s->config->listen_fd,
	                             MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
	                             MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
	                             MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
	                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
	                             MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE,
	                             MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	return s->daemon ? 0 : error_set(e, -EIO, "MON-SRV-003", "the HTTP library does not start");
}

void http_close(struct server *s)
{
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	s->daemon = NULL;
}
