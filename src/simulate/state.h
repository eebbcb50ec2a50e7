/* Inside simulate/: a run as a whole; populations see sim.h alone. */
#pragma once
#include "capture/write.h"
#include "simulate/sim.h"
#include "simulate/text.h"

#define COUNTRIES_MAX 16
#define CHUNK 1024          /* actors allocated at a time */
#define CHUNKS 1024
#define WHEEL 4096          /* seconds of the fine calendar, places of the coarse one */
#define AGAIN_SECONDS 64    /* farthest that sim_again reaches */
#define AGAIN_MAX (1u << 20) /* packets that may wait to be sent again */
#define NOBODY UINT32_MAX

struct sim_event {
	uint32_t rel;    /* ns in its second */
	uint32_t offset; /* of its frame, in units of 8 bytes */
};

struct sim_again {
	struct sim_packet packet;
	const uint8_t *delays;
	uint32_t actor;
};

struct again_bucket {
	struct sim_again *item;
	uint32_t n, room;
};

/* The second at hand: frames (length, then bytes), and their order. */
struct slice {
	uint8_t *bytes;
	size_t size, used;
	struct sim_event *event, *scratch;
	uint32_t n, room;
};

struct rows;

struct sim {
	const struct env *env;
	struct simulate_config config;
	struct sim_world world;
	struct error *e; /* where the first failure is told */
	int failed;

	/* world.c */
	struct target_range {
		uint32_t first;
		uint64_t before; /* addresses of the ranges before it */
		uint64_t n;
	} *ranges;
	size_t n_ranges;
	struct prefix *prefixes6;
	size_t n_prefixes6;
	uint8_t country_of[1024];
	uint16_t awake[COUNTRIES_MAX]; /* of 1,000, at this hour */
	int64_t awake_hour;

	/* sensor.c */
	const struct param_value *outages, *steps, *swaps, *swap_slots;
	uint64_t down_period, down_for;
	bool down;
	int64_t offset; /* what the sensor's clock is ahead, s */
	int64_t offset_most;
	struct swap {
		uint64_t slot;
		uint32_t address;
	} swap[8];
	uint32_t n_swaps;
	int64_t up_since; /* s; -1: down */
	uint64_t up_packets;

	/* schedule.c */
	struct actor *chunk[CHUNKS];
	uint32_t n_chunks, free, actors_max, actors, most_actors;
	uint64_t not_begun;
	uint32_t fine[WHEEL], coarse[WHEEL];
	int64_t second;
	struct again_bucket again[AGAIN_SECONDS];
	uint32_t n_again;
	uint64_t not_again;
	struct slice slice;

	/* out */
	struct capture_writer *writer;
	uint32_t interface;
	struct text truth;
	struct rows *rows;
	uint64_t classes[CLASS_COUNT];
	int64_t first, last; /* as the sensor's clock says, ns */
	uint64_t clocked_back;
	struct simulate_result result;
	struct param_value *values; /* of all populations, in the order of populations[] */
	uint8_t digest[16];         /* of all parameters */
};

extern const struct population *const sim_populations[];
extern const unsigned sim_populations_n;

/* Keeps the first failure; the run stops at the end of its second. */
void sim_fail(struct sim *s, int rc);
#define SIM_FAIL(s, ...) sim_fail(s, error_set((s)->e, __VA_ARGS__))
bool sim_grow(struct sim *s, void **p, size_t from, size_t to);

/* configure.c: parameters of all populations; their digest. */
int sim_configure(struct sim *s);
const struct param_value *sim_values(const struct sim *s, const struct population *p);
size_t sim_values_n(void);

/* world.c */
int sim_world_open(struct sim *s, struct error *e);
void sim_world_close(struct sim *s);
void sim_world_second(struct sim *s);

/* sensor.c: outages, swaps, clock; what holds for the second at hand. */
extern const struct population population_sensor;
void sim_sensor_second(struct sim *s);
void sim_sensor_end(struct sim *s);

/* schedule.c */
void sim_schedule_open(struct sim *s);
void sim_schedule_close(struct sim *s);
void sim_run_seconds(struct sim *s);
struct actor *sim_actor(struct sim *s, uint32_t i);

/* emit.c */
int sim_slice_open(struct sim *s, struct error *e);
void sim_slice_close(struct sim *s);
void sim_slice_write(struct sim *s);

/* truth.c */
int sim_truth_open(struct sim *s, struct error *e);
void sim_truth_actor(struct sim *s, const struct actor *a);
void sim_truth_sensor(struct sim *s, const char *what, int64_t from, int64_t to, int64_t number);
int sim_truth_end(struct sim *s, struct error *e);

/* rows.c */
int rows_open(struct rows **out, struct sim *s, const char *path, struct error *e);
void rows_note(struct rows *r, struct sim *s, const struct sim_packet *p, uint32_t ip_len);
/* What no packet can reach any more: minutes before `minute`. */
int rows_flush(struct rows *r, int64_t minute, struct error *e);
int rows_close(struct rows *r, bool discard, struct error *e);
uint64_t rows_count(const struct rows *r, unsigned table); /* 0: flow, 1: victim_second, 2: flow_payload */
uint64_t rows_attempts(const struct rows *r);
