#include "store/verdict.h"

#include "base/bytes.h"
#include "base/hll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXACT 64      /* tuples of an hour that are kept one by one */
#define TUPLE_BYTES 5 /* docs/formats/store.md */
#define MARKS_MOST 96 /* (protocol, rule) pairs */

/* The members of one contribution, in the order of the SQL type. */
enum { HOUR, PROTOCOL, RULE, PACKETS, SPORT_MIN, SPORT_MAX, TTL_MIN, TTL_MAX, TUPLE_SET, REGISTERS, KEYS, MEMBERS };
static const struct {
	const char *name;
	duckdb_type type;
} members[MEMBERS] = {
	{ "hour", DUCKDB_TYPE_INTEGER }, { "protocol", DUCKDB_TYPE_UTINYINT }, { "rule", DUCKDB_TYPE_UTINYINT },
	{ "packets", DUCKDB_TYPE_UBIGINT }, { "sport_min", DUCKDB_TYPE_USMALLINT }, { "sport_max", DUCKDB_TYPE_USMALLINT },
	{ "ttl_min", DUCKDB_TYPE_UTINYINT }, { "ttl_max", DUCKDB_TYPE_UTINYINT }, { "tuple_set", DUCKDB_TYPE_BLOB },
	{ "registers", DUCKDB_TYPE_BLOB }, { "keys", DUCKDB_TYPE_BLOB },
};

struct contribution {
	int32_t hour;
	uint8_t protocol, rule, ttl_min, ttl_max;
	uint16_t sport_min, sport_max;
	uint64_t packets;
	const uint8_t *set, *registers, *keys; /* NULL: there is none */
	uint32_t n_set, n_keys;                /* tuples, pairs */
};

/* A set of tuples: exact to EXACT, registers past it. */
struct tuples {
	uint32_t n; /* EXACT + 1: in the registers */
	uint64_t tuple[EXACT];
	uint8_t registers[HLL_REGISTERS];
};

static void to_registers(struct tuples *t)
{
	if (t->n > EXACT)
		return;
	memset(t->registers, 0, sizeof t->registers);
	for (uint32_t i = 0; i < t->n; i++)
		hll_add(t->registers, t->tuple[i]);
	t->n = EXACT + 1;
}

static void add_tuple(struct tuples *t, uint64_t tuple)
{
	uint32_t i = 0;
	while (t->n <= EXACT && i < t->n && t->tuple[i] != tuple)
		i++;
	if (t->n < EXACT && i == t->n)
		t->tuple[t->n++] = tuple;
	else if (t->n == EXACT && i == t->n)
		to_registers(t);
	if (t->n > EXACT)
		hll_add(t->registers, tuple);
}

static uint64_t tuple_at(const uint8_t *p)
{
	return (uint64_t)load_be32(p) << 32 | (uint64_t)p[4] << 24;
}

static void add_set(struct tuples *t, const struct contribution *c)
{
	if (c->registers) {
		to_registers(t);
		hll_merge(t->registers, c->registers);
	}
	for (uint32_t i = 0; i < c->n_set; i++)
		add_tuple(t, tuple_at(c->set + TUPLE_BYTES * i));
}

static uint64_t how_many(const struct tuples *t) { return t->n > EXACT ? hll_estimate(t->registers) : t->n; }

static void add_keys(struct store_mark *m, const struct contribution *c)
{
	if (c->keys && !c->n_keys)
		m->n_keys = 255;
	for (uint32_t i = 0; i < c->n_keys && m->n_keys <= STORE_KEYS; i++) {
		uint32_t key = load_be32(c->keys + 8 * i), at = 0;
		while (at < m->n_keys && m->key[at] != key)
			at++;
		if (at == STORE_KEYS) {
			m->n_keys = 255;
			return;
		}
		m->key[at] = key;
		m->key_packets[at] += load_be32(c->keys + 8 * i + 4);
		m->n_keys = (uint8_t)(at == m->n_keys ? at + 1 : m->n_keys);
	}
}

