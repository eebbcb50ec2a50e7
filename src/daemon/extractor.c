/* The role extract: the packets behind a row for one request of the server, from the segments of the store. */
#include "daemon/extract.h"
#include "daemon/role.h"
#include "serve/serve.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BYTES_MOST ((uint64_t)16 << 20)
#define TIME_MOST INT64_C(20000000000) /* ns */
#define SECOND INT64_C(1000000000)

static int take_source(const char *text, struct extract_filter *f, struct error *e)
{
	struct prefix p;
	int rc = text ? prefix_parse(text, &p, e) : 0;
	if (!rc && text)
		f->source = p.net;
	f->has_source = text != NULL;
	return rc;
}

static int extract(void *ctx, const struct serve_packets *want, int out, struct serve_packets_found *found, struct error *e)
{
	const struct role_call *c = ctx;
	struct extract_request request = {
		.db = c->config->db, .sensor = want->sensor, .out = "-", .options = c->config->options,
		.filter = { .from = want->from * SECOND, .to = want->to * SECOND, .port = want->port, .protocol = -1, .type = -1,
		            .code = -1, .class = -1, .limit = want->limit, .bytes = BYTES_MOST,
		            .until = c->env->monotonic(c->env) + TIME_MOST },
	};
	struct extract_told told;
	int rc = take_source(want->source, &request.filter, e);
	if (!rc && want->protocol && (request.filter.protocol = extract_protocol(want->protocol)) < 0)
		rc = error_set(e, -EINVAL, "MON-DMN-049", "packets of '%.20s' are wanted, which is no protocol", want->protocol);
	if (!rc && dup2(out, STDOUT_FILENO) < 0)
		rc = error_set(e, -errno, "MON-DMN-031", "no descriptors to be had: %s", strerror(errno));
	if (!rc)
		rc = extract_store(c->env, &request, &told, e);
	if (!rc)
		*found = (struct serve_packets_found){ told.packets, told.lost, told.more };
	return rc;
}

int extractor_run(const struct role_call *c, struct error *e)
{
	const struct serve_extract_config config = { .fd = EXTRACT_FD_SERVER, .extract = extract,
		                                     .ctx = (void *)(uintptr_t)c };
	int rc = role_lock_in(c, e);
	if (!rc)
		rc = role_ready(c, e);
	return rc ? rc : serve_extract_run(c->env, &config, e);
}
