#include "daemon/counts.h"

#include <string.h>

/* Layout of a kind. outer_version 0, 4, 6 becomes 0, 2, 3. */
enum {
	KIND_VERSION = 0, /* 2 bits */
	KIND_L4 = 2,      /* 3 */
	KIND_CLASS = 5,   /* 3 */
	KIND_FRAGMENT = 8,
	KIND_TRUNCATED = 9,
	KIND_ACCESS = 10,
	KIND_SYN = 11,
	KIND_SYNACK = 12,
	KIND_RST = 13,
};

void counts_init(struct counts *c)
{
	memset(c, 0, sizeof *c);
	c->min = INT64_MAX;
	c->max = INT64_MIN;
}

/* The three kinds of TCP flags that a summary counts, by the low six flags: SYN without ACK, RST, FIN; SYN and ACK; RST. */
#define TCP_KIND(f) \
	(uint16_t)((((f) & 0x17) == TCP_SYN) << KIND_SYN | (((f) & 0x12) == 0x12) << KIND_SYNACK | \
	           (((f) & TCP_RST) != 0) << KIND_RST)
#define TCP_KIND_4(f) TCP_KIND(f), TCP_KIND((f) + 1), TCP_KIND((f) + 2), TCP_KIND((f) + 3)
#define TCP_KIND_16(f) TCP_KIND_4(f), TCP_KIND_4((f) + 4), TCP_KIND_4((f) + 8), TCP_KIND_4((f) + 12)
static const uint16_t tcp_kinds[32] = { TCP_KIND_16(0), TCP_KIND_16(16) };

/* They are of the outermost layer: a packet without TCP there has no flags, but an inner one may. */
static inline uint32_t kind_of(const struct packet *p, const struct verdict *v)
{
	uint32_t kind = (uint32_t)p->outer_version >> 1 | (uint32_t)p->outer_l4 << KIND_L4 |
	                (uint32_t)v->class << KIND_CLASS |
	                (uint32_t)((p->bits & PACKET_OUTER_FRAGMENT) != 0) << KIND_FRAGMENT |
	                (uint32_t)((p->bits & PACKET_TRUNCATED) != 0) << KIND_TRUNCATED |
	                (uint32_t)(v->flags & VERDICT_ACCESS) << KIND_ACCESS;
	if (__builtin_expect(p->bits & PACKET_TUNNELLED, 0))
		return kind;
	return kind | tcp_kinds[p->tcp_flags & 31];
}

static void widen(struct counts *c)
{
	for (uint32_t i = 0; i < COUNTS_KINDS; i++)
		c->wide[i] += c->kind[i];
	memset(c->kind, 0, sizeof c->kind);
	c->since_fold = 0;
}

void counts_frames(struct counts *c, const struct frame *frames, size_t n)
{
	uint64_t bytes = 0;
	int64_t min = c->min, max = c->max;
	for (size_t i = 0; i < n; i++) {
		bytes += frames[i].wirelen;
		min = min < frames[i].ts ? min : frames[i].ts;
		max = max > frames[i].ts ? max : frames[i].ts;
	}
	c->bytes += bytes;
	c->min = min;
	c->max = max;
	if (c->since_fold > UINT32_MAX - n)
		widen(c);
	c->since_fold += (uint32_t)n;
}

void counts_packets(struct counts *c, const struct packet *packets, const struct verdict *verdicts, size_t n)
{
	const uint16_t rare = VERDICT_UDP_UNSURE | VERDICT_QUOTE_MISMATCH | VERDICT_CANNOT_TELL;
	for (size_t i = 0; i < n; i++) {
		const struct packet *p = &packets[i];
		const struct verdict *v = &verdicts[i];
		c->kind[kind_of(p, v)]++;
		if (__builtin_expect((v->flags & rare) | v->reason | (p->bits & PACKET_BAD_CHECKSUM), 0)) {
			c->reasons[v->reason]++;
			c->bad_checksums += (p->bits & PACKET_BAD_CHECKSUM) != 0;
			c->udp_unsure += (v->flags & VERDICT_UDP_UNSURE) != 0;
			c->quote_mismatches += (v->flags & VERDICT_QUOTE_MISMATCH) != 0;
			c->cannot_tell += (v->flags & VERDICT_CANNOT_TELL) != 0;
		}
	}
}

/* Of packets that are TCP over IPv4, whole. */
void counts_hits(struct counts *c, const struct hit *hits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct hit *h = &hits[i];
		uint32_t kind = 4 >> 1 | OUTER_TCP << KIND_L4 | (uint32_t)(h->key & 7) << KIND_CLASS |
		                (uint32_t)h->access << KIND_ACCESS;
		c->kind[kind | tcp_kinds[h->tcp_flags & 31]]++;
	}
}

static void fold_kind(uint32_t kind, uint64_t n, struct summary *out)
{
	switch (kind >> KIND_VERSION & 3) {
	case 2: out->ipv4 += n; break;
	case 3: out->ipv6 += n; break;
	default: out->non_ip += n;
	}
	switch (kind >> KIND_L4 & 7) {
	case OUTER_TCP: out->tcp += n; break;
	case OUTER_UDP: out->udp += n; break;
	case OUTER_ICMP: out->icmp += n; break;
	case OUTER_ICMPV6: out->icmpv6 += n; break;
	case OUTER_OTHER: out->other_ip += n; break;
	}
	out->classes[kind >> KIND_CLASS & 7] += n;
	out->fragments += (kind >> KIND_FRAGMENT & 1) * n;
	out->truncated += (kind >> KIND_TRUNCATED & 1) * n;
	out->accesses += (kind >> KIND_ACCESS & 1) * n;
	out->syn += (kind >> KIND_SYN & 1) * n;
	out->synack += (kind >> KIND_SYNACK & 1) * n;
	out->rst += (kind >> KIND_RST & 1) * n;
}

void counts_fold(struct counts *c, struct summary *out)
{
	widen(c);
	for (uint32_t i = 0; i < COUNTS_KINDS; i++)
		if (c->wide[i])
			fold_kind(i, c->wide[i], out);
	out->bytes += c->bytes;
	out->min = out->min < c->min ? out->min : c->min;
	out->max = out->max > c->max ? out->max : c->max;
	for (int r = REASON_OUTGOING; r <= REASON_NOT_MONITORED; r++)
		out->ignored[r] += c->reasons[r];
	for (int r = REASON_SHORT; r < REASON_COUNT; r++)
		out->undecoded[r] += c->reasons[r];
	out->bad_checksums += c->bad_checksums;
	out->udp_unsure += c->udp_unsure;
	out->quote_mismatches += c->quote_mismatches;
	out->cannot_tell += c->cannot_tell;
}
