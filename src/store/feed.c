#include "store/feed.h"

#include "store/origin.h"

static void bind(duckdb_bind_info info)
{
	const struct feed *f = duckdb_bind_get_extra_info(info);
	for (uint32_t k = 0; k < f->shape->n; k++) {
		duckdb_logical_type type = duckdb_create_logical_type(column_duckdb_type(f->shape->column[k].type));
		duckdb_bind_add_result_column(info, f->shape->column[k].name, type);
		duckdb_destroy_logical_type(&type);
	}
	if (f->placed)
		origin_bind(info);
	duckdb_bind_set_cardinality(info, f->n, true);
}

static void init(duckdb_init_info info) { duckdb_init_set_max_threads(info, 1); }

static void put_rows(const struct feed *f, uint32_t n, duckdb_data_chunk out)
{
	const uint32_t *order = f->order ? f->order + f->at : NULL;
	const uint8_t *rows = f->order ? f->rows : f->rows + f->at * f->shape->width;
	for (uint32_t k = 0; k < f->shape->n; k++)
		column_put(f->shape, k, rows, f->heap, order, n, duckdb_data_chunk_get_vector(out, k));
	if (f->placed)
		origin_put(f, rows, order, n, out, f->shape->n);
}

static void fill(duckdb_function_info info, duckdb_data_chunk out)
{
	struct feed *f = duckdb_function_get_extra_info(info);
	uint32_t most = (uint32_t)duckdb_vector_size(), left = f->n - f->at, n = left < most ? left : most;
	if (n)
		put_rows(f, n, out);
	duckdb_data_chunk_set_size(out, n);
	f->at += n;
}

int feed_register(duckdb_connection con, const char *name, struct feed *feed, struct error *e)
{
	duckdb_table_function t = duckdb_create_table_function();
	duckdb_table_function_set_name(t, name);
	duckdb_table_function_set_extra_info(t, feed, NULL);
	duckdb_table_function_set_bind(t, bind);
	duckdb_table_function_set_init(t, init);
	duckdb_table_function_set_function(t, fill);
	duckdb_state state = duckdb_register_table_function(con, t);
	duckdb_destroy_table_function(&t);
	return state == DuckDBError ? error_no_memory(e, "making a table function") : 0;
}
