/* IP tunnels, opened on request: IP in IP (RFC 2003, 4213, 2473), GRE (RFC 1701, 2784, 2890; version 1 of PPTP, RFC
 * 2637; in UDP, RFC 8086), ERSPAN (draft-foschiano-erspan-03), VXLAN (RFC 7348), GENEVE (RFC 8926), MPLS in IP and UDP
 * (RFC 4023, 7510), Ethernet in IPv6 (RFC 8986). */
#include "packet/walk.h"

enum { PROTO_MPLS = 137, PROTO_ETHERNET = 143 };
enum { PORT_GRE = 4754, PORT_VXLAN = 4789, PORT_GENEVE = 6081, PORT_MPLS = 6635 };

enum { GRE_CHECKSUM = 0x8000, GRE_ROUTING = 0x4000, GRE_KEY = 0x2000, GRE_SEQUENCE = 0x1000, GRE_ACK = 0x0080 };
enum { TYPE_ERSPAN = 0x88be, TYPE_ERSPAN3 = 0x22eb, TYPE_WCCP = 0x883e, TYPE_PPTP = 0x880b };
enum { TYPE_ARUBA_FIRST = 0x8200, TYPE_ARUBA_LAST = 0x8370 };

/* A first fragment is opened as well: the inner headers are there, and only the end of the inner packet is not. */
static bool tunnel_wanted(const struct walk *w)
{
	return w->config->decapsulate && w->tunnels < MAX_TUNNELS;
}

enum layer tunnel_of_protocol(const struct walk *w, uint8_t proto)
{
	if (!tunnel_wanted(w))
		return LAYER_END;
	switch (proto) {
	case PROTO_IPIP: return LAYER_IPV4;
	case PROTO_IPV6: return LAYER_IPV6;
	case PROTO_GRE: return LAYER_GRE;
	case PROTO_MPLS: return LAYER_MPLS;
	case PROTO_ETHERNET: return LAYER_ETHERNET;
	default: return LAYER_END;
	}
}

enum layer tunnel_of_port(const struct walk *w, uint16_t dport)
{
	if (!tunnel_wanted(w))
		return LAYER_END;
	switch (dport) {
	case PORT_VXLAN: return LAYER_VXLAN;
	case PORT_GENEVE: return LAYER_GENEVE;
	case PORT_GRE: return LAYER_GRE;
	case PORT_MPLS: return LAYER_MPLS;
	default: return LAYER_END;
	}
}

/* ---- GRE ---- */

/* Source route entries: family, offset, length, then as many bytes; one of length 0 is the last. */
static void gre_skip_routing(struct cursor *c)
{
	uint8_t n;

	do {
		cursor_skip(c, 3);
		n = cursor_u8(c);
		cursor_skip(c, n);
	} while (n && cursor_ok(c));
}

static enum layer gre_payload(struct walk *w, uint16_t flags, uint16_t type)
{
	switch (type) {
	case TYPE_ERSPAN: return walk_next(w, flags & GRE_SEQUENCE ? LAYER_ERSPAN2 : LAYER_ETHERNET);
	case TYPE_ERSPAN3: return walk_next(w, LAYER_ERSPAN3);
	case TYPE_WCCP:
		/* Version 2 puts 4 bytes of its own before the IP header. */
		if (cursor_left(&w->c) && *w->c.p >> 4 != 4)
			cursor_skip(&w->c, 4);
		return walk_next(w, LAYER_IPV4);
	case TYPE_PPTP: return walk_next(w, LAYER_PPP);
	default: break;
	}
	/* Aruba's access points send 802.11 frames under types of their own. */
	if (type >= TYPE_ARUBA_FIRST && type <= TYPE_ARUBA_LAST && !(type & 15))
		return walk_next(w, LAYER_WIFI);
	return walk_type(w, LAYER_ETHERTYPE, type);
}

enum layer gre_layer(struct walk *w)
{
	uint16_t flags = cursor_be16(&w->c), type = cursor_be16(&w->c);

	if (flags & (GRE_CHECKSUM | GRE_ROUTING))
		cursor_skip(&w->c, 4);
	if (flags & GRE_KEY)
		cursor_skip(&w->c, 4);
	if (flags & GRE_SEQUENCE)
		cursor_skip(&w->c, 4);
	if ((flags & 7) == 1) {
		if (flags & GRE_ACK)
			cursor_skip(&w->c, 4);
		return walk_next(w, type == TYPE_PPTP && flags & GRE_SEQUENCE ? LAYER_PPP : LAYER_END);
	}
	if (flags & GRE_ROUTING)
		gre_skip_routing(&w->c);
	return flags & 7 ? LAYER_END : gre_payload(w, flags, type);
}

/* ---- ERSPAN ---- */

enum layer erspan2_layer(struct walk *w)
{
	cursor_skip(&w->c, 8);
	return walk_next(w, LAYER_ETHERNET);
}

enum layer erspan3_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 12);

	if (h && h[11] & 1) /* a sub-header of the platform */
		cursor_skip(&w->c, 8);
	if (h && (h[10] >> 2 & 31) == 2) /* frame type: IP without a link header */
		return walk_next(w, LAYER_IP);
	return walk_next(w, LAYER_ETHERNET);
}

/* ---- VXLAN, GENEVE ---- */

enum layer vxlan_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 8);

	return h && h[0] & 0x08 ? LAYER_ETHERNET : LAYER_END;
}

enum layer geneve_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 8);

	if (!h || h[0] >> 6)
		return LAYER_END;
	cursor_skip(&w->c, 4u * (h[0] & 63));
	return walk_type(w, LAYER_ETHERTYPE, load_be16(h + 2));
}
