/* The rows of a named query as a JSON Schema: names and sentences from its head, types from DuckDB. */
#include "store/format.h"
#include "store/service.h"

#include <string.h>

/* Every value may be null, as SQL has it; what is in a list or a struct too. */
static const char *scalar(duckdb_type type)
{
	switch (type) {
	case DUCKDB_TYPE_BOOLEAN:
		return "\"type\":[\"boolean\",\"null\"]";
	case DUCKDB_TYPE_TINYINT: case DUCKDB_TYPE_SMALLINT: case DUCKDB_TYPE_INTEGER: case DUCKDB_TYPE_BIGINT:
	case DUCKDB_TYPE_UTINYINT: case DUCKDB_TYPE_USMALLINT: case DUCKDB_TYPE_UINTEGER: case DUCKDB_TYPE_UBIGINT:
	case DUCKDB_TYPE_HUGEINT: case DUCKDB_TYPE_UHUGEINT:
		return "\"type\":[\"integer\",\"null\"]";
	case DUCKDB_TYPE_DECIMAL: case DUCKDB_TYPE_FLOAT: case DUCKDB_TYPE_DOUBLE:
		return "\"type\":[\"number\",\"null\"]";
	case DUCKDB_TYPE_DATE:
		return "\"type\":[\"string\",\"null\"],\"format\":\"date\"";
	case DUCKDB_TYPE_TIMESTAMP: case DUCKDB_TYPE_TIMESTAMP_S: case DUCKDB_TYPE_TIMESTAMP_MS: case DUCKDB_TYPE_TIMESTAMP_NS:
		return "\"type\":[\"string\",\"null\"],\"format\":\"date-time\"";
	default:
		return "\"type\":[\"string\",\"null\"]";
	}
}

static void put_type(struct text *t, duckdb_logical_type type);

static void put_struct(struct text *t, duckdb_logical_type type)
{
	idx_t n = duckdb_struct_type_child_count(type);
	text_puts(t, "\"type\":[\"object\",\"null\"],\"properties\":{");
	for (idx_t i = 0; i < n; i++) {
		char *name = duckdb_struct_type_child_name(type, i);
		duckdb_logical_type child = duckdb_struct_type_child_type(type, i);
		text_puts(t, i ? "," : "");
		text_json(t, name ? name : "");
		text_puts(t, ":{");
		put_type(t, child);
		text_puts(t, "}");
		duckdb_destroy_logical_type(&child);
		duckdb_free(name);
	}
	text_puts(t, "},\"additionalProperties\":false");
}

/* Our queries' types nest a few levels; none has itself within. */
static void put_type(struct text *t, duckdb_logical_type type)
{
	duckdb_type id = duckdb_get_type_id(type);
	if (id == DUCKDB_TYPE_STRUCT) {
		put_struct(t, type);
	} else if (id == DUCKDB_TYPE_LIST) {
		duckdb_logical_type child = duckdb_list_type_child_type(type);
		text_puts(t, "\"type\":[\"array\",\"null\"],\"items\":{");
		put_type(t, child);
		text_puts(t, "}");
		duckdb_destroy_logical_type(&child);
	} else {
		text_puts(t, scalar(id));
	}
}

static void put_sentence(struct text *t, const struct store_named *named, const char *column)
{
	const char *cursor = named->text;
	struct store_head h;
	while (store_named_head(&cursor, &h)) {
		if (h.kind != STORE_HEAD_COLUMN || strcmp(h.name, column) != 0)
			continue;
		text_puts(t, ",\"description\":");
		text_json(t, h.what);
		return;
	}
}

static void put_columns(struct text *t, duckdb_prepared_statement statement, const struct store_named *named,
                        bool names_only)
{
	idx_t n = duckdb_prepared_statement_column_count(statement);
	for (idx_t i = 0; i < n; i++) {
		char *name = (char *)duckdb_prepared_statement_column_name(statement, i);
		text_puts(t, i ? "," : "");
		text_json(t, name ? name : "");
		if (!names_only) {
			duckdb_logical_type type = duckdb_prepared_statement_column_logical_type(statement, i);
			text_puts(t, ":{");
			put_type(t, type);
			put_sentence(t, named, name ? name : "");
			text_puts(t, "}");
			duckdb_destroy_logical_type(&type);
		}
		duckdb_free(name);
	}
}

static int write_out(const struct env *env, const struct text *t, int fd, struct error *e)
{
	struct output *o = env_alloc(env, sizeof *o);
	if (!o || !text_ok(t)) {
		env_free(env, o, sizeof *o);
		return error_no_memory(e, "describing a query");
	}
	o->env = env;
	o->fd = fd;
	output_add(o, t->p, t->n);
	int rc = output_flush(o, e);
	env_free(env, o, sizeof *o);
	return rc;
}

int service_describe(struct store_reader *r, const char *query, int out, struct error *e)
{
	const struct store_named *named;
	const char *sql;
	duckdb_prepared_statement statement = NULL;
	struct text t = { .env = r->env };
	int rc = reader_resolve(query, &sql, &named, e);
	if (!rc)
		rc = reader_prepare(r, sql, &statement, e);
	if (rc)
		return rc;
	text_puts(&t, "{\"type\":\"object\",\"properties\":{");
	put_columns(&t, statement, named, false);
	text_puts(&t, "},\"required\":[");
	put_columns(&t, statement, named, true);
	text_puts(&t, "]}");
	rc = write_out(r->env, &t, out, e);
	text_fini(&t);
	duckdb_destroy_prepare(&statement);
	return rc;
}
