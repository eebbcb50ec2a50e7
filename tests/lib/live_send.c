/* Sends numbered UDP datagrams for tests, as fast as it can: INTERFACE MAC COUNT SECONDS [RATE [VLAN [SOURCES]]]. Frames come
 * from 198.19.0.7 port 7 to 198.18.x.y port 9; their payload is their number, 8 bytes big-endian. With SOURCES they are SYNs
 * of so many sources, each to one of a few ports, every 64th to all. SIGTERM ends it too. It says how many the kernel took.
 * RATE "bulk": as fast as it goes, 64 datagrams at a time, which the kernel takes apart (UDP GSO; the interface must not
 * take them whole: ethtool -K INTERFACE tx-udp-segmentation off). These 64 have one destination, and no tag. */
#include "base/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4 /* Linux 6.2 */
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif
#define BATCH 64
#define FRAME 64

static uint8_t frames[BATCH][FRAME];
static unsigned tag; /* 0: none */
static bool bulk;
static uint64_t sources;

static uint64_t mix(uint64_t x) /* splitmix64 */
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static void add_checksum(uint8_t *f)
{
	uint32_t sum = 0;
	for (int i = 14; i < 34; i += 2)
		sum += load_be16(f + i);
	sum = (sum & 0xffff) + (sum >> 16);
	store_be16(f + 24, (uint16_t)(0xffff - ((sum & 0xffff) + (sum >> 16))));
}

/* A SYN in place of the datagram. */
static void make_syn(uint8_t *f, uint64_t number)
{
	static const uint16_t ports[] = { 23, 445, 22, 80, 8080, 3389, 2323, 443, 1433, 5555, 3306, 6379, 8443, 81, 5900, 8088 };
	uint64_t who = mix(mix(number) % sources), what = mix(number);
	uint16_t port = who % 64 ? ports[who / 64 % 16] : (uint16_t)(what >> 16);
	store_be16(f + 16, 40);
	f[22] = (uint8_t)(40 + who % 20);
	f[23] = 6;
	store_be32(f + 26, 0x01000000 | (uint32_t)(who >> 8 & 0x5fffffff));
	store_be16(f + 34, (uint16_t)(32768 + (who >> 40) % 28000));
	store_be16(f + 36, port);
	store_be32(f + 38, (uint32_t)(what >> 32));
	store_be32(f + 42, 0);
	f[46] = 0x50;
	f[47] = 2;
	store_be16(f + 48, 29200);
}

static void make_frame(uint8_t *f, const uint8_t mac[static 6], uint64_t number)
{
	static const uint8_t from[6] = { 2, 0, 0, 0, 0, 2 };
	memset(f, 0, FRAME);
	memcpy(f, mac, 6);
	memcpy(f + 6, from, 6);
	if (tag) {
		store_be16(f + 12, ETH_P_8021Q);
		store_be16(f + 14, (uint16_t)tag);
		f += 4;
	}
	store_be16(f + 12, ETH_P_IP);
	f[14] = 0x45;
	store_be16(f + 16, 36);
	f[22] = 64;
	f[23] = 17;
	store_be32(f + 26, 0xc6130007);
	store_be32(f + 30, 0xc6120000 | (uint16_t)(number * 40503));
	store_be16(f + 34, 7);
	store_be16(f + 36, 9);
	store_be16(f + 38, 16);
	store_be64(f + 42, number);
	if (sources)
		make_syn(f, number);
	add_checksum(f);
}

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_interface(const char *name)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
	if (fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof where))
		return -1;
	if (setsockopt(fd, SOL_PACKET, bulk ? PACKET_VNET_HDR : PACKET_QDISC_BYPASS, &one, sizeof one))
		return -1;
	return fd;
}

#define HEADERS 42

