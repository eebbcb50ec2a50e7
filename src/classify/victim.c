#include "classify/judge.h"
#include "model/reply.h"
#include "packet/decode.h"

#include <string.h>

static struct addr source_of(const struct packet *p)
{
	struct addr a;
	if (p->version == 4)
		return addr_from_v4(p->src);
	memcpy(a.bytes, p->addrs6, 16);
	return a;
}

/* Errors quote the packet that somebody sent in our name; replies (echo, timestamp, …) come from the victim itself. */
static bool is_icmp_error(const struct packet *p)
{
	unsigned type = p->dport >> 8;
	if (p->proto == PROTO_ICMP)
		return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
	return p->proto == PROTO_ICMPV6 && type < 128;
}

static uint8_t kind_of_reply(const struct packet *p)
{
	return p->proto != PROTO_TCP ? REPLY_ANSWER : p->tcp_flags & TCP_RST ? REPLY_RST : REPLY_SYN_ACK;
}

bool classify_victim(const struct packet *packet, struct victim *out)
{
	*out = (struct victim){ 0 };
	if (is_icmp_error(packet)) {
		struct quote q;
		if (!decode_quote(packet, &q))
			return false;
		*out = (struct victim){ .addr = q.dst, .port = q.has_ports ? q.dport : 0, .proto = q.proto,
		                        .forged_port = q.has_ports ? q.sport : 0, .kind = REPLY_ERROR };
		return true;
	}
	bool ports = packet->proto == PROTO_TCP || packet->proto == PROTO_UDP;
	*out = (struct victim){ .addr = source_of(packet), .port = ports ? packet->sport : 0, .proto = packet->proto,
		                .forged_port = ports ? packet->dport : 0, .kind = kind_of_reply(packet) };
	return packet->version != 0;
}
