#include "enrich/mmdb.h"

#include <errno.h>
#include <string.h>

static const char marker[] = "\xab\xcd\xefMaxMind.com";
#define MARKER (sizeof marker - 1)
#define MARKER_WITHIN (128u << 10) /* of the end of the file */
#define SEPARATOR 16               /* zeros between tree and data */
#define MOST_ITEMS 4096            /* in one record: real ones have some dozens */

/* ---- Values. All reading is by offsets into the section, checked before each read. ---- */

static bool has(struct span data, uint32_t at, uint64_t n) { return at <= data.n && n <= data.n - at; }

static uint64_t big_endian(const uint8_t *p, uint32_t n)
{
	uint64_t v = 0;
	for (uint32_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* Sizes from 29 up continue in 1 to 3 bytes. */
static bool read_size(struct span data, uint32_t *at, uint32_t *size)
{
	static const uint32_t from[] = { 29, 285, 65821 };
	if (*size < 29)
		return true;
	uint32_t n = *size - 28;
	if (!has(data, *at, n))
		return false;
	*size = from[n - 1] + (uint32_t)big_endian(data.p + *at, n);
	*at += n;
	return true;
}

static bool read_pointer(struct span data, uint32_t *at, uint32_t control, uint32_t *to)
{
	static const uint32_t from[] = { 0, 2048, 526336, 0 };
	uint32_t kind = control >> 3 & 3, n = kind + 1;
	if (!has(data, *at, n))
		return false;
	uint32_t high = kind == 3 ? 0 : (control & 7) << 8 * n;
	*to = high + (uint32_t)big_endian(data.p + *at, n) + from[kind];
	*at += n;
	return true;
}

/* The head of the value at *at, which moves behind it; v->at and v->size say where the payload is. */
static bool read_head(struct span data, uint32_t *at, struct mmdb_value *v)
{
	if (!has(data, *at, 1))
		return false;
	uint32_t control = data.p[(*at)++];
	v->type = (uint8_t)(control >> 5);
	if (v->type == MMDB_POINTER) {
		v->size = 0;
		return read_pointer(data, at, control, &v->at);
	}
	if (!v->type) {
		if (!has(data, *at, 1) || data.p[*at] > MMDB_FLOAT - 7)
			return false;
		v->type = (uint8_t)(7 + data.p[(*at)++]);
	}
	v->size = control & 31;
	if (!read_size(data, at, &v->size))
		return false;
	v->at = *at;
	return true;
}

/* Moves behind the payload of a value that is no map and no array. */
static bool skip_payload(struct span data, uint32_t *at, const struct mmdb_value *v)
{
	if (v->type == MMDB_POINTER || v->type == MMDB_BOOL || v->type == MMDB_END)
		return true;
	if (v->type == MMDB_CACHE || !has(data, *at, v->size))
		return false;
	*at += v->size;
	return true;
}

/* Moves behind a whole value. */
static bool skip(struct span data, uint32_t *at)
{
	uint32_t items = 0;
	for (uint64_t pending = 1; pending; pending--) {
		struct mmdb_value v;
		if (++items > MOST_ITEMS || !read_head(data, at, &v))
			return false;
		if (v.type == MMDB_MAP || v.type == MMDB_ARRAY)
			pending += v.type == MMDB_MAP ? 2ull * v.size : v.size;
		else if (!skip_payload(data, at, &v))
			return false;
	}
	return true;
}

/* Reads a value's head, through a pointer if it is one (a pointer to a pointer is none), and moves behind the value. */
static bool read_value(struct span data, uint32_t *at, struct mmdb_value *v)
{
	uint32_t from = *at;
	if (!skip(data, at) || !read_head(data, &from, v))
		return false;
	if (v->type != MMDB_POINTER)
		return true;
	from = v->at;
	uint32_t end = from;
	return read_head(data, &from, v) && v->type != MMDB_POINTER && skip(data, &end);
}

static bool is_key(struct span data, const struct mmdb_value *v, const char *key)
{
	return v->type == MMDB_STRING && v->size == strlen(key) && !memcmp(data.p + v->at, key, v->size);
}

/* The value of `key` in the map `m`. 1: found, 0: it has none, -1: the bytes are no value. */
static int map_get(struct span data, const struct mmdb_value *m, const char *key, struct mmdb_value *out)
{
	uint32_t at = m->at;
	if (m->type != MMDB_MAP)
		return 0;
	for (uint32_t i = 0; i < m->size; i++) {
		struct mmdb_value name;
		if (!read_value(data, &at, &name) || !read_value(data, &at, out))
			return -1;
		if (is_key(data, &name, key))
			return 1;
	}
	return 0;
}

static int find_in(struct span data, uint32_t record, const struct mmdb_field *field, struct mmdb_value *out)
{
	int got = read_value(data, &record, out) ? 1 : -1;
	for (int i = 0; got == 1 && i < MMDB_PATH && field->keys[i]; i++) {
		struct mmdb_value map = *out;
		got = map_get(data, &map, field->keys[i], out);
	}
	return got;
}

bool mmdb_find(const struct mmdb *m, uint32_t record, const struct mmdb_field *field, struct mmdb_value *out)
{
	return find_in(m->data, record, field, out) == 1;
}

static uint64_t number_of(struct span data, const struct mmdb_value *v)
{
	bool is = v->type == MMDB_U16 || v->type == MMDB_U32 || v->type == MMDB_U64;
	return is && v->size <= 8 ? big_endian(data.p + v->at, v->size) : 0;
}

uint64_t mmdb_number(const struct mmdb *m, const struct mmdb_value *v) { return number_of(m->data, v); }

struct span mmdb_string(const struct mmdb *m, const struct mmdb_value *v)
{
	return v->type == MMDB_STRING ? (struct span){ m->data.p + v->at, v->size } : (struct span){ NULL, 0 };
}

/* ---- The tree ---- */

static inline uint32_t child(const struct mmdb *m, uint32_t node, unsigned bit)
{
	const uint8_t *p = m->tree.p + (size_t)node * m->record_bits / 4;
	if (m->record_bits == 24)
		return (uint32_t)big_endian(p + 3 * bit, 3);
	if (m->record_bits == 32)
		return (uint32_t)big_endian(p + 4 * bit, 4);
	/* 28: the middle byte has the high nibbles of both. */
	return bit ? (p[3] & 15u) << 24 | (uint32_t)big_endian(p + 4, 3) : (p[3] >> 4 & 15u) << 24 | (uint32_t)big_endian(p, 3);
}

static uint32_t record_of(const struct mmdb *m, uint32_t node)
{
	return node <= m->nodes ? MMDB_NONE : node - m->nodes - SEPARATOR;
}

uint32_t mmdb_range4(const struct mmdb *m, uint32_t v4, uint32_t *first, uint32_t *last)
{
	uint32_t node = m->v4_start, below = UINT32_MAX; /* bits that were not looked at */
	for (; below && node < m->nodes; below >>= 1)
		node = child(m, node, (v4 & (below ^ below >> 1)) != 0);
	*first = v4 & ~below;
	*last = v4 | below;
	return record_of(m, node);
}

uint32_t mmdb_lookup4(const struct mmdb *m, uint32_t v4)
{
	uint32_t first, last;
	return mmdb_range4(m, v4, &first, &last);
}

uint32_t mmdb_lookup6(const struct mmdb *m, const uint8_t address[static 16])
{
	uint32_t node = 0;
	if (m->version != 6)
		return MMDB_NONE;
	for (unsigned i = 0; i < 128 && node < m->nodes; i++)
		node = child(m, node, (unsigned)address[i / 8] >> (7 - i % 8) & 1);
	return record_of(m, node);
}

/* ---- Opening ---- */

static int damaged(struct error *e, const char *what)
{
	return error_set(e, -EINVAL, "MON-ENR-005", "the database is damaged: %s", what);
}

/* The place of the metadata, behind the last marker; 0: there is none. */
static size_t find_metadata(struct span file)
{
	size_t least = file.n > MARKER_WITHIN ? file.n - MARKER_WITHIN : 0;
	for (size_t at = file.n; at >= least + MARKER; at--)
		if (!memcmp(file.p + at - MARKER, marker, MARKER))
			return at;
	return 0;
}

bool mmdb_is(struct span file) { return find_metadata(file) != 0; }

static uint64_t meta_number(struct span meta, const char *key)
{
	const struct mmdb_field field = { { key } };
	struct mmdb_value v;
	return find_in(meta, 0, &field, &v) == 1 ? number_of(meta, &v) : 0;
}

static void meta_type(struct span meta, char *out, size_t n)
{
	const struct mmdb_field field = { { "database_type" } };
	struct mmdb_value v;
	if (find_in(meta, 0, &field, &v) != 1 || v.type != MMDB_STRING)
		return;
	size_t i = 0;
	for (; i < v.size && i < n - 1; i++)
		out[i] = meta.p[v.at + i] >= ' ' && meta.p[v.at + i] < 127 ? (char)meta.p[v.at + i] : '?';
	out[i] = 0;
}

static int read_metadata(struct mmdb *m, struct span file, struct error *e)
{
	size_t at = find_metadata(file);
	if (!at)
		return error_set(e, -EINVAL, "MON-ENR-004", "no MaxMind DB, or its end is missing");
	struct span meta = { file.p + at, file.n - at };
	uint64_t nodes = meta_number(meta, "node_count"), bits = meta_number(meta, "record_size");
	uint64_t version = meta_number(meta, "ip_version"), format = meta_number(meta, "binary_format_major_version");
	if (format != 2)
		return error_set(e, -EINVAL, "MON-ENR-004", "version %llu of the MaxMind DB format; version 2 is read",
		                 (unsigned long long)format);
	if ((bits != 24 && bits != 28 && bits != 32) || (version != 4 && version != 6) || !nodes || nodes > UINT32_MAX / 2)
		return damaged(e, "its metadata make no sense");
	uint64_t tree = nodes * bits / 4, before = at - MARKER;
	if (tree + SEPARATOR > before)
		return damaged(e, "its tree is longer than the file");
	m->tree = (struct span){ file.p, tree };
	m->data = (struct span){ file.p + tree + SEPARATOR, before - tree - SEPARATOR };
	m->nodes = (uint32_t)nodes;
	m->record_bits = (uint8_t)bits;
	m->version = (uint8_t)version;
	uint64_t built = meta_number(meta, "build_epoch");
	m->built = built < 1ull << 40 ? (int64_t)built : 0;
	meta_type(meta, m->type, sizeof m->type);
	return 0;
}

/* Whether the record can be read to its end, and has one of the fields. */
static int check_record(const struct mmdb *m, uint32_t record, const struct mmdb_field *fields, int n)
{
	int any = 0;
	for (int i = 0; i < n; i++) {
		struct mmdb_value v;
		int got = find_in(m->data, record, &fields[i], &v);
		if (got < 0)
			return -1;
		any |= got;
	}
	return any;
}

/* Every record of the tree, in the order of the nodes; neighbours mostly share few records, so those are remembered. */
static int check_tree(const struct mmdb *m, const struct mmdb_field *fields, int n, struct error *e)
{
	uint32_t known[4096];
	bool any = false;
	memset(known, 0xff, sizeof known);
	for (uint32_t i = 0; i < 2 * m->nodes; i++) {
		uint32_t to = child(m, i / 2, i & 1), record = record_of(m, to);
		if (to <= m->nodes || known[record % 4096] == record)
			continue;
		int got = to - m->nodes < SEPARATOR ? -1 : check_record(m, record, fields, n);
		if (got < 0)
			return damaged(e, "its tree points to bytes that are no record");
		any |= got > 0;
		known[record % 4096] = record;
	}
	if (!any)
		return error_set(e, -EINVAL, "MON-ENR-006", "no record of the database says %s", fields[0].keys[0]);
	return 0;
}

int mmdb_open(struct mmdb *m, struct span file, const struct mmdb_field *fields, int n, struct error *e)
{
	*m = (struct mmdb){ 0 };
	int rc = read_metadata(m, file, e);
	if (!rc)
		rc = check_tree(m, fields, n, e);
	if (rc)
		return rc;
	/* An IPv4 address is ::a.b.c.d in a tree of both families. */
	for (int i = 0; m->version == 6 && i < 96 && m->v4_start < m->nodes; i++)
		m->v4_start = child(m, m->v4_start, 0);
	return 0;
}
