/* Whose packets count: prefixes made into sorted ranges, and the reason why a packet is left out (DEFINITIONS 1). */
#pragma once
#include "base/bytes.h"
#include "classify/classify.h"
#include "classify/quic.h"

typedef unsigned __int128 address6;

struct range4 {
	uint32_t first, last;
};

struct range6 {
	address6 first, last;
};

/* Prefixes of both families as sorted ranges that do not touch. */
struct ranges {
	struct range4 *v4;
	struct range6 *v6;
	size_t n4, n6;
	size_t room4, room6; /* as allocated */
};

struct classify {
	const struct env *env;
	struct ranges monitored, own;
	const struct nat *nat;
	size_t n_nat;
	uint32_t quick_first; /* one range of IPv4 destinations that count whatever else is asked of a TCP packet; … */
	uint64_t quick_size;  /* … 0: there is none */
	bool everything;      /* no monitored prefixes: every unicast destination counts */
	bool nat_unknown;
	struct quic quic;
};

/* What the NAT map said of one packet. */
enum nat_note { NAT_OUTGOING = 1, NAT_OWN = 2, NAT_UNKNOWN = 4, NAT_MONITORED = 8 };

int ranges_init(struct ranges *r, const struct env *env, const struct prefix *list, size_t n, struct error *e) MUST_USE;
void ranges_fini(struct ranges *r, const struct env *env);
bool ranges_search4(const struct ranges *r, uint32_t address);
bool ranges_contain6(const struct ranges *r, const uint8_t address[static 16]);

#define RANGES_SCAN 4 /* up to here comparing each is faster than searching */

static inline bool ranges_contain4(const struct ranges *r, uint32_t address)
{
	if (r->n4 > RANGES_SCAN)
		return ranges_search4(r, address);
	bool found = false;
	for (size_t i = 0; i < r->n4; i++)
		found |= address - r->v4[i].first <= r->v4[i].last - r->v4[i].first;
	return found;
}

/* Puts the public destination in the packet (for IPv6 in scratch) and says what it met: enum nat_note bits. */
unsigned scope_translate(const struct classify *c, struct packet *p, uint8_t scratch[32]);

/* The public side of an address that a quoted packet carries; the address itself where the map has none. */
struct addr scope_public(const struct classify *c, const struct addr *a);

enum verdict_reason scope_reason6(const struct classify *c, const struct packet *p, unsigned notes);

/* DHCP between its ports (RFC 2131 section 4.1). A scan of port 67 from any other port is a scan. */
static inline bool scope_dhcp4(const struct packet *p)
{
	return (p->sport - 67u <= 1) & (p->dport - 67u <= 1) & (p->proto == PROTO_UDP);
}

static inline enum verdict_reason scope_reason4(const struct classify *c, const struct packet *p, unsigned notes)
{
	uint32_t dst = p->dst.v4;
	if (__builtin_expect((uint32_t)(dst - c->quick_first) < c->quick_size && p->proto != PROTO_UDP, 1))
		return REASON_NONE;
	if (c->own.n4 && (ranges_contain4(&c->own, p->src) || ranges_contain4(&c->own, dst)))
		return REASON_OWN;
	if (scope_dhcp4(p))
		return REASON_LOCAL;
	bool local = dst >> 28 == 14 || dst == UINT32_MAX; /* RFC 5771, RFC 919 */
	if (c->everything)
		return local ? REASON_LOCAL : REASON_NONE;
	if ((notes & NAT_MONITORED) || ranges_contain4(&c->monitored, dst))
		return REASON_NONE;
	return local ? REASON_LOCAL : REASON_NOT_MONITORED;
}

/* Chooses the quick range: the answer for nearly all packets of a telescope by one comparison. */
void scope_set_quick(struct classify *c);

/* REASON_NONE: the packet counts. */
static inline enum verdict_reason scope_reason(const struct classify *c, const struct packet *p, unsigned notes)
{
	if ((p->bits & PACKET_OUTGOING) || (notes & NAT_OUTGOING))
		return REASON_OUTGOING;
	if ((p->bits & PACKET_OWN) || (notes & NAT_OWN))
		return REASON_OWN;
	if (p->version == 4)
		return scope_reason4(c, p, notes);
	if (p->version == 6)
		return scope_reason6(c, p, notes);
	return p->bits & PACKET_LOCAL ? REASON_LOCAL : REASON_NONE;
}
