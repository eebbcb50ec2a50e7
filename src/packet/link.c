/* Link types (https://www.tcpdump.org/linktypes.html), and the small headers that only captures have. */
#include "packet/walk.h"

static const uint8_t first_layer[] = {
	[0] = LAYER_NULL,
	[1] = LAYER_ETHERNET,
	[6] = LAYER_TOKEN_RING,
	[7] = LAYER_ARCNET,
	[9] = LAYER_PPP,
	[10] = LAYER_FDDI,
	[11] = LAYER_LLC, /* ATM, RFC 2684, before it was 100 */
	[12] = LAYER_IP,  /* what BSDs and Linux wrote as DLT_RAW before there was a number of its own */
	[14] = LAYER_IP,
	[50] = LAYER_PPP_HDLC,
	[51] = LAYER_PPPOE,
	[100] = LAYER_LLC,
	[101] = LAYER_IP,
	[104] = LAYER_CHDLC,
	[105] = LAYER_WIFI,
	[106] = LAYER_ATM_CLIP,
	[107] = LAYER_FRAME_RELAY,
	[108] = LAYER_LOOP,
	[109] = LAYER_ENC,
	[113] = LAYER_SLL,
	[117] = LAYER_PFLOG,
	[119] = LAYER_PRISM,
	[122] = LAYER_IP_OVER_FC,
	[127] = LAYER_RADIOTAP,
	[129] = LAYER_ARCNET_LINUX,
	[138] = LAYER_FIREWIRE,
	[149] = LAYER_PKTAP, /* Apple's, before it had a number of its own */
	[163] = LAYER_AVS,
	[166] = LAYER_PPP,
	[178] = LAYER_JUNIPER,
	[179] = LAYER_JUNIPER,
	[180] = LAYER_JUNIPER,
	[181] = LAYER_JUNIPER,
	[192] = LAYER_PPI,
	[204] = LAYER_PPP,
	[205] = LAYER_CHDLC,
	[206] = LAYER_FRAME_RELAY,
	[226] = LAYER_IPNET,
	[228] = LAYER_IPV4,
	[229] = LAYER_IPV6,
	[239] = LAYER_NFLOG,
	[242] = LAYER_IPOIB,
};

enum layer link_first(uint16_t link)
{
	if (link < sizeof(first_layer))
		return first_layer[link];
	switch (link) {
	case 258: return LAYER_PKTAP;
	case 276: return LAYER_SLL2;
	case 281: return LAYER_BRCM_TAG;
	case 282: return LAYER_BRCM_PREPEND;
	case 284: return LAYER_DSA;
	case 285: return LAYER_EDSA;
	default: return LAYER_END;
	}
}

/* ---- Loopback ---- */

/* AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 23 on Windows, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on
 * Darwin. Some programs write an ethertype there. */
static enum layer null_family(struct walk *w, uint32_t family)
{
	switch (family) {
	case 2: return walk_next(w, LAYER_IPV4);
	case 10:
	case 23:
	case 24:
	case 28:
	case 30: return walk_next(w, LAYER_IPV6);
	default: break;
	}
	if (family >= 1536 && family <= UINT16_MAX)
		return walk_type(w, LAYER_ETHERTYPE, (uint16_t)family);
	return walk_end(w, cursor_ok(&w->c) ? PACKET_UNSUPPORTED : PACKET_SHORT);
}

/* In the byte order of the machine that captured: families are small, so that the order shows. */
enum layer null_layer(struct walk *w)
{
	uint32_t family = cursor_be32(&w->c), swapped = __builtin_bswap32(family);

	if (family > UINT16_MAX && swapped > UINT16_MAX) /* neither: some put an ethertype into the second half */
		return null_family(w, family & UINT16_MAX);
	return null_family(w, family > UINT16_MAX ? swapped : family);
}

enum layer loop_layer(struct walk *w)
{
	return null_layer(w); /* network order by definition, but not by every program */
}

/* ---- Linux cooked ---- */

enum { ARPHRD_FRAD = 770, ARPHRD_RADIOTAP = 803, ARPHRD_NETLINK = 824 };
enum { SLL_OUTGOING = 4, SLL_8023 = 1, SLL_8022 = 4 };

static enum layer sll_payload(struct walk *w, uint16_t hardware, uint16_t protocol)
{
	if (!cursor_ok(&w->c))
		return walk_end(w, PACKET_SHORT);
	switch (hardware) {
	case ARPHRD_FRAD: return LAYER_FRAME_RELAY;
	case ARPHRD_RADIOTAP: return LAYER_RADIOTAP;
	case ARPHRD_NETLINK: return walk_end(w, PACKET_UNSUPPORTED);
	default: break;
	}
	switch (protocol) {
	case SLL_8023: return walk_local(w); /* IPX without LLC */
	case SLL_8022: return LAYER_LLC;
	default: return walk_type(w, LAYER_ETHERTYPE, protocol);
	}
}

