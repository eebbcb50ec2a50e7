/* Reads a MaxMind DB (format 2.0, maxmind.github.io/MaxMind-DB) that lies in memory. Its bytes are hostile: every record of
 * the tree and all that it points to are checked once, when it is opened. */
#pragma once
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* What an answer is made of. A field is a path of keys through maps. */
#define MMDB_PATH 3
struct mmdb_field {
	const char *keys[MMDB_PATH]; /* ends with NULL */
};

struct mmdb_value {
	uint8_t type;
	uint32_t size; /* bytes of a string or number, entries of a map or array */
	uint32_t at;   /* of its payload, in the data section */
};

enum mmdb_type {
	MMDB_POINTER = 1, MMDB_STRING, MMDB_DOUBLE, MMDB_BYTES, MMDB_U16, MMDB_U32, MMDB_MAP, MMDB_I32, MMDB_U64, MMDB_U128,
	MMDB_ARRAY, MMDB_CACHE, MMDB_END, MMDB_BOOL, MMDB_FLOAT
};

struct mmdb {
	struct span tree, data;
	uint32_t nodes;
	uint32_t v4_start; /* the node of ::/96; of the root in a database of IPv4 alone */
	uint8_t record_bits, version;
	int64_t built;
	char type[64];
};

#define MMDB_NONE UINT32_MAX

/* Whether it looks like one: its end is there. */
bool mmdb_is(struct span file);

/* `file` stays the caller's and must live as long. Wants at least one record to have one of the fields.
 * MON-ENR-004 to 006. */
int mmdb_open(struct mmdb *m, struct span file, const struct mmdb_field *fields, int n, struct error *e) MUST_USE;

/* The place of the record for an address (IPv4: its 32 bits in `v4`), for mmdb_find; MMDB_NONE: it has none. */
uint32_t mmdb_lookup4(const struct mmdb *m, uint32_t v4);
/* The same, which holds for all addresses *first … *last too. */
uint32_t mmdb_range4(const struct mmdb *m, uint32_t v4, uint32_t *first, uint32_t *last);
uint32_t mmdb_lookup6(const struct mmdb *m, const uint8_t address[static 16]);

bool mmdb_find(const struct mmdb *m, uint32_t record, const struct mmdb_field *field, struct mmdb_value *out);
uint64_t mmdb_number(const struct mmdb *m, const struct mmdb_value *v); /* 0 when it is none, or has over 8 bytes */
struct span mmdb_string(const struct mmdb *m, const struct mmdb_value *v); /* empty when it is none */
