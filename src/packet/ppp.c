/* PPP (RFC 1661, 1662), PPPoE (RFC 2516), Cisco HDLC (RFC 1547), Frame Relay (RFC 2427), MPLS (RFC 3032). */
#include "packet/walk.h"

enum { LINK_PPP_PPPD = 166, LINK_PPP_DIRECTION = 204, LINK_CHDLC_DIRECTION = 205, LINK_FR_DIRECTION = 206 };
enum { PPP_IP = 0x21, PPP_OSI = 0x23, PPP_IPV6 = 0x57, PPP_BRIDGED = 0x31, PPP_MPLS = 0x281, PPP_MPLS_MULTI = 0x283 };

/* Pseudo headers of one byte that say who sent the frame. */
static void skip_direction(struct walk *w, uint16_t link)
{
	if (w->link == link) {
		cursor_skip(&w->c, 1);
		w->link = 0; /* only the outermost header has it */
	}
}

enum layer ppp_layer(struct walk *w)
{
	skip_direction(w, LINK_PPP_DIRECTION);
	const uint8_t *p = w->c.p;
	size_t left = cursor_left(&w->c);

	if (!left)
		return walk_end(w, PACKET_SHORT);
	if (p[0] == 0x0f || p[0] == 0x8f) /* Cisco HDLC's unicast and multicast address */
		return LAYER_CHDLC;
	if (p[0] == 0xff || w->link == LINK_PPP_PPPD) /* address and control may be left out (RFC 1661 section 6.6) */
		cursor_skip(&w->c, 2);
	return walk_next(w, LAYER_PPP_PROTOCOL);
}

/* Serial PPP may keep the flag byte that separates frames (RFC 1662 section 4). */
enum layer ppp_hdlc_layer(struct walk *w)
{
	if (cursor_left(&w->c) && *w->c.p == 0x7e)
		cursor_skip(&w->c, 1);
	return walk_next(w, LAYER_PPP);
}

/* Bridged PDU (RFC 3518): flags, MAC type, then the frame. */
static enum layer ppp_bridged(struct walk *w)
{
	uint8_t flags = cursor_u8(&w->c), mac = cursor_u8(&w->c);

	if (flags & 0x40) /* LAN identification */
		cursor_skip(&w->c, 4);
	if (mac != 1)
		return walk_end(w, cursor_ok(&w->c) ? PACKET_UNSUPPORTED : PACKET_SHORT);
	return walk_next(w, LAYER_ETHERNET);
}

enum layer ppp_protocol_layer(struct walk *w)
{
	/* An odd first byte is a protocol number compressed to that byte (RFC 1661 section 6.5). */
	bool compressed = cursor_left(&w->c) && *w->c.p & 1;
	uint16_t protocol = compressed ? cursor_u8(&w->c) : cursor_be16(&w->c);

	switch (protocol) {
	case PPP_IP:
	case 0x0800: return walk_next(w, LAYER_IPV4); /* some write the ethertype */
	case PPP_IPV6:
	case 0x86dd: return walk_next(w, LAYER_IPV6);
	case PPP_MPLS:
	case PPP_MPLS_MULTI: return walk_next(w, LAYER_MPLS);
	case PPP_BRIDGED: return ppp_bridged(w);
	default: break;
	}
	if (!cursor_ok(&w->c))
		return walk_end(w, PACKET_SHORT);
	/* From 0x8000 on: control and authentication; 0x02xx: discovery and hellos of bridges; OSI. */
	if (protocol >= 0x8000 || (protocol >= 0x0201 && protocol <= 0x0207) || protocol == PPP_OSI)
		return walk_local(w);
	return walk_end(w, PACKET_UNSUPPORTED);
}

enum layer pppoe_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 6);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	walk_limit(w, load_be16(h + 4));
	return LAYER_PPP_PROTOCOL;
}

/* ---- Cisco HDLC, Frame Relay ---- */

static enum layer chdlc_type(struct walk *w)
{
	uint16_t type = cursor_be16(&w->c);

	if (type == 0xfefe && cursor_ok(&w->c)) /* OSI */
		return walk_local(w);
	return walk_type(w, LAYER_ETHERTYPE, type);
}

