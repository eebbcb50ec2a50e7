/* Probes look like what scanners send, and are told from that by a tag: HMAC-SHA256 of minute, protocol and port under
 * the shared key. A SYN has room for four bytes of it, its sequence number; datagrams and echo requests carry twelve. No
 * address is in it, as a NAT may have changed both. */
#include "base/bytes.h"
#include "base/moment.h"
#include "capture/capture.h"
#include "daemon/sensor.h"
#include "packet/decode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAGIC 0x4d4f4e49u /* "MONI" */
#define WINDOW 61027u     /* of our SYNs: few others have it, so that the filter passes little else */
#define FILTER "ip and ((tcp[13] & 0x3f = 2 and tcp[14:2] = 61027) or udp[8:4] = 0x4d4f4e49 or icmp[8:4] = 0x4d4f4e49)"
#define TAG 12
#define ROUNDS 3
#define APART 10     /* ms between probes */
#define CLOCKS 2     /* minutes that two hosts' clocks may be apart */
#define RING (4u << 20)
#define BATCH 64

const struct reach_probe *reach_list(size_t *n)
{
	static const struct reach_probe list[] = {
		{ 1, 0 }, { 6, 21 }, { 6, 22 }, { 6, 23 }, { 6, 25 }, { 6, 53 }, { 6, 80 }, { 6, 110 }, { 6, 111 },
		{ 6, 135 }, { 6, 139 }, { 6, 143 }, { 6, 443 }, { 6, 445 }, { 6, 502 }, { 6, 1433 }, { 6, 1723 },
		{ 6, 2323 }, { 6, 3306 }, { 6, 3389 }, { 6, 5432 }, { 6, 5555 }, { 6, 5900 }, { 6, 6379 },
		{ 6, 7547 }, { 6, 8080 }, { 6, 8443 }, { 6, 9200 }, { 6, 11211 }, { 6, 37215 }, { 6, 52869 },
		{ 17, 53 }, { 17, 69 }, { 17, 111 }, { 17, 123 }, { 17, 137 }, { 17, 161 }, { 17, 389 }, { 17, 443 },
		{ 17, 500 }, { 17, 1434 }, { 17, 1900 }, { 17, 3702 }, { 17, 5060 }, { 17, 5353 }, { 17, 11211 },
		{ 17, 47808 }, { 17, 53413 },
	};
	_Static_assert(sizeof list / sizeof *list <= REACH_MOST, "there is room to say what came");
	*n = sizeof list / sizeof *list;
	return list;
}

int reach_key_read(struct reach_key *k, const struct env *env, const char *path, struct error *e)
{
	int fd = env->open(env, path, O_RDONLY, 0);
	if (fd < 0)
		return error_set(e, fd, "MON-DMN-053", "the key %s cannot be read: %s", path, strerror(-fd));
	ssize_t got = 1;
	for (k->n = 0; got > 0 && k->n < sizeof k->bytes; k->n += (size_t)got)
		while ((got = env->read(env, fd, k->bytes + k->n, sizeof k->bytes - k->n)) == -EINTR)
			;
	env->close(env, fd);
	if (got < 0)
		return error_set(e, (int)got, "MON-DMN-053", "the key %s cannot be read: %s", path, strerror((int)-got));
	if (k->n < 16)
		return error_set(e, -EINVAL, "MON-DMN-053", "the key %s has less than 16 bytes", path);
	return 0;
}

static bool make_tag(uint8_t out[static 32], const struct reach_key *k, int32_t minute, const struct reach_probe *p)
{
	uint8_t text[] = "monomi reach 1.........";
	unsigned n = 32;
	store_be32(text + 14, (uint32_t)minute);
	text[18] = p->proto;
	store_be16(text + 19, p->port);
	return HMAC(EVP_sha256(), k->bytes, (int)k->n, text, 21, out, &n) != NULL;
}

/* --- sending --- */

struct sender {
	struct sockaddr_in to, from;
	int tcp, icmp;
	uint16_t round;
};

static uint16_t checksum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += load_be16(p + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(0xffff - ((sum & 0xffff) + (sum >> 16)));
}

