/* Captures out: pcapng (frames keep their interface, link type and marks) or pcap, plain or in zstd.
 *
 * One writer, one file, one section. Describe the interfaces first; then frames in any order. What a writer gives is what
 * capture.h reads back: the same times to the nanosecond, bytes, lengths and marks.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "model/frame.h"
#include "model/mode.h"

#include <stdbool.h>
#include <stdint.h>

/* A section that says so holds made-up packets: its comment begins with these words (docs/formats/captures.md). */
#define CAPTURE_SIMULATED "SIMULATED by monomi"
/* The comment of a packet with FRAME_OWN; pcap cannot say it. */
#define CAPTURE_OWN "own: management of this sensor (monomi)"
/* A comment of what was observed: how the sensor answered, by its mode's name behind this. */
#define CAPTURE_ANSWERS "answers: "

struct capture_write_config {
	bool pcap;               /* else pcapng */
	bool zstd;
	bool sync;               /* closing waits until the file is on disk */
	bool simulated;          /* marks the file: pcapng by `comment` and hardware, pcap by the reserved word of its header */
	const char *comment;     /* of the section, pcapng alone; NULL: none. With `simulated`: CAPTURE_SIMULATED, then this */
	const char *application; /* "monomi 0.1.0"; NULL: none */
};

/* Sets pcap and zstd by the end of a name: ".pcap", ".pcap.zst", ".zst"; anything else is plain pcapng. */
void capture_write_by_name(struct capture_write_config *config, const char *path);

struct capture_writer;

/* Creates or truncates `path`; "-" is standard output. MON-CAP-040. */
int capture_writer_open(struct capture_writer **out, const struct env *env, const char *path,
                        const struct capture_write_config *config, struct error *e) MUST_USE;

struct capture_interface {
	uint16_t link;    /* LINKTYPE_ */
	uint8_t fcs_len;  /* bytes of frame check sequence */
	uint32_t snap;    /* 0: no limit */
	const char *name; /* NULL: none */
};
/* Its number in `id`, counted from 0. pcap holds one link type: MON-CAP-042. */
int capture_writer_interface(struct capture_writer *w, const struct capture_interface *i, uint32_t *id,
                             struct error *e) MUST_USE;

/* A frame of interface `id`; its own link and fcs_len are not looked at. Times before 1970, and in pcap after 2106:
 * MON-CAP-043. */
int capture_writer_frame(struct capture_writer *w, uint32_t id, const struct frame *f, struct error *e) MUST_USE;

struct capture_observed {
	int64_t from, to; /* ns */
	uint64_t received, dropped;
	enum answer_mode mode;
};
/* What interface `id` observed: an interface statistics block; nothing in pcap. */
int capture_writer_observed(struct capture_writer *w, uint32_t id, const struct capture_observed *o,
                            struct error *e) MUST_USE;

/* Hands over what is buffered; in zstd, so that all of it can be read. */
int capture_writer_flush(struct capture_writer *w, struct error *e) MUST_USE;

/* Bytes of the capture written so far, before compression. */
uint64_t capture_writer_bytes(const struct capture_writer *w);

/* Writes what is left and closes; the writer is gone whatever it returns. `discard`: an error came before, write no
 * more. NULL is fine. MON-CAP-041. */
int capture_writer_close(struct capture_writer *w, bool discard, struct error *e) MUST_USE;
