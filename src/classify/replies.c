/* UDP answers by content: what can be proved of a payload. A port alone proves nothing; where the bytes are too plain
 * to stand alone (a mode nibble, a text) they are believed only together with the port of their service. */
#include "base/cursor.h"
#include "classify/judge.h"

#include <string.h>

static enum udp_kind kind_of(bool reply)
{
	return reply ? UDP_REPLY : UDP_REQUEST;
}

/* ---- DNS (RFC 1035 section 4.1), and what shares its header: multicast DNS, LLMNR, NetBIOS names ---- */

#define DNS_HEADER 12

static bool dns_port(uint16_t port)
{
	return port == 53 || port == 5353 || port == 5355 || port == 137;
}

/* One question: a name of plain labels (at most 255 bytes, section 3.1), a class that exists. */
static bool dns_question(struct span data, bool cut)
{
	struct cursor c = cursor_init(data.p + DNS_HEADER, data.n - DNS_HEADER);
	for (unsigned total = 0; total < 255;) {
		if (!cursor_left(&c))
			return cut;
		uint8_t label = cursor_u8(&c);
		if (label > 63)
			return false;
		if (label == 0) {
			cursor_skip(&c, 2);
			uint16_t class = cursor_be16(&c) & 0x7fff; /* top bit: RFC 6762 section 5.4 */
			return cursor_ok(&c) ? (class >= 1 && class <= 4) || class == 254 || class == 255 : cut;
		}
		cursor_skip(&c, label);
		total += label + 1u;
	}
	return false;
}

/* Opcode, response code and counts as they occur; at most one question, as every server insists. */
static bool dns_header_sane(struct span data, bool netbios)
{
	uint16_t flags = load_be16(data.p + 2);
	unsigned opcode = flags >> 11 & 15;
	bool opcode_ok = netbios ? opcode == 0 || (opcode >= 5 && opcode <= 8) : opcode <= 6 && opcode != 3;
	return opcode_ok && load_be16(data.p + 4) <= 1;
}

enum udp_kind reply_dns(const struct packet *p, struct span data)
{
	if (data.n < DNS_HEADER)
		return UDP_UNSURE;
	bool near = dns_port(p->sport) || dns_port(p->dport);
	bool question = load_be16(data.p + 4) == 1;
	if (!(near || question) || !dns_header_sane(data, p->sport == 137 || p->dport == 137))
		return UDP_UNSURE;
	if (question && !dns_question(data, packet_is_cut(p)))
		return UDP_UNSURE;
	bool reply = data.p[2] >> 7;
	if (reply) /* without a question only a server's port makes it believable */
		return question || dns_port(p->sport) ? UDP_REPLY : UDP_UNSURE;
	return question && near ? UDP_REQUEST : UDP_UNSURE;
}

/* ---- NTP (RFC 5905 section 7.3; control messages RFC 9327; mode 7 is ntpd's own) ---- */

enum udp_kind reply_ntp(const struct packet *p, struct span data)
{
	if ((p->sport != 123 && p->dport != 123) || data.n < 8)
		return UDP_UNSURE;
	unsigned mode = data.p[0] & 7, version = data.p[0] >> 3 & 7;
	if (version < 1 || version > 4)
		return UDP_UNSURE;
	bool answer;
	switch (mode) {
	case 3: return p->dport == 123 && data.n >= 48 ? UDP_REQUEST : UDP_UNSURE;
	case 4: return p->sport == 123 && data.n >= 48 && data.p[1] <= 16 ? UDP_REPLY : UDP_UNSURE;
	case 6: answer = data.p[1] >> 7; break;
	case 7: answer = data.p[0] >> 7; break;
	default: return UDP_UNSURE;
	}
	if (answer)
		return p->sport == 123 ? UDP_REPLY : UDP_UNSURE;
	return p->dport == 123 ? UDP_REQUEST : UDP_UNSURE;
}

/* ---- SNMP (RFC 1157, 3416, 3412) and CLDAP (RFC 4511 over UDP): BER after the same first two fields ---- */

/* Reads a tag and a definite length of at most 4 bytes (X.690 section 8.1.3). */
static bool ber_header(struct cursor *c, uint8_t *tag, uint32_t *length)
{
	*tag = cursor_u8(c);
	uint8_t first = cursor_u8(c);
	*length = first;
	if (first & 0x80) {
		unsigned bytes = first & 0x7f;
		if (bytes == 0 || bytes > 4)
			return false;
		*length = 0;
		while (bytes--)
			*length = *length << 8 | cursor_u8(c);
	}
	return cursor_ok(c);
}

static bool ber_skip(struct cursor *c, uint8_t want)
{
	uint8_t tag;
	uint32_t length;
	if (!ber_header(c, &tag, &length) || tag != want)
		return false;
	cursor_skip(c, length);
	return cursor_ok(c);
}

static bool ber_integer(struct cursor *c, uint32_t *value)
{
	uint8_t tag;
	uint32_t length;
	if (!ber_header(c, &tag, &length) || tag != 2 || length == 0 || length > 5)
		return false;
	*value = 0;
	while (length--)
		*value = *value << 8 | cursor_u8(c);
	return cursor_ok(c);
}

static enum udp_kind snmp_pdu(uint8_t tag)
{
	if (tag < 0xa0 || tag > 0xa8)
		return UDP_UNSURE;
	return kind_of(tag == 0xa2 || tag == 0xa8); /* GetResponse, Report */
}

