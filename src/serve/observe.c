/* How it is: the status, its metrics (OpenMetrics 1.0), its health. */
#include "serve/answers.h"
#include "serve/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Only SCHEMA_VERSION is wanted of the list of columns. */
#define TABLE(...)
#define KEY(...)
#define COL(...)
#define END(...)
#include "model/tables.def"

static int64_t now_of(const struct server *s) { return s->env->realtime(s->env) / 1000000000; }

const char schema_of_status[] =
	"{\"allOf\":[{\"type\":\"object\",\"properties\":{\"version\":{\"type\":\"string\"},\"schema\":{\"type\":\"integer\"},"
	"\"now\":{\"type\":\"string\",\"format\":\"date-time\"},\"lag\":{\"type\":[\"integer\",\"null\"],"
	"\"description\":\"seconds since as_of\"},\"capturing\":{\"type\":\"boolean\"}},"
	"\"required\":[\"version\",\"schema\",\"now\",\"lag\",\"capturing\"]},{\"$ref\":\"#/components/schemas/status\"}],"
	"\"unevaluatedProperties\":false}";

/* The store's answer with what the server knows before it. */
int answer_status(struct request *r)
{
	const struct server *s = r->server;
	const struct body *rows = r->result->rows;
	char moment[MOMENTS_TEXT];
	struct text t = { .env = s->env };
	if (rows->n < 2 || rows->p[0] != '{')
		return answer_error(r, 500, "MON-SRV-111", "the store's answer has a wrong form");
	text_puts(&t, "{\"version\":");
	text_json(&t, s->config->version);
	text_printf(&t, ",\"schema\":%d,\"now\":\"%s\"", SCHEMA_VERSION, moments_format(now_of(s), moment));
	if (r->result->as_of)
		text_printf(&t, ",\"lag\":%" PRId64, now_of(s) - r->result->as_of);
	else
		text_puts(&t, ",\"lag\":null");
	text_printf(&t, ",\"capturing\":%s,", live_is_there(s) ? "true" : "false");
	text_add(&t, rows->p + 1, rows->n - 1);
	return answer_text(r, 200, HTTP_JSON, &t);
}

const char schema_of_about[] =
	"{\"type\":\"object\",\"properties\":{\"version\":{\"type\":\"string\"},\"schema\":{\"type\":\"integer\"},"
	"\"databases\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\"},"
	"\"type\":{\"type\":\"string\"},\"built\":{\"type\":\"string\",\"format\":\"date-time\"},"
	"\"credit\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"kind\",\"type\",\"built\",\"credit\"],"
	"\"additionalProperties\":false}},\"sensors\":{\"type\":\"array\",\"items\":"
	"{\"$ref\":\"#/components/schemas/sensor-names\",\"unevaluatedProperties\":false}}},"
	"\"required\":[\"version\",\"schema\",\"databases\",\"sensors\"],\"additionalProperties\":false}";

static void put_database(struct text *t, const struct serve_database *d)
{
	char moment[MOMENTS_TEXT];
	text_puts(t, "{\"kind\":");
	text_json(t, d->kind);
	text_puts(t, ",\"type\":");
	text_json(t, d->type);
	text_printf(t, ",\"built\":\"%s\",\"credit\":", moments_format(d->built, moment));
	if (d->credit)
		text_json(t, d->credit);
	else
		text_puts(t, "null");
	text_puts(t, "}");
}

int answer_about(struct request *r)
{
	const struct server *s = r->server;
	const struct body *rows = r->result->rows;
	struct text t = { .env = s->env };
	text_puts(&t, "{\"version\":");
	text_json(&t, s->config->version);
	text_printf(&t, ",\"schema\":%d,\"databases\":[", SCHEMA_VERSION);
	for (size_t i = 0; i < s->config->n_databases; i++) {
		text_puts(&t, i ? "," : "");
		put_database(&t, &s->config->databases[i]);
	}
	text_puts(&t, "],\"sensors\":");
	text_add(&t, rows->p, rows->n);
	text_puts(&t, "}\n");
	return answer_text(r, 200, HTTP_JSON, &t);
}

/* ---- Metrics ---- */
static void metric(struct text *t, const char *name, const char *type, const char *what)
{
	text_printf(t, "# TYPE monomi_%s %s\n# HELP monomi_%s %s\n", name, type, name, what);
}

static void gauge(struct text *t, const char *name, const char *what, int64_t value)
{
	metric(t, name, "gauge", what);
	text_printf(t, "monomi_%s %" PRId64 "\n", name, value);
}

static void counter(struct text *t, const char *name, const char *what, uint64_t value)
{
	metric(t, name, "counter", what);
	text_printf(t, "monomi_%s_total %" PRIu64 "\n", name, value);
}

