#include "store/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- A list ----
 * Of each source, ascending, how far it is from the one before, then 2 × packets + whether it asked; as numbers of 7 bits a
 * byte, the last byte below 128. */
#define NUMBER_MOST 10

static uint8_t *put_number(uint8_t *to, uint64_t n)
{
	for (; n > 127; n >>= 7)
		*to++ = (uint8_t)(n | 128);
	*to++ = (uint8_t)n;
	return to;
}

/* Stops at the end, whatever the bytes are. */
static const uint8_t *take_number(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; at < end; shift += 7) {
		uint8_t b = *at++;
		*out |= shift < 64 ? (uint64_t)(b & 127) << shift : 0;
		if (b < 128)
			break;
	}
	return at;
}

struct item {
	uint32_t source;
	bool asked;
	uint64_t packets;
};

/* At most so many as there are pairs of bytes. */
static uint32_t unpack(const uint8_t *at, uint32_t n_bytes, struct item *out)
{
	const uint8_t *end = at + n_bytes;
	uint64_t apart, told;
	uint32_t n = 0, source = 0;
	while (at < end) {
		at = take_number(at, end, &apart);
		if (at == end)
			break;
		at = take_number(at, end, &told);
		source += (uint32_t)apart;
		out[n++] = (struct item){ source, told & 1, told >> 1 };
	}
	return n;
}

static uint32_t pack(const struct item *item, uint32_t n, uint8_t *out)
{
	uint8_t *to = out;
	uint32_t before = 0;
	for (uint32_t i = 0; i < n; before = item[i++].source) {
		to = put_number(to, item[i].source - before);
		to = put_number(to, item[i].packets << 1 | item[i].asked);
	}
	return (uint32_t)(to - out);
}

/* ---- Sorting ---- */
#define FEW 48

static void sort_few(struct item *a, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct item x = a[i];
		uint32_t at = i;
		for (; at && a[at - 1].source > x.source; at--)
			a[at] = a[at - 1];
		a[at] = x;
	}
}

static void count_bytes(const struct item *a, uint32_t n, uint32_t counts[static 4][256])
{
	memset(counts, 0, 4 * sizeof *counts);
	for (uint32_t i = 0; i < n; i++)
		for (unsigned k = 0; k < 4; k++)
			counts[k][a[i].source >> 8 * k & 255]++;
}

/* By source, a byte at a time from the lowest; bytes that all have in common are passed over. `other`: room for n. */
static struct item *sort(struct item *a, struct item *other, uint32_t n)
{
	uint32_t counts[4][256];
	if (n <= FEW) {
		sort_few(a, n);
		return a;
	}
	count_bytes(a, n, counts);
	for (unsigned k = 0; k < 4; k++) {
		uint32_t *at = counts[k], sum = 0;
		if (at[a[0].source >> 8 * k & 255] == n)
			continue;
		for (unsigned b = 0; b < 256; b++) {
			uint32_t here = at[b];
			at[b] = sum;
			sum += here;
		}
		for (uint32_t i = 0; i < n; i++)
			other[at[a[i].source >> 8 * k & 255]++] = a[i];
		struct item *sorted = other;
		other = a;
		a = sorted;
	}
	return a;
}

/* One item a source. */
static uint32_t unite(struct item *a, uint32_t n)
{
	uint32_t to = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (to && a[to - 1].source == a[i].source) {
			a[to - 1].packets += a[i].packets;
			a[to - 1].asked |= a[i].asked;
		} else {
			a[to++] = a[i];
		}
	}
	return to;
}

/* ---- States: lists as they came, each behind its length ---- */
struct state {
	const struct env *env; /* once there is something to be freed */
	uint8_t *bytes;
	uint32_t n, room, pairs; /* pairs: of bytes, at least as many as sources */
	uint64_t most;
};

static uint8_t *make_room(struct state *s, const struct env *env, uint64_t n)
{
	if (s->room - s->n < n) {
		uint64_t room = 2 * (uint64_t)s->room > s->n + n ? 2 * (uint64_t)s->room : s->n + n;
		uint8_t *grown = room > UINT32_MAX ? NULL : env_alloc(env, room);
		if (!grown)
			return NULL;
		if (s->n)
			memcpy(grown, s->bytes, s->n);
		env_free(env, s->bytes, s->room);
		s->env = env;
		s->bytes = grown;
		s->room = (uint32_t)room;
	}
	s->n += (uint32_t)n;
	return s->bytes + s->n - n;
}

