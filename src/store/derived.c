#include "store/derived.h"

#define COLUMN(member, type) { #member, COLUMN_##type, offsetof(struct rsdos_record, member), -1 }
#define PLACE(record) { "country", COLUMN_country, offsetof(struct record, place.country), -1 }, \
	{ "as_number", COLUMN_u32, offsetof(struct record, place.as_number), -1 }
#define RSDOS { sizeof(struct rsdos_record), 11, { \
	COLUMN(victim, addr), COLUMN(protocol, u8), COLUMN(first, i64), COLUMN(last, i64), COLUMN(packets, u64), \
	COLUMN(bytes, u64), COLUMN(max_ppm, u64), COLUMN(ports, u32), COLUMN(attackers, u32), PLACE(rsdos_record) } }
#define OF(record, member, type) { #member, COLUMN_##type, offsetof(struct record, member), -1 }
#define A(member, type) OF(attack_record, member, type)
#define ATTACK { sizeof(struct attack_record), 26, { \
	A(victim, addr), A(first, i64), A(last, i64), A(packets, u64), A(bytes, u64), A(forged, u64), A(appearances, u64), \
	A(addresses, u64), A(peak, u64), A(peak_forged, u64), A(peak_minute, i64), A(sampled, u32), A(addresses_seen, u32), \
	A(ports_seen, u32), A(attacked, u32), A(vectors, u32), A(port, u16), A(length_min, u16), A(length_max, u16), \
	A(kind, u8), A(protocol, u8), A(ttl_min, u8), A(ttl_max, u8), A(verdict, u8), \
	PLACE(attack_record) } }
#define V(member, type) OF(attack_vector_record, member, type)
#define VECTOR { sizeof(struct attack_vector_record), 14, { \
	V(victim, addr), V(attack, i64), V(first, i64), V(last, i64), V(packets, u64), V(bytes, u64), V(forged, u64), \
	V(port, u16), V(length_min, u16), V(length_max, u16), V(kind, u8), V(protocol, u8), V(ttl_min, u8), V(ttl_max, u8) } }
#define O(member, type) OF(onset_record, member, type)
#define ONSET { sizeof(struct onset_record), 14, { \
	O(victim, addr), O(raised, i64), O(first, i64), O(last, i64), O(settled, i64), O(addresses, u64), O(packets, u32), \
	O(evidence, u32), O(port, u16), O(kind, u8), O(protocol, u8), O(outcome, u8), PLACE(onset_record) } }
#define STATE(addr_type) { sizeof(struct state_record), 2, { \
	{ "victim", COLUMN_##addr_type, offsetof(struct state_record, victim), -1 }, \
	{ "state", COLUMN_blob, offsetof(struct state_record, state), -1 } } }

static const struct {
	const char *name;
	struct shape shape;
} tables[STORE_DERIVED] = {
	[STORE_CORSARO2] = { "attack_corsaro2", RSDOS },
	[STORE_CORSARO3] = { "attack_corsaro3", RSDOS },
	[STORE_ATTACK] = { "attack", ATTACK },
	[STORE_ATTACK_VECTOR] = { "attack_vector", VECTOR },
	[STORE_ONSET] = { "onset", ONSET },
	[STORE_STATE4] = { "attack_state4", STATE(addr4) },
	[STORE_STATE6] = { "attack_state6", STATE(addr) },
};

const char *derived_name(enum store_derived table) { return tables[table].name; }
const struct shape *derived_shape(enum store_derived table) { return &tables[table].shape; }
