/* Segments: which are new, which share minutes with others. */
#include "store/duck.h"
#include "store/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMIT_ROWS 500000
#define COMMIT_NS 5000000000

static void free_path(const struct env *env, char *path)
{
	if (path)
		env_free(env, path, strlen(path) + 1);
}

static char *copy_path(const struct env *env, const char *path, size_t n)
{
	char *copy = env_alloc(env, n + 1);
	if (copy)
		memcpy(copy, path, n);
	return copy;
}

void plan_clear(struct store *s)
{
	struct store_segment *segment = s->plan_segments.item;
	for (uint32_t i = 0; i < s->plan_segments.n; i++)
		free_path(s->env, (char *)(uintptr_t)segment[i].path);
	s->plan_segments.n = s->plan_minutes.n = s->shared_windows.n = 0;
}

/* ---- Pending ---- */
int pending_add(struct store *s, const struct pending *p, const struct window *windows, uint32_t n, struct error *e)
{
	struct pending *to = vector_add(&s->segments, s->env, sizeof *to, 1);
	struct catalog_minute *minute = vector_add(&s->minutes, s->env, sizeof *minute, n);
	struct catalog_window *window = vector_add(&s->windows, s->env, sizeof *window, n);
	if (!to || (n && (!minute || !window)))
		return error_no_memory(e, "remembering a segment");
	if (s->segments.n == 1)
		s->first_pending = s->env->monotonic(s->env);
	*to = *p;
	to->id = s->catalog.next_segment + s->segments.n - 1;
	for (uint32_t i = 0; i < n; i++) {
		minute[i] = (struct catalog_minute){ to->id, (int32_t)windows[i].minute };
		window[i] = (struct catalog_window){ s->sensor, windows[i], 0 };
	}
	return 0;
}

static bool is_pending(const struct store *s, const char *name)
{
	const struct pending *p = s->segments.item;
	for (uint32_t i = 0; i < s->segments.n; i++)
		if (!p[i].refused && !strcmp(p[i].name, name))
			return true;
	return false;
}

static int compare_windows(const void *a, const void *b)
{
	int32_t x = (int32_t)((const struct window *)a)->minute, y = (int32_t)((const struct window *)b)->minute;
	return (x > y) - (x < y);
}

static bool shares_with_pending(const struct store *s, const struct window *windows, uint32_t n)
{
	const struct catalog_minute *m = s->minutes.item;
	for (uint32_t i = 0; i < s->minutes.n; i++) {
		struct window key = { .minute = (uint32_t)m[i].minute };
		if (bsearch(&key, windows, n, sizeof *windows, compare_windows))
			return true;
	}
	return false;
}

/* ---- The plan: what must be derived again ---- */
static int plan_minutes(struct store *s, const struct window *windows, uint32_t n, struct error *e)
{
	struct vector minutes = { 0 };
	duckdb_result result;
	int32_t *minute = vector_add(&minutes, s->env, sizeof *minute, n);
	if (n && !minute)
		return error_no_memory(e, "comparing minutes");
	for (uint32_t i = 0; i < n; i++)
		minute[i] = (int32_t)windows[i].minute;
	int rc = duck_run(s->catalog.con, e, "DELETE FROM shared");
	if (!rc)
		rc = catalog_insert(&s->catalog, FEED_SHARED, minute, n, e);
	vector_fini(&minutes, s->env, sizeof *minute);
	if (!rc)
		rc = duck_query(s->catalog.con, &result, e, "SELECT DISTINCT minute FROM shared JOIN windows USING (minute) "
		                "WHERE sensor = '%s' ORDER BY minute", s->sensor);
	return rc ? rc : vector_take(&s->plan_minutes, s->env, sizeof(int32_t), &result, "comparing minutes", e);
}

static int from_hex(const char *text, uint8_t out[static 16])
{
	for (int i = 0; i < 16; i++) {
		char pair[3] = { text[2 * i], text[2 * i + 1], 0 }, *end;
		out[i] = (uint8_t)strtoul(pair, &end, 16);
		if (*end)
			return -EINVAL;
	}
	return 0;
}

/* What lies in the folder gets its whole path. */
static char *plan_path(const struct store *s, const char *path, size_t n)
{
	char whole[STORE_PATH];
	if (n && *path == '/')
		return copy_path(s->env, path, n);
	return folder_path(&s->folder, whole, "%.*s", (int)n, path) ? copy_path(s->env, whole, strlen(whole)) : NULL;
}

/* One row of: segment, path, packets, bytes, uncompressed, equal options. */
static int plan_take(struct store *s, duckdb_data_chunk chunk, uint32_t row, bool *differs, struct error *e)
{
	duckdb_string_t *text = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
	duckdb_string_t *path = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1));
	struct store_segment *to = vector_add(&s->plan_segments, s->env, sizeof *to, 1);
	if (!to)
		return error_no_memory(e, "planning");
	*to = (struct store_segment){ .path = plan_path(s, duckdb_string_t_data(&path[row]),
	                                                duckdb_string_t_length(path[row])) };
	uint64_t *number[3];
	for (uint32_t k = 0; k < 3; k++)
		number[k] = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 2 + k));
	to->packets = number[0][row];
	to->bytes = number[1][row];
	to->uncompressed = number[2][row];
	*differs |= !((bool *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 5)))[row];
	if (duckdb_string_t_length(text[row]) != 32 || from_hex(duckdb_string_t_data(&text[row]), to->digest))
		return error_set(e, -EINVAL, "MON-STO-008", "the ledger names a segment that cannot be");
	return to->path ? 0 : error_no_memory(e, "planning");
}