static void sll_direction(struct walk *w, unsigned packet_type)
{
	if (packet_type == SLL_OUTGOING)
		w->packet->bits |= PACKET_OUTGOING;
}

enum layer sll_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 16);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	sll_direction(w, load_be16(h));
	return sll_payload(w, load_be16(h + 2), load_be16(h + 14));
}

enum layer sll2_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 20);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	sll_direction(w, h[10]);
	return sll_payload(w, load_be16(h + 8), load_be16(h));
}

/* ---- Netfilter's log ---- */

/* Attributes: length and type in the capturing machine's order, data padded to 4 bytes; type 9 is the packet. */
static bool nflog_find(struct cursor *c, bool big)
{
	while (cursor_left(c) >= 4) {
		uint16_t length = big ? load_be16(c->p) : load_le16(c->p);
		uint16_t type = big ? load_be16(c->p + 2) : load_le16(c->p + 2);
		if (length < 4)
			return false;
		if ((type & 0x7fff) == 9) {
			cursor_skip(c, 4);
			if ((size_t)(length - 4) < cursor_left(c))
				c->end = c->p + (length - 4);
			return true;
		}
		cursor_skip(c, (length + 3u) & ~3u);
	}
	return false;
}

enum layer nflog_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 4);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	struct cursor start = w->c;
	if (!nflog_find(&w->c, false)) {
		w->c = start;
		if (!nflog_find(&w->c, true))
			return walk_local(w); /* a log entry without a packet */
	}
	return null_family(w, h[0]);
}

/* ---- Others ---- */

/* Solaris: version, address family (2 or 26), then lengths, interfaces and zones. */
enum layer ipnet_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 24);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	switch (h[1]) {
	case 2: return LAYER_IPV4;
	case 26: return LAYER_IPV6;
	default: return walk_end(w, PACKET_UNSUPPORTED);
	}
}

/* IP over InfiniBand: both link addresses of 20 bytes, then RFC 4391's header. */
enum layer ipoib_layer(struct walk *w)
{
	const uint8_t *h = cursor_take(&w->c, 44);

	return h ? walk_type(w, LAYER_ETHERTYPE, load_be16(h + 40)) : walk_end(w, PACKET_SHORT);
}

/* Another link type inside, as a number in the header. */
static enum layer link_inside(struct walk *w, uint32_t link)
{
	enum layer layer = link <= UINT16_MAX ? link_first((uint16_t)link) : LAYER_END;

	w->link = (uint16_t)link;
	return layer == LAYER_END ? walk_end(w, PACKET_UNSUPPORTED) : walk_next(w, layer);
}

enum layer ppi_layer(struct walk *w)
{
	if (cursor_left(&w->c) < 8)
		return walk_end(w, PACKET_SHORT);
	uint16_t length = load_le16(w->c.p + 2);
	uint32_t link = load_le32(w->c.p + 4);
	if (length < 8)
		return walk_end(w, PACKET_MALFORMED);
	cursor_skip(&w->c, length);
	return link_inside(w, link);
}

enum layer pktap_layer(struct walk *w)
{
	if (cursor_left(&w->c) < 12)
		return walk_end(w, PACKET_SHORT);
	uint32_t length = load_le32(w->c.p), kind = load_le32(w->c.p + 4), link = load_le32(w->c.p + 8);
	if (length < 12)
		return walk_end(w, PACKET_MALFORMED);
	if (kind != 1) /* no packet follows */
		return walk_local(w);
	cursor_skip(&w->c, length);
	return link_inside(w, link);
}

/* Classical IP over ATM on Linux (RFC 2225): with LLC or bare. */
enum layer atm_clip_layer(struct walk *w)
{
	if (cursor_left(&w->c) >= 3 && load_be16(w->c.p) == 0xaaaa && w->c.p[2] == 3)
		return LAYER_LLC;
	return LAYER_IPV4;
}

/* IP over Fibre Channel (RFC 2625): both network addresses, then LLC. */
enum layer ip_over_fc_layer(struct walk *w)
{
	cursor_skip(&w->c, 16);
	return walk_next(w, LAYER_LLC);
}

/* IP over IEEE 1394 as Apple writes it: two addresses of 8 bytes, then an ethertype. */
enum layer firewire_layer(struct walk *w)
{
	cursor_skip(&w->c, 16);
	return walk_type(w, LAYER_ETHERTYPE, cursor_be16(&w->c));
}

