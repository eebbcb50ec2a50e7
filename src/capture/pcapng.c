/* pcapng: draft-ietf-opsawg-pcapng. Sections, interfaces and the blocks that hold packets; pcapng_time.c converts. */
#include "capture/pcapng.h"
#include "base/bytes.h"
#include "capture/write.h"

#include <errno.h>
#include <string.h>

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_STATISTICS = 5,
       BLOCK_ENHANCED = 6 };
enum { OPTION_END = 0, OPTION_COMMENT = 1, OPTION_HARDWARE = 2 }; /* of a section; a comment also of others */
enum { STATISTICS_START = 2, STATISTICS_END = 3, STATISTICS_RECEIVED = 4, STATISTICS_DROPPED = 5,
       STATISTICS_SYSTEM_DROPPED = 7 };
enum { OPTION_FLAGS = 2, OPTION_TSRESOL = 9, OPTION_FCSLEN = 13, OPTION_TSOFFSET = 14 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define BLOCK_EXTRA 12 /* type and length before the body, length behind it */
#define SECTION_BODY 16
#define INTERFACE_BODY 8
#define PACKET_BODY 20
#define STATISTICS_BODY 12
#define STATISTICS_MAX (64u << 10) /* a longer one is skipped */
/* A described section, interface or packet takes no more than this beyond its packet; blocks that nobody reads may be
 * of any size. libpcap has the same bound. */
#define BLOCK_MAX (16u << 20)
#define PACKET_MAX (128u << 20) /* the greatest link_max_length */

/* A whole block, or its beginning. */
struct block {
	const uint8_t *body; /* behind type and length */
	uint32_t type;
	uint32_t total;
	uint32_t trailer; /* the length behind the body; only of a whole block */
	size_t have;      /* bytes of the body that are here: all of it once the block is whole */
};

static ALWAYS_INLINE uint16_t get16(const uint8_t *p, bool swap)
{
	return swap ? load_be16(p) : load_le16(p);
}

static ALWAYS_INLINE uint32_t get32(const uint8_t *p, bool swap)
{
	return swap ? load_be32(p) : load_le32(p);
}

static uint64_t get64(const uint8_t *p, bool swap)
{
	return swap ? load_be64(p) : load_le64(p);
}

static int damage(const struct batch *b, struct error *e, const char *code, const char *sentence)
{
	return error_set_at(e, -EBADMSG, code, b->offset + b->used, "%s", sentence);
}

/* `start`: where the block begins in the file. */
static int check_trailer(uint64_t start, uint32_t total, uint32_t trailer, struct error *e)
{
	if (LIKELY(total == trailer))
		return 0;
	return error_set_at(e, -EBADMSG, "MON-CAP-012", start,
	                    "a pcapng block has the length %u at its start and %u at its end", total, trailer);
}

/* Comes after what an incomplete block can be refused for, so that it does not matter how the bytes came. */
static ALWAYS_INLINE int check_whole(const struct batch *b, const struct block *k, struct error *e)
{
	return check_trailer(b->offset + b->used, k->total, k->trailer, e);
}

static enum match pcapng_match(const uint8_t *p, size_t n, bool end)
{
	if (n < 4)
		return end ? MATCH_NO : MATCH_MORE;
	return load_le32(p) == BLOCK_SECTION ? MATCH_YES : MATCH_NO; /* a palindrome: the same in both orders */
}

/* --- sections --- */

/* The section's own byte order, told from the bytes behind its length. */
static int section_order(struct pcapng_reader *r, const uint8_t *p, uint64_t offset, struct error *e)
{
	if (load_le32(p + 8) != BYTE_ORDER_MAGIC && load_be32(p + 8) != BYTE_ORDER_MAGIC)
		return error_set_at(e, -EBADMSG, "MON-CAP-019", offset, "a pcapng section says neither byte order");
	r->swap = load_be32(p + 8) == BYTE_ORDER_MAGIC;
	return 0;
}

/* Section 4.1 of the draft: 1.2 is to be read as 1.0. 1.1 was written by Editcap 1.10.6 and differs in nothing. */
static int section_version(const struct pcapng_reader *r, const uint8_t *p, uint64_t offset, struct error *e)
{
	uint16_t major = get16(p + 12, r->swap), minor = get16(p + 14, r->swap);
	if (major == 1 && minor <= 2)
		return 0;
	return error_set_at(e, -EPROTONOSUPPORT, "MON-CAP-005", offset,
	                    "pcapng version %u.%u is not one that monomi reads (1.0 to 1.2)", major, minor);
}

/* The first section's header is looked at here, so that a file we cannot read fails when it is opened, and read again
 * as the block it is. */
static ssize_t pcapng_open(struct reader *reader, const uint8_t *p, struct error *e)
{
	int rc = section_order(&reader->pcapng, p, 0, e);
	return rc ? rc : section_version(&reader->pcapng, p, 0, e);
}

/* --- options --- */

struct option {
	const uint8_t *value;
	uint16_t code;
	uint16_t length;
};

/* 1: an option; 0: no more; -1: one that reaches past the block. */
static int next_option(const uint8_t **p, size_t *left, bool swap, struct option *out)
{
	if (*left < 4)
		return 0;
	*out = (struct option){ *p + 4, get16(*p, swap), get16(*p + 2, swap) };
	if (out->code == OPTION_END)
		return 0;
	size_t padded = 4 + ((size_t)out->length + 3) / 4 * 4;
	if (padded > *left)
		return -1;
	*p += padded;
	*left -= padded;
	return 1;
}

/* Packets that are made up are never taken for real ones: the section's comment or hardware says so. */
static bool section_simulated(const struct block *k, bool swap)
{
	const size_t n = sizeof CAPTURE_SIMULATED - 1;
	const uint8_t *p = k->body + SECTION_BODY;
	size_t left = k->have - SECTION_BODY;
	struct option o;
	while (next_option(&p, &left, swap, &o) > 0)
		if ((o.code == OPTION_COMMENT || o.code == OPTION_HARDWARE) && o.length >= n &&
		    memcmp(o.value, CAPTURE_SIMULATED, n) == 0)
			return true;
	return false;
}

static int read_section(struct reader *reader, struct batch *b, const struct block *k, struct error *e)
{
	struct pcapng_reader *r = &reader->pcapng;
	if (k->total < BLOCK_EXTRA + SECTION_BODY)
		return damage(b, e, "MON-CAP-013", "a section header block is too short");
	r->n = 0;
	r->mixed = false;
	r->from = INT64_MAX;
	r->to = INT64_MIN;
	reader->simulated |= section_simulated(k, r->swap);
	return section_version(r, k->body - 8, b->offset + b->used, e);
}

/* --- interfaces --- */

/* if_fcslen is in bits by the draft's text and in bytes by its example; no link has an FCS of 9 bytes or of 8 bits. */
static uint8_t fcs_bytes(uint8_t value)
{
	return value > 8 ? value / 8 : value;
}

static void interface_option(struct pcapng_interface *i, const struct option *o, bool swap)
{
	if (o->code == OPTION_TSRESOL && o->length == 1)
		i->resolution = *o->value;
	else if (o->code == OPTION_TSOFFSET && o->length == 8)
		i->offset = (int64_t)get64(o->value, swap);
	else if (o->code == OPTION_FCSLEN && o->length == 1)
		i->fcs_len = fcs_bytes(*o->value);
}

static int interface_reserve(struct reader *reader, struct batch *b, struct error *e)
{
	struct pcapng_reader *r = &reader->pcapng;
	if (r->n < r->capacity)
		return 0;
	size_t from = r->capacity * sizeof *r->interfaces;
	size_t to = r->capacity ? from * 2 : 4 * sizeof *r->interfaces;
	if (to > reader->memory)
		return damage(b, e, "MON-CAP-018", "a pcapng section describes more interfaces than memory is allowed for");
	struct pcapng_interface *p = env_grow(reader->env, r->interfaces, from, to);
	if (!p)
		return error_no_memory(e, "reading pcapng interfaces");
	r->interfaces = p;
	r->capacity = (uint32_t)(to / sizeof *p);
	return 0;
}

static int read_interface(struct reader *reader, struct batch *b, const struct block *k, struct error *e)
{
	struct pcapng_reader *r = &reader->pcapng;
	if (k->total < BLOCK_EXTRA + INTERFACE_BODY)
		return damage(b, e, "MON-CAP-013", "an interface description block is too short");
	uint32_t snap = get32(k->body + 4, r->swap);
	struct pcapng_interface i = {
		.link = link_normal(get16(k->body, r->swap)), .snap = snap ? snap : UINT32_MAX, .resolution = 6,
	};
	i.max = link_max_length(i.link);
	const uint8_t *p = k->body + INTERFACE_BODY;
	size_t left = k->have - INTERFACE_BODY;
	struct option o;
	int more;
	while ((more = next_option(&p, &left, r->swap, &o)) > 0)
		interface_option(&i, &o, r->swap);
	if (more < 0) /* its resolution may be among what cannot be read, so no time after it could be trusted */
		return damage(b, e, "MON-CAP-016", "an option reaches past the end of its interface description block");
	pcapng_time_prepare(&i);
	int rc = interface_reserve(reader, b, e);
	if (rc)
		return rc;
	r->mixed |= r->n && r->interfaces[0].link != i.link;
	r->interfaces[r->n++] = i;
	return 0;
}

/* --- statistics --- */

struct statistics {
	int64_t start, end;
	bool has_start, has_end;
	uint64_t received, interface_dropped, system_dropped;
	enum answer_mode mode;
};

/* Times are two halves, the higher first, in units of the interface. */
static int64_t option_time(const struct pcapng_interface *i, const struct option *o, bool swap)
{
	uint8_t marks = 0;
	return pcapng_time(i, (uint64_t)get32(o->value, swap) << 32 | get32(o->value + 4, swap), &marks);
}

/* Which of them is behind CAPTURE_ANSWERS; a name that is not known tells nothing. */
static void statistics_comment(struct statistics *s, const struct option *o)
{
	const size_t head = sizeof CAPTURE_ANSWERS - 1;
	for (enum answer_mode m = MODE_SILENT; m < MODES; m++) {
		size_t n = strlen(mode_name(m));
		if (o->length == head + n && !memcmp(o->value, CAPTURE_ANSWERS, head) && !memcmp(o->value + head, mode_name(m), n))
			s->mode = mode_more(s->mode, m);
	}
}

static void statistics_option(struct statistics *s, const struct pcapng_interface *i, const struct option *o, bool swap)
{
	if (o->code == OPTION_COMMENT)
		statistics_comment(s, o);
	if (o->length != 8)
		return;
	switch (o->code) {
	case STATISTICS_START:
		s->start = option_time(i, o, swap);
		s->has_start = true;
		break;
	case STATISTICS_END:
		s->end = option_time(i, o, swap);
		s->has_end = true;
		break;
	case STATISTICS_RECEIVED: s->received = get64(o->value, swap); break;
	case STATISTICS_DROPPED: s->interface_dropped = get64(o->value, swap); break;
	case STATISTICS_SYSTEM_DROPPED: s->system_dropped = get64(o->value, swap); break;
	}
}

/* Interfaces of a section observe side by side, sections one after the other. Sums wrap where a file lies. */
static void note_observed(struct observed *o, struct pcapng_reader *r, int64_t from, int64_t to)
{
	bool first = r->from > r->to;
	o->ns -= first ? 0 : (uint64_t)r->to - (uint64_t)r->from;
	r->from = from < r->from ? from : r->from;
	r->to = to > r->to ? to : r->to;
	o->ns += (uint64_t)r->to - (uint64_t)r->from;
	o->from = o->sections && o->from < from ? o->from : from;
	o->to = o->sections && o->to > to ? o->to : to;
	o->sections += first;
}

/* Counts are those since the interface was opened, so a later block of an interface stands for the earlier ones too
 * (section 4.6 of the draft). No packet depends on any of it: what cannot be read is passed over. */
static void read_statistics(struct reader *reader, const struct block *k)
{
	struct pcapng_reader *r = &reader->pcapng;
	uint32_t id = k->have < STATISTICS_BODY ? UINT32_MAX : get32(k->body, r->swap);
	if (id >= r->n)
		return;
	struct pcapng_interface *i = &r->interfaces[id];
	struct statistics s = { 0 };
	const uint8_t *p = k->body + STATISTICS_BODY;
	size_t left = k->have - STATISTICS_BODY;
	struct option o;
	while (next_option(&p, &left, r->swap, &o) > 0)
		statistics_option(&s, i, &o, r->swap);
	uint64_t dropped = s.interface_dropped + s.system_dropped;
	reader->observed.received += s.received - i->received;
	reader->observed.dropped += dropped - i->dropped;
	reader->observed.mode = mode_more(reader->observed.mode, s.mode);
	i->received = s.received;
	i->dropped = dropped;
	if (s.has_start && s.has_end && s.start <= s.end)
		note_observed(&reader->observed, r, s.start, s.end);
}

/* --- packets --- */

/* epb_flags and pack_flags: bits 0–1 direction (2: outbound), bits 5–8 octets of FCS, 0: not said. Options that
 * reach past their block are left alone: the packet before them is whole. */
static void packet_options(struct frame *f, const uint8_t *p, size_t left, bool swap)
{
	struct option o;
	while (next_option(&p, &left, swap, &o) > 0) {
		if (o.code == OPTION_COMMENT && o.length == sizeof CAPTURE_OWN - 1 &&
		    memcmp(o.value, CAPTURE_OWN, o.length) == 0)
			f->marks |= FRAME_OWN;
		if (o.code != OPTION_FLAGS || o.length != 4)
			continue;
		uint32_t flags = get32(o.value, swap);
		if ((flags & 3) == 2)
			f->marks |= FRAME_OUTGOING;
		if (flags >> 5 & 15)
			f->fcs_len = flags >> 5 & 15;
	}
}

static int packet_length(const struct batch *b, const struct pcapng_interface *i, uint32_t captured, struct error *e)
{
	if (captured <= i->max)
		return 0;
	return error_set_at(e, -EBADMSG, "MON-CAP-010", b->offset + b->used,
	                    "a packet claims %u captured bytes, more than the %u that its link type can have", captured,
	                    i->max);
}

static const struct pcapng_interface *packet_interface(const struct reader *reader, const struct batch *b, uint32_t id,
                                                       struct error *e)
{
	if (id < reader->pcapng.n)
		return &reader->pcapng.interfaces[id];
	(void)damage(b, e, "MON-CAP-014", "a packet names an interface that its section has not described");
	return NULL;
}

/* What a packet block says of itself, looked at before the block is whole; NULL: damage. */
static ALWAYS_INLINE const struct pcapng_interface *check_packet(const struct reader *reader, const struct batch *b,
                                                                 const struct block *k, bool swap, struct error *e)
{
	uint32_t id = k->type == BLOCK_ENHANCED ? get32(k->body, swap) : get16(k->body, swap);
	uint32_t captured = get32(k->body + 12, swap);
	const struct pcapng_interface *i = packet_interface(reader, b, id, e);
	if (UNLIKELY(!i || packet_length(b, i, captured, e)))
		return NULL;
	if (LIKELY(captured <= k->total - BLOCK_EXTRA - PACKET_BODY))
		return i;
	(void)damage(b, e, "MON-CAP-015", "a packet is longer than its block");
	return NULL;
}

/* The two blocks with a time differ only in how wide their interface number is. The frame is written where it stays:
 * to build it elsewhere and copy it costs 5 ns, as the copy waits for the stores before it. */
static ALWAYS_INLINE int read_packet(struct reader *reader, struct batch *b, const struct block *k, bool whole,
                                     bool swap, struct error *e)
{
	if (UNLIKELY(k->total < BLOCK_EXTRA + PACKET_BODY))
		return damage(b, e, "MON-CAP-013", "a packet block is too short");
	if (UNLIKELY(k->have < PACKET_BODY))
		return 0;
	const struct pcapng_interface *i = check_packet(reader, b, k, swap, e);
	if (UNLIKELY(!i))
		return -EBADMSG;
	if (!whole)
		return 0;
	int rc = check_whole(b, k, e);
	if (UNLIKELY(rc))
		return rc;
	uint64_t units = (uint64_t)get32(k->body + 4, swap) << 32 | get32(k->body + 8, swap);
	uint8_t marks = 0;
	struct frame *f = &b->frames[b->count++];
	f->ts = pcapng_time(i, units, &marks);
	f->data = k->body + PACKET_BODY;
	f->caplen = get32(k->body + 12, swap);
	f->wirelen = get32(k->body + 16, swap);
	f->link = i->link;
	f->fcs_len = i->fcs_len;
	f->marks = marks;
	reader->clamped_times += marks & FRAME_TIME_CLAMPED ? 1 : 0;
	reader->snap_lies += f->caplen > i->snap;
	size_t taken = PACKET_BODY + ((size_t)f->caplen + 3) / 4 * 4;
	if (UNLIKELY(k->have > taken))
		packet_options(f, k->body + taken, k->have - taken, swap);
	return 0;
}

/* No time, no interface number: section 4.4 of the draft gives it the first interface and the time it does not know,
 * which is 0 here. Its captured length is what the snap length left of the packet. */
static int read_simple(struct reader *reader, struct batch *b, const struct block *k, bool whole, struct error *e)
{
	bool swap = reader->pcapng.swap;
	if (k->total < BLOCK_EXTRA + 4)
		return damage(b, e, "MON-CAP-013", "a simple packet block is too short");
	const struct pcapng_interface *i = packet_interface(reader, b, 0, e);
	if (!i)
		return -EBADMSG;
	struct frame f = { .data = k->body + 4, .wirelen = get32(k->body, swap), .link = i->link, .fcs_len = i->fcs_len };
	f.caplen = f.wirelen < i->snap ? f.wirelen : i->snap;
	uint32_t room = k->total - BLOCK_EXTRA - 4;
	if (f.caplen > room)
		f.caplen = room;
	int rc = packet_length(b, i, f.caplen, e);
	if (rc || !whole)
		return rc;
	rc = check_whole(b, k, e);
	if (!rc)
		b->frames[b->count++] = f;
	return rc;
}

/* --- blocks --- */

/* Reads a block, or says of an incomplete one what can be said already: a wild length is met before we wait for it. */
static ALWAYS_INLINE int read_block(struct reader *reader, struct batch *b, const struct block *k, bool whole,
                                    bool swap, struct error *e)
{
	if (LIKELY(k->type == BLOCK_ENHANCED || k->type == BLOCK_PACKET))
		return read_packet(reader, b, k, whole, swap, e);
	if (k->type == BLOCK_SIMPLE)
		return read_simple(reader, b, k, whole, e);
	if (!whole)
		return 0;
	int rc = check_whole(b, k, e);
	if (rc)
		return rc;
	if (k->type == BLOCK_SECTION)
		return read_section(reader, b, k, e);
	if (k->type == BLOCK_STATISTICS && k->total <= STATISTICS_MAX)
		read_statistics(reader, k);
	return k->type == BLOCK_INTERFACE ? read_interface(reader, b, k, e) : 0;
}

static bool is_read(uint32_t type, uint32_t total)
{
	if (type == BLOCK_STATISTICS)
		return total <= STATISTICS_MAX;
	return type == BLOCK_SECTION || type == BLOCK_INTERFACE || type == BLOCK_PACKET || type == BLOCK_SIMPLE ||
	       type == BLOCK_ENHANCED;
}

static int check_total(const struct batch *b, uint32_t type, uint32_t total, struct error *e)
{
	if (total < BLOCK_EXTRA || total & 3)
		return error_set_at(e, -EBADMSG, "MON-CAP-013", b->offset + b->used,
		                    "a pcapng block has the length %u, which is no multiple of 4 from 12 up", total);
	if (!is_read(type, total))
		return 0;
	uint32_t max = type == BLOCK_SECTION || type == BLOCK_INTERFACE ? BLOCK_MAX : BLOCK_MAX + PACKET_MAX;
	if (total <= max)
		return 0;
	return error_set_at(e, -EBADMSG, "MON-CAP-013", b->offset + b->used,
	                    "a pcapng block claims %u bytes, more than a block of its kind can have", total);
}

/* The block at the front is not whole. Either we need the rest of it, or nobody does. */
static int partial_block(struct reader *reader, struct batch *b, const struct block *k, struct error *e)
{
	if (!is_read(k->type, k->total)) {
		b->skip = k->total - 4;
		reader->pcapng.trailer = k->total;
		return 0;
	}
	/* Room is made for a packet only once what it says of itself has been looked at. */
	bool packet = k->type == BLOCK_PACKET || k->type == BLOCK_ENHANCED;
	b->need = packet && k->have < PACKET_BODY && k->total > 8 + PACKET_BODY ? 8 + PACKET_BODY : k->total;
	return read_block(reader, b, k, false, reader->pcapng.swap, e);
}

/* Blocks of one byte order, up to and with the next section header. Returns 1 there; else 0 or -errno. */
static ALWAYS_INLINE int read_blocks(struct reader *reader, struct batch *b, bool swap, struct error *e)
{
	while (b->count < b->capacity) {
		const uint8_t *p = b->bytes + b->used;
		size_t left = b->n - b->used;
		b->need = BLOCK_EXTRA;
		if (left < BLOCK_EXTRA)
			return 0;
		struct block k = { .body = p + 8, .type = get32(p, swap), .total = get32(p + 4, swap) };
		int rc = 0;
		if (UNLIKELY(k.type == BLOCK_SECTION)) {
			rc = section_order(&reader->pcapng, p, b->offset + b->used, e);
			k.total = get32(p + 4, reader->pcapng.swap);
		}
		if (!rc && UNLIKELY(k.total < BLOCK_EXTRA || k.total > BLOCK_MAX || k.total & 3))
			rc = check_total(b, k.type, k.total, e);
		if (UNLIKELY(rc))
			return rc;
		if (UNLIKELY(k.total > left)) {
			k.have = left - 8;
			return partial_block(reader, b, &k, e);
		}
		k.have = k.total - BLOCK_EXTRA;
		bool section = k.type == BLOCK_SECTION;
		k.trailer = get32(p + k.total - 4, section ? reader->pcapng.swap : swap);
		rc = read_block(reader, b, &k, true, swap, e);
		if (UNLIKELY(rc))
			return rc;
		b->used += k.total;
		if (UNLIKELY(section))
			return 1;
	}
	b->full = true;
	return 0;
}

/* The end of a block that was skipped: its length once more. */
static int read_trailer(struct pcapng_reader *r, struct batch *b, struct error *e)
{
	b->need = 4;
	if (!r->trailer || b->n < 4)
		return 0;
	int rc = check_trailer(b->offset - (r->trailer - 4), r->trailer, get32(b->bytes, r->swap), e);
	if (rc)
		return rc;
	r->trailer = 0;
	b->used = 4;
	return 0;
}

static int pcapng_parse(struct reader *reader, struct batch *b, struct error *e)
{
	struct pcapng_reader *r = &reader->pcapng;
	int rc = read_trailer(r, b, e);
	if (rc || r->trailer)
		return rc;
	do {
		rc = r->swap ? read_blocks(reader, b, true, e) : read_blocks(reader, b, false, e);
		b->mixed |= r->mixed;
	} while (rc > 0);
	/* Frames of an earlier section in this batch may have had other interfaces. */
	b->mixed = true;
	return rc;
}

static void pcapng_close(struct reader *reader)
{
	env_free(reader->env, reader->pcapng.interfaces, reader->pcapng.capacity * sizeof *reader->pcapng.interfaces);
}

const struct format format_pcapng = {
	.name = "pcapng", .head = 16, .match = pcapng_match, .open = pcapng_open, .parse = pcapng_parse,
	.close = pcapng_close,
};
