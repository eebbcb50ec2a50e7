#include "store/columns.h"

#include "base/moment.h"

#include <stddef.h>
#include <string.h>

/* ---- Shapes ---- */
#define KEY(table, name, type, what) { #name, COLUMN_##type, offsetof(struct table##_record, name), -1 },
#define COL(table, name, type, merge, what) KEY(table, name, type, what)
#define TABLE(table, what) static const struct column table##_columns[] = {
#define END(table) };
#include "model/tables.def"
#undef TABLE
#undef KEY
#undef COL
#undef END

static const struct {
	const char *name[2]; /* IPv6, IPv4 */
	const struct column *column;
	uint32_t n;
	size_t width;
} tables[STORE_TABLES] = {
#define COLUMNS_OF(a) a, sizeof a / sizeof *a
	[STORE_FLOW] = { { "flow6", "flow4" }, COLUMNS_OF(flow_columns), sizeof(struct flow_record) },
	[STORE_PAYLOAD] = { { "flow_payload6", "flow_payload4" }, COLUMNS_OF(flow_payload_columns),
	                    sizeof(struct flow_payload_record) },
	[STORE_VICTIM] = { { "victim_second6", "victim_second4" }, COLUMNS_OF(victim_second_columns),
	                   sizeof(struct staged_victim) },
	[STORE_EVIDENCE] = { { "source_evidence6", "source_evidence4" }, COLUMNS_OF(source_evidence_columns),
	                     sizeof(struct staged_evidence) },
};

/* Columns that another one tells nearly always; measured in docs/decisions/store.md. */
static const struct {
	enum store_table table;
	const char *name, *same;
} told[] = {
	{ STORE_FLOW, "destinations", "packets" }, { STORE_FLOW, "accesses", "packets" },
	{ STORE_FLOW, "attempts", "packets" }, { STORE_FLOW, "length_max", "length_min" },
	{ STORE_FLOW, "ttl_max", "ttl_min" }, { STORE_FLOW, "last", "first" },
	{ STORE_PAYLOAD, "destinations", "packets" }, { STORE_PAYLOAD, "last", "first" },
	{ STORE_VICTIM, "attackers", "packets" }, { STORE_VICTIM, "forged", "packets" },
	{ STORE_VICTIM, "length_max", "length_min" }, { STORE_VICTIM, "ttl_max", "ttl_min" },
	{ STORE_EVIDENCE, "sport_max", "sport_min" }, { STORE_EVIDENCE, "ttl_max", "ttl_min" },
};

static const struct column *column_named(enum store_table table, const char *name)
{
	const struct column *c = tables[table].column;
	while (strcmp(c->name, name))
		c++;
	return c;
}

static struct column column_at_rest(enum store_table table, bool v4, const struct column *c)
{
	struct column out = *c;
	if (!strcmp(c->name, "minute"))
		out.type = COLUMN_i32;
	else if (!strcmp(c->name, "hour"))
		out.type = COLUMN_hour;
	else if (!strcmp(c->name, "second"))
		out.type = COLUMN_second;
	else if (!strcmp(c->name, "kind"))
		out.type = COLUMN_kind;
	else if (c->type == COLUMN_addr && v4)
		out.type = COLUMN_addr4;
	else if (table == STORE_FLOW && !strcmp(c->name, "bytes"))
		out.type = COLUMN_bytes;
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		if (told[i].table == table && !strcmp(told[i].name, c->name))
			out.same = (int16_t)column_named(table, told[i].same)->at;
	return out;
}

void shape_of(enum store_table table, bool v4, struct shape *out)
{
	*out = (struct shape){ .width = tables[table].width };
	for (uint32_t i = 0; i < tables[table].n; i++)
		if (strcmp(tables[table].column[i].name, "sensor"))
			out->column[out->n++] = column_at_rest(table, v4, &tables[table].column[i]);
	if (table != STORE_EVIDENCE)
		return;
	out->column[out->n++] = (struct column){ "tuple_set", COLUMN_blob, offsetof(struct staged_evidence, tuples), -1 };
	out->column[out->n++] = (struct column){ "registers", COLUMN_blob, offsetof(struct staged_evidence, registers), -1 };
	out->column[out->n++] = (struct column){ "keys", COLUMN_blob, offsetof(struct staged_evidence, keys), -1 };
}

const char *shape_name(enum store_table table, bool v4) { return tables[table].name[v4]; }

#define NO_ORIGIN "NULL::VARCHAR AS country, NULL::UINTEGER AS as_number, NULL::UUID AS country_db, NULL::UUID AS as_db"
#define NO_KIND "NULL::UTINYINT AS kind, NULL::UINTEGER AS forged, NULL::USMALLINT AS length_min, " \
	"NULL::USMALLINT AS length_max, NULL::UTINYINT AS ttl_min, NULL::UTINYINT AS ttl_max, NULL::BLOB AS sample"

