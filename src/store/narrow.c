#include "store/narrow.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "store/store.h"

#include <stddef.h>
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

/* ---- Columns ---- */
#define PROFILES 32768 /* of SYNs, that a group can tell apart: with one more it ends */
#define WORDS (PARQUET_GROUP / 64)
#define COUNTRY_BYTES 2

struct narrow_group {
	const struct env *env;
	struct parquet_values values[NARROW_COLUMNS];
	struct profiles {
		struct seed seed;
		uint32_t n, last;
		uint16_t slot[2 * PROFILES]; /* 1 + which */
		uint8_t bytes[PROFILES][sizeof(struct syn_profile)];
	} profiles;
	uint8_t countries[ORIGIN_COUNTRIES][COUNTRY_BYTES];
	int32_t minute[PARQUET_GROUP];
	uint32_t source[PARQUET_GROUP], bytes[PARQUET_GROUP], as_number[PARQUET_GROUP];
	uint16_t port[PARQUET_GROUP], tags[PARQUET_GROUP], rules[PARQUET_GROUP], packets[PARQUET_GROUP];
	uint16_t destinations[PARQUET_GROUP], attempts[PARQUET_GROUP], accesses[PARQUET_GROUP];
	uint16_t length_min[PARQUET_GROUP], length_max[PARQUET_GROUP], syn[PARQUET_GROUP], country[PARQUET_GROUP];
	uint8_t protocol[PARQUET_GROUP], class[PARQUET_GROUP], ttl_min[PARQUET_GROUP], ttl_max[PARQUET_GROUP];
	uint8_t first[PARQUET_GROUP], last[PARQUET_GROUP], tcp_flags[PARQUET_GROUP];
	struct told { /* 64 rows a word; 0: NULL */
		uint64_t destinations[WORDS], attempts[WORDS], accesses[WORDS], bytes[WORDS], length_max[WORDS], ttl_max[WORDS];
		uint64_t last[WORDS], syn[WORDS], country[WORDS], as_number[WORDS];
	} valid;
};

static unsigned at_rest(unsigned column) { return column - (column > AT_flow_sensor); } /* the path has the sensor */

