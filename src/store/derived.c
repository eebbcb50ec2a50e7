#include "store/derived.h"

#define COLUMN(member, type) { #member, COLUMN_##type, offsetof(struct rsdos_record, member), -1 }
#define PLACE(record) { "country", COLUMN_country, offsetof(struct record, place.country), -1 }, \
	{ "as_number", COLUMN_u32, offsetof(struct record, place.as_number), -1 }
#define RSDOS { sizeof(struct rsdos_record), 11, { \
	COLUMN(victim, addr), COLUMN(protocol, u8), COLUMN(first, i64), COLUMN(last, i64), COLUMN(packets, u64), \
	COLUMN(bytes, u64), COLUMN(max_ppm, u64), COLUMN(ports, u32), COLUMN(attackers, u32), PLACE(rsdos_record) } }
#define STATE(addr_type) { sizeof(struct state_record), 2, { \
	{ "victim", COLUMN_##addr_type, offsetof(struct state_record, victim), -1 }, \
	{ "state", COLUMN_blob, offsetof(struct state_record, state), -1 } } }

static const struct {
	const char *name;
	struct shape shape;
} tables[STORE_DERIVED] = {
	[STORE_CORSARO2] = { "attack_corsaro2", RSDOS },
	[STORE_CORSARO3] = { "attack_corsaro3", RSDOS },
	[STORE_STATE4] = { "attack_state4", STATE(addr4) },
	[STORE_STATE6] = { "attack_state6", STATE(addr) },
};

const char *derived_name(enum store_derived table) { return tables[table].name; }
const struct shape *derived_shape(enum store_derived table) { return &tables[table].shape; }
