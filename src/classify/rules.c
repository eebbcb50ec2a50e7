#include "classify/rules.h"

#include "base/bytes.h"

#include <string.h>

static const uint8_t MSS_1460[4] = { 2, 4, 0x05, 0xb4 };

static const uint8_t *options_of(const struct packet *p)
{
	return p->ip + p->l4_offset + 20;
}

static bool options_are(const struct packet *p, const uint8_t *want, size_t n)
{
	return p->tcp_options_len == n && memcmp(options_of(p), want, n) == 0;
}

static bool only_syn(const struct packet *p)
{
	return p->proto == PROTO_TCP && p->tcp_flags == TCP_SYN;
}

/* ---- One function a rule; each sees only IPv4 packets with a transport header ---- */

static bool match_MIRAI(const struct packet *p)
{
	return only_syn(p) && p->seq == p->dst.v4;
}

static bool match_ZMAP_ID(const struct packet *p)
{
	bool probe = p->proto == PROTO_UDP || p->proto == PROTO_ICMP || p->proto == PROTO_SCTP ||
	             (p->proto == PROTO_TCP && !(p->tcp_flags & TCP_RST) &&
	              (p->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK));
	return probe && p->ip_id == ZMAP_IP_ID;
}

/* The option profiles of ZMap's src/probe_modules/packet.c since 4.1, as captured: windows (its default), linux, bsd,
 * smallest. The timestamp option's value is one for a whole second, its echo is 0. */
static bool zmap4_options(const struct packet *p)
{
	static const uint8_t windows[12] = { 2, 4, 0x05, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2 };
	static const uint8_t linux_head[8] = { 2, 4, 0x05, 0xb4, 4, 2, 8, 10 };
	static const uint8_t linux_tail[8] = { 0, 0, 0, 0, 1, 3, 3, 7 };
	static const uint8_t bsd_head[12] = { 2, 4, 0x05, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10 };
	static const uint8_t bsd_tail[8] = { 0, 0, 0, 0, 4, 2, 0, 0 };
	const uint8_t *o = options_of(p);
	switch (p->tcp_options_len) {
	case 4: return memcmp(o, MSS_1460, 4) == 0;
	case 12: return memcmp(o, windows, 12) == 0;
	case 20: return memcmp(o, linux_head, 8) == 0 && memcmp(o + 12, linux_tail, 8) == 0;
	case 24: return memcmp(o, bsd_head, 12) == 0 && memcmp(o + 16, bsd_tail, 8) == 0;
	default: return false;
	}
}

static bool match_ZMAP4(const struct packet *p)
{
	return only_syn(p) && p->window == 65535 && !(p->bits & PACKET_DF) && p->ack == 0 && p->ip_id != ZMAP_IP_ID &&
	       (p->ttl <= 64 || p->ttl > 200) && p->sport - 32768u <= 60999 - 32768 && zmap4_options(p);
}

static bool match_MASSCAN(const struct packet *p)
{
	bool init = p->proto == PROTO_SCTP && p->ip[p->payload_offset] == 1; /* the caller saw that the chunk is there */
	return (init || tcp_is_syn(p)) && masscan_ip_id(p);
}

/* FIN and Xmas scans carry no option; NULL, ACK and Maimon probes look like those of other tools and are left alone. */
static bool nmap_stealth(const struct packet *p)
{
	return p->proto == PROTO_TCP && (p->tcp_flags == TCP_FIN || p->tcp_flags == (TCP_FIN | TCP_PSH | TCP_URG)) &&
	       p->tcp_options_len == 0 && p->ack == 0;
}

static bool nmap_shape(const struct packet *p)
{
	return (only_syn(p) && p->ack == 0 && options_are(p, MSS_1460, 4)) || nmap_stealth(p);
}

static bool match_NMAP(const struct packet *p)
{
	return p->window == 1024 && !(p->bits & PACKET_DF) && nmap_shape(p);
}