/* RFC 3412 section 6.4: whoever answers clears the reportable flag; who asks sets it. */
static enum udp_kind snmp_v3(const struct packet *p, struct cursor *c)
{
	uint8_t tag;
	uint32_t length, number;
	if (!ber_header(c, &tag, &length) || tag != 0x30 || !ber_integer(c, &number) || !ber_integer(c, &number) ||
	    !ber_header(c, &tag, &length) || tag != 4 || length != 1)
		return UDP_UNSURE;
	uint8_t flags = cursor_u8(c);
	if (!ber_integer(c, &number) || !ber_skip(c, 4))
		return UDP_UNSURE;
	if (flags & 4)
		return UDP_REQUEST;
	if (!ber_header(c, &tag, &length))
		return UDP_UNSURE;
	if (tag != 0x30) /* encrypted: an answer, or a trap, which goes to port 162 */
		return p->sport == 161 && p->dport != 162 ? UDP_REPLY : UDP_UNSURE;
	if (!ber_skip(c, 4) || !ber_skip(c, 4))
		return UDP_UNSURE;
	return snmp_pdu(cursor_u8(c));
}

/* RFC 4511 section 4.2 and after: the application tag is the operation. */
static enum udp_kind ldap_operation(uint8_t tag)
{
	switch (tag) {
	case 0x60: case 0x42: case 0x63: case 0x66: case 0x68: case 0x4a: case 0x6c: case 0x6e: case 0x50: case 0x77:
		return UDP_REQUEST;
	case 0x61: case 0x64: case 0x65: case 0x67: case 0x69: case 0x6b: case 0x6d: case 0x6f: case 0x73: case 0x78:
	case 0x79:
		return UDP_REPLY;
	default:
		return UDP_UNSURE;
	}
}

enum udp_kind reply_ber(const struct packet *p, struct span data)
{
	struct cursor c = cursor_init(data.p, data.n);
	uint8_t tag;
	uint32_t length, number;
	if (!ber_header(&c, &tag, &length) || tag != 0x30 || length < 8 ||
	    (length > cursor_left(&c) && !packet_is_cut(p)) || !ber_integer(&c, &number) || !cursor_left(&c))
		return UDP_UNSURE;
	if (number == 3 && *c.p == 0x30)
		return snmp_v3(p, &c);
	if (number <= 1 && *c.p == 4)
		return ber_skip(&c, 4) ? snmp_pdu(cursor_u8(&c)) : UDP_UNSURE;
	return ldap_operation(*c.p);
}

/* ---- SSDP (UPnP Device Architecture 1.3.2, 1.3.3): HTTP over UDP ---- */

static bool starts_with(struct span data, const char *text)
{
	size_t n = strlen(text);
	return data.n >= n && memcmp(data.p, text, n) == 0;
}

static bool is_digit(uint8_t b) { return b >= '0' && b <= '9'; }

/* A status line is an answer from whatever port; many devices answer a search from another than 1900. */
enum udp_kind reply_http(struct span data)
{
	if (starts_with(data, "HTTP/1.") && data.n >= 12 && data.p[8] == ' ' && data.p[9] >= '1' && data.p[9] <= '5' &&
	    is_digit(data.p[10]) && is_digit(data.p[11]))
		return UDP_REPLY;
	if (starts_with(data, "M-SEARCH ") || starts_with(data, "NOTIFY "))
		return UDP_REQUEST;
	return UDP_UNSURE;
}

/* ---- memcached (doc/protocol.txt: 8 bytes of frame before the text or binary protocol) ---- */

enum udp_kind reply_memcached(const struct packet *p, struct span data)
{
	static const char *const answers[] = {
		"VALUE ", "STAT ", "END\r\n", "STORED\r\n", "NOT_", "EXISTS\r\n", "DELETED\r\n", "OK\r\n",
		"ERROR\r\n", "CLIENT_ERROR ", "SERVER_ERROR ", "VERSION ", "RESET\r\n",
	};
	if ((p->sport != 11211 && p->dport != 11211) || data.n < 9 || load_be16(data.p + 6) != 0)
		return UDP_UNSURE;
	uint16_t number = load_be16(data.p + 2), total = load_be16(data.p + 4);
	if (number >= total)
		return UDP_UNSURE;
	struct span text = { data.p + 8, data.n - 8 };
	bool answer = total > 1 || text.p[0] == 0x81; /* a question is one datagram */
	for (size_t i = 0; i < sizeof answers / sizeof *answers && !answer; i++)
		answer = starts_with(text, answers[i]);
	if (answer)
		return p->sport == 11211 ? UDP_REPLY : UDP_UNSURE;
	bool question = text.p[0] == 0x80 || (text.p[0] >= 'a' && text.p[0] <= 'z');
	return p->dport == 11211 && question ? UDP_REQUEST : UDP_UNSURE;
}

/* ---- Character generator (RFC 864: the pattern that it suggests and servers send); the caller saw port 19 ---- */

enum udp_kind reply_chargen(struct span data)
{
	if (data.n < 8)
		return UDP_UNSURE;
	for (size_t i = 0; i < 7; i++) {
		uint8_t next = data.p[i] >= 0x7e ? 0x20 : (uint8_t)(data.p[i] + 1);
		bool skips_space = next == 0x20 && data.p[i + 1] == 0x21;
		if (data.p[i] < 0x20 || data.p[i] > 0x7e || (data.p[i + 1] != next && !skips_space))
			return UDP_UNSURE;
	}
	return UDP_REPLY;
}
