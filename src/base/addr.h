/* Addresses. A source address is data; a monitored address is the secret of a telescope.
 *
 * struct monitored4 and struct monitored6 carry the destination of a packet and have no formatter on purpose
 * (DESIGN section 4): the one function that may print one lives in the packet exporter.
 */
#pragma once
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* A source or other public address: IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). Network order. */
struct addr {
	uint8_t bytes[16];
};

struct monitored4 {
	uint32_t v4; /* host order */
};

/* A prefix of either family; `bits` counts within the family (0–32 or 0–128). */
struct prefix {
	struct addr net; /* bits past the prefix are zero */
	uint8_t version; /* 4 or 6 */
	uint8_t bits;
};

struct addr addr_from_v4(uint32_t host_order);
bool addr_is_v4(const struct addr *a);
uint32_t addr_v4(const struct addr *a); /* host order; only when addr_is_v4 */

/* "192.0.2.1" or "2001:db8::1" (RFC 5952) into `out`, which is returned. */
#define ADDR_TEXT 46
char *addr_format(const struct addr *a, char out[static ADDR_TEXT]);

/* One address, or a prefix "10.0.0.0/8" (without a length: the whole address). Host bits set past the length are an
 * error, as they usually are a slip. MON-BASE-010. */
int prefix_parse(const char *text, struct prefix *out, struct error *e) MUST_USE;
bool prefix_contains4(const struct prefix *p, uint32_t host_order);
bool prefix_contains6(const struct prefix *p, const uint8_t address[static 16]);
