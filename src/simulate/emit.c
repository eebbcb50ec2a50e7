/* Packets to bytes: Ethernet, IP, transport, sums; the frames of a second sorted by time and written. */
#include "base/bytes.h"
#include "simulate/state.h"

#include <assert.h>
#include <string.h>

#define FRAME_HEAD 8   /* length of the frame, before its bytes */
#define FRAME_ROOM 256 /* more than all headers and options take */
#define ETHERNET 14

/* ---- Sums (RFC 1071) over little-endian words ---- */

static uint64_t sum(const uint8_t *p, size_t n)
{
	uint64_t total = 0;
	for (; n >= 4; p += 4, n -= 4)
		total += load_le32(p);
	if (n >= 2)
		total += load_le16(p), p += 2, n -= 2;
	return n ? total + *p : total;
}

static uint16_t fold(uint64_t total)
{
	total = (total >> 32) + (uint32_t)total;
	total = (total >> 16) + (total & 0xffff);
	total = (total >> 16) + (total & 0xffff);
	return (uint16_t) ~((total >> 16) + total);
}

/* ---- Options ---- */

static const struct {
	uint8_t n;
	uint8_t stamp; /* where the timestamp's value is; 0: none */
	uint8_t bytes[24];
} options_table[OPTIONS_COUNT] = {
	[OPTIONS_MSS] = { 4, 0, { 2, 4, 5, 0xb4 } },
	[OPTIONS_ZMAP_WINDOWS] = { 12, 0, { 2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2 } },
	[OPTIONS_ZMAP_LINUX] = { 20, 8, { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7 } },
	[OPTIONS_ZMAP_BSD] = { 24, 12, { 2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0 } },
	[OPTIONS_LINUX] = { 20, 8, { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 10 } },
	[OPTIONS_WINDOWS] = { 12, 0, { 2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2 } },
	[OPTIONS_SYNACK] = { 8, 0, { 2, 4, 5, 0xb4, 1, 1, 4, 2 } },
};

static size_t put_options(uint8_t *p, const struct sim_packet *k)
{
	if (k->options == OPTIONS_NONE)
		return 0;
	memcpy(p, options_table[k->options].bytes, sizeof options_table[0].bytes);
	uint8_t stamp = options_table[k->options].stamp;
	if (stamp) /* ZMap: one value a second; a kernel: milliseconds since it booted */
		store_be32(p + stamp, k->options == OPTIONS_LINUX ? (uint32_t)(k->ts / 1000000) + k->src * 2654435761u :
		                                                    (uint32_t)(k->ts / SECOND));
	return options_table[k->options].n;
}

/* ---- Transport: returns its bytes; the checksum's place is given, 0 where there is none ---- */

static size_t put_tcp(uint8_t *p, const struct sim_packet *k)
{
	store_be16(p, k->sport);
	store_be16(p + 2, k->dport);
	store_be32(p + 4, k->seq);
	store_be32(p + 8, k->ack);
	size_t options = put_options(p + 20, k);
	p[12] = (uint8_t)((20 + options) << 2);
	p[13] = k->tcp_flags;
	store_be16(p + 14, k->window);
	store_be32(p + 16, 0);
	return 20 + options;
}

static size_t put_udp(uint8_t *p, const struct sim_packet *k)
{
	store_be16(p, k->sport);
	store_be16(p + 2, k->dport);
	store_be16(p + 4, (uint16_t)(8 + k->payload_len));
	store_be16(p + 6, 0);
	return 8;
}

static size_t put_icmp(uint8_t *p, const struct sim_packet *k)
{
	store_be16(p, k->dport);
	store_be16(p + 2, 0);
	store_be32(p + 4, k->rest);
	return 8;
}

static size_t put_transport(uint8_t *p, const struct sim_packet *k, unsigned *checksum)
{
	size_t n = 0;
	*checksum = 0;
	if (k->raw == RAW_LATER_FRAGMENT) {
		n = 0;
	} else if (k->proto == PROTO_TCP) {
		n = put_tcp(p, k);
		*checksum = 16;
	} else if (k->proto == PROTO_UDP) {
		n = put_udp(p, k);
		*checksum = 6;
	} else if (k->proto == PROTO_ICMP || k->proto == PROTO_ICMPV6) {
		n = put_icmp(p, k);
		*checksum = 2;
	}
	if (k->payload_len)
		memcpy(p + n, k->payload, k->payload_len);
	return n + k->payload_len;
}

static void put_checksum(uint8_t *at, uint64_t total, bool udp)
{
	uint16_t v = fold(total);
	store_le16(at, v || !udp ? v : 0xffff); /* RFC 768: zero means none */
}

