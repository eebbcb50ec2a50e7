/* Capture files: any capture in, blocks of frames out.
 *
 * Formats: pcap (every byte order, microseconds and nanoseconds, the "modified" variants), pcapng, snoop, ERF; plain or
 * as gzip, zstd, lz4 or xz. The kind is told from the bytes, never from the name.
 *
 * Reading is serial: one thread at a time calls capture_read, each time with a block of its own; the frames of a block
 * stay valid until that block is read into again, so that other threads can work on earlier blocks meanwhile.
 *
 * Damage is not fatal: what came before it is delivered first, then the call that meets it fails with one sentence and
 * the offset (codes MON-CAP-…), and every call after that fails the same way. docs/formats/captures.md says what is
 * read of each format and what counts as damage.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "model/frame.h"
#include "model/mode.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A buffer with the frames that lie in it. Made once, read into again and again. */
struct frame_block {
	uint8_t *bytes;       /* owned; grows when one record is larger than it */
	size_t size;
	struct frame *frames; /* owned */
	uint32_t n;           /* frames in this block */
	uint32_t capacity;
	uint64_t first;       /* number of the first of them in its file, from 0 */
};

int frame_block_init(struct frame_block *b, const struct env *env, struct error *e) MUST_USE;
void frame_block_fini(struct frame_block *b, const struct env *env);

struct capture_config {
	const char *filter; /* pcap-filter(7); NULL: all. A frame it refuses is as if it were not in the file */
	bool follow;        /* a regular file that still grows: its end is not damage, and more may come */
	size_t memory;      /* bound for what a file may make us allocate, 0: 256 MiB: ¾ decompressor, ⅛ + ⅛ a record */
};

/* Does a filter expression compile for any of the usual link types? MON-CAP-007. */
int capture_filter_check(const char *filter, struct error *e) MUST_USE;

struct capture;

/* `path` "-" is standard input (`fd` 0). Fails when it cannot be opened or is no capture (MON-CAP-001 … 009). */
int capture_open(struct capture **out, const struct env *env, const char *path, const struct capture_config *config,
                 struct error *e) MUST_USE;
void capture_close(struct capture *c);

#define CAPTURE_NO_CAPTURE "MON-CAP-004" /* the code of a file that is no capture at all */

enum capture_more { CAPTURE_END, CAPTURE_FRAMES, CAPTURE_WAIT };

/* Reads the next frames into `b`. CAPTURE_FRAMES: b->n > 0. CAPTURE_END: whole file read. CAPTURE_WAIT: nothing more
 * yet of a file that grows (follow), or a signal came while a pipe was waited for; ask again later. Negative: -errno,
 * `e` says what and where; b->n is 0. */
int capture_read(struct capture *c, struct frame_block *b, struct error *e) MUST_USE;

/* What a capture says of how it was made: interface statistics blocks of pcapng, the last of each interface counting. */
struct observed {
	uint32_t sections;          /* that say when they observed; 0: nothing is known of time */
	int64_t from, to;           /* ns since 1970: first and last moment of observation; both 0 where none is known */
	uint64_t ns;                /* observed: the spans of the sections added up, gaps between them left out */
	uint64_t received, dropped; /* packets; dropped by the interface and by the system before they could be written */
	enum answer_mode mode;      /* how the sensor answered then; of sections that differ the one that answers more */
};

struct capture_info {
	const char *format;      /* "pcap", "pcapng", "snoop", "erf"; "unknown" while a growing file has too little */
	const char *compression; /* "none", "gzip", "zstd", "lz4", "xz" */
	uint64_t bytes_read;     /* of the file as it lies on disk, so far */
	uint64_t bytes_total;    /* its size, 0 when unknown (a pipe) */
	uint64_t uncompressed;   /* bytes of the capture itself, so far */
	uint64_t clamped_times;  /* frames whose time did not fit 64 bits */
	bool simulated;          /* some of it says that its packets are made up (capture/write.h) */
	struct observed observed;
	uint64_t snap_lies;      /* frames longer than the snap length that the file declares */
	uint16_t links[16];      /* link types of the frames delivered so far, in order of appearance */
	uint8_t n_links;
};
void capture_info(const struct capture *c, struct capture_info *out);

/* The name of the segment that this file is: XXH3-128 (seed 0) of its uncompressed bytes read so far, big-endian. */
void capture_digest(const struct capture *c, uint8_t out[static 16]);

/* "EN10MB"; "LINKTYPE_285" where libpcap has no name. */
const char *capture_link_name(uint16_t link, char scratch[static 24]);
