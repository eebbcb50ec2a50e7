#include "track/flow_digest.h"

#include "base/bytes.h"

#include <string.h>

/* The canonical bytes of a row of `flow` (tables.def) are 93. XXH3 reads them as six words from the front and six from the
 * end, so a row is put together as these words and hashed from them, and never lies in memory. The order of columns
 * lets most of them be words that the row has already: the key is source, port, protocol and class; packets, rules and
 * tags are neighbours. Columns begin at: minute 0, sensor 4, source 12, port 28, protocol 30, class 31, tags 32,
 * rules 34, packets 36, destinations 40, attempts 44, accesses 48, bytes 52, lengths 60, TTLs 64, seconds 66, flags 68,
 * profile 69. */
enum { FRONT = 6, BACK = 6, BACK_AT = FLOW_CANONICAL - 8 * BACK };

struct words {
	uint64_t front[FRONT]; /* bytes 0–47, little-endian as XXH3 reads them */
	uint64_t back[BACK];   /* bytes 45–92 */
};

/* A word of a column of 32 bits that is followed by another. */
static inline uint64_t pair_of(uint32_t first, uint32_t second)
{
	return (uint64_t)__builtin_bswap32(second) << 32 | __builtin_bswap32(first);
}

/* Minute, sensor, source; of IPv4 the address stands in the key. */
static inline void put_head(struct words *w, uint32_t minute, uint64_t sensor, const struct addr *source)
{
	w->front[0] = pair_of(minute, (uint32_t)(sensor >> 32));
	w->front[1] = (uint64_t)load_le32(source->bytes) << 32 | __builtin_bswap32((uint32_t)sensor);
	w->front[2] = load_le64(source->bytes + 4);
}

static inline void put_row(struct words *w, const struct row *r, uint32_t source, uint32_t attempts,
                           const struct layouts *layouts)
{
	uint64_t packets_rules_tags, lengths_and_rest, syn[3];
	memcpy(&packets_rules_tags, &r->packets, 8);
	memcpy(&lengths_and_rest, &r->length_min, 8);
	uint64_t lengths = (lengths_and_rest & 0x00ff00ff) << 8 | (lengths_and_rest >> 8 & 0x00ff00ff);
	uint64_t tail = (lengths_and_rest & ~0xffffffffull) | lengths, bytes = __builtin_bswap64(row_bytes(r));
	layouts_canonical(layouts, r->syn == ROW_NO_SYN ? LAYOUTS_NONE : (uint32_t)r->syn & 0xfffffff, syn);
	w->front[3] = pair_of(source, (uint32_t)r->key);
	w->front[4] = __builtin_bswap64(packets_rules_tags);
	w->front[5] = pair_of(row_destinations(r), attempts);
	w->back[0] = w->front[5] >> 40 | (uint64_t)__builtin_bswap32(row_accesses(r)) << 24 | bytes << 56;
	w->back[1] = bytes >> 8 | tail << 56;
	w->back[2] = tail >> 8 | (uint64_t)row_flags(r) << 56;
	w->back[3] = syn[0];
	w->back[4] = syn[1];
	w->back[5] = syn[2];
}

/* ---- XXH3-128 (seed 0) of 93 bytes, as the xxHash specification has it for 65 to 96 ---- */
static const uint64_t secret[12] = {
	0xbe4ba423396cfeb8, 0x1cad21f72c81017c, 0xdb979083e96dd4de, 0x1f67b3b7a4a44072,
	0x78e5c0cc4ee679cb, 0x2172ffcc7dd05a82, 0x8e2443f7744608b8, 0x4c263a81e69035e0,
	0xcb00c391bb52283c, 0xa32e531b8b65d088, 0x4ef90da297486471, 0xd8acdea946ef1938,
};

static inline void mix(uint64_t *low, uint64_t *high, const uint64_t *a, const uint64_t *b, const uint64_t *s)
{
	*low += hash_fold(a[0] ^ s[0], a[1] ^ s[1]);
	*low ^= b[0] + b[1];
	*high += hash_fold(b[0] ^ s[2], b[1] ^ s[3]);
	*high ^= a[0] + a[1];
}

static inline uint64_t avalanche(uint64_t h)
{
	h = (h ^ h >> 37) * 0x165667919e3779f9u;
	return h ^ h >> 32;
}

static inline void add_words(struct digest *d, const struct words *w)
{
	const uint64_t prime1 = 0x9e3779b185ebca87u, prime2 = 0xc2b2ae3d27d4eb4fu, prime4 = 0x85ebca77c2b2ae63u;
	uint64_t low = FLOW_CANONICAL * prime1, high = 0;
	mix(&low, &high, w->front + 4, w->back, secret + 8);
	mix(&low, &high, w->front + 2, w->back + 2, secret + 4);
	mix(&low, &high, w->front, w->back + 4, secret);
	digest_add(d, avalanche(low + high), -avalanche(low * prime1 + high * prime4 + FLOW_CANONICAL * prime2));
}

void flow_canonical(const struct row *r, const struct addr *source, uint32_t minute, uint64_t sensor,
                    const struct layouts *layouts, uint8_t out[static FLOW_CANONICAL])
{
	struct words w;
	put_head(&w, minute, sensor, source);
	put_row(&w, r, load_be32(source->bytes + 12), row_attempts(r), layouts);
	memcpy(out, w.front, sizeof w.front);
	memcpy(out + BACK_AT, w.back, sizeof w.back);
}

void flow_digest_rows(const struct rows *t, uint32_t from, uint32_t to, const struct names *names,
                      const struct layouts *layouts, uint64_t sensor, struct window *sum)
{
	struct words w;
	struct digest digest = sum->flow_digest;
	struct addr source = addr_from_v4(0);
	uint64_t packets = 0, attempts = 0;
	put_head(&w, sum->minute, sensor, &source);
	for (uint32_t i = from; i < to; i++) {
		const struct row *r = &t->row[i];
		uint32_t row_has = row_attempts(r), last = (uint32_t)(r->key >> 32);
		if (names) {
			put_head(&w, sum->minute, sensor, &names->name[last].addr);
			last = load_be32(names->name[last].addr.bytes + 12);
		}
		put_row(&w, r, last, row_has, layouts);
		add_words(&digest, &w);
		packets += r->packets;
		attempts += row_has;
	}
	sum->flow_digest = digest;
	sum->flows += to - from;
	sum->packets += packets;
	sum->attempts += attempts;
}