/* ---- IP ---- */

static size_t put_v4(uint8_t *p, const struct sim_packet *k)
{
	unsigned checksum;
	size_t n = put_transport(p + 20, k, &checksum);
	uint32_t length = (uint32_t)(20 + n);
	store_be16(p, 0x4500);
	store_be16(p + 2, (uint16_t)(k->raw == RAW_CUT ? 30 : length));
	store_be16(p + 4, k->id);
	store_be16(p + 6, k->raw == RAW_LATER_FRAGMENT ? 185 : k->df ? 0x4000 : 0);
	p[8] = k->ttl;
	p[9] = k->proto;
	store_be16(p + 10, 0);
	store_be32(p + 12, k->src);
	store_be32(p + 16, k->dst);
	store_le16(p + 10, fold(sum(p, 20)));
	if (checksum) {
		uint64_t pseudo = k->proto == PROTO_ICMP ? 0 : sum(p + 12, 8) + ((uint64_t)k->proto << 8) +
		                                               __builtin_bswap16((uint16_t)n);
		put_checksum(p + 20 + checksum, pseudo + sum(p + 20, n), k->proto == PROTO_UDP);
	}
	return length;
}

static size_t put_v6(uint8_t *p, const struct sim_packet *k)
{
	unsigned checksum;
	size_t n = put_transport(p + 40, k, &checksum);
	store_be32(p, 6u << 28);
	store_be16(p + 4, (uint16_t)n);
	p[6] = k->proto;
	p[7] = k->ttl;
	memcpy(p + 8, k->src6, 16);
	memcpy(p + 24, k->dst6, 16);
	if (checksum)
		put_checksum(p + 40 + checksum,
		             sum(p + 8, 32) + ((uint64_t)k->proto << 8) + __builtin_bswap16((uint16_t)n) + sum(p + 40, n),
		             k->proto == PROTO_UDP);
	return 40 + n;
}

/* Who has … tell …: what a sensor's own network says (RFC 826). */
static size_t put_arp(uint8_t *p, const struct sim_packet *k)
{
	static const uint8_t head[14] = { 0, 1, 8, 0, 6, 4, 0, 1, 2, 0x53, 0x49, 0x4d, 0, 2 };
	memcpy(p, head, 14);
	store_be32(p + 14, k->src);
	memset(p + 18, 0, 6);
	store_be32(p + 24, k->dst);
	return 28;
}

/* Locally administered addresses that spell SIM. */
static size_t put_frame(uint8_t *p, const struct sim_packet *k, uint32_t *ip_len)
{
	static const uint8_t head[12] = { 2, 0x53, 0x49, 0x4d, 0, 1, 2, 0x53, 0x49, 0x4d, 0, 2 };
	memcpy(p, head, 12);
	store_be16(p + 12, k->raw == RAW_ARP ? 0x0806 : k->version == 6 ? 0x86dd : 0x0800);
	size_t n = k->raw == RAW_ARP ? put_arp(p + ETHERNET, k) : k->version == 6 ? put_v6(p + ETHERNET, k) :
	                                                                             put_v4(p + ETHERNET, k);
	*ip_len = (uint32_t)n;
	return ETHERNET + n;
}

/* ---- A packet of the second at hand ---- */

static bool slice_room(struct sim *s, size_t n)
{
	struct slice *l = &s->slice;
	if (l->n == l->room) {
		size_t from = l->room * sizeof *l->event, to = from * 2;
		if (!sim_grow(s, (void **)&l->event, from, to) || !sim_grow(s, (void **)&l->scratch, from, to))
			return false;
		l->room *= 2;
	}
	if (l->size - l->used >= n)
		return true;
	if (l->size >= UINT64_C(8) << 32 || !sim_grow(s, (void **)&l->bytes, l->size, l->size * 2))
		return false;
	l->size *= 2;
	return true;
}

static void count(struct sim *s, struct actor *a, const struct sim_packet *p, uint32_t ip_len)
{
	s->result.packets++;
	s->result.bytes += ip_len;
	s->result.accesses += p->access;
	s->classes[p->class]++;
	a->packets++;
	a->accesses += p->access;
	a->bytes += ip_len;
	a->classes[p->class]++;
	int64_t ts = p->ts + s->offset * SECOND;
	a->first = a->packets == 1 || ts < a->first ? ts : a->first;
	a->last = a->packets == 1 || ts > a->last ? ts : a->last;
}

