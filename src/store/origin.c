#include "store/origin.h"

#include "store/store.h"

#include <string.h>

static const struct {
	const char *name;
	duckdb_type type;
} columns[ORIGIN_COLUMNS] = {
	{ "country", DUCKDB_TYPE_VARCHAR },
	{ "as_number", DUCKDB_TYPE_UINTEGER },
	{ "country_db", DUCKDB_TYPE_UUID },
	{ "as_db", DUCKDB_TYPE_UUID },
};

void origin_bind(duckdb_bind_info info)
{
	for (uint32_t k = 0; k < ORIGIN_COLUMNS; k++) {
		duckdb_logical_type type = duckdb_create_logical_type(columns[k].type);
		duckdb_bind_add_result_column(info, columns[k].name, type);
		duckdb_destroy_logical_type(&type);
	}
}

#define LOOKED_UP 256 /* addresses at a time */

struct placing {
	const struct store_origins *origins;
	duckdb_string_t *country;
	uint32_t *as_number;
	uint64_t *country_valid, *as_valid;
	uint32_t at;                 /* rows done */
	uint32_t n;                  /* addresses waiting, and of how many rows each */
	struct addr address[LOOKED_UP];
	uint32_t rows[LOOKED_UP];
};

static void set_null(uint64_t *valid, uint32_t row) { valid[row / 64] &= ~(1ull << row % 64); }

/* An inlined string; what is behind its two letters stays zero. */
static duckdb_string_t letters(const char country[static 2])
{
	duckdb_string_t s = { .value.inlined = { .length = 2 } };
	memcpy(s.value.inlined.inlined, country, 2);
	return s;
}

static void put_origin(struct placing *p, const struct store_origin *o, uint32_t rows)
{
	duckdb_string_t text = letters(o->country);
	for (uint32_t end = p->at + rows; p->at < end; p->at++) {
		p->country[p->at] = text;
		p->as_number[p->at] = o->as_number;
		if (!*o->country)
			set_null(p->country_valid, p->at);
		if (!o->as_number)
			set_null(p->as_valid, p->at);
	}
}

static void place_waiting(struct placing *p)
{
	struct store_origin origin[LOOKED_UP] = { 0 };
	if (p->origins)
		p->origins->look_up(p->origins->ctx, p->address, p->n, origin);
	for (uint32_t i = 0; i < p->n; i++)
		put_origin(p, &origin[i], p->rows[i]);
	p->n = 0;
}

/* The same for all rows: which database was asked. */
static void put_digest(duckdb_vector v, const uint8_t *digest)
{
	duckdb_uhugeint bytes = { 0, 0 };
	if (digest)
		bytes = (duckdb_uhugeint){ .lower = load_be64(digest + 8), .upper = load_be64(digest) };
	duckdb_value value = digest ? duckdb_create_uuid(bytes) : duckdb_create_null_value();
	duckdb_vector_reference_value(v, value);
	duckdb_destroy_value(&value);
}

static uint64_t *validity(duckdb_vector v)
{
	duckdb_vector_ensure_validity_writable(v);
	return duckdb_vector_get_validity(v);
}

void origin_put(const struct feed *f, const uint8_t *rows, const uint32_t *order, uint32_t n, duckdb_data_chunk out,
                uint32_t first)
{
	duckdb_vector country = duckdb_data_chunk_get_vector(out, first), as = duckdb_data_chunk_get_vector(out, first + 1);
	struct placing p = { .origins = f->origins, .country = duckdb_vector_get_data(country),
	                     .as_number = duckdb_vector_get_data(as), .country_valid = validity(country),
	                     .as_valid = validity(as) };
	/* Rows of one address follow each other. */
	for (uint32_t i = 0; i < n; i++) {
		const struct addr *a = staged_addr(f->table, rows + f->shape->width * (order ? order[i] : i));
		if (p.n && !memcmp(&p.address[p.n - 1], a, sizeof *a)) {
			p.rows[p.n - 1]++;
			continue;
		}
		if (p.n == LOOKED_UP)
			place_waiting(&p);
		p.address[p.n] = *a;
		p.rows[p.n++] = 1;
	}
	place_waiting(&p);
	put_digest(duckdb_data_chunk_get_vector(out, first + 2), f->origins ? f->origins->country_db : NULL);
	put_digest(duckdb_data_chunk_get_vector(out, first + 3), f->origins ? f->origins->as_db : NULL);
}
