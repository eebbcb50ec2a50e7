/* Where the address of a row is: four columns behind those of tables.def. They are no observation: they depend on the
 * databases of the day, whose digests they keep, so no digest of rows has them. */
#pragma once
#include "store/feed.h"

#define ORIGIN_COLUMNS 4 /* country, as_number, country_db, as_db */

void origin_bind(duckdb_bind_info info);
/* The columns of rows order[0..n), from vector `first` of the chunk on. */
void origin_put(const struct feed *f, const uint8_t *rows, const uint32_t *order, uint32_t n, duckdb_data_chunk out,
                uint32_t first);
