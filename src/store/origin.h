/* Where the address of a row is: four columns behind those of tables.def. They are no observation: they depend on the
 * databases of the day, whose digests they keep, so no digest of rows has them. */
#pragma once
#include "base/addr.h"
#include "store/parquet.h"

struct store_origins;

#define ORIGIN_COLUMNS 4 /* country, as_number, country_db, as_db */

#define ORIGIN_COUNTRIES (26 * 26) /* all codes of two letters, by number */

void origin_bind(duckdb_bind_info info);
uint32_t origin_columns(struct parquet_column *out);
void origin_country(uint16_t country, char out[static 2]);

/* Into columns: begin, then the address of each row in turn, then end. Rows of one address follow each other mostly, and
 * are looked up once. All bits of the valid ones are set before. */
#define ORIGIN_AHEAD 256 /* addresses looked up together */
struct origin {
	const struct store_origins *origins;
	uint16_t *country;
	uint32_t *as_number;
	uint64_t *country_valid, *as_valid;
	uint32_t at;                 /* rows done */
	uint32_t n;                  /* addresses waiting, and of how many rows each */
	struct addr address[ORIGIN_AHEAD];
	uint32_t rows[ORIGIN_AHEAD];
};

void origin_begin(struct origin *o, const struct store_origins *origins, uint16_t *country, uint32_t *as_number,
                  uint64_t *country_valid, uint64_t *as_valid);
void origin_add(struct origin *o, const struct addr *a);
void origin_end(struct origin *o);

/* A row of the same address as the one before it. */
static inline void origin_repeat(struct origin *o) { o->rows[o->n - 1]++; }

/* Of a feed's rows order[0..n), into the columns of a chunk from vector `first` on. */
struct feed;
void origin_put(const struct feed *f, const uint8_t *rows, const uint32_t *order, uint32_t n, duckdb_data_chunk out,
                uint32_t first);
