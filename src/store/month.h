/* Sums of a sensor's days that are over, a month in one part: a question about a year then opens a dozen files where days
 * have hundreds. Made of what lies in the parts of these days, gone as soon as one of them changes. */
#pragma once
#include "store/state.h"

enum month_kind { MONTH_CLASS, MONTH_PORT, MONTH_SOURCE4, MONTH_SOURCE6, MONTH_ORIGIN4, MONTHS };

const char *month_name(enum month_kind kind);   /* of the table at rest */
const char *month_source(enum month_kind kind); /* of the table it is made of */
/* What it comes to, as a SELECT over the files in the variable `month_files`. */
const char *month_select(enum month_kind kind);

/* Within a commit: takes out of the catalog what covers a day of its new or replaced parts. */
int month_forget(struct store *s, uint32_t n_parts, struct error *e) MUST_USE;
/* After it: their files. */
int month_unlink(struct store *s, struct error *e) MUST_USE;

/* Is that the name of a table of sums? */
bool month_is(const char *table, enum month_kind *kind);

struct check;
/* Of `store check`: are the sums of a part right? text: check_rows.c. */
int check_month(struct check *k, enum month_kind kind, char *const *text) MUST_USE;
