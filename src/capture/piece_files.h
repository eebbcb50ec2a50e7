/* Inside capture/: sealed pieces become files, and closed spans markers. One thread at a time; it may block on the disk.
 *
 * A piece that cannot be written is dropped whole: its packets are owed to its span, and the next piece of the span that
 * can be written, or else the marker, says how many were dropped. A marker that cannot be written is tried again later.
 */
#pragma once
#include "capture/pieces.h"

#include <stddef.h>

/* A sealed piece, or (close) the word that a span is over. */
struct piece {
	struct piece *next;
	uint64_t writer;
	uint32_t from, to;
	bool close;
	uint32_t frames;
	uint64_t dropped;                   /* lost since the last piece of this span */
	int64_t observed_from, observed_to; /* within the span; equal: nothing new was observed */
	size_t size;                        /* as pcapng */
	size_t used;                        /* of bytes */
	uint8_t *bytes;                     /* frames: struct frame without data, then the data, padded to 8 */
	enum answer_mode mode;              /* how the sensor answered while it was open */
	int64_t opened, first, last;        /* the clock when it was begun; least and greatest timestamp */
};

#define PIECE_RECORD(caplen) (sizeof(struct frame) + (((size_t)(caplen) + 7) & ~(size_t)7))

/* What is known of a span until its marker is on disk. */
struct tally {
	uint64_t writer;
	uint32_t from, to;
	bool closed; /* its marker is to be written */
	uint64_t received, dropped, owed, pieces, observed_ns;
	int64_t observed_from, observed_to;
};
#define TALLIES 64 /* a full disk for an hour; markers beyond that are made by the next writer */

struct piece_files {
	const struct env *env;
	const struct pieces_config *config;
	int folder; /* fd, locked */
	bool dirty; /* names were made since the folder was synced */
	uint64_t writer;
	uint32_t seq;
	struct tally tallies[TALLIES];
	uint32_t n;
	uint64_t pieces, packets, lost, failures;
	struct error last; /* of the last failure; cleared by the next success */
};

int piece_files_open(struct piece_files *f, const struct env *env, const struct pieces_config *config,
                     struct error *e) MUST_USE;
void piece_files_close(struct piece_files *f);

/* Markers for what earlier writers left without; their half-written files go. */
void piece_files_recover(struct piece_files *f);

void piece_files_put(struct piece_files *f, const struct piece *p);
void piece_files_sync(struct piece_files *f);
