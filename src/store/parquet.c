#include "store/parquet.h"

#include "base/bytes.h"
#include "store/encode.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define DICTIONARY 4096      /* values, at most: what has more ascends mostly and goes as deltas */
#define SPAN 65536u          /* of values that are told apart by a table */
#define SLOTS (4 * DICTIONARY)
#define RAW ((size_t)2 << 20)  /* of a page: 32,768 values of bytes, or a group's numbers as they are */
#define OUT ((size_t)4 << 20)
#define HEAD 64              /* of a page, at most */
#define CHUNK 256            /* of a chunk's place in the footer, at most, but its name */

struct parquet { /* large: mapped, and touched as far as it is used */
	const struct env *env;
	int fd;
	const struct parquet_column *column;
	uint32_t n, groups;
	uint64_t rows, at;   /* rows of groups; bytes written */
	uint8_t *footer;     /* the groups' part of it */
	size_t footer_n, footer_room;
	ZSTD_CCtx *zstd;
	XXH3_state_t hash;
	struct slot {
		uint32_t value;
		uint16_t code; /* 1 + it; 0: free */
	} slot[SLOTS];
	uint32_t dictionary[SPAN];
	uint16_t of_value[SPAN]; /* 1 + the code of a value less the least */
	uint32_t value[PARQUET_GROUP]; /* of a column, those that are not NULL */
	uint16_t code[PARQUET_GROUP + ENCODE_GROUP];
	uint8_t raw[RAW];    /* a page that grows */
	size_t out_n;
	uint8_t out[OUT];    /* to be written */
};

/* ---- Thrift's compact protocol: what pages and the footer are described in ---- */
enum thrift { THRIFT_TRUE = 1, THRIFT_I32 = 5, THRIFT_I64 = 6, THRIFT_BINARY = 8, THRIFT_LIST = 9, THRIFT_STRUCT = 12 };

/* `step`: from the number of the field before. */
static uint8_t *put_field(uint8_t *to, unsigned step, enum thrift type)
{
	*to++ = (uint8_t)(step << 4 | type);
	return to;
}

static uint8_t *put_i32(uint8_t *to, unsigned step, int64_t v) { return encode_zigzag(put_field(to, step, THRIFT_I32), v); }
static uint8_t *put_i64(uint8_t *to, unsigned step, int64_t v) { return encode_zigzag(put_field(to, step, THRIFT_I64), v); }

static uint8_t *put_binary(uint8_t *to, const void *p, size_t n)
{
	to = encode_varint(to, n);
	memcpy(to, p, n);
	return to + n;
}

static uint8_t *put_text(uint8_t *to, unsigned step, const char *text)
{
	return put_binary(put_field(to, step, THRIFT_BINARY), text, strlen(text));
}

static uint8_t *put_list(uint8_t *to, unsigned step, enum thrift of, uint32_t n)
{
	to = put_field(to, step, THRIFT_LIST);
	if (n < 15) {
		*to++ = (uint8_t)(n << 4 | of);
		return to;
	}
	*to++ = (uint8_t)(0xf0 | of);
	return encode_varint(to, n);
}

static uint8_t *put_stop(uint8_t *to)
{
	*to++ = 0;
	return to;
}

/* ---- Types ---- */
enum physical { INT32 = 1, INT64 = 2, BYTE_ARRAY = 6, FIXED = 7 };
enum encoding { PLAIN = 0, RLE = 3, DELTA_BINARY_PACKED = 5, RLE_DICTIONARY = 8 };
enum { CODEC_ZSTD = 6, OPTIONAL = 1, NOT_CONVERTED = -1, FIELD_UUID = 14 };

static enum physical physical_of(duckdb_type type)
{
	switch (type) {
	case DUCKDB_TYPE_UBIGINT: return INT64;
	case DUCKDB_TYPE_BLOB: case DUCKDB_TYPE_VARCHAR: return BYTE_ARRAY;
	case DUCKDB_TYPE_UUID: return FIXED;
	default: return INT32;
	}
}

static int converted_of(duckdb_type type)
{
	switch (type) {
	case DUCKDB_TYPE_VARCHAR: return 0;
	case DUCKDB_TYPE_UTINYINT: return 11;
	case DUCKDB_TYPE_USMALLINT: return 12;
	case DUCKDB_TYPE_UINTEGER: return 13;
	case DUCKDB_TYPE_UBIGINT: return 14;
	case DUCKDB_TYPE_INTEGER: return 17;
	default: return NOT_CONVERTED;
	}
}

