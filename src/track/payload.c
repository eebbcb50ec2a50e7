#include "track/payload.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#define SHORTEST_TEXT 7 /* "1.1.1.1"; decimal and hex are longer but for addresses that nobody has */
#define NEEDLE_MAX 80   /* nibbles of ip6.arpa with their dots: 63 */
#define REPLACEMENT '*'

/* ---- Searching ---- */
static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'F' ? (uint8_t)(c | 0x20) : c; }

static bool equal_text(const uint8_t *p, const char *needle, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(p[i]) != (uint8_t)needle[i])
			return false;
	return true;
}

/* Where a text stands first from `from` on; n: nowhere. Needles are in lower case. */
static size_t find_text(const uint8_t *p, size_t n, size_t from, const char *needle, size_t length)
{
	bool letter = *needle >= 'a';
	while (from < n && length <= n - from) {
		const uint8_t *at = letter ? NULL : memchr(p + from, *needle, n - from);
		if (!letter && !at)
			return n;
		from = letter ? from : (size_t)(at - p);
		if (lower(p[from]) == (uint8_t)*needle && length <= n - from && equal_text(p + from, needle, length))
			return from;
		from++;
	}
	return n;
}

/* Replaces every place of a text by one sign; the rest moves up. Returns the new length. */
static size_t replace_text(uint8_t *p, size_t n, const char *needle)
{
	size_t length = strlen(needle);
	for (size_t at = find_text(p, n, 0, needle, length); at < n; at = find_text(p, n, at + 1, needle, length)) {
		p[at] = REPLACEMENT;
		memmove(p + at + 1, p + at + length, n - at - length);
		n -= length - 1;
	}
	return n;
}

static void zero_bytes(uint8_t *p, size_t n, const uint8_t *needle, size_t length)
{
	for (size_t i = 0; length <= n && i <= n - length; i++)
		if (p[i] == *needle && !memcmp(p + i, needle, length))
			memset(p + i, 0, length);
}

/* ---- Is there anything that could be an address? Nearly all payloads have nothing, and are then done. ----
 * In vectors of 16 bytes, since this looks at every byte of every payload. */
#define VECTOR 16
#define BYTES __attribute__((vector_size(VECTOR))) uint8_t
#define WORDS __attribute__((vector_size(VECTOR))) uint32_t

/* Zeros behind the n bytes, as far as vectors at their last byte reach. */
static void pad(uint8_t *p, size_t n) { memset(p + n, 0, 3 * VECTOR); }

static bool any_set(BYTES v)
{
	uint64_t w[VECTOR / 8];
	memcpy(w, &v, sizeof w);
	return w[0] | w[1];
}

/* Do n bytes hold the four of `word`, or of its reverse, anywhere? */
static bool has_word(const uint8_t *p, size_t n, uint32_t word)
{
	WORDS found = { 0 };
	for (size_t i = 0; i < n; i += VECTOR) {
		for (size_t shift = 0; shift < 4; shift++) {
			WORDS v;
			memcpy(&v, p + i + shift, sizeof v);
			found |= (WORDS)(v == word) | (WORDS)(v == __builtin_bswap32(word));
		}
	}
	return any_set((BYTES)found);
}

/* Is there a run of SHORTEST_TEXT marked bytes? Marks are 0 or 255, padded with zeros. */
static bool has_run(const uint8_t *marks, size_t n)
{
	BYTES found = { 0 };
	for (size_t i = 0; i < n; i += VECTOR) {
		BYTES all, v;
		memcpy(&all, marks + i, sizeof all);
		for (size_t shift = 1; shift < SHORTEST_TEXT; shift++) {
			memcpy(&v, marks + i + shift, sizeof v);
			all &= v;
		}
		found |= all;
	}
	return any_set(found);
}

struct looks {
	bool address; /* a run of hex digits and - . / : that is long enough */
	bool number;  /* a run of hex digits alone */
};

static struct looks look(const uint8_t *p, size_t n)
{
	uint8_t address[PAYLOAD_ROOM], number[PAYLOAD_ROOM];
	for (size_t i = 0; i < n; i += VECTOR) {
		BYTES v, hex, sign;
		memcpy(&v, p + i, sizeof v);
		hex = (BYTES)((BYTES)(v - '0') < 10) | (BYTES)((BYTES)((v | 0x20) - 'a') < 6);
		sign = (BYTES)((BYTES)(v - '-') < 3) | (BYTES)(v == ':');
		memcpy(number + i, &hex, sizeof hex);
		sign |= hex;
		memcpy(address + i, &sign, sizeof sign);
	}
	size_t end = (n + VECTOR - 1) / VECTOR * VECTOR;
	memset(address + end, 0, 8);
	memset(number + end, 0, 8);
	struct looks looks = { .address = has_run(address, n) };
	looks.number = looks.address && has_run(number, n);
	return looks;
}

/* ---- Writing the forms: by hand, as this runs for every payload with a number in it ---- */
static char *put_decimal(char *p, uint32_t v)
{
	char digits[10];
	int n = 0;
	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*p++ = digits[--n];
	return p;
}

static void write_octets(char *out, uint32_t v, char between)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		out = put_decimal(out, v >> shift & 255);
		*out++ = shift ? between : 0;
	}
}

