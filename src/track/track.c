#include "track/state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <string.h>

/* ---- Making and ending ---- */
static int init_tables(struct track *t, struct error *e)
{
	/* Half for open minutes, the rest for sources and for the buffers of the spill. */
	t->windows_limit = t->config.memory / 2;
	t->sources_limit = t->config.memory / 4;
	int rc = window_sums_init(&t->sums, t->env, e);
	for (uint32_t i = 0; !rc && i < n_windows(t); i++)
		rc = open_window_init(&t->window[i], t->env, t->windows_limit, t->config.hold, e);
	if (!rc)
		rc = samples_init(&t->samples, t->env, samples_limit(t), e);
	return rc ? rc : sources_init(&t->sources, t->env, t->sources_limit, e);
}

int track_open(struct track **out, const struct env *env, const struct track_config *config, struct error *e)
{
	if (config->memory < TRACK_MEMORY_LEAST)
		return error_set(e, -EINVAL, "MON-TRK-001", "%zu bytes of memory a shard are too few; %u MiB are the least",
		                 config->memory, TRACK_MEMORY_LEAST >> 20);
	struct track *t = env_alloc(env, sizeof *t);
	if (!t)
		return error_no_memory(e, "making a tracker");
	t->env = env;
	t->config = *config;
	t->sensor = XXH3_64bits(config->sensor, strlen(config->sensor));
	int rc = init_tables(t, e);
	if (rc) {
		track_close(t);
		return rc;
	}
	if (config->hold)
		t->current = &t->window[0];
	*out = t;
	return 0;
}

void track_close(struct track *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < OPEN_MINUTES; i++)
		open_window_fini(&t->window[i]);
	window_sums_fini(&t->sums);
	sources_fini(&t->sources);
	samples_fini(&t->samples);
	spill_close(t->spill);
	env_free(t->env, t->late, t->late_room * sizeof *t->late);
	env_free(t->env, t, sizeof *t);
}

/* ---- Handing over ---- */
static int need_spill(struct track *t, struct error *e)
{
	t->n_spills++;
	return t->spill ? 0 : spill_open(&t->spill, t->env, t->config.spill_dir, e);
}

int track_hand_over_sources(struct track *t, struct error *e)
{
	int rc = need_spill(t, e);
	if (!rc)
		rc = sources_spill(&t->sources, t->spill, e);
	if (rc)
		return rc;
	sources_clear(&t->sources);
	t->sources_spilled = true;
	return 0;
}

/* What its flow rows say of their sources goes to the sources; exactly once for each partial row. */
static int tell_sources(struct track *t, const struct open_window *w, struct error *e)
{
	int rc = 0;
	for (uint64_t at = 0; !rc && !t->config.hold && at < open_window_flows(w);) {
		rc = sources_used(&t->sources) > t->sources_limit ? -ENOSPC : 0;
		if (!rc)
			rc = open_window_tell_sources(w, &t->sources, !t->config.outer_sources, &at, e);
		if (rc == -ENOSPC)
			rc = track_hand_over_sources(t, e);
	}
	return rc;
}

#define AHEAD 12 /* rows between asking for a content's place and using it */

/* Likewise what its rows carried. */
static int tell_samples(struct track *t, const struct open_window *w, struct error *e)
{
	int rc = 0;
	for (int family = 0; family < FAMILIES && !t->config.hold; family++) {
		const struct rows *rows = &w->payload[family];
		for (uint32_t i = 0; i < rows->n && !rc; i++) {
			const struct row *r = &rows->row[i], *later = &rows->row[i + AHEAD < rows->n ? i + AHEAD : i];
			const struct name *content = &w->contents.name[(uint32_t)r->key];
			const struct name *wanted = &w->contents.name[(uint32_t)later->key];
			struct span bytes = open_window_sample(w, (uint32_t)r->key);
			names_want(&t->samples.names, &wanted->addr, wanted->epoch);
			rc = samples_add(&t->samples, &content->addr, content->epoch, r->packets, bytes.p, (uint32_t)bytes.n, e);
		}
	}
	return rc;
}

