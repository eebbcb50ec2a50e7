/* Private to this folder: what one packet's content says, for classify.c. */
#pragma once
#include "base/span.h"
#include "classify/classify.h"

/* What a TCP segment is by its flags and whether it carries data. */
struct tcp_cell {
	uint8_t class;
	uint8_t flags; /* enum verdict_flag */
	uint16_t tags;
	uint16_t rules; /* evidence rules that these flags allow */
	uint8_t is_syn : 1;   /* SYN without ACK, RST, FIN */
	uint8_t seldom : 1;   /* flags that few send: their rules are asked one by one */
	uint8_t no_plain : 1; /* not for the short cut: seldom, or no class by flags alone, or SYN and FIN */
	uint8_t profile;      /* enum syn_flag: what these flags say of a SYN's profile */
};
extern const struct tcp_cell tcp_cells[2][256];

/* The captured bytes behind the transport header. */
static inline struct span packet_payload(const struct packet *p)
{
	return (struct span){ p->ip + p->payload_offset, p->payload_len };
}

/* Whether data was sent, also where the capture was cut before it: the lengths of the headers tell. A cut TCP header
 * holds fewer options than it says, so its own length counts. */
static inline bool packet_has_data(const struct packet *p)
{
	if (p->payload_len || !(p->bits & PACKET_TRUNCATED))
		return p->payload_len;
	unsigned header = p->proto == PROTO_TCP ? p->l4_offset + 4u * (p->ip[p->l4_offset + 12] >> 4) : p->payload_offset;
	return p->ip_len > header;
}

/* Whether bytes of this datagram are missing here: checks of inner lengths must then be lenient. */
static inline bool packet_is_cut(const struct packet *p)
{
	return (p->bits & (PACKET_TRUNCATED | PACKET_FRAGMENT)) != 0;
}

/* What a UDP payload can be proved to be. */
enum udp_kind {
	UDP_UNSURE,  /* neither */
	UDP_REQUEST, /* no reply: a question, an announcement, a first message */
	UDP_REPLY,
	UDP_P2P_UNSURE,
	UDP_P2P_REQUEST,
	UDP_P2P_REPLY,
};
struct quic;
enum udp_kind udp_kind(const struct quic *quic, const struct packet *p);

/* Parts of it. Each says UDP_UNSURE where the bytes are not its protocol's. */
enum udp_kind reply_dns(const struct packet *p, struct span data);
enum udp_kind reply_ntp(const struct packet *p, struct span data);
enum udp_kind reply_ber(const struct packet *p, struct span data); /* SNMP and CLDAP */
enum udp_kind reply_http(struct span data);                        /* SSDP */
enum udp_kind reply_memcached(const struct packet *p, struct span data);
enum udp_kind reply_chargen(struct span data);
enum udp_kind p2p_udp(struct span data);
bool p2p_tcp(struct span data);
