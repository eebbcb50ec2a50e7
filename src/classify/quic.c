/* QUIC: who speaks, the client or the server.
 *
 * Only a client's first Initial packets are encrypted with keys made of the connection id that they themselves carry
 * (RFC 9001 section 5.2), so one that opens with them was sent by a client, from whatever port; the tag leaves 2^-128
 * to chance. Bounded work: five HMACs and one pass over the datagram, after checks that random bytes fail. */
#include "classify/quic.h"

#include "base/cursor.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum quic_type { QUIC_INITIAL, QUIC_ZERO_RTT, QUIC_HANDSHAKE, QUIC_RETRY };

struct quic_version {
	uint32_t first, last;
	uint8_t salt[20];
	const char *key, *iv, *hp;
	uint8_t types[4]; /* by the two bits of the first byte */
};

#define SALT_1 /* RFC 9001 section 5.2 */ \
	{ 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, \
	  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a }
#define SALT_2 /* RFC 9369 section 3.3.1 */ \
	{ 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, \
	  0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 }
#define SALT_23 /* drafts 23 to 28 */ \
	{ 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, \
	  0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 }
#define SALT_29 /* drafts 29 to 32 */ \
	{ 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, \
	  0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 }

#define LABELS_1 "quic key", "quic iv", "quic hp"
#define LABELS_2 "quicv2 key", "quicv2 iv", "quicv2 hp" /* RFC 9369 section 3.3.2 */
#define TYPES_1 { QUIC_INITIAL, QUIC_ZERO_RTT, QUIC_HANDSHAKE, QUIC_RETRY } /* RFC 9000 section 17.2 */
#define TYPES_2 { QUIC_RETRY, QUIC_INITIAL, QUIC_ZERO_RTT, QUIC_HANDSHAKE } /* RFC 9369 section 3.2 */

static const struct quic_version versions[] = {
	{ 1, 1, SALT_1, LABELS_1, TYPES_1 },
	{ 0x6b3343cf, 0x6b3343cf, SALT_2, LABELS_2, TYPES_2 },
	{ 0xff000017, 0xff00001c, SALT_23, LABELS_1, TYPES_1 },
	{ 0xff00001d, 0xff000020, SALT_29, LABELS_1, TYPES_1 },
	{ 0xff000021, 0xff000022, SALT_1, LABELS_1, TYPES_1 },
};

#define CID_MAX 20      /* RFC 9000 section 17.2 */
#define CLIENT_CID_MIN 8 /* section 7.2 */
#define CLIENT_MIN 1200 /* bytes of the datagram, section 14.1 */
#define SAMPLE 16
#define TAG 16

struct quic_header {
	const struct quic_version *version;
	enum quic_type type;
	const uint8_t *dcid;
	uint8_t dcid_len;
	uint32_t number_offset; /* of the packet number, for Initial and Handshake */
	uint32_t length;        /* from there, as the packet says */
};

static const struct quic_version *version_find(uint32_t number)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (number >= versions[i].first && number <= versions[i].last)
			return &versions[i];
	return NULL;
}

/* A variable-length integer, RFC 9000 section 16. */
static uint64_t read_varint(struct cursor *c)
{
	uint8_t first = cursor_u8(c);
	uint64_t value = first & 63;
	for (unsigned left = (1u << (first >> 6)) - 1; left; left--)
		value = value << 8 | cursor_u8(c);
	return value;
}

static const uint8_t *read_cid(struct cursor *c, uint8_t *length)
{
	*length = cursor_u8(c);
	if (*length > CID_MAX)
		c->failed = true;
	return cursor_take(c, *length);
}

