/* {"addresses":["192.0.2.1",…]}: what a POST of many addresses brings. */
#include "serve/server.h"

#include "base/addr.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define ADDRESSES_MOST 1000

static int add_one(struct request *r, const json_t *value, size_t i, struct error *e)
{
	const char *s = json_string_value(value);
	struct prefix p;
	char text[ADDR_TEXT];
	if (!s || strlen(s) != json_string_length(value) || strchr(s, '/') || prefix_parse(s, &p, NULL))
		return error_set(e, -EINVAL, "MON-SRV-113", "`addresses`: the value at %zu is no IPv4 or IPv6 address", i);
	size_t n = strlen(addr_format(&p.net, text)), room = UPLOAD_MOST - r->n_upload;
	if (n + 2 > room)
		return error_set(e, -EINVAL, "MON-SRV-113", "the addresses are too long together");
	r->n_upload += (size_t)snprintf(r->upload + r->n_upload, room, "%s%s", i ? "," : "", text);
	return 0;
}

int addresses_take(struct request *r, struct error *e)
{
	json_error_t where;
	if (!r->upload || r->n_upload > UPLOAD_MOST)
		return error_set(e, -EINVAL, "MON-SRV-113", "a body as {\"addresses\":[…]} of at most %zu bytes is wanted",
		                 UPLOAD_MOST);
	json_t *body = json_loadb(r->upload, r->n_upload, JSON_REJECT_DUPLICATES, &where);
	const json_t *list = body ? json_object_get(body, "addresses") : NULL;
	size_t n = list ? json_array_size(list) : 0;
	int rc = 0;
	r->n_upload = 0;
	if (!n || n > ADDRESSES_MOST || json_object_size(body) != 1)
		rc = error_set(e, -EINVAL, "MON-SRV-113", "the body is {\"addresses\":[…]} with 1 to %d addresses", ADDRESSES_MOST);
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_one(r, json_array_get(list, i), i, e);
	json_decref(body);
	return rc;
}
