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

static struct columns columns_of(duckdb_vector mark)
{
	struct columns v;
	for (unsigned m = 0; m < MEMBERS; m++) {
		duckdb_vector member = duckdb_struct_vector_get_child(mark, m);
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
	const struct columns v = columns_of(duckdb_list_vector_get_child(list));
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

/* ---- tool_of_day ----
 * Evidence of one source and day, packed: what each contribution has, then its bytes. DuckDB's own lists take several times
 * as much, and a year has millions of them. */
struct packed {
	uint64_t packets;
	int32_t hour;
	uint16_t sport_min, sport_max;
	uint8_t protocol, rule, ttl_min, ttl_max;
	uint8_t n_set, n_keys; /* at most 64 tuples and 8 keys are kept one by one */
	bool registers, keys;  /* there are some */
};

struct day_state {
	const struct env *env; /* once there is something to be freed */
	uint8_t *bytes;
	uint32_t n, room, rows;
	uint64_t probes[4];
};

static uint8_t *day_room(struct day_state *s, const struct env *env, uint32_t n)
{
	if (s->room - s->n < n) {
		uint32_t room = s->room < UINT32_MAX / 2 && s->room > n ? 2 * s->room : s->n + n;
		uint8_t *grown = room < s->n ? NULL : env_alloc(env, room);
		if (!grown)
			return NULL;
		if (s->n)
			memcpy(grown, s->bytes, s->n);
		env_free(env, s->bytes, s->room);
		s->env = env;
		s->bytes = grown;
		s->room = room;
	}
	s->n += n;
	return s->bytes + s->n - n;
}

static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
	if (n)
		memcpy(to, from, n);
	return to + n;
}

static bool day_add(struct day_state *s, const struct env *env, const struct contribution *c)
{
	const struct packed p = { .packets = c->packets, .hour = c->hour, .sport_min = c->sport_min, .sport_max = c->sport_max,
		.protocol = c->protocol, .rule = c->rule, .ttl_min = c->ttl_min, .ttl_max = c->ttl_max,
		.n_set = (uint8_t)(c->n_set < EXACT ? c->n_set : EXACT), .n_keys = (uint8_t)(c->n_keys < 255 ? c->n_keys : 255),
		.registers = c->registers, .keys = c->keys };
	size_t set = (size_t)p.n_set * TUPLE_BYTES, registers = p.registers ? HLL_REGISTERS : 0, keys = (size_t)p.n_keys * 8;
	uint8_t *to = day_room(s, env, (uint32_t)(sizeof p + set + registers + keys));
	if (!to)
		return false;
	to = put(to, &p, sizeof p);
	to = put(to, c->set, set);
	to = put(to, c->registers, registers);
	put(to, c->keys, keys);
	s->rows++;
	return true;
}

static const uint8_t *unpack(const uint8_t *at, struct contribution *c)
{
	struct packed p;
	memcpy(&p, at, sizeof p);
	at += sizeof p;
	*c = (struct contribution){ .hour = p.hour, .protocol = p.protocol, .rule = p.rule, .ttl_min = p.ttl_min,
		.ttl_max = p.ttl_max, .sport_min = p.sport_min, .sport_max = p.sport_max, .packets = p.packets,
		.set = at, .n_set = p.n_set, .n_keys = p.n_keys };
	at += (size_t)p.n_set * TUPLE_BYTES;
	c->registers = p.registers ? at : NULL;
	at += p.registers ? HLL_REGISTERS : 0;
	c->keys = p.keys ? at : NULL; /* none at all: more than eight */
	return at + (size_t)p.n_keys * 8;
}

static const char *day_tool(const struct store_reader *r, const struct day_state *s)
{
	struct store_mark marks[MARKS_MOST];
	if (!s->rows)
		return r->tool(&(const struct store_mark){ 0 }, 0, s->probes);
	struct contribution *c = env_alloc(r->env, s->rows * sizeof *c);
	if (!c)
		return NULL;
	const uint8_t *at = s->bytes;
	for (uint32_t i = 0; i < s->rows; i++)
		at = unpack(at, &c[i]);
	size_t n = fold(c, s->rows, marks);
	env_free(r->env, c, s->rows * sizeof *c);
	return r->tool(marks, n, s->probes);
}

static void day_fail(duckdb_function_info info)
{
	duckdb_aggregate_function_set_error(info, "Out of Memory Error: folding the evidence of tools");
}

static idx_t day_size(duckdb_function_info info)
{
	(void)info;
	return sizeof(struct day_state);
}

static void day_init(duckdb_function_info info, duckdb_aggregate_state state)
{
	(void)info;
	*(struct day_state *)state = (struct day_state){ 0 };
}

static void day_update(duckdb_function_info info, duckdb_data_chunk input, duckdb_aggregate_state *states)
{
	const struct store_reader *r = duckdb_aggregate_function_get_extra_info(info);
	duckdb_vector mark = duckdb_data_chunk_get_vector(input, 0);
	uint64_t *valid = duckdb_vector_get_validity(mark);
	const struct columns v = columns_of(mark);
	idx_t n = duckdb_data_chunk_get_size(input);
	for (idx_t i = 0; i < n; i++) {
		struct day_state *s = (struct day_state *)states[i];
		for (unsigned k = 0; k < 4; k++)
			s->probes[k] += ((uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1 + k)))[i];
		if (valid && !duckdb_validity_row_is_valid(valid, i))
			continue;
		const struct contribution c = contribution_at(&v, i);
		if (!day_add(s, r->env, &c)) {
			day_fail(info);
			return;
		}
	}
}

