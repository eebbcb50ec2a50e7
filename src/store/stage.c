#include "store/stage.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MOST (1u << 22)
#define PART_ROWS (1u << 20)
#define ROWS_LEAST (1u << 12)
#define HEAP_A_ROW 128 /* bytes of sets; registers are rarer than that */

static int failed(const struct stage *s, struct error *e)
{
	if (s->rc && e)
		*e = s->error;
	return s->rc;
}

/* ---- Lists of parts ---- */
int parts_add(struct parts *v, const struct env *env, const struct part *p, struct error *e)
{
	if (v->n == v->room) {
		uint32_t room = v->room ? 2 * v->room : 16;
		struct part *grown = env_grow(env, v->part, v->room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "listing parts");
		v->part = grown;
		v->room = room;
	}
	v->part[v->n++] = *p;
	return 0;
}

void parts_fini(struct parts *v, const struct env *env)
{
	env_free(env, v->part, v->room * sizeof *v->part);
	*v = (struct parts){ 0 };
}

/* ---- Buffers ---- */
static int buffer_init(struct buffer *b, const struct env *env, enum store_table table, size_t width, size_t bytes,
                       struct error *e)
{
	size_t room = bytes / width;
	b->room = room > ROWS_MOST ? ROWS_MOST : room < ROWS_LEAST ? ROWS_LEAST : (uint32_t)room;
	b->heap_room = table == STORE_EVIDENCE ? b->room * HEAP_A_ROW : 0;
	b->rows = env_alloc(env, b->room * width);
	b->heap = b->heap_room ? env_alloc(env, b->heap_room) : NULL;
	return !b->rows || (b->heap_room && !b->heap) ? error_no_memory(e, "staging rows") : 0;
}

static void buffer_fini(struct buffer *b, const struct env *env, size_t width)
{
	env_free(env, b->rows, b->room * width);
	env_free(env, b->heap, b->heap_room);
	*b = (struct buffer){ 0 };
}

/* ---- Writing: sorted rows are parted into jobs, which the thread does, and whoever waits for it ---- */
static int add_job(struct stage *s, const struct part *p, uint32_t from, uint32_t to, struct error *e)
{
	if (s->jobs_room - s->n_jobs < 2) {
		uint32_t room = s->jobs_room ? 2 * s->jobs_room : 16;
		struct part *job = env_grow(s->env, s->job, s->jobs_room * sizeof *job, room * sizeof *job);
		if (job)
			s->job = job;
		uint32_t *grown = env_grow(s->env, s->job_from, (s->jobs_room + 1) * sizeof *grown, (room + 1) * sizeof *grown);
		if (grown)
			s->job_from = grown;
		if (!job || !grown)
			return error_no_memory(e, "writing parts");
		s->jobs_room = room;
	}
	s->job[s->n_jobs] = *p;
	s->job_from[s->n_jobs++] = from;
	s->job_from[s->n_jobs] = to;
	return 0;
}

/* A part for each family and day, and for so many rows: then several can be written at once. */
static int make_jobs(struct stage *s, enum store_table table, uint32_t segment, struct error *e)
{
	int rc = 0;
	s->n_jobs = s->next_job = s->jobs_done = 0;
	for (uint32_t r = 0; r < s->sort.n_runs; r++) {
		const struct sort_run *run = &s->sort.run[r];
		uint32_t n = run->to - run->from, parts = (n + PART_ROWS - 1) / PART_ROWS;
		for (uint32_t i = 0; !rc && i < parts; i++) {
			struct part p = { .id = s->next_part, .table = table, .v4 = run->v4, .day = run->day, .segment = segment };
			s->next_part += part_numbers(table);
			rc = add_job(s, &p, run->from + (uint32_t)((uint64_t)n * i / parts),
			             run->from + (uint32_t)((uint64_t)n * (i + 1) / parts), e);
		}
	}
	return rc;
}

