/* Heads of file-sharing protocols. Random bytes must not pass: every form asks for well over 16 bits of agreement, or,
 * in the shortest eDonkey datagrams, for the exact length of a known operation. */
#include "base/cursor.h"
#include "classify/judge.h"

#include <string.h>

static bool has_at(struct span data, size_t at, const char *text, size_t n)
{
	return data.n >= at && data.n - at >= n && memcmp(data.p + at, text, n) == 0;
}

#define HANDSHAKE "\x13" "BitTorrent protocol" /* BEP 3 */

static bool is_handshake(struct span data, size_t at)
{
	return has_at(data, at, HANDSHAKE, sizeof HANDSHAKE - 1);
}

/* ---- KRPC (BEP 5): one bencoded dictionary, its keys in any order ---- */

#define BENCODE_TOKENS 48 /* a KRPC message has about 20; more are not looked at */
#define BENCODE_DEPTH 4

/* A string's length and bytes; NULL when it is none or runs past the end. */
static const uint8_t *bencode_string(struct cursor *c, size_t *n)
{
	size_t length = 0;
	for (unsigned digits = 0; digits < 5; digits++) {
		uint8_t b = cursor_u8(c);
		if (b == ':' && digits)
			return (*n = length, cursor_take(c, length));
		if (b < '0' || b > '9')
			break;
		length = length * 10 + (size_t)(b - '0');
	}
	c->failed = true;
	return NULL;
}

/* Skips an integer, string, list or dictionary. Depth and tokens are bounded, so is the time. */
static void bencode_skip(struct cursor *c, unsigned *tokens)
{
	unsigned depth = 0;
	do {
		if (!cursor_left(c) || !(*tokens)--) {
			c->failed = true;
			return;
		}
		uint8_t b = *c->p;
		size_t n;
		if (b == 'e' && depth) {
			cursor_skip(c, 1);
			depth--;
		} else if ((b == 'd' || b == 'l') && depth < BENCODE_DEPTH) {
			cursor_skip(c, 1);
			depth++;
		} else if (b == 'i') {
			for (unsigned i = 0; i < 22 && cursor_ok(c) && cursor_u8(c) != 'e'; i++)
				continue;
		} else {
			bencode_string(c, &n);
		}
	} while (depth && cursor_ok(c));
}

/* Whether the dictionary at the cursor has a 20-byte "id" (its keys are sorted, but some clients do not). */
static bool bencode_has_id(struct cursor c, unsigned tokens)
{
	if (cursor_u8(&c) != 'd')
		return false;
	while (cursor_ok(&c) && cursor_left(&c) && *c.p != 'e' && tokens) {
		size_t n, m;
		const uint8_t *key = bencode_string(&c, &n);
		if (key && n == 2 && memcmp(key, "id", 2) == 0)
			return bencode_string(&c, &m) && m == 20;
		bencode_skip(&c, &tokens);
	}
	return false;
}

/* What one key of a message says: its body with the sender's id, or its kind by name. */
static enum udp_kind krpc_key(uint8_t key, const struct cursor *value, unsigned tokens)
{
	struct span at = { value->p, cursor_left(value) };
	if (key == 'a' && bencode_has_id(*value, tokens))
		return UDP_P2P_REQUEST;
	if (key == 'r' && bencode_has_id(*value, tokens))
		return UDP_P2P_REPLY;
	if (key == 'y' && has_at(at, 0, "1:q", 3))
		return UDP_P2P_REQUEST;
	if (key == 'y' && (has_at(at, 0, "1:r", 3) || has_at(at, 0, "1:e", 3)))
		return UDP_P2P_REPLY;
	return UDP_UNSURE;
}

static enum udp_kind krpc(struct span data)
{
	if (has_at(data, 0, "d1:ad2:id20:", 12))
		return UDP_P2P_REQUEST;
	if (has_at(data, 0, "d1:rd2:id20:", 12))
		return UDP_P2P_REPLY;
	struct cursor c = cursor_init(data.p, data.n);
	unsigned tokens = BENCODE_TOKENS;
	cursor_skip(&c, 1); /* the caller saw the d */
	while (cursor_ok(&c) && cursor_left(&c) && tokens) {
		size_t n;
		const uint8_t *key = bencode_string(&c, &n);
		if (!key)
			return UDP_UNSURE;
		enum udp_kind kind = n == 1 ? krpc_key(*key, &c, tokens) : UDP_UNSURE;
		if (kind != UDP_UNSURE)
			return kind;
		bencode_skip(&c, &tokens);
	}
	return UDP_UNSURE;
}

/* ---- uTP (BEP 29) ---- */