static bool add_list(struct state *s, const struct env *env, const void *p, uint32_t n)
{
	uint8_t *to = make_room(s, env, sizeof n + (uint64_t)n);
	if (!to)
		return false;
	memcpy(to, &n, sizeof n);
	if (n)
		memcpy(to + sizeof n, p, n);
	s->pairs += n / 2;
	return true;
}

static bool is_valid(uint64_t *valid, idx_t i) { return !valid || duckdb_validity_row_is_valid(valid, i); }

struct rows {
	duckdb_string_t *list;
	uint32_t *source;
	uint64_t *packets, *list_valid, *source_valid;
	bool *asked;
	int64_t *most; /* NULL: none is wanted */
};

static struct rows rows_of(duckdb_data_chunk input)
{
	duckdb_vector v[5] = { 0 };
	idx_t columns = duckdb_data_chunk_get_column_count(input);
	for (idx_t i = 0; i < columns && i < 5; i++)
		v[i] = duckdb_data_chunk_get_vector(input, i);
	return (struct rows){ .list = duckdb_vector_get_data(v[0]), .source = duckdb_vector_get_data(v[1]),
		.packets = duckdb_vector_get_data(v[2]), .asked = duckdb_vector_get_data(v[3]),
		.list_valid = duckdb_vector_get_validity(v[0]), .source_valid = duckdb_vector_get_validity(v[1]),
		.most = v[4] ? duckdb_vector_get_data(v[4]) : NULL };
}

static bool add_row(struct state *s, const struct env *env, const struct rows *r, idx_t i)
{
	uint8_t one[2 * NUMBER_MOST];
	if (r->most)
		s->most = r->most[i] > 0 ? (uint64_t)r->most[i] : 0;
	if (is_valid(r->list_valid, i)) {
		duckdb_string_t *list = &r->list[i];
		return add_list(s, env, duckdb_string_t_data(list), duckdb_string_t_length(*list));
	}
	if (!is_valid(r->source_valid, i))
		return true;
	const struct item item = { r->source[i], r->asked[i], r->packets[i] };
	return add_list(s, env, one, pack(&item, 1, one));
}

static void fail(duckdb_function_info info)
{
	duckdb_aggregate_function_set_error(info, "Out of Memory Error: uniting lists of sources");
}

static idx_t state_size(duckdb_function_info info)
{
	(void)info;
	return sizeof(struct state);
}

static void state_init(duckdb_function_info info, duckdb_aggregate_state state)
{
	(void)info;
	*(struct state *)state = (struct state){ 0 };
}

static void update(duckdb_function_info info, duckdb_data_chunk input, duckdb_aggregate_state *states)
{
	const struct env *env = duckdb_aggregate_function_get_extra_info(info);
	const struct rows r = rows_of(input);
	idx_t n = duckdb_data_chunk_get_size(input);
	for (idx_t i = 0; i < n; i++) {
		if (!add_row((struct state *)states[i], env, &r, i)) {
			fail(info);
			return;
		}
	}
}

static void combine(duckdb_function_info info, duckdb_aggregate_state *from, duckdb_aggregate_state *to, idx_t n)
{
	const struct env *env = duckdb_aggregate_function_get_extra_info(info);
	for (idx_t i = 0; i < n; i++) {
		const struct state *f = (const struct state *)from[i];
		struct state *t = (struct state *)to[i];
		t->most = t->most > f->most ? t->most : f->most;
		uint8_t *p = f->n ? make_room(t, env, f->n) : NULL;
		if (f->n && !p) {
			fail(info);
			return;
		}
		if (p)
			memcpy(p, f->bytes, f->n);
		t->pairs += f->pairs;
	}
}

static void destroy(duckdb_aggregate_state *states, idx_t n)
{
	for (idx_t i = 0; i < n; i++) {
		struct state *s = (struct state *)states[i];
		if (s->env)
			env_free(s->env, s->bytes, s->room);
		s->env = NULL;
	}
}

/* ---- Results ---- */
/* Room that several states' items are brought to one after the other. */
struct desk {
	const struct env *env;
	struct item *room;
	uint32_t size; /* items, of which half for sorting */
};