static void put_answers(struct text *t, const struct counters *c)
{
	metric(t, "http_answers", "counter", "Answers by the first digit of their status.");
	for (unsigned i = 1; i < 6; i++)
		text_printf(t, "monomi_http_answers_total{status=\"%uxx\"} %" PRIu64 "\n", i, c->answers[i]);
}

/* What live counters say of each sensor (docs/formats/live.md): their names need no quoting, so a word is what stands up to
 * the next quote. */
static const char *word_after(const char *at, const char *end, const char *name, int *n)
{
	const char *found = at < end ? memmem(at, (size_t)(end - at), name, strlen(name)) : NULL;
	const char *word = found ? found + strlen(name) : NULL, *quote = word ? memchr(word, '"', (size_t)(end - word)) : NULL;
	*n = quote ? (int)(quote - word) : 0;
	return quote ? word : NULL;
}

static void put_modes(struct text *t, const struct server *s)
{
	if (!live_is_there(s))
		return;
	const char *at = s->live.now->p, *end = at + s->live.now->n, *sensor, *mode;
	const char *list = memmem(at, s->live.now->n, "\"seconds\":", 10);
	int n, m;
	metric(t, "sensor_mode", "gauge", "How a live sensor answers what comes.");
	for (end = list ? list : end; (sensor = word_after(at, end, "{\"sensor\":\"", &n)) &&
	     (mode = word_after(sensor, end, "\"mode\":\"", &m)); at = mode)
		text_printf(t, "monomi_sensor_mode{sensor=\"%.*s\",mode=\"%.*s\"} 1\n", n, sensor, m, mode);
}

int answer_metrics(struct request *r)
{
	const struct server *s = r->server;
	const struct counters *c = &s->counters;
	struct text t = { .env = s->env };
	metric(&t, "build", "info", "The program.");
	text_printf(&t, "monomi_build_info{version=\"%s\",schema=\"%d\"} 1\n", s->config->version, SCHEMA_VERSION);
	gauge(&t, "reader_up", "Whether the store's reader has spoken.", s->reader[0] != 0);
	gauge(&t, "capturing", "Whether live counters come.", live_is_there(s));
	put_modes(&t, s);
	gauge(&t, "simulated", "Whether packets are made up.", s->shown.simulated);
	gauge(&t, "as_of_seconds", "End of the last sealed minute, since 1970.", s->shown.as_of);
	gauge(&t, "lag_seconds", "Age of that.", s->shown.as_of ? now_of(s) - s->shown.as_of : 0);
	gauge(&t, "connections", "Connections that are open.", s->n_connections);
	gauge(&t, "streams", "Listeners to the event stream.", s->n_streams);
	gauge(&t, "results", "Results of queries that are kept.", s->results.n);
	gauge(&t, "results_bytes", "Their size.", (int64_t)s->results.bytes);
	counter(&t, "http_requests", "Requests.", c->requests);
	put_answers(&t, c);
	counter(&t, "http_hung_up", "Connections that were ended for their slowness.", c->refused);
	counter(&t, "queries", "Queries that the reader was asked.", c->asked);
	counter(&t, "queries_ahead", "Those that were asked for a new commit before it was shown.", c->ahead);
	counter(&t, "queries_kept", "Queries that a kept result answered.", c->kept);
	counter(&t, "queries_older", "Those of a commit before the one that is shown.", c->older);
	counter(&t, "queries_refused", "Queries that were refused since too many waited.", c->refused_queries);
	counter(&t, "queries_failed", "Queries that failed.", c->failed);
	metric(&t, "query_seconds", "counter", "Time that queries took.");
	text_printf(&t, "monomi_query_seconds_total %.6f\n", (double)c->query_ns / 1e9);
	counter(&t, "events", "Events that were sent to listeners.", c->events);
	counter(&t, "commits", "Commits that the reader told of.", s->commits);
	text_puts(&t, "# EOF\n");
	return answer_text(r, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8", &t);
}

/* ---- Health ---- */
static const char *illness(const struct server *s)
{
	int64_t now = s->env->monotonic(s->env);
	if (!s->reader[0])
		return "the store's reader has not spoken";
	for (const struct result *r = s->results.first; r; r = r->next)
		if (r->state == RESULT_WAITING && r->sent && now - r->sent_at > 30 * INT64_C(1000000000))
			return "the store's reader does not answer";
	if (!ahead_ready(s))
		return "what the pages ask for is not there yet";
	if (s->config->live_fd >= 0 && !live_is_there(s))
		return "no live counters come";
	return NULL;
}

int answer_health(struct request *r)
{
	const char *ill = illness(r->server);
	struct text t = { .env = r->server->env };
	text_printf(&t, "%s\n", ill ? ill : "ok");
	return answer_text(r, ill ? 503 : 200, "text/plain; charset=utf-8", &t);
}
