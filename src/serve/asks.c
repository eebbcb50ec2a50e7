/* Queries: what is asked of the reader, what comes back, and how it becomes an answer. */
#include "serve/answers.h"
#include "serve/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Queries at the reader at a time; the others wait here. One place is for what is asked ahead, so that those who wait never
 * keep it from going on. Of the others one goes to who has waited longest, the rest to who asks for least; one at the most
 * to what takes long. */
#define WAITED_MOST (SERVE_QUERIES - 1)
#define LONG_MOST 1
#define LONG (3 * INT64_C(1000000000)) /* ns */
#define QUEUE 96            /* that wait to be sent: past it the one that asks for most is refused */
#define TRIES 2             /* a query that two readers died of is not sent to a third */
#define WAIT_MOST 60        /* seconds that a request waits */
#define ROWS_MOST ((size_t)64 << 20) /* bytes of an answer's rows */

/* ---- What to ask ---- */
/* Of what a query may want, what it has. */
static bool wants(const struct message *m, const char *name)
{
	const struct store_named *named = store_named_find(m->field[0]);
	const char *cursor = named ? named->text : "";
	struct store_head h;
	while (store_named_head(&cursor, &h))
		if (h.kind == STORE_HEAD_PARAM && !strcmp(h.name, name))
			return true;
	return false;
}

static void add(struct message *m, const char *name, const char *value)
{
	if (!wants(m, name))
		return;
	message_add(m, name);
	message_add(m, value);
}

/* Parameters of the API that a query does not have, and those that it has under another name. */
static void add_value(struct message *m, const struct values *v, const struct parameter *p)
{
	static const char *const not_asked[] = { "from", "to", "limit", "cursor", "format" };
	const char *text = values_text(v, p->name);
	for (size_t i = 0; i < sizeof not_asked / sizeof *not_asked; i++)
		if (!strcmp(p->name, not_asked[i]))
			return;
	if (!text)
		return;
	add(m, p->name, text);
	if (p->kind == VALUE_ADDRESS)
		add(m, "addresses", text); /* a list of one */
}

static void add_moment(struct message *m, const char *name, int64_t moment)
{
	char text[MOMENTS_TEXT];
	add(m, name, moments_format(moment, text));
}

/* A span that a query is about: since, until; before: where the one of equal length begins that ends at `since`. */
static void add_span(struct message *m, const struct values *v)
{
	add_moment(m, "since", v->from);
	add_moment(m, "until", v->to);
	add_moment(m, "before", v->before);
	if (!values_has(v, "by")) /* its own */
		add(m, "by", v->by_day ? "day" : "minute");
}

/* A file outlives its name and its headers: each of its rows says when packets are made up. */
static const char *form_of(const struct values *v, bool simulated)
{
	const char *format = values_text(v, "format");
	if (v->resource->shape == SHAPE_ONE)
		return "jsonl";
	if (!format || !strcmp(format, "json"))
		return "json";
	return !strcmp(format, "csv") ? simulated ? "csv+simulated" : "csv" : simulated ? "jsonl+simulated" : "jsonl";
}

void asks_write(struct message *m, const struct values *v, const char *addresses, bool simulated)
{
	const struct resource *x = v->resource;
	bool list = x->shape == SHAPE_LIST;
	message_begin(m, x->query);
	if (!strcmp(x->query, RESOURCE_SCHEMAS)) {
		message_add(m, "schema");
		message_add_number(m, 0);
		return;
	}
	message_add(m, form_of(v, simulated));
	message_add_number(m, v->limit);
	if (v->to)
		add_span(m, v);
	if (list) {
		message_add(m, "limit"); /* one more tells whether there are more */
		message_add_number(m, v->limit + 1);
		message_add(m, "offset");
		message_add_number(m, v->offset);
	}
	if (addresses)
		add(m, "addresses", addresses);
	for (unsigned i = 0; x->parameter[i]; i++)
		add_value(m, v, x->parameter[i]);
}

/* ---- To the reader ---- */
static void fail(struct server *s, struct result *r, const char *code, const char *text)
{
	snprintf(r->code, sizeof r->code, "%s", code);
	snprintf(r->text, sizeof r->text, "%s", text);
	s->counters.failed++;
	results_settle(r, RESULT_FAILED);
}

/* Its requests are answered, each by its own handler. */
static void wake(struct result *r)
{
	struct request *next;
	for (struct request *q = r->waiting; q; q = next) {
		next = q->next;
		http_resume(q);
	}
	r->waiting = NULL;
}

static int send_one(struct server *s, struct result *r)
{
	struct message *m = &s->message;
	message_begin(m, "ask");
	message_add_number(m, r->id);
	for (const char *p = r->key; p < r->key + r->n_key; p += strlen(p) + 1)
		message_add(m, p);
	return message_send(s->config->reader_fd, m, -1, false);
}