static void day_combine(duckdb_function_info info, duckdb_aggregate_state *from, duckdb_aggregate_state *to, idx_t n)
{
	const struct store_reader *r = duckdb_aggregate_function_get_extra_info(info);
	for (idx_t i = 0; i < n; i++) {
		const struct day_state *f = (const struct day_state *)from[i];
		struct day_state *t = (struct day_state *)to[i];
		for (unsigned k = 0; k < 4; k++)
			t->probes[k] += f->probes[k];
		uint8_t *p = f->n ? day_room(t, r->env, f->n) : NULL;
		if (f->n && !p) {
			day_fail(info);
			return;
		}
		if (p)
			memcpy(p, f->bytes, f->n);
		t->rows += f->rows;
	}
}

static void day_finalize(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out, idx_t n,
                         idx_t offset)
{
	const struct store_reader *r = duckdb_aggregate_function_get_extra_info(info);
	for (idx_t i = 0; i < n; i++) {
		const char *name = day_tool(r, (const struct day_state *)states[i]);
		if (!name) {
			day_fail(info);
			return;
		}
		duckdb_vector_assign_string_element(out, offset + i, name);
	}
}

static void day_destroy(duckdb_aggregate_state *states, idx_t n)
{
	for (idx_t i = 0; i < n; i++) {
		struct day_state *s = (struct day_state *)states[i];
		if (s->env)
			env_free(s->env, s->bytes, s->room);
		s->env = NULL;
	}
}

static duckdb_logical_type mark_type(void)
{
	duckdb_logical_type types[MEMBERS];
	const char *names[MEMBERS];
	for (unsigned m = 0; m < MEMBERS; m++) {
		types[m] = duckdb_create_logical_type(members[m].type);
		names[m] = members[m].name;
	}
	duckdb_logical_type of = duckdb_create_struct_type(types, names, MEMBERS);
	for (unsigned m = 0; m < MEMBERS; m++)
		duckdb_destroy_logical_type(&types[m]);
	return of;
}

static int register_tool(struct store_reader *r, duckdb_logical_type mark, duckdb_logical_type count,
                         duckdb_logical_type text)
{
	duckdb_scalar_function f = duckdb_create_scalar_function();
	duckdb_logical_type list = duckdb_create_list_type(mark);
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
	duckdb_destroy_scalar_function(&f);
	return rc;
}

static int register_tool_of_day(struct store_reader *r, duckdb_logical_type mark, duckdb_logical_type count,
                                duckdb_logical_type text)
{
	duckdb_aggregate_function f = duckdb_create_aggregate_function();
	duckdb_aggregate_function_set_name(f, "tool_of_day");
	duckdb_aggregate_function_add_parameter(f, mark);
	for (unsigned k = 0; k < 4; k++)
		duckdb_aggregate_function_add_parameter(f, count);
	duckdb_aggregate_function_set_return_type(f, text);
	duckdb_aggregate_function_set_extra_info(f, r, NULL);
	duckdb_aggregate_function_set_special_handling(f); /* a row of probes alone has no mark */
	duckdb_aggregate_function_set_functions(f, day_size, day_init, day_update, day_combine, day_finalize);
	duckdb_aggregate_function_set_destructor(f, day_destroy);
	int rc = duckdb_register_aggregate_function(r->connection, f) ? -EIO : 0;
	duckdb_destroy_aggregate_function(&f);
	return rc;
}

int verdict_register(struct store_reader *r, struct error *e)
{
	duckdb_logical_type mark = mark_type(), count = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT),
	                    text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
	int rc = register_tool(r, mark, count, text);
	if (!rc)
		rc = register_tool_of_day(r, mark, count, text);
	duckdb_destroy_logical_type(&mark);
	duckdb_destroy_logical_type(&count);
	duckdb_destroy_logical_type(&text);
	return rc ? error_set(e, rc, "MON-STO-104", "DuckDB does not start: it takes no function tool") : 0;
}
