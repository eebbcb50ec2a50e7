#include "simulate/simulate.h"
#include "simulate/populations.h"
#include "simulate/state.h"

#include <errno.h>
#include <string.h>

#define LINK_ETHERNET 1

enum { INTERNET, ACTORS };

static const struct param params[] = {
	{ "simulate.internet", PARAM_NUMBER, "4294967296",
	  "addresses that those who scan or forge at random choose from: less makes a small telescope see much [A]" },
	{ "simulate.actors", PARAM_NUMBER, "262144", "most that may be alive at a time; more are counted, not begun [A]" },
};

static void start(struct sim *s, const struct population *p, const struct param_value *v)
{
	(void)p;
	s->world.internet = param_whole(&v[INTERNET]);
	s->actors_max = (uint32_t)(param_whole(&v[ACTORS]) < CHUNK * CHUNKS ? param_whole(&v[ACTORS]) : CHUNK * CHUNKS);
	if (s->world.internet < s->world.n4)
		SIM_FAIL(s, -EINVAL, "MON-SIM-005", "simulate.internet is less than the addresses monitored");
}

static const struct population population_simulate = { "simulate", params, sizeof params / sizeof *params, start };

/* In the order they start, which is that of the parameters in docs/simulate.md. */
const struct population *const sim_populations[] = {
	&population_simulate, &population_sensor, &population_sweep, &population_bots, &population_brute,
	&population_exploit, &population_slow, &population_split, &population_backscatter, &population_reflection,
	&population_misconfiguration, &population_p2p, &population_spoofed, &population_flood, &population_v6,
	&population_series, &population_synack, &population_resets, &population_stale, &population_own,
};
const unsigned sim_populations_n = sizeof sim_populations / sizeof *sim_populations;

void sim_fail(struct sim *s, int rc)
{
	if (!s->failed)
		s->failed = rc;
}

bool sim_grow(struct sim *s, void **p, size_t from, size_t to)
{
	void *q = env_grow(s->env, *p, from, to);
	if (!q) {
		sim_fail(s, error_no_memory(s->e, "the packets of a second"));
		return false;
	}
	*p = q;
	return true;
}

static int open_capture(struct sim *s, struct error *e)
{
	struct capture_write_config config = { .simulated = true, .application = s->config.application };
	struct capture_interface interface = { .link = LINK_ETHERNET, .name = "SIMULATED" };
	if (!s->config.out)
		return 0;
	capture_write_by_name(&config, s->config.out);
	int rc = capture_writer_open(&s->writer, s->env, s->config.out, &config, e);
	return rc ? rc : capture_writer_interface(s->writer, &interface, &s->interface, e);
}

static int open_all(struct sim *s, struct error *e)
{
	int rc = sim_world_open(s, e);
	if (!rc)
		rc = sim_configure(s);
	if (!rc)
		rc = sim_slice_open(s, e);
	if (!rc)
		rc = open_capture(s, e);
	if (!rc)
		rc = sim_truth_open(s, e);
	if (!rc && s->config.rows)
		rc = rows_open(&s->rows, s, s->config.rows, e);
	return rc;
}

static void start_all(struct sim *s)
{
	sim_schedule_open(s);
	for (unsigned i = 0; i < sim_populations_n && !s->failed; i++)
		sim_populations[i]->start(s, sim_populations[i], sim_values(s, sim_populations[i]));
}

static int end_all(struct sim *s, struct error *e)
{
	sim_sensor_end(s);
	int rc = s->rows ? rows_flush(s->rows, INT64_MAX, e) : 0;
	return rc ? rc : sim_truth_end(s, e);
}

static void close_all(struct sim *s)
{
	sim_schedule_close(s);
	sim_slice_close(s);
	sim_world_close(s);
	env_free(s->env, s->values, sim_values_n() * sizeof *s->values);
	env_free(s->env, s, sizeof *s);
}

int simulate_run(const struct env *env, const struct simulate_config *config, struct simulate_result *out,
                 struct error *e)
{
	if (config->from < 0 || config->to <= config->from || config->to > UINT32_MAX)
		return error_set(e, -EINVAL, "MON-SIM-007", "the span must lie between 1970 and 2106 and not be empty");
	struct sim *s = env_alloc(env, sizeof *s);
	if (!s)
		return error_no_memory(e, "a simulation");
	s->env = env;
	s->config = *config;
	s->e = e;
	s->last = INT64_MIN;
	s->world.from = config->from * SECOND;
	s->world.to = config->to * SECOND;
	int rc = open_all(s, e);
	if (!rc) {
		start_all(s);
		sim_run_seconds(s);
		rc = s->failed ? s->failed : end_all(s, e);
	}
	int closed = capture_writer_close(s->writer, rc != 0, rc ? NULL : e);
	rc = rc ? rc : closed;
	closed = rows_close(s->rows, rc != 0, rc ? NULL : e);
	rc = rc ? rc : closed;
	(void)!text_close(&s->truth, true, NULL);
	*out = s->result;
	close_all(s);
	return rc;
}

int simulate_moment(const char *text, int64_t *out) { return param_moment(text, strlen(text), out); }
