/* The store, write side: sealed rows in, Parquet parts and a ledger out. docs/formats/store.md says what the folder has.
 *
 * One process writes (flock). A segment's rows are staged between store_segment_begin and store_segment_end; the ledger
 * is asked at the end, when the segment's name is known. What was accepted is pending until store_commit, which makes
 * all of it durable and visible at once, or nothing.
 *
 * A segment with minutes that the store already has (a *shared* one) cannot simply be added: its minutes are derived
 * again from all their segments. store_segment_end then says STORE_SHARED and lists what must be read; the caller puts the
 * rows anew and ends it by store_segment_join, or by store_segment_refuse when one of the others cannot be read.
 *
 * The put functions may be called from several threads; all others from one, while nobody puts.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "model/attack.h"
#include "model/evidence.h"
#include "model/mode.h"
#include "model/records.h"
#include "model/window.h"

#include <stdbool.h>

struct store;

#define STORE_SENSOR_MAX 64 /* bytes of a sensor's name, of [A-Za-z0-9._-], since it names a folder */

/* Country and AS of the addresses of flows and victims, which their parts keep beside them. Asked from several threads. */
struct store_origin {
	char country[2];    /* two letters; zeros: unknown */
	uint32_t as_number; /* 0: unknown */
};

struct store_origins {
	void (*look_up)(const void *ctx, const struct addr *addresses, size_t n, struct store_origin *out);
	const void *ctx;
	const uint8_t *country_db, *as_db; /* 16 bytes each: the digest of the database that knows; NULL: none does */
};

struct store_config {
	const char *path;      /* the folder; made when it is not there or empty */
	const char *sensor;    /* whose rows come */
	uint64_t addresses;    /* monitored by it; 0: not known */
	const char *monitored; /* its prefixes as text, "" when not known */
	enum answer_mode mode; /* how it answers, where a segment does not tell; untold: as MODE_SILENT */
	const char *options;   /* what else makes the rows of a packet, as text: shared minutes need it to be equal */
	size_t memory;         /* bytes for staging and for DuckDB, each about a quarter of it */
};

int store_open(struct store **out, const struct env *env, const struct store_config *config, struct error *e) MUST_USE;
/* Before the first row is put; outlives the store. Without it all are unknown. */
void store_place(struct store *s, const struct store_origins *origins);
/* With nothing pending: from now on the rows of another sensor come, as `config` says of it; path and memory stay. */
int store_turn(struct store *s, const struct store_config *config, struct error *e) MUST_USE;
/* Can it name a sensor? MON-STO-007. */
int store_sensor_check(const char *name, struct error *e) MUST_USE;
void store_close(struct store *s); /* what was not committed is gone; NULL is fine */

/* ---- Rows of the segment at hand ---- */
int store_put_flows(struct store *s, const struct flow_record *r, size_t n, struct error *e) MUST_USE;
int store_put_payloads(struct store *s, const struct flow_payload_record *r, size_t n, struct error *e) MUST_USE;
/* `minute`: of each row, since seconds in 32 bits come round again. */
int store_put_victims(struct store *s, const int32_t *minute, const struct victim_second_record *r, size_t n,
                      struct error *e) MUST_USE;
int store_put_evidence(struct store *s, const struct evidence_set *r, size_t n, struct error *e) MUST_USE;

/* Rows that the segment at hand gave so far are void: those of these minutes, ascending, or (NULL) of all minutes.
 * Evidence stays. */
int store_drop(struct store *s, const int32_t *minutes, uint32_t n, struct error *e) MUST_USE;

/* ---- Segments ---- */
struct store_segment {
	uint8_t digest[16];
	const char *path;      /* absolute, or "spool/…" in the folder */
	uint64_t packets, bytes;
	uint64_t uncompressed; /* bytes of the capture itself */
	int64_t min, max;      /* ns: the time it covers, of a file that of its packets; valid with them, or when observed */
	uint64_t dropped;      /* packets of that time that were lost */
	bool observed;         /* somebody listened all that time, whether anything came or not */
	bool simulated;        /* its packets are made up */
	enum answer_mode mode; /* how the sensor answered then; untold: as its store_config says */
};

struct store_plan { /* borrowed until the next call */
	const int32_t *minutes;              /* to be derived again, ascending */
	uint32_t n_minutes;
	const struct store_segment *segment; /* stored ones that have them, in the order they came; absolute paths */
	uint32_t n_segments;
	const char *reason;                  /* of STORE_REFUSED */
};

enum store_outcome {
	STORE_ADDED,   /* pending */
	STORE_KNOWN,   /* the ledger holds it: nothing was added */
	STORE_SHARED,  /* see above; everything that was pending has been committed */
	STORE_REFUSED, /* left out, as by store_segment_refuse: shared with segments that were read with other options, or of
	                * days whose rows have expired */
};

int store_segment_begin(struct store *s, struct error *e) MUST_USE;
/* `windows`: one a minute, ascending. */
int store_segment_end(struct store *s, const struct store_segment *segment, const struct window *windows, uint32_t n,
                      enum store_outcome *outcome, struct store_plan *plan, struct error *e) MUST_USE;
/* The rows of the plan's minutes have been dropped and put anew; `windows` are theirs. The segment is committed. */
int store_segment_join(struct store *s, const struct window *windows, uint32_t n, struct error *e) MUST_USE;
/* The segment is left out whole; the ledger keeps why. Pending. */
int store_segment_refuse(struct store *s, const char *reason, struct error *e) MUST_USE;
/* The same of one that nobody dares to read. */
int store_segment_quarantine(struct store *s, const struct store_segment *segment, const char *reason,
                             struct error *e) MUST_USE;
