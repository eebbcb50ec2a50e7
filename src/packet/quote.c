/* The packet that an ICMP or ICMPv6 error quotes. */
#include "packet/decode.h"

#include "base/cursor.h"

static bool is_error(const struct packet *p)
{
	uint8_t type = (uint8_t)(p->dport >> 8);

	if (!(p->bits & PACKET_L4))
		return false;
	if (p->proto == PROTO_ICMP) /* RFC 792; 3, 4, 5, 11, 12 quote */
		return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
	return p->proto == PROTO_ICMPV6 && type >= 1 && type <= 4; /* RFC 4443 section 2.1 */
}

static void quote_ports(struct cursor *c, struct quote *out)
{
	if (out->proto != PROTO_TCP && out->proto != PROTO_UDP && out->proto != PROTO_SCTP)
		return;
	if (cursor_left(c) < 4)
		return;
	out->sport = cursor_be16(c);
	out->dport = cursor_be16(c);
	out->has_ports = true;
}

static bool quote_v4(struct cursor *c, struct quote *out)
{
	const uint8_t *ip = cursor_take(c, 20);

	if (!ip || ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
		return false;
	out->src = addr_from_v4(load_be32(ip + 12));
	out->dst = addr_from_v4(load_be32(ip + 16));
	out->proto = ip[9];
	cursor_skip(c, 4u * (ip[0] & 15) - 20);
	if (!(load_be16(ip + 6) & 0x1fff))
		quote_ports(c, out);
	return true;
}

/* Steps over the extension headers in front of ports; false at a later fragment or where they are cut. */
static bool quote_extensions(struct cursor *c, uint8_t *proto)
{
	for (;;) {
		size_t length = 8;
		const uint8_t *h = c->p;
		if (*proto != 0 && *proto != 43 && *proto != 44 && *proto != 60)
			return true;
		if (cursor_left(c) < 8)
			return false;
		if (*proto == 44 && load_be16(h + 2) & 0xfff8) {
			*proto = h[0];
			return false;
		}
		if (*proto != 44)
			length = 8u * h[1] + 8;
		*proto = h[0];
		cursor_skip(c, length);
	}
}

static bool quote_v6(struct cursor *c, struct quote *out)
{
	const uint8_t *ip = cursor_take(c, 40);

	if (!ip || ip[0] >> 4 != 6)
		return false;
	memcpy(out->src.bytes, ip + 8, 16);
	memcpy(out->dst.bytes, ip + 24, 16);
	out->proto = ip[6];
	if (quote_extensions(c, &out->proto))
		quote_ports(c, out);
	return true;
}

bool decode_quote(const struct packet *packet, struct quote *out)
{
	*out = (struct quote){ 0 };
	if (!is_error(packet))
		return false;
	struct cursor c = cursor_init(packet->ip + packet->payload_offset, packet->payload_len);
	if (!cursor_left(&c))
		return false;
	return *c.p >> 4 == 6 ? quote_v6(&c, out) : quote_v4(&c, out);
}
