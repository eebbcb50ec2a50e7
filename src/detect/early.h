/* The early mode over the rows of one victim (onset.h), and what is told of its onsets; docs/decisions/onset.md. */
#pragma once
#include "detect/onset.h"
#include "detect/state.h"
#include "model/attack.h"

struct early {
	bool fresh;            /* what is told has changed in this fold */
	struct onset onset;
	uint64_t addresses;    /* N, the least it was since nothing was known; 0: not known of some row */
	struct onset_record told; /* raised 0: none is open, nor was since nothing was known */
};

/* The rule for N, kept from one row to the next: N changes seldom. */
struct early_rule {
	bool made;
	uint64_t addresses;
	struct onset_rule rule;
};

/* Is all forgotten by the second `at`? */
bool early_over(const struct early *v, int64_t at);
/* Ask early_over first. */
void early_add(struct early *v, struct early_rule *rule, const struct victim_row *r);
/* Is there an onset that this fold has to tell of? As of its last row: whether it fell silent says who knows until when
 * was observed. */
bool early_counts(const struct early *v);
void early_record(const struct early *v, const struct addr *victim, struct onset_record *out);
void early_write(const struct early *v, struct writer *w);
void early_read(struct early *v, struct reader *r);
