#include "store/functions.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "model/syn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* DuckDB keeps a UUID as a number whose sign bit is turned, so that it sorts as its bytes do. */
static struct addr addr_of_uuid(duckdb_hugeint v)
{
	struct addr a;
	store_be64(a.bytes, (uint64_t)v.upper ^ 1ull << 63);
	store_be64(a.bytes + 8, v.lower);
	return a;
}

static duckdb_hugeint uuid_of_addr(const struct addr *a)
{
	return (duckdb_hugeint){ .upper = (int64_t)(load_be64(a->bytes) ^ 1ull << 63), .lower = load_be64(a->bytes + 8) };
}

static void put_null(duckdb_vector v, idx_t i)
{
	duckdb_vector_ensure_validity_writable(v);
	duckdb_validity_set_row_invalid(duckdb_vector_get_validity(v), i);
}

static bool is_null(duckdb_vector v, idx_t i)
{
	uint64_t *valid = duckdb_vector_get_validity(v);
	return valid && !duckdb_validity_row_is_valid(valid, i);
}

/* Calls body for each row of the input that is not NULL; the others stay NULL. */
#define EACH_ROW(chunk, out)                                                                        \
	duckdb_vector in = duckdb_data_chunk_get_vector(chunk, 0);                                  \
	void *data = duckdb_vector_get_data(in);                                                    \
	idx_t n = duckdb_data_chunk_get_size(chunk);                                                \
	for (idx_t i = 0; i < n; i++)                                                               \
		if (is_null(in, i))                                                                 \
			put_null(out, i);                                                           \
		else

static void text_of_v4(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out)
{
	char text[ADDR_TEXT];
	(void)info;
	EACH_ROW(input, out)
	{
		struct addr a = addr_from_v4(((uint32_t *)data)[i]);
		duckdb_vector_assign_string_element(out, i, addr_format(&a, text));
	}
}

static void text_of_v6(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out)
{
	char text[ADDR_TEXT];
	(void)info;
	EACH_ROW(input, out)
	{
		struct addr a = addr_of_uuid(((duckdb_hugeint *)data)[i]);
		duckdb_vector_assign_string_element(out, i, addr_format(&a, text));
	}
}

/* A whole address of one family. */
static bool parse(duckdb_string_t *s, unsigned version, struct addr *out)
{
	char text[ADDR_TEXT];
	struct prefix p;
	struct error e;
	uint32_t n = duckdb_string_t_length(*s);
	if (n >= sizeof text)
		return false;
	memcpy(text, duckdb_string_t_data(s), n);
	text[n] = 0;
	if (strlen(text) != n || strchr(text, '/') || prefix_parse(text, &p, &e) || p.version != version)
		return false;
	*out = p.net;
	return true;
}

static void v4_of_text(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out)
{
	struct addr a;
	(void)info;
	EACH_ROW(input, out)
	{
		if (parse((duckdb_string_t *)data + i, 4, &a))
			((uint32_t *)duckdb_vector_get_data(out))[i] = addr_v4(&a);
		else
			put_null(out, i);
	}
}

static void v6_of_text(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out)
{
	struct addr a;
	(void)info;
	EACH_ROW(input, out)
	{
		if (parse((duckdb_string_t *)data + i, 6, &a))
			((duckdb_hugeint *)duckdb_vector_get_data(out))[i] = uuid_of_addr(&a);
		else
			put_null(out, i);
	}
}

static void ja4t_of_syn(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out)
{
	(void)info;
	EACH_ROW(input, out)
	{
		duckdb_string_t *s = (duckdb_string_t *)data + i;
		const uint8_t *p = (const uint8_t *)duckdb_string_t_data(s);
		char text[128];
		int at;
		if (duckdb_string_t_length(*s) != sizeof(struct syn_profile)) {
			put_null(out, i);
			continue;
		}
		at = snprintf(text, sizeof text, "%u_", load_be16(p));
		for (unsigned k = 0; k < p[6] && k < SYN_KINDS; k++)
			at += snprintf(text + at, sizeof text - (size_t)at, "%s%u", k ? "-" : "", p[7 + k]);
		if (!p[6])
			at += snprintf(text + at, sizeof text - (size_t)at, "00");
		snprintf(text + at, sizeof text - (size_t)at, "_%02u_%02u", load_be16(p + 2), p[4] == 255 ? 0 : p[4]);
		duckdb_vector_assign_string_element(out, i, text);
	}
}

static void name_of_as(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out)
{
	const struct store_reader *r = duckdb_scalar_function_get_extra_info(info);
	EACH_ROW(input, out)
	{
		const char *name = r->as_names.name ? r->as_names.name(r->as_names.ctx, ((uint32_t *)data)[i]) : NULL;
		if (name)
			duckdb_vector_assign_string_element(out, i, name);
		else
			put_null(out, i);
	}
}

static int add_function(struct store_reader *r, const char *name, duckdb_type from, duckdb_type to,
                        duckdb_scalar_function_t body, struct error *e)
{
	duckdb_scalar_function f = duckdb_create_scalar_function();
	duckdb_logical_type in = duckdb_create_logical_type(from), out = duckdb_create_logical_type(to);
	duckdb_scalar_function_set_name(f, name);
	duckdb_scalar_function_add_parameter(f, in);
	duckdb_scalar_function_set_return_type(f, out);
	duckdb_scalar_function_set_function(f, body);
	duckdb_scalar_function_set_extra_info(f, r, NULL);
	int rc = duckdb_register_scalar_function(r->connection, f) ? -EIO : 0;
	duckdb_destroy_logical_type(&in);
	duckdb_destroy_logical_type(&out);
	duckdb_destroy_scalar_function(&f);
	return rc ? error_set(e, rc, "MON-STO-104", "DuckDB does not start: it takes no function %s", name) : 0;
}

int functions_register(struct store_reader *r, struct error *e)
{
	static const struct {
		const char *name;
		duckdb_type from, to;
		duckdb_scalar_function_t body;
	} functions[] = {
		{ "ip_of4", DUCKDB_TYPE_UINTEGER, DUCKDB_TYPE_VARCHAR, text_of_v4 },
		{ "ip_of6", DUCKDB_TYPE_UUID, DUCKDB_TYPE_VARCHAR, text_of_v6 },
		{ "ip4", DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_UINTEGER, v4_of_text },
		{ "ip6", DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_UUID, v6_of_text },
		{ "ja4t", DUCKDB_TYPE_BLOB, DUCKDB_TYPE_VARCHAR, ja4t_of_syn },
		{ "as_name", DUCKDB_TYPE_UINTEGER, DUCKDB_TYPE_VARCHAR, name_of_as },
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof functions / sizeof *functions && !rc; i++)
		rc = add_function(r, functions[i].name, functions[i].from, functions[i].to, functions[i].body, e);
	return rc;
}