/* ---- Whose turn it is ---- */
static enum span_kind span_of(const struct values *v)
{
	int64_t length = v->to - v->from;
	return length <= 50 * MOMENTS_HOUR ? SPAN_SHORT : length <= 31 * MOMENTS_DAY ? SPAN_MONTH : SPAN_LONG;
}

/* What the last ones of its kind took; of a long span that none was asked of yet: long. */
static int64_t expected(const struct server *s, const struct values *v)
{
	int64_t took = s->took[v->resource - resources][span_of(v)];
	return took ? took : span_of(v) == SPAN_LONG ? LONG + 1 : 0;
}

void asks_describe(const struct server *s, struct result *r, const struct values *v, const struct shown *of)
{
	r->kind = (unsigned)(v->resource - resources);
	assert(r->kind < RESOURCES_MOST);
	r->span = span_of(v);
	r->expected = expected(s, v);
	r->as_of = of->as_of;
	r->simulated = of->simulated;
	if (!r->anonymous) {
		r->values = *v;
		r->question = values_question(v);
	}
}

/* How many are at the reader, or wait to be sent. */
struct lanes {
	unsigned ahead, waited, waited_long; /* sent */
	unsigned queue;
};

static struct lanes count_lanes(const struct results *c)
{
	struct lanes n = { 0 };
	for (const struct result *r = c->first; r; r = r->next) {
		if (r->state != RESULT_WAITING)
			continue;
		n.ahead += r->sent && !r->waited;
		n.waited += r->sent && r->waited;
		n.waited_long += r->sent && r->waited && r->expected > LONG;
		n.queue += !r->sent && r->waiting;
	}
	return n;
}

static bool may_go(const struct result *r, const struct lanes *n)
{
	if (!r->waiting)
		return n->ahead == 0;
	return n->waited < WAITED_MOST && (r->expected <= LONG || n->waited_long < LONG_MOST);
}

static bool goes_before(const struct result *a, const struct result *b, const struct lanes *n)
{
	if (!a->waiting != !b->waiting)
		return a->waiting; /* what somebody waits for goes before what is asked ahead */
	if (a->waiting && n->waited && a->expected != b->expected)
		return a->expected < b->expected;
	return a->id < b->id;
}

static struct result *next_to_send(const struct results *c)
{
	struct lanes n = count_lanes(c);
	struct result *next = NULL;
	for (struct result *r = c->first; r; r = r->next)
		if (r->state == RESULT_WAITING && !r->sent && may_go(r, &n) && (!next || goes_before(r, next, &n)))
			next = r;
	return next;
}

/* As many as may be there at a time. */
void asks_send(struct server *s)
{
	struct result *next;
	while (s->reader[0] && (next = next_to_send(&s->results))) {
		if (send_one(s, next))
			return;
		next->sent = true;
		next->waited = next->waiting != NULL;
		next->sent_at = s->env->monotonic(s->env);
		next->tries++;
		s->results.n_sent++;
		s->counters.asked++;
	}
}

/* ---- A request ---- */
static int wait_for(struct request *r)
{
	r->next = r->result->waiting;
	r->result->waiting = r;
	r->suspended = true;
	MHD_suspend_connection(r->connection);
	asks_send(r->server);
	return 0;
}

static const char busy[] = "too many queries wait: ask again in a while";

static int refuse(struct request *r)
{
	r->server->counters.refused_queries++;
	return answer_error(r, 503, "MON-SRV-110", "%s", busy);
}

/* Those who wait for it are told so in place of an answer. */
static void give_up(struct server *s, struct result *r, const char *code, const char *text)
{
	struct request *waiting = r->waiting;
	fail(s, r, code, text);
	if (waiting)
		wake(r);
}

static void refuse_waiting(struct server *s, struct result *r)
{
	for (const struct request *q = r->waiting; q; q = q->next)
		s->counters.refused_queries++;
	give_up(s, r, "MON-SRV-110", busy);
}

/* Where as many wait as may, the one that asks for most makes room, if that is more than what is asked now. */
static bool has_room(struct server *s, int64_t now_expected)
{
	struct result *most = NULL;
	if (count_lanes(&s->results).queue < QUEUE)
		return true;
	for (struct result *r = s->results.first; r; r = r->next)
		if (r->state == RESULT_WAITING && !r->sent && r->waiting && (!most || r->expected > most->expected))
			most = r;
	if (!most || most->expected <= now_expected)
		return false;
	refuse_waiting(s, most);
	return true;
}

