#include "classify/scope.h"

#include <errno.h>
#include <stdlib.h>

static address6 load_address6(const uint8_t p[static 16])
{
	return (address6)load_be64(p) << 64 | load_be64(p + 8);
}

static void store_address6(uint8_t p[static 16], address6 a)
{
	store_be64(p, (uint64_t)(a >> 64));
	store_be64(p + 8, (uint64_t)a);
}

/* The bits past a prefix; a shift by the whole width is undefined, hence the cases. */
static uint32_t host_mask4(unsigned bits) { return bits ? (uint32_t)((UINT64_C(1) << (32 - bits)) - 1) : UINT32_MAX; }
static address6 host_mask6(unsigned bits) { return bits ? ((address6)1 << (128 - bits)) - 1 : ~(address6)0; }

static int compare4(const void *a, const void *b)
{
	const struct range4 *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

static int compare6(const void *a, const void *b)
{
	const struct range6 *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

/* Prefixes nest or are disjoint, but neighbours may touch: a /24 given as 256 hosts then costs one range. */
static size_t merge4(struct range4 *v, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		struct range4 *top = kept ? &v[kept - 1] : NULL;
		if (top && (top->last == UINT32_MAX || v[i].first <= top->last + 1))
			top->last = v[i].last > top->last ? v[i].last : top->last;
		else
			v[kept++] = v[i];
	}
	return kept;
}

static size_t merge6(struct range6 *v, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		struct range6 *top = kept ? &v[kept - 1] : NULL;
		if (top && (top->last == ~(address6)0 || v[i].first <= top->last + 1))
			top->last = v[i].last > top->last ? v[i].last : top->last;
		else
			v[kept++] = v[i];
	}
	return kept;
}

int ranges_init(struct ranges *r, const struct env *env, const struct prefix *list, size_t n, struct error *e)
{
	*r = (struct ranges){ 0 };
	for (size_t i = 0; i < n; i++)
		*(list[i].version == 4 ? &r->room4 : &r->room6) += 1;
	r->v4 = r->room4 ? env_alloc(env, r->room4 * sizeof *r->v4) : NULL;
	r->v6 = r->room6 ? env_alloc(env, r->room6 * sizeof *r->v6) : NULL;
	if ((r->room4 && !r->v4) || (r->room6 && !r->v6)) {
		ranges_fini(r, env);
		return error_no_memory(e, "the prefixes of a scope");
	}
	for (size_t i = 0; i < n; i++) {
		const struct prefix *p = &list[i];
		if (p->version == 4) {
			uint32_t host = host_mask4(p->bits), first = load_be32(p->net.bytes + 12) & ~host;
			r->v4[r->n4++] = (struct range4){ first, first | host };
		} else {
			address6 host = host_mask6(p->bits), first = load_address6(p->net.bytes) & ~host;
			r->v6[r->n6++] = (struct range6){ first, first | host };
		}
	}
	if (r->n4)
		qsort(r->v4, r->n4, sizeof *r->v4, compare4);
	if (r->n6)
		qsort(r->v6, r->n6, sizeof *r->v6, compare6);
	r->n4 = merge4(r->v4, r->n4);
	r->n6 = merge6(r->v6, r->n6);
	return 0;
}

void ranges_fini(struct ranges *r, const struct env *env)
{
	env_free(env, r->v4, r->room4 * sizeof *r->v4);
	env_free(env, r->v6, r->room6 * sizeof *r->v6);
	*r = (struct ranges){ 0 };
}

/* The last range that starts at or before the address is the only one that can hold it. */
bool ranges_search4(const struct ranges *r, uint32_t address)
{
	size_t low = 0, high = r->n4;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->v4[middle].first <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address <= r->v4[low - 1].last;
}

bool ranges_contain6(const struct ranges *r, const uint8_t address[static 16])
{
	address6 a = load_address6(address);
	size_t low = 0, high = r->n6;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->v6[middle].first <= a)
			low = middle + 1;
		else
			high = middle;
	}
	return low && a <= r->v6[low - 1].last;
}

/* The largest of the monitored ranges, or all unicast below 224.0.0.0. */
void scope_set_quick(struct classify *c)
{
	c->quick_size = 0;
	if (c->own.n4 || c->nat_unknown)
		return; /* more must be looked at than the destination */
	if (c->everything) {
		c->quick_first = 0;
		c->quick_size = UINT64_C(14) << 28;
	}
	for (size_t i = 0; i < c->monitored.n4; i++) {
		const struct range4 *r = &c->monitored.v4[i];
		uint64_t size = (uint64_t)r->last - r->first + 1;
		if (size > c->quick_size) {
			c->quick_first = r->first;
			c->quick_size = size;
		}
	}
}

/* ---- Network address translation ---- */

static const struct nat *nat_of4(const struct classify *c, uint32_t address)
{
	for (size_t i = 0; i < c->n_nat; i++)
		if (c->nat[i].captured.version == 4 && prefix_contains4(&c->nat[i].captured, address))
			return &c->nat[i];
	return NULL;
}

