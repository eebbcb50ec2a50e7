/* Where packets come from and go to: monitored addresses, countries and their days. */
#include "base/bytes.h"
#include "simulate/state.h"

#include <errno.h>
#include <string.h>

#define NET(a, b) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16)

/* Large blocks of access providers (the registries' lists give nearly all of each to the country; checked against
 * ip-location-db's geo-whois-asn-country). `weight`: share of sources, of 1,000 in all: the countries that lead most
 * telescopes' tables [A]. `east`: hours ahead of UTC. */
static const struct country {
	char name[3];
	int8_t east;
	uint16_t weight;
	struct {
		uint32_t net;
		uint8_t bits;
	} block[3];
} countries[] = {
	{ "CN", 8, 220, { { NET(36, 96), 11 }, { NET(112, 0), 10 }, { NET(222, 64), 11 } } },
	{ "US", -5, 140, { { NET(12, 0), 8 }, { NET(73, 0), 8 }, { NET(98, 192), 10 } } },
	{ "RU", 3, 100, { { NET(95, 24), 13 }, { NET(46, 146), 15 }, { NET(95, 24), 13 } } },
	{ "BR", -3, 90, { { NET(177, 0), 10 }, { NET(179, 128), 10 }, { NET(179, 128), 10 } } },
	{ "VN", 7, 80, { { NET(14, 160), 11 }, { NET(113, 160), 11 }, { NET(123, 16), 12 } } },
	{ "IN", 5, 80, { { NET(117, 192), 10 }, { NET(59, 88), 13 }, { NET(106, 192), 11 } } },
	{ "TW", 8, 60, { { NET(114, 32), 12 }, { NET(1, 160), 12 }, { NET(111, 240), 13 } } },
	{ "KR", 9, 60, { { NET(175, 192), 10 }, { NET(121, 128), 10 }, { NET(220, 72), 13 } } },
	{ "ID", 7, 50, { { NET(36, 64), 11 }, { NET(125, 160), 13 }, { NET(114, 120), 13 } } },
	{ "DE", 1, 40, { { NET(84, 128), 10 }, { NET(87, 128), 10 }, { NET(91, 0), 10 } } },
	{ "FR", 1, 40, { { NET(90, 0), 9 }, { NET(82, 120), 13 }, { NET(109, 208), 13 } } },
	{ "JP", 9, 40, { { NET(126, 0), 8 }, { NET(133, 0), 8 }, { NET(219, 96), 11 } } },
};
#define COUNTRIES (sizeof countries / sizeof *countries)
_Static_assert(COUNTRIES <= COUNTRIES_MAX, "awake has a place for each");

/* How much of what people's machines do is done at each local hour, of 1,000: they sleep from 2 to 6 (Dainotti et al.,
 * "Analysis of Country-wide Internet Outages", and Dagon et al., "Modeling Botnet Propagation Using Time Zones", show
 * the shape; the numbers are [A]). Weekends a tenth less. */
static const uint16_t hours[24] = { 650, 560, 500, 460, 440, 450, 500, 590, 680, 760, 820, 850,
	                            860, 860, 850, 850, 850, 860, 890, 930, 960, 950, 880, 760 };

static int range_add(struct sim *s, const struct prefix *p, struct error *e)
{
	uint32_t first = load_be32(p->net.bytes + 12);
	uint64_t n = UINT64_C(1) << (32 - p->bits);
	for (size_t i = 0; i < s->n_ranges; i++)
		if (first < s->ranges[i].first + s->ranges[i].n && s->ranges[i].first < first + n)
			return error_set(e, -EINVAL, "MON-SIM-003", "two of the monitored prefixes overlap");
	s->ranges[s->n_ranges++] = (struct target_range){ first, s->world.n4, n };
	s->world.n4 += n;
	return 0;
}

/* What is scanned of an IPv6 prefix: its addresses, but no more than its lowest 2^16. */
static uint64_t scanned6(const struct prefix *p) { return UINT64_C(1) << (128 - p->bits < 16 ? 128 - p->bits : 16); }

static void countries_prepare(struct sim *s)
{
	size_t c = 0;
	uint32_t until = countries[0].weight;
	for (uint32_t i = 0; i < 1024; i++) {
		while (i * 1000 / 1024 >= until && c + 1 < COUNTRIES)
			until += countries[++c].weight;
		s->country_of[i] = (uint8_t)c;
	}
	s->awake_hour = INT64_MIN;
}

