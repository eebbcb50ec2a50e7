#include "store/origin.h"

#include "base/bytes.h"
#include "store/feed.h"
#include "store/store.h"

#include <string.h>

#define LETTERS 26
_Static_assert(ORIGIN_COUNTRIES == LETTERS * LETTERS, "two letters");

static const struct {
	const char *name;
	duckdb_type type;
} columns[ORIGIN_COLUMNS] = {
	{ "country", DUCKDB_TYPE_ENUM },
	{ "as_number", DUCKDB_TYPE_UINTEGER },
	{ "country_db", DUCKDB_TYPE_UUID },
	{ "as_db", DUCKDB_TYPE_UUID },
};

void origin_country(uint16_t country, char out[static 2])
{
	out[0] = (char)('A' + country / LETTERS);
	out[1] = (char)('A' + country % LETTERS);
}

uint32_t origin_columns(struct parquet_column *out)
{
	for (uint32_t k = 0; k < ORIGIN_COLUMNS; k++)
		out[k] = (struct parquet_column){ columns[k].name, columns[k].type == DUCKDB_TYPE_ENUM ? DUCKDB_TYPE_VARCHAR :
		                                                   columns[k].type };
	return ORIGIN_COLUMNS;
}

/* All codes of two letters: VARCHAR at rest, but what writes it need not hash text (a sixth of the time). */
static duckdb_logical_type country_type(void)
{
	char text[ORIGIN_COUNTRIES][3];
	const char *name[ORIGIN_COUNTRIES];
	for (uint16_t i = 0; i < ORIGIN_COUNTRIES; i++) {
		origin_country(i, text[i]);
		text[i][2] = 0;
		name[i] = text[i];
	}
	return duckdb_create_enum_type(name, ORIGIN_COUNTRIES);
}

void origin_bind(duckdb_bind_info info)
{
	for (uint32_t k = 0; k < ORIGIN_COLUMNS; k++) {
		duckdb_logical_type type = columns[k].type == DUCKDB_TYPE_ENUM ? country_type() :
		                           duckdb_create_logical_type(columns[k].type);
		duckdb_bind_add_result_column(info, columns[k].name, type);
		duckdb_destroy_logical_type(&type);
	}
}

static void set_null(uint64_t *valid, uint32_t row) { valid[row / 64] &= ~(1ull << row % 64); }

static void put_origin(struct origin *p, const struct store_origin *o, uint32_t rows)
{
	uint32_t first = (uint32_t)(o->country[0] - 'A'), second = (uint32_t)(o->country[1] - 'A');
	bool known = first < LETTERS && second < LETTERS;
	uint16_t country = known ? (uint16_t)(first * LETTERS + second) : 0;
	for (uint32_t end = p->at + rows; p->at < end; p->at++) {
		p->country[p->at] = country;
		p->as_number[p->at] = o->as_number;
		if (!known)
			set_null(p->country_valid, p->at);
		if (!o->as_number)
			set_null(p->as_valid, p->at);
	}
}

static void look_up(struct origin *p)
{
	struct store_origin origin[ORIGIN_AHEAD] = { 0 };
	if (p->origins)
		p->origins->look_up(p->origins->ctx, p->address, p->n, origin);
	for (uint32_t i = 0; i < p->n; i++)
		put_origin(p, &origin[i], p->rows[i]);
	p->n = 0;
}

void origin_begin(struct origin *o, const struct store_origins *origins, uint16_t *country, uint32_t *as_number,
                  uint64_t *country_valid, uint64_t *as_valid)
{
	o->origins = origins;
	o->country = country;
	o->as_number = as_number;
	o->country_valid = country_valid;
	o->as_valid = as_valid;
	o->at = o->n = 0;
}

void origin_add(struct origin *o, const struct addr *a)
{
	if (o->n && !memcmp(&o->address[o->n - 1], a, sizeof *a)) {
		origin_repeat(o);
		return;
	}
	if (o->n == ORIGIN_AHEAD)
		look_up(o);
	o->address[o->n] = *a;
	o->rows[o->n++] = 1;
}

void origin_end(struct origin *o) { look_up(o); }

/* ---- Into a chunk of DuckDB's ---- */
static uint64_t *validity(duckdb_vector v)
{
	duckdb_vector_ensure_validity_writable(v);
	return duckdb_vector_get_validity(v);
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

void origin_put(const struct feed *f, const uint8_t *rows, const uint32_t *order, uint32_t n, duckdb_data_chunk out,
                uint32_t first)
{
	struct origin o;
	duckdb_vector country = duckdb_data_chunk_get_vector(out, first), as = duckdb_data_chunk_get_vector(out, first + 1);
	origin_begin(&o, f->origins, duckdb_vector_get_data(country), duckdb_vector_get_data(as), validity(country),
	             validity(as));
	for (uint32_t i = 0; i < n; i++)
		origin_add(&o, staged_addr(f->table, rows + f->shape->width * (order ? order[i] : i)));
	origin_end(&o);
	put_digest(duckdb_data_chunk_get_vector(out, first + 2), f->origins ? f->origins->country_db : NULL);
	put_digest(duckdb_data_chunk_get_vector(out, first + 3), f->origins ? f->origins->as_db : NULL);
}