#define VALUES(name)                                                       \
	g->values[at_rest(AT_flow_##name)] = (struct parquet_values){ .data = g->name, .width = sizeof *g->name }
#define TOLD(name)                                                         \
	VALUES(name);                                                      \
	g->values[at_rest(AT_flow_##name)].nulls = PARQUET_SOME;           \
	g->values[at_rest(AT_flow_##name)].valid = g->valid.name

static void lay_out(struct narrow_group *g)
{
	VALUES(minute), VALUES(source), VALUES(port), VALUES(protocol), VALUES(class), VALUES(tags), VALUES(rules);
	VALUES(packets), VALUES(length_min), VALUES(ttl_min), VALUES(first), VALUES(tcp_flags);
	TOLD(destinations);
	TOLD(attempts);
	TOLD(accesses);
	TOLD(bytes);
	TOLD(length_max);
	TOLD(ttl_max);
	TOLD(last);
	TOLD(syn);
	struct parquet_values *syn = &g->values[at_rest(AT_flow_syn)], *origin = &g->values[at_rest(AT_flow_END)];
	syn->bytes = g->profiles.bytes[0];
	syn->bytes_n = sizeof g->profiles.bytes[0];
	origin[0] = (struct parquet_values){ .data = g->country, .width = sizeof *g->country, .nulls = PARQUET_SOME,
	                                     .valid = g->valid.country, .bytes = g->countries[0], .bytes_n = COUNTRY_BYTES };
	origin[1] = (struct parquet_values){ .data = g->as_number, .width = sizeof *g->as_number, .nulls = PARQUET_SOME,
	                                     .valid = g->valid.as_number };
}

int narrow_group_init(struct narrow_group **out, const struct env *env, struct error *e)
{
	struct narrow_group *g = env_alloc(env, sizeof *g);
	if (!g)
		return error_no_memory(e, "writing parts");
	g->env = env;
	int rc = seed_draw(&g->profiles.seed, env);
	if (rc) {
		narrow_group_fini(g);
		return error_set(e, rc, "MON-STO-013", "no random numbers to be had");
	}
	for (uint16_t i = 0; i < ORIGIN_COUNTRIES; i++)
		origin_country(i, (char *)g->countries[i]);
	lay_out(g);
	*out = g;
	return 0;
}

void narrow_group_fini(struct narrow_group *g)
{
	if (g)
		env_free(g->env, g, sizeof *g);
}

uint32_t narrow_columns(struct parquet_column out[static NARROW_COLUMNS])
{
	struct shape shape;
	shape_of(STORE_FLOW, true, &shape);
	for (uint32_t i = 0; i < shape.n; i++)
		out[i] = (struct parquet_column){ shape.column[i].name, column_duckdb_type(shape.column[i].type) };
	return shape.n + origin_columns(out + shape.n);
}

/* ---- Profiles of SYNs ---- */
static uint32_t find_profile(struct profiles *p, const uint8_t *syn)
{
	uint64_t hash = hash_u64x2(&p->seed, load_le64(syn), hash_u64x2(&p->seed, load_le64(syn + 8), load_le64(syn + 16)));
	uint32_t at = (uint32_t)(hash >> 32) % (2 * PROFILES);
	while (p->slot[at] && memcmp(p->bytes[p->slot[at] - 1], syn, sizeof *p->bytes))
		at = (at + 1) % (2 * PROFILES);
	if (!p->slot[at]) {
		memcpy(p->bytes[p->n++], syn, sizeof *p->bytes);
		p->slot[at] = (uint16_t)p->n;
	}
	return p->slot[at] - 1u;
}

/* Rows of one source follow each other, and mostly have the same. */
static inline uint16_t profile_of(struct profiles *p, const uint8_t *syn)
{
	if (!p->n || memcmp(p->bytes[p->last], syn, sizeof *p->bytes))
		p->last = find_profile(p, syn);
	return (uint16_t)p->last;
}

static void forget_profiles(struct profiles *p)
{
	memset(p->slot, 0, sizeof p->slot);
	p->n = p->last = 0;
}

/* ---- Rows ---- */
#define PUT(name) g->name[i] = f->name
#define PUT_TOLD(name, same) (g->name[i] = f->name, told[AT_flow_##name] |= (uint64_t)(f->name != (same)) << k)

/* At most 64 rows from `at` on, a multiple of 64. */
static void put_rows(struct narrow_group *g, const struct narrow_flow *const *row, uint32_t n, uint32_t at)
{
	uint64_t told[AT_flow_END] = { 0 };
	for (uint32_t k = 0, i = at; k < n; k++, i++) {
		const struct narrow_flow *f = row[k];
		bool syn = f->syn[offsetof(struct syn_profile, flags)];
		PUT(minute), PUT(source), PUT(port), PUT(protocol), PUT(class), PUT(tags), PUT(rules), PUT(packets);
		PUT_TOLD(destinations, f->packets);
		PUT_TOLD(attempts, f->packets);
		PUT_TOLD(accesses, f->packets);
		PUT_TOLD(bytes, (uint32_t)f->packets * f->length_min);
		PUT(length_min), PUT(ttl_min), PUT(first), PUT(tcp_flags);
		PUT_TOLD(length_max, f->length_min);
		PUT_TOLD(ttl_max, f->ttl_min);
		PUT_TOLD(last, f->first);
		g->syn[i] = syn ? profile_of(&g->profiles, f->syn) : 0;
		told[AT_flow_syn] |= (uint64_t)syn << k;
	}
#define STORE_TOLD(name) g->valid.name[at / 64] = told[AT_flow_##name]
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

/* Which database was asked: the same for all rows. */
static struct parquet_values database(const uint8_t *digest)
{
	static const uint8_t first = 0; /* of the one there is */
	return (struct parquet_values){ .data = &first, .width = 1, .same = true, .bytes = digest, .bytes_n = 16,
	                                .nulls = digest ? PARQUET_NONE : PARQUET_ALL };
}

static void place(struct narrow_group *g, uint32_t n, const struct store_origins *origins)
{
	struct origin o;
	struct parquet_values *column = &g->values[at_rest(AT_flow_END)];
	memset(g->valid.country, 0xff, sizeof g->valid.country);
	memset(g->valid.as_number, 0xff, sizeof g->valid.as_number);
	origin_begin(&o, origins, g->country, g->as_number, g->valid.country, g->valid.as_number);
	for (uint32_t i = 0; i < n; i++) {
		if (i && g->source[i] == g->source[i - 1]) {
			origin_repeat(&o);
			continue;
		}
		struct addr a = addr_from_v4(g->source[i]);
		origin_add(&o, &a);
	}
	origin_end(&o);
	column[2] = database(origins ? origins->country_db : NULL);
	column[3] = database(origins ? origins->as_db : NULL);
}

#define AHEAD 64 /* rows asked for early: in the order of parts they lie anywhere */

int narrow_take(struct narrow_group *g, const struct narrow_flow *rows, const struct sort_item *item, uint32_t left,
                const struct store_origins *origins, struct narrow_sums *sums, uint32_t *taken, struct error *e)
{
	uint32_t most = left < PARQUET_GROUP ? left : PARQUET_GROUP, n = 0;
	int rc = 0;
	forget_profiles(&g->profiles);
	for (uint32_t some; !rc && n < most && g->profiles.n <= PROFILES - 64; n += some) {
		const struct narrow_flow *row[64];
		some = most - n < 64 ? most - n : 64;
		for (uint32_t k = 0; k < some; k++) {
			uint32_t next = n + k + AHEAD;
			__builtin_prefetch(&rows[item[next < left ? next : n].row]);
			row[k] = &rows[item[n + k].row];
		}
		put_rows(g, row, some, n);
		rc = add_up(row, some, sums, e);
	}
	*taken = n;
	if (!rc)
		place(g, n, origins);
	return rc;
}

const struct parquet_values *narrow_values(const struct narrow_group *g) { return g->values; }
