/* Inside detect/: early warning. warning.h says what it is; docs/decisions/warning.md why the numbers are these. */
#pragma once
#include "detect/warning.h"

#define ONE 65536u          /* Q16 */
#define ALTERNATIVES 8
#define MASK_WORDS 8        /* a week's networks of a key, 512 bits */
#define HOURS_WEEK 168u
#define BITS(n) ((n) * 256) /* evidence is kept in 1/256 bit */

enum {
	SLOT_TCP = 0,
	SLOT_UDP = 65536,
	SLOT_ICMP = 131072,   /* types */
	SLOT_OTHER_PROTOCOL = SLOT_ICMP + 256,
	SLOT_TOOL = SLOT_OTHER_PROTOCOL + 256,
	SLOT_SWEEP = SLOT_TOOL + 16,
	SLOT_COUNTRY = SLOT_SWEEP + 16, /* 677 of 1,008 */
	SLOT_FREE = SLOT_COUNTRY + 1008, /* from here on: payloads and networks, in the order of their hash's asking */
};
#define SLOT_NONE UINT32_MAX

/* What a key's past says, and what speaks against it. Zero: never asked for. */
struct warn_key {
	uint32_t born;       /* hour it was first asked for, + 1 */
	uint32_t hour;       /* the next to commit */
	uint64_t observed;   /* Q16 hours of exposure of the whole telescope until then */
	uint32_t x;          /* networks of the hour at hand */
	uint32_t fresh;      /* of them such as are not known from this week or the one before */
	uint32_t since;      /* minute when evidence began to gather */
	uint32_t event;      /* id of the open event it takes part in */
	uint32_t totals;     /* of x: such as no pair stands for */
	int32_t s[ALTERNATIVES];
	uint64_t sum, fresh_sum;       /* Q16: networks, discounted */
	uint32_t hours, fresh_hours;   /* Q16: over so many hours of exposure and season */
	uint64_t excess, square;       /* Q16: of (x - mean)^2 - mean, and of mean^2: their quotient is the dispersion */
	uint32_t day_x, day_mean;      /* of the day at hand; day_mean Q4 */
	uint16_t drift;                /* Q16: variance of a day's level */
	uint16_t week;                 /* of mask[0] */
	bool hot;                      /* the unit is x, else fresh */
	uint8_t days;                  /* that are in season, up to 255 */
	uint16_t weekend;              /* Q12 */
	uint16_t season[24];           /* Q12, of the hours of the day */
	uint64_t mask[2][MASK_WORDS];
};

/* A network's part in a key, of a day. */
struct warn_pair {
	uint32_t slot, network;
	uint32_t hour;       /* last, + 1; 0: no pair */
	uint16_t hours;      /* in how many; half of yesterday's with it */
	uint16_t country;
	uint16_t tools;
	uint8_t counted;     /* of the SLOT_SWEEP pairs: this hour's ports were enough; … */
	uint8_t swept;       /* … some hour's of the day */
	uint32_t sources;    /* bits */
	uint32_t payloads;   /* bits */
	uint32_t packets;
	uint64_t reach, sensors;
	uint64_t ports;      /* two bits each: of the day */
	uint64_t hour_ports; /* SLOT_SWEEP alone: one bit each, of this hour */
};

struct warn_pairs {
	struct warn_pair *pair;
	uint32_t n;
	uint32_t level;      /* one in 2^level is kept */
};

#define EVENTS 256           /* open ones */
#define PAST 1024            /* that an event may resemble */
#define EVENT_WORDS 4

struct warn_event {
	struct warning_event told;
	uint32_t slot[16];
	uint64_t networks[EVENT_WORDS]; /* bits */
	uint32_t peak, now;             /* networks in an hour */
	bool open;
};

#define ALARMS 1024         /* of one window: more are looked at in the next */

struct warn_alarm {
	uint32_t slot;
	int32_t bits, need;
	struct warning_key key;
};

