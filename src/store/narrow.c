#include "store/narrow.h"

#include <string.h>

/* Numbers of the columns of flow in tables.def. */
#define TABLE(table, what) enum {
#define KEY(table, name, type, what) AT_##table##_##name,
#define COL(table, name, type, merge, what) AT_##table##_##name,
#define END(table) AT_##table##_END };
#include "model/tables.def"
#undef TABLE
#undef KEY
#undef COL
#undef END

_Static_assert(NARROW_SOURCE == AT_flow_source - 1, "behind the minute");

bool narrow_from(const struct flow_record *f, struct narrow_flow *out)
{
	if (!addr_is_v4(&f->source) || f->packets > UINT16_MAX || f->destinations > UINT16_MAX || f->attempts > UINT16_MAX ||
	    f->accesses > UINT16_MAX || f->bytes > UINT32_MAX)
		return false;
	*out = (struct narrow_flow){
		.source = addr_v4(&f->source), .minute = (int32_t)f->minute, .port = f->port, .protocol = f->protocol,
		.class = f->class, .tags = f->tags, .rules = f->rules, .packets = (uint16_t)f->packets,
		.destinations = (uint16_t)f->destinations, .attempts = (uint16_t)f->attempts, .accesses = (uint16_t)f->accesses,
		.bytes = (uint32_t)f->bytes, .length_min = f->length_min, .length_max = f->length_max, .ttl_min = f->ttl_min,
		.ttl_max = f->ttl_max, .first = f->first, .last = f->last, .tcp_flags = f->tcp_flags,
	};
	record_put_syn(out->syn, &f->syn);
	return true;
}

uint64_t narrow_key(const struct narrow_flow *f)
{
	return sort_flow_key(f->protocol, f->class, f->rules, f->source, f->port);
}

/* ---- Into vectors ---- */
struct columns {
	int32_t *minute;
	uint32_t *source, *packets, *destinations, *attempts, *accesses;
	uint64_t *bytes;
	uint16_t *port, *tags, *rules, *length_min, *length_max;
	uint8_t *protocol, *class, *ttl_min, *ttl_max, *first, *last, *tcp_flags;
	duckdb_string_t *syn;
	struct told { /* 64 rows a word; 0: NULL */
		uint64_t *destinations, *attempts, *accesses, *bytes, *length_max, *ttl_max, *last, *syn;
	} valid;
};

static duckdb_vector vector_of(duckdb_data_chunk out, unsigned column)
{
	return duckdb_data_chunk_get_vector(out, column - (column > AT_flow_sensor)); /* the path has the sensor */
}

static uint64_t *validity(duckdb_data_chunk out, unsigned column)
{
	duckdb_vector v = vector_of(out, column);
	duckdb_vector_ensure_validity_writable(v);
	return duckdb_vector_get_validity(v);
}

#define DATA(name) .name = duckdb_vector_get_data(vector_of(out, AT_flow_##name))
#define VALID(name) .valid.name = validity(out, AT_flow_##name)

static struct columns columns_of(duckdb_data_chunk out)
{
	return (struct columns){
		DATA(minute), DATA(source), DATA(port), DATA(protocol), DATA(class), DATA(tags), DATA(rules), DATA(packets),
		DATA(destinations), DATA(attempts), DATA(accesses), DATA(bytes), DATA(length_min), DATA(length_max), DATA(ttl_min),
		DATA(ttl_max), DATA(first), DATA(last), DATA(tcp_flags), DATA(syn), VALID(destinations), VALID(attempts),
		VALID(accesses), VALID(bytes), VALID(length_max), VALID(ttl_max), VALID(last), VALID(syn),
	};
}

/* Points to the row's bytes, which stay until the statement has ended. */
static inline duckdb_string_t syn_of(const struct narrow_flow *f)
{
	duckdb_string_t s = { .value.pointer = { .length = sizeof f->syn, .ptr = (char *)(uintptr_t)f->syn } };
	memcpy(s.value.pointer.prefix, f->syn, sizeof s.value.pointer.prefix);
	return s;
}

#define PUT(name) c->name[i] = f->name
#define PUT_TOLD(name, same) (c->name[i] = f->name, told[AT_flow_##name] |= (uint64_t)(f->name != (same)) << k)

/* At most 64 rows from `at` on, a multiple of 64. */
static void put_rows(const struct narrow_flow *const *row, uint32_t n, uint32_t at, const struct columns *c)
{
	uint64_t told[AT_flow_END] = { 0 };
	for (uint32_t k = 0, i = at; k < n; k++, i++) {
		const struct narrow_flow *f = row[k];
		PUT(minute), PUT(source), PUT(port), PUT(protocol), PUT(class), PUT(tags), PUT(rules), PUT(packets);
		PUT_TOLD(destinations, f->packets);
		PUT_TOLD(attempts, f->packets);
		PUT_TOLD(accesses, f->packets);
		PUT_TOLD(bytes, (uint64_t)f->packets * f->length_min);
		PUT(length_min), PUT(ttl_min), PUT(first), PUT(tcp_flags);
		PUT_TOLD(length_max, f->length_min);
		PUT_TOLD(ttl_max, f->ttl_min);
		PUT_TOLD(last, f->first);
		c->syn[i] = syn_of(f);
		told[AT_flow_syn] |= (uint64_t)(f->syn[offsetof(struct syn_profile, flags)] != 0) << k;
	}
#define STORE_TOLD(name) c->valid.name[at / 64] = told[AT_flow_##name]
	STORE_TOLD(destinations), STORE_TOLD(attempts), STORE_TOLD(accesses), STORE_TOLD(bytes), STORE_TOLD(length_max);
	STORE_TOLD(ttl_max), STORE_TOLD(last), STORE_TOLD(syn);
}

static int add_up(const struct narrow_flow *const *row, uint32_t n, struct narrow_sums *sums, struct error *e)
{
	int rc = 0;
	for (uint32_t k = 0; !rc && k < n; k++) {
		const struct narrow_flow *f = row[k];
		sums->from = f->minute < sums->from ? f->minute : sums->from;
		sums->to = f->minute > sums->to ? f->minute : sums->to;
		rc = rollup_add(sums->rollup, &(struct rollup_flow){ f->minute, f->port, f->protocol, f->class, f->packets,
		                                                     f->accesses, f->attempts, f->bytes }, e);
	}
	return rc;
}

#define AHEAD 64 /* rows asked for early: in the order of parts they lie anywhere */

int narrow_put(const struct narrow_flow *rows, const struct sort_item *item, uint32_t n, uint32_t left,
               duckdb_data_chunk out, struct narrow_sums *sums, struct error *e)
{
	struct columns c = columns_of(out);
	int rc = 0;
	for (uint32_t at = 0, some; !rc && at < n; at += some) {
		const struct narrow_flow *row[64];
		some = n - at < 64 ? n - at : 64;
		for (uint32_t k = 0; k < some; k++) {
			uint32_t next = at + k + AHEAD;
			__builtin_prefetch(&rows[item[next < left ? next : at].row]);
			row[k] = &rows[item[at + k].row];
		}
		put_rows(row, some, at, &c);
		rc = add_up(row, some, sums, e);
	}
	return rc;
}