/* RFC 9293 section 3.1; MSS 1460 as the only option. */
static ssize_t send_syn(const struct sender *s, const struct reach_probe *p, const uint8_t tag[static 4])
{
	uint8_t t[24] = { 0 }, pseudo[8];
	store_be16(t, (uint16_t)(40000 + s->round));
	store_be16(t + 2, p->port);
	memcpy(t + 4, tag, 4);
	t[12] = 0x60;
	t[13] = 2;
	store_be16(t + 14, WINDOW);
	store_be32(t + 20, 0x020405b4);
	memcpy(pseudo, &s->from.sin_addr, 4);
	memcpy(pseudo + 4, &s->to.sin_addr, 4);
	uint32_t sum = 6 + sizeof t;
	for (int i = 0; i < 8; i += 2)
		sum += load_be16(pseudo + i);
	store_be16(t + 16, checksum(t, sizeof t, sum));
	return send(s->tcp, t, sizeof t, 0);
}

/* RFC 792. */
static ssize_t send_echo(const struct sender *s, const uint8_t tag[static TAG])
{
	uint8_t t[8 + 4 + TAG] = { 8 };
	store_be16(t + 4, (uint16_t)(40000 + s->round));
	store_be32(t + 8, MAGIC);
	memcpy(t + 12, tag, TAG);
	store_be16(t + 2, checksum(t, sizeof t, 0));
	return send(s->icmp, t, sizeof t, 0);
}

static ssize_t send_datagram(const struct env *env, const struct sender *s, const struct reach_probe *p,
                             const uint8_t tag[static TAG])
{
	uint8_t t[4 + TAG];
	struct sockaddr_in to = s->to;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	store_be32(t, MAGIC);
	memcpy(t + 4, tag, TAG);
	to.sin_port = htons(p->port);
	ssize_t sent = sendto(fd, t, sizeof t, 0, (struct sockaddr *)&to, sizeof to);
	int reason = errno;
	env->close(env, fd);
	errno = reason;
	return sent;
}

/* What a firewall of this very host refuses is no error: the other side will miss it. */
static int send_one(const struct env *env, const struct sender *s, const struct reach_probe *p, const struct reach_key *k,
                    struct error *e)
{
	uint8_t tag[32];
	if (!make_tag(tag, k, moment_minute(env->realtime(env)), p))
		return error_set(e, -EIO, "MON-DMN-054", "a probe cannot be signed");
	ssize_t sent = p->proto == 6 ? send_syn(s, p, tag) : p->proto == 1 ? send_echo(s, tag) : send_datagram(env, s, p, tag);
	if (sent >= 0 || errno == EPERM || errno == ECONNREFUSED || errno == ENOBUFS)
		return 0;
	return error_set(e, -errno, "MON-DMN-054", "a probe cannot be sent: %s", strerror(errno));
}

static int open_raw(struct sender *s, int protocol, int *fd, struct error *e)
{
	socklen_t n = sizeof s->from;
	*fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (*fd >= 0 && !connect(*fd, (struct sockaddr *)&s->to, sizeof s->to) &&
	    !getsockname(*fd, (struct sockaddr *)&s->from, &n))
		return 0;
	return error_set(e, -errno, "MON-DMN-054", "probes cannot be sent from here: %s", strerror(errno));
}

int reach_send(const struct env *env, const struct addr *to, const struct reach_key *k, struct error *e)
{
	struct sender s = { .to = { .sin_family = AF_INET }, .tcp = -1, .icmp = -1 };
	size_t n;
	const struct reach_probe *list = reach_list(&n);
	if (!addr_is_v4(to))
		return error_set(e, -EAFNOSUPPORT, "MON-DMN-054", "probes are sent to IPv4 addresses only");
	s.to.sin_addr.s_addr = htonl(addr_v4(to));
	int rc = open_raw(&s, IPPROTO_TCP, &s.tcp, e);
	if (!rc)
		rc = open_raw(&s, IPPROTO_ICMP, &s.icmp, e);
	for (size_t i = 0; !rc && i < ROUNDS * n; i++) {
		s.round = (uint16_t)(i / n);
		rc = send_one(env, &s, &list[i % n], k, e);
		poll(NULL, 0, APART);
	}
	if (s.tcp >= 0)
		env->close(env, s.tcp);
	if (s.icmp >= 0)
		env->close(env, s.icmp);
	return rc;
}

/* --- listening --- */

/* Bytes of the tag that a packet carries; 0: it is no probe. */
static size_t tag_of(const struct packet *p, const uint8_t **tag)
{
	const uint8_t *payload = p->ip + p->payload_offset;
	if (p->version != 4 || !(p->bits & PACKET_L4))
		return 0;
	*tag = p->ip + p->l4_offset + 4;
	if (p->proto == PROTO_TCP)
		return 4;
	*tag = payload + 4;
	return p->payload_len >= 4 + TAG && load_be32(payload) == MAGIC ? TAG : 0;
}

