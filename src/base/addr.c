#include "base/addr.h"

#include "base/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct addr addr_from_v4(uint32_t host_order)
{
	struct addr a;

	memcpy(a.bytes, mapped, sizeof(mapped));
	store_be32(a.bytes + sizeof(mapped), host_order);
	return a;
}

bool addr_is_v4(const struct addr *a)
{
	return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

uint32_t addr_v4(const struct addr *a)
{
	return load_be32(a->bytes + sizeof(mapped));
}

/* The groups that "::" stands for: the first of the longest runs of zeros, of at least two (RFC 5952 section 4.2). */
struct gap {
	int start, length;
};

static struct gap longest_gap(const struct addr *a)
{
	struct gap best = { .start = -1, .length = 1 };
	int run = 0;

	for (int i = 0; i < 8; i++) {
		run = load_be16(a->bytes + 2 * i) ? 0 : run + 1;
		if (run > best.length)
			best = (struct gap){ .start = i - run + 1, .length = run };
	}
	return best;
}

static char *format_v6(const struct addr *a, char out[static ADDR_TEXT])
{
	struct gap gap = longest_gap(a);
	char *p = out, *end = out + ADDR_TEXT;

	for (int i = 0; i < 8; i++) {
		if (i == gap.start) {
			*p++ = ':';
			*p++ = ':';
			i += gap.length - 1;
			continue;
		}
		if (i && p[-1] != ':')
			*p++ = ':';
		p += snprintf(p, (size_t)(end - p), "%x", load_be16(a->bytes + 2 * i));
	}
	*p = 0;
	return out;
}

char *addr_format(const struct addr *a, char out[static ADDR_TEXT])
{
	const uint8_t *v4 = a->bytes + sizeof(mapped);

	if (!addr_is_v4(a))
		return format_v6(a, out);
	snprintf(out, ADDR_TEXT, "%u.%u.%u.%u", v4[0], v4[1], v4[2], v4[3]);
	return out;
}

/* ---- Prefixes ---- */

static int parse_address(const char *text, struct prefix *out)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		out->net = addr_from_v4(ntohl(v4.s_addr));
		out->version = 4;
		out->bits = 32;
		return 0;
	}
	if (inet_pton(AF_INET6, text, out->net.bytes) != 1)
		return -EINVAL;
	out->version = 6;
	out->bits = 128;
	return 0;
}

/* A length as people write it: decimal digits only, no sign, no space, no leading zero. */
static int parse_bits(const char *text, unsigned max, uint8_t *out)
{
	unsigned value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return -EINVAL;
	}
	*out = (uint8_t)value;
	return 0;
}

static bool host_bits_set(const struct prefix *p)
{
	unsigned bits = p->version == 4 ? 96u + p->bits : p->bits;

	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = bits <= 8 * i ? 0 : bits - 8 * i < 8 ? bits - 8 * i : 8;
		if (p->net.bytes[i] & (0xffu >> kept))
			return true;
	}
	return false;
}

/* ::ffff:10.0.0.0/104 is the same set as 10.0.0.0/8, and packets carry the latter. */
static void unmap(struct prefix *p)
{
	if (p->version == 6 && p->bits >= 96 && addr_is_v4(&p->net)) {
		p->version = 4;
		p->bits = (uint8_t)(p->bits - 96);
	}
}

int prefix_parse(const char *text, struct prefix *out, struct error *e)
{
	char address[ADDR_TEXT + 1];
	size_t n = strcspn(text, "/");

	if (n >= sizeof(address))
		return error_set(e, -EINVAL, "MON-BASE-010", "\"%.60s\" is not an address or prefix", text);
	memcpy(address, text, n);
	address[n] = 0;
	if (parse_address(address, out))
		return error_set(e, -EINVAL, "MON-BASE-010", "\"%.60s\" is not an address or prefix", text);
	if (text[n] && parse_bits(text + n + 1, out->bits, &out->bits))
		return error_set(e, -EINVAL, "MON-BASE-010", "\"%.60s\" has a prefix length that is not 0 to %u", text,
		                 out->bits);
	if (host_bits_set(out))
		return error_set(e, -EINVAL, "MON-BASE-010",
		                 "\"%.60s\" has bits set past its prefix length: write the network's first address", text);
	unmap(out);
	return 0;
}

bool prefix_contains4(const struct prefix *p, uint32_t host_order)
{
	if (p->version != 4)
		return false;
	return p->bits == 0 || (host_order ^ addr_v4(&p->net)) >> (32 - p->bits) == 0;
}

bool prefix_contains6(const struct prefix *p, const uint8_t address[static 16])
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (p->version != 6 || memcmp(p->net.bytes, address, whole) != 0)
		return false;
	return rest == 0 || (p->net.bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}
