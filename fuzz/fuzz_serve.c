/* Links: serve */
/* Any bytes as what a client or the other role sends: paths, parameters, a body of addresses, a message. Nothing outside is
 * read; what is taken is within its bounds.
 *
 * Input: which (1), then the bytes; of a request PATH, NAME, VALUE, NAME, VALUE … with zero bytes between. */
#include "serve/message.h"
#include "serve/server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AS_OF INT64_C(1795500060)

static void as_request(const char *text, size_t n)
{
	const char *end = text + n, *name = text + strlen(text) + 1;
	struct part parts[RESOURCE_PARTS];
	unsigned n_parts;
	struct values v;
	struct error e;
	const struct resource *x = resources_find(text, parts, &n_parts);
	if (!x)
		return;
	for (unsigned i = 0; i < n_parts; i++)
		if (parts[i].p < text || parts[i].n > strlen(text))
			abort();
	values_begin(&v, x);
	while (name < end) {
		const char *value = name + strlen(name) + 1;
		if (value >= end || values_take(&v, name, value, &e))
			return;
		name = value + strlen(value) + 1;
	}
	if (values_end(&v, AS_OF, &e))
		return;
	if (v.to && (v.from < 0 || v.from >= v.to + 86400 || v.before > v.from || v.limit > 10000))
		abort();
}

static void as_body(const uint8_t *data, size_t n)
{
	struct request *r = calloc(1, sizeof *r);
	struct error e;
	if (!r || !(r->upload = malloc(UPLOAD_MOST)))
		abort();
	r->n_upload = n < UPLOAD_MOST ? n : UPLOAD_MOST;
	memcpy(r->upload, data, r->n_upload);
	if (!addresses_take(r, &e) && (strlen(r->upload) != r->n_upload || r->n_upload > UPLOAD_MOST))
		abort();
	free(r->upload);
	free(r);
}

static void as_message(const uint8_t *data, size_t n)
{
	static struct message m;
	int pair[2];
	uint64_t number;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		abort();
	if (send(pair[0], data, n < 65536 ? n : 65536, 0) > 0 && message_receive(env_system(), pair[1], &m) == 1)
		for (size_t i = 0; i < m.n_fields; i++)
			message_number(m.field[i], &number);
	env_system()->close(env_system(), pair[0]);
	env_system()->close(env_system(), pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4096];
	if (size < 2)
		return 0;
	size_t n = size - 1 < sizeof text - 1 ? size - 1 : sizeof text - 1;
	memcpy(text, data + 1, n);
	text[n] = 0;
	if (data[0] % 3 == 0)
		as_request(text, n);
	else if (data[0] % 3 == 1)
		as_body(data + 1, size - 1);
	else
		as_message(data + 1, size - 1);
	return 0;
}