static void add_sums(struct store_mark *m, const struct contribution *c)
{
	m->packets += c->packets;
	m->sport_min = m->sport_min < c->sport_min ? m->sport_min : c->sport_min;
	m->sport_max = m->sport_max > c->sport_max ? m->sport_max : c->sport_max;
	m->ttl_min = m->ttl_min < c->ttl_min ? m->ttl_min : c->ttl_min;
	m->ttl_max = m->ttl_max > c->ttl_max ? m->ttl_max : c->ttl_max;
	add_keys(m, c);
}

static bool same_mark(const struct contribution *a, const struct contribution *b)
{
	return a->protocol == b->protocol && a->rule == b->rule;
}

static int by_mark_and_hour(const void *x, const void *y)
{
	const struct contribution *a = x, *b = y;
	int mark = (a->protocol << 8 | a->rule) - (b->protocol << 8 | b->rule);
	return mark ? mark : (a->hour > b->hour) - (a->hour < b->hour);
}

/* One mark of c[0..n), whose hours lie together. As the analysis does it: tuples of several hours are united exactly to
 * EXACT, past that the greatest hour's number stands, a lower bound. */
static struct store_mark fold_mark(const struct contribution *c, size_t n)
{
	struct store_mark m = { .rule = c->rule, .proto = c->protocol, .sport_min = UINT16_MAX, .ttl_min = UINT8_MAX };
	struct tuples hour, day = { 0 };
	for (size_t i = 0, next; i < n; i = next) {
		hour.n = 0;
		for (next = i; next < n && c[next].hour == c[i].hour; next++) {
			add_sums(&m, &c[next]);
			add_set(&hour, &c[next]);
		}
		uint64_t count = how_many(&hour);
		m.tuples = m.tuples > count ? m.tuples : count;
		for (uint32_t k = 0; hour.n <= EXACT && k < hour.n && day.n < EXACT; k++)
			add_tuple(&day, hour.tuple[k]);
	}
	m.tuples = m.tuples > day.n ? m.tuples : day.n;
	return m;
}

static size_t fold(struct contribution *c, size_t n, struct store_mark marks[static MARKS_MOST])
{
	size_t n_marks = 0;
	qsort(c, n, sizeof *c, by_mark_and_hour);
	for (size_t i = 0, next; i < n && n_marks < MARKS_MOST; i = next) {
		for (next = i; next < n && same_mark(&c[next], &c[i]);)
			next++;
		marks[n_marks++] = fold_mark(c + i, next - i);
	}
	return n_marks;
}

/* ---- DuckDB's vectors ---- */
struct columns {
	void *data[MEMBERS];
	uint64_t *valid[MEMBERS];
};

static const uint8_t *blob_at(const struct columns *v, unsigned member, idx_t i, uint32_t *n)
{
	*n = 0;
	if (v->valid[member] && !duckdb_validity_row_is_valid(v->valid[member], i))
		return NULL;
	duckdb_string_t *s = (duckdb_string_t *)v->data[member] + i;
	*n = duckdb_string_t_length(*s);
	return (const uint8_t *)duckdb_string_t_data(s);
}

static struct contribution contribution_at(const struct columns *v, idx_t i)
{
	struct contribution c = {
		.hour = ((int32_t *)v->data[HOUR])[i], .protocol = ((uint8_t *)v->data[PROTOCOL])[i],
		.rule = ((uint8_t *)v->data[RULE])[i], .packets = ((uint64_t *)v->data[PACKETS])[i],
		.sport_min = ((uint16_t *)v->data[SPORT_MIN])[i], .sport_max = ((uint16_t *)v->data[SPORT_MAX])[i],
		.ttl_min = ((uint8_t *)v->data[TTL_MIN])[i], .ttl_max = ((uint8_t *)v->data[TTL_MAX])[i],
	};
	uint32_t n;
	c.set = blob_at(v, TUPLE_SET, i, &n);
	c.n_set = n / TUPLE_BYTES;
	c.registers = blob_at(v, REGISTERS, i, &n);
	if (n != HLL_REGISTERS)
		c.registers = NULL;
	c.keys = blob_at(v, KEYS, i, &n);
	c.n_keys = n / 8;
	return c;
}

