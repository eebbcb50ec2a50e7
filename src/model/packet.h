/* A packet: one frame decoded, in one cache line. Integers are in host order.
 *
 * The fields describe one IP header and what follows it: the outermost, or with `decapsulate` the innermost that
 * could be reached. outer_* always speak of the outermost. What a packet does not have is zero. Where `version` is 4 or
 * 6, the whole fixed header (20 or 40 bytes) lies at `ip`, and the payload lies within the capture.
 */
#pragma once
#include "base/addr.h"

#include <stdint.h>

enum packet_status {
	PACKET_OK,
	PACKET_SHORT,       /* the capture, or the packet, ends inside a header */
	PACKET_MALFORMED,   /* a field contradicts the bytes or the RFC */
	PACKET_UNSUPPORTED, /* a link type or ethertype that monomi does not read */
};

/* What stands directly after the outermost IP header (past IPv6 extension headers and AH), even where it is cut. Nothing
 * behind an IPv4 header, later fragments and headers that cannot be read are OUTER_OTHER. */
enum packet_outer { OUTER_NONE, OUTER_TCP, OUTER_UDP, OUTER_ICMP, OUTER_ICMPV6, OUTER_OTHER };

enum packet_bit {
	PACKET_DF = 1 << 0,             /* IPv4 don't fragment */
	PACKET_FRAGMENT = 1 << 1,       /* of this IP header: MF or offset != 0, or an IPv6 fragment header */
	PACKET_LATER_FRAGMENT = 1 << 2, /* offset != 0: no transport header here */
	PACKET_TINY_FRAGMENT = 1 << 3,  /* first fragment that ends before the TCP flags or in the UDP/ICMP/SCTP header */
	PACKET_TRUNCATED = 1 << 4,      /* captured shorter than sent */
	PACKET_L4 = 1 << 5,             /* transport header present and complete: ports, flags, … are valid */
	PACKET_TUNNELLED = 1 << 6,      /* the fields describe an inner header; outer_* another */
	PACKET_LOCAL = 1 << 7,          /* no IP but a known link-local protocol: ARP, STP, LLDP, … */
	PACKET_BAD_CHECKSUM = 1 << 8,   /* IPv4's, or TCP's, UDP's or ICMP's of a packet that is whole, is wrong */
	PACKET_OWN = 1 << 9,            /* FRAME_OWN */
	PACKET_OUTGOING = 1 << 10,      /* FRAME_OUTGOING */
	PACKET_OUTER_FRAGMENT = 1 << 11,/* the outermost header is a fragment */
	PACKET_IP_OPTIONS = 1 << 12,    /* IPv4 options or IPv6 extension headers present */
	PACKET_RESERVED_FLAG = 1 << 13, /* IPv4's reserved ("evil") bit set */
};

struct packet {
	int64_t ts;        /* ns since 1970 */
	const uint8_t *ip; /* IP header the fields describe; NULL: none. Borrowed from the frame's block */
	union {
		struct {
			uint32_t src;
			struct monitored4 dst;
		};
		const uint8_t *addrs6; /* version 6: 16 bytes source, 16 bytes destination, network order */
	};
	uint32_t seq;      /* TCP; SCTP: initiate tag of an INIT; else 0 */
	uint32_t ack;      /* TCP */
	uint16_t sport;    /* TCP, UDP, SCTP */
	uint16_t dport;    /* TCP, UDP, SCTP; ICMP and ICMPv6: type << 8 | code */
	uint16_t window;   /* TCP */
	uint16_t ip_id;    /* IPv4 */
	uint32_t wire_len; /* whole frame */
	uint32_t ip_len;   /* IPv4: total length; IPv6: 40 + payload or jumbo length; as the header says, or where it says 0
	                    * because segments are still to be cut: what the frame has */
	uint16_t l4_offset;      /* from ip to the transport header */
	uint16_t payload_offset; /* from ip to the data behind it (ICMP: behind the first 8 bytes) */
	uint16_t payload_len;    /* captured bytes there, within ip_len: padding of the link never counts */
	uint16_t bits;           /* enum packet_bit */
	uint8_t version;         /* 4, 6, or 0 without IP */
	uint8_t proto;           /* IP protocol number of the transport, past IPv6 extension headers */
	uint8_t ttl;             /* or hop limit */
	uint8_t tcp_flags;       /* CWR ECE URG ACK PSH RST SYN FIN */
	uint8_t tcp_options_len; /* bytes of options, at ip + l4_offset + 20 */
	uint8_t status;          /* enum packet_status */
	uint8_t outer_version;   /* of the outermost IP header; 0 without */
	uint8_t outer_l4;        /* enum packet_outer */
};
_Static_assert(sizeof(struct packet) == 64, "one cache line");

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64, TCP_CWR = 128 };
enum { PROTO_ICMP = 1, PROTO_IGMP = 2, PROTO_IPIP = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_IPV6 = 41, PROTO_GRE = 47,
       PROTO_ESP = 50, PROTO_AH = 51, PROTO_ICMPV6 = 58, PROTO_SCTP = 132 };