int sim_world_open(struct sim *s, struct error *e)
{
	const struct simulate_config *c = &s->config;
	s->ranges = env_alloc(s->env, c->n_addresses * sizeof *s->ranges);
	s->prefixes6 = env_alloc(s->env, c->n_addresses * sizeof *s->prefixes6);
	if (!s->ranges || !s->prefixes6)
		return error_no_memory(e, "laying out the monitored addresses");
	for (size_t i = 0; i < c->n_addresses; i++) {
		int rc = 0;
		if (c->addresses[i].version == 4) {
			rc = range_add(s, &c->addresses[i], e);
		} else {
			s->prefixes6[s->n_prefixes6++] = c->addresses[i];
			s->world.n6 += scanned6(&c->addresses[i]);
		}
		if (rc)
			return rc;
	}
	if (s->world.n4 > 1u << 24 || s->world.n4 + s->world.n6 == 0)
		return error_set(e, -EINVAL, "MON-SIM-004", "%llu IPv4 addresses: a telescope here has 1 to 2^24",
		                 (unsigned long long)s->world.n4);
	countries_prepare(s);
	return 0;
}

void sim_world_close(struct sim *s)
{
	env_free(s->env, s->ranges, s->config.n_addresses * sizeof *s->ranges);
	env_free(s->env, s->prefixes6, s->config.n_addresses * sizeof *s->prefixes6);
}

/* How awake each country is, anew each hour. */
void sim_world_second(struct sim *s)
{
	int64_t hour = s->second / 3600;
	s->world.start = s->second * SECOND;
	if (hour == s->awake_hour)
		return;
	s->awake_hour = hour;
	for (size_t c = 0; c < COUNTRIES; c++) {
		int64_t local = hour + countries[c].east;
		unsigned weekday = (unsigned)((local / 24 + 4) % 7); /* 1970-01-01 was a Thursday */
		unsigned v = hours[local % 24];
		s->awake[c] = (uint16_t)(weekday == 0 || weekday == 6 ? v * 9 / 10 : v);
	}
}

const struct sim_world *sim_world(const struct sim *s) { return &s->world; }
uint64_t sim_seed(const struct sim *s) { return s->config.seed; }

uint32_t sim_target(const struct sim *s, uint64_t i)
{
	for (uint32_t k = 0; k < s->n_swaps; k++)
		if (s->swap[k].slot == i)
			return s->swap[k].address;
	size_t low = 0, high = s->n_ranges;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (s->ranges[middle].before <= i)
			low = middle;
		else
			high = middle;
	}
	return s->ranges[low].first + (uint32_t)(i - s->ranges[low].before);
}

const uint8_t *sim_target6(const struct sim *s, uint64_t i, uint8_t out[static 16])
{
	size_t k = 0;
	for (; k + 1 < s->n_prefixes6 && i >= scanned6(&s->prefixes6[k]); k++)
		i -= scanned6(&s->prefixes6[k]);
	memcpy(out, s->prefixes6[k].net.bytes, 16);
	store_be16(out + 14, (uint16_t)(load_be16(out + 14) | i));
	return out;
}

bool sim_monitored(const struct sim *s, uint32_t address)
{
	for (size_t i = 0; i < s->n_ranges; i++)
		if (address - s->ranges[i].first < s->ranges[i].n)
			return true;
	for (uint32_t i = 0; i < s->swap_slots->n; i++)
		if ((uint32_t)s->swaps->item[i].micro == address)
			return true;
	return false;
}

uint32_t sim_source(const struct sim *s, uint64_t hash, unsigned *country)
{
	for (;;) {
		unsigned c = s->country_of[hash >> 54];
		const struct country *k = &countries[c];
		unsigned b = (unsigned)(hash >> 40) % 3;
		uint32_t address = k->block[b].net | ((uint32_t)hash & (UINT32_MAX >> k->block[b].bits));
		if (((address + 1) & 255) < 2)
			address ^= 0x55;
		if (!sim_monitored(s, address)) {
			if (country)
				*country = c;
			return address;
		}
		hash = mix64(hash);
	}
}

uint32_t sim_forged(const struct sim *s, struct rng *r)
{
	uint32_t address;
	do
		address = rng_u32(r);
	while (address >> 28 >= 14 || sim_monitored(s, address));
	return address;
}

bool sim_awake(const struct sim *s, unsigned country, struct rng *r)
{
	return rng_below(r, 1000) < s->awake[country];
}

uint64_t sim_wait_daily(int64_t micro_per_day, uint64_t n)
{
	if (micro_per_day <= 0 || !n)
		return 0;
	unsigned __int128 wait = (unsigned __int128)86400 * SECOND * 256 * 1000000 / ((unsigned __int128)micro_per_day * n);
	return wait > UINT64_C(1) << 62 ? UINT64_C(1) << 62 : wait ? (uint64_t)wait : 1;
}

uint64_t sim_wait_spread(const struct sim *s, uint64_t per_second)
{
	if (!per_second || !s->world.n4)
		return 0;
	unsigned __int128 wait = (unsigned __int128)s->world.internet * SECOND * 256 /
	                         ((unsigned __int128)per_second * s->world.n4);
	return wait > UINT64_C(1) << 62 ? UINT64_C(1) << 62 : wait ? (uint64_t)wait : 1;
}