static void note_packet(const struct packet *p, const struct reach_key *k, bool came[static REACH_MOST])
{
	size_t n;
	const struct reach_probe *list = reach_list(&n);
	const uint8_t *tag;
	uint8_t right[32];
	size_t length = tag_of(p, &tag);
	for (size_t i = 0; length && i < n; i++) {
		if (list[i].proto != p->proto || (p->proto != PROTO_ICMP && list[i].port != p->dport))
			continue;
		for (int32_t apart = -CLOCKS; apart <= CLOCKS; apart++)
			came[i] |= make_tag(right, k, moment_minute(p->ts) + apart, &list[i]) && !memcmp(right, tag, length);
	}
}

static void note_frames(const struct frame_block *b, const struct reach_key *k, bool came[static REACH_MOST])
{
	static const struct decode_config plain;
	struct packet packets[BATCH];
	for (uint32_t at = 0; at < b->n; at += BATCH) {
		uint32_t n = b->n - at < BATCH ? b->n - at : BATCH;
		decode_frames(&plain, &b->frames[at], packets, n);
		for (uint32_t i = 0; i < n; i++)
			if (packets[i].ip)
				note_packet(&packets[i], k, came);
	}
}

struct pieces_of_reach {
	const struct env *env;
	const char *folder;
	const struct reach_key *key;
	bool *came;
	struct error *e;
};

/* Reads a piece and removes it. */
static int take_piece(void *ctx, const char *name)
{
	const struct pieces_of_reach *x = ctx;
	const struct capture_config config = { 0 };
	struct piece_name n;
	struct capture *c = NULL;
	struct frame_block b;
	char path[4200];
	snprintf(path, sizeof path, "%s/%s", x->folder, name);
	int rc = frame_block_init(&b, x->env, x->e);
	if (!rc && piece_name_parse(name, &n) && !n.closed)
		rc = capture_open(&c, x->env, path, &config, x->e);
	while (!rc && c && (rc = capture_read(c, &b, x->e)) == CAPTURE_FRAMES) {
		note_frames(&b, x->key, x->came);
		rc = 0;
	}
	capture_close(c);
	frame_block_fini(&b, x->env);
	x->env->unlink(x->env, path);
	return rc < 0 ? rc : 0;
}

static int capture_for(const struct env *env, const struct live_config *config, unsigned seconds,
                       const volatile sig_atomic_t *stop, struct error *e)
{
	struct live *l;
	int rc = live_open(&l, env, config, e);
	if (rc)
		return rc;
	int64_t begin = env->monotonic(env);
	while (!rc && !*stop && env->monotonic(env) - begin < seconds * INT64_C(1000000000))
		rc = live_step(l, 200, e);
	int closed = live_close(l, rc ? NULL : e);
	return rc ? rc : closed;
}

static int make_folder(const struct env *env, char *out, size_t n, struct error *e)
{
	const char *parent = getenv("TMPDIR");
	uint64_t number;
	int rc = env->random(env, &number, sizeof number);
	snprintf(out, n, "%s/monomi-reach-%016llx", parent && *parent ? parent : "/tmp", (unsigned long long)number);
	rc = rc ? rc : env->mkdir(env, out, 0700);
	return rc ? error_set(e, rc, "MON-DMN-054", "%s cannot be made: %s", out, strerror(-rc)) : 0;
}

int reach_socket(int *fd, const struct env *env, const char *interface, struct error *e)
{
	const struct live_socket_config config = { .interface = interface, .filter = FILTER, .ring = RING };
	return live_socket_open(fd, env, &config, e);
}

int reach_listen(const struct env *env, int fd, const struct reach_key *k, unsigned seconds,
                 const volatile sig_atomic_t *stop, bool came[static REACH_MOST], struct error *e)
{
	char folder[4096];
	struct live_config config = { .socket = fd, .ring = RING, .folder = folder };
	memset(came, 0, REACH_MOST * sizeof *came);
	int rc = make_folder(env, folder, sizeof folder, e);
	if (!rc) {
		rc = capture_for(env, &config, seconds, stop, e);
		struct pieces_of_reach x = { env, folder, k, came, e };
		int taken = env->list(env, folder, take_piece, &x);
		env->rmdir(env, folder);
		rc = rc ? rc : taken;
	}
	env->close(env, fd);
	return rc;
}
