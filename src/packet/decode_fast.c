/* The short cut: IPv4 without options or fragments, on Ethernet with at most one tag or bare, captured whole, with TCP,
 * UDP or ICMP. That is nearly all that a telescope sees. Everything is loaded from constant offsets and the packet is
 * written as eight words, since field by field costs three times the instructions; whatever else a frame may be goes to
 * decode_frame, and the two agree bit for bit. */
#include "base/checksum.h"
#include "packet/walk.h"

enum { LINK_ETHERNET = 1, LINK_RAW = 101 };

/* Nothing here is worth a call: the pieces are one straight run of instructions for each protocol. */
#define INLINE static inline __attribute__((always_inline))

/* The words of a packet, as the struct lies in memory. */
_Static_assert(offsetof(struct packet, ip) == 8 && offsetof(struct packet, src) == 16 &&
               offsetof(struct packet, dst) == 20 && offsetof(struct packet, seq) == 24 &&
               offsetof(struct packet, ack) == 28 && offsetof(struct packet, sport) == 32 &&
               offsetof(struct packet, dport) == 34 && offsetof(struct packet, window) == 36 &&
               offsetof(struct packet, ip_id) == 38 && offsetof(struct packet, wire_len) == 40 &&
               offsetof(struct packet, ip_len) == 44 && offsetof(struct packet, l4_offset) == 48 &&
               offsetof(struct packet, payload_offset) == 50 && offsetof(struct packet, payload_len) == 52 &&
               offsetof(struct packet, bits) == 54 && offsetof(struct packet, version) == 56 &&
               offsetof(struct packet, proto) == 57 && offsetof(struct packet, ttl) == 58 &&
               offsetof(struct packet, tcp_flags) == 59 && offsetof(struct packet, tcp_options_len) == 60 &&
               offsetof(struct packet, status) == 61 && offsetof(struct packet, outer_version) == 62 &&
               offsetof(struct packet, outer_l4) == 63 && sizeof(void *) == 8, "trial_write writes a packet as words");

INLINE void put_word(struct packet *packet, unsigned at, uint64_t word)
{
	memcpy((uint8_t *)packet + 8 * at, &word, sizeof word);
}

/* What is known of a frame before its transport is read. */
struct trial {
	const struct frame *frame;
	const uint8_t *ip;
	uint64_t first;  /* eight bytes of the IP header */
	uint32_t length; /* of the IP packet */
	uint64_t bits;
};

/* Two big-endian 32-bit numbers as they follow each other in a packet of host order. */
INLINE uint64_t swap_pair(const uint8_t *p)
{
	uint64_t v = load_be64(p);
	return v << 32 | v >> 32;
}

INLINE void trial_write(const struct trial *t, struct packet *packet, uint64_t seq_ack, uint64_t ports_window,
                               uint32_t header, uint32_t payload, uint64_t small)
{
	put_word(packet, 0, (uint64_t)t->frame->ts);
	put_word(packet, 1, (uintptr_t)t->ip);
	put_word(packet, 2, swap_pair(t->ip + 12));
	put_word(packet, 3, seq_ack);
	put_word(packet, 4, ports_window | (uint64_t)load_be16(t->ip + 4) << 48);
	put_word(packet, 5, t->frame->wirelen | (uint64_t)t->length << 32);
	put_word(packet, 6, 20 | (uint64_t)(20 + header) << 16 | (uint64_t)payload << 32 | t->bits << 48);
	put_word(packet, 7, small | 4 | (uint64_t)t->ip[8] << 16 | 4ull << 48);
}

INLINE uint64_t trial_ports(const uint8_t *h)
{
	uint32_t ports = load_be32(h);
	return (uint32_t)(ports << 16 | ports >> 16);
}

/* Verifies the IP header and n bytes behind it; `pseudo`: protocol and length of a pseudo header, 0: there is none. */
INLINE void trial_verify(struct trial *t, uint64_t pseudo, uint32_t n)
{
	uint64_t addresses = load_le64(t->ip + 12);
	uint64_t header = checksum_word(checksum_word(addresses, t->first), load_le32(t->ip + 8));
	uint64_t data = checksum_add(pseudo ? checksum_word(addresses, pseudo) : 0, t->ip + 20, n);
	t->bits |= checksum_ok(header) && checksum_ok(data) ? 0 : PACKET_BAD_CHECKSUM;
}