/* RFC 9000 section 17.2. False: no long header of a version we know. */
static bool header_read(struct span data, bool cut, struct quic_header *h)
{
	struct cursor c = cursor_init(data.p, data.n);
	uint8_t first = cursor_u8(&c), scid_len;
	h->version = version_find(cursor_be32(&c));
	h->dcid = read_cid(&c, &h->dcid_len);
	read_cid(&c, &scid_len);
	if (!cursor_ok(&c) || (first & 0xc0) != 0xc0 || !h->version)
		return false;
	h->type = (enum quic_type)h->version->types[first >> 4 & 3];
	if (h->type == QUIC_RETRY)
		return cut || cursor_left(&c) > TAG; /* a token and its tag, section 17.2.5 */
	if (h->type == QUIC_INITIAL) {
		uint64_t token = read_varint(&c);
		if (token > cursor_left(&c))
			return cut && cursor_ok(&c);
		cursor_skip(&c, (size_t)token);
	}
	uint64_t length = read_varint(&c);
	if (!cursor_ok(&c) || length < TAG + 1 || (length > cursor_left(&c) && !cut))
		return false;
	h->number_offset = (uint32_t)(c.p - data.p);
	h->length = length > UINT16_MAX ? UINT16_MAX : (uint32_t)length;
	return true;
}

/* Version Negotiation, section 17.2.1: version 0, two connection ids, whole version numbers. */
static bool is_negotiation(struct span data, bool cut)
{
	struct cursor c = cursor_init(data.p, data.n);
	uint8_t first = cursor_u8(&c);
	uint32_t version = cursor_be32(&c);
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, cursor_u8(&c));
	size_t left = cursor_left(&c);
	return cursor_ok(&c) && (first & 0x80) && version == 0 && left >= 4 && (cut || left % 4 == 0) &&
	       load_be32(c.p) != 0;
}

/* ---- Keys: HKDF (RFC 5869) with the labels of TLS 1.3 (RFC 8446 section 7.1) ---- */

/* Contexts of one attempt. */
struct attempt {
	const struct quic *q;
	EVP_MD_CTX *digest;
	EVP_CIPHER_CTX *cipher;
};

static bool sha256(const struct attempt *a, const uint8_t pad[static 64], const uint8_t *data, size_t n, uint8_t out[32])
{
	return EVP_DigestInit_ex2(a->digest, a->q->sha256, NULL) == 1 && EVP_DigestUpdate(a->digest, pad, 64) == 1 &&
	       EVP_DigestUpdate(a->digest, data, n) == 1 && EVP_DigestFinal_ex(a->digest, out, NULL) == 1;
}

/* RFC 2104; no key here is longer than a block. */
static bool hmac(const struct attempt *a, const uint8_t *key, size_t key_len, const uint8_t *data, size_t n,
                 uint8_t out[static 32])
{
	uint8_t inner[64] = { 0 }, outer[64];
	memcpy(inner, key, key_len);
	for (size_t i = 0; i < sizeof inner; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	return sha256(a, inner, data, n, out) && sha256(a, outer, out, 32, out);
}

/* HKDF-Expand-Label without context, of at most one hash. */
static bool expand_label(const struct attempt *a, const uint8_t secret[static 32], const char *label, uint8_t *out,
                         size_t n)
{
	uint8_t info[64] = { 0, (uint8_t)n }, block[32];
	size_t text = strlen(label);
	info[2] = (uint8_t)(6 + text);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, text);
	info[9 + text] = 0;
	info[10 + text] = 1;
	if (!hmac(a, secret, 32, info, 11 + text, block))
		return false;
	memcpy(out, block, n);
	return true;
}

struct quic_keys {
	uint8_t key[16], iv[12], hp[16];
};

static bool client_keys(const struct attempt *a, const struct quic_header *h, struct quic_keys *k)
{
	uint8_t initial[32], client[32];
	return hmac(a, h->version->salt, sizeof h->version->salt, h->dcid, h->dcid_len, initial) &&
	       expand_label(a, initial, "client in", client, 32) &&
	       expand_label(a, client, h->version->key, k->key, 16) &&
	       expand_label(a, client, h->version->iv, k->iv, 12) && expand_label(a, client, h->version->hp, k->hp, 16);
}

/* ---- Opening: header protection (RFC 9001 section 5.4), then AES-128-GCM ---- */