static void remember_failure(struct stage *s, int rc, const struct error *e)
{
	if (rc && !s->rc) {
		s->rc = rc;
		s->error = *e;
	}
}

/* Under the lock, which is given up meanwhile: does one job, if there is one. */
static bool do_job(struct stage *s, unsigned writer, const struct buffer *b)
{
	struct error e;
	if (s->next_job == s->n_jobs)
		return false;
	uint32_t i = s->next_job++;
	struct part p = s->job[i];
	const uint32_t *order = s->sort.order + s->job_from[i];
	uint32_t n = s->job_from[i + 1] - s->job_from[i];
	bool lost = s->rc;
	pthread_mutex_unlock(&s->lock);
	int rc = lost ? 0 : part_write(&s->writer[writer], &p, b->rows, b->heap, order, n, &e);
	pthread_mutex_lock(&s->lock);
	if (!rc && !lost)
		rc = parts_add(&s->parts, s->env, &p, &e);
	remember_failure(s, rc, &e);
	s->jobs_done++;
	pthread_cond_broadcast(&s->changed);
	return true;
}

/* Under the lock: waits for a change, or makes itself useful. */
static void wait_or_help(struct stage *s)
{
	if (s->helping || s->next_job == s->n_jobs) {
		pthread_cond_wait(&s->changed, &s->lock);
		return;
	}
	s->helping = true;
	do_job(s, 1, &s->writing);
	s->helping = false;
}

/* Under the lock. Nobody else sorts: the thread when it is busy, else who flushes. */
static int write_rows(struct stage *s, enum store_table table, const struct buffer *b, uint32_t from, uint32_t to,
                      uint32_t segment, struct error *e)
{
	if (from == to)
		return 0;
	pthread_mutex_unlock(&s->lock);
	int rc = sort_rows(&s->sort, table, b->rows, s->width[table], from, to, e);
	pthread_mutex_lock(&s->lock);
	if (!rc)
		rc = make_jobs(s, table, segment, e);
	remember_failure(s, rc, e);
	if (rc)
		s->n_jobs = s->next_job = s->jobs_done = 0;
	pthread_cond_broadcast(&s->changed);
	while (do_job(s, 0, b))
		;
	while (s->jobs_done < s->n_jobs)
		pthread_cond_wait(&s->changed, &s->lock);
	return rc ? rc : failed(s, e);
}