static int hand_over(struct track *t, struct open_window *w, struct error *e)
{
	int rc = tell_sources(t, w, e);
	if (!rc)
		rc = tell_samples(t, w, e);
	if (!rc)
		rc = open_window_spill(w, t->spill, e);
	if (rc)
		return rc;
	w->spilled = true;
	open_window_clear(w, 0);
	return 0;
}

int track_hand_over_windows(struct track *t, struct error *e)
{
	int rc = need_spill(t, e);
	for (uint32_t i = 0; !rc && i < n_windows(t); i++)
		if (t->window[i].open || t->config.hold)
			rc = hand_over(t, &t->window[i], e);
	return rc;
}

int track_seal(struct track *t, struct open_window *w, struct error *e)
{
	int rc;
	if (w->spilled) {
		rc = hand_over(t, w, e);
	} else {
		rc = open_window_digest(w, t->sensor, &t->sums, e);
		if (!rc && t->config.sink)
			rc = open_window_emit(w, t->sensor, t->config.sink, e);
		if (!rc)
			rc = tell_sources(t, w, e);
		if (!rc)
			rc = tell_samples(t, w, e);
	}
	if (rc)
		return rc;
	open_window_clear(w, t->windows_limit / 32); /* of each table: what all keep is not in `used`, and shall be little */
	w->open = w->spilled = false;
	return 0;
}

/* ---- Minutes ---- */
static int note_late(struct track *t, int32_t minute, struct error *e)
{
	if (t->all_late || (t->n_late && t->late[t->n_late - 1] == minute))
		return 0;
	if (t->n_late == LATE_MAX) {
		t->all_late = true;
		return 0;
	}
	if (t->n_late == t->late_room) {
		uint32_t room = t->late_room ? 2 * t->late_room : 64;
		int32_t *grown = env_grow(t->env, t->late, t->late_room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "noting late minutes");
		t->late = grown;
		t->late_room = room;
	}
	t->late[t->n_late++] = minute;
	return 0;
}

/* Minutes before 1970 are negative; neighbours must not meet where the sign changes. */
static struct open_window *window_at(struct track *t, int32_t minute)
{
	int32_t at = minute % OPEN_MINUTES;
	return &t->window[at < 0 ? at + OPEN_MINUTES : at];
}

#define MINUTE_FIRST (INT64_MIN / MINUTE_NS - 1)
#define MINUTE_LAST (INT64_MAX / MINUTE_NS)

int track_enter_minute(struct track *t, int64_t ts, struct error *e)
{
	int32_t minute = moment_minute(ts);
	if (!t->begun || minute > t->newest) {
		for (uint32_t i = 0; i < OPEN_MINUTES; i++) {
			struct open_window *w = &t->window[i];
			int rc = w->open && w->minute < minute - (OPEN_MINUTES - 1) ? track_seal(t, w, e) : 0;
			if (rc)
				return rc;
		}
		t->newest = minute;
		t->begun = true;
	}
	t->start = start_of_minute(minute);
	t->direct = 0;
	t->current = NULL;
	if (minute <= t->newest - OPEN_MINUTES)
		return note_late(t, minute, e);
	t->current = window_at(t, minute);
	t->current->open = true;
	t->current->minute = minute;
	t->direct = minute == MINUTE_FIRST || minute == MINUTE_LAST ? 0 : MINUTE_NS; /* 0: every packet asks anew */
	return 0;
}

void track_result(const struct track *t, struct track_result *out)
{
	*out = (struct track_result){
		.windows = t->sums.window, .n_windows = t->sums.n, .late = t->late, .n_late = t->n_late,
		.all_late = t->all_late, .spilled = t->n_spills, .sources = t->result.distinct,
		.evidence = t->result.evidence, .evidence_digest = t->result.evidence_digest,
	};
	memcpy(out->tool_packets, t->result.tool_packets, sizeof out->tool_packets);
	memcpy(out->tool_sources, t->result.tool_sources, sizeof out->tool_sources);
}
