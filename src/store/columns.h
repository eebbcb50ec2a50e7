/* Columns of tables at rest, and rows between structs and DuckDB's vectors. docs/formats/store.md lists them for readers.
 *
 * A shape is a list of columns: where each lies in a row (a struct), its type, and which other column tells it when it is
 * NULL. Those of observed tables are made from tables.def.
 */
#pragma once
#include "base/env.h"
#include "model/records.h"
#include "model/window.h"

#include <duckdb.h>

enum store_table { STORE_FLOW, STORE_PAYLOAD, STORE_VICTIM, STORE_EVIDENCE, STORE_TABLES };

enum column_type {
	COLUMN_u8, COLUMN_u16, COLUMN_u32, COLUMN_u64,
	COLUMN_i32, COLUMN_i64,
	COLUMN_time,     /* i64; INT64_MIN: NULL */
	COLUMN_hour,     /* u32 of which 24 bits count; an INTEGER with their sign */
	COLUMN_second,   /* u32 of a struct staged_victim, whose minute tells the rest; a BIGINT */
	COLUMN_addr,     /* struct addr of either family: UUID */
	COLUMN_addr4,    /* struct addr of IPv4: UINTEGER */
	COLUMN_hash,     /* 16 bytes: UUID */
	COLUMN_digest,   /* struct digest: UUID */
	COLUMN_syn,      /* BLOB; NULL when there is none */
	COLUMN_kind,     /* u8; NULL: REPLY_UNKNOWN */
	COLUMN_sample,   /* struct reply_sample: BLOB of its elements; NULL: none */
	COLUMN_bytes,    /* u64; NULL: packets × length_min, of a flow */
	COLUMN_text,     /* const char *; NULL: NULL */
	COLUMN_blob,     /* struct blob */
	COLUMN_country,  /* two letters, VARCHAR; zeros: NULL */
};

struct column {
	const char *name;
	enum column_type type;
	uint16_t at;   /* offset in the row */
	int16_t same;  /* offset of the column that has the value of one that is NULL; -1: never NULL */
};

#define COLUMNS_MAX 32
struct shape {
	size_t width; /* of a row in memory */
	uint32_t n;
	struct column column[COLUMNS_MAX];
};

#define BLOB_NULL UINT32_MAX
struct blob {
	uint32_t at, n; /* in the heap that goes with the rows; n BLOB_NULL: NULL */
};

/* ---- Observed rows as they are staged ---- */
struct staged_victim {
	struct victim_second_record row;
	int32_t minute;
};

struct staged_evidence {
	struct source_evidence_record row;
	struct blob tuples, registers, keys;
};

/* The shape of a table's IPv4 or IPv6 rows, and its name ("flow4"). */
void shape_of(enum store_table table, bool v4, struct shape *out);
const char *shape_name(enum store_table table, bool v4);

/* In SQL, to follow a SELECT of all columns: those that older parts of the table may lack, without rows. */
const char *shape_added(enum store_table table);

int32_t staged_minute(enum store_table table, const void *row); /* of evidence: the first of its hour */
const struct addr *staged_addr(enum store_table table, const void *row);

#define TUPLE_BYTES 5 /* of a hash in a tuple_set: its upper 40 bits, which are all it has */

/* ---- Vectors ---- */
duckdb_type column_duckdb_type(enum column_type type);
/* Rows order[0..n) (NULL: 0..n) into a vector. */
void column_put(const struct shape *s, uint32_t column, const uint8_t *rows, const uint8_t *heap,
                const uint32_t *order, uint32_t n, duckdb_vector v);
/* A chunk's rows into structs, zeroed before; columns in the shape's order. Blobs are not taken. */
void shape_take(const struct shape *s, duckdb_data_chunk chunk, uint32_t n, uint8_t *rows);