/* OpenBSD's IPsec interface: address family in the machine's order, security parameters index, flags. */
enum layer enc_layer(struct walk *w)
{
	uint32_t family = cursor_be32(&w->c);

	cursor_skip(&w->c, 8);
	return null_family(w, family > UINT16_MAX ? __builtin_bswap32(family) : family);
}

/* The log of the BSDs' packet filter: its own length, padded to a multiple of 4, and the address family. */
enum layer pflog_layer(struct walk *w)
{
	if (cursor_left(&w->c) < 2)
		return walk_end(w, PACKET_SHORT);
	unsigned length = (w->c.p[0] + 3u) & ~3u;
	uint8_t family = w->c.p[1];
	if (length < 4)
		return walk_end(w, PACKET_MALFORMED);
	cursor_skip(&w->c, length);
	return null_family(w, family);
}

/* ARCNET's protocol numbers: RFC 1201 cuts packets up and numbers the parts; RFC 1051 does neither. */
static enum layer arcnet_payload(struct walk *w)
{
	enum { IP_1201 = 212, ARP_1201 = 213, RARP_1201 = 214, IPV6_1201 = 196, IP_1051 = 240, ARP_1051 = 241 };
	uint8_t protocol = cursor_u8(&w->c);

	if (protocol == IP_1051)
		return walk_next(w, LAYER_IPV4);
	if (protocol == ARP_1051 || protocol == ARP_1201 || protocol == RARP_1201)
		return walk_local(w);
	if (protocol != IP_1201 && protocol != IPV6_1201)
		return walk_end(w, cursor_ok(&w->c) ? PACKET_UNSUPPORTED : PACKET_SHORT);
	uint8_t split = cursor_u8(&w->c);
	cursor_skip(&w->c, split == 0xff ? 6 : 2); /* an exception packet has its real header behind a padding one */
	if (split != 0xff && split && !(split & 1)) /* a later part */
		return walk_end(w, PACKET_UNSUPPORTED);
	return walk_next(w, protocol == IP_1201 ? LAYER_IPV4 : LAYER_IPV6);
}

enum layer arcnet_layer(struct walk *w)
{
	cursor_skip(&w->c, 2);
	return arcnet_payload(w);
}

enum layer arcnet_linux_layer(struct walk *w)
{
	cursor_skip(&w->c, 4); /* the offset field is written into the header too */
	return arcnet_payload(w);
}

/* ---- Switches ---- */

/* Marvell's tag is 4 bytes in place of the ethertype; a tagged frame's VLAN tag is folded into it, so that the real
 * ethertype follows either way. 8 bytes when the tag says that it is extended. */
static enum layer dsa_tag(struct walk *w)
{
	const uint8_t *tag = cursor_take(&w->c, 4);

	if (tag && tag[2] & 0x10)
		cursor_skip(&w->c, 4);
	uint16_t type = cursor_be16(&w->c);
	if (type <= 1500 && cursor_ok(&w->c)) {
		walk_limit(w, type);
		return LAYER_LLC;
	}
	return walk_type(w, LAYER_ETHERTYPE, type);
}

enum layer dsa_layer(struct walk *w)
{
	cursor_skip(&w->c, 12);
	return dsa_tag(w);
}

enum layer edsa_layer(struct walk *w)
{
	cursor_skip(&w->c, 16); /* addresses, ethertype of the tag, reserved */
	return dsa_tag(w);
}

enum layer brcm_tag_layer(struct walk *w)
{
	cursor_skip(&w->c, 16);
	return walk_type(w, LAYER_ETHERTYPE, cursor_be16(&w->c));
}

enum layer brcm_prepend_layer(struct walk *w)
{
	cursor_skip(&w->c, 4);
	return walk_next(w, LAYER_ETHERNET);
}

/* Juniper's pseudo header: "MGC", flags, extensions with their length; where the link header was stripped, 4 bytes with
 * the address family. */
enum layer juniper_layer(struct walk *w)
{
	enum { NO_LINK = 0x02, EXTENSIONS = 0x80 };
	static const uint8_t inside[] = { LAYER_ETHERNET, LAYER_PPP, LAYER_FRAME_RELAY, LAYER_CHDLC };
	const uint8_t *h = cursor_take(&w->c, 4);

	if (!h)
		return walk_end(w, PACKET_SHORT);
	if (load_be32(h) >> 8 != 0x4d4743)
		return walk_end(w, PACKET_MALFORMED);
	if (h[3] & EXTENSIONS)
		cursor_skip(&w->c, cursor_be16(&w->c));
	if (!(h[3] & NO_LINK))
		return walk_next(w, inside[w->link - 178]);
	const uint8_t *family = cursor_take(&w->c, 4);
	return family ? null_family(w, family[0]) : walk_end(w, PACKET_SHORT);
}