static int plan_segments(struct store *s, bool *differs, struct error *e)
{
	duckdb_result result;
	char options[DUCK_PATH];
	if (!duck_quote(s->options, options))
		return error_set(e, -EINVAL, "MON-STO-009", "the options are too long to be compared");
	int rc = duck_query(s->catalog.con, &result, e, "SELECT segment, path, packets, bytes, uncompressed, options = %s "
	                    "FROM segments WHERE sensor = '%s' AND state = 'stored' AND id IN (SELECT id FROM segment_minutes "
	                    "WHERE minute IN (SELECT minute FROM shared)) ORDER BY id", options, s->sensor);
	if (rc)
		return rc;
	for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)); duckdb_destroy_data_chunk(&chunk))
		for (uint32_t i = 0; !rc && i < duckdb_data_chunk_get_size(chunk); i++)
			rc = plan_take(s, chunk, i, differs, e);
	int ended = duck_end(&result, rc ? NULL : e);
	return rc ? rc : ended;
}

/* Fills the plan; n_minutes 0: nothing is shared. */
static int plan_make(struct store *s, const struct window *windows, uint32_t n, bool *differs, struct error *e)
{
	plan_clear(s);
	int rc = plan_minutes(s, windows, n, e);
	return rc || !s->plan_minutes.n ? rc : plan_segments(s, differs, e);
}

/* ---- Parts that have rows of the plan's minutes ---- */
int plan_rewrite(struct store *s, struct error *e)
{
	struct parts found = { 0 };
	int rc = parts_find(s, &found, e, "WHERE sensor = '%s' AND NOT regexp_matches(table_name, "
	                    "'^(source_evidence|" MADE_NAMES ")') AND EXISTS (SELECT 1 FROM shared WHERE "
	                    "minute BETWEEN from_minute AND to_minute) ORDER BY id", s->sensor);
	for (uint32_t i = 0; !rc && i < found.n; i++) {
		struct part made = found.part[i];
		made.id = s->stage.next_part;
		s->stage.next_part += part_numbers(made.table);
		made.segment = s->stage.segment;
		rc = part_rewrite(&s->stage.writer[0], &found.part[i], &made, s->plan_minutes.item, s->plan_minutes.n, e);
		if (!rc && made.rows)
			rc = parts_add(&s->stage.parts, s->env, &made, e);
		if (!rc)
			rc = parts_add(&s->replaced, s->env, &found.part[i], e);
	}
	parts_fini(&found, s->env);
	return rc;
}

/* ---- A segment's life ---- */
int store_segment_begin(struct store *s, struct error *e)
{
	(void)e;
	stage_begin(&s->stage);
	s->at_hand = true;
	return 0;
}

int store_segment_abandon(struct store *s, struct error *e)
{
	s->at_hand = false;
	return stage_abandon(&s->stage, e);
}

