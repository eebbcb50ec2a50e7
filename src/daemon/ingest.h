/* Analysis into a store: sealed rows of each file as a segment (store/store.h).
 *
 * A file whose name the ledger holds adds nothing. One that has minutes of files that are stored makes them be derived
 * again from all of these; when one of them cannot be read, or is another file now, the new one is refused whole.
 */
#pragma once
#include "daemon/analysis.h"
#include "enrich/enrich.h"

struct ingest;

struct ingest_config {
	const char *db;
	const char *monitored; /* as given, "" without */
	enum answer_mode mode; /* how the sensor answers; untold: silent */
	const char *options;   /* all that makes the rows of a packet, as text */
};

/* From this much memory on config->memory bounds the whole process. Who gives less is to be refused: tables would be
 * bounded, but what writes Parquet takes its least. */
#define INGEST_MEMORY_KEPT(shards) (((size_t)224 << 20) + ((size_t)48 << 20) * (shards))

/* Opens the store and takes its part of config->memory; `config` then gives the rows to it, for analysis_open. */
int ingest_open(struct ingest **out, const struct env *env, const struct ingest_config *ingest,
                struct analysis_config *config, struct error *e) MUST_USE;
/* Another sensor's segments come from now on, with nothing pending: `config` as for ingest_open. */
int ingest_turn(struct ingest *in, const struct ingest_config *ingest, struct analysis_config *config,
                struct error *e) MUST_USE;
/* What knows countries and AS, before the first file; it outlives the ingest. Without it all are unknown. */
void ingest_place(struct ingest *in, const struct enrich *x);
void ingest_close(struct ingest *in); /* after analysis_close; NULL is fine */

/* As analysis_file, and into the store: out->stored. A refused file is an error of it (MON-DMN-006). After another
 * failure of the store (ingest_broken) nothing more can be added; what was committed stays. */
int ingest_file(struct ingest *in, struct analysis *a, const char *path, struct summary *out, struct error *e) MUST_USE;
/* The same of a live sensor's segment, which lies in the store's folder as `inside` ("spool/NAME"), where it stays: what it
 * says of the time that it observed is what it covers. */
int ingest_segment(struct ingest *in, struct analysis *a, const char *path, const char *inside, struct summary *out,
                   struct error *e) MUST_USE;
/* Has the ledger the segment that lies there already, stored or left out? */
int ingest_has(struct ingest *in, const char *inside, bool *out, struct error *e) MUST_USE;

/* A file that nobody dares to read any more: the ledger keeps why. `read`: its framing alone may be, for its name; else it
 * is named by its bytes as they lie there. */
int ingest_quarantine(struct ingest *in, const char *path, const char *kept_as, bool read, const char *reason,
                      struct error *e) MUST_USE;
bool ingest_broken(const struct ingest *in);

/* Commits what is pending. */
int ingest_finish(struct ingest *in, struct error *e) MUST_USE;
