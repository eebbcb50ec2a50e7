/* What folds leave behind: store/store.h has what they are. */
#pragma once
#include "store/state.h"

struct derived_gone { /* a part that was replaced */
	uint64_t id, commit; /* the first without it */
	int32_t day, table;
};

/* Files of parts that no snapshot from commit `oldest` on names. */
int fold_unlink(struct store *s, uint64_t oldest, struct error *e) MUST_USE;