enum { UTP_DATA, UTP_FIN, UTP_STATE, UTP_RESET, UTP_SYN };
#define UTP_HEADER 20
#define UTP_WINDOW_MAX (1u << 24) /* libtorrent and libutp stay below */

/* Length of the header with its extensions (two are known, two more are allowed); 0 when they do not fit. */
static size_t utp_header_len(struct span data)
{
	size_t at = UTP_HEADER;
	uint8_t next = data.p[1];
	for (unsigned i = 0; next && i < 4; i++) {
		if (next > 4 || data.n - at < 2 || data.p[at + 1] > data.n - at - 2)
			return 0;
		next = data.p[at];
		at += 2u + data.p[at + 1];
	}
	return next ? 0 : at;
}

/* All but data packets end with their header. A SYN answers nothing yet: no delay measured, nothing acknowledged. */
static enum udp_kind utp(struct span data)
{
	if (data.n < UTP_HEADER)
		return UDP_UNSURE;
	size_t header = utp_header_len(data);
	unsigned type = data.p[0] >> 4;
	if (!header)
		return UDP_UNSURE;
	if (type == UTP_DATA)
		return is_handshake(data, header) ? UDP_P2P_UNSURE : UDP_UNSURE;
	if (header != data.n || load_be32(data.p + 12) > UTP_WINDOW_MAX || load_be32(data.p + 4) == 0)
		return UDP_UNSURE;
	if (type == UTP_SYN)
		return load_be32(data.p + 8) == 0 && load_be16(data.p + 18) == 0 ? UDP_P2P_REQUEST : UDP_UNSURE;
	return type == UTP_FIN ? UDP_P2P_UNSURE : UDP_P2P_REPLY; /* STATE and RESET answer a packet */
}

/* ---- eDonkey and Kademlia over UDP: protocol byte, operation, and the lengths it can have ---- */

struct edonkey_operation {
	uint8_t protocol, operation;
	uint16_t least, most; /* bytes of the datagram */
	enum udp_kind kind;
};

#define ANY 1472
static const struct edonkey_operation edonkey_operations[] = {
	/* eMule's opcodes.h: Kademlia 2 and what is left of 1 */
	{ 0xe4, 0x00, 27, 27, UDP_P2P_REQUEST }, { 0xe4, 0x01, 2, 2, UDP_P2P_REQUEST },
	{ 0xe4, 0x08, 4, ANY, UDP_P2P_REPLY },   { 0xe4, 0x09, 23, ANY, UDP_P2P_REPLY },
	{ 0xe4, 0x10, 27, 27, UDP_P2P_REQUEST }, { 0xe4, 0x11, 22, 80, UDP_P2P_REQUEST },
	{ 0xe4, 0x18, 27, 27, UDP_P2P_REPLY },   { 0xe4, 0x19, 22, 80, UDP_P2P_REPLY },
	{ 0xe4, 0x20, 35, 35, UDP_P2P_REQUEST }, { 0xe4, 0x21, 35, 35, UDP_P2P_REQUEST },
	{ 0xe4, 0x22, 19, 40, UDP_P2P_REPLY },   { 0xe4, 0x28, 19, ANY, UDP_P2P_REPLY },
	{ 0xe4, 0x29, 19, ANY, UDP_P2P_REPLY },  { 0xe4, 0x33, 20, ANY, UDP_P2P_REQUEST },
	{ 0xe4, 0x34, 28, 28, UDP_P2P_REQUEST }, { 0xe4, 0x35, 26, 26, UDP_P2P_REQUEST },
	{ 0xe4, 0x3b, 36, ANY, UDP_P2P_REPLY },  { 0xe4, 0x43, 36, ANY, UDP_P2P_REQUEST },
	{ 0xe4, 0x44, 36, ANY, UDP_P2P_REQUEST },{ 0xe4, 0x45, 36, ANY, UDP_P2P_REQUEST },
	{ 0xe4, 0x4b, 19, 20, UDP_P2P_REPLY },   { 0xe4, 0x50, 4, 4, UDP_P2P_REQUEST },
	{ 0xe4, 0x51, 36, 36, UDP_P2P_REQUEST }, { 0xe4, 0x52, 36, 36, UDP_P2P_REQUEST },
	{ 0xe4, 0x53, 21, 21, UDP_P2P_REQUEST }, { 0xe4, 0x58, 6, 6, UDP_P2P_REPLY },
	{ 0xe4, 0x59, 2, 2, UDP_P2P_REPLY },     { 0xe4, 0x5a, 36, 60, UDP_P2P_REPLY },
	{ 0xe4, 0x60, 2, 2, UDP_P2P_REQUEST },   { 0xe4, 0x61, 4, 4, UDP_P2P_REPLY },
	{ 0xe4, 0x62, 5, 5, UDP_P2P_UNSURE },
	/* servers */
	{ 0xe3, 0x96, 6, 6, UDP_P2P_REQUEST },   { 0xe3, 0x97, 14, 80, UDP_P2P_REPLY },
	{ 0xe3, 0x98, 5, ANY, UDP_P2P_REQUEST }, { 0xe3, 0x99, 30, ANY, UDP_P2P_REPLY },
	{ 0xe3, 0x9a, 18, ANY, UDP_P2P_REQUEST },{ 0xe3, 0x9b, 19, ANY, UDP_P2P_REPLY },
	{ 0xe3, 0x9c, 12, 12, UDP_P2P_REQUEST }, { 0xe3, 0xa2, 2, 6, UDP_P2P_REQUEST },
	{ 0xe3, 0xa3, 6, ANY, UDP_P2P_REPLY },
	/* clients */
	{ 0xc5, 0x90, 18, 64, UDP_P2P_REQUEST }, { 0xc5, 0x91, 4, 40, UDP_P2P_REPLY },
	{ 0xc5, 0x92, 2, 2, UDP_P2P_REPLY },     { 0xc5, 0x93, 2, 2, UDP_P2P_REPLY },
	{ 0xc5, 0x94, 36, 80, UDP_P2P_REQUEST }, { 0xc5, 0x95, 20, 30, UDP_P2P_REQUEST },
};

