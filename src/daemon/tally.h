/* Live counters: what came in the last minutes, counted as packets come, never stored (docs/formats/live.md).
 *
 * Memory is fixed. Seconds and minutes are exact in packets and accesses; sources of a minute are exact to 1,024 and then
 * estimated (base/hll.h). Ports and sources are the heaviest by a sketch (tally_tables.h): one that made up more than a
 * 1,024th of the packets of a minute, of ports a 512th of its accesses, is there, and counts at most that much too little.
 */
#pragma once
#include "base/env.h"
#include "base/text.h"
#include "model/mode.h"
#include "model/packet.h"
#include "model/verdict.h"

#include <stddef.h>
#include <stdint.h>

struct tally;

int tally_open(struct tally **out, const struct env *env, struct error *e) MUST_USE;
void tally_close(struct tally *t); /* NULL is fine */

/* Packets of any order; those older than the minutes that are kept count nowhere. */
void tally_packets(struct tally *t, const struct packet *packets, const struct verdict *verdicts, size_t n);

/* The sensor has said what there was until `at` (ns since 1970). */
#define TALLY_SENSORS 16
struct tally_piece {
	int64_t at;
	unsigned sensor; /* whose it is, below TALLY_SENSORS */
	uint64_t received, dropped;
	enum answer_mode mode; /* how it answered; untold: silent */
	bool simulated;
};
void tally_piece(struct tally *t, const struct tally_piece *piece);

struct tally_sensor {
	const char *name;
	uint64_t addresses; /* monitored; 0: not known */
};
/* The counters as one JSON object; sensors by their numbers. False: no memory. */
bool tally_json(struct tally *t, const struct tally_sensor *sensors, unsigned n, struct text *out);
