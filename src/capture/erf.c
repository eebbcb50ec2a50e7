/* ERF, Endace's Extensible Record Format: no file header, a record after the other (docs/formats/captures.md). The
 * time is little-endian, the rest big-endian. */
#include "capture/format.h"
#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define HEADER 16
#define EXTENSION 8
#define MORE_EXTENSIONS 0x80 /* top bit of the type, and of the first byte of each extension header */
#define SECONDS(ts) ((ts) >> 32)

enum erf_use {
	USE_UNKNOWN,   /* no such type */
	USE_PACKET,
	USE_WHOLE,     /* something was captured that has no link type of its own: the record itself is the frame */
	USE_NO_PACKET, /* counters, metadata, padding */
};

/* What a type holds: Endace's ERF types reference; libtrace and wireshark read them the same way. */
struct erf_type {
	uint8_t use;
	uint8_t subheader; /* bytes between the headers and the packet */
	uint8_t fcs_len;   /* wlen counts it */
	uint16_t link;
};

enum { TYPE_PAD = 48 };

static const struct erf_type types[] = {
	[1] = { USE_PACKET, 0, 0, LINK_PPP_HDLC },      /* HDLC_POS */
	[2] = { USE_PACKET, 2, 4, LINK_ETHERNET },      /* ETH: an offset and a pad before it */
	[3] = { USE_WHOLE, 0, 0, LINK_ERF },            /* ATM: one cell */
	[4] = { USE_PACKET, 4, 0, LINK_ATM_RFC1483 },   /* AAL5: the cell's header before it */
	[5] = { USE_PACKET, 4, 0, LINK_PPP_HDLC },      /* MC_HDLC: the channel before it */
	[6] = { USE_WHOLE, 0, 0, LINK_ERF },            /* MC_RAW */
	[7] = { USE_WHOLE, 0, 0, LINK_ERF },            /* MC_ATM */
	[8] = { USE_WHOLE, 0, 0, LINK_ERF },            /* MC_RAW_CHANNEL */
	[9] = { USE_PACKET, 8, 0, LINK_ATM_RFC1483 },   /* MC_AAL5: channel and cell header */
	[10] = { USE_PACKET, 0, 0, LINK_PPP_HDLC },     /* COLOR_HDLC_POS */
	[11] = { USE_PACKET, 2, 4, LINK_ETHERNET },     /* COLOR_ETH */
	[12] = { USE_WHOLE, 0, 0, LINK_ERF },           /* MC_AAL2 */
	[13] = { USE_NO_PACKET, 0, 0, 0 },              /* IP_COUNTER */
	[14] = { USE_NO_PACKET, 0, 0, 0 },              /* TCP_FLOW_COUNTER */
	[15] = { USE_PACKET, 0, 0, LINK_PPP_HDLC },     /* DSM_COLOR_HDLC_POS */
	[16] = { USE_PACKET, 2, 4, LINK_ETHERNET },     /* DSM_COLOR_ETH */
	[17] = { USE_PACKET, 4, 0, LINK_PPP_HDLC },     /* COLOR_MC_HDLC_POS */
	[18] = { USE_WHOLE, 0, 0, LINK_ERF },           /* AAL2 */
	[19] = { USE_PACKET, 0, 0, LINK_PPP_HDLC },     /* COLOR_HASH_POS */
	[20] = { USE_PACKET, 2, 4, LINK_ETHERNET },     /* COLOR_HASH_ETH */
	[21] = { USE_PACKET, 0, 0, LINK_INFINIBAND },   /* INFINIBAND */
	[22] = { USE_PACKET, 0, 0, LINK_RAW },          /* IPV4 */
	[23] = { USE_PACKET, 0, 0, LINK_RAW },          /* IPV6 */
	[24] = { USE_WHOLE, 0, 0, LINK_ERF },           /* RAW_LINK */
	[25] = { USE_WHOLE, 0, 0, LINK_ERF },           /* INFINIBAND_LINK */
	[27] = { USE_NO_PACKET, 0, 0, 0 },              /* META */
	[28] = { USE_WHOLE, 0, 0, LINK_ERF },           /* OPA_SNC */
	[29] = { USE_WHOLE, 0, 0, LINK_ERF },           /* OPA_9B */
	[48] = { USE_NO_PACKET, 0, 0, 0 },              /* PAD */
};

static const struct erf_type *erf_type(uint8_t byte)
{
	static const struct erf_type none = { USE_UNKNOWN, 0, 0, 0 };
	byte &= 0x7f;
	return byte < sizeof types / sizeof *types ? &types[byte] : &none;
}

/* Bytes before the packet, 0 when the record has not room for them. `n` bytes of it are here, at least HEADER. */
static size_t erf_headers(const uint8_t *p, size_t n, size_t record)
{
	size_t at = HEADER;
	uint8_t type = p[8];
	while (type & MORE_EXTENSIONS) {
		if (record - at < EXTENSION || n - at < 1)
			return 0;
		type = p[at];
		at += EXTENSION;
		if (at > n)
			return 0;
	}
	size_t subheader = erf_type(p[8])->subheader;
	return record - at < subheader ? 0 : at + subheader;
}

