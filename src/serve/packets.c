/* /v1/packets: the packets behind a row, as a capture. It shows monitored addresses, for analysts on this machine alone:
 * for as long as nobody logs in, only who asks a loopback address is answered. */
#include "serve/answers.h"
#include "serve/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAITING_MOST 8  /* they are looked for one after the other */
#define WAIT_MOST 60    /* seconds */

/* ---- What is wanted ---- */
static void add(struct message *m, const struct values *v, const char *name)
{
	const char *text = values_text(v, name);
	message_add(m, text ? text : "");
}

static int send_want(struct server *s, struct request *r)
{
	static const char *const fields[] = { "sensor", "source", "protocol", "port" };
	const struct values *v = &r->values;
	struct message *m = &s->message;
	message_begin(m, "packets");
	message_add_number(m, r->packets.id);
	message_add_number(m, (uint64_t)(v->from > 0 ? v->from : 0));
	message_add_number(m, (uint64_t)v->to);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		add(m, v, fields[i]);
	message_add_number(m, v->limit);
	return message_send(s->config->packets_fd, m, -1, false);
}

static int ask(struct request *r)
{
	struct server *s = r->server;
	if (s->config->packets_fd < 0 || !s->on_loopback)
		return answer_error(r, 403, "MON-SRV-114", "packets are given on this machine alone");
	if (!values_text(&r->values, "source") && !values_text(&r->values, "port"))
		return answer_error(r, 400, "MON-SRV-106", "`source` or `port` is wanted: the packets of all are too many");
	if (r->head)
		return answer_body(r, 200, RESOURCE_PACKETS, body_make(s->env, 0));
	r->packets.id = ++s->packets_id;
	if (s->n_packets >= WAITING_MOST || send_want(s, r))
		return answer_error(r, 503, "MON-SRV-110", "others wait for packets already: ask again in a while");
	r->packets.since = s->env->monotonic(s->env);
	r->next = s->packets;
	s->packets = r;
	s->n_packets++;
	r->suspended = true;
	MHD_suspend_connection(r->connection);
	return 0;
}

/* ---- What came ---- */
static struct request *take_out(struct server *s, const struct request *r)
{
	struct request **at = &s->packets;
	while (*at && *at != r)
		at = &(*at)->next;
	struct request *found = *at;
	if (found) {
		*at = found->next;
		s->n_packets--;
	}
	return found;
}

static void settle(struct server *s, struct request *r, const char *code, const char *text)
{
	take_out(s, r);
	r->packets.there = true;
	snprintf(r->packets.code, sizeof r->packets.code, "%s", code);
	snprintf(r->packets.text, sizeof r->packets.text, "%s", text);
	http_resume(r);
}

static struct request *find(const struct server *s, const char *field)
{
	uint64_t id;
	struct request *r = message_number(field, &id) ? s->packets : NULL;
	while (r && r->packets.id != id)
		r = r->next;
	return r;
}

static void take(struct server *s, struct message *m)
{
	struct request *r = m->n_fields > 1 ? find(s, m->field[1]) : NULL;
	if (r && message_is(m, "fail", 4)) {
		settle(s, r, m->field[2], m->field[3]);
	} else if (r && message_is(m, "packets", 5) && m->fd >= 0 && message_number(m->field[2], &r->packets.found) &&
	           message_number(m->field[3], &r->packets.lost) && message_number(m->field[4], &r->packets.more)) {
		r->packets.fd = m->fd;
		m->fd = -1;
		settle(s, r, "", "");
	}
	if (m->fd >= 0)
		s->env->close(s->env, m->fd);
}

void packets_receive(struct server *s)
{
	int rc;
	while ((rc = message_receive(s->env, s->config->packets_fd, &s->message)) == 1 || rc == -EPROTO)
		if (rc == 1)
			take(s, &s->message);
}

void packets_tick(struct server *s, int64_t now)
{
	struct request *next;
	for (struct request *r = s->packets; r; r = next) {
		next = r->next;
		if (s->ending || now - r->packets.since > WAIT_MOST * INT64_C(1000000000))
			settle(s, r, "MON-SRV-109", "who looks for packets does not answer");
	}
}

void packets_leave(struct request *r)
{
	take_out(r->server, r);
	if (r->packets.there && r->packets.fd >= 0)
		r->server->env->close(r->server->env, r->packets.fd);
	r->packets.there = false;
}

/* ---- The answer ---- */
static bool add_header(struct MHD_Response *response, const char *name, const char *format, uint64_t n)
{
	char text[80];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof text, format, n);
#pragma GCC diagnostic pop
	return MHD_add_response_header(response, name, text) == MHD_YES;
}

static int give(struct request *r)
{
	const struct packets_wait *p = &r->packets;
	off_t size = lseek(p->fd, 0, SEEK_END);
	struct MHD_Response *response = size < 0 ? NULL : MHD_create_response_from_fd((size_t)size, p->fd);
	if (!response)
		return -ENOMEM;
	r->packets.fd = -1; /* the response closes it */
	bool ok = MHD_add_response_header(response, "Content-Type", RESOURCE_PACKETS) == MHD_YES &&
	          MHD_add_response_header(response, "Content-Disposition", r->server->shown.simulated ?
	                                  "attachment; filename=\"monomi-packets-SIMULATED.pcapng\"" :
	                                  "attachment; filename=\"monomi-packets.pcapng\"") == MHD_YES &&
	          add_header(response, "X-Monomi-Packets", "%" PRIu64, p->found) &&
	          (!p->more || add_header(response, "X-Monomi-More", "%" PRIu64, p->more)) &&
	          (!p->lost || add_header(response, "X-Monomi-Unread", "%" PRIu64, p->lost));
	if (!ok)
		MHD_destroy_response(response);
	return http_send(r, 200, ok ? response : NULL, "no-store");
}

int answer_packets(struct request *r)
{
	const struct packets_wait *p = &r->packets;
	if (!p->id)
		return ask(r);
	if (!p->there)
		return answer_error(r, 503, "MON-SRV-109", "who looks for packets does not answer");
	if (p->code[0])
		return answer_error(r, !strcmp(p->code, "MON-SRV-109") ? 503 : 500, p->code, "%s", p->text);
	if (!p->found && p->lost)
		return answer_error(r, 410, "MON-SRV-115", "what was captured then is not kept any more, or not where it was");
	return p->found ? give(r) : answer_error(r, 404, "MON-SRV-108", "nothing is known of that");
}