INLINE bool trial_tcp(struct trial *t, struct packet *packet, bool checksums)
{
	const uint8_t *h = t->ip + 20;
	uint32_t n = t->length - 20;
	if (n < 20)
		return false;
	uint32_t header = (h[12] >> 2) & 0x3cu;
	if (header < 20 || header > n)
		return false;
	if (checksums)
		trial_verify(t, checksum_pseudo(PROTO_TCP, n), n);
	trial_write(t, packet, swap_pair(h + 4), trial_ports(h) | (uint64_t)load_be16(h + 14) << 32, header, n - header,
	            (uint64_t)PROTO_TCP << 8 | (uint64_t)h[13] << 24 | (uint64_t)(header - 20) << 32 |
	            (uint64_t)OUTER_TCP << 56);
	return true;
}

INLINE bool trial_udp(struct trial *t, struct packet *packet, bool checksums)
{
	const uint8_t *h = t->ip + 20;
	uint32_t n = t->length - 20, length = load_be16(h + 4);
	if (length < 8 || length > n)
		return false;
	if (checksums && load_le16(h + 6))
		trial_verify(t, checksum_pseudo(PROTO_UDP, length), length);
	else if (checksums && !checksum_ok(checksum_add(0, t->ip, 20))) /* no checksum of its own (RFC 768) */
		t->bits |= PACKET_BAD_CHECKSUM;
	trial_write(t, packet, 0, trial_ports(h), 8, length - 8, (uint64_t)PROTO_UDP << 8 | (uint64_t)OUTER_UDP << 56);
	return true;
}

INLINE bool trial_icmp(struct trial *t, struct packet *packet, bool checksums)
{
	if (checksums)
		trial_verify(t, 0, t->length - 20);
	trial_write(t, packet, 0, (uint64_t)load_be16(t->ip + 20) << 16, 8, t->length - 28,
	            (uint64_t)PROTO_ICMP << 8 | (uint64_t)OUTER_ICMP << 56);
	return true;
}

/* Bits of a packet that the frame and the first eight bytes of its IP header tell. */
INLINE uint64_t trial_bits(const struct frame *frame, uint64_t first)
{
	uint64_t bits = PACKET_L4 | (first >> 54 & 1) * PACKET_DF | (first >> 55 & 1) * PACKET_RESERVED_FLAG;
	bits |= (uint64_t)(frame->caplen < frame->wirelen) * PACKET_TRUNCATED;
	return bits | (frame->marks & FRAME_OWN) * (uint64_t)PACKET_OWN |
	       (uint64_t)(frame->marks & FRAME_OUTGOING) / FRAME_OUTGOING * PACKET_OUTGOING;
}

/* The IP header at ip, of `left` captured bytes. False: not of the common kind, nothing was written. */
INLINE bool decode_trial(const struct decode_config *config, const struct frame *frame, const uint8_t *ip,
                                uint32_t left, struct packet *packet)
{
	uint64_t first = load_le64(ip);
	struct trial t = { .frame = frame, .ip = ip, .first = first, .length = __builtin_bswap16((uint16_t)(first >> 16)) };
	/* Version 4, five words; neither "more fragments" nor an offset. 28 bytes: the shortest UDP or ICMP packet. */
	if ((first & 0xff3f0000000000ff) != 0x45 || t.length < 28 || t.length > left)
		return false;
	t.bits = trial_bits(frame, first);
	switch (ip[9]) {
	case PROTO_TCP: return trial_tcp(&t, packet, config->checksums);
	case PROTO_UDP: return !config->decapsulate && trial_udp(&t, packet, config->checksums);
	case PROTO_ICMP: return trial_icmp(&t, packet, config->checksums);
	default: return false;
	}
}

/* Bytes before the IPv4 header: Ethernet, with one VLAN tag or none, or nothing. */
#define NO_IPV4 UINT32_MAX
INLINE uint32_t bytes_before(const struct frame *frame)
{
	const uint8_t *data = frame->data;
	if (frame->link != LINK_ETHERNET)
		return frame->link == LINK_RAW ? 0 : NO_IPV4;
	if (frame->caplen < 14 + 28)
		return NO_IPV4;
	if (load_be16(data + 12) == 0x0800)
		return 14;
	return load_be16(data + 12) == 0x8100 && load_be16(data + 16) == 0x0800 ? 18 : NO_IPV4;
}

INLINE bool decode_try(const struct decode_config *config, const struct frame *frame, struct packet *packet)
{
	uint32_t before = bytes_before(frame);
	if (before == NO_IPV4 || frame->fcs_len || frame->caplen < before + 28)
		return false;
	return decode_trial(config, frame, frame->data + before, frame->caplen - before, packet);
}

void decode_frames(const struct decode_config *config, const struct frame *frames, struct packet *packets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!decode_try(config, frames + i, packets + i))
			decode_frame(config, frames + i, packets + i);
}