/* The sources of a state, once each, ascending; NULL: no memory. */
static struct item *united(struct desk *d, const struct state *s, uint32_t *n)
{
	uint32_t found = 0, size = 2 * s->pairs + 2;
	if (s->pairs > UINT32_MAX / 4)
		return NULL;
	if (size > d->size) {
		env_free(d->env, d->room, d->size * sizeof *d->room);
		d->room = env_alloc(d->env, size * sizeof *d->room);
		d->size = d->room ? size : 0;
	}
	if (!d->room)
		return NULL;
	for (uint32_t at = 0, bytes; at < s->n; at += bytes) {
		memcpy(&bytes, s->bytes + at, sizeof bytes);
		at += (uint32_t)sizeof bytes;
		found += unpack(s->bytes + at, bytes, d->room + found);
	}
	struct item *sorted = sort(d->room, d->room + s->pairs + 1, found);
	*n = unite(sorted, found);
	return sorted;
}

/* What becomes of the sources of state i: false, no memory. */
typedef bool (*put_fn)(const struct env *env, const struct state *s, struct item *item, uint32_t n, duckdb_vector out,
                       idx_t i);

static void finalize_each(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out, idx_t n,
                          idx_t offset, put_fn put)
{
	struct desk d = { .env = duckdb_aggregate_function_get_extra_info(info) };
	bool ok = true;
	for (idx_t i = 0; ok && i < n; i++) {
		const struct state *s = (const struct state *)states[i];
		uint32_t found;
		struct item *item = united(&d, s, &found);
		ok = item && put(d.env, s, item, found, out, offset + i);
	}
	if (!ok)
		fail(info);
	env_free(d.env, d.room, d.size * sizeof *d.room);
}

static bool put_list(const struct env *env, const struct state *s, struct item *item, uint32_t n, duckdb_vector out,
                     idx_t i)
{
	size_t room = (size_t)n * 2 * NUMBER_MOST + 1;
	uint8_t *bytes = env_alloc(env, room);
	(void)s;
	if (bytes)
		duckdb_vector_assign_string_element_len(out, i, (const char *)bytes, pack(item, n, bytes));
	env_free(env, bytes, room);
	return bytes;
}

static bool put_count(const struct env *env, const struct state *s, struct item *item, uint32_t n, duckdb_vector out,
                      idx_t i)
{
	(void)env;
	(void)s;
	(void)item;
	((uint64_t *)duckdb_vector_get_data(out))[i] = n;
	return true;
}

static bool put_asking(const struct env *env, const struct state *s, struct item *item, uint32_t n, duckdb_vector out,
                       idx_t i)
{
	uint64_t asking = 0;
	(void)env;
	(void)s;
	for (uint32_t k = 0; k < n; k++)
		asking += item[k].asked;
	((uint64_t *)duckdb_vector_get_data(out))[i] = asking;
	return true;
}

static int by_packets(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	return (a->packets < b->packets) - (a->packets > b->packets);
}

/* A heap of the `most` greatest numbers, its least first: what the last of the loudest has. */
static uint64_t least_of_loudest(const struct item *item, uint32_t n, uint64_t most, uint64_t *heap)
{
	uint64_t size = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t x = item[i].packets, at = size;
		if (size == most && x <= heap[0])
			continue;
		if (size < most) {
			for (size++; at && heap[(at - 1) / 2] > x; at = (at - 1) / 2)
				heap[at] = heap[(at - 1) / 2];
			heap[at] = x;
			continue;
		}
		at = 0;
		for (uint64_t child; (child = 2 * at + 1) < size; at = child) {
			child += child + 1 < size && heap[child + 1] < heap[child];
			if (heap[child] >= x)
				break;
			heap[at] = heap[child];
		}
		heap[at] = x;
	}
	return size == most ? heap[0] : 0;
}

static uint32_t keep_from(struct item *item, uint32_t n, uint64_t least)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++)
		if (item[i].packets >= least)
			item[kept++] = item[i];
	return kept;
}

