/* snoop: RFC 1761. Numbers are big-endian. */
#include "capture/format.h"
#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define FILE_HEADER 16
#define RECORD_HEADER 24

/* RFC 1761's datalink types and those of Solaris' dlpi.h and IANA's snoop registry that have a LINKTYPE_. */
static uint16_t snoop_link(uint32_t type)
{
	switch (type) {
	case 0: /* IEEE 802.3 */
	case 4: /* Ethernet */
	case 25: /* 100BaseT */
		return LINK_ETHERNET;
	case 2:
		return LINK_TOKEN_RING;
	case 8:
		return LINK_FDDI;
	case 18: /* ATM Classical IP, as SunATM writes it */
		return LINK_SUNATM;
	case 0x80000001u: /* IPv4 tunnel */
	case 0x80000002u: /* IPv6 tunnel */
		return LINK_RAW;
	case 0x80000005u: /* ipnet(7D) */
		return LINK_IPNET;
	default:
		return LINK_UNKNOWN;
	}
}

static enum match snoop_match(const uint8_t *p, size_t n, bool end)
{
	static const uint8_t magic[8] = "snoop\0\0";
	size_t known = n < sizeof magic ? n : sizeof magic;
	if (memcmp(p, magic, known))
		return MATCH_NO;
	if (n < sizeof magic)
		return end ? MATCH_NO : MATCH_MORE;
	return MATCH_YES;
}

static ssize_t snoop_open(struct reader *reader, const uint8_t *p, struct error *e)
{
	struct snoop_reader *r = &reader->snoop;
	uint32_t version = load_be32(p + 8);
	if (version != 2)
		return error_set_at(e, -EPROTONOSUPPORT, "MON-CAP-005", 8,
		                    "snoop version %u is not the one that monomi reads (2)", version);
	r->link = snoop_link(load_be32(p + 12));
	r->max = link_max_length(r->link);
	reader->link = r->link;
	return FILE_HEADER;
}

/* Seconds and microseconds are unsigned 32 bits: their sum stays far below 2^63. */
static void snoop_frame(struct frame *f, const struct snoop_reader *r, const uint8_t *p)
{
	f->ts = (int64_t)load_be32(p + 16) * 1000000000 + (int64_t)load_be32(p + 20) * 1000;
	f->data = p + RECORD_HEADER;
	f->caplen = load_be32(p + 4);
	f->wirelen = load_be32(p);
	f->link = r->link;
	f->fcs_len = 0;
	f->marks = 0;
}

static int snoop_check(const struct batch *b, const struct snoop_reader *r, uint32_t captured, uint32_t record,
                       struct error *e)
{
	if (captured > r->max)
		return error_set_at(e, -EBADMSG, "MON-CAP-010", b->offset + b->used,
		                    "a record claims %u captured bytes, more than the %u that its link type can have",
		                    captured, r->max);
	/* The pad makes the record whole words; 64 KiB more than the packet is no pad. */
	if (record < RECORD_HEADER + captured || record - captured > RECORD_HEADER + 65536u)
		return error_set_at(e, -EBADMSG, "MON-CAP-030", b->offset + b->used,
		                    "a record of %u bytes cannot hold the %u captured bytes it claims", record, captured);
	return 0;
}

static int snoop_parse(struct reader *reader, struct batch *b, struct error *e)
{
	const struct snoop_reader *r = &reader->snoop;
	while (b->count < b->capacity) {
		const uint8_t *p = b->bytes + b->used;
		size_t left = b->n - b->used;
		b->need = RECORD_HEADER;
		if (left < RECORD_HEADER)
			return 0;
		uint32_t record = load_be32(p + 8);
		int rc = snoop_check(b, r, load_be32(p + 4), record, e);
		if (rc)
			return rc;
		b->need = record;
		if (left < record)
			return 0;
		snoop_frame(&b->frames[b->count++], r, p);
		b->used += record;
	}
	b->full = true;
	return 0;
}

const struct format format_snoop = {
	.name = "snoop", .head = FILE_HEADER, .match = snoop_match, .open = snoop_open, .parse = snoop_parse,
};
