/* The address that is listened on: one of this machine's own for as long as nobody logs in. */
#include "serve/serve.h"

#include "base/addr.h"
#include "base/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WAITING_MOST 256

/* "127.0.0.1:8080", "[::1]:8080" */
static bool parse(const char *text, struct sockaddr_storage *out, socklen_t *n)
{
	char host[64], *end;
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : sizeof host;
	if (length >= sizeof host || colon[1] < '0' || colon[1] > '9')
		return false;
	unsigned long port = strtoul(colon + 1, &end, 10);
	snprintf(host, sizeof host, "%.*s", (int)length, text);
	if (*end || port > 65535)
		return false;
	if (host[0] == '[' && host[length - 1] == ']') {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;
		host[length - 1] = 0;
		*a = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
		*n = sizeof *a;
		return inet_pton(AF_INET6, host + 1, &a->sin6_addr) == 1;
	}
	struct sockaddr_in *a = (struct sockaddr_in *)out;
	*a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	*n = sizeof *a;
	return inet_pton(AF_INET, !strcmp(host, "localhost") ? "127.0.0.1" : host, &a->sin_addr) == 1;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
}

static void write_url(int fd, char url[static SERVE_URL])
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof a;
	char text[INET6_ADDRSTRLEN] = "";
	getsockname(fd, (struct sockaddr *)&a, &n);
	if (a.ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&a;
		snprintf(url, SERVE_URL, "http://[%s]:%u/", inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text),
		         ntohs(six->sin6_port));
		return;
	}
	const struct sockaddr_in *four = (const struct sockaddr_in *)&a;
	inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
	snprintf(url, SERVE_URL, "http://%s:%u/", text, ntohs(four->sin_port));
}

static int read_address(const char *text, struct sockaddr_storage *a, socklen_t *n, struct error *e)
{
	if (!parse(text, a, n))
		return error_set(e, -EINVAL, "MON-SRV-001", "'%.60s' is no address and port as 127.0.0.1:8080", text);
	if (!is_loopback(a))
		return error_set(e, -EPERM, "MON-SRV-001",
		                 "'%.60s' is not this machine alone (127.0.0.1 or [::1]): nobody logs in yet", text);
	return 0;
}

int serve_address_check(const char *address, struct error *e)
{
	struct sockaddr_storage a;
	socklen_t n;
	return read_address(address, &a, &n, e);
}

int serve_listen(const char *address, bool inherit, int *fd, char url[static SERVE_URL], struct error *e)
{
	struct sockaddr_storage a;
	socklen_t n;
	int on = 1;
	int rc = read_address(address, &a, &n, e);
	if (rc)
		return rc;
	*fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | (inherit ? 0 : SOCK_CLOEXEC), 0);
	rc = *fd < 0 ? -errno : 0;
	if (!rc && (setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) || bind(*fd, (struct sockaddr *)&a, n) ||
	            listen(*fd, WAITING_MOST)))
		rc = -errno;
	if (!rc) {
		write_url(*fd, url);
		return 0;
	}
	if (*fd >= 0)
		env_system()->close(env_system(), *fd);
	*fd = -1;
	return error_set(e, rc, "MON-SRV-002", "%.60s cannot be listened on: %s", address, strerror(-rc));
}
