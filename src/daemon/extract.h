/* The packets behind a row: a segment is read again, and those packets that the row counts are written out whole.
 *
 * This is the packet exporter (DESIGN section 4): what it writes shows monitored addresses, for analysts alone.
 */
#pragma once
#include "capture/write.h"
#include "daemon/analysis.h"

/* Which packets: those of all that is set. */
struct extract_filter {
	int64_t from, to;    /* ns since 1970, `to` not included */
	struct addr source;  /* with has_source */
	bool has_source;
	int protocol;        /* IP protocol number; -1: any */
	int port;            /* destination port of TCP, UDP, SCTP; -1: any */
	int type, code;      /* of ICMP and ICMPv6; -1: any */
	int class;           /* enum packet_class; -1: any that makes rows */
	uint64_t limit;      /* packets at the most, over all segments */
	uint64_t bytes;      /* of the capture that is written, likewise; 0: any */
	int64_t until;       /* monotonic: then it ends; 0: never */
};

#define EXTRACT_INTERFACES 16
struct extract {
	const struct env *env;
	struct extract_filter filter;
	struct capture_writer *writer;
	struct { /* interfaces written so far, by what tells them apart */
		uint16_t link;
		uint8_t fcs_len;
		uint32_t id;
	} interface[EXTRACT_INTERFACES];
	unsigned n_interfaces;
	uint64_t packets; /* written */
	bool more;        /* a bound ended it */
};

struct extract_segment {
	const char *path;
	const char *name; /* 32 hex digits: XXH3-128 of its bytes */
};

/* Reads a segment by the options it was added with. MON-DMN-010: it cannot be read any more, or has other bytes now. */
int extract_from(struct extract *x, const struct extract_segment *segment, const struct analysis_config *config,
                 struct error *e) MUST_USE;

/* ---- Over a store ---- */
/* Parses the options that a segment was added with, and calls `use` with what they come to. May cut `kept` up. */
typedef int (*extract_use_fn)(void *ctx, const struct analysis_config *config, struct error *e);
typedef int (*extract_options_fn)(char *kept, extract_use_fn use, void *ctx, struct error *e);

struct extract_request {
	const char *db, *sensor; /* NULL: of all sensors */
	const char *out;         /* pcapng, or pcap by the name's end; "-": standard output */
	struct extract_filter filter;
	extract_options_fn options;
	void (*lost)(void *ctx, const struct error *e); /* a segment that cannot be read: the others are, all the same */
	void *ctx;
};
struct extract_told {
	uint64_t packets;
	unsigned lost; /* segments */
	bool more;
};
int extract_store(const struct env *env, const struct extract_request *request, struct extract_told *out,
                  struct error *e) MUST_USE;

/* "tcp", "17": an IP protocol; "scan": a class. -1: there is none of that name. */
int extract_protocol(const char *name);
int extract_class(const char *name);