static void name_of(const uint8_t digest[static 16], char out[static 33])
{
	for (int i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

int store_knows(struct store *s, const uint8_t digest[static 16], bool *out, struct error *e)
{
	char name[33];
	name_of(digest, name);
	int rc = catalog_knows(&s->catalog, s->sensor, name, out, e);
	*out |= is_pending(s, name);
	return rc;
}

int store_has_path(struct store *s, const char *path, bool *out, struct error *e)
{
	char quoted[DUCK_PATH];
	int64_t n = 0;
	if (!duck_quote(path, quoted))
		return error_set(e, -ENAMETOOLONG, "MON-STO-009", "a path is too long");
	int rc = duck_number(s->catalog.con, &n, e, "SELECT count(*) FROM segments WHERE path = %s", quoted);
	*out = n != 0;
	return rc;
}

static int pending_of(const struct store *s, const struct store_segment *segment, struct pending *p, struct error *e)
{
	*p = (struct pending){ .packets = segment->packets, .bytes = segment->bytes,
	                       .uncompressed = segment->uncompressed, .min = segment->min, .max = segment->max,
	                       .dropped = segment->dropped, .covers = segment->packets || segment->observed,
	                       .simulated = segment->simulated, .mode = segment->mode ? segment->mode : s->mode };
	name_of(segment->digest, p->name);
	p->path = copy_path(s->env, segment->path, strlen(segment->path));
	return p->path ? 0 : error_no_memory(e, "remembering a segment");
}

static int add(struct store *s, const struct pending *p, const struct window *windows, uint32_t n, struct error *e)
{
	s->at_hand = false;
	return pending_add(s, p, windows, n, e);
}

/* The windows of a shared segment whose minutes it has alone. */
static int keep_own_windows(struct store *s, const struct window *windows, uint32_t n, struct error *e)
{
	const int32_t *minute = s->plan_minutes.item;
	for (uint32_t i = 0, k = 0; i < n; i++) {
		while (k < s->plan_minutes.n && minute[k] < (int32_t)windows[i].minute)
			k++;
		if (k < s->plan_minutes.n && minute[k] == (int32_t)windows[i].minute)
			continue;
		struct window *to = vector_add(&s->shared_windows, s->env, sizeof *to, 1);
		if (!to)
			return error_no_memory(e, "remembering minutes");
		*to = windows[i];
	}
	return 0;
}

static int refuse(struct store *s, const char *reason, enum store_outcome *outcome, struct store_plan *plan,
                  struct error *e)
{
	*outcome = STORE_REFUSED;
	*plan = (struct store_plan){ .reason = reason };
	return store_segment_refuse(s, reason, e);
}

static int share(struct store *s, const struct pending *p, const struct window *windows, uint32_t n, bool differs,
                 enum store_outcome *outcome, struct store_plan *plan, struct error *e)
{
	free_path(s->env, s->shared.path);
	s->shared = *p;
	int rc = keep_own_windows(s, windows, n, e);
	*outcome = STORE_SHARED;
	*plan = (struct store_plan){ .minutes = s->plan_minutes.item, .n_minutes = s->plan_minutes.n,
	                             .segment = s->plan_segments.item, .n_segments = s->plan_segments.n };
	return rc || !differs ? rc :
	       refuse(s, "minutes of it are sealed, read with other options", outcome, plan, e);
}

/* Rows of days that have expired are not begun again. */
static bool is_expired(const struct store *s, const struct window *windows, uint32_t n)
{
	return n && (int32_t)windows[0].minute < s->catalog.detail_before * 1440;
}

int store_segment_end(struct store *s, const struct store_segment *segment, const struct window *windows, uint32_t n,
                      enum store_outcome *outcome, struct store_plan *plan, struct error *e)
{
	struct pending p;
	bool known, differs = false;
	*plan = (struct store_plan){ 0 };
	int rc = pending_of(s, segment, &p, e);
	if (!rc)
		rc = store_knows(s, segment->digest, &known, e);
	if (!rc && known) {
		*outcome = STORE_KNOWN;
		free_path(s->env, p.path);
		return store_segment_abandon(s, e);
	}
	if (!rc && is_expired(s, windows, n)) {
		free_path(s->env, s->shared.path);
		s->shared = p;
		return refuse(s, "rows of days that it reaches have expired", outcome, plan, e);
	}
	if (!rc && shares_with_pending(s, windows, n))
		rc = store_commit(s, e);
	if (!rc)
		rc = plan_make(s, windows, n, &differs, e);
	if (!rc && s->plan_minutes.n && s->segments.n) { /* what is pending is no part of the plan: it goes first */
		plan_clear(s);
		rc = store_commit(s, e);
		if (!rc)
			rc = plan_make(s, windows, n, &differs, e);
	}
	if (!rc && s->plan_minutes.n)
		return share(s, &p, windows, n, differs, outcome, plan, e);
	*outcome = STORE_ADDED;
	if (!rc)
		rc = add(s, &p, windows, n, e);
	if (rc)
		free_path(s->env, p.path);
	return rc;
}

int store_segment_join(struct store *s, const struct window *windows, uint32_t n, struct error *e)
{
	struct window *to = vector_add(&s->shared_windows, s->env, sizeof *to, n);
	if (n && !to)
		return error_no_memory(e, "remembering minutes");
	if (n)
		memcpy(to, windows, n * sizeof *to);
	int rc = plan_rewrite(s, e);
	if (!rc)
		rc = add(s, &s->shared, s->shared_windows.item, s->shared_windows.n, e);
	if (!rc)
		s->shared.path = NULL; /* given away */
	return rc ? rc : store_commit(s, e);
}

int store_segment_refuse(struct store *s, const char *reason, struct error *e)
{
	s->shared.refused = true;
	snprintf(s->shared.reason, sizeof s->shared.reason, "%s", reason);
	plan_clear(s);
	int rc = store_segment_abandon(s, e);
	if (!rc)
		rc = pending_add(s, &s->shared, NULL, 0, e);
	if (!rc)
		s->shared.path = NULL;
	return rc;
}

int store_segment_quarantine(struct store *s, const struct store_segment *segment, const char *reason, struct error *e)
{
	struct pending p;
	int rc = pending_of(s, segment, &p, e);
	if (rc)
		return rc;
	free_path(s->env, s->shared.path);
	s->shared = p;
	return store_segment_refuse(s, reason, e);
}

bool store_commit_due(const struct store *s)
{
	return s->segments.n && (s->stage.rows >= COMMIT_ROWS ||
	                         s->env->monotonic(s->env) - s->first_pending >= COMMIT_NS);
}

int store_drop(struct store *s, const int32_t *minutes, uint32_t n, struct error *e)
{
	return stage_drop(&s->stage, minutes, n, e);
}
