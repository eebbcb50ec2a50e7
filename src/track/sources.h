/* Sources: what each source did by UTC hour, and the evidence of tools it gave (DEFINITIONS 2 and 4, source_evidence).
 *
 * Both are merges kept for the whole run, so that a day's tool verdict folds its hours. Filled from sealed minutes
 * (packets and probes) and packet by packet where a rule matched (evidence).
 */
#pragma once
#include "base/hll.h"
#include "base/moment.h"
#include "base/index.h"
#include "base/region.h"
#include "classify/classify.h"
#include "model/hit.h"
#include "model/window.h"
#include "track/names.h"
#include "track/tally.h"

#define SOURCE_SEEN TALLY_SEEN
#define SOURCE_V6 (1u << 31) /* family bit of a key: name << 32 | family << 31 | hour */

/* The hour of keys, of the tally and of evidence alike: 24 bits. */
static inline uint32_t source_hour(int32_t minute) { return (uint32_t)moment_hour_of_minute(minute) & 0xffffff; }

#define EVIDENCE_INLINE 4
#define EVIDENCE_EXACT 64
#define EVIDENCE_SLOTS 128
enum { EVIDENCE_TABLE = EVIDENCE_INLINE + 1, EVIDENCE_HLL };

struct evidence_row { /* key: name << 32 | family << 31 | hour << 7 | protocol code << 4 | rule */
	uint64_t key;
	uint64_t packets;
	uint16_t sport_min, sport_max;
	uint8_t ttl_min, ttl_max;
	uint8_t mode;      /* tuples inline (0–4), or EVIDENCE_TABLE, EVIDENCE_HLL */
	uint8_t used;      /* entries of the table */
	uint32_t keys;     /* struct evidence_keys in the region, offset in 8 bytes + 1; 0: none */
	uint32_t set;      /* table (EVIDENCE_SLOTS) or registers in the region, likewise */
	uint64_t tuple[EVIDENCE_INLINE];
};
_Static_assert(sizeof(struct evidence_row) == 64, "one cache line");

struct evidence_keys {
	uint32_t n; /* EVIDENCE_KEYS + 1: many */
	uint32_t key[EVIDENCE_KEYS], packets[EVIDENCE_KEYS];
};

struct sources {
	const struct env *env;
	struct names names; /* of IPv6 sources, epoch 0 */
	struct tally tally;
	struct evidence_row *evidence;
	uint32_t n_evidence;
	struct index evidence_index;
	struct region evidence_room, sets;
	struct seed seed;
};

int sources_init(struct sources *s, const struct env *env, size_t limit, struct error *e) MUST_USE;
void sources_fini(struct sources *s);
void sources_clear(struct sources *s);
size_t sources_used(const struct sources *s);

#define SOURCES_BATCH 128
/* Makes sure that a batch fits: 0, -ENOSPC when full, -ENOMEM. */
int sources_prepare(struct sources *s, struct error *e) MUST_USE;

/* The upper part of a key: name << 32 | family << 31. For IPv6 after sources_prepare. */
uint64_t sources_name(struct sources *s, const struct addr *addr);
struct addr sources_addr(const struct sources *s, uint64_t key);

/* One rule that one packet matched. They are gathered over several batches, since evidence is rarer than packets. */
struct sight {
	uint64_t key, hash, tuple;
	uint32_t pair;  /* of a pair rule: the key that stays constant over a run */
	uint16_t sport;
	uint8_t ttl, rule;
};

/* Makes one sight for each rule that an IPv4 packet matched and asks for their rows early: how many. Of its hit, whose
 * name is the address. `packet`: for the keys of pair rules; NULL: it matched none of these. */
uint32_t sources_sight(const struct sources *s, uint32_t hour, const struct hit *h, const struct packet *packet,
                       struct sight *out);

/* Counts up to SOURCES_BATCH sights, after sources_prepare. False: the sets are full, nothing was counted. */
bool sources_see(struct sources *s, const struct sight *sights, uint32_t n);

/* ---- Merging with what was handed over or counted elsewhere; each after sources_prepare ---- */
struct evidence_part {
	struct addr addr;
	uint32_t hour;
	uint8_t protocol, rule;
	uint8_t ttl_min, ttl_max;
	uint16_t sport_min, sport_max;
	uint64_t packets;
	const uint64_t *tuples;   /* zeros among them count for nothing */
	uint32_t n_tuples;
	const uint8_t *registers; /* HLL_REGISTERS, in place of tuples; else NULL */
	struct evidence_keys keys;
};
void sources_put(struct sources *s, const struct addr *addr, uint32_t hour, const struct tally_counts *counts);
bool sources_put_evidence(struct sources *s, const struct evidence_part *part); /* false: full, nothing changed */
struct evidence_part sources_evidence(const struct sources *s, uint32_t i); /* borrowed until s changes */
uint64_t evidence_tuples(const struct sources *s, const struct evidence_row *r);

struct sources_result {
	uint64_t distinct;                 /* sources seen in an outermost IP header */
	uint64_t tool_packets[TOOL_COUNT]; /* packets of sources by the verdict of their day */
	uint64_t tool_sources[TOOL_COUNT]; /* (source, day) pairs */
	uint64_t evidence;                 /* rows of source_evidence */
	struct digest evidence_digest;
};
/* Adds what the tables hold to *out, and gives the evidence to the sink, if there is one. */
struct track_sink;
int sources_fold(const struct sources *s, uint64_t sensor, const struct track_sink *sink, struct sources_result *out,
                 struct error *e) MUST_USE;
