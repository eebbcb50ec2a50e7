/* Frames as hex text in, packets as one line out, so that a test of the decoders is a table that can be read. */
#pragma once
#include "packet/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A frame whose bytes stand alone in memory, so that a sanitizer sees a read past them. */
struct bytes {
	uint8_t *p;
	uint32_t n;
};

static inline struct bytes bytes_of(const char *hex)
{
	struct bytes b = { .p = malloc(strlen(hex) / 2 + 1) };
	char two[3] = { 0 };

	assert_non_null(b.p);
	for (int k = 0; *hex; hex++) {
		if (*hex == ' ')
			continue;
		two[k++] = *hex;
		if (k == 2) {
			b.p[b.n++] = (uint8_t)strtoul(two, NULL, 16);
			k = 0;
		}
	}
	b.p = realloc(b.p, b.n ? b.n : 1);
	return b;
}

static inline void text_flags(const struct packet *p, char *out, size_t n)
{
	static const char *const names[] = {
		"DF", "FRAG", "LATER", "TINY", "TRUNC", "L4", "TUNNEL", "LOCAL", "BADSUM", "OWN", "OUTGOING", "OUTERFRAG",
		"OPTIONS", "EVIL",
	};

	for (size_t i = 0, at = 0; i < COUNT(names); i++)
		if (p->bits >> i & 1)
			at += (size_t)snprintf(out + at, n - at, " %s", names[i]);
}

static inline void text_addresses(const struct packet *p, char *out, size_t n)
{
	if (p->version == 4)
		snprintf(out, n, "%x>%x", p->src, p->dst.v4);
	else if (p->version == 6)
		snprintf(out, n, "%02x%02x..%02x>%02x%02x..%02x", p->addrs6[0], p->addrs6[1], p->addrs6[15], p->addrs6[16],
		         p->addrs6[17], p->addrs6[31]);
}

/* "ok 4/tcp 4 6 c0000201>c6336401 1000>80 seq 5 ack 0 flags 02 win 1024 opt 0 pay 0 L4": status, outermost IP version and
 * what follows it; version and protocol described, addresses, ports, … */
static inline const char *text_of(const struct packet *p)
{
	static const char *const outer[] = { "none", "tcp", "udp", "icmp", "icmp6", "other" };
	static char line[400];
	char flags[200] = "", addresses[80] = "-";

	text_flags(p, flags, sizeof(flags));
	text_addresses(p, addresses, sizeof(addresses));
	int n = snprintf(line, sizeof(line), "%s %u/%s", packet_status_name(p->status), p->outer_version, outer[p->outer_l4]);
	if (p->version)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %u %u %s %u>%u pay %u", p->version, p->proto, addresses,
		              p->sport, p->dport, p->payload_len);
	if (p->version && p->proto == PROTO_TCP)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " seq %x ack %x flags %02x win %u opt %u", p->seq, p->ack,
		              p->tcp_flags, p->window, p->tcp_options_len);
	snprintf(line + n, sizeof(line) - (size_t)n, "%s", flags);
	return line;
}

static inline struct frame frame_of(uint16_t link, struct bytes b)
{
	return (struct frame){ .ts = 1, .data = b.p, .caplen = b.n, .wirelen = b.n, .link = link };
}

/* Both paths, which must agree, and what they say. */
static inline struct packet decode_both(const struct decode_config *config, const struct frame *frame)
{
	struct packet general, fast;

	memset(&general, 0xee, sizeof(general));
	memset(&fast, 0x11, sizeof(fast));
	decode_frame(config, frame, &general);
	decode_frames(config, frame, &fast, 1);
	assert_memory_equal(&general, &fast, sizeof(general));
	return fast;
}

struct row {
	const char *name;
	uint16_t link;
	const char *hex;
	const char *expected;
};

static inline void check_rows(const struct row *rows, size_t n, const struct decode_config *config)
{
	int failed = 0;

	for (size_t i = 0; i < n; i++) {
		struct bytes b = bytes_of(rows[i].hex);
		struct frame frame = frame_of(rows[i].link, b);
		struct packet p = decode_both(config, &frame);
		if (strcmp(text_of(&p), rows[i].expected)) {
			print_error("%s:\n  is       \"%s\"\n  expected \"%s\"\n", rows[i].name, text_of(&p), rows[i].expected);
			failed++;
		}
		free(b.p);
	}
	assert_int_equal(failed, 0);
}

/* A SYN from 192.0.2.1:1000 to 198.51.100.1:80 and a UDP datagram of four bytes from 2001:db8::1 to …::2, checksums right. */
#define SYN "4500 0028 0007 4000 4006 4e93 c000 0201 c633 6401" "03e8 0050 0000 0005 0000 0000 5002 0400 bb6f 0000"
#define SYN_IS "4/tcp 4 6 c0000201>c6336401 1000>80 pay 0 seq 5 ack 0 flags 02 win 1024 opt 0"
#define UDP6 \
	"6000 0000 000c 1140 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002" \
	"1388 0035 000c cde1 6161 6161"
#define UDP6_IS "6/udp 6 17 2001..01>2001..02 5000>53 pay 4"
#define MACS "0200 0000 0001 0200 0000 0002 "
