/* Ethernet, what an ethertype says, tags before one, LLC and SNAP (IEEE 802.2, RFC 1042), FDDI, Token Ring. */
#include "packet/walk.h"

enum {
	TYPE_MAX_LENGTH = 1500, /* up to here the field is a length, from 1536 on a type (IEEE 802.3 3.2.6) */
	TYPE_MIN = 1536,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_PPPOE = 0x8864,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_UPSTREAM = 0x8848,
	TYPE_NSH = 0x894f,
	TYPE_MACSEC = 0x88e5,
	TYPE_BRIDGED = 0x6558,
	TYPE_JUMBO_LLC = 0x8870,
	TYPE_VLAN = 0x8100,
	TYPE_PROVIDER = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_QINQ_OLDER = 0x9200,
	TYPE_BACKBONE = 0x88e7,
	TYPE_ETAG = 0x893f,
	TYPE_VNTAG = 0x8926,
	TYPE_CISCO_META = 0x8909,
	TYPE_HSR = 0x892f,
	TYPE_RTAG = 0xf1c1,
	TYPE_ARISTA = 0xd28b,
	TYPE_FABRICPATH = 0x8903,
	TYPE_TRILL = 0x22f3,
};

/* Protocols that speak only on the local network and carry no IP. */
static bool ethertype_is_local(uint16_t type)
{
	switch (type) {
	case 0x0806: case 0x8035: case 0x8863: /* ARP, RARP, PPPoE discovery */
	case 0x88cc: case 0x888e: case 0x88c7: case 0x8809: case 0x8808: /* LLDP, EAPOL, RSN, slow protocols, pause */
	case 0x9000: case 0x9003: case 0x8902: case 0x88ee: case 0x8181: /* loopback, CFM, E-LMI, STP */
	case 0x88f5: case 0x88f6: case 0x22ea: case 0x22f0: case 0x22f4: /* MVRP, MMRP, MSRP, AVTP, L2-IS-IS */
	case 0x88f7: case 0x88e3: case 0x88fb: case 0x88b8: case 0x88b9: case 0x88ba: /* PTP, MRP, PRP, GOOSE, GSE, SV */
	case 0x8892: case 0x88a4: case 0x88ab: case 0x88cd: case 0x80e1: /* PROFINET, EtherCAT, Powerlink, SERCOS, DLR */
	case 0x88a2: case 0x8906: case 0x8914: case 0x88ca: case 0x88ae: /* AoE, FCoE, FIP, TIPC, BridgeWalk */
	case 0x0842: case 0x88d9: case 0x886f: case 0x8899: case 0x887b: case 0x88e1: /* WoL, LLTD, NLB, RRCP, HomePlug */
	case 0x8137: case 0x8138: case 0x809b: case 0x80f3: case 0x0600: case 0x80d5: /* IPX, AppleTalk, XNS, SNA */
	case 0x6000: case 0x6001: case 0x6002: case 0x6003: case 0x6004: case 0x6005: case 0x6006: case 0x6007: /* DEC */
	case 0x2000: case 0x2003: case 0x2004: case 0x01a2: case 0x4305: case 0x8947: /* Cisco, batman-adv, GeoNetworking */
	case 0x890d: case 0x88b4: case 0xcafe: case 0x0bad: case 0x0baf: /* TDLS, WAPI, LLT, VINES */ return true;
	default: return false;
	}
}

static bool ethertype_is_tag(uint16_t type)
{
	switch (type) {
	case TYPE_VLAN:
	case TYPE_PROVIDER:
	case TYPE_QINQ_OLD:
	case TYPE_QINQ_OLDER:
	case TYPE_BACKBONE:
	case TYPE_ETAG:
	case TYPE_VNTAG:
	case TYPE_CISCO_META:
	case TYPE_HSR:
	case TYPE_RTAG:
	case TYPE_ARISTA:
	case TYPE_FABRICPATH:
	case TYPE_TRILL: return true;
	default: return false;
	}
}

enum layer ethertype_layer(struct walk *w)
{
	uint16_t type = w->type;

	switch (type) {
	case TYPE_IPV4: return LAYER_IPV4;
	case TYPE_IPV6: return LAYER_IPV6;
	case TYPE_PPPOE: return LAYER_PPPOE;
	case TYPE_MPLS:
	case TYPE_MPLS_UPSTREAM: return LAYER_MPLS;
	case TYPE_NSH: return LAYER_NSH;
	case TYPE_MACSEC: return LAYER_MACSEC;
	case TYPE_BRIDGED: return LAYER_ETHERNET;
	case TYPE_JUMBO_LLC: return LAYER_LLC;
	default: break;
	}
	if (ethertype_is_tag(type))
		return LAYER_TAG;
	return ethertype_is_local(type) ? walk_local(w) : walk_end(w, PACKET_UNSUPPORTED);
}