/* --- telling ERF from anything else --- */

/* Times are in order but for a second between ports, and a capture has no gap of a year (as wireshark decides). */
static bool erf_follows(uint64_t before, uint64_t ts)
{
	if (!before)
		return true;
	return ts < before ? SECONDS(before - ts) <= 1 : SECONDS(ts - before) <= 366 * 86400;
}

/* A header that real hardware could have written, of a record of which n bytes are here. */
static bool erf_plausible(const uint8_t *p, size_t n, uint64_t before)
{
	const struct erf_type *t = erf_type(p[8]);
	size_t record = load_be16(p + 10);
	if (t->use == USE_UNKNOWN || record < HEADER)
		return false;
	if (t->use == USE_NO_PACKET) /* its time may not be set */
		return true;
	if (n >= record && !erf_headers(p, n, record))
		return false;
	return load_le64(p) && erf_follows(before, load_le64(p));
}

#define RECORDS_TO_BELIEVE 3

/* There is no magic: the first three records must look right, or all records of a file that holds fewer. */
static enum match erf_match(const uint8_t *p, size_t n, bool end)
{
	size_t at = 0;
	uint64_t before = 0;
	unsigned good = 0;
	bool said = false; /* something other than padding, which a run of zeros in ASCII looks like */
	while (n - at >= HEADER && (good < RECORDS_TO_BELIEVE || !said)) {
		if (!erf_plausible(p + at, n - at, before))
			return MATCH_NO;
		good++;
		said |= (p[at + 8] & 0x7f) != TYPE_PAD;
		if (erf_type(p[at + 8])->use != USE_NO_PACKET)
			before = load_le64(p + at);
		size_t record = load_be16(p + at + 10);
		if (record > n - at) { /* not whole: to be looked at again, or the last of a cut file */
			if (!end)
				return MATCH_MORE;
			if (good < 2)
				return MATCH_NO;
			break;
		}
		at += record;
	}
	if (good >= RECORDS_TO_BELIEVE && said)
		return MATCH_YES;
	return !end ? MATCH_MORE : said ? MATCH_YES : MATCH_NO;
}

static ssize_t erf_open(struct reader *r, const uint8_t *p, struct error *e)
{
	(void)r;
	(void)p;
	(void)e;
	return 0; /* no file header */
}

/* --- records --- */

/* 32.32 fixed point seconds, rounded to the nearest nanosecond. */
static int64_t erf_time(uint64_t ts)
{
	uint64_t fraction = ((ts & 0xffffffff) * 1000000000 + (1u << 31)) >> 32;
	return (int64_t)(SECONDS(ts) * 1000000000 + fraction);
}

static void erf_frame(struct frame *f, const uint8_t *p, size_t record, size_t headers)
{
	const struct erf_type *t = erf_type(p[8]);
	bool whole = t->use == USE_WHOLE;
	uint32_t wirelen = whole ? (uint32_t)record : load_be16(p + 14);
	uint32_t caplen = (uint32_t)(whole ? record : record - headers);
	f->ts = erf_time(load_le64(p));
	f->data = whole ? p : p + headers;
	f->caplen = caplen < wirelen ? caplen : wirelen; /* records are padded to 8 bytes */
	f->wirelen = wirelen;
	f->link = t->link;
	f->fcs_len = t->fcs_len;
	f->marks = 0;
}

static int erf_damage(const struct batch *b, struct error *e, const char *sentence)
{
	return error_set_at(e, -EBADMSG, "MON-CAP-031", b->offset + b->used, "%s", sentence);
}

static int erf_record(struct batch *b, const uint8_t *p, size_t record, struct error *e)
{
	const struct erf_type *t = erf_type(p[8]);
	if (t->use == USE_NO_PACKET)
		return 0;
	size_t headers = erf_headers(p, record, record);
	if (!headers)
		return erf_damage(b, e, "an ERF record is too short for its headers");
	erf_frame(&b->frames[b->count++], p, record, headers);
	return 0;
}

static int erf_parse(struct reader *r, struct batch *b, struct error *e)
{
	(void)r;
	b->mixed = true;
	while (b->count < b->capacity) {
		const uint8_t *p = b->bytes + b->used;
		size_t left = b->n - b->used;
		b->need = HEADER;
		if (left < HEADER)
			return 0;
		size_t record = load_be16(p + 10);
		if (record < HEADER)
			return erf_damage(b, e, "an ERF record claims to be shorter than its header");
		if (erf_type(p[8])->use == USE_UNKNOWN)
			return erf_damage(b, e, "an ERF record has a type that does not exist");
		b->need = record;
		if (left < record)
			return 0;
		int rc = erf_record(b, p, record, e);
		if (rc)
			return rc;
		b->used += record;
	}
	b->full = true;
	return 0;
}

const struct format format_erf = {
	.name = "erf", .head = HEADER, .match = erf_match, .open = erf_open, .parse = erf_parse,
};
