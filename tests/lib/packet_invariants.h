/* What must hold of every packet that the decoders make of any bytes (model/packet.h, packet/decode.h); for the unit tests
 * and the fuzz harness alike. */
#pragma once
#include "packet/decode.h"

#include <string.h>

/* NULL, or what does not hold. */
static inline const char *invariant_layout(const struct frame *f, const struct packet *p)
{
	size_t header = p->version == 4 ? 20 : 40;

	if (!p->version)
		return p->ip || p->bits & (PACKET_L4 | PACKET_FRAGMENT | PACKET_TUNNELLED) ? "no version, but fields of IP" : NULL;
	if (p->version != 4 && p->version != 6)
		return "version";
	if (p->ip < f->data || (size_t)(p->ip - f->data) > f->caplen)
		return "IP header outside the frame";
	size_t left = f->caplen - (size_t)(p->ip - f->data);
	if (left < header)
		return "IP header not captured";
	if (p->version == 6 && p->addrs6 != p->ip + 8)
		return "addresses elsewhere";
	if (p->payload_offset < p->l4_offset || p->payload_offset > left || p->payload_len > left - p->payload_offset)
		return "payload outside the frame";
	if (p->payload_len && (size_t)p->payload_offset + p->payload_len > p->ip_len)
		return "payload past the IP packet";
	if (p->tcp_options_len && (size_t)p->l4_offset + 20 + p->tcp_options_len > left)
		return "TCP options outside the frame";
	return NULL;
}

static inline const char *invariant_bits(const struct packet *p)
{
	unsigned b = p->bits;

	if (p->status > PACKET_UNSUPPORTED || p->outer_l4 > OUTER_OTHER)
		return "status or outer protocol unknown";
	if (!p->outer_version != (p->outer_l4 == OUTER_NONE))
		return "outer version without outer protocol, or the reverse";
	if (b & PACKET_LOCAL && (p->version || p->outer_version || p->status != PACKET_OK))
		return "local, but more than that";
	if (p->status == PACKET_OK && !p->version && !(b & PACKET_LOCAL))
		return "nothing was read, and nothing says why";
	if (b & PACKET_L4 && (p->status != PACKET_OK || b & (PACKET_LATER_FRAGMENT | PACKET_TINY_FRAGMENT)))
		return "a transport header where there is none";
	if (b & (PACKET_LATER_FRAGMENT | PACKET_TINY_FRAGMENT) && !(b & PACKET_FRAGMENT))
		return "a part of no fragment";
	if (!(b & PACKET_TUNNELLED) && p->version && p->version != p->outer_version)
		return "not the outermost header, and no tunnel";
	if (!(b & PACKET_TUNNELLED) && !(b & PACKET_FRAGMENT) != !(b & PACKET_OUTER_FRAGMENT))
		return "fragment bits differ without a tunnel";
	return NULL;
}

/* Both configurations of a frame speak of the same outermost header, and the source agrees. */
static inline const char *invariant_outer(const struct frame *f, const struct packet *closed, const struct packet *opened)
{
	struct addr source = decode_outer_source(f), own = { 0 };

	if (closed->bits & PACKET_TUNNELLED)
		return "opened a tunnel unasked";
	if (closed->outer_version != opened->outer_version || closed->outer_l4 != opened->outer_l4)
		return "opening tunnels changed the outermost header";
	if ((closed->bits ^ opened->bits) & PACKET_OUTER_FRAGMENT)
		return "opening tunnels changed the outermost fragment";
	if (closed->version == 4)
		own = addr_from_v4(closed->src);
	else if (closed->version == 6)
		memcpy(own.bytes, closed->addrs6, sizeof(own.bytes));
	return memcmp(&own, &source, sizeof(own)) ? "outer source" : NULL;
}

/* The frame by both paths and with tunnels closed and opened. */
static inline const char *invariant_broken(const struct frame *f, bool checksums)
{
	struct packet p[2], q[2];

	for (int open = 0; open < 2; open++) {
		struct decode_config config = { .decapsulate = open, .checksums = checksums };
		struct quote quote;
		memset(p + open, 0xee, sizeof(*p));
		memset(q + open, 0x11, sizeof(*q));
		decode_frame(&config, f, p + open);
		decode_frames(&config, f, q + open, 1);
		if (memcmp(p + open, q + open, sizeof(*p)))
			return "the two paths differ";
		const char *broken = invariant_layout(f, p + open);
		if (!broken)
			broken = invariant_bits(p + open);
		if (!broken && decode_quote(p + open, &quote) && quote.has_ports && !(p[open].bits & PACKET_L4))
			broken = "a quote in no ICMP error";
		if (broken)
			return broken;
	}
	return invariant_outer(f, p, p + 1);
}
