/* Decoding: frames in, packets out; one file per protocol or tunnel behind this header.
 *
 * Link wrappings (VLAN tags, MPLS, PPPoE, 802.11, ERSPAN's inner Ethernet, …) always come off, as far as no IP header
 * has been passed. IP tunnels (IP in IP, 6in4, GRE, VXLAN, GENEVE, ERSPAN) are opened only when `decapsulate` is set:
 * at a telescope a tunnel packet is itself a probe.
 *
 * What the status means, for the header that the packet describes:
 * - SHORT: the capture or the packet ends inside a header of it. TCP needs 20 bytes; of fewer, what is there is filled
 *   in (flags from 14 on). A capture that is cut behind what is needed is OK: options are then clipped.
 * - MALFORMED: IP version or header length impossible, a total length below the header's; a TCP header length below 20
 *   or past the packet's end, a UDP length below 8 or past it; more layers than any network has. A length that only
 *   goes past the frame is OK: many captures are cut without saying so.
 * - UNSUPPORTED: a link type, ethertype or wrapping that is not read, what is encrypted below IP, parts of 802.11 and
 *   ARCNET fragments. Known protocols of the local network are OK with PACKET_LOCAL.
 * - A first fragment too short for its transport header is OK with PACKET_TINY_FRAGMENT, unless TCP's flags are there.
 * Where an IP header was reached but cannot be read, `version` is 0 and `outer_version` says which it was to be; an
 * IPv6 header is one only if its version says so. A tunnel whose inside cannot be read leaves the outer packet as it is.
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

/* Decodes n frames into n packets. Total: any bytes give a packet with a status; nothing outside the frame is read. */
void decode_frames(const struct decode_config *config, const struct frame *frames, struct packet *packets, size_t n);

/* The same by the general path alone, one frame; decode_frames agrees with it bit for bit (tests hold it to that). */
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