static bool is_number(duckdb_type type) { return physical_of(type) <= INT64; }

/* A number in the order of unsigned ones, and back. */
static uint32_t bias_of(duckdb_type type) { return type == DUCKDB_TYPE_INTEGER ? 1u << 31 : 0; }

static uint8_t *put_number(uint8_t *to, duckdb_type type, uint32_t v)
{
	store_le64(to, v);
	return to + (physical_of(type) == INT64 ? 8 : 4);
}

/* ---- Making and ending ---- */
int parquet_init(struct parquet **out, const struct env *env, struct error *e)
{
	struct parquet *p = env_alloc(env, sizeof *p);
	if (!p)
		return error_no_memory(e, "writing parts");
	p->env = env;
	p->fd = -1;
	p->footer_room = 1 << 14;
	p->footer = env_alloc(env, p->footer_room);
	p->zstd = ZSTD_createCCtx();
	if (!p->footer || !p->zstd) {
		parquet_fini(p);
		return error_no_memory(e, "writing parts");
	}
	*out = p;
	return 0;
}

void parquet_fini(struct parquet *p)
{
	if (!p)
		return;
	env_free(p->env, p->footer, p->footer_room);
	ZSTD_freeCCtx(p->zstd);
	env_free(p->env, p, sizeof *p);
}

/* ---- The file ---- */
static int fails(struct error *e, int rc)
{
	return error_set(e, rc, "MON-STO-004", "a part cannot be written: %s", strerror(-rc));
}

static int flush(struct parquet *p, struct error *e)
{
	int rc = env_pwrite_all(p->env, p->fd, p->out, p->out_n, (off_t)p->at);
	if (rc)
		return fails(e, rc);
	XXH3_128bits_update(&p->hash, p->out, p->out_n);
	p->at += p->out_n;
	p->out_n = 0;
	return 0;
}

static void put_out(struct parquet *p, const void *bytes, size_t n)
{
	memcpy(p->out + p->out_n, bytes, n);
	p->out_n += n;
}

