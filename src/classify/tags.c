#include "classify/tags.h"

#include <string.h>

/* corsaro3's list, which is RFC 5735's; RFC 6598's 100.64.0.0/10 came later and is left out to stay comparable. */
const uint8_t tags_bogon_first[256] = {
	[0] = BOGON_ALL, [10] = BOGON_ALL, [127] = BOGON_ALL, [169] = BOGON_SOME, [172] = BOGON_SOME, [192] = BOGON_SOME,
	[198] = BOGON_SOME, [203] = BOGON_SOME,
	[224] = BOGON_ALL, [225] = BOGON_ALL, [226] = BOGON_ALL, [227] = BOGON_ALL, [228] = BOGON_ALL, [229] = BOGON_ALL,
	[230] = BOGON_ALL, [231] = BOGON_ALL, [232] = BOGON_ALL, [233] = BOGON_ALL, [234] = BOGON_ALL, [235] = BOGON_ALL,
	[236] = BOGON_ALL, [237] = BOGON_ALL, [238] = BOGON_ALL, [239] = BOGON_ALL, [240] = BOGON_ALL, [241] = BOGON_ALL,
	[242] = BOGON_ALL, [243] = BOGON_ALL, [244] = BOGON_ALL, [245] = BOGON_ALL, [246] = BOGON_ALL, [247] = BOGON_ALL,
	[248] = BOGON_ALL, [249] = BOGON_ALL, [250] = BOGON_ALL, [251] = BOGON_ALL, [252] = BOGON_ALL, [253] = BOGON_ALL,
	[254] = BOGON_ALL, [255] = BOGON_ALL,
};

static bool bogon4_rest(uint32_t source)
{
	static const struct {
		uint32_t net;
		unsigned bits;
	} list[] = {
		{ 0xa9fe0000, 16 }, /* 169.254/16 */
		{ 0xac100000, 12 }, /* 172.16/12 */
		{ 0xc0000000, 24 }, /* 192.0.0/24 */
		{ 0xc0000200, 24 }, /* 192.0.2/24 */
		{ 0xc0586300, 24 }, /* 192.88.99/24 */
		{ 0xc0a80000, 16 }, /* 192.168/16 */
		{ 0xc6120000, 15 }, /* 198.18/15 */
		{ 0xc6336400, 24 }, /* 198.51.100/24 */
		{ 0xcb007100, 24 }, /* 203.0.113/24 */
	};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if ((source ^ list[i].net) >> (32 - list[i].bits) == 0)
			return true;
	return false;
}

/* corsaro knows no IPv6. Routed space is 2000::/3 (RFC 4291 section 2.4, IANA) without its documentation prefix (RFC
 * 3849), and the translation prefix 64:ff9b::/96 (RFC 6052). */
static bool bogon6(const uint8_t source[static 16])
{
	static const uint8_t translated[12] = { 0x00, 0x64, 0xff, 0x9b };
	if (source[0] >> 5 != 1)
		return memcmp(source, translated, sizeof translated) != 0;
	return load_be32(source) == 0x20010db8;
}

const uint8_t tags_port_kind[PORTS_TOLD] = {
	[0] = PORT_NONE, [23] = PORT_SERVICE, [53] = PORT_SERVICE, [80] = PORT_SERVICE, [5000] = PORT_SERVICE,
};
const uint16_t tags_of_port_kinds[4] = {
	[PORT_SERVICE] = PART_PORT, [PORT_NONE] = PART_PORT_ZERO, [PORT_SERVICE | PORT_NONE] = PART_PORT | PART_PORT_ZERO,
};

static unsigned tags_of_source(const struct packet *p)
{
	if (p->version == 6)
		return tags_if(bogon6(p->addrs6), TAG_ROUTED) | tags_if(memcmp(p->addrs6, p->addrs6 + 16, 16) == 0, PART_LAND);
	uint8_t bogon = tags_bogon_first[p->src >> 24], last = (uint8_t)p->src;
	return tags_if(bogon == BOGON_ALL || (bogon == BOGON_SOME && bogon4_rest(p->src)), TAG_ROUTED) |
	       tags_if(last == 0 || last == 255, PART_LAST_BYTE) | tags_if(p->src == p->dst.v4, PART_LAND);
}

unsigned tags_seldom(const struct packet *p)
{
	return tags_of_source(p) | tags_if(p->bits & (PACKET_LATER_FRAGMENT | PACKET_RESERVED_FLAG), PART_FRAGMENT);
}

/* ---- UDP ---- */

static bool begins(struct span data, const char *text, size_t n)
{
	return data.n >= n && memcmp(data.p, text, n) == 0;
}

/* The flags and counts of an ordinary answer, whatever its port. */
static bool dns_answer(const struct packet *p, struct span data)
{
	return data.n >= 12 && data.p[2] == 0x81 && data.p[3] >> 4 == 8 && p->ip_len > 42 && load_be16(data.p + 4) < 10 &&
	       load_be16(data.p + 6) < 10 && load_be16(data.p + 8) < 10 && load_be16(data.p + 10) < 10;
}

