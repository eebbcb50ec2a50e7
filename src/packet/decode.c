/* The walk from link to transport, one frame at a time; decode_fast.c is its short cut for the common frames. */
#include "packet/walk.h"

#include <assert.h>

static layer_fn *const layers[LAYER_COUNT] = {
	[LAYER_ETHERNET] = ethernet_layer,
	[LAYER_NULL] = null_layer,
	[LAYER_LOOP] = loop_layer,
	[LAYER_SLL] = sll_layer,
	[LAYER_SLL2] = sll2_layer,
	[LAYER_PPP] = ppp_layer,
	[LAYER_PPP_HDLC] = ppp_hdlc_layer,
	[LAYER_CHDLC] = chdlc_layer,
	[LAYER_FRAME_RELAY] = frame_relay_layer,
	[LAYER_WIFI] = wifi_layer,
	[LAYER_RADIOTAP] = radiotap_layer,
	[LAYER_PRISM] = prism_layer,
	[LAYER_AVS] = avs_layer,
	[LAYER_PPI] = ppi_layer,
	[LAYER_PKTAP] = pktap_layer,
	[LAYER_NFLOG] = nflog_layer,
	[LAYER_IPNET] = ipnet_layer,
	[LAYER_FDDI] = fddi_layer,
	[LAYER_TOKEN_RING] = token_ring_layer,
	[LAYER_ARCNET] = arcnet_layer,
	[LAYER_ARCNET_LINUX] = arcnet_linux_layer,
	[LAYER_IPOIB] = ipoib_layer,
	[LAYER_ATM_CLIP] = atm_clip_layer,
	[LAYER_IP_OVER_FC] = ip_over_fc_layer,
	[LAYER_FIREWIRE] = firewire_layer,
	[LAYER_ENC] = enc_layer,
	[LAYER_PFLOG] = pflog_layer,
	[LAYER_JUNIPER] = juniper_layer,
	[LAYER_DSA] = dsa_layer,
	[LAYER_EDSA] = edsa_layer,
	[LAYER_BRCM_TAG] = brcm_tag_layer,
	[LAYER_BRCM_PREPEND] = brcm_prepend_layer,
	[LAYER_ETHERTYPE] = ethertype_layer,
	[LAYER_LLC] = llc_layer,
	[LAYER_SNAP] = snap_layer,
	[LAYER_NLPID] = nlpid_layer,
	[LAYER_TAG] = tag_layer,
	[LAYER_PPPOE] = pppoe_layer,
	[LAYER_PPP_PROTOCOL] = ppp_protocol_layer,
	[LAYER_MPLS] = mpls_layer,
	[LAYER_NSH] = nsh_layer,
	[LAYER_MACSEC] = macsec_layer,
	[LAYER_IP] = ip_layer,
	[LAYER_IPV4] = ipv4_layer,
	[LAYER_IPV6] = ipv6_layer,
	[LAYER_GRE] = gre_layer,
	[LAYER_ERSPAN2] = erspan2_layer,
	[LAYER_ERSPAN3] = erspan3_layer,
	[LAYER_VXLAN] = vxlan_layer,
	[LAYER_GENEVE] = geneve_layer,
};

enum layer walk_end(struct walk *w, enum packet_status status)
{
	if (!w->tunnels)
		w->packet->status = (uint8_t)status;
	return LAYER_END;
}

enum layer walk_local(struct walk *w)
{
	if (!w->tunnels)
		w->packet->bits |= PACKET_LOCAL;
	return LAYER_END;
}

void walk_limit(struct walk *w, uint32_t n)
{
	if (n < cursor_left(&w->c))
		w->c.end = w->c.p + n;
	if (n < walk_wire_left(w))
		w->wire_end = (uint32_t)(w->c.p - w->frame->data) + n;
}

/* A frame's check sequence is no data; a wire length below the captured one is a lie of the file, and the bytes win. */
static struct walk walk_init(const struct decode_config *config, const struct frame *frame, struct packet *packet)
{
	uint32_t wire = frame->wirelen > frame->caplen ? frame->wirelen : frame->caplen;
	uint32_t end = frame->fcs_len < wire ? wire - frame->fcs_len : 0;
	uint32_t n = frame->caplen < end ? frame->caplen : end;

	return (struct walk){
		.c = cursor_init(frame->data, n), .config = config, .frame = frame, .packet = packet,
		.link = frame->link, .wire_end = end,
	};
}

static uint16_t frame_bits(const struct frame *frame)
{
	unsigned bits = frame->caplen < frame->wirelen ? PACKET_TRUNCATED : 0;

	if (frame->marks & FRAME_OWN)
		bits |= PACKET_OWN;
	if (frame->marks & FRAME_OUTGOING)
		bits |= PACKET_OUTGOING;
	return (uint16_t)bits;
}

void decode_frame(const struct decode_config *config, const struct frame *frame, struct packet *packet)
{
	*packet = (struct packet){ .ts = frame->ts, .wire_len = frame->wirelen, .bits = frame_bits(frame) };

	struct walk w = walk_init(config, frame, packet);
	enum layer layer = link_first(frame->link);
	if (layer == LAYER_END)
		walk_end(&w, PACKET_UNSUPPORTED);
	for (int depth = 0; layer != LAYER_END; depth++) {
		if (depth == MAX_LAYERS) {
			walk_end(&w, PACKET_MALFORMED);
			return;
		}
		assert(layers[layer]);
		layer = layers[layer](&w);
	}
}

struct addr decode_outer_source(const struct frame *frame)
{
	static const struct decode_config outermost = { 0 };
	struct packet packet;
	struct addr source = { 0 };

	decode_frame(&outermost, frame, &packet);
	if (packet.version == 4)
		return addr_from_v4(packet.src);
	if (packet.version == 6)
		memcpy(source.bytes, packet.addrs6, sizeof(source.bytes));
	return source;
}

const char *packet_status_name(enum packet_status status)
{
	static const char *const names[] = {
		[PACKET_OK] = "ok",
		[PACKET_SHORT] = "short",
		[PACKET_MALFORMED] = "malformed",
		[PACKET_UNSUPPORTED] = "unsupported",
	};

	return (unsigned)status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}