static bool put_loudest(const struct env *env, const struct state *s, struct item *item, uint32_t n, duckdb_vector out,
                        idx_t i)
{
	idx_t at = duckdb_list_vector_get_size(out);
	if (s->most < n && s->most) {
		uint64_t *heap = env_alloc(env, s->most * sizeof *heap);
		if (!heap)
			return false;
		n = keep_from(item, n, least_of_loudest(item, n, s->most, heap));
		env_free(env, heap, s->most * sizeof *heap);
	}
	n = s->most ? n : 0;
	qsort(item, n, sizeof *item, by_packets);
	if (duckdb_list_vector_reserve(out, at + n) || duckdb_list_vector_set_size(out, at + n))
		return false;
	duckdb_vector each = duckdb_list_vector_get_child(out);
	uint32_t *source = duckdb_vector_get_data(duckdb_struct_vector_get_child(each, 0));
	uint64_t *packets = duckdb_vector_get_data(duckdb_struct_vector_get_child(each, 1));
	for (uint32_t k = 0; k < n; k++) {
		source[at + k] = item[k].source;
		packets[at + k] = item[k].packets;
	}
	((duckdb_list_entry *)duckdb_vector_get_data(out))[i] = (duckdb_list_entry){ at, n };
	return true;
}

#define FINALIZE(name) \
	static void finalize_##name(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out, idx_t n, \
	                            idx_t offset) \
	{ \
		finalize_each(info, states, out, n, offset, put_##name); \
	}
FINALIZE(list)
FINALIZE(count)
FINALIZE(asking)
FINALIZE(loudest)

/* ---- Registering ---- */
static duckdb_logical_type list_of_pairs(void)
{
	const char *names[] = { "source", "packets" };
	duckdb_logical_type types[] = { duckdb_create_logical_type(DUCKDB_TYPE_UINTEGER),
		                        duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT) };
	duckdb_logical_type pair = duckdb_create_struct_type(types, names, 2), list = duckdb_create_list_type(pair);
	duckdb_destroy_logical_type(&pair);
	duckdb_destroy_logical_type(&types[0]);
	duckdb_destroy_logical_type(&types[1]);
	return list;
}

static int add(duckdb_connection con, const struct env *env, const char *name, duckdb_logical_type result,
               unsigned n_columns, duckdb_aggregate_finalize_t finalize)
{
	static const duckdb_type columns[] = { DUCKDB_TYPE_BLOB, DUCKDB_TYPE_UINTEGER, DUCKDB_TYPE_UBIGINT, DUCKDB_TYPE_BOOLEAN,
		                               DUCKDB_TYPE_BIGINT };
	duckdb_aggregate_function f = duckdb_create_aggregate_function();
	duckdb_aggregate_function_set_name(f, name);
	for (unsigned i = 0; i < n_columns; i++) {
		duckdb_logical_type type = duckdb_create_logical_type(columns[i]);
		duckdb_aggregate_function_add_parameter(f, type);
		duckdb_destroy_logical_type(&type);
	}
	duckdb_aggregate_function_set_return_type(f, result);
	duckdb_aggregate_function_set_extra_info(f, (void *)(uintptr_t)env, NULL);
	duckdb_aggregate_function_set_special_handling(f); /* a list or a source is NULL in each row */
	duckdb_aggregate_function_set_functions(f, state_size, state_init, update, combine, finalize);
	duckdb_aggregate_function_set_destructor(f, destroy);
	int rc = duckdb_register_aggregate_function(con, f) ? -EIO : 0;
	duckdb_destroy_aggregate_function(&f);
	return rc;
}

int lists_register(duckdb_connection con, const struct env *env, struct error *e)
{
	duckdb_logical_type blob = duckdb_create_logical_type(DUCKDB_TYPE_BLOB),
	                    count = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT), pairs = list_of_pairs();
	int rc = add(con, env, "list_sources", blob, 4, finalize_list);
	if (!rc)
		rc = add(con, env, "count_sources", count, 4, finalize_count);
	if (!rc)
		rc = add(con, env, "count_asking", count, 4, finalize_asking);
	if (!rc)
		rc = add(con, env, "loudest_sources", pairs, 5, finalize_loudest);
	duckdb_destroy_logical_type(&blob);
	duckdb_destroy_logical_type(&count);
	duckdb_destroy_logical_type(&pairs);
	return rc ? error_set(e, rc, "MON-STO-104", "DuckDB does not start: it takes no function list_sources") : 0;
}
