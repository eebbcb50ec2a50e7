/* A live sensor's folder (docs/formats/live.md): packets cut into pieces, each synced and renamed into place, and markers
 * that say which minutes are over.
 *
 * A packet goes into a piece of its own timestamp's span, whatever order packets come in; at most PIECES_OPEN spans are
 * open at a time. Time is what the caller says: nothing here looks at a clock. With `background` a thread compresses and
 * syncs, and a piece that finds the queue full, or the disk, is dropped whole: its packets are counted as dropped in the
 * next piece of its span. Without, all is written in the caller's thread. Either way memory is bounded by `memory`.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "model/frame.h"
#include "model/mode.h"

#include <stdbool.h>
#include <stdint.h>

#define PIECE_BYTES 900000u             /* most of a piece before compression, as pcapng */
#define PIECE_AGE INT64_C(1000000000)   /* ns: most of a live piece */
#define PIECE_IDLE INT64_C(10000000000) /* ns without a packet, after which an empty piece says so */
#define PIECE_LATENESS INT64_C(2000000000) /* ns past the end of a span at which it is closed */
#define PIECES_OPEN 4

/* The name of a piece or a marker. */
struct piece_name {
	uint32_t from, to; /* minutes since 1970 */
	uint64_t writer;
	uint32_t seq;      /* of a piece */
	bool closed;       /* a marker */
};
#define PIECE_NAME 64
char *piece_name_format(const struct piece_name *n, char out[static PIECE_NAME]);
bool piece_name_parse(const char *text, struct piece_name *out); /* false: another file */

struct pieces_config {
	const char *folder;    /* spool/live/SENSOR, which exists; borrowed */
	uint64_t writer;       /* the moment it starts at (ns since 1970) */
	uint16_t link;         /* LINKTYPE_ of all frames */
	uint32_t snap;         /* as declared; 0: none */
	const char *interface; /* its name; NULL: none; borrowed */
	const char *comment, *application; /* as capture/write.h; borrowed */
	bool simulated;
	uint32_t span;         /* minutes a piece may span, 0: 1; spans begin at multiples of it */
	bool timeless;         /* pieces are not cut by age: a made-up past */
	bool background;
	size_t memory;         /* 0: 64 MiB */
};

struct pieces;

/* First closes what earlier writers left without a marker. `now`: observed from then on. MON-CAP-050, 051. */
int pieces_open(struct pieces **out, const struct env *env, const struct pieces_config *config, int64_t now,
                struct error *e) MUST_USE;

/* A frame of the configured link. Never fails: what cannot be kept is counted. */
void pieces_frame(struct pieces *p, const struct frame *f);

/* `n` packets of the span of `at` that were lost before they came here. */
void pieces_lost(struct pieces *p, int64_t at, uint64_t n);

/* All packets up to `now` have been given. Cuts what is old enough, closes spans, says that nothing came. */
void pieces_clock(struct pieces *p, int64_t now);

/* How the sensor answers from now on: pieces that are open tell of the mode that answers more. */
void pieces_mode(struct pieces *p, enum answer_mode mode);

/* Nothing was observed since the last pieces_clock, until now. */
void pieces_blind(struct pieces *p, int64_t now);

/* The clock jumped: all spans are closed, and from now on this is another writer. */
void pieces_restart(struct pieces *p, int64_t now);

struct pieces_status {
	uint64_t pieces, packets;  /* written, on disk */
	uint64_t lost;             /* packets that came here and were dropped, whyever */
	uint64_t waiting;          /* pieces sealed, not yet on disk */
	uint64_t restarts;
	uint64_t failures;         /* pieces and markers that could not be written */
	struct error last;         /* why the last of them; empty once a piece was written again */
};
void pieces_status(struct pieces *p, struct pieces_status *out);

/* Seals and closes all spans and waits until all is on disk; the error is of what could not be written. */
int pieces_close(struct pieces *p, struct error *e) MUST_USE;