/* The field that is a length (then LLC follows) or a type. */
static enum layer length_or_type(struct walk *w)
{
	uint16_t type = cursor_be16(&w->c);

	if (type > TYPE_MAX_LENGTH)
		return type < TYPE_MIN ? walk_end(w, PACKET_UNSUPPORTED) : walk_type(w, LAYER_ETHERTYPE, type);
	if (type)
		walk_limit(w, type);
	/* Novell's "raw" 802.3 has IPX, whose checksum is always ffff, where LLC would be. */
	if (cursor_left(&w->c) >= 2 && load_be16(w->c.p) == 0xffff)
		return walk_local(w);
	return walk_next(w, LAYER_LLC);
}

enum layer ethernet_layer(struct walk *w)
{
	cursor_skip(&w->c, 12);
	return length_or_type(w);
}

/* ---- Tags ---- */

/* Bytes between a tag's own ethertype and the next. */
static uint8_t tag_length(const struct walk *w)
{
	switch (w->type) {
	case TYPE_VNTAG:
	case TYPE_HSR:
	case TYPE_RTAG: return 4;
	case TYPE_ETAG:
	case TYPE_CISCO_META: return 6;
	case TYPE_BACKBONE: return 16; /* I-TAG and the customer's addresses (IEEE 802.1ah) */
	default: return 2;
	}
}

/* Arista's time stamp: subtype 1, then version 0x10 (8 bytes) or 0x20 (6 bytes). */
static void arista_skip(struct cursor *c)
{
	uint16_t subtype = cursor_be16(c);

	if (subtype == 1)
		cursor_skip(c, (cursor_be16(c) & 0xff) == 0x20 ? 6 : 8);
}

/* RFC 6325 section 3: options are counted in units of 4 bytes. */
static enum layer trill_skip(struct walk *w)
{
	uint16_t first = cursor_be16(&w->c);

	cursor_skip(&w->c, 4 + (first >> 6 & 31) * 4u);
	return walk_next(w, LAYER_ETHERNET);
}

enum layer tag_layer(struct walk *w)
{
	if (w->type == TYPE_TRILL)
		return trill_skip(w);
	if (w->type == TYPE_ARISTA)
		arista_skip(&w->c);
	else
		cursor_skip(&w->c, tag_length(w));
	return w->type == TYPE_FABRICPATH ? walk_next(w, LAYER_ETHERNET) : length_or_type(w);
}

/* MACsec (IEEE 802.1AE): the data can be read where it is only authenticated, not encrypted. */
enum layer macsec_layer(struct walk *w)
{
	enum { SCI_PRESENT = 0x20, ENCRYPTED = 0x08, CHANGED = 0x04, ICV = 16 };
	uint8_t tci = cursor_u8(&w->c);

	cursor_skip(&w->c, tci & SCI_PRESENT ? 13 : 5);
	if (tci & (ENCRYPTED | CHANGED))
		return walk_end(w, cursor_ok(&w->c) ? PACKET_UNSUPPORTED : PACKET_SHORT);
	uint32_t left = walk_wire_left(w);
	if (left > ICV)
		walk_limit(w, left - ICV);
	return walk_type(w, LAYER_ETHERTYPE, cursor_be16(&w->c));
}

/* Network service header (RFC 8300). */
enum layer nsh_layer(struct walk *w)
{
	static const uint8_t next[] = { 0, LAYER_IPV4, LAYER_IPV6, LAYER_ETHERNET, LAYER_NSH, LAYER_MPLS };
	const uint8_t *h = cursor_take(&w->c, 4);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	unsigned length = 4u * (h[1] & 63);
	if (length < 8)
		return walk_end(w, PACKET_MALFORMED);
	cursor_skip(&w->c, length - 4);
	if (h[3] == 0 || h[3] >= sizeof(next))
		return walk_end(w, PACKET_UNSUPPORTED);
	return walk_next(w, next[h[3]]);
}

/* ---- LLC ---- */