const char *shape_added(enum store_table table)
{
	switch (table) {
	case STORE_FLOW: return " UNION ALL BY NAME SELECT " NO_ORIGIN " WHERE false";
	case STORE_VICTIM: return " UNION ALL BY NAME SELECT " NO_KIND ", " NO_ORIGIN " WHERE false";
	default: return "";
	}
}

/* 24 bits with their sign: source_hour() in the tracker keeps as many. */
static int32_t hour_signed(uint32_t hour) { return (int32_t)(hour << 8) >> 8; }

int32_t staged_minute(enum store_table table, const void *row)
{
	switch (table) {
	case STORE_FLOW: return (int32_t)((const struct flow_record *)row)->minute;
	case STORE_PAYLOAD: return (int32_t)((const struct flow_payload_record *)row)->minute;
	case STORE_VICTIM: return ((const struct staged_victim *)row)->minute;
	default: return 60 * hour_signed(((const struct staged_evidence *)row)->row.hour);
	}
}

const struct addr *staged_addr(enum store_table table, const void *row)
{
	switch (table) {
	case STORE_FLOW: return &((const struct flow_record *)row)->source;
	case STORE_PAYLOAD: return &((const struct flow_payload_record *)row)->source;
	case STORE_VICTIM: return &((const struct staged_victim *)row)->row.victim;
	default: return &((const struct staged_evidence *)row)->row.source;
	}
}

/* ---- Structs to vectors ---- */
duckdb_type column_duckdb_type(enum column_type type)
{
	switch (type) {
	case COLUMN_u8: case COLUMN_kind: return DUCKDB_TYPE_UTINYINT;
	case COLUMN_u16: return DUCKDB_TYPE_USMALLINT;
	case COLUMN_u32: case COLUMN_addr4: return DUCKDB_TYPE_UINTEGER;
	case COLUMN_u64: case COLUMN_bytes: return DUCKDB_TYPE_UBIGINT;
	case COLUMN_i32: case COLUMN_hour: return DUCKDB_TYPE_INTEGER;
	case COLUMN_i64: case COLUMN_time: case COLUMN_second: return DUCKDB_TYPE_BIGINT;
	case COLUMN_addr: case COLUMN_hash: case COLUMN_digest: return DUCKDB_TYPE_UUID;
	case COLUMN_text: case COLUMN_country: return DUCKDB_TYPE_VARCHAR;
	default: return DUCKDB_TYPE_BLOB;
	}
}

/* A UUID is a hugeint whose sign bit is flipped, so that it sorts as its bytes do. */
static duckdb_hugeint uuid_of(uint64_t high, uint64_t low)
{
	return (duckdb_hugeint){ .lower = low, .upper = (int64_t)(high ^ 1ull << 63) };
}

static duckdb_hugeint uuid_of_bytes(const uint8_t *p) { return uuid_of(load_be64(p), load_be64(p + 8)); }

static duckdb_hugeint uuid_of_digest(const struct digest *d) { return uuid_of(d->hi, d->lo); }

static int64_t second_at_rest(const uint8_t *row)
{
	const struct staged_victim *v = (const struct staged_victim *)row;
	return 60 * (int64_t)v->minute + (v->row.second - 60 * (uint32_t)v->minute);
}

static uint64_t told_bytes(const uint8_t *row)
{
	const struct flow_record *f = (const struct flow_record *)row;
	return (uint64_t)f->packets * f->length_min;
}

struct putting {
	const uint8_t *rows, *heap;
	const uint32_t *order;
	size_t width;
	duckdb_vector v;
	uint64_t *valid; /* NULL: not asked for yet */
};

static inline const uint8_t *row_at(const struct putting *p, uint32_t i)
{
	return p->rows + p->width * (p->order ? p->order[i] : i);
}

static inline void put_null(struct putting *p, uint32_t i)
{
	if (!p->valid) {
		duckdb_vector_ensure_validity_writable(p->v);
		p->valid = duckdb_vector_get_validity(p->v);
	}
	p->valid[i / 64] &= ~(1ull << i % 64);
}

#define LOOP(ctype, value)                                                 \
	do {                                                               \
		ctype *to = duckdb_vector_get_data(p->v);                  \
		for (uint32_t i = 0; i < n; i++) {                         \
			const uint8_t *row = row_at(p, i);                 \
			to[i] = (ctype)(value);                            \
		}                                                          \
	} while (0)

