/* TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792), ICMPv6 (RFC 4443), SCTP (RFC 9260): header fields and checksums. */
#include "base/checksum.h"
#include "packet/ip.h"

#define SCTP_INIT 1

uint8_t transport_outer(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP: return OUTER_TCP;
	case PROTO_UDP: return OUTER_UDP;
	case PROTO_ICMP: return OUTER_ICMP;
	case PROTO_ICMPV6: return OUTER_ICMPV6;
	default: return OUTER_OTHER;
	}
}

/* Bytes of the transport that this IP packet has by its header, captured or not. */
static uint32_t transport_length(const struct walk *w, const struct network *net)
{
	uint32_t offset = w->packet->l4_offset;
	return net->ip_len > offset ? net->ip_len - offset : 0;
}

static void transport_payload(struct walk *w, size_t header, size_t n)
{
	struct packet *p = w->packet;
	size_t offset = p->l4_offset + header;

	p->payload_offset = offset < UINT16_MAX ? (uint16_t)offset : UINT16_MAX;
	p->payload_len = n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

/* A header that is cut where `need` bytes of it matter. When it is a first fragment that is itself so short, nothing is
 * wrong with the packet: it is tiny (nmap -f). */
static enum layer transport_cut(struct walk *w, const struct network *net, size_t need)
{
	if (w->packet->bits & PACKET_FRAGMENT && !net->whole && transport_length(w, net) < need) {
		w->packet->bits |= PACKET_TINY_FRAGMENT;
		return ip_end(w, PACKET_OK);
	}
	return ip_end(w, PACKET_SHORT);
}

static void transport_verify(struct walk *w, const struct network *net, uint8_t proto, const uint8_t *p, uint32_t n)
{
	uint64_t sum = 0;

	if (!w->config->checksums || !net->whole)
		return;
	if (proto != PROTO_ICMP) {
		sum = checksum_pseudo(proto, n);
		sum = checksum_add(sum, net->src, net->address_len);
		sum = checksum_add(sum, net->dst, net->address_len);
	}
	if (!checksum_ok(checksum_add(sum, p, n)))
		w->packet->bits |= PACKET_BAD_CHECKSUM;
}

static void transport_ports(struct packet *p, const uint8_t *h, size_t left)
{
	if (left < 4)
		return;
	p->sport = load_be16(h);
	p->dport = load_be16(h + 2);
}

/* ---- TCP ---- */

/* The fields that `left` bytes hold: rules want the window too, but ports and flags say much alone. */
static void tcp_fields(struct packet *p, const uint8_t *h, size_t left)
{
	transport_ports(p, h, left);
	if (left >= 8)
		p->seq = load_be32(h + 4);
	if (left >= 12)
		p->ack = load_be32(h + 8);
	if (left >= 14)
		p->tcp_flags = h[13];
	if (left >= 16)
		p->window = load_be16(h + 14);
}

static enum layer tcp_read(struct walk *w, const struct network *net)
{
	const uint8_t *h = w->c.p;
	size_t left = cursor_left(&w->c);
	struct packet *p = w->packet;

	tcp_fields(p, h, left);
	if (left < 20)
		return transport_cut(w, net, 14);
	unsigned header = 4u * (h[12] >> 4);
	/* Options may go on in the next fragment; in a whole packet they may not go past its end. */
	bool past = !(p->bits & PACKET_FRAGMENT && !net->whole) && header > transport_length(w, net);
	if (header < 20 || past)
		return ip_end(w, PACKET_MALFORMED);
	if (header > left)
		header = (unsigned)left;
	p->tcp_options_len = (uint8_t)(header - 20);
	p->bits |= PACKET_L4;
	transport_payload(w, header, left - header);
	transport_verify(w, net, PROTO_TCP, h, transport_length(w, net));
	return LAYER_END;
}

/* ---- UDP ---- */

/* 0 where the length contradicts itself or the IP header. */
static uint32_t udp_length(const struct walk *w, const struct network *net, const uint8_t *h)
{
	uint16_t said = load_be16(h + 4);
	uint32_t there = transport_length(w, net);
	bool fragment = w->packet->bits & PACKET_FRAGMENT && !net->whole;

	if (said == 0 && there > UINT16_MAX) /* RFC 2675 section 4 */
		return there;
	return said < 8 || (said > there && !fragment) ? 0 : said;
}

static enum layer udp_read(struct walk *w, const struct network *net)
{
	const uint8_t *h = w->c.p;
	size_t left = cursor_left(&w->c);
	struct packet *p = w->packet;

	transport_ports(p, h, left);
	if (left < 8)
		return transport_cut(w, net, 8);
	uint32_t length = udp_length(w, net, h);
	if (!length)
		return ip_end(w, PACKET_MALFORMED);
	p->bits |= PACKET_L4;
	transport_payload(w, 8, (length < left ? length : left) - 8);
	if (load_be16(h + 6) || net->address_len == 16) /* no checksum: allowed in IPv4 */
		transport_verify(w, net, PROTO_UDP, h, length);
	cursor_skip(&w->c, 8);
	walk_limit(w, length - 8);
	return tunnel_of_port(w, p->dport);
}

/* ---- ICMP, ICMPv6, SCTP ---- */

static enum layer icmp_read(struct walk *w, const struct network *net, uint8_t proto)
{
	const uint8_t *h = w->c.p;
	size_t left = cursor_left(&w->c);
	struct packet *p = w->packet;

	if (left >= 2)
		p->dport = load_be16(h);
	if (left < 8)
		return transport_cut(w, net, 8);
	p->bits |= PACKET_L4;
	transport_payload(w, 8, left - 8);
	if (proto == PROTO_ICMP || net->address_len == 16) /* ICMPv6 in IPv4 has no pseudo header that a standard names */
		transport_verify(w, net, proto, h, transport_length(w, net));
	return LAYER_END;
}

static enum layer sctp_read(struct walk *w, const struct network *net)
{
	const uint8_t *h = w->c.p;
	size_t left = cursor_left(&w->c);
	struct packet *p = w->packet;

	transport_ports(p, h, left);
	if (left < 12)
		return transport_cut(w, net, 12);
	p->bits |= PACKET_L4;
	transport_payload(w, 12, left - 12);
	if (left >= 20 && h[12] == SCTP_INIT)
		p->seq = load_be32(h + 16);
	return LAYER_END;
}

enum layer transport_read(struct walk *w, const struct network *net)
{
	uint8_t proto = w->packet->proto;

	switch (proto) {
	case PROTO_TCP: return tcp_read(w, net);
	case PROTO_UDP: return udp_read(w, net);
	case PROTO_ICMP:
	case PROTO_ICMPV6: return icmp_read(w, net, proto);
	case PROTO_SCTP: return sctp_read(w, net);
	default: return tunnel_of_protocol(w, proto);
	}
}
