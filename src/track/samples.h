/* Samples: what was carried, by content (payload.h), with its bytes; over a whole run.
 *
 * Bounded: when there is no room, contents that are new are left out and counted so; rows are not touched by that.
 */
#pragma once
#include "track/names.h"

struct sample {
	uint64_t packets;
	uint32_t at;     /* of its bytes in the region, in 8 bytes + 1; 0: they are not known */
	uint32_t n;
};

struct samples {
	struct names names; /* content; epoch: port << 8 | protocol */
	struct sample *sample; /* by name */
	struct region room, bytes;
	uint64_t left_out;  /* packets */
	const struct env *env;
};

int samples_init(struct samples *s, const struct env *env, size_t limit, struct error *e) MUST_USE;
void samples_fini(struct samples *s);

/* Adds packets of a content; `bytes` NULL: not known here. Fails only when memory is refused. */
int samples_add(struct samples *s, const struct addr *content, uint32_t epoch, uint64_t packets, const uint8_t *bytes,
                uint32_t n, struct error *e) MUST_USE;
int samples_merge(struct samples *into, const struct samples *from, struct error *e) MUST_USE;

static inline const uint8_t *sample_bytes(const struct samples *s, const struct sample *x)
{
	return x->at ? s->bytes.base + ((size_t)x->at - 1) * 8 : NULL;
}
