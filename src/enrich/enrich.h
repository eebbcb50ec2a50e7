/* Country and AS of an address, from databases read once into memory.
 *
 * A country database is a MaxMind DB (version 2 of the format) whose records hold `country_code` or `country.iso_code`.
 * An AS database is a MaxMind DB with `autonomous_system_number` and `…_organization`, or CSV lines
 * `FIRST,LAST,NUMBER,"NAME"`: inclusive ranges of either family, ascending; one that starts within the one above ends that.
 * A database is whole or refused when it is opened: looking up cannot fail, and reads alone, so any thread may.
 *
 * Where they are looked for, the first that is there: the path given; $MONOMI_COUNTRY_DB and $MONOMI_AS_DB; country.mmdb,
 * and as.csv or as.mmdb, in databases/ beside the program, in /usr/local/share/monomi and in /usr/share/monomi. The empty
 * path means none. One that is found nowhere leaves its answers unknown.
 */
#pragma once
#include "base/addr.h"
#include "base/env.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct enrich;

enum enrich_kind { ENRICH_COUNTRY, ENRICH_AS, ENRICH_KINDS };

struct enrich_options {
	const char *path[ENRICH_KINDS]; /* NULL: looked for; "": none */
};

struct enrich_database {
	char path[4096];
	char type[64];      /* what it calls itself, or "CSV" */
	uint8_t digest[16]; /* XXH3-128 (seed 0, canonical) of the file: part of every row that it gave something to */
	int64_t built;      /* seconds since 1970, from its own words, of a CSV file the time of its last change */
	uint64_t bytes;
	const char *credit; /* the sentence its licence asks for beside its results; NULL: yours to know */
};

/* Opens what there is. A path that was given must be a good database; so must one that is found. MON-ENR-001 to 008. */
int enrich_open(const struct env *env, const struct enrich_options *options, struct enrich **out,
                struct error *e) MUST_USE;
void enrich_close(struct enrich *x);

/* NULL when there is none of that kind: its answers are unknown. */
const struct enrich_database *enrich_database(const struct enrich *x, enum enrich_kind kind);

/* One sentence about what is unknown for want of a database, for the user to see once; NULL when nothing is, or nobody
 * wants it (the empty path). */
const char *enrich_notice(const struct enrich *x);

struct enrich_answer {
	char country[2];    /* ISO 3166-1 alpha-2 in capitals; zeros: unknown */
	uint32_t as_number; /* 0: unknown */
	uint32_t as_record; /* for enrich_as_name */
};

void enrich_lookup(const struct enrich *x, const struct addr *addresses, size_t n, struct enrich_answer *out);

/* The organisation that runs the AS, as UTF-8 without control characters, cut to fit; "" when unknown. */
#define ENRICH_NAME 128
char *enrich_as_name(const struct enrich *x, const struct enrich_answer *a, char out[static ENRICH_NAME]);

/* Names by number, copied out of the database: the one that comes first of each AS. Of a MaxMind DB, which is ordered by
 * address alone, there are none. Any thread may look. */
struct enrich_names;
int enrich_names_open(const struct enrich *x, struct enrich_names **out, struct error *e) MUST_USE;
void enrich_names_close(struct enrich_names *n); /* NULL is fine */
const char *enrich_names_find(const struct enrich_names *n, uint32_t number); /* NULL: unknown */
