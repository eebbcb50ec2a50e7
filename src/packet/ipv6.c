/* IPv6 and its extension headers (RFC 8200), jumbograms (RFC 2675), routing headers of types 0, 2 and 4 (RFC 5095,
 * 6275, 8754), home addresses (RFC 6275), shim6 (RFC 5533). */
#include "packet/ip.h"

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_OPTIONS = 60,
	NEXT_SHIM6 = 140,
	OPTION_PAD1 = 0,
	OPTION_JUMBO = 0xc2,
	OPTION_HOME_ADDRESS = 0xc9,
};

/* The data of an option in a hop-by-hop or destination options header of n bytes; NULL when it is not there. */
static const uint8_t *ipv6_option(const uint8_t *header, size_t n, uint8_t type, uint8_t length)
{
	struct cursor c = cursor_init(header + 2, n - 2);

	while (cursor_left(&c)) {
		uint8_t t = cursor_u8(&c);
		if (t == OPTION_PAD1)
			continue;
		uint8_t l = cursor_u8(&c);
		const uint8_t *data = cursor_take(&c, l);
		if (data && t == type && l == length)
			return data;
	}
	return NULL;
}

/* A payload length of 0 means a jumbogram with its length in an option, or, for TCP, a segment that the card cuts up
 * later; else that there is nothing. */
static uint32_t ipv6_length(const struct walk *w, const uint8_t *ip)
{
	uint16_t payload = load_be16(ip + 4);
	size_t left = cursor_left(&w->c);

	if (payload)
		return 40u + payload;
	if (ip[6] == PROTO_TCP && left >= 40 + 20)
		return walk_wire_left(w);
	if (ip[6] != NEXT_HOP_BY_HOP || left < 48 || left - 40 < 8u * ip[41] + 8)
		return 40;
	const uint8_t *jumbo = ipv6_option(ip + 40, 8u * ip[41] + 8, OPTION_JUMBO, 4);
	if (!jumbo)
		return 40 + 8u * ip[41] + 8;
	uint32_t n = load_be32(jumbo);
	return n > UINT32_MAX - 40 ? UINT32_MAX : n + 40;
}

/* The pseudo header has the final destination (RFC 8200 section 8.1). */
static void ipv6_routing(struct network *net, const uint8_t *h, size_t n)
{
	uint8_t type = h[2], left = h[3];

	if (!left || n < 24)
		return;
	if (type == 0 || type == 2)
		net->dst = h + 8 + (n - 24) / 16 * 16;
	else if (type == 4)
		net->dst = h + 8; /* segments stand last first */
}

static void ipv6_options(struct network *net, const uint8_t *h, size_t n)
{
	const uint8_t *home = ipv6_option(h, n, OPTION_HOME_ADDRESS, 16);

	if (home)
		net->src = home;
}

enum step { STEP_NEXT, STEP_TRANSPORT, STEP_LATER_FRAGMENT, STEP_CUT };

static enum step ipv6_fragment(struct walk *w, struct network *net, uint8_t *proto)
{
	const uint8_t *h = cursor_take(&w->c, 8);

	if (!h)
		return STEP_CUT;
	uint16_t field = load_be16(h + 2);
	ip_fragment(w, field & 0xfff8);
	*proto = h[0];
	if (field & 0xfff9) /* not the atomic fragment of RFC 6946 */
		net->whole = false;
	return field & 0xfff8 ? STEP_LATER_FRAGMENT : STEP_NEXT;
}

/* One header of a type that says its own length in units of 8 bytes. */
static enum step ipv6_sized(struct walk *w, struct network *net, uint8_t *proto)
{
	size_t left = cursor_left(&w->c);
	const uint8_t *h = w->c.p;

	if (left < 2 || left < 8u * h[1] + 8) {
		cursor_skip(&w->c, left);
		return STEP_CUT;
	}
	size_t n = 8u * h[1] + 8;
	if (*proto == NEXT_ROUTING)
		ipv6_routing(net, h, n);
	else if (*proto == NEXT_OPTIONS)
		ipv6_options(net, h, n);
	*proto = h[0];
	cursor_skip(&w->c, n);
	return STEP_NEXT;
}

static enum step ipv6_extension(struct walk *w, struct network *net, uint8_t *proto)
{
	switch (*proto) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_OPTIONS:
	case NEXT_SHIM6: return ipv6_sized(w, net, proto);
	case NEXT_FRAGMENT: return ipv6_fragment(w, net, proto);
	case PROTO_AH: return ip_skip_ah(w, proto) ? STEP_NEXT : STEP_CUT;
	default: return STEP_TRANSPORT;
	}
}

static enum packet_status ipv6_check(const struct walk *w)
{
	size_t left = cursor_left(&w->c);

	if (left && *w->c.p >> 4 != 6)
		return PACKET_MALFORMED;
	return left < 40 ? PACKET_SHORT : PACKET_OK;
}

enum layer ipv6_layer(struct walk *w)
{
	const uint8_t *ip = w->c.p;
	enum packet_status status = ipv6_check(w);

	if (status != PACKET_MALFORMED)
		ip_seen(w, 6);
	if (status != PACKET_OK)
		return walk_end(w, status);

	struct packet *p = ip_begin(w, ip, 6);
	p->addrs6 = ip + 8;
	p->ttl = ip[7];
	p->ip_len = ipv6_length(w, ip);
	walk_limit(w, p->ip_len);
	struct network net = {
		.ip = ip, .src = ip + 8, .dst = ip + 24, .address_len = 16, .ip_len = p->ip_len,
		.whole = cursor_left(&w->c) == 40u + load_be16(ip + 4),
	};
	cursor_skip(&w->c, 40);

	uint8_t proto = ip[6];
	for (;;) {
		switch (ipv6_extension(w, &net, &proto)) {
		case STEP_NEXT: p->bits |= PACKET_IP_OPTIONS; break;
		case STEP_TRANSPORT: return ip_transport(w, &net, proto);
		case STEP_LATER_FRAGMENT: p->bits |= PACKET_IP_OPTIONS; return ip_stop(w, proto, PACKET_OK);
		case STEP_CUT: return ip_stop(w, proto, PACKET_SHORT);
		}
	}
}