#define LOOP_TOLD(ctype)                                                   \
	do {                                                               \
		ctype *to = duckdb_vector_get_data(p->v);                  \
		for (uint32_t i = 0; i < n; i++) {                         \
			const uint8_t *row = row_at(p, i);                 \
			ctype other;                                       \
			memcpy(&to[i], row + c->at, sizeof *to);           \
			if (c->same < 0)                                   \
				continue;                                  \
			memcpy(&other, row + c->same, sizeof other);       \
			if (to[i] == other)                                \
				put_null(p, i);                            \
		}                                                          \
	} while (0)

static void put_bytes(struct putting *p, const struct column *c, uint32_t n)
{
	uint64_t *to = duckdb_vector_get_data(p->v);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *row = row_at(p, i);
		memcpy(&to[i], row + c->at, sizeof *to);
		if (to[i] == told_bytes(row))
			put_null(p, i);
	}
}

static void put_time(struct putting *p, const struct column *c, uint32_t n)
{
	int64_t *to = duckdb_vector_get_data(p->v);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(&to[i], row_at(p, i) + c->at, sizeof *to);
		if (to[i] == INT64_MIN)
			put_null(p, i);
	}
}

static void put_syn(struct putting *p, const struct column *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct syn_profile *s = (const struct syn_profile *)(row_at(p, i) + c->at);
		uint8_t bytes[sizeof *s];
		if (!s->flags) { /* SYN_PRESENT is always set */
			put_null(p, i);
			continue;
		}
		record_put_syn(bytes, s);
		duckdb_vector_assign_string_element_len(p->v, i, (const char *)bytes, sizeof bytes);
	}
}

static void put_blob(struct putting *p, const struct column *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct blob *b = (const struct blob *)(row_at(p, i) + c->at);
		if (b->n == BLOB_NULL)
			put_null(p, i);
		else
			duckdb_vector_assign_string_element_len(p->v, i, (const char *)p->heap + b->at, b->n);
	}
}

static void put_kind(struct putting *p, const struct column *c, uint32_t n)
{
	uint8_t *to = duckdb_vector_get_data(p->v);
	for (uint32_t i = 0; i < n; i++) {
		to[i] = row_at(p, i)[c->at];
		if (to[i] == REPLY_UNKNOWN)
			put_null(p, i);
	}
}

static void put_sample(struct putting *p, const struct column *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct reply_sample *s = (const struct reply_sample *)(row_at(p, i) + c->at);
		uint8_t bytes[REPLY_SAMPLE_BYTES];
		reply_sample_store(s, bytes);
		if (s->n)
			duckdb_vector_assign_string_element_len(p->v, i, (const char *)bytes + 1, 4 * s->n);
		else
			put_null(p, i);
	}
}

static void put_text(struct putting *p, const struct column *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const char *text;
		memcpy(&text, row_at(p, i) + c->at, sizeof text);
		if (text)
			duckdb_vector_assign_string_element(p->v, i, text);
		else
			put_null(p, i);
	}
}

static void put_country(struct putting *p, const struct column *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const char *letters = (const char *)row_at(p, i) + c->at;
		if (letters[0])
			duckdb_vector_assign_string_element_len(p->v, i, letters, 2);
		else
			put_null(p, i);
	}
}

void column_put(const struct shape *s, uint32_t column, const uint8_t *rows, const uint8_t *heap,
                const uint32_t *order, uint32_t n, duckdb_vector v)
{
	const struct column *c = &s->column[column];
	struct putting putting = { rows, heap, order, s->width, v, NULL }, *p = &putting;
	switch (c->type) {
	case COLUMN_u8: LOOP_TOLD(uint8_t); break;
	case COLUMN_u16: LOOP_TOLD(uint16_t); break;
	case COLUMN_u32: case COLUMN_i32: LOOP_TOLD(uint32_t); break;
	case COLUMN_u64: case COLUMN_i64: LOOP_TOLD(uint64_t); break;
	case COLUMN_time: put_time(p, c, n); break;
	case COLUMN_hour: LOOP(int32_t, hour_signed(*(const uint32_t *)(row + c->at))); break;
	case COLUMN_second: LOOP(int64_t, second_at_rest(row)); break;
	case COLUMN_addr4: LOOP(uint32_t, load_be32(row + c->at + 12)); break;
	case COLUMN_addr: case COLUMN_hash: LOOP(duckdb_hugeint, uuid_of_bytes(row + c->at)); break;
	case COLUMN_digest: LOOP(duckdb_hugeint, uuid_of_digest((const struct digest *)(row + c->at))); break;
	case COLUMN_kind: put_kind(p, c, n); break;
	case COLUMN_sample: put_sample(p, c, n); break;
	case COLUMN_bytes: put_bytes(p, c, n); break;
	case COLUMN_syn: put_syn(p, c, n); break;
	case COLUMN_text: put_text(p, c, n); break;
	case COLUMN_blob: put_blob(p, c, n); break;
	case COLUMN_country: put_country(p, c, n); break;
	}
}