static bool sap_is_local(uint8_t dsap)
{
	switch (dsap & 0xfe) {
	case 0x00: case 0x02: case 0x42: case 0xe0: case 0xf0: case 0xfe: /* null, management, STP, IPX, NetBIOS, OSI */
	case 0x04: case 0x08: case 0x0c: case 0x80: case 0x82: case 0x98: /* SNA, XNS, BACnet, ARP */
	case 0xbc: case 0xd4: case 0xdc: case 0xf4: case 0xf8: case 0xfc: /* VINES, LAN management, discovery, RPL */
	case 0xaa: return true; /* SNAP that carries no data: XID, TEST */
	default: return false;
	}
}

enum layer llc_layer(struct walk *w)
{
	uint8_t dsap = cursor_u8(&w->c), ssap = cursor_u8(&w->c), control = cursor_u8(&w->c);
	bool unnumbered = (control & 3) == 3;

	if (!unnumbered)
		cursor_skip(&w->c, 1);
	if (!cursor_ok(&w->c))
		return walk_end(w, PACKET_SHORT);
	bool information = !(control & 1) || (control & 0xef) == 3;
	if (information && dsap == 0xaa && ssap == 0xaa) {
		w->type = 2; /* padding of a bridged Ethernet frame behind LLC (RFC 2684 section 5.2) */
		return LAYER_SNAP;
	}
	if (information && dsap == 0x06)
		return LAYER_IPV4;
	return sap_is_local(dsap) ? walk_local(w) : walk_end(w, PACKET_UNSUPPORTED);
}

/* Bridged frames over ATM and Frame Relay (RFC 2684 section 5.2, RFC 2427 section 4.2). */
static enum layer snap_bridged(struct walk *w, uint16_t pid, unsigned pad)
{
	switch (pid) {
	case 1:
	case 7: cursor_skip(&w->c, pad); return walk_next(w, LAYER_ETHERNET);
	case 4:
	case 10: cursor_skip(&w->c, pad + 1); return walk_next(w, LAYER_FDDI);
	case 14: return walk_local(w);
	default: return walk_end(w, PACKET_UNSUPPORTED);
	}
}

/* w->type: bytes of padding before a bridged frame. */
enum layer snap_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 5);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	uint16_t pid = load_be16(h + 3);
	switch (load_be32(h) >> 8) {
	case 0x000000:
	case 0x0000f8: return walk_type(w, LAYER_ETHERTYPE, pid);
	case 0x0080c2: return snap_bridged(w, pid, w->type);
	case 0x00000c: case 0x080007: case 0x00e02b: /* Cisco (CDP, VTP, UDLD, …), AppleTalk, Extreme */
	case 0x080009: case 0x00805f: case 0x000081: /* HP, Nortel */ return walk_local(w);
	default: return walk_end(w, PACKET_UNSUPPORTED);
	}
}

/* One byte says the protocol (ISO/IEC TR 9577; RFC 2427 section 3). */
enum layer nlpid_layer(struct walk *w)
{
	uint8_t nlpid = cursor_u8(&w->c);

	if (nlpid == 0) /* one byte of padding is allowed */
		nlpid = cursor_u8(&w->c);
	switch (nlpid) {
	case 0xcc: return walk_next(w, LAYER_IPV4);
	case 0x8e: return walk_next(w, LAYER_IPV6);
	case 0x80: return walk_type(w, LAYER_SNAP, 0);
	case 0xcf: return walk_next(w, LAYER_PPP);
	case 0x08: case 0x81: case 0x82: case 0x83: case 0x09: return walk_local(w); /* Q.933, OSI, LMI */
	default: return walk_end(w, cursor_ok(&w->c) ? PACKET_UNSUPPORTED : PACKET_SHORT);
	}
}

/* ---- Other networks with LLC ---- */

enum layer fddi_layer(struct walk *w)
{
	uint8_t control = cursor_u8(&w->c);

	cursor_skip(&w->c, 12);
	if ((control & 0x70) != 0x50) /* only LLC frames; station management and MAC frames carry no IP */
		return cursor_ok(&w->c) ? walk_local(w) : walk_end(w, PACKET_SHORT);
	return walk_next(w, LAYER_LLC);
}

/* IEEE 802.5: access control, frame control, addresses; a source route follows when the source's group bit is set. */
enum layer token_ring_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 14);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	if ((h[1] & 0xc0) != 0x40)
		return walk_local(w);
	if (h[8] & 0x80) {
		unsigned route = cursor_left(&w->c) ? *w->c.p & 31u : 0;
		if (route < 2 || route & 1)
			return walk_end(w, PACKET_MALFORMED);
		cursor_skip(&w->c, route);
	}
	return walk_next(w, LAYER_LLC);
}
