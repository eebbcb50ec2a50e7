/* The short cut: IPv4 without options or fragments, directly on Ethernet or bare, captured whole, with TCP, UDP or ICMP.
 * That is nearly all that a telescope sees. Everything is loaded from constant offsets and each packet is written once;
 * whatever else a frame may be goes to decode_frame, and the two agree bit for bit. */
#include "packet/checksum.h"
#include "packet/walk.h"

enum { LINK_ETHERNET = 1, LINK_RAW = 101 };

/* What may follow from a frame that is being tried. */
struct trial {
	const struct frame *frame;
	const uint8_t *ip;
	uint32_t length; /* of the IP packet */
	unsigned bits;
	bool checksums;
};

static inline struct packet trial_packet(const struct trial *t, uint8_t proto, uint8_t outer, unsigned header)
{
	const uint8_t *ip = t->ip;

	return (struct packet){
		.ts = t->frame->ts, .ip = ip,
		.src = load_be32(ip + 12), .dst.v4 = load_be32(ip + 16),
		.ip_id = load_be16(ip + 4), .ttl = ip[8],
		.wire_len = t->frame->wirelen, .ip_len = t->length,
		.l4_offset = 20, .payload_offset = (uint16_t)(20 + header), .payload_len = (uint16_t)(t->length - 20 - header),
		.version = 4, .proto = proto, .outer_version = 4, .outer_l4 = outer,
	};
}

/* Sums the IP header without its addresses, and the addresses, which the pseudo header has too. */
static inline unsigned trial_verify(const struct trial *t, uint64_t pseudo, uint32_t n)
{
	const uint8_t *ip = t->ip;
	uint64_t addresses = checksum_halves(load_le64(ip + 12));
	uint64_t header = checksum_halves(load_le64(ip)) + load_le32(ip + 8) + addresses;
	uint64_t data = checksum_add(pseudo ? pseudo + addresses : 0, ip + 20, n);

	return checksum_ok(header) && checksum_ok(data) ? 0 : PACKET_BAD_CHECKSUM;
}

static inline bool trial_tcp(const struct trial *t, struct packet *packet)
{
	const uint8_t *h = t->ip + 20;
	uint32_t n = t->length - 20;

	if (n < 20)
		return false;
	unsigned header = (h[12] >> 2) & 0x3c, bits = t->bits;
	if (header < 20 || header > n)
		return false;
	if (t->checksums)
		bits |= trial_verify(t, checksum_pseudo(PROTO_TCP, n), n);
	struct packet p = trial_packet(t, PROTO_TCP, OUTER_TCP, header);
	p.sport = load_be16(h);
	p.dport = load_be16(h + 2);
	p.seq = load_be32(h + 4);
	p.ack = load_be32(h + 8);
	p.tcp_flags = h[13];
	p.window = load_be16(h + 14);
	p.tcp_options_len = (uint8_t)(header - 20);
	p.bits = (uint16_t)bits;
	*packet = p;
	return true;
}

static inline bool trial_udp(const struct trial *t, struct packet *packet)
{
	const uint8_t *h = t->ip + 20;
	uint32_t n = t->length - 20, length = load_be16(h + 4);
	unsigned bits = t->bits;

	if (length < 8 || length > n)
		return false;
	if (t->checksums && load_le16(h + 6))
		bits |= trial_verify(t, checksum_pseudo(PROTO_UDP, length), length);
	else if (t->checksums && !checksum_ok(checksum_add(0, t->ip, 20)))
		bits |= PACKET_BAD_CHECKSUM;
	struct packet p = trial_packet(t, PROTO_UDP, OUTER_UDP, 8);
	p.sport = load_be16(h);
	p.dport = load_be16(h + 2);
	p.payload_len = (uint16_t)(length - 8);
	p.bits = (uint16_t)bits;
	*packet = p;
	return true;
}

static inline bool trial_icmp(const struct trial *t, struct packet *packet)
{
	unsigned bits = t->bits;

	if (t->checksums)
		bits |= trial_verify(t, 0, t->length - 20);
	struct packet p = trial_packet(t, PROTO_ICMP, OUTER_ICMP, 8);
	p.dport = load_be16(t->ip + 20);
	p.bits = (uint16_t)bits;
	*packet = p;
	return true;
}

/* The IP header at ip, of `left` captured bytes. False: not of the common kind, nothing was written. */
static inline bool decode_trial(const struct decode_config *config, const struct frame *frame, const uint8_t *ip,
                                uint32_t left, struct packet *packet)
{
	struct trial t = { .frame = frame, .ip = ip, .length = load_be16(ip + 2), .checksums = config->checksums };

	/* More fragments, fragment offset: none. 28 bytes: the shortest that has a UDP or ICMP header. */
	if (ip[0] != 0x45 || (load_le16(ip + 6) & 0xff3f) || t.length < 28 || t.length > left)
		return false;
	t.bits = PACKET_L4 | (frame->caplen < frame->wirelen ? PACKET_TRUNCATED : 0u);
	t.bits |= (ip[6] & 0x40 ? PACKET_DF : 0u) | (ip[6] & 0x80 ? PACKET_RESERVED_FLAG : 0u);
	t.bits |= (frame->marks & FRAME_OWN ? PACKET_OWN : 0u) | (frame->marks & FRAME_OUTGOING ? PACKET_OUTGOING : 0u);
	switch (ip[9]) {
	case PROTO_TCP: return trial_tcp(&t, packet);
	case PROTO_UDP: return !config->decapsulate && trial_udp(&t, packet);
	case PROTO_ICMP: return trial_icmp(&t, packet);
	default: return false;
	}
}

static inline bool decode_try(const struct decode_config *config, const struct frame *frame, struct packet *packet)
{
	const uint8_t *data = frame->data;

	if (frame->fcs_len)
		return false;
	if (frame->link == LINK_ETHERNET)
		return frame->caplen >= 14 + 28 && load_le16(data + 12) == 0x0008 &&
		       decode_trial(config, frame, data + 14, frame->caplen - 14, packet);
	return frame->link == LINK_RAW && frame->caplen >= 28 && decode_trial(config, frame, data, frame->caplen, packet);
}

void decode_frames(const struct decode_config *config, const struct frame *frames, struct packet *packets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!decode_try(config, frames + i, packets + i))
			decode_frame(config, frames + i, packets + i);
}