/* One large datagram whose payload is `n` numbers; the kernel makes n datagrams of it. */
static void make_bulk(uint8_t *f, const uint8_t mac[static 6], uint64_t number, unsigned n)
{
	make_frame(f, mac, number);
	for (unsigned i = 0; i < n; i++)
		store_be64(f + HEADERS + 8 * (size_t)i, number + i);
	store_be16(f + 16, (uint16_t)(28 + 8 * n));
	store_be16(f + 24, 0);
	add_checksum(f);
	store_be16(f + 38, (uint16_t)(8 + 8 * n));
	uint32_t sum = 17 + 8 + 8 * n; /* of the pseudo-header: the kernel ends it */
	for (int i = 26; i < 34; i += 2)
		sum += load_be16(f + i);
	sum = (sum & 0xffff) + (sum >> 16);
	store_be16(f + 40, (uint16_t)((sum & 0xffff) + (sum >> 16)));
}

#define BULKS 16

static unsigned send_bulks(int fd, const uint8_t mac[static 6], uint64_t number, unsigned n)
{
	static uint8_t large[BULKS][HEADERS + 8 * BATCH + FRAME];
	struct virtio_net_hdr head = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
		                       .hdr_len = HEADERS, .gso_size = 8, .csum_start = 34, .csum_offset = 6 };
	struct mmsghdr messages[BULKS] = { 0 };
	struct iovec parts[BULKS][2];
	unsigned many = n / BATCH < BULKS ? n / BATCH : BULKS;
	for (unsigned i = 0; i < many; i++) {
		make_bulk(large[i], mac, number + (uint64_t)i * BATCH, BATCH);
		parts[i][0] = (struct iovec){ &head, sizeof head };
		parts[i][1] = (struct iovec){ large[i], HEADERS + 8 * BATCH };
		messages[i].msg_hdr.msg_iov = parts[i];
		messages[i].msg_hdr.msg_iovlen = 2;
	}
	int sent = sendmmsg(fd, messages, many, 0);
	if (sent < 0 && errno != ENOBUFS && errno != EAGAIN) {
		perror("live-send");
		exit(1);
	}
	return sent < 0 ? 0 : (unsigned)sent * BATCH;
}

/* How many of a batch went. */
static unsigned send_batch(int fd, unsigned n)
{
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	for (unsigned i = 0; i < n; i++) {
		parts[i] = (struct iovec){ frames[i], FRAME };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	int sent = sendmmsg(fd, messages, n, 0);
	if (sent < 0 && errno != ENOBUFS && errno != EAGAIN) {
		perror("live-send");
		exit(1);
	}
	return sent < 0 ? 0 : (unsigned)sent;
}

int main(int argc, char **argv)
{
	unsigned mac[6];
	uint8_t to[6];
	if (argc < 5 || sscanf(argv[2], "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6)
		return 2;
	for (int i = 0; i < 6; i++)
		to[i] = (uint8_t)mac[i];
	uint64_t most = strtoull(argv[3], NULL, 10), sent = 0;
	double seconds = strtod(argv[4], NULL), rate = argc > 5 ? strtod(argv[5], NULL) : 0, start = now(), at = start;
	bulk = argc > 5 && !strcmp(argv[5], "bulk");
	tag = argc > 6 ? (unsigned)strtoul(argv[6], NULL, 10) : 0;
	sources = argc > 7 ? strtoull(argv[7], NULL, 10) : 0;
	int fd = open_interface(argv[1]);
	if (fd < 0) {
		perror("live-send");
		return 1;
	}
	signal(SIGTERM, on_signal);
	while (!stop && sent < most && (at = now()) - start < seconds) {
		uint64_t due = rate > 0 ? (uint64_t)((at - start) * rate) : most;
		if (bulk) {
			if (most - sent < BATCH)
				break;
			sent += send_bulks(fd, to, sent, most - sent < BULKS * BATCH ? (unsigned)(most - sent) : BULKS * BATCH);
			continue;
		}
		unsigned n = (unsigned)(due - sent < BATCH ? due - sent : BATCH);
		n = most - sent < n ? (unsigned)(most - sent) : n;
		for (unsigned i = 0; i < n; i++)
			make_frame(frames[i], to, sent + i);
		if (n)
			sent += send_batch(fd, n);
		else
			nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
	printf("%llu %.3f\n", (unsigned long long)sent, at - start);
	return 0;
}