/* It never was: the file could not be read. */
int store_segment_abandon(struct store *s, struct error *e) MUST_USE;

/* Is a segment of this name stored or pending? */
int store_knows(struct store *s, const uint8_t digest[static 16], bool *out, struct error *e) MUST_USE;

/* Does the ledger have a segment, stored or left out, that lies there ("spool/…")? */
int store_has_path(struct store *s, const char *path, bool *out, struct error *e) MUST_USE;

/* Keeps a stream, all that `fd` has from its start, in the folder: `out` is the path for struct store_segment. It is
 * compressed there unless it is already. What no commit names is removed by the next writer. */
#define STORE_SPOOL_NAME 48
int store_spool(struct store *s, int fd, const uint8_t digest[static 16], bool compressed,
                char out[static STORE_SPOOL_NAME], struct error *e) MUST_USE;
int store_unspool(struct store *s, const char *name, struct error *e) MUST_USE;

/* Is it time? Many rows or some seconds are pending. */
bool store_commit_due(const struct store *s);
int store_commit(struct store *s, struct error *e) MUST_USE;
/* With nothing pending: sums of the days that are over, by month, for queries over years, in a commit of their own. */
int store_settle(struct store *s, struct error *e) MUST_USE;

/* ---- Folds ---- */
/* Tables that are made of all sensors' rows of victims, a UTC day at a time; docs/formats/store.md, "Attacks". What the
 * commits since the last fold have changed is folded again, and so are the days after as long as what goes on at the end
 * of a day is not what it was. All that is put becomes visible by store_fold_commit, in place of what was there, or not at
 * all. */
enum store_derived {
	STORE_CORSARO2, STORE_CORSARO3, STORE_ATTACK, STORE_ATTACK_VECTOR, STORE_ONSET, STORE_STATE4, STORE_STATE6,
	STORE_DERIVED
};
struct store_fold;
struct store_fold_item { /* of a victim: first its state of the day before, if any, then its rows in their order */
	struct addr victim;
	struct victim_row row;
	const uint8_t *state; /* NULL: it is a row */
	uint32_t state_n;
};
/* With nothing pending. `version`: of the rules; `out` NULL: there is nothing to do. */
int store_fold_open(struct store *s, uint32_t version, struct store_fold **out, struct error *e) MUST_USE;
/* The next day, and the second at which it ends; false: no more. */
int store_fold_day(struct store_fold *f, bool *more, int64_t *until, struct error *e) MUST_USE;
int store_fold_next(struct store_fold *f, struct store_fold_item *out, bool *more, struct error *e) MUST_USE;
int store_fold_put(struct store_fold *f, enum store_derived table, const void *record, struct error *e) MUST_USE;
int store_fold_put_state(struct store_fold *f, const struct victim_state *state, struct error *e) MUST_USE;
int store_fold_end(struct store_fold *f, struct error *e) MUST_USE; /* of the day */
int store_fold_commit(struct store_fold *f, struct error *e) MUST_USE;
void store_fold_close(struct store_fold *f); /* NULL is fine */

/* ---- What the folder holds ---- */
struct store_digest {
	const char *table; /* flow, flow_payload, victim_second, source_evidence */
	uint64_t rows;
	struct digest digest;
};
#define STORE_DIGESTS 4
/* From the rows at rest; needs no lock and no right to write. */
int store_digest(const struct env *env, const char *path, struct store_digest out[static STORE_DIGESTS],
                 struct error *e) MUST_USE;

/* ---- Guarding ---- */
#define STORE_CHECKS 12
#define STORE_FINDING 300
struct store_finding {
	const char *check;  /* files, rows, digests, … */
	uint64_t faults;
	char first[STORE_FINDING]; /* the first of them; without faults a note or nothing */
};
/* Every invariant that can be checked at rest. Needs the lock, and no right to write. */
int store_check(const struct env *env, const char *path, struct store_finding out[static STORE_CHECKS],
                struct error *e) MUST_USE;
/* Copies a store into a new folder, from its snapshot: a backup while a writer may go on, and the way back. */
int store_copy(const struct env *env, const char *from, const char *to, struct error *e) MUST_USE;

/* Joins small parts of a day: fewer files, the same rows. A commit does it too, for parts of its day that have become
 * many. */
struct store_compacted {
	uint64_t parts, into;
};
int store_compact(const struct env *env, const char *path, struct store_compacted *out, struct error *e) MUST_USE;

struct store_retention { /* days after the end of a UTC day for which its rows are kept (DEFINITIONS section 11) */
	uint32_t payload_days; /* flow_payload */
	uint32_t segment_days; /* what standard input gave: spool/ */
	uint32_t detail_days;  /* whatever names a source or a victim */
	bool forced;           /* also when `now` is days past all that was observed */
};
#define STORE_RETENTION { .payload_days = 30, .segment_days = 14, .detail_days = 90 }
struct store_expired {
	uint64_t parts, rows, bytes, segments;
};
/* Takes out what is older at `now` (ns since 1970). When that is more than two days past the last moment observed, the
 * clock may be wrong, and nothing is taken out (MON-STO-014). A segment that reaches a day without detail is refused from
 * then on. */
int store_expire(const struct env *env, const char *path, int64_t now, const struct store_retention *keep,
                 struct store_expired *out, struct error *e) MUST_USE;