struct warning {
	const struct env *env;
	struct warning_config config;
	uint32_t slots;
	struct warn_key *key;
	uint64_t *touched;   /* bit of each slot: in the window at hand */
	uint64_t *in_hour;   /* … in the hour at hand */
	uint64_t *hot;
	uint32_t words;
	struct other {
		uint32_t id;
		uint8_t family;
	} *other;            /* of slot SLOT_FREE + i */
	uint32_t *other_place; /* open addressing, 2 × others: i + 1 */
	uint32_t n_other;
	struct warn_pairs today, yesterday, spare;
	uint64_t seed;       /* of places in tables; reaches no result */
	uint32_t first;      /* minute the first window began; 0: none yet */
	uint32_t minute;     /* end of the last window */
	uint64_t observed;   /* Q16 hours of exposure until the hour at hand */
	uint32_t hour_exposure; /* Q16, of the hour at hand so far */
	bool holiday;
	uint32_t calm;       /* hours since a holiday */
	struct warn_event *event; /* open ones and those lately over */
	uint32_t n_events;
	struct warning_event told[EVENTS];
	struct warn_event *past;
	uint32_t n_past, next_id;
	bool recount;        /* the sample of pairs became smaller in this window */
	struct warn_alarm alarm[ALARMS];
	uint64_t not_counted, no_room;
};

static inline uint64_t warn_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* warn_math.c: log2 of x / 2^16 (x > 0), Q16, 1e-5 off at most; 2^-(x / 2^16), Q16. */
int32_t warn_log2(uint64_t x);
uint32_t warn_exp2_negative(uint32_t x);
uint32_t warn_root(uint64_t x); /* of x, floored */

/* warn_key.c. What a key may be expected to have in an hour of full exposure at hour `hour`, before slack: Q16. */
uint64_t warn_mean(const struct warning *w, const struct warn_key *k, uint32_t hour);
/* The same with slack, and the shape (Q8) of its dispersion. */
uint64_t warn_null(const struct warning *w, const struct warn_key *k, uint32_t hour, uint32_t *shape);
/* Bits (Q8) of the best alternative, were the hour over now. */
int32_t warn_evidence(const struct warning *w, const struct warn_key *k, uint32_t hour);
void warn_key_touch(struct warning *w, uint32_t slot, uint32_t hour);
/* The hour is over: evidence, then the past. */
void warn_key_commit(struct warning *w, struct warn_key *k, uint32_t hour);
void warn_key_forgive(struct warn_key *k, uint32_t minute);
void warn_key_adopt(struct warn_key *k);
/* Is this hour's count more than the past explains? */
bool warn_key_is_high(const struct warning *w, const struct warn_key *k, uint32_t hour);
static inline uint32_t warn_count(const struct warn_key *k) { return k->hot ? k->x : k->fresh; }

/* warn_pairs.c */
int warn_pairs_open(struct warning *w, struct error *e);
void warn_pairs_close(struct warning *w);
/* Today's; NULL: not one of those that are kept. The caller sets its hour. */
struct warn_pair *warn_pair(struct warning *w, uint32_t slot, uint32_t network);
/* NULL: not there. */
const struct warn_pair *warn_pair_find(const struct warning *w, const struct warn_pairs *of, uint32_t slot,
                                       uint32_t network);
void warn_pair_put(struct warning *w, struct warn_pairs *of, const struct warn_pair *p);
void warn_pairs_day(struct warning *w);

/* warning.c. Two of 64 bits that stand for a port. */
uint64_t warn_port_bits(uint32_t slot);
uint32_t warn_slot(struct warning *w, const struct warning_key *key, bool make);
struct warning_key warn_key_of(const struct warning *w, uint32_t slot);

/* warn_event.c. Bits (Q8) that an alarm of this key takes. */
int32_t warn_need(const struct warning *w, uint32_t slot);
int warn_alarm(struct warning *w, const struct warn_alarm *a, warning_sink sink, void *ctx, struct error *e);
/* At the end of an hour, before keys are committed. */
int warn_events_hour(struct warning *w, uint32_t hour, warning_sink sink, void *ctx, struct error *e);