static bool header_mask(const struct attempt *a, const uint8_t hp[static 16], const uint8_t *sample,
                        uint8_t mask[static 16])
{
	int n = 0;
	return EVP_EncryptInit_ex2(a->cipher, a->q->ecb, hp, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(a->cipher, 0) == 1 &&
	       EVP_EncryptUpdate(a->cipher, mask, &n, sample, SAMPLE) == 1 && n == SAMPLE;
}

/* Reads the cipher text in small steps: not the text is of interest but the tag. */
static bool tag_fits(const struct attempt *a, const struct quic_keys *k, struct span head, struct span sealed)
{
	uint8_t text[256], tag[TAG];
	int n = 0;
	if (EVP_CIPHER_CTX_reset(a->cipher) != 1 || EVP_DecryptInit_ex2(a->cipher, a->q->gcm, k->key, k->iv, NULL) != 1 ||
	    EVP_DecryptUpdate(a->cipher, NULL, &n, head.p, (int)head.n) != 1)
		return false;
	size_t left = sealed.n - TAG;
	const uint8_t *p = sealed.p;
	while (left) {
		size_t step = left < sizeof text ? left : sizeof text;
		if (EVP_DecryptUpdate(a->cipher, text, &n, p, (int)step) != 1)
			return false;
		p += step;
		left -= step;
	}
	memcpy(tag, p, TAG);
	return EVP_CIPHER_CTX_ctrl(a->cipher, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
	       EVP_DecryptFinal_ex(a->cipher, text, &n) == 1;
}

#define HEAD_MAX 1500 /* longer tokens than a datagram of Ethernet holds are not looked at */

static bool opens(const struct attempt *a, const struct quic_header *h, struct span data)
{
	struct quic_keys k;
	uint8_t head[HEAD_MAX], mask[16];
	if (!client_keys(a, h, &k) || !header_mask(a, k.hp, data.p + h->number_offset + 4, mask))
		return false;
	size_t number_len = ((data.p[0] ^ mask[0]) & 3) + 1u, head_len = h->number_offset + number_len;
	if (head_len > sizeof head || h->length < number_len + TAG)
		return false;
	memcpy(head, data.p, head_len);
	head[0] ^= mask[0] & 15;
	for (size_t i = 0; i < number_len; i++) {
		head[h->number_offset + i] ^= mask[1 + i];
		k.iv[12 - number_len + i] ^= head[h->number_offset + i];
	}
	return tag_fits(a, &k, (struct span){ head, head_len },
	                (struct span){ data.p + head_len, h->length - number_len });
}

static bool is_client_initial(const struct quic *q, const struct packet *p, struct span data,
                              const struct quic_header *h)
{
	if (h->dcid_len < CLIENT_CID_MIN || data.n < CLIENT_MIN || h->length > data.n - h->number_offset ||
	    h->length < 4 + SAMPLE || p->bits & PACKET_FRAGMENT)
		return false;
	struct attempt a = { q, EVP_MD_CTX_new(), EVP_CIPHER_CTX_new() };
	bool opened = a.digest && a.cipher && opens(&a, h, data);
	EVP_CIPHER_CTX_free(a.cipher);
	EVP_MD_CTX_free(a.digest);
	return opened;
}

enum udp_kind reply_quic(const struct quic *q, const struct packet *p, struct span data)
{
	bool cut = packet_is_cut(p), from_server = p->sport == 443;
	struct quic_header h = { 0 };
	if (data.n < 7)
		return UDP_UNSURE;
	if (load_be32(data.p + 1) == 0)
		return from_server && is_negotiation(data, cut) ? UDP_REPLY : UDP_UNSURE;
	if (!header_read(data, cut, &h))
		return UDP_UNSURE;
	if (h.type == QUIC_INITIAL && h.length && is_client_initial(q, p, data, &h))
		return UDP_REQUEST;
	if (h.type == QUIC_ZERO_RTT) /* only clients send it, section 17.2.3 */
		return UDP_REQUEST;
	return from_server ? UDP_REPLY : UDP_UNSURE;
}

/* ---- The algorithms ---- */

int quic_init(struct quic *q, struct error *e)
{
	*q = (struct quic){ 0 };
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1) {
		q->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
		q->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
		q->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	}
	if (q->sha256 && q->ecb && q->gcm)
		return 0;
	quic_fini(q);
	return error_set(e, -ENOTSUP, "MON-CLS-002", "libcrypto offers no SHA-256 or no AES-128, which QUIC is told by");
}

void quic_fini(struct quic *q)
{
	EVP_MD_free(q->sha256);
	EVP_CIPHER_free(q->ecb);
	EVP_CIPHER_free(q->gcm);
	*q = (struct quic){ 0 };
}