static void *thread_main(void *arg)
{
	struct stage *s = arg;
	struct error e;
	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!s->busy && !s->ending)
			pthread_cond_wait(&s->changed, &s->lock);
		if (!s->busy)
			break;
		if (!write_rows(s, s->table, &s->writing, 0, s->writing.mark, s->writing_segment - 1, &e) &&
		    write_rows(s, s->table, &s->writing, s->writing.mark, s->writing.n, s->writing_segment, &e))
			remember_failure(s, s->rc, &e);
		s->writing.n = s->writing.heap_n = s->writing.mark = 0;
		s->spare[s->table] = s->writing;
		s->writing = (struct buffer){ 0 };
		s->busy = false;
		pthread_cond_broadcast(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Under the lock: hands a table's buffer to the thread, or waits until it could be tried again. */
static void hand_over(struct stage *s, enum store_table table)
{
	if (s->busy) {
		wait_or_help(s);
		return;
	}
	s->table = table;
	s->writing = s->active[table];
	s->writing_segment = s->segment;
	s->active[table] = s->spare[table];
	s->spare[table] = (struct buffer){ 0 };
	s->busy = true;
	pthread_cond_broadcast(&s->changed);
}

static void wait_idle(struct stage *s)
{
	while (s->busy)
		wait_or_help(s);
}

/* ---- Putting ---- */
static void move_blobs(struct staged_evidence *rows, uint32_t n, uint32_t by)
{
	for (uint32_t i = 0; i < n; i++) {
		rows[i].tuples.at += by;
		rows[i].registers.at += by;
		rows[i].keys.at += by;
	}
}

static void append(struct stage *s, enum store_table table, const uint8_t *rows, uint32_t n, const uint8_t *heap,
                   uint32_t heap_n)
{
	struct buffer *b = &s->active[table];
	uint8_t *to = b->rows + b->n * s->width[table];
	memcpy(to, rows, n * s->width[table]);
	if (heap) {
		memcpy(b->heap + b->heap_n, heap, heap_n);
		move_blobs((struct staged_evidence *)to, n, b->heap_n);
		b->heap_n += heap_n;
	}
	b->n += n;
	s->rows += n;
}

int stage_put(struct stage *s, enum store_table table, const void *rows, uint32_t n, const uint8_t *heap,
              uint32_t heap_n, struct error *e)
{
	struct buffer *b = &s->active[table];
	pthread_mutex_lock(&s->lock);
	while (!s->rc && (b->room - b->n < n || b->heap_room - b->heap_n < heap_n))
		hand_over(s, table);
	if (!s->rc)
		append(s, table, rows, n, heap, heap_n);
	int rc = failed(s, e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- While nobody puts ---- */
void stage_begin(struct stage *s)
{
	pthread_mutex_lock(&s->lock);
	s->segment++;
	for (int t = 0; t < STORE_TABLES; t++)
		s->active[t].mark = s->active[t].n;
	pthread_mutex_unlock(&s->lock);
}

static int compare_minutes(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

static bool is_void(const int32_t *minutes, uint32_t n, int32_t minute)
{
	return !minutes || bsearch(&minute, minutes, n, sizeof minute, compare_minutes);
}

static void drop_staged(struct stage *s, enum store_table table, const int32_t *minutes, uint32_t n)
{
	struct buffer *b = &s->active[table];
	size_t width = s->width[table];
	uint32_t kept = b->mark;
	for (uint32_t i = b->mark; i < b->n; i++) {
		if (is_void(minutes, n, staged_minute(table, b->rows + i * width)))
			continue;
		if (kept != i)
			memcpy(b->rows + kept * width, b->rows + i * width, width);
		kept++;
	}
	s->rows -= b->n - kept;
	b->n = kept;
}

/* Is any of the minutes in from … to? */
static bool touches(const struct part *p, const int32_t *minutes, uint32_t n)
{
	uint32_t low = 0, high = n;
	while (minutes && low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (minutes[middle] < p->from)
			low = middle + 1;
		else
			high = middle;
	}
	return !minutes || (low < n && minutes[low] <= p->to);
}

static int drop_of_part(struct stage *s, struct part *p, const int32_t *minutes, uint32_t n, struct error *e)
{
	struct part old = *p, made = *p;
	int rc = 0;
	if (minutes) {
		made.id = s->next_part;
		s->next_part += part_numbers(p->table);
		rc = part_rewrite(&s->writer[0], &old, &made, minutes, n, e);
	} else
		made.rows = 0;
	if (rc)
		return rc;
	*p = made;
	return part_unlink(&s->writer[0], &old, e);
}

static void forget_empty(struct parts *v)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < v->n; i++)
		if (v->part[i].rows)
			v->part[kept++] = v->part[i];
	v->n = kept;
}

static int drop_parts(struct stage *s, const int32_t *minutes, uint32_t n, bool evidence, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < s->parts.n; i++) {
		struct part *p = &s->parts.part[i];
		if (p->segment == s->segment && (evidence || p->table != STORE_EVIDENCE) && touches(p, minutes, n))
			rc = drop_of_part(s, p, minutes, n, e);
	}
	forget_empty(&s->parts);
	return rc;
}

int stage_drop(struct stage *s, const int32_t *minutes, uint32_t n, struct error *e)
{
	pthread_mutex_lock(&s->lock);
	wait_idle(s);
	for (int t = 0; t < STORE_EVIDENCE; t++)
		drop_staged(s, (enum store_table)t, minutes, n);
	int rc = failed(s, e);
	pthread_mutex_unlock(&s->lock);
	return rc ? rc : drop_parts(s, minutes, n, false, e);
}

int stage_abandon(struct stage *s, struct error *e)
{
	pthread_mutex_lock(&s->lock);
	wait_idle(s);
	for (int t = 0; t < STORE_TABLES; t++)
		drop_staged(s, (enum store_table)t, NULL, 0);
	pthread_mutex_unlock(&s->lock);
	return drop_parts(s, NULL, 0, true, e);
}

/* Rows of the one at hand stay where they are: at the start then. */
static int flush_earlier(struct stage *s, enum store_table table, struct error *e)
{
	struct buffer *b = &s->active[table];
	pthread_mutex_lock(&s->lock);
	int rc = write_rows(s, table, b, 0, b->mark, s->segment - 1, e);
	pthread_mutex_unlock(&s->lock);
	if (b->mark)
		memmove(b->rows, b->rows + b->mark * s->width[table], (b->n - b->mark) * s->width[table]);
	b->n -= b->mark;
	b->mark = 0;
	if (!b->n)
		b->heap_n = 0;
	return rc;
}

int stage_flush(struct stage *s, bool all, struct error *e)
{
	pthread_mutex_lock(&s->lock);
	for (int t = 0; all && t < STORE_TABLES; t++)
		while (!s->rc && s->active[t].n)
			hand_over(s, (enum store_table)t);
	wait_idle(s);
	int rc = failed(s, e);
	pthread_mutex_unlock(&s->lock);
	for (int t = 0; !rc && t < STORE_TABLES; t++)
		rc = flush_earlier(s, (enum store_table)t, e);
	return rc;
}

/* ---- Making and ending ---- */
/* What each of a table's two buffers gets of the memory: flow rows are nearly all rows. What is sorted needs another third
 * of its size. */
static size_t share_of(enum store_table table, size_t memory) { return table == STORE_FLOW ? memory / 3 : memory / 48; }

int stage_init(struct stage *s, const struct folder *folder, const char *sensor, duckdb_database db, size_t memory,
               uint64_t next_part, struct error *e)
{
	*s = (struct stage){ .env = folder->env, .next_part = next_part };
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->sort.env = s->env;
	int rc = 0;
	for (unsigned w = 0; !rc && w < WRITERS; w++)
		rc = part_writer_init(&s->writer[w], folder, sensor, db, w, e);
	for (int t = 0; !rc && t < STORE_TABLES; t++) {
		enum store_table table = (enum store_table)t;
		s->width[t] = s->writer[0].shape[t][0].width;
		rc = buffer_init(&s->active[t], s->env, table, s->width[t], share_of(table, memory), e);
		if (!rc)
			rc = buffer_init(&s->spare[t], s->env, table, s->width[t], share_of(table, memory), e);
	}
	if (!rc && pthread_create(&s->thread, NULL, thread_main, s))
		rc = error_set(e, -1, "MON-STO-006", "the thread that writes parts cannot be started");
	s->running = !rc;
	return rc;
}

void stage_fini(struct stage *s)
{
	if (!s->env)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->running)
		pthread_join(s->thread, NULL);
	for (int t = 0; t < STORE_TABLES; t++) {
		buffer_fini(&s->active[t], s->env, s->width[t]);
		buffer_fini(&s->spare[t], s->env, s->width[t]);
	}
	buffer_fini(&s->writing, s->env, s->width[s->table]);
	parts_fini(&s->parts, s->env);
	sort_fini(&s->sort);
	env_free(s->env, s->job, s->jobs_room * sizeof *s->job);
	env_free(s->env, s->job_from, (s->jobs_room + 1) * sizeof *s->job_from);
	for (unsigned w = 0; w < WRITERS; w++)
		part_writer_fini(&s->writer[w]);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}
