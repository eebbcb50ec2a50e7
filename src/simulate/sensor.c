/* The sensor: when it is down, which address took another's place, and what its clock says. */
#include "simulate/state.h"

enum { OUTAGE, PERIOD, DOWN, SWAP, SWAP_SLOT, STEP };

static const struct param params[] = {
	{ "sensor.outage", PARAM_MOMENTS, "", "MOMENT=SECONDS …: down from there for so long [A]" },
	{ "sensor.down_period", PARAM_NUMBER, "0", "s: at the end of each period of so long … (0: never) [A]" },
	{ "sensor.down_for", PARAM_NUMBER, "0", "s: … it is down for so long [A]" },
	{ "sensor.swap", PARAM_MOMENTS, "", "MOMENT=ADDRESS …: from there this IPv4 address stands for another, … [A]" },
	{ "sensor.swap_slot", PARAM_PORTS, "", "…: the n-th of the monitored addresses, from 0; one a swap [A]" },
	{ "sensor.clock_step", PARAM_MOMENTS, "", "MOMENT=SECONDS …: there the clock is set so far on, or back [A]" },
};

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	(void)p;
	s->outages = &v[OUTAGE];
	s->down_period = param_whole(&v[PERIOD]);
	s->down_for = param_whole(&v[DOWN]);
	s->swaps = &v[SWAP];
	s->swap_slots = &v[SWAP_SLOT];
	s->steps = &v[STEP];
	s->up_since = -1;
	for (uint32_t i = 0; i < s->steps->n; i++) {
		int64_t by = s->steps->item[i].micro / 1000000;
		s->offset_most += by < 0 ? -by : by;
	}
	if (s->swaps->n != s->swap_slots->n || s->swaps->n > sizeof s->swap / sizeof *s->swap)
		SIM_FAIL(s, -22, "MON-SIM-005", "sensor.swap and sensor.swap_slot have one entry a swap, 8 at most");
}

const struct population population_sensor = { "sensor", params, sizeof params / sizeof *params, start };

static bool is_down(const struct sim *s)
{
	for (uint32_t i = 0; i < s->outages->n; i++) {
		const struct param_item *o = &s->outages->item[i];
		if (s->second >= o->at && s->second - o->at < o->micro / 1000000)
			return true;
	}
	return s->down_period && (uint64_t)s->second % s->down_period >= s->down_period - s->down_for;
}

static void swap_addresses(struct sim *s)
{
	uint32_t had = s->n_swaps;
	s->n_swaps = 0;
	for (uint32_t i = 0; i < s->swaps->n; i++)
		if (s->second >= s->swaps->item[i].at)
			s->swap[s->n_swaps++] = (struct swap){ (uint64_t)s->swap_slots->item[i].at,
				                               (uint32_t)s->swaps->item[i].micro };
	if (s->n_swaps != had)
		sim_truth_sensor(s, "swap", s->second, s->second, s->n_swaps);
}

static void set_clock(struct sim *s)
{
	int64_t had = s->offset;
	s->offset = 0;
	for (uint32_t i = 0; i < s->steps->n; i++)
		if (s->second >= s->steps->item[i].at)
			s->offset += s->steps->item[i].micro / 1000000;
	if (s->offset != had)
		sim_truth_sensor(s, "clock_step", s->second, s->second, s->offset - had);
}

/* The capture says what was observed, from when it came up until it went down, by its own clock. */
static void observed(struct sim *s, int64_t to)
{
	sim_truth_sensor(s, "observed", s->up_since, to, (int64_t)(s->result.packets - s->up_packets));
	s->up_since = -1;
}

void sim_sensor_second(struct sim *s)
{
	if (s->steps->n)
		set_clock(s);
	if (s->swaps->n)
		swap_addresses(s);
	bool down = is_down(s);
	if (down && s->up_since >= 0)
		observed(s, s->second);
	if (!down && s->up_since < 0) {
		s->up_since = s->second;
		s->up_packets = s->result.packets;
	}
	s->down = down;
}

void sim_sensor_end(struct sim *s)
{
	if (s->up_since >= 0)
		observed(s, s->config.to);
}
