/* Inside capture/: four decompressors behind one face. They know bytes only, no files. */
#pragma once
#include "base/env.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unpack_status {
	UNPACK_OK,
	UNPACK_DAMAGED,   /* the bytes contradict the format or its checksum */
	UNPACK_GARBAGE,   /* what follows the last whole member is none */
	UNPACK_LIMIT,     /* needs more memory than it may have */
	UNPACK_NO_MEMORY, /* the machine had none */
};

/* One call: takes from `in`, gives to `out`, moves both on. */
struct unpack_io {
	const uint8_t *in;
	size_t n_in;
	uint8_t *out;
	size_t n_out;
	bool end;      /* nothing comes after `in` */
	bool boundary; /* out: a whole member is behind us and no other has begun, so the file may end here */
};

/* Allocation of the libraries, counted and bounded; every piece carries its size, as env wants it back. */
struct unpack_memory {
	const struct env *env;
	size_t limit;
	size_t used;
	bool over;    /* a piece was refused because of the limit */
	bool refused; /* by the machine */
};

/* What the libraries are given as their allocator; `opaque`: a struct unpack_memory. */
void *unpack_piece_alloc(void *opaque, size_t n);
void unpack_piece_free(void *opaque, void *p);

struct unpacker {
	const char *name;
	size_t state; /* bytes of it, zeroed */
	bool (*match)(const uint8_t *p, size_t n); /* n >= UNPACK_MAGIC, or all there is */
	enum unpack_status (*open)(void *state, struct unpack_memory *m);
	enum unpack_status (*run)(void *state, struct unpack_io *io);
	void (*close)(void *state);
};

#define UNPACK_MAGIC 6
/* The unpacker for a file that begins so; NULL: it is not compressed. */
const struct unpacker *unpack_find(const uint8_t *p, size_t n);
