/* Inside capture/: the bytes of a capture, whatever it is packed in, from a file, a pipe or standard input. */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;

/* Opens `path` ("-": standard input). The kind of packing is told from its first bytes, when they are there.
 * `follow`: a regular file that ends has not ended. `memory`: bound for what a decompressor may allocate. */
int stream_open(struct stream **out, const struct env *env, const char *path, bool follow, size_t memory,
                struct error *e) MUST_USE;
void stream_close(struct stream *s);

/* Up to n bytes (n > 0): more than 0, or 0 when there are none, or -errno. A short count says nothing. Bytes before damage
 * are given first. */
ssize_t stream_read(struct stream *s, uint8_t *out, size_t n, struct error *e) MUST_USE;

/* After 0: is that not the end? A followed file may grow; a signal came while a pipe was waited for, so that the caller
 * can look whether it is to stop; or a descriptor that does not block has nothing yet. */
bool stream_waits(const struct stream *s);
const char *stream_compression(const struct stream *s); /* "none", "gzip", … */
uint64_t stream_raw(const struct stream *s);   /* bytes read of the file as it lies on disk */
uint64_t stream_total(const struct stream *s); /* its size, 0 when unknown */