/* Older ones chose among 1024, 2048, 3072 and 4096. */
static bool match_NMAP_PAIR(const struct packet *p)
{
	return (p->window & 1023) == 0 && p->window - 1u < 4096 && !(p->bits & PACKET_DF) && nmap_shape(p);
}

static uint32_t key_NMAP_PAIR(const struct packet *p) { return p->seq >> 16 ^ (p->seq & 0xffff); }

static bool match_HPING3(const struct packet *p)
{
	return only_syn(p) && p->window == 512 && p->tcp_options_len == 0 && p->ack != 0 && p->ttl <= 64 &&
	       !(p->bits & PACKET_DF);
}

static bool match_UNICORNSCAN(const struct packet *p)
{
	return only_syn(p) && p->window == 4096;
}

static uint32_t key_UNICORNSCAN(const struct packet *p)
{
	return p->seq ^ p->dst.v4 ^ (((uint32_t)p->dport << 16) + p->sport);
}

static bool match_HAJIME(const struct packet *p)
{
	return only_syn(p) && p->window == 14600 && ((p->seq & 0xffff) == 0 || p->seq >> 16 == 0);
}

static bool match_CONSTANT_SEQ(const struct packet *p)
{
	if (!tcp_is_syn(p))
		return false;
	return p->seq == 2018915346 || p->seq == 333994513 || (p->seq == 30000 && p->window == 65535) ||
	       (p->seq == 100 && p->ip_id == 123 && p->window == 1024);
}

static bool match_REPLY_ID(const struct packet *p)
{
	return p->proto == PROTO_TCP && (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK) &&
	       (p->ip_id == ZMAP_IP_ID || masscan_ip_id(p));
}

#define key_MIRAI NULL
#define key_ZMAP_ID NULL
#define key_ZMAP4 NULL
#define key_MASSCAN NULL
#define key_NMAP NULL
#define key_HPING3 NULL
#define key_HAJIME NULL
#define key_CONSTANT_SEQ NULL
#define key_REPLY_ID NULL

#define READS_DESTINATION (1u << RULE_MIRAI | 1u << RULE_MASSCAN | 1u << RULE_UNICORNSCAN)

const struct rule_row rule_rows[RULE_COUNT] = {
#define RULE(id, name, tool, bits, source) \
	[RULE_##id] = { name, source, tool, bits, match_##id, key_##id, (READS_DESTINATION >> RULE_##id & 1) != 0 },
#include "classify/rules.def"
#undef RULE
};

#define ZMAP_SAYS (1u << RULE_ZMAP_ID | 1u << RULE_REPLY_ID)
#define MASSCAN_SAYS (1u << RULE_MASSCAN | 1u << RULE_REPLY_ID)
#define MIRAI_SAYS (1u << RULE_MIRAI)
const uint16_t rules_of_comparisons[8] = {
	0, ZMAP_SAYS, MASSCAN_SAYS, ZMAP_SAYS | MASSCAN_SAYS,
	MIRAI_SAYS, MIRAI_SAYS | ZMAP_SAYS, MIRAI_SAYS | MASSCAN_SAYS, MIRAI_SAYS | ZMAP_SAYS | MASSCAN_SAYS,
};

uint16_t rules_match(const struct packet *p, bool known)
{
	unsigned rules = 0;
#define RULE(id, ...) rules |= (unsigned)match_##id(p) << RULE_##id;
#include "classify/rules.def"
#undef RULE
	if (known)
		return (uint16_t)rules;
	rules &= ~READS_DESTINATION; /* REPLY_ID reads it for masscan's half */
	return (uint16_t)(p->ip_id == ZMAP_IP_ID ? rules : rules & ~(1u << RULE_REPLY_ID));
}

const char *rule_name(enum rule r) { return rule_rows[r].name; }

uint32_t rule_key(enum rule r, const struct packet *packet)
{
	return rule_rows[r].key ? rule_rows[r].key(packet) : 0;
}