/* Packed Kademlia is zlib with a window of 32 K (RFC 1950 section 2.2: its two header bytes are a multiple of 31). */
static bool zlib_at(struct span data, size_t at)
{
	return data.n >= at + 6 && data.p[at] == 0x78 && load_be16(data.p + at) % 31 == 0;
}

static enum udp_kind edonkey_udp(struct span data)
{
	bool packed = data.n > 2 && data.p[0] == 0xe5;
	if (data.n < 2 || (packed && !zlib_at(data, 2)))
		return UDP_UNSURE;
	uint8_t protocol = packed ? 0xe4 : data.p[0];
	for (size_t i = 0; i < sizeof edonkey_operations / sizeof *edonkey_operations; i++) {
		const struct edonkey_operation *o = &edonkey_operations[i];
		if (o->protocol == protocol && o->operation == data.p[1] &&
		    (packed || (data.n >= o->least && data.n <= o->most)))
			return o->kind;
	}
	return UDP_UNSURE;
}

enum udp_kind p2p_udp(struct span data)
{
	if (data.n < 2)
		return UDP_UNSURE;
	switch (data.p[0]) {
	case 'd': return krpc(data);
	case 0x13: return is_handshake(data, 0) ? UDP_P2P_UNSURE : UDP_UNSURE;
	case 0x01: case 0x11: case 0x21: case 0x31: case 0x41: return utp(data);
	case 0xc5: case 0xe3: case 0xe4: case 0xe5: return edonkey_udp(data);
	default: return UDP_UNSURE;
	}
}

/* ---- Over TCP ---- */

/* Operations of eMule's opcodes.h between clients and with servers (0xe3), of its extensions (0xc5), and of either packed
 * (0xd4). A transaction number of Modbus met protocol and length by chance: hence also the operation. */
static bool edonkey_operation_exists(uint8_t protocol, uint8_t o)
{
	bool basic = o == 0x01 || (o >= 0x14 && o <= 0x1c) || o == 0x21 || o == 0x23 || (o >= 0x32 && o <= 0x38) ||
	             (o >= 0x40 && o <= 0x61);
	bool extended = o == 0x01 || o == 0x02 || o == 0x40 || o == 0x60 || o == 0x61 || (o >= 0x81 && o <= 0xac);
	return protocol == 0xe3 ? basic : protocol == 0xc5 ? extended : protocol == 0xd4 && (basic || extended);
}

/* Messages end to end: protocol byte, little-endian length, operation and its bytes. Their chain must meet the end of
 * the segment. */
static bool edonkey_tcp(struct span data)
{
	size_t at = 0;
	for (unsigned i = 0; i < 8 && data.n - at >= 6; i++) {
		uint8_t protocol = data.p[at];
		uint32_t length = load_le32(data.p + at + 1);
		if (!edonkey_operation_exists(protocol, data.p[at + 5]) || length == 0 || length > data.n - at - 5)
			return false;
		at += 5 + length;
	}
	return at == data.n;
}

bool p2p_tcp(struct span data)
{
	if (data.n < 6)
		return false;
	if (data.p[0] == 0x13)
		return is_handshake(data, 0);
	return (data.p[0] == 0xe3 || data.p[0] == 0xc5) && edonkey_tcp(data);
}
