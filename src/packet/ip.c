/* IPv4 (RFC 791) and what IPv4 and IPv6 share: whose header a packet describes, AH (RFC 4302). */
#include "packet/ip.h"

#include "base/checksum.h"

/* The bits of a packet that speak of its frame or its outermost header, and outlive the opening of a tunnel. */
#define LASTING (PACKET_TRUNCATED | PACKET_OWN | PACKET_OUTGOING | PACKET_OUTER_FRAGMENT)

void ip_seen(struct walk *w, uint8_t version)
{
	if (w->tunnels)
		return;
	w->packet->outer_version = version;
	w->packet->outer_l4 = OUTER_OTHER;
}

struct packet *ip_begin(struct walk *w, const uint8_t *ip, uint8_t version)
{
	struct packet *p = w->packet;
	const struct packet old = *p;

	*p = (struct packet){
		.ts = old.ts, .ip = ip, .wire_len = old.wire_len, .version = version,
		.bits = (uint16_t)((old.bits & LASTING) | (w->tunnels ? PACKET_TUNNELLED : 0)),
		.outer_version = old.outer_version, .outer_l4 = old.outer_l4,
	};
	w->tunnels++;
	return p;
}

void ip_fragment(struct walk *w, bool later)
{
	struct packet *p = w->packet;

	p->bits |= PACKET_FRAGMENT;
	if (later)
		p->bits |= PACKET_LATER_FRAGMENT;
	if (w->tunnels == 1)
		p->bits |= PACKET_OUTER_FRAGMENT;
}

enum layer ip_end(struct walk *w, enum packet_status status)
{
	w->packet->status = (uint8_t)status;
	return LAYER_END;
}

/* Where the walk stands now is where the transport header is, and its data until it has been read. */
static bool ip_mark_transport(struct walk *w, uint8_t proto)
{
	struct packet *p = w->packet;
	size_t offset = (size_t)(w->c.p - p->ip), left = cursor_left(&w->c);

	if (offset > UINT16_MAX)
		return false;
	p->proto = proto;
	p->l4_offset = p->payload_offset = (uint16_t)offset;
	p->payload_len = left < UINT16_MAX ? (uint16_t)left : UINT16_MAX;
	return true;
}

enum layer ip_stop(struct walk *w, uint8_t proto, enum packet_status status)
{
	return ip_end(w, ip_mark_transport(w, proto) ? status : PACKET_MALFORMED);
}

bool ip_skip_ah(struct walk *w, uint8_t *proto)
{
	const uint8_t *ah = cursor_take(&w->c, 8);

	if (!ah)
		return false;
	cursor_skip(&w->c, 4u * ah[1]); /* in units of 4 bytes, minus 2 */
	if (!cursor_ok(&w->c))
		return false;
	*proto = ah[0];
	return true;
}

enum layer ip_transport(struct walk *w, const struct network *net, uint8_t proto)
{
	if (!ip_mark_transport(w, proto))
		return ip_end(w, PACKET_MALFORMED);
	/* An IPv4 packet of a bare header carries no transport, whatever its protocol field says. */
	if (w->tunnels == 1 && (net->address_len == 16 || walk_wire_left(w)))
		w->packet->outer_l4 = transport_outer(proto);
	return transport_read(w, net);
}

enum layer ip_layer(struct walk *w)
{
	if (!cursor_left(&w->c))
		return walk_end(w, PACKET_SHORT);
	switch (*w->c.p >> 4) {
	case 4: return LAYER_IPV4;
	case 6: return LAYER_IPV6;
	default: return walk_end(w, PACKET_MALFORMED);
	}
}

/* ---- IPv4 ---- */

static enum packet_status ipv4_check(const struct walk *w)
{
	const uint8_t *ip = w->c.p;
	size_t left = cursor_left(&w->c);

	if (!left)
		return PACKET_SHORT;
	if (ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
		return PACKET_MALFORMED;
	if (left < 20)
		return PACKET_SHORT;
	/* 0 is what a capture shows of a segment that the card cuts up later: as long as the frame is. */
	uint16_t length = load_be16(ip + 2);
	return length && length < 4 * (ip[0] & 15) ? PACKET_MALFORMED : PACKET_OK;
}

static void ipv4_fields(struct packet *p, const uint8_t *ip)
{
	unsigned flags = ip[6];

	p->src = load_be32(ip + 12);
	p->dst.v4 = load_be32(ip + 16);
	p->ip_id = load_be16(ip + 4);
	p->ttl = ip[8];
	p->proto = ip[9];
	if (flags & 0x40)
		p->bits |= PACKET_DF;
	if (flags & 0x80)
		p->bits |= PACKET_RESERVED_FLAG;
	if ((ip[0] & 15) > 5)
		p->bits |= PACKET_IP_OPTIONS;
}

/* Where a source route is not yet at its end, the pseudo header has its last address (RFC 1122 section 4.2.3.8). */
static const uint8_t *ipv4_destination(const uint8_t *ip, size_t header)
{
	enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 0x83, OPTION_SSRR = 0x89 };
	struct cursor c = cursor_init(ip + 20, header - 20);

	while (cursor_left(&c)) {
		uint8_t type = cursor_u8(&c);
		if (type == OPTION_END)
			break;
		if (type == OPTION_NOP)
			continue;
		uint8_t length = cursor_u8(&c);
		const uint8_t *data = length < 2 ? NULL : cursor_take(&c, length - 2u);
		if (!data)
			break;
		if ((type == OPTION_LSRR || type == OPTION_SSRR) && length >= 7 && data[0] <= length)
			return data + length - 6;
	}
	return ip + 16;
}

enum layer ipv4_layer(struct walk *w)
{
	const uint8_t *ip = w->c.p;

	ip_seen(w, 4);
	enum packet_status status = ipv4_check(w);
	if (status != PACKET_OK)
		return walk_end(w, status);

	struct packet *p = ip_begin(w, ip, 4);
	unsigned header = 4u * (ip[0] & 15), fragment = load_be16(ip + 6) & 0x3fff;
	ipv4_fields(p, ip);
	p->ip_len = load_be16(ip + 2) ? load_be16(ip + 2) : walk_wire_left(w);
	walk_limit(w, p->ip_len);
	/* What is still to be cut into segments (length 0) has no checksum yet. */
	bool whole = cursor_left(&w->c) == load_be16(ip + 2) && !fragment;
	if (fragment)
		ip_fragment(w, fragment & 0x1fff);
	cursor_skip(&w->c, header);
	if (!cursor_ok(&w->c))
		return ip_stop(w, p->proto, PACKET_SHORT);
	if (w->config->checksums && !checksum_ok(checksum_add(0, ip, header)))
		p->bits |= PACKET_BAD_CHECKSUM;
	if (fragment & 0x1fff)
		return ip_stop(w, p->proto, PACKET_OK);

	uint8_t proto = p->proto;
	while (proto == PROTO_AH && walk_wire_left(w))
		if (!ip_skip_ah(w, &proto))
			return ip_stop(w, PROTO_AH, PACKET_SHORT);
	struct network net = {
		.ip = ip, .src = ip + 12, .dst = ipv4_destination(ip, header), .address_len = 4,
		.ip_len = p->ip_len, .whole = whole,
	};
	return ip_transport(w, &net, proto);
}
