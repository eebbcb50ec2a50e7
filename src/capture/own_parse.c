#include "capture/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PART 80

static int parse_port(const char *text, struct live_own *out, struct error *e)
{
	char *end;
	out->proto = !strncmp(text, "tcp/", 4) ? 6 : 17;
	unsigned long port = strtoul(text + 4, &end, 10);
	if (end == text + 4 || text[4] < '0' || text[4] > '9' || port < 1 || port > 65535)
		return error_set(e, -EINVAL, "MON-CAP-066", "'%s' has no port from 1 to 65535", text);
	out->port = (uint16_t)port;
	if (!*end)
		return 0;
	if (*end != '@')
		return error_set(e, -EINVAL, "MON-CAP-066", "'%s': behind a port comes nothing, or @ and a prefix", text);
	return prefix_parse(end + 1, &out->peer, e);
}

static int parse_part(const char *text, struct live_own *out, struct error *e)
{
	*out = (struct live_own){ 0 };
	if (!strncmp(text, "tcp/", 4) || !strncmp(text, "udp/", 4))
		return parse_port(text, out, e);
	return prefix_parse(text, &out->peer, e);
}

int live_own_parse(const char *text, struct live_own *out, size_t room, size_t *n, struct error *e)
{
	for (*n = 0;; text++) {
		char part[PART];
		size_t length = strcspn(text, ",");
		if (!length || length >= sizeof part)
			return error_set(e, -EINVAL, "MON-CAP-066", "'%.60s' is no list of ports and prefixes", text);
		if (*n == room)
			return error_set(e, -E2BIG, "MON-CAP-066", "more than %zu ports and prefixes of management", room);
		memcpy(part, text, length);
		part[length] = 0;
		int rc = parse_part(part, &out[*n], e);
		if (rc)
			return rc;
		++*n;
		text += length;
		if (!*text)
			return 0;
	}
}
