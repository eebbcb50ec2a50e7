/* Early warning: what asks for more than it did, among all that is asked.
 *
 * A sequential test for each key (a port, a tool, a payload, a country, a network, and who sweeps many ports). Its unit is
 * the distinct network that asks, never the packet: one loud source, one scanner with a /24 and a burst of one host count
 * once. A key's hour is compared with its own past (level, hour of the day, weekend, dispersion, drift from day to day) by
 * e-values of six alternatives, each accumulated as an e-detector (Shin, Ramdas, Rinaldo, "E-detectors: a nonparametric
 * framework for sequential change detection", 2022). A key is weighted so that all weights add up to less than one: the
 * mean time to a false alarm of all keys together is WARNING_RUN_LENGTH hours at least, wherever their past tells their
 * future.
 * docs/decisions/warning.md has the method, the constants, and what was measured.
 *
 * Alarms of one cause become one event. Pure: no clock, no files, integers alone (numbers with 16 bits behind the point
 * where it says Q16); the same rows come to the same events, in whatever order those of one window are given. Memory is
 * bounded by the configuration.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WARNING_RUN_LENGTH 4096  /* hours: the least mean time between false alarms of all keys together */
#define WARNING_SILENT_DAYS 7    /* of the first days: nothing is raised */
#define WARNING_LEARNING_DAYS 28
#define WARNING_COUNTRY(a, b) ((uint16_t)(((a) - 'A') * 26 + ((b) - 'A') + 1))

enum warning_family {
	WARNING_PORT,    /* id: the port, or type << 8 | code of an ICMP request */
	WARNING_TOOL,    /* id: the caller's number of the tool, 1 to 15 */
	WARNING_PAYLOAD, /* id: the caller's number of the cluster */
	WARNING_COUNTRY, /* id: WARNING_COUNTRY */
	WARNING_NETWORK, /* id: the network; its unit is the source */
	WARNING_SWEEP,   /* networks that ask for five ports or more in an hour; id 0 */
	WARNING_FAMILIES,
};

struct warning_key {
	uint8_t family, protocol; /* protocol: of WARNING_PORT, else 0 */
	uint32_t id;
};

enum warning_row_flags {
	WARNING_NO_ACCESS = 1, /* backscatter, P2P, misconfiguration: asks for nothing */
	WARNING_SETTLING = 2,  /* to an address that is new to the telescope (DEFINITIONS 4: 14 days) */
	WARNING_KNOWN = 4,     /* from a self-declared scanner */
};

/* A source's part in one window: a row of `flow`, with what else is known of its source. What is 0 or not known leaves the
 * key of that family out. Rows with one of the first two flags are counted and have no other effect. */
struct warning_row {
	uint64_t source;   /* a hash of the source's address */
	uint32_t network;  /* AS number, or a hash of the prefix; never 0 */
	uint32_t payload;  /* cluster of what it carries */
	uint16_t port;     /* destination port, or type << 8 | code */
	uint16_t country;  /* WARNING_COUNTRY */
	uint8_t protocol;
	uint8_t tool;
	uint8_t sensor;    /* 0 to 63; more fold */
	uint8_t flags;
	uint32_t packets;
	uint64_t reach;    /* which of 64 classes of monitored addresses it reached: bit hash(address) % 64 */
};

/* A window: the rows since the window before; they end at `minute` (since 1970, exclusive), and go on from there. Hours
 * must end with a window. */
struct warning_window {
	uint32_t minute;
	uint32_t minutes;   /* 1 to 60 */
	uint32_t exposure;  /* Q16: address-minutes observed over those of the whole telescope as configured */
	bool holiday;       /* a day of the holiday file */
};

enum warning_grade { WARNING_NOTICE, WARNING_WARNING };
enum warning_phase { WARNING_NEW, WARNING_GROWING, WARNING_FADING, WARNING_OVER };
enum warning_shape {
	WARNING_SPREAD, /* many networks, over the telescope: a scan */
	WARNING_NARROW, /* nearly all to three of our addresses or fewer: floods and decoys at us, a name that points here */
	WARNING_FEW,    /* few networks */
};

/* What an analyst should look at. Told when it begins and whenever `phase` or `grade` changes. */
struct warning_event {
	uint32_t id;        /* from 1, in the order of raising */
	struct warning_key key; /* that raised it */
	uint8_t grade, phase, shape;
	uint8_t keys;       /* that take part, up to 16 */
	struct warning_key also[15]; /* the others */
	uint32_t since, raised, last; /* minutes since 1970: when evidence began to gather, when told, when last seen */
	uint32_t evidence;  /* bits, Q8: log2 of the odds against the null, less nothing for the number of keys */
	uint32_t needed;    /* Q8: what raising took */
	uint32_t networks, sources, packets; /* of what is behind it, as far as remembered (a day or two) */
	uint32_t expected;  /* Q16: networks an hour that the past says */
	uint64_t sensors;   /* which */
	uint16_t tools;     /* bit of each */
	uint16_t country;   /* the commonest, 0: none is */
	uint32_t resembles; /* id of an event before it; 0: none */
	uint32_t absent;    /* days between the two */
	uint8_t learning;   /* days learned, of 28; 28: all */
};

struct warning_config {
	uint32_t addresses; /* monitored: below 16 three of them are no proof of anything */
	uint32_t others;    /* keys of payloads and networks at most; 0: 65536 */
	uint32_t pairs;     /* (key, network) remembered of a day, a power of two; 0: 2^18. Beyond it they are sampled */
	bool networks;      /* a key for each network too */
	int32_t threshold;  /* bits more (or fewer) than the bound asks for; 0 in earnest */
};

struct warning;
typedef int (*warning_sink)(void *ctx, const struct warning_event *event, struct error *e);

/* `minute`: since 1970, where the first window begins; the beginning of an hour. */
int warning_open(struct warning **out, const struct env *env, const struct warning_config *config, uint32_t minute,
                 struct error *e) MUST_USE;
void warning_close(struct warning *w); /* NULL is fine */

/* A row of the window at hand. */
void warning_row(struct warning *w, const struct warning_row *row);
/* `networks` more, distinct from all others of this hour, that asked for this key and of which nothing else is known: what
 * a store's sums say where its rows are gone. */
void warning_total(struct warning *w, struct warning_key key, uint32_t networks);
/* The window is over. */
int warning_window(struct warning *w, const struct warning_window *window, warning_sink sink, void *ctx,
                   struct error *e) MUST_USE;

/* Events that are not over, and how many rows did not count (flags), how many keys found no room. */
size_t warning_events(struct warning *w, const struct warning_event **out);
uint64_t warning_left_out(const struct warning *w, uint64_t *no_room);

/* How many networks an hour a key may be expected to have at this hour, Q16; 0: nothing is known of it. */
uint32_t warning_expected(struct warning *w, struct warning_key key);

/* Between windows: everything, as bytes, little-endian. `bytes` is env's, of `n`, to be freed by the caller. */
int warning_save(struct warning *w, uint8_t **bytes, uint32_t *n, uint32_t *room, struct error *e) MUST_USE;
/* Into one that was just opened with the same configuration. MON-DET-002: damaged, or of another version; then close it. */
int warning_restore(struct warning *w, const uint8_t *bytes, uint32_t n, struct error *e) MUST_USE;