static int ask_anew(struct request *r, int64_t now)
{
	struct server *s = r->server;
	bool is_new;
	if (!has_room(s, expected(s, &r->values)))
		return refuse(r);
	asks_write(&s->message, &r->values, r->post ? r->upload : NULL, s->shown.simulated);
	if (s->message.failed)
		return answer_error(r, 400, "MON-SRV-106", "the parameters are too long");
	r->result = results_find(&s->results, &s->message, s->commits, now, &is_new);
	if (!r->result)
		return refuse(r);
	if (is_new) {
		r->result->anonymous = r->post;
		asks_describe(s, r->result, &r->values, &s->shown);
	}
	s->counters.kept += !is_new;
	return r->result->state == RESULT_WAITING ? wait_for(r) : answer_result(r);
}

/* Who asks what was asked before waits for nothing: if the result is of the commit before it is given as that, and the next
 * one is asked for. */
int ask_for(struct request *r)
{
	struct server *s = r->server;
	int64_t now = s->env->monotonic(s->env);
	s->asked = now;
	r->result = r->post ? NULL : results_of(&s->results, &r->values, s->commits);
	if (!r->result)
		return ask_anew(r, now);
	results_take(r->result, now);
	s->counters.kept++;
	if (r->result->state == RESULT_WAITING)
		return wait_for(r);
	if (r->result->generation < s->commits) {
		r->result->overdue = true;
		s->counters.older++;
		ahead_step(s);
		asks_send(s);
	}
	return answer_result(r);
}

void asks_leave(struct request *r)
{
	struct result *x = r->result;
	if (!x)
		return;
	struct request **at = &x->waiting;
	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	r->result = NULL;
	if (x->owner && x->state == RESULT_WAITING && !x->sent && !x->waiting && x->id != r->server->ahead.asking)
		results_cancel(x);
	results_drop(x);
}

/* ---- From the reader ---- */
static struct body *read_rows(struct server *s, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct body *b = size < 0 || (size_t)size > ROWS_MOST ? NULL : body_make(s->env, (size_t)size);
	if (b && env_pread_all(s->env, fd, b->p, b->n, 0)) {
		body_drop(b);
		b = NULL;
	}
	return b;
}

/* answer ID COMMIT ROWS MORE, and a file */
static void take_answer(struct server *s, const struct message *m)
{
	uint64_t id, rows, more;
	if (!message_number(m->field[1], &id) || !message_number(m->field[3], &rows) || !message_number(m->field[4], &more))
		return;
	struct result *r = results_by_id(&s->results, id);
	if (!r)
		return;
	r->rows = m->fd < 0 ? NULL : read_rows(s, m->fd);
	r->n_rows = rows;
	r->more = more;
	int64_t took = s->env->monotonic(s->env) - r->sent_at, *known = &s->took[r->kind][r->span];
	*known = *known ? *known - *known / 4 + took / 4 : took;
	s->counters.query_ns += (uint64_t)took;
	struct request *waiting = r->waiting;
	r->users++; /* it may be too much to be kept */
	if (r->rows)
		results_settle(r, RESULT_READY);
	else
		fail(s, r, "MON-SRV-111", "the answer is too large: ask for less");
	if (r->owner && r->generation <= s->commits)
		results_replace(r);
	if (waiting)
		wake(r);
	results_drop(r);
}

static void take_failure(struct server *s, const struct message *m)
{
	uint64_t id;
	struct result *r = message_number(m->field[1], &id) ? results_by_id(&s->results, id) : NULL;
	if (!r)
		return;
	give_up(s, r, m->field[2], m->field[3]);
}

/* Another reader is there: what the last one was asked is asked again, unless it seems to be what readers die of. */
static void begin_reader(struct server *s, const char *start)
{
	struct result *next;
	snprintf(s->reader, sizeof s->reader, "%s", start);
	s->results.n_sent = 0;
	for (struct result *r = s->results.first; r; r = next) {
		next = r->next;
		if (r->state != RESULT_WAITING || !r->sent)
			continue;
		r->sent = false;
		if (r->tries < TRIES)
			continue;
		give_up(s, r, "MON-SRV-112", "the query broke the reader down");
	}
}

/* store START VERSION COMMIT AS_OF FIRST SIMULATED */
static void take_store(struct server *s, const struct message *m)
{
	struct shown told = { .simulated = !strcmp(m->field[6], "1") };
	if (strcmp(m->field[2], MESSAGE_VERSION) != 0)
		return;
	if (strcmp(m->field[1], s->reader) != 0)
		begin_reader(s, m->field[1]);
	if (!moments_parse(m->field[4], 0, &told.as_of) || !moments_parse(m->field[5], 0, &told.first))
		told.as_of = told.first = 0;
	snprintf(told.commit, sizeof told.commit, "%s", m->field[3]);
	ahead_told(s, &told);
}

