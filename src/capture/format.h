/* Inside capture/: what each file format gives to capture.c and gets from it.
 *
 * A format is a row of functions over bytes that are already in memory: it never reads, never allocates for a frame
 * and never keeps a pointer. capture.c feeds it blocks of the uncompressed capture and carries cut records over.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "capture/capture.h"
#include "model/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The least bytes a record can have in any format (an empty pcap record, a pcapng simple packet block, an ERF header):
 * a block with room for size / RECORD_MIN frames cannot run out of frames before it runs out of bytes. */
#define RECORD_MIN 16

/* One call of a parser. In: bytes, n, offset, frames, capacity. Out: the rest, which the caller has zeroed. */
struct batch {
	const uint8_t *bytes;
	size_t n;
	uint64_t offset; /* of bytes[0] in the uncompressed capture */
	struct frame *frames;
	uint32_t capacity;

	uint32_t count;  /* frames written */
	size_t used;     /* bytes of whole records, from the start */
	size_t need;     /* what is left holds less than a record: bytes that record is known to have; always more */
	uint64_t skip;   /* bytes from `used` on that nobody needs; may reach past n */
	bool full;       /* stopped for want of frames */
	bool mixed;      /* the frames may differ in link type */
};

/* In the second of the two words of a pcap header that readers must leave alone: "SIMU". */
#define PCAP_SIMULATED 0x554d4953u

struct pcap_reader {
	struct frame template; /* link type, fcs_len: what all frames share */
	uint32_t snap;         /* UINT32_MAX: none declared */
	uint32_t max;          /* greatest captured length that is believed */
	bool swap;             /* written by a machine of the other byte order */
	bool nano;
	bool modified;         /* Kuznetzov's record header of 24 bytes */
	uint8_t order;         /* enum of pcap.c: which of the two lengths comes first */
};

struct pcapng_interface;
struct pcapng_reader {
	struct pcapng_interface *interfaces; /* of this section */
	uint32_t n, capacity;
	uint32_t trailer; /* a block was skipped but for its last four bytes, which must say this; 0: none */
	bool swap;
	bool mixed; /* the interfaces differ in link type */
	int64_t from, to; /* observed in this section; from > to: not told */
};

struct snoop_reader {
	uint32_t max;
	uint16_t link;
};

struct reader {
	const struct env *env;
	size_t memory;
	uint64_t clamped_times;
	uint64_t snap_lies;
	bool simulated; /* the file says that its packets are made up */
	struct observed observed;
	int link; /* the one link type of the whole file, -1 when that is not known yet */
	union {
		struct pcap_reader pcap;
		struct pcapng_reader pcapng;
		struct snoop_reader snoop;
	};
};

enum match { MATCH_NO, MATCH_YES, MATCH_MORE };

struct format {
	const char *name;
	size_t head; /* bytes that `open` wants to see */
	/* Is it this format? MATCH_MORE: more bytes would tell; never when `end`. */
	enum match (*match)(const uint8_t *p, size_t n, bool end);
	/* Reads the file header; returns how many bytes of it are done with, or -errno. */
	ssize_t (*open)(struct reader *r, const uint8_t *p, struct error *e);
	/* Returns 0, or -errno for damage at b->offset + b->used, with what came before it in the batch. */
	int (*parse)(struct reader *r, struct batch *b, struct error *e);
	void (*close)(struct reader *r); /* NULL: nothing to close */
};

extern const struct format format_pcap, format_pcapng, format_snoop, format_erf;

/* For tests: a block of another size, as every size must give the same frames. */
int frame_block_init_size(struct frame_block *b, const struct env *env, size_t size, struct error *e) MUST_USE;

/* links.c: what is known of link types (https://www.tcpdump.org/linktypes.html). */
uint16_t link_normal(uint16_t link);    /* the DLT_ values of some platforms that got into files -> LINKTYPE_ */
uint32_t link_max_length(uint16_t link); /* libpcap's bound on a captured length of this type */
int link_dlt(uint16_t link);

enum {
	LINK_ETHERNET = 1, LINK_TOKEN_RING = 6, LINK_FDDI = 10, LINK_PPP_HDLC = 50, LINK_ATM_RFC1483 = 100, LINK_RAW = 101,
	LINK_SUNATM = 123, LINK_ERF = 197, LINK_IPNET = 226, LINK_INFINIBAND = 247,
	LINK_UNKNOWN = 0xffff, /* reserved, never assigned: what a format has no number for */
};

/* filter.c: --filter, compiled by libpcap once per link type. */
struct filter;
int filter_open(struct filter **out, const struct env *env, const char *expression, struct error *e) MUST_USE;
void filter_close(struct filter *f);
int filter_compile(struct filter *f, uint16_t link, struct error *e) MUST_USE; /* to meet errors early */
/* Keeps the frames that pass, in order; *n becomes their number. */
int filter_run(struct filter *f, struct frame *frames, uint32_t *n, struct error *e) MUST_USE;
