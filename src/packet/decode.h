/* Decoding: frames in, packets out; one file per protocol or tunnel behind this header.
 *
 * Link wrappings (VLAN tags, MPLS, PPPoE, 802.11, ERSPAN's inner Ethernet, …) always come off, as far as no IP header
 * has been passed. IP tunnels (IP in IP, 6in4, GRE, VXLAN, GENEVE, ERSPAN) are opened only when `decapsulate` is set:
 * at a telescope a tunnel packet is itself a probe.
 */
#pragma once
#include "model/frame.h"
#include "model/packet.h"

#include <stdbool.h>
#include <stddef.h>

struct decode_config {
	bool decapsulate;
	bool checksums; /* verify them and set PACKET_BAD_CHECKSUM */
};

/* Decodes n frames into n packets. Total: any bytes give a packet with a status, and nothing outside the frame is read. */
void decode_frames(const struct decode_config *config, const struct frame *frames, struct packet *packets, size_t n);

/* The same by the general path alone, one frame; decode_frames must agree with it bit for bit (tests hold it to that). */
void decode_frame(const struct decode_config *config, const struct frame *frame, struct packet *packet);

/* The source address of the outermost IP header of a packet with PACKET_TUNNELLED. */
struct addr decode_outer_source(const struct frame *frame);

/* The packet quoted in an ICMP or ICMPv6 error (RFC 792, RFC 1122 3.2.2, RFC 4443 2.4). */
struct quote {
	struct addr src;   /* who sent the packet that provoked the error */
	struct addr dst;   /* to whom: the victim, where the error is backscatter */
	uint16_t sport;    /* first four bytes past the quoted header, 0 when cut before them or without ports */
	uint16_t dport;
	uint8_t proto;
	bool has_ports;
};

/* False when the packet is no ICMP error or quotes nothing that can be read. */
bool decode_quote(const struct packet *packet, struct quote *out);

const char *packet_status_name(enum packet_status status);
