#include "track/flow_digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

#include <string.h>

/* Where the columns of `flow` lie in its canonical bytes (tables.def). Their order lets most of a row be written by
 * words that are there already: the key is source, port, protocol and class; packets, rules and tags are neighbours. */
enum { AT_MINUTE = 0, AT_SENSOR = 4, AT_SOURCE = 12, AT_SOURCE_V4 = 24, AT_PORT = 28, AT_TAGS = 32, AT_DESTINATIONS = 40,
       AT_ATTEMPTS = 44, AT_ACCESSES = 48, AT_BYTES = 52, AT_LENGTHS = 60, AT_FLAGS = 68, AT_SYN = 69 };

static inline void put_row(const struct row *r, const struct layouts *layouts, uint32_t attempts, uint8_t *out)
{
	uint64_t packets_rules_tags, lengths_and_rest;
	memcpy(&packets_rules_tags, &r->packets, 8);
	memcpy(&lengths_and_rest, &r->length_min, 8);
	store_be64(out + AT_TAGS, packets_rules_tags);
	store_be32(out + AT_DESTINATIONS, row_destinations(r));
	store_be32(out + AT_ATTEMPTS, attempts);
	store_be32(out + AT_ACCESSES, row_accesses(r));
	store_be64(out + AT_BYTES, row_bytes(r));
	uint64_t lengths = (lengths_and_rest & 0x00ff00ff) << 8 | (lengths_and_rest >> 8 & 0x00ff00ff);
	store_le64(out + AT_LENGTHS, (lengths_and_rest & ~0xffffffffull) | lengths);
	out[AT_FLAGS] = row_flags(r);
	if (r->syn == ROW_NO_SYN)
		memset(out + AT_SYN, 0, 24);
	else
		layouts_canonical(layouts, (uint32_t)r->syn & 0xfffffff, out + AT_SYN);
}

static inline void put_head(uint8_t *out, uint32_t minute, uint64_t sensor)
{
	store_be32(out + AT_MINUTE, minute);
	store_be64(out + AT_SENSOR, sensor);
}

void flow_canonical(const struct row *r, const struct addr *source, uint32_t minute, uint64_t sensor,
                    const struct layouts *layouts, uint8_t out[static FLOW_CANONICAL])
{
	put_head(out, minute, sensor);
	memcpy(out + AT_SOURCE, source, sizeof *source);
	store_be32(out + AT_PORT, (uint32_t)r->key);
	put_row(r, layouts, row_attempts(r), out);
}

void flow_digest_rows(const struct rows *t, uint32_t from, uint32_t to, const struct names *names,
                      const struct layouts *layouts, uint64_t sensor, struct window *sum)
{
	uint8_t bytes[FLOW_CANONICAL] = { [AT_SOURCE + 10] = 0xff, [AT_SOURCE + 11] = 0xff };
	struct digest digest = sum->flow_digest;
	uint64_t packets = 0, attempts = 0;
	put_head(bytes, sum->minute, sensor);
	for (uint32_t i = from; i < to; i++) {
		const struct row *r = &t->row[i];
		uint32_t row_has = row_attempts(r);
		store_be64(bytes + AT_SOURCE_V4, r->key);
		if (names)
			memcpy(bytes + AT_SOURCE, &names->name[r->key >> 32].addr, sizeof(struct addr));
		put_row(r, layouts, row_has, bytes);
		/* The only call here, with a length the compiler knows: XXH3's choice among ways then costs nothing. */
		XXH128_hash_t x = XXH3_128bits(bytes, FLOW_CANONICAL);
		digest_add(&digest, x.low64, x.high64);
		packets += r->packets;
		attempts += row_has;
	}
	sum->flow_digest = digest;
	sum->flows += to - from;
	sum->packets += packets;
	sum->attempts += attempts;
}