void asks_receive(struct server *s)
{
	struct message *m = &s->message;
	int rc;
	while ((rc = message_receive(s->env, s->config->reader_fd, m)) == 1 || rc == -EPROTO) {
		if (rc == -EPROTO)
			continue;
		if (message_is(m, "store", 7))
			take_store(s, m);
		else if (message_is(m, "answer", 5))
			take_answer(s, m);
		else if (message_is(m, "fail", 4))
			take_failure(s, m);
		if (m->fd >= 0)
			s->env->close(s->env, m->fd);
	}
	ahead_step(s);
	asks_send(s);
}

/* One that was sent had its turn: that it comes late is the reader's fault, else that of the many. */
static bool is_late(const struct result *r, int64_t now)
{
	return r->state == RESULT_WAITING && now - (r->sent ? r->sent_at : r->since) >= WAIT_MOST * INT64_C(1000000000);
}

void asks_tick(struct server *s, int64_t now)
{
	struct result *next;
	for (struct result *r = s->results.first; r; r = next) {
		next = r->next;
		if (!is_late(r, now))
			continue;
		if (r->sent)
			give_up(s, r, "MON-SRV-109", "the store's reader does not answer");
		else
			refuse_waiting(s, r);
	}
	ahead_step(s);
	asks_send(s);
}

/* ---- Answers ---- */
static unsigned status_of(const char *code)
{
	static const struct {
		const char *code;
		unsigned status;
	} known[] = {
		{ "SRV-022", 504 }, { "SRV-025", 503 }, { "SRV-109", 503 }, { "SRV-110", 503 }, { "STO-110", 503 },
		{ "STO-117", 503 },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(code, "MON-", 4) && !strcmp(known[i].code, code + 4))
			return known[i].status;
	return 500;
}

static void put_envelope(struct text *t, const struct request *r)
{
	const struct result *x = r->result;
	char text[MOMENTS_TEXT];
	if (x->as_of)
		text_printf(t, "{\"as_of\":\"%s\"", moments_format(x->as_of, text));
	else
		text_puts(t, "{\"as_of\":null");
	text_printf(t, ",\"simulated\":%s", x->simulated ? "true" : "false");
	if (!r->values.to)
		return;
	text_printf(t, ",\"from\":\"%s\"", moments_format(r->values.from, text));
	text_printf(t, ",\"to\":\"%s\"", moments_format(r->values.to, text));
}

static int answer_list(struct request *r)
{
	const struct result *x = r->result;
	struct text t = { .env = r->server->env };
	char cursor[CURSOR_TEXT];
	put_envelope(&t, r);
	text_puts(&t, ",\"rows\":");
	text_add(&t, x->rows->p, x->rows->n);
	text_puts(&t, ",\"next\":");
	if (x->more && r->resource->shape == SHAPE_LIST) {
		values_cursor(&r->values, r->values.offset + x->n_rows, cursor);
		text_printf(&t, "\"%s\"}\n", cursor);
	} else {
		text_puts(&t, "null}\n");
	}
	return answer_text(r, 200, HTTP_JSON, &t);
}

/* The rows alone. The file's name says what they are, and whether they are made up. */
static int answer_file(struct request *r, bool csv)
{
	const char *type = csv ? "text/csv; charset=utf-8; header=present" : "application/jsonl";
	struct MHD_Response *response = http_response(body_hold(r->result->rows), type);
	char name[200], cursor[CURSOR_TEXT];
	snprintf(name, sizeof name, "attachment; filename=\"monomi-%s%s.%s\"", r->resource->query,
	         r->result->simulated ? "-SIMULATED" : "", csv ? "csv" : "jsonl");
	bool ok = response && MHD_add_response_header(response, "Content-Disposition", name) == MHD_YES;
	if (ok && r->result->more && r->resource->shape == SHAPE_LIST) {
		values_cursor(&r->values, r->values.offset + r->result->n_rows, cursor);
		ok = MHD_add_response_header(response, "X-Monomi-Next", cursor) == MHD_YES;
	}
	if (response && !ok)
		MHD_destroy_response(response);
	return http_send(r, 200, ok ? response : NULL, "no-store");
}

int answer_result(struct request *r)
{
	const struct result *x = r->result;
	const char *format = values_text(&r->values, "format");
	if (!x || x->state == RESULT_WAITING)
		return answer_error(r, 503, "MON-SRV-109", "the store's reader does not answer");
	if (x->state == RESULT_FAILED)
		return answer_error(r, status_of(x->code), x->code, "%s", x->text);
	if (x->values.resource)
		r->values = x->values; /* its span is that of its commit */
	if (r->resource->answer)
		return r->resource->answer(r);
	if (r->resource->shape == SHAPE_ONE)
		return x->n_rows ? answer_body(r, 200, HTTP_JSON, body_hold(x->rows)) :
		       answer_error(r, 404, "MON-SRV-108", "nothing is known of that");
	if (format && strcmp(format, "json") != 0)
		return answer_file(r, !strcmp(format, "csv"));
	return answer_list(r);
}
