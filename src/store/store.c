#include "store/store.h"

#include "base/hll.h"
#include "store/duck.h"
#include "store/fold.h"
#include "store/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *vector_add(struct vector *v, const struct env *env, size_t size, uint32_t n)
{
	if (v->room - v->n < n) {
		uint32_t room = v->room ? v->room : 16;
		while (room - v->n < n)
			room *= 2;
		void *grown = env_grow(env, v->item, v->room * size, room * size);
		if (!grown)
			return NULL;
		v->item = grown;
		v->room = room;
	}
	v->n += n;
	return (uint8_t *)v->item + (v->n - n) * size;
}

int vector_take(struct vector *v, const struct env *env, size_t size, duckdb_result *result, const char *doing,
                struct error *e)
{
	int rc = 0;
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(*result)); duckdb_destroy_data_chunk(&chunk)) {
		uint32_t n = (uint32_t)duckdb_data_chunk_get_size(chunk);
		void *to = rc ? NULL : vector_add(v, env, size, n);
		if (to)
			memcpy(to, duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)), n * size);
		else
			rc = error_no_memory(e, doing);
	}
	int ended = duck_end(result, rc ? NULL : e);
	return rc ? rc : ended;
}

void vector_fini(struct vector *v, const struct env *env, size_t size)
{
	env_free(env, v->item, v->room * size);
	*v = (struct vector){ 0 };
}

/* ---- Opening ---- */
static bool is_sensor(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(name);
	return n && n <= STORE_SENSOR_MAX && strspn(name, letters) == n && name[0] != '.';
}

static char *copy_text(const struct env *env, const char *text)
{
	char *copy = env_alloc(env, strlen(text) + 1);
	if (copy)
		memcpy(copy, text, strlen(text) + 1);
	return copy;
}

static void free_text(const struct env *env, char *text)
{
	if (text)
		env_free(env, text, strlen(text) + 1);
}

int store_sensor_check(const char *name, struct error *e)
{
	return is_sensor(name) ? 0 :
	       error_set(e, -EINVAL, "MON-STO-007", "'%.80s' cannot name a sensor in a store: 1 to %d of A-Z, a-z, 0-9, '.', "
	                 "'_' and '-', no '.' first", name, STORE_SENSOR_MAX);
}

int store_turn(struct store *s, const struct store_config *config, struct error *e)
{
	int rc = store_sensor_check(config->sensor, e);
	if (rc)
		return rc;
	memcpy(s->sensor, config->sensor, strlen(config->sensor) + 1);
	s->addresses = config->addresses;
	s->mode = config->mode ? config->mode : MODE_SILENT;
	s->newest_day = INT32_MIN;
	free_text(s->env, s->monitored);
	free_text(s->env, s->options);
	s->monitored = copy_text(s->env, config->monitored);
	s->options = copy_text(s->env, config->options);
	return s->monitored && s->options ? 0 : error_no_memory(e, "opening the store");
}

#define DUCK_LEAST (256u << 20) /* with less it cannot write a row group of 20 columns */

int store_open(struct store **out, const struct env *env, const struct store_config *config, struct error *e)
{
	struct store *s = env_alloc(env, sizeof *s);
	if (!s)
		return error_no_memory(e, "opening the store");
	s->env = env;
	s->folder.lock = -1;
	size_t quarter = config->memory / 4;
	int rc = store_turn(s, config, e);
	if (!rc)
		rc = folder_open(&s->folder, env, config->path, e);
	if (!rc)
		rc = catalog_open(&s->catalog, &s->folder, quarter > DUCK_LEAST ? quarter : DUCK_LEAST, e);
	if (!rc)
		rc = store_recover(s, e);
	if (!rc)
		rc = stage_init(&s->stage, &s->folder, s->sensor, s->catalog.db, quarter, s->catalog.next_part, e);
	if (rc) {
		store_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void store_place(struct store *s, const struct store_origins *origins)
{
	for (unsigned w = 0; w < WRITERS; w++)
		s->stage.writer[w].origins = origins;
}

static void forget_staged(struct store *s)
{
	struct error ignored;
	for (uint32_t i = 0; i < s->stage.parts.n; i++)
		if (part_unlink(&s->stage.writer[0], &s->stage.parts.part[i], &ignored))
			continue; /* the next writer removes it */
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->stage.running) {
		struct error ignored;
		forget_staged(s);
		(void)!commit_tidy(s, &ignored); /* else the next writer does it */
	}
	vector_fini(&s->derived_gone, s->env, sizeof(struct derived_gone));
	stage_fini(&s->stage);
	catalog_close(&s->catalog);
	folder_close(&s->folder);
	plan_clear(s);
	for (uint32_t i = 0; i < s->segments.n; i++)
		free_text(s->env, ((struct pending *)s->segments.item)[i].path);
	free_text(s->env, s->shared.path);
	vector_fini(&s->segments, s->env, sizeof(struct pending));
	vector_fini(&s->minutes, s->env, sizeof(struct catalog_minute));
	vector_fini(&s->windows, s->env, sizeof(struct catalog_window));
	vector_fini(&s->shared_windows, s->env, sizeof(struct window));
	vector_fini(&s->plan_minutes, s->env, sizeof(int32_t));
	vector_fini(&s->plan_segments, s->env, sizeof(struct store_segment));
	vector_fini(&s->months_gone, s->env, sizeof(int64_t[3]));
	parts_fini(&s->replaced, s->env);
	vector_fini(&s->doomed, s->env, sizeof(struct doomed));
	free_text(s->env, s->monitored);
	free_text(s->env, s->options);
	env_free(s->env, s, sizeof *s);
}

/* ---- Rows ---- */
#define FLOWS 64

int store_put_flows(struct store *s, const struct flow_record *r, size_t n, struct error *e)
{
	struct narrow_flow narrow[FLOWS];
	uint32_t kept = 0;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		if (narrow_from(&r[i], &narrow[kept]))
			kept++;
		else
			rc = stage_put(&s->stage, STORE_FLOW, &r[i], 1, NULL, 0, e);
		if (!rc && kept && (kept == FLOWS || i + 1 == n)) {
			rc = stage_put(&s->stage, STAGE_NARROW, narrow, kept, NULL, 0, e);
			kept = 0;
		}
	}
	return rc;
}