static bool erratic_content(const struct packet *p, struct span data)
{
	if (p->ip_len == 58 && begins(data, "\0\0\0\0\0\0\0\0\x31\0", 10))
		return true;
	if (p->sport == 5060 && p->dport == 5060)
		return begins(data, "SIP/2.0", 7) || dns_answer(p, data);
	if (p->sport == 137 && p->dport == 137 && p->ip_len > 48 && data.n >= 20 &&
	    memcmp(data.p + 12, "\x20" "CKAAAAA", 8) == 0) /* the wildcard name, RFC 1002 section 4.2.12 */
		return true;
	return dns_answer(p, data);
}

/* First bytes of uTP packets in corsaro3's words: type and version, extension. */
static bool utp_start(uint16_t first, uint8_t extension)
{
	return first == (0x4100 | extension) || first == (0x2100 | extension) || first == (0x1100 | extension) ||
	       first == 0x3102;
}

static bool erratic_utp(const struct packet *p, struct span data)
{
	uint16_t first = load_be16(data.p);
	if (p->ip_len == 48 && utp_start(first, 0))
		return true;
	return p->ip_len >= 58 && !packet_is_cut(p) && utp_start(first, 2) &&
	       memcmp(data.p + data.n - 10, "\0\x08\0\0\0\0\0\0\0\0", 10) == 0;
}

static bool erratic_bittorrent(const struct packet *p, struct span data)
{
	if (data.n < 10)
		return false;
	if (data.p[0] == 'd' && data.n >= 12 && begins(data, "d1:", 3) && (data.p[3] == 'a' || data.p[3] == 'r') &&
	    memcmp(data.p + 4, "d2:id20:", 8) == 0)
		return true;
	if ((data.p[0] & 0x8f) == 1 && erratic_utp(p, data))
		return true;
	if (data.n >= 40 && data.p[20] == 0x13 && memcmp(data.p + 20, "\x13" "BitTorrent protocol", 20) == 0)
		return true;
	return p->ip_len == 61 && data.n >= 32 &&
	       memcmp(data.p + 12, "\x7f\xff\xff\xff\xab\x02\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0", 20) == 0;
}

static unsigned tags_of_high_ttl(const struct packet *p)
{
	return tags_if(p->ttl >= 200, PART_TTL_200 | PART_TTL_SPOOFED);
}

static uint16_t tags_with_seldom(const struct packet *p, unsigned tags)
{
	return (uint16_t)(p->version != 4 || tags_ask4(p) ? tags | tags_seldom(p) : tags);
}

uint16_t tags_of_udp(const struct packet *p, bool data)
{
	unsigned tags = tags_of_high_ttl(p) | tags_if((p->ip_len == 96) | (p->ip_len == 1500), PART_LENGTH) |
	                tags_if(p->dport == 80, PART_UDP_80) | tags_if(p->sport == 53, PART_REPLY) |
	                tags_if((p->sport == 53) | (p->dport == 53), PART_PORT) |
	                tags_if((p->sport == 0) | (p->dport == 0), PART_PORT_ZERO);
	if (data) {
		struct span bytes = packet_payload(p);
		tags |= tags_if(erratic_content(p, bytes), PART_CONTENT) |
		        tags_if(erratic_bittorrent(p, bytes), PART_BITTORRENT);
	}
	return tags_with_seldom(p, tags);
}

/* ---- The rest ---- */

static bool icmp_reply(const struct packet *p)
{
	const unsigned v4 = 1u << 0 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 11 | 1u << 12 | 1u << 14 | 1u << 16 | 1u << 18;
	unsigned type = p->dport >> 8;
	if (p->version == 4)
		return type < 32 && (v4 >> type & 1);
	return (type >= 1 && type <= 4) || type == 129;
}

uint16_t tags_of_icmp(const struct packet *p)
{
	return tags_with_seldom(p, tags_if(icmp_reply(p), PART_REPLY));
}

/* Protocols that corsaro3 calls normal; 58 is the ICMP of IPv6. */
static bool normal_protocol(const struct packet *p)
{
	return p->proto == PROTO_UDP || p->proto == PROTO_TCP || p->proto == PROTO_IPV6 ||
	       p->proto == (p->version == 4 ? PROTO_ICMP : PROTO_ICMPV6);
}

/* Without a transport header, or with one that no rule above reads. */
uint16_t tags_of_other(const struct packet *p)
{
	bool icmp = p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6;
	unsigned tags = icmp ? 0 : tags_of_high_ttl(p);
	if (p->proto == PROTO_UDP)
		tags |= tags_if((p->ip_len == 96) | (p->ip_len == 1500), PART_LENGTH);
	return tags_with_seldom(p, tags | tags_if(!normal_protocol(p), PART_ABNORMAL));
}