int parquet_begin(struct parquet *p, const char *path, const struct parquet_column *column, uint32_t n, struct error *e)
{
	p->column = column;
	p->n = n;
	p->groups = 0;
	p->rows = p->at = 0;
	p->out_n = p->footer_n = 0;
	XXH3_INITSTATE(&p->hash);
	XXH3_128bits_reset(&p->hash);
	put_out(p, "PAR1", 4);
	p->fd = p->env->open(p->env, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	return p->fd < 0 ? fails(e, p->fd) : 0;
}

/* ---- Pages ---- */
struct chunk { /* a column of a group */
	const struct parquet_column *column;
	const struct parquet_values *values;
	uint32_t rows, present; /* present: not NULL */
	bool same;              /* all that are present */
	uint32_t least, greatest;
	uint32_t n_dictionary;  /* 0: there is none */
	uint64_t dictionary_at, data_at, end;
	uint64_t uncompressed;
	enum encoding encoding;
};

static uint8_t *page_head(uint8_t *to, const struct chunk *c, bool dictionary, size_t raw, size_t packed)
{
	to = put_i32(to, 1, dictionary ? 2 : 0);
	to = put_i32(to, 1, (int64_t)raw);
	to = put_i32(to, 1, (int64_t)packed);
	to = put_field(to, dictionary ? 4 : 2, THRIFT_STRUCT);
	to = put_i32(to, 1, dictionary ? c->n_dictionary : c->rows);
	to = put_i32(to, 1, dictionary ? PLAIN : c->encoding);
	if (!dictionary) {
		to = put_i32(to, 1, RLE);
		to = put_i32(to, 1, RLE);
	}
	return put_stop(put_stop(to));
}

/* What lies in `raw` up to `end`, as a page. */
static int put_page(struct parquet *p, struct chunk *c, bool dictionary, const uint8_t *end, struct error *e)
{
	uint8_t head[HEAD];
	size_t n = (size_t)(end - p->raw), most = HEAD + ZSTD_compressBound(n);
	int rc = p->out_n + most > OUT ? flush(p, e) : 0;
	if (rc)
		return rc;
	uint8_t *body = p->out + p->out_n + HEAD;
	size_t packed = ZSTD_compressCCtx(p->zstd, body, most - HEAD, p->raw, n, 1);
	if (ZSTD_isError(packed))
		return error_set(e, -ENOMEM, "MON-STO-004", "a part cannot be written: %s", ZSTD_getErrorName(packed));
	size_t head_n = (size_t)(page_head(head, c, dictionary, n, packed) - head);
	*(dictionary ? &c->dictionary_at : &c->data_at) = p->at + p->out_n;
	put_out(p, head, head_n);
	memmove(p->out + p->out_n, body, packed);
	p->out_n += packed;
	c->uncompressed += head_n + n;
	c->end = p->at + p->out_n;
	return 0;
}

/* ---- Values ---- */
static inline uint32_t value_at(const void *data, unsigned width, uint32_t i)
{
	return width == 1 ? ((const uint8_t *)data)[i] : width == 2 ? ((const uint16_t *)data)[i] : ((const uint32_t *)data)[i];
}

static inline __attribute__((always_inline)) uint32_t take(uint32_t *to, const struct parquet_values *v, unsigned width,
                                                           uint32_t rows, uint32_t bias)
{
	uint32_t n = 0;
	if (v->nulls == PARQUET_NONE) {
		for (; n < rows; n++)
			to[n] = value_at(v->data, width, n) ^ bias;
		return n;
	}
	for (uint32_t at = 0; at < rows; at += 64) {
		uint64_t set = v->valid[at / 64];
		set = rows - at < 64 ? set & ((1ull << (rows - at)) - 1) : set;
		for (; set; set &= set - 1)
			to[n++] = value_at(v->data, width, at + (uint32_t)__builtin_ctzll(set)) ^ bias;
	}
	return n;
}

/* All that are not NULL, ordered as unsigned numbers are. */
static void take_values(struct parquet *p, struct chunk *c)
{
	const struct parquet_values *v = c->values;
	uint32_t rows = v->same ? 1 : c->rows, bias = bias_of(c->column->type), least = UINT32_MAX, greatest = 0;
	uint32_t n = v->nulls == PARQUET_ALL ? 0 : v->width == 1 ? take(p->value, v, 1, rows, bias) :
	             v->width == 2 ? take(p->value, v, 2, rows, bias) : take(p->value, v, 4, rows, bias);
	for (uint32_t i = 0; i < n; i++) {
		least = p->value[i] < least ? p->value[i] : least;
		greatest = p->value[i] > greatest ? p->value[i] : greatest;
	}
	c->present = v->same && n ? c->rows : n;
	c->same = n && least == greatest;
	c->least = least;
	c->greatest = greatest;
}

/* ---- Dictionaries: codes in the order in which values come ---- */
static void code_by_table(struct parquet *p, struct chunk *c, uint32_t n)
{
	memset(p->of_value, 0, (c->greatest - c->least + 1) * sizeof *p->of_value);
	for (uint32_t i = 0; i < n; i++) {
		uint16_t *code = &p->of_value[p->value[i] - c->least];
		if (!*code) {
			p->dictionary[c->n_dictionary++] = p->value[i];
			*code = (uint16_t)c->n_dictionary;
		}
		p->code[i] = (uint16_t)(*code - 1);
	}
}

static struct slot *slot_of(struct parquet *p, uint32_t value)
{
	uint32_t at = (uint32_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SLOTS;
	while (p->slot[at].code && p->slot[at].value != value)
		at = (at + 1) % SLOTS;
	return &p->slot[at];
}

static void code_by_slots(struct parquet *p, struct chunk *c, uint32_t n)
{
	memset(p->slot, 0, sizeof p->slot);
	for (uint32_t i = 0; i < n && c->n_dictionary <= DICTIONARY; i++) {
		if (i && p->value[i] == p->value[i - 1]) {
			p->code[i] = p->code[i - 1];
			continue;
		}
		struct slot *s = slot_of(p, p->value[i]);
		if (!s->code) {
			p->dictionary[c->n_dictionary++] = p->value[i];
			*s = (struct slot){ p->value[i], (uint16_t)c->n_dictionary };
		}
		p->code[i] = (uint16_t)(s->code - 1);
	}
}

/* Bytes always have one. */
static void make_dictionary(struct parquet *p, struct chunk *c)
{
	uint32_t n = c->same ? 1 : c->present;
	if (n && c->greatest - c->least < SPAN)
		code_by_table(p, c, n);
	else
		code_by_slots(p, c, n);
	if (is_number(c->column->type) && c->n_dictionary > DICTIONARY)
		c->n_dictionary = 0;
	c->encoding = c->n_dictionary ? RLE_DICTIONARY :
	              c->present && physical_of(c->column->type) == INT32 ? DELTA_BINARY_PACKED : PLAIN;
}

static int put_dictionary(struct parquet *p, struct chunk *c, struct error *e)
{
	uint8_t *to = p->raw;
	const struct parquet_values *v = c->values;
	duckdb_type type = c->column->type;
	for (uint32_t i = 0; i < c->n_dictionary; i++) {
		if (is_number(type)) {
			to = put_number(to, type, p->dictionary[i] ^ bias_of(type));
			continue;
		}
		store_le32(to, v->bytes_n);
		to += type == DUCKDB_TYPE_UUID ? 0 : 4;
		memcpy(to, v->bytes + (size_t)v->bytes_n * p->dictionary[i], v->bytes_n);
		to += v->bytes_n;
	}
	return c->n_dictionary ? put_page(p, c, true, to, e) : 0;
}

/* ---- Columns ---- */
static uint8_t *put_levels(uint8_t *to, const struct chunk *c)
{
	uint8_t *end = encode_bits(to + 4, c->values->valid, c->rows, c->present);
	store_le32(to, (uint32_t)(end - to - 4));
	return end;
}

static uint8_t *put_codes(struct parquet *p, const struct chunk *c, uint8_t *to)
{
	unsigned width = encode_width(c->n_dictionary - 1);
	width = width ? width : 1;
	*to++ = (uint8_t)width;
	if (c->same)
		return encode_run(to, 0, c->present, width);
	return encode_codes(to, p->code, c->present, width);
}

static int put_data(struct parquet *p, struct chunk *c, struct error *e)
{
	uint8_t *to = put_levels(p->raw, c);
	duckdb_type type = c->column->type;
	uint32_t bias = bias_of(type);
	if (c->encoding == RLE_DICTIONARY)
		to = put_codes(p, c, to);
	for (uint32_t i = 0; c->encoding != RLE_DICTIONARY && bias && i < c->present; i++)
		p->value[i] ^= bias;
	if (c->encoding == DELTA_BINARY_PACKED)
		to = encode_deltas(to, p->value, c->present);
	for (uint32_t i = 0; c->encoding == PLAIN && i < c->present; i++)
		to = put_number(to, type, p->value[i]);
	return put_page(p, c, false, to, e);
}

/* ---- The footer ---- */
static int footer_room(struct parquet *p, size_t n, struct error *e)
{
	if (p->footer_n + n <= p->footer_room)
		return 0;
	size_t room = 2 * p->footer_room;
	uint8_t *grown = env_grow(p->env, p->footer, p->footer_room, room);
	if (!grown)
		return error_no_memory(e, "writing parts");
	p->footer = grown;
	p->footer_room = room;
	return 0;
}

static uint8_t *put_statistics(uint8_t *to, unsigned step, const struct chunk *c)
{
	uint8_t number[8];
	duckdb_type type = c->column->type;
	to = put_i64(put_field(to, step, THRIFT_STRUCT), 3, c->rows - c->present);
	if (is_number(type) && c->present) {
		size_t n = (size_t)(put_number(number, type, c->greatest ^ bias_of(type)) - number);
		to = put_binary(put_field(to, 2, THRIFT_BINARY), number, n);
		put_number(number, type, c->least ^ bias_of(type));
		to = put_binary(put_field(to, 1, THRIFT_BINARY), number, n);
	}
	return put_stop(to);
}

/* Where a column of a group lies, and what is in it. */
static uint8_t *put_chunk(uint8_t *to, const struct chunk *c)
{
	uint64_t from = c->n_dictionary ? c->dictionary_at : c->data_at;
	to = put_i64(to, 2, (int64_t)from);
	to = put_i32(put_field(to, 1, THRIFT_STRUCT), 1, physical_of(c->column->type));
	to = put_list(to, 1, THRIFT_I32, 1);
	to = encode_zigzag(to, c->encoding);
	to = put_list(to, 1, THRIFT_BINARY, 1);
	to = put_binary(to, c->column->name, strlen(c->column->name));
	to = put_i32(to, 1, CODEC_ZSTD);
	to = put_i64(to, 1, c->rows);
	to = put_i64(to, 1, (int64_t)c->uncompressed);
	to = put_i64(to, 1, (int64_t)(c->end - from));
	to = put_i64(to, 2, (int64_t)c->data_at);
	if (c->n_dictionary)
		to = put_i64(to, 2, (int64_t)c->dictionary_at);
	to = put_statistics(to, c->n_dictionary ? 1 : 3, c);
	return put_stop(put_stop(to));
}

int parquet_group(struct parquet *p, const struct parquet_values *v, uint32_t rows, struct error *e)
{
	uint64_t uncompressed = 0;
	int rc = footer_room(p, (p->n + 1) * CHUNK, e);
	uint8_t *to = rc ? NULL : put_list(p->footer + p->footer_n, 1, THRIFT_STRUCT, p->n);
	for (uint32_t i = 0; !rc && i < p->n; i++) {
		struct chunk c = { .column = &p->column[i], .values = &v[i], .rows = rows };
		take_values(p, &c);
		make_dictionary(p, &c);
		rc = put_dictionary(p, &c, e);
		if (!rc)
			rc = put_data(p, &c, e);
		to = rc ? to : put_chunk(to, &c);
		uncompressed += c.uncompressed;
	}
	if (rc)
		return rc;
	to = put_i64(to, 1, (int64_t)uncompressed);
	to = put_stop(put_i64(to, 1, rows));
	p->footer_n = (size_t)(to - p->footer);
	p->rows += rows;
	p->groups++;
	return 0;
}

static uint8_t *put_element(uint8_t *to, const struct parquet_column *c)
{
	int converted = converted_of(c->type);
	bool uuid = c->type == DUCKDB_TYPE_UUID;
	to = put_i32(to, 1, physical_of(c->type));
	if (uuid)
		to = put_i32(to, 1, 16);
	to = put_i32(to, uuid ? 1 : 2, OPTIONAL);
	to = put_text(to, 1, c->name);
	if (converted != NOT_CONVERTED)
		to = put_i32(to, 2, converted);
	if (uuid) /* a union with an empty struct */
		to = put_stop(put_stop(put_field(put_field(to, 6, THRIFT_STRUCT), FIELD_UUID, THRIFT_STRUCT)));
	return put_stop(to);
}

static uint8_t *put_schema(const struct parquet *p, uint8_t *to)
{
	to = put_list(to, 1, THRIFT_STRUCT, p->n + 1);
	to = put_text(to, 4, "rows");
	to = put_stop(put_i32(to, 1, p->n));
	for (uint32_t i = 0; i < p->n; i++)
		to = put_element(to, &p->column[i]);
	return to;
}

/* That least and greatest are in the order of each column's type. */
static uint8_t *put_orders(const struct parquet *p, uint8_t *to)
{
	to = put_list(to, 1, THRIFT_STRUCT, p->n);
	for (uint32_t i = 0; i < p->n; i++)
		to = put_stop(put_stop(put_field(to, 1, THRIFT_STRUCT)));
	return to;
}

static int put_footer(struct parquet *p, struct error *e)
{
	int rc = flush(p, e);
	if (rc)
		return rc;
	uint8_t *to = put_schema(p, put_i32(p->raw, 1, 2));
	to = put_i64(to, 1, (int64_t)p->rows);
	to = put_list(to, 1, THRIFT_STRUCT, p->groups);
	size_t before = (size_t)(to - p->raw);
	put_out(p, p->raw, before);
	for (size_t at = 0, some; !rc && at < p->footer_n; at += some) {
		some = p->footer_n - at < OUT / 2 ? p->footer_n - at : OUT / 2;
		put_out(p, p->footer + at, some);
		rc = flush(p, e);
	}
	to = put_stop(put_orders(p, put_text(p->raw, 2, "monomi")));
	size_t after = (size_t)(to - p->raw);
	store_le32(to, (uint32_t)(before + p->footer_n + after));
	memcpy(to + 4, "PAR1", 4);
	put_out(p, p->raw, after + 8);
	return rc ? rc : flush(p, e);
}

int parquet_end(struct parquet *p, int rc, uint64_t *bytes, struct digest *digest, struct error *e)
{
	rc = rc ? rc : put_footer(p, e);
	int closed = p->fd < 0 ? 0 : p->env->close(p->env, p->fd);
	p->fd = -1;
	XXH128_hash_t h = XXH3_128bits_digest(&p->hash);
	*digest = (struct digest){ h.low64, h.high64 };
	*bytes = p->at;
	return !rc && closed ? fails(e, closed) : rc;
}
