/* Tables that are made of rows of victims, by day: attacks, onsets, and what goes on of them at the end of the day. Derived
 * as sums of months are: no digest has them, and they are made again (fold.c). */
#pragma once
#include "model/attack.h"
#include "store/columns.h"
#include "store/store.h"

const char *derived_name(enum store_derived table);
const struct shape *derived_shape(enum store_derived table);
/* Beginnings of tables' names, for regular expressions in SQL: of these, and of whatever is made of rows. */
#define DERIVED_NAMES "attack|onset"
#define MADE_NAMES "class|port|[a-z]+_month|" DERIVED_NAMES
/* In SQL: is that the name of one of them? */
#define DERIVED_TABLES "regexp_matches(table_name, '^(" DERIVED_NAMES ")')"
/* Whose folder their parts lie in: they are of all sensors together. */
#define DERIVED_SENSOR "all"

struct state_record { /* of STORE_STATE4 and STORE_STATE6 */
	struct addr victim;
	struct blob state;
};
