/* pcap: draft-ietf-opsawg-pcap, and libpcap's own history of it (docs/formats/captures.md). */
#include "capture/format.h"
#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO 0xa1b23c4du
#define MAGIC_MODIFIED 0xa1b2cd34u /* Alexey Kuznetzov's patch: interface, protocol and packet type in each record */

#define FILE_HEADER 24
#define RECORD_HEADER 16
#define MODIFIED_HEADER 24
#define PACKET_OUTGOING_TYPE 4 /* linux/if_packet.h: PACKET_OUTGOING */

/* Before version 2.3 the length on the wire came first; in 2.3 some writers still did so. */
enum length_order { CAPTURED_FIRST, WIRE_FIRST, WIRE_FIRST_IF_GREATER };

static ALWAYS_INLINE uint32_t get32(const uint8_t *p, bool swap)
{
	return swap ? load_be32(p) : load_le32(p);
}

static ALWAYS_INLINE uint16_t get16(const uint8_t *p, bool swap)
{
	return swap ? load_be16(p) : load_le16(p);
}

static bool is_magic(uint32_t magic)
{
	return magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_MODIFIED;
}

static enum match pcap_match(const uint8_t *p, size_t n, bool end)
{
	if (n < 4)
		return end ? MATCH_NO : MATCH_MORE;
	return is_magic(load_le32(p)) || is_magic(load_be32(p)) ? MATCH_YES : MATCH_NO;
}

/* Version 543.0 is DG/UX's tcpdump, with the old order of lengths. */
static int pcap_version(struct pcap_reader *r, uint16_t major, uint16_t minor, struct error *e)
{
	bool known = (major == 2 && minor <= 4) || (major == 543 && minor == 0);
	if (!known)
		return error_set_at(e, -EPROTONOSUPPORT, "MON-CAP-005", 4,
		                    "pcap version %u.%u is not one that monomi reads (2.0 to 2.4)", major, minor);
	r->order = major == 543 || minor < 3 ? WIRE_FIRST : minor == 3 ? WIRE_FIRST_IF_GREATER : CAPTURED_FIRST;
	return 0;
}

static ssize_t pcap_open_header(struct reader *reader, const uint8_t *p, struct error *e)
{
	struct pcap_reader *r = &reader->pcap;
	r->swap = !is_magic(load_le32(p));
	uint32_t magic = get32(p, r->swap);
	r->nano = magic == MAGIC_NANO;
	r->modified = magic == MAGIC_MODIFIED;
	int rc = pcap_version(r, get16(p + 4, r->swap), get16(p + 6, r->swap), e);
	if (rc)
		return rc;
	reader->simulated = get32(p + 12, r->swap) == PCAP_SIMULATED;
	uint32_t snap = get32(p + 16, r->swap);
	uint32_t type = get32(p + 20, r->swap);
	r->template.link = link_normal((uint16_t)type);
	/* draft-ietf-opsawg-pcap section 4: bit 26 says that bits 28–31 count the FCS in words of 16 bits. */
	r->template.fcs_len = type & 1u << 26 ? (uint8_t)(type >> 28 << 1) : 0;
	r->snap = snap ? snap : UINT32_MAX;
	r->max = link_max_length(r->template.link);
	reader->link = r->template.link;
	return FILE_HEADER;
}

/* How the records lie; constants where the loop below is made for them, so that nothing is decided per packet. */
struct layout {
	bool swap;
	bool modified;
	uint8_t order;
	uint32_t unit; /* nanoseconds */
};

static ALWAYS_INLINE struct frame get_frame(struct frame f, const uint8_t *p, struct layout l)
{
	/* Both are unsigned 32 bits: the sum is below 2^62 whatever they say. */
	f.ts = (int64_t)get32(p, l.swap) * 1000000000 + (int64_t)get32(p + 4, l.swap) * l.unit;
	f.data = p + (l.modified ? MODIFIED_HEADER : RECORD_HEADER);
	f.caplen = get32(p + 8, l.swap);
	f.wirelen = get32(p + 12, l.swap);
	if (l.order == WIRE_FIRST || (l.order == WIRE_FIRST_IF_GREATER && f.caplen > f.wirelen)) {
		uint32_t t = f.caplen;
		f.caplen = f.wirelen;
		f.wirelen = t;
	}
	if (l.modified && p[22] == PACKET_OUTGOING_TYPE)
		f.marks |= FRAME_OUTGOING;
	return f;
}

/* The hot loop. Everything it reads besides the bytes is local, as its stores to frames could alias the rest. */
static ALWAYS_INLINE void pcap_loop(struct reader *reader, struct batch *b, struct layout l)
{
	const struct frame template = reader->pcap.template;
	const uint32_t max = reader->pcap.max, snap = reader->pcap.snap;
	const size_t header = l.modified ? MODIFIED_HEADER : RECORD_HEADER;
	const uint8_t *p = b->bytes + b->used;
	size_t left = b->n - b->used;
	struct frame *out = b->frames, *end = b->frames + b->capacity;
	uint64_t lies = 0;
	while (left >= header && out < end) {
		struct frame f = get_frame(template, p, l);
		if (UNLIKELY(f.caplen > left - header) || UNLIKELY(f.caplen > max))
			break;
		*out++ = f;
		lies += f.caplen > snap;
		p += header + f.caplen;
		left -= header + f.caplen;
	}
	b->used = b->n - left;
	b->count = (uint32_t)(out - b->frames);
	b->full = out == end;
	reader->snap_lies += lies;
}

static void pcap_run(struct reader *reader, struct batch *b)
{
	const struct pcap_reader *r = &reader->pcap;
	if (r->modified || r->order != CAPTURED_FIRST)
		pcap_loop(reader, b, (struct layout){ r->swap, r->modified, r->order, r->nano ? 1 : 1000 });
	else if (r->swap && r->nano)
		pcap_loop(reader, b, (struct layout){ true, false, CAPTURED_FIRST, 1 });
	else if (r->swap)
		pcap_loop(reader, b, (struct layout){ true, false, CAPTURED_FIRST, 1000 });
	else if (r->nano)
		pcap_loop(reader, b, (struct layout){ false, false, CAPTURED_FIRST, 1 });
	else
		pcap_loop(reader, b, (struct layout){ false, false, CAPTURED_FIRST, 1000 });
}

static int pcap_parse(struct reader *reader, struct batch *b, struct error *e)
{
	const struct pcap_reader *r = &reader->pcap;
	const size_t header = r->modified ? MODIFIED_HEADER : RECORD_HEADER;
	pcap_run(reader, b);
	if (b->full)
		return 0;
	size_t left = b->n - b->used;
	b->need = header;
	if (left < header)
		return 0;
	struct frame f = get_frame(r->template, b->bytes + b->used, (struct layout){ r->swap, r->modified, r->order, 1 });
	if (f.caplen > r->max)
		return error_set_at(e, -EBADMSG, "MON-CAP-010", b->offset + b->used,
		                    "a record claims %u captured bytes, more than the %u that its link type can have",
		                    f.caplen, r->max);
	b->need = header + f.caplen;
	return 0;
}

const struct format format_pcap = {
	.name = "pcap", .head = FILE_HEADER, .match = pcap_match, .open = pcap_open_header, .parse = pcap_parse,
};
