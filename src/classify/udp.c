#include "base/bytes.h"
#include "classify/quic.h"

/* Forms that begin with a byte of their own. */
static enum udp_kind kind_by_first_byte(const struct quic *quic, const struct packet *p, struct span data)
{
	switch (data.p[0]) {
	case 0x30: return reply_ber(p, data);
	case 'H': case 'M': case 'N': return reply_http(data);
	default: return data.p[0] & 0x80 ? reply_quic(quic, p, data) : UDP_UNSURE;
	}
}

/* Ports that make weak content believable: CharGEN, DNS, NTP, NetBIOS names, multicast DNS, LLMNR, memcached. */
static bool is_service(unsigned port)
{
	return port == 19 || port == 53 || port == 123 || port == 137 || port == 5353 || port == 5355 || port == 11211;
}

/* Forms that need their port to be believed. */
static enum udp_kind kind_by_port(const struct packet *p, struct span data)
{
	enum udp_kind kind = reply_ntp(p, data);
	if (kind == UDP_UNSURE)
		kind = reply_memcached(p, data);
	if (kind == UDP_UNSURE && p->sport == 19)
		kind = reply_chargen(data);
	return kind == UDP_UNSURE ? reply_dns(p, data) : kind;
}

/* What is proved comes first, as replies come before P2P heads in the partition. A DNS question section proves itself
 * on any port: one question is what it must say. */
enum udp_kind udp_kind(const struct quic *quic, const struct packet *p)
{
	struct span data = packet_payload(p);
	enum udp_kind kind = UDP_UNSURE;
	if (!data.n)
		return UDP_UNSURE;
	if (is_service(p->sport) || is_service(p->dport))
		kind = kind_by_port(p, data);
	else if (data.n >= 12 && load_be16(data.p + 4) == 1)
		kind = reply_dns(p, data);
	if (kind == UDP_UNSURE)
		kind = kind_by_first_byte(quic, p, data);
	return kind == UDP_UNSURE ? p2p_udp(data) : kind;
}
