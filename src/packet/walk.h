/* Inside the decoders: one frame on its way down through its headers. Private to this folder.
 *
 * decode_frame runs a loop over layers: each reads its header from the cursor, says what stands behind it by
 * returning the next layer (and `type` where that layer needs a number), or ends the walk. No layer calls another, so
 * that the depth of a hostile frame costs no stack, and time bounded by MAX_LAYERS.
 */
#pragma once
#include "base/cursor.h"
#include "packet/decode.h"

enum layer {
	LAYER_END,
	/* links */
	LAYER_ETHERNET,
	LAYER_NULL,
	LAYER_LOOP,
	LAYER_SLL,
	LAYER_SLL2,
	LAYER_PPP,
	LAYER_PPP_HDLC,
	LAYER_CHDLC,
	LAYER_FRAME_RELAY,
	LAYER_WIFI,
	LAYER_RADIOTAP,
	LAYER_PRISM,
	LAYER_AVS,
	LAYER_PPI,
	LAYER_PKTAP,
	LAYER_NFLOG,
	LAYER_IPNET,
	LAYER_FDDI,
	LAYER_TOKEN_RING,
	LAYER_ARCNET,
	LAYER_ARCNET_LINUX,
	LAYER_IPOIB,
	LAYER_ATM_CLIP,
	LAYER_IP_OVER_FC,
	LAYER_FIREWIRE,
	LAYER_ENC,
	LAYER_PFLOG,
	LAYER_JUNIPER,
	LAYER_DSA,
	LAYER_EDSA,
	LAYER_BRCM_TAG,
	LAYER_BRCM_PREPEND,
	/* wrappings inside links */
	LAYER_ETHERTYPE, /* type: ethertype */
	LAYER_LLC,
	LAYER_SNAP,
	LAYER_NLPID,
	LAYER_TAG, /* type: the tag's own ethertype */
	LAYER_PPPOE,
	LAYER_PPP_PROTOCOL,
	LAYER_MPLS,
	LAYER_NSH,
	LAYER_MACSEC,
	/* network */
	LAYER_IP, /* version told by the first nibble */
	LAYER_IPV4,
	LAYER_IPV6,
	/* tunnels, opened only on request */
	LAYER_GRE,
	LAYER_ERSPAN2,
	LAYER_ERSPAN3,
	LAYER_VXLAN,
	LAYER_GENEVE,
	LAYER_COUNT,
};

/* Real stacks are below 10; every other layer takes bytes, so that the bound is met by frames of nothing but tags. */
#define MAX_LAYERS 512
#define MAX_TUNNELS 8

struct walk {
	struct cursor c; /* what is left of the frame, within the lengths that outer headers gave */
	const struct decode_config *config;
	const struct frame *frame;
	struct packet *packet;
	uint16_t type;
	uint16_t link;      /* LINKTYPE_ of the present layer: PPI and PKTAP carry one of their own */
	uint8_t tunnels;    /* IP headers passed */
	uint32_t wire_end;  /* end of the data on the wire, from the frame's start: beyond caplen when cut */
};

/* ---- Ends ---- */

/* Ends the walk with a status; inside a tunnel the outer packet stands as it is. */
enum layer walk_end(struct walk *w, enum packet_status status);

/* Ends it at a protocol of the local network that carries no IP. */
enum layer walk_local(struct walk *w);

/* Goes on to `next` with a type, when the cursor has not failed; else the frame is short. */
static inline enum layer walk_next(struct walk *w, enum layer next)
{
	return cursor_ok(&w->c) ? next : walk_end(w, PACKET_SHORT);
}

static inline enum layer walk_type(struct walk *w, enum layer next, uint16_t type)
{
	w->type = type;
	return walk_next(w, next);
}

/* Bytes on the wire from the cursor on, within the outer lengths: what there would be without a snap length. */
static inline uint32_t walk_wire_left(const struct walk *w)
{
	uint32_t at = (uint32_t)(w->c.p - w->frame->data);
	return w->wire_end > at ? w->wire_end - at : 0;
}

/* Limits the rest to `n` bytes from the cursor: padding and trailers behind them are not data. */
void walk_limit(struct walk *w, uint32_t n);

/* ---- Layers, by file ---- */

/* The layer that a link type starts with; LAYER_END: not read. */
enum layer link_first(uint16_t link);

typedef enum layer layer_fn(struct walk *w);

layer_fn ethernet_layer, ethertype_layer, tag_layer, llc_layer, snap_layer, nlpid_layer, nsh_layer, macsec_layer;
layer_fn fddi_layer, token_ring_layer;
layer_fn null_layer, loop_layer, sll_layer, sll2_layer, nflog_layer, ipnet_layer, ipoib_layer, ppi_layer, pktap_layer;
layer_fn arcnet_layer, arcnet_linux_layer, atm_clip_layer, ip_over_fc_layer, firewire_layer;
layer_fn enc_layer, pflog_layer, juniper_layer;
layer_fn dsa_layer, edsa_layer, brcm_tag_layer, brcm_prepend_layer;
layer_fn ppp_layer, ppp_hdlc_layer, ppp_protocol_layer, pppoe_layer, chdlc_layer, frame_relay_layer;
layer_fn mpls_layer;
layer_fn wifi_layer, radiotap_layer, prism_layer, avs_layer;
layer_fn ip_layer, ipv4_layer, ipv6_layer;
layer_fn gre_layer, erspan2_layer, erspan3_layer, vxlan_layer, geneve_layer;

/* ---- IP to transport ---- */

/* The IP header just read, as its transport needs it. */
struct network {
	const uint8_t *ip;
	const uint8_t *src, *dst; /* of the pseudo header: with routing headers or home addresses not the header's own */
	uint8_t address_len;      /* 4 or 16 */
	uint32_t ip_len;          /* in bytes, as it counts here: 0 in the header may mean more */
	bool whole;               /* all of ip_len was captured and this is no fragment: checksums can be judged */
};

/* Reads the transport header at the cursor into w->packet, and says what tunnel begins there. */
enum layer transport_read(struct walk *w, const struct network *net);

/* Which enum packet_outer an IP protocol number is. */
uint8_t transport_outer(uint8_t proto);

/* The tunnel that an IP protocol number or a UDP port begins, LAYER_END when none is to be opened. */
enum layer tunnel_of_protocol(const struct walk *w, uint8_t proto);
enum layer tunnel_of_port(const struct walk *w, uint16_t dport);