/* ---- Vectors to structs ---- */
static size_t value_size(enum column_type type)
{
	return type == COLUMN_u8 ? 1 : type == COLUMN_u16 ? 2 : type == COLUMN_u64 || type == COLUMN_i64 ? 8 : 4;
}

static void take_null(const struct column *c, uint8_t *row)
{
	uint64_t bytes = c->type == COLUMN_bytes ? told_bytes(row) : 0;
	if (c->type == COLUMN_kind)
		row[c->at] = REPLY_UNKNOWN;
	else if (c->type == COLUMN_bytes)
		memcpy(row + c->at, &bytes, sizeof bytes);
	else if (c->same >= 0)
		memcpy(row + c->at, row + c->same, value_size(c->type));
}

static void take_blob(uint8_t *out, size_t room, duckdb_string_t *s)
{
	uint32_t n = duckdb_string_t_length(*s);
	memcpy(out, duckdb_string_t_data(s), n < room ? n : room);
}

static void take_sample(struct reply_sample *out, duckdb_string_t *s)
{
	uint8_t bytes[4 * REPLY_SAMPLE];
	uint32_t n = duckdb_string_t_length(*s) / 4;
	take_blob(bytes, sizeof bytes, s);
	out->n = n < REPLY_SAMPLE ? n : REPLY_SAMPLE;
	for (uint32_t i = 0; i < out->n; i++)
		out->element[i] = load_be32(bytes + 4 * i);
}

static void take_value(const struct column *c, void *data, uint32_t i, uint8_t *row)
{
	uint8_t *to = row + c->at, bytes[24] = { 0 };
	uint32_t v32;
	uint64_t v64;
	struct addr a;
	switch (c->type) {
	case COLUMN_u8: case COLUMN_kind: *to = ((uint8_t *)data)[i]; break;
	case COLUMN_u16: memcpy(to, (uint16_t *)data + i, 2); break;
	case COLUMN_u32: case COLUMN_i32: memcpy(to, (uint32_t *)data + i, 4); break;
	case COLUMN_hour:
		v32 = ((uint32_t *)data)[i] & 0xffffff;
		memcpy(to, &v32, 4);
		break;
	case COLUMN_second:
		v32 = (uint32_t)((int64_t *)data)[i];
		memcpy(to, &v32, 4);
		break;
	case COLUMN_u64: case COLUMN_i64: case COLUMN_time: case COLUMN_bytes: memcpy(to, (uint64_t *)data + i, 8); break;
	case COLUMN_addr4:
		a = addr_from_v4(((uint32_t *)data)[i]);
		memcpy(to, &a, sizeof a);
		break;
	case COLUMN_addr: case COLUMN_hash:
		v64 = (uint64_t)((duckdb_hugeint *)data)[i].upper ^ 1ull << 63;
		store_be64(to, v64);
		store_be64(to + 8, ((duckdb_hugeint *)data)[i].lower);
		break;
	case COLUMN_digest:
		((struct digest *)to)->hi = (uint64_t)((duckdb_hugeint *)data)[i].upper ^ 1ull << 63;
		((struct digest *)to)->lo = ((duckdb_hugeint *)data)[i].lower;
		break;
	case COLUMN_syn:
		take_blob(bytes, sizeof bytes, (duckdb_string_t *)data + i);
		store_le16(bytes, load_be16(bytes));
		store_le16(bytes + 2, load_be16(bytes + 2));
		memcpy(to, bytes, sizeof bytes);
		break;
	case COLUMN_sample: take_sample((struct reply_sample *)to, (duckdb_string_t *)data + i); break;
	case COLUMN_text: case COLUMN_blob: case COLUMN_country: break;
	}
}

void shape_take(const struct shape *s, duckdb_data_chunk chunk, uint32_t n, uint8_t *rows)
{
	memset(rows, 0, n * s->width);
	for (uint32_t k = 0; k < s->n; k++) {
		duckdb_vector v = duckdb_data_chunk_get_vector(chunk, k);
		void *data = duckdb_vector_get_data(v);
		uint64_t *valid = duckdb_vector_get_validity(v);
		for (uint32_t i = 0; i < n; i++) {
			if (!valid || (valid[i / 64] >> i % 64 & 1))
				take_value(&s->column[k], data, i, rows + i * s->width);
		}
	}
	/* What another column tells, once all that were there are known. */
	for (uint32_t k = 0; k < s->n; k++) {
		uint64_t *valid = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(chunk, k));
		for (uint32_t i = 0; valid && i < n; i++)
			if (!(valid[i / 64] >> i % 64 & 1))
				take_null(&s->column[k], rows + i * s->width);
	}
}