void sim_emit(struct sim *s, struct actor *a, const struct sim_packet *p)
{
	if (__builtin_expect(s->down, 0)) {
		a->unseen++;
		s->result.unseen++;
		return;
	}
	if (!slice_room(s, FRAME_HEAD + FRAME_ROOM + p->payload_len))
		return;
	assert(p->ts >= s->world.start && p->ts - s->world.start < SECOND);
	struct slice *l = &s->slice;
	uint8_t *at = l->bytes + l->used;
	uint32_t ip_len;
	size_t n = put_frame(at + FRAME_HEAD, p, &ip_len);
	store_le32(at, (uint32_t)n);
	l->event[l->n++] = (struct sim_event){ (uint32_t)(p->ts - s->world.start), (uint32_t)(l->used / 8) };
	l->used += (FRAME_HEAD + n + 7) & ~(size_t)7;
	count(s, a, p, ip_len);
	if (s->rows)
		rows_note(s->rows, s, p, ip_len);
}

/* ---- The second as a whole ---- */

int sim_slice_open(struct sim *s, struct error *e)
{
	struct slice *l = &s->slice;
	l->size = 1u << 20;
	l->room = 1u << 12;
	l->bytes = env_alloc(s->env, l->size);
	l->event = env_alloc(s->env, l->room * sizeof *l->event);
	l->scratch = env_alloc(s->env, l->room * sizeof *l->event);
	return l->bytes && l->event && l->scratch ? 0 : error_no_memory(e, "the packets of a second");
}

void sim_slice_close(struct sim *s)
{
	struct slice *l = &s->slice;
	env_free(s->env, l->bytes, l->size);
	env_free(s->env, l->event, l->room * sizeof *l->event);
	env_free(s->env, l->scratch, l->room * sizeof *l->event);
}

#define DIGIT 10 /* bits; three digits hold the nanoseconds of a second */

static void sort_digit(const struct sim_event *from, struct sim_event *to, uint32_t n, unsigned shift)
{
	uint32_t at[1u << DIGIT] = { 0 };
	for (uint32_t i = 0; i < n; i++)
		at[from[i].rel >> shift & ((1u << DIGIT) - 1)]++;
	uint32_t sum_before = 0;
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		uint32_t c = at[i];
		at[i] = sum_before;
		sum_before += c;
	}
	for (uint32_t i = 0; i < n; i++)
		to[at[from[i].rel >> shift & ((1u << DIGIT) - 1)]++] = from[i];
}

/* Stable, so that what falls on one nanosecond stays in the order it was made. */
static const struct sim_event *sort_events(struct slice *l)
{
	if (l->n > 64) {
		sort_digit(l->event, l->scratch, l->n, 0);
		sort_digit(l->scratch, l->event, l->n, DIGIT);
		sort_digit(l->event, l->scratch, l->n, 2 * DIGIT);
		return l->scratch;
	}
	for (uint32_t i = 1; i < l->n; i++) {
		struct sim_event x = l->event[i];
		uint32_t k = i;
		for (; k && l->event[k - 1].rel > x.rel; k--)
			l->event[k] = l->event[k - 1];
		l->event[k] = x;
	}
	return l->event;
}

static int write_events(struct sim *s, const struct sim_event *sorted)
{
	const struct slice *l = &s->slice;
	int64_t start = (s->second + s->offset) * SECOND;
	for (uint32_t i = 0; i < l->n; i++) {
		const uint8_t *at = l->bytes + (size_t)sorted[i].offset * 8;
		if (i + 8 < l->n)
			__builtin_prefetch(l->bytes + (size_t)sorted[i + 8].offset * 8);
		uint32_t n = load_le32(at);
		struct frame f = { .ts = start + sorted[i].rel, .data = at + FRAME_HEAD, .caplen = n, .wirelen = n };
		int rc = s->writer ? capture_writer_frame(s->writer, s->interface, &f, s->e) : 0;
		if (!rc && s->config.sink)
			rc = s->config.sink->frame(s->config.sink->ctx, &f, s->e);
		if (rc)
			return rc;
	}
	return 0;
}

void sim_slice_write(struct sim *s)
{
	struct slice *l = &s->slice;
	if (!l->n)
		return;
	const struct sim_event *sorted = sort_events(l);
	int64_t start = (s->second + s->offset) * SECOND, first = start + sorted[0].rel;
	if (s->last == INT64_MIN || first < s->first)
		s->first = first;
	if (start + sorted[l->n - 1].rel > s->last)
		s->last = start + sorted[l->n - 1].rel;
	int rc = s->writer || s->config.sink ? write_events(s, sorted) : 0;
	if (rc)
		sim_fail(s, rc);
	l->n = 0;
	l->used = 0;
}