static struct columns columns_of(duckdb_vector list)
{
	struct columns v;
	duckdb_vector child = duckdb_list_vector_get_child(list);
	for (unsigned m = 0; m < MEMBERS; m++) {
		duckdb_vector member = duckdb_struct_vector_get_child(child, m);
		v.data[m] = duckdb_vector_get_data(member);
		v.valid[m] = duckdb_vector_get_validity(member);
	}
	return v;
}

static const char *tool_of(const struct store_reader *r, const struct columns *v, duckdb_list_entry list,
                           const uint64_t probes[static 4])
{
	struct store_mark marks[MARKS_MOST];
	size_t size = list.length * sizeof(struct contribution);
	struct contribution *c = env_alloc(r->env, size);
	if (!c)
		return NULL;
	for (idx_t i = 0; i < list.length; i++)
		c[i] = contribution_at(v, list.offset + i);
	size_t n = fold(c, list.length, marks);
	env_free(r->env, c, size);
	return r->tool(marks, n, probes);
}

static void tool_body(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out)
{
	const struct store_reader *r = duckdb_scalar_function_get_extra_info(info);
	duckdb_vector list = duckdb_data_chunk_get_vector(input, 0);
	duckdb_list_entry *entries = duckdb_vector_get_data(list);
	uint64_t *valid = duckdb_vector_get_validity(list);
	const struct columns v = columns_of(list);
	idx_t n = duckdb_data_chunk_get_size(input);
	if (!r->tool) { /* views name the function, whether or not it is asked */
		duckdb_scalar_function_set_error(info, "Invalid Input Error: this reader cannot name tools");
		return;
	}
	for (idx_t i = 0; i < n; i++) {
		uint64_t probes[4];
		for (unsigned k = 0; k < 4; k++)
			probes[k] = ((uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1 + k)))[i];
		bool there = !valid || duckdb_validity_row_is_valid(valid, i);
		const char *name = tool_of(r, &v, there ? entries[i] : (duckdb_list_entry){ 0, 0 }, probes);
		if (!name) {
			duckdb_scalar_function_set_error(info, "Out of Memory Error: folding the evidence of tools");
			return;
		}
		duckdb_vector_assign_string_element(out, i, name);
	}
}

static duckdb_logical_type list_type(void)
{
	duckdb_logical_type types[MEMBERS];
	const char *names[MEMBERS];
	for (unsigned m = 0; m < MEMBERS; m++) {
		types[m] = duckdb_create_logical_type(members[m].type);
		names[m] = members[m].name;
	}
	duckdb_logical_type of = duckdb_create_struct_type(types, names, MEMBERS);
	duckdb_logical_type list = duckdb_create_list_type(of);
	duckdb_destroy_logical_type(&of);
	for (unsigned m = 0; m < MEMBERS; m++)
		duckdb_destroy_logical_type(&types[m]);
	return list;
}

int verdict_register(struct store_reader *r, struct error *e)
{
	duckdb_scalar_function f = duckdb_create_scalar_function();
	duckdb_logical_type list = list_type(), count = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT),
	                    text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
	duckdb_scalar_function_set_name(f, "tool");
	duckdb_scalar_function_add_parameter(f, list);
	for (unsigned k = 0; k < 4; k++)
		duckdb_scalar_function_add_parameter(f, count);
	duckdb_scalar_function_set_return_type(f, text);
	duckdb_scalar_function_set_extra_info(f, r, NULL);
	duckdb_scalar_function_set_special_handling(f); /* no evidence is NULL, and unknown */
	duckdb_scalar_function_set_function(f, tool_body);
	int rc = duckdb_register_scalar_function(r->connection, f) ? -EIO : 0;
	duckdb_destroy_logical_type(&list);
	duckdb_destroy_logical_type(&count);
	duckdb_destroy_logical_type(&text);
	duckdb_destroy_scalar_function(&f);
	return rc ? error_set(e, rc, "MON-STO-104", "DuckDB does not start: it takes no function tool") : 0;
}
