/* Any frame through every kind of scope: the partition holds, flags agree with the class, a packet's verdict does not
 * depend on its neighbours in the batch, the rules of the hot path are the rules, nothing outside the frame is read.
 *
 * Input: link type (2 bytes, little endian), marks (1), bytes on the wire beyond the captured (1), frame. With link type
 * 65535 the frame is the payload of a UDP datagram between the next two ports (4 bytes), truncated or not by the marks:
 * the heads by themselves. */
#include "base/bytes.h"
#include "classify/classify.h"
#include "classify/judge.h"
#include "classify/rules.h"
#include "classify/scope.h"
#include "classify/tags.h"
#include "packet/decode.h"

#include <stdio.h>
#include <stdlib.h>

#define SCOPES 5
#define COPIES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "classify: %s\n", what);
	abort();
}

/* Opened once: what is looked at is the packet. */
static struct classify *const *scopes(void)
{
	static const struct prefix monitored[] = {
		{ .net = { { [10] = 0xff, [11] = 0xff, [12] = 198, [13] = 18 } }, .version = 4, .bits = 15 },
		{ .net = { { 0x20, 0x01 } }, .version = 6, .bits = 16 },
	};
	static const struct nat nat[] = {
		{ { { { [10] = 0xff, [11] = 0xff, [12] = 198 } }, 4, 8 }, { { { [10] = 0xff, [11] = 0xff, [12] = 44 } }, 4, 8 } },
		{ { { { 0x20 } }, 6, 8 }, { { { 0x2a } }, 6, 8 } },
	};
	static const struct scope list[SCOPES] = {
		{ 0 },
		{ .monitored = monitored, .n_monitored = 2 },
		{ .own = monitored, .n_own = 2 },
		{ .nat = nat, .n_nat = 2 },
		{ .nat_unknown = true },
	};
	static struct classify *opened[SCOPES];
	for (size_t i = 0; i < SCOPES && !opened[i]; i++)
		require(classify_open(&opened[i], env_system(), &list[i], NULL) == 0, "no memory");
	return opened;
}

static void check_verdict(const struct packet *p, const struct verdict *v)
{
	bool probe = v->flags & VERDICT_PROBE, access = v->flags & VERDICT_ACCESS;
	bool left_out = v->class == CLASS_IGNORED || v->class == CLASS_UNDECODED;
	bool probes = v->class == CLASS_SCAN || v->class == CLASS_PAYLOAD;
	require(v->class < CLASS_COUNT && v->reason < REASON_COUNT, "no such class or reason");
	require(left_out == (v->reason != REASON_NONE), "a reason goes with ignored and undecoded, and with no other class");
	require(!left_out || (!v->flags && !v->rules && !v->tags), "what is left out has no flags, rules or tags");
	require(!probe || probes || v->class == CLASS_P2P, "a probe of another class");
	require(!probes || probe, "a scan or payload that is no probe");
	require(!access || probe, "an access that is no probe");
	require(!(v->flags & VERDICT_UDP_UNSURE) || (access && p->proto == PROTO_UDP), "unsure, but no UDP access");
	require(!(v->tags & ~(TAG_SPOOFED | TAG_ERRATIC | TAG_ROUTED)) == !(v->tags & TAG_ERRATIC), "erratic is any part");
	require(!v->rules || p->version == 4, "a rule read IPv6");
	require(!(v->rules & ~(1u << RULE_REPLY_ID)) || probe, "evidence of what is no probe");
}

static void check_packet(const struct classify *c, const struct packet *packet)
{
	struct packet batch[COPIES] = { *packet, { .status = PACKET_SHORT }, *packet };
	struct verdict v[COPIES], again;
	struct victim victim;
	uint8_t scratch[COPIES][32];
	classify_packets(c, batch, v, COPIES, scratch);
	require(memcmp(&v[0], &v[2], sizeof v[0]) == 0, "the same packet, another verdict");
	struct packet alone = *packet;
	classify_packets(c, &alone, &again, 1, scratch);
	require(memcmp(&v[0], &again, sizeof again) == 0, "a verdict depends on the batch");
	check_verdict(&batch[0], &v[0]);
	if (v[0].class == CLASS_BACKSCATTER)
		classify_victim(&batch[0], &victim);
	for (unsigned r = 0; r < RULE_COUNT; r++)
		if (v[0].rules >> r & 1)
			rule_key((enum rule)r, &batch[0]);
}

/* In a block of its own, so that a read past its end is seen. */
static void check_head(const uint8_t *data, size_t size, bool truncated)
{
	if (size < 4 || size > UINT16_MAX)
		return;
	uint16_t n = (uint16_t)(size - 4);
	uint8_t *payload = malloc(n ? n : 1);
	require(payload != NULL, "no memory");
	memcpy(payload, data + 4, n);
	struct packet p = {
		.ip = payload, .version = 4, .proto = PROTO_UDP, .bits = PACKET_L4, .sport = load_le16(data),
		.dport = load_le16(data + 2), .payload_len = n, .ip_len = 28u + n,
	};
	p.bits |= truncated ? PACKET_TRUNCATED : 0;
	require(udp_kind(&scopes()[0]->quic, &p) <= UDP_P2P_REPLY, "no such kind");
	p2p_tcp(packet_payload(&p));
	tags_of_udp(&p, n != 0);
	free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct decode_config config = { 0 };
	if (size < 4 || size > 1 << 17)
		return 0;
	if (load_le16(data) == UINT16_MAX) {
		check_head(data + 4, size - 4, data[2] & 1);
		return 0;
	}
	uint32_t n = (uint32_t)(size - 4);
	struct frame frame = {
		.data = data + 4, .caplen = n, .wirelen = n + data[3], .link = load_le16(data), .marks = data[2] & 7,
	};
	struct packet packet;
	decode_frame(&config, &frame, &packet);
	struct classify *const *opened = scopes();
	for (size_t i = 0; i < SCOPES; i++)
		check_packet(opened[i], &packet);
	return 0;
}