enum layer chdlc_layer(struct walk *w)
{
	skip_direction(w, LINK_CHDLC_DIRECTION);
	cursor_skip(&w->c, 2);
	return chdlc_type(w);
}

/* Address of two to four bytes, the last of them odd (Q.922); control 3; NLPID. Without that control it is Cisco's own
 * encapsulation with an ethertype, but for the signalling of DLCI 0. */
enum layer frame_relay_layer(struct walk *w)
{
	skip_direction(w, LINK_FR_DIRECTION);
	const uint8_t *a = cursor_take(&w->c, 2);
	if (!a)
		return walk_end(w, PACKET_SHORT);
	if (a[0] & 1)
		return walk_end(w, PACKET_MALFORMED);
	bool dlci0 = !(a[0] & 0xfc) && !(a[1] & 0xf0);
	for (uint8_t last = a[1], n = 2; !(last & 1) && n < 4; n++)
		last = cursor_u8(&w->c);
	if (!cursor_left(&w->c))
		return walk_end(w, PACKET_SHORT);
	if (*w->c.p == 0x03) {
		cursor_skip(&w->c, 1);
		return LAYER_NLPID;
	}
	return dlci0 ? walk_local(w) : chdlc_type(w);
}

/* ---- MPLS ---- */

/* Whether an Ethernet header could stand here: the only mark it has is a plausible length or type. */
static bool looks_ethernet(const struct walk *w, size_t at)
{
	size_t left = cursor_left(&w->c);

	if (left < at + 14)
		return false;
	const uint8_t *p = w->c.p + at;
	uint16_t type = load_be16(p + 12);
	if (type <= 1500)
		return type > 2 && type <= left - at - 14 && !(p[0] & 1 && !(p[0] | p[1] | p[2]));
	switch (type) {
	case 0x0800: case 0x0806: case 0x86dd: case 0x8100: case 0x88a8: case 0x8847: case 0x8848: case 0x8863: case 0x8864:
	case 0x88cc: case 0x8809: case 0x8902: case 0x9000: case 0x888e: case 0x9100: return true;
	default: return false;
	}
}

/* IP can be told by its own length (RFC 4928 section 3 warns that a nibble alone cannot). */
static bool looks_ip(const struct walk *w)
{
	const uint8_t *p = w->c.p;
	uint32_t wire = walk_wire_left(w);

	if (cursor_left(&w->c) < 6)
		return true;
	if (*p >> 4 == 6)
		return 40u + load_be16(p + 4) <= wire;
	return (*p & 15) >= 5 && load_be16(p + 2) >= 20 && load_be16(p + 2) <= wire;
}

/* Associated channel (RFC 4385 section 5): some types are IP. */
static enum layer mpls_channel(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 4);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	switch (load_be16(h + 2)) {
	case PPP_IP: return LAYER_IPV4;
	case PPP_IPV6: return LAYER_IPV6;
	default: return walk_local(w);
	}
}

/* What a label stack carries is nowhere said: the first nibble tells (RFC 4928, RFC 4385 section 3). */
static enum layer mpls_payload(struct walk *w)
{
	if (!cursor_left(&w->c))
		return walk_end(w, PACKET_SHORT);
	switch (*w->c.p >> 4) {
	case 4:
	case 6:
		if (!looks_ip(w) && looks_ethernet(w, 0))
			return LAYER_ETHERNET;
		return LAYER_IP;
	case 0:
		if (looks_ethernet(w, 4) || !looks_ethernet(w, 0))
			cursor_skip(&w->c, 4); /* control word of a pseudowire */
		return walk_next(w, LAYER_ETHERNET);
	case 1: return mpls_channel(w);
	default: return looks_ethernet(w, 0) ? LAYER_ETHERNET : walk_end(w, PACKET_UNSUPPORTED);
	}
}

enum layer mpls_layer(struct walk *w)
{
	enum { LABEL_CHANNEL = 13 }; /* RFC 5586; the explicit nulls say nothing that the first nibble does not */
	uint32_t entry;

	do {
		entry = cursor_be32(&w->c);
	} while (cursor_ok(&w->c) && !(entry & 0x100));
	if (!cursor_ok(&w->c))
		return walk_end(w, PACKET_SHORT);
	return entry >> 12 == LABEL_CHANNEL ? mpls_channel(w) : mpls_payload(w);
}