static const struct nat *nat_of6(const struct classify *c, const uint8_t address[static 16])
{
	for (size_t i = 0; i < c->n_nat; i++)
		if (c->nat[i].captured.version == 6 && prefix_contains6(&c->nat[i].captured, address))
			return &c->nat[i];
	return NULL;
}

static uint32_t nat_public4(const struct nat *nat, uint32_t address)
{
	return load_be32(nat->public.net.bytes + 12) | (address & host_mask4(nat->captured.bits));
}

static address6 nat_public6(const struct nat *nat, const uint8_t address[static 16])
{
	return load_address6(nat->public.net.bytes) | (load_address6(address) & host_mask6(nat->captured.bits));
}

/* RFC 1918 and RFC 6598: behind a map, an address of these that it does not know has a public side unknown to us. */
static bool private4(uint32_t a)
{
	return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 22 == 0x191;
}

/* Own and monitored addresses may be told by either side of the map; what is captured is seen here, before it goes. */
static unsigned translate4(const struct classify *c, struct packet *p)
{
	unsigned notes = ranges_contain4(&c->own, p->dst.v4) ? NAT_OWN : 0;
	notes |= ranges_contain4(&c->monitored, p->dst.v4) ? NAT_MONITORED : 0;
	const struct nat *nat = nat_of4(c, p->dst.v4);
	if (nat)
		p->dst.v4 = nat_public4(nat, p->dst.v4);
	else if (nat_of4(c, p->src)) /* one-to-one NAT: what leaves a captured address was sent by this host */
		notes |= NAT_OUTGOING;
	else if (private4(p->dst.v4))
		notes |= NAT_UNKNOWN;
	return notes;
}

static unsigned translate6(const struct classify *c, struct packet *p, uint8_t scratch[32])
{
	const uint8_t *dst = p->addrs6 + 16;
	unsigned notes = ranges_contain6(&c->own, dst) ? NAT_OWN : 0;
	notes |= ranges_contain6(&c->monitored, dst) ? NAT_MONITORED : 0;
	const struct nat *nat = nat_of6(c, dst);
	if (!nat)
		return notes | (nat_of6(c, p->addrs6) ? NAT_OUTGOING : 0);
	if (!scratch)
		return notes | NAT_UNKNOWN;
	address6 public = nat_public6(nat, dst);
	memmove(scratch, p->addrs6, 16);
	store_address6(scratch + 16, public);
	p->addrs6 = scratch;
	return notes;
}

unsigned scope_translate(const struct classify *c, struct packet *p, uint8_t scratch[32])
{
	if (p->version == 4)
		return translate4(c, p);
	return p->version == 6 ? translate6(c, p, scratch) : 0;
}

struct addr scope_public(const struct classify *c, const struct addr *a)
{
	if (addr_is_v4(a)) {
		const struct nat *nat = nat_of4(c, addr_v4(a));
		return nat ? addr_from_v4(nat_public4(nat, addr_v4(a))) : *a;
	}
	struct addr out = *a;
	const struct nat *nat = nat_of6(c, a->bytes);
	if (nat)
		store_address6(out.bytes, nat_public6(nat, a->bytes));
	return out;
}

/* ---- IPv6 ---- */

/* What hosts of one link say to each other: neighbour discovery (RFC 4861), DHCPv6 (RFC 8415 section 7.2). */
static bool link_talk6(const struct packet *p)
{
	if (p->proto == PROTO_UDP)
		return p->sport - 546u <= 1 && p->dport - 546u <= 1;
	return p->proto == PROTO_ICMPV6 && (p->dport >> 8) - 133u <= 137 - 133;
}

enum verdict_reason scope_reason6(const struct classify *c, const struct packet *p, unsigned notes)
{
	const uint8_t *dst = p->addrs6 + 16;
	if (c->own.n6 && (ranges_contain6(&c->own, p->addrs6) || ranges_contain6(&c->own, dst)))
		return REASON_OWN;
	if (link_talk6(p))
		return REASON_LOCAL;
	bool local = dst[0] == 0xff; /* multicast, RFC 4291 section 2.7 */
	if (c->everything)
		return local ? REASON_LOCAL : REASON_NONE;
	if ((notes & NAT_MONITORED) || ranges_contain6(&c->monitored, dst))
		return REASON_NONE;
	return local ? REASON_LOCAL : REASON_NOT_MONITORED;
}

/* Those within another are counted once. */
uint64_t scope_addresses(const struct scope *scope)
{
	const struct prefix *p = scope->monitored;
	size_t n = scope->n_monitored;
	uint64_t all = 0;
	for (size_t i = 0; i < n; i++) {
		bool within = false;
		for (size_t k = 0; k < n && !within; k++)
			within = k != i && p[k].version == p[i].version &&
			         (p[k].bits < p[i].bits || (p[k].bits == p[i].bits && k < i)) &&
			         (p[k].version == 4 ? prefix_contains4(&p[k], addr_v4(&p[i].net)) :
			                              prefix_contains6(&p[k], p[i].net.bytes));
		unsigned free_bits = (p[i].version == 4 ? 32u : 128u) - p[i].bits;
		if (free_bits > 62)
			return 0;
		all += within ? 0 : 1ull << free_bits;
	}
	return all;
}
