/* `store check`: every invariant that can be checked at rest. Findings are gathered by check; store_check tells each. */
#pragma once
#include "store/columns.h"
#include "store/duck.h"
#include "store/folder.h"
#include "store/store.h"

enum finding_id {
	CHECK_CATALOG,  /* the database can be read, and has all commits that the snapshot has */
	CHECK_FILES,    /* every part that the catalog names is there, as long as it says */
	CHECK_ROWS,     /* every part can be read whole, and holds what the catalog says */
	CHECK_DIGESTS,  /* rows of each minute, added up again, are what its window says */
	CHECK_KEYS,     /* one row a key */
	CHECK_BOUNDS,   /* values that can be */
	CHECK_LEDGER,   /* segments once, with a range, a state and numbers that were given out */
	CHECK_MINUTES,  /* every window has segments, every segment's minute a window */
	CHECK_COVERAGE, /* the union of the segments' ranges */
	CHECK_SENSORS,  /* known, and named by their hash */
	CHECK_SPOOL,    /* segments that lie nowhere else are there */
	CHECK_SNAPSHOT, /* what readers see is the catalog */
	CHECKS,
};

struct finding {
	uint64_t n;
	char first[STORE_FINDING]; /* with n 0: a note */
};

struct check {
	const struct folder *folder;
	duckdb_connection con; /* in memory; the catalog is attached as hot, the snapshot's tables are snapshot.… */
	struct finding finding[CHECKS];
	struct error *e;       /* of what keeps the check itself from going on */
};

void check_found(struct check *k, enum finding_id id, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What a crash left and the next writer makes good is no fault. */
void check_noted(struct check *k, enum finding_id id, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Each row of a query is a finding: its one column, a text. A query that DuckDB refuses is one too. */
int check_query(struct check *k, enum finding_id id, const char *format, ...)
	__attribute__((format(printf, 3, 4))) MUST_USE;
/* Each row's first text column to a function, as long as that returns 0. */
int check_each(struct check *k, int (*each)(struct check *k, void *ctx, char *const *text), void *ctx,
               const char *format, ...) __attribute__((format(printf, 4, 5))) MUST_USE;

int check_rows(struct check *k) MUST_USE;
