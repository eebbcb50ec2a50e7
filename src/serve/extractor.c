/* The role that looks for packets: one request, one capture in a file in memory, and its end. */
#include "serve/message.h"
#include "serve/serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { WANT_ID = 1, WANT_FROM, WANT_TO, WANT_SENSOR, WANT_SOURCE, WANT_PROTOCOL, WANT_PORT, WANT_LIMIT, WANT_FIELDS };

static const char *given(const char *field) { return *field ? field : NULL; }

static bool parse(const struct message *m, struct serve_packets *out)
{
	uint64_t from, to, port = 0;
	if (!message_is(m, "packets", WANT_FIELDS) || !message_number(m->field[WANT_FROM], &from) ||
	    !message_number(m->field[WANT_TO], &to) || !message_number(m->field[WANT_LIMIT], &out->limit) ||
	    (*m->field[WANT_PORT] && !message_number(m->field[WANT_PORT], &port)) || from > UINT32_MAX || to > UINT32_MAX)
		return false;
	out->from = (int64_t)from;
	out->to = (int64_t)to;
	out->sensor = given(m->field[WANT_SENSOR]);
	out->source = given(m->field[WANT_SOURCE]);
	out->protocol = given(m->field[WANT_PROTOCOL]);
	out->port = *m->field[WANT_PORT] ? (int)port : -1;
	return true;
}

static int answer(const struct env *env, const struct serve_extract_config *config, struct message *m, struct error *e)
{
	struct serve_packets want;
	struct serve_packets_found found = { 0 };
	char id[24];
	int out = memfd_create("monomi-packets", MFD_CLOEXEC), rc;
	if (out < 0)
		return error_set(e, -errno, "MON-SRV-027", "there is no memory for packets: %s", strerror(errno));
	rc = parse(m, &want) ? config->extract(config->ctx, &want, out, &found, e) :
	     error_set(e, -EINVAL, "MON-SRV-021", "a request of the server has a wrong form");
	snprintf(id, sizeof id, "%s", m->n_fields > WANT_ID ? m->field[WANT_ID] : "");
	message_begin(m, rc ? "fail" : "packets");
	message_add(m, id);
	if (rc) {
		message_add(m, e->code);
		message_add(m, e->text);
	} else {
		message_add_number(m, found.packets);
		message_add_number(m, found.lost);
		message_add_number(m, found.more);
	}
	message_send(config->fd, m, rc ? -1 : out, true);
	env->close(env, out);
	return 0;
}

int serve_extract_run(const struct env *env, const struct serve_extract_config *config, struct error *e)
{
	struct message *m = env_alloc(env, sizeof *m);
	if (!m)
		return error_no_memory(e, "looking for packets");
	int rc = message_receive(env, config->fd, m);
	if (rc == 1) {
		if (m->fd >= 0)
			env->close(env, m->fd);
		rc = answer(env, config, m, e);
	} else {
		rc = rc == -EAGAIN || rc == -EPROTO ? 0 :
		     error_set(e, rc ? rc : -EPIPE, "MON-SRV-027", "no request for packets can be received");
	}
	env_free(env, m, sizeof *m);
	return rc;
}
