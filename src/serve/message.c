#include "serve/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void message_begin(struct message *m, const char *what)
{
	m->n = m->n_fields = 0;
	m->fd = -1;
	m->failed = false;
	message_add(m, what);
}

void message_add(struct message *m, const char *field)
{
	size_t n = strlen(field) + 1;
	if (n > sizeof m->bytes - m->n || m->n_fields == MESSAGE_FIELDS) {
		m->failed = true;
		return;
	}
	m->field[m->n_fields++] = m->bytes + m->n;
	memcpy(m->bytes + m->n, field, n);
	m->n += n;
}

void message_add_number(struct message *m, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, number);
	message_add(m, text);
}

int message_send(int socket, const struct message *m, int fd, bool wait)
{
	struct iovec bytes = { .iov_base = (char *)m->bytes, .iov_len = m->n };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr h = { .msg_iov = &bytes, .msg_iovlen = 1 };
	if (m->failed)
		return -E2BIG;
	if (fd >= 0) {
		h.msg_control = control.room;
		h.msg_controllen = sizeof control.room;
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	for (;;) {
		ssize_t n = sendmsg(socket, &h, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
		if (n >= 0 || errno != EINTR)
			return n < 0 ? -errno : 0;
	}
}

/* The first descriptor is the message's; whoever sends more of them gets them closed. */
static void take_descriptors(const struct env *env, struct msghdr *h, struct message *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (m->fd < 0)
				m->fd = fd;
			else
				env->close(env, fd);
		}
	}
}

/* The fields are where zero bytes end them; the last one must be ended too. */
static bool split(struct message *m)
{
	const char *p = m->bytes, *end = m->bytes + m->n;
	m->n_fields = 0;
	if (!m->n || end[-1])
		return false;
	while (p < end && m->n_fields < MESSAGE_FIELDS) {
		m->field[m->n_fields++] = p;
		p += strlen(p) + 1;
	}
	return p == end;
}

int message_receive(const struct env *env, int socket, struct message *m)
{
	struct iovec bytes = { .iov_base = m->bytes, .iov_len = sizeof m->bytes };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct msghdr h = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room,
		            .msg_controllen = sizeof control.room };
	ssize_t n;
	do
		n = recvmsg(socket, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	m->fd = -1;
	m->n = n > 0 ? (size_t)n : 0;
	m->failed = false;
	if (n <= 0)
		return n < 0 ? -errno : 0;
	take_descriptors(env, &h, m);
	if (!(h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && split(m))
		return 1;
	if (m->fd >= 0)
		env->close(env, m->fd);
	m->fd = -1;
	return -EPROTO;
}

bool message_is(const struct message *m, const char *what, size_t fields_least)
{
	return m->n_fields >= fields_least && m->n_fields && !strcmp(m->field[0], what);
}

bool message_number(const char *field, uint64_t *out)
{
	uint64_t n = 0;
	if (!*field || strlen(field) > 20)
		return false;
	for (const char *p = field; *p; p++) {
		if (*p < '0' || *p > '9' || n > (UINT64_MAX - (uint64_t)(*p - '0')) / 10)
			return false;
		n = 10 * n + (uint64_t)(*p - '0');
	}
	*out = n;
	return true;
}