static char *put_hex(char *p, uint32_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--)
		*p++ = "0123456789abcdef"[v >> 4 * i & 15];
	return p;
}

static size_t replace_octets(uint8_t *p, size_t n, uint32_t v, char between)
{
	char needle[NEEDLE_MAX];
	write_octets(needle, v, between);
	return replace_text(p, n, needle);
}

static size_t replace_numbers(uint8_t *p, size_t n, uint32_t v)
{
	char needle[NEEDLE_MAX];
	*put_decimal(needle, v) = 0;
	if (strlen(needle) >= SHORTEST_TEXT)
		n = replace_text(p, n, needle);
	*put_hex(needle, v, 8) = 0;
	return replace_text(p, n, needle);
}

static int hex_digits(uint32_t v) { return v ? (35 - __builtin_clz(v)) / 4 : 1; }

/* As the last groups of an IPv4-mapped or translated IPv6 address. */
static size_t replace_groups(uint8_t *p, size_t n, uint32_t v)
{
	char needle[NEEDLE_MAX], *end = put_hex(needle, v >> 16, 4);
	*end++ = ':';
	*put_hex(end, v & 0xffff, 4) = 0;
	n = replace_text(p, n, needle);
	/* The same without leading zeros (RFC 5952 section 4.1). */
	int high_digits = hex_digits(v >> 16), low_digits = hex_digits(v & 0xffff);
	end = put_hex(needle, v >> 16, high_digits);
	*end++ = ':';
	*put_hex(end, v & 0xffff, low_digits) = 0;
	return high_digits + 1 + low_digits >= SHORTEST_TEXT ? replace_text(p, n, needle) : n;
}

static bool has_sign(const uint8_t *p, size_t n, char sign) { return memchr(p, sign, n) != NULL; }

size_t payload_mask4(uint8_t bytes[static PAYLOAD_ROOM], size_t n, struct monitored4 dst)
{
	uint32_t swapped = __builtin_bswap32(dst.v4);
	pad(bytes, n);
	if (has_word(bytes, n, swapped)) {
		zero_bytes(bytes, n, (const uint8_t *)&swapped, 4);
		zero_bytes(bytes, n, (const uint8_t *)&dst.v4, 4);
	}
	struct looks looks = look(bytes, n);
	if (!looks.address)
		return n;
	if (has_sign(bytes, n, '.'))
		n = replace_octets(bytes, replace_octets(bytes, n, dst.v4, '.'), swapped, '.');
	if (has_sign(bytes, n, '-'))
		n = replace_octets(bytes, replace_octets(bytes, n, dst.v4, '-'), swapped, '-');
	if (has_sign(bytes, n, ':'))
		n = replace_groups(bytes, n, dst.v4);
	if (looks.number)
		n = replace_numbers(bytes, replace_numbers(bytes, n, dst.v4), swapped);
	return n;
}

/* ---- IPv6 ---- */
static void write_hex16(char *out, const uint8_t a[static 16], char between, int every)
{
	for (int i = 0; i < 16; i++) {
		out = put_hex(out, a[i], 2);
		if (between && i % every == every - 1 && i < 15)
			*out++ = between;
	}
	*out = 0;
}

/* RFC 3596 section 2.5: nibbles from the last to the first, with dots. */
static void write_nibbles(char *out, const uint8_t a[static 16])
{
	for (int i = 15; i >= 0; i--) {
		out = put_hex(out, a[i] & 15, 1);
		*out++ = '.';
		out = put_hex(out, a[i] >> 4, 1);
		*out++ = i ? '.' : 0;
	}
}

size_t payload_mask6(uint8_t bytes[static PAYLOAD_ROOM], size_t n, const uint8_t dst[static 16])
{
	char needle[NEEDLE_MAX];
	uint8_t raw[16];
	pad(bytes, n);
	zero_bytes(bytes, n, dst, 16);
	for (int i = 0; i < 16; i++)
		raw[i] = dst[15 - i];
	zero_bytes(bytes, n, raw, sizeof raw);
	if (!look(bytes, n).address)
		return n;
	write_hex16(needle, dst, ':', 2); /* all digits */
	n = replace_text(bytes, n, needle);
	inet_ntop(AF_INET6, dst, needle, sizeof needle); /* RFC 5952 */
	n = replace_text(bytes, n, needle);
	write_hex16(needle, dst, 0, 1);
	n = replace_text(bytes, n, needle);
	write_nibbles(needle, dst);
	return replace_text(bytes, n, needle);
}

/* ---- Samples ---- */
size_t payload_sample(const struct packet *p, uint8_t out[static PAYLOAD_ROOM])
{
	size_t n = p->payload_len < PAYLOAD_SAMPLE ? p->payload_len : PAYLOAD_SAMPLE;
	memcpy(out, p->ip + p->payload_offset, n);
	return p->version == 6 ? payload_mask6(out, n, p->addrs6 + 16) : payload_mask4(out, n, p->dst);
}

struct addr payload_content(const uint8_t *sample, size_t n)
{
	struct addr content;
	XXH128_hash_t x = XXH3_128bits(sample, n);
	store_be64(content.bytes, x.high64);
	store_be64(content.bytes + 8, x.low64);
	return content;
}
