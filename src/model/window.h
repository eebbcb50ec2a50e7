/* A window: what one sealed minute came to, and what the rows of a minute look like. */
#pragma once
#include <stdint.h>

/* A sum mod 2^128 of XXH3-128 over canonical rows (DESIGN section 3): order does not matter, duplicates do. */
struct digest {
	uint64_t lo, hi;
};

static inline void digest_add(struct digest *d, uint64_t lo, uint64_t hi)
{
	d->lo += lo;
	d->hi += hi + (d->lo < lo);
}

#define DIGEST_TEXT 33
char *digest_format(const struct digest *d, char out[static DIGEST_TEXT]); /* 32 hex digits, returned */

/* One minute of one sensor, of one shard or of all. */
struct window {
	uint32_t minute;  /* minutes since 1970 */
	uint64_t flows;   /* rows of `flow`, both families */
	uint64_t packets; /* in them */
	uint64_t attempts;
	struct digest flow_digest;
	uint64_t victim_seconds; /* rows of `victim_second` */
	struct digest victim_digest;
	uint64_t flow_payloads;  /* rows of `flow_payload` */
	struct digest payload_digest;
};