int store_put_payloads(struct store *s, const struct flow_payload_record *r, size_t n, struct error *e)
{
	return stage_put(&s->stage, STORE_PAYLOAD, r, (uint32_t)n, NULL, 0, e);
}

#define VICTIMS 64

int store_put_victims(struct store *s, const int32_t *minute, const struct victim_second_record *r, size_t n,
                      struct error *e)
{
	struct staged_victim staged[VICTIMS];
	int rc = 0;
	for (size_t i = 0, some; !rc && i < n; i += some) {
		some = n - i < VICTIMS ? n - i : VICTIMS;
		for (size_t k = 0; k < some; k++)
			staged[k] = (struct staged_victim){ r[i + k], minute[i + k] };
		rc = stage_put(&s->stage, STORE_VICTIM, staged, (uint32_t)some, NULL, 0, e);
	}
	return rc;
}

/* ---- Evidence: its sets as bytes ---- */
#define TUPLES_MOST 64
#define KEYS_MOST 8

static int compare_tuples(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Blobs are in an order of their own, so that a row's bytes do not tell how it was come by. */
static struct blob put_tuples(const struct evidence_set *r, uint8_t *heap, uint32_t *n)
{
	uint64_t sorted[TUPLES_MOST];
	struct blob b = { *n, TUPLE_BYTES * r->n_tuples };
	if (r->registers)
		return (struct blob){ 0, BLOB_NULL };
	memcpy(sorted, r->tuples, r->n_tuples * sizeof *sorted);
	qsort(sorted, r->n_tuples, sizeof *sorted, compare_tuples);
	for (uint32_t i = 0; i < r->n_tuples; i++, *n += TUPLE_BYTES) {
		store_be32(heap + *n, (uint32_t)(sorted[i] >> 32));
		heap[*n + 4] = (uint8_t)(sorted[i] >> 24);
	}
	return b;
}

static struct blob put_registers(const struct evidence_set *r, uint8_t *heap, uint32_t *n)
{
	struct blob b = { *n, HLL_REGISTERS };
	if (!r->registers)
		return (struct blob){ 0, BLOB_NULL };
	memcpy(heap + *n, r->registers, HLL_REGISTERS);
	*n += HLL_REGISTERS;
	return b;
}

static struct blob put_keys(const struct evidence_set *r, uint8_t *heap, uint32_t *n)
{
	uint64_t sorted[KEYS_MOST];
	if (!r->n_keys || r->n_keys > KEYS_MOST)
		return (struct blob){ *n, r->n_keys ? 0 : BLOB_NULL };
	struct blob b = { *n, 8 * r->n_keys };
	for (uint32_t i = 0; i < r->n_keys; i++)
		sorted[i] = (uint64_t)r->key[i] << 32 | r->key_packets[i];
	qsort(sorted, r->n_keys, sizeof *sorted, compare_tuples);
	for (uint32_t i = 0; i < r->n_keys; i++, *n += 8)
		store_be64(heap + *n, sorted[i]);
	return b;
}

int store_put_evidence(struct store *s, const struct evidence_set *r, size_t n, struct error *e)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		uint8_t heap[HLL_REGISTERS + 8 * KEYS_MOST];
		uint32_t used = 0;
		struct staged_evidence staged = { .row = r[i].row };
		staged.tuples = put_tuples(&r[i], heap, &used);
		staged.registers = put_registers(&r[i], heap, &used);
		staged.keys = put_keys(&r[i], heap, &used);
		rc = stage_put(&s->stage, STORE_EVIDENCE, &staged, 1, heap, used, e);
	}
	return rc;
}
