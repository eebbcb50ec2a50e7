#include "store/stage.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MOST (1u << 20)
#define PART_ROWS (1u << 19)
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
static int buffer_init(struct buffer *b, const struct env *env, unsigned stage, size_t width, size_t bytes,
                       struct error *e)
{
	size_t room = bytes / width;
	b->room = room > ROWS_MOST ? ROWS_MOST : room < ROWS_LEAST ? ROWS_LEAST : (uint32_t)room;
	b->heap_room = stage == STORE_EVIDENCE ? b->room * HEAP_A_ROW : 0;
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

/* ---- Sorting: what was handed over becomes jobs ---- */
static enum store_table table_of(unsigned stage) { return stage == STAGE_NARROW ? STORE_FLOW : (enum store_table)stage; }

static int add_job(struct stage *s, struct batch *b, const struct job *job, struct error *e)
{
	if (b->n_jobs == b->jobs_room) {
		uint32_t room = b->jobs_room ? 2 * b->jobs_room : 16;
		struct job *grown = env_grow(s->env, b->job, b->jobs_room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "writing parts");
		b->job = grown;
		b->jobs_room = room;
	}
	b->job[b->n_jobs++] = *job;
	return 0;
}

/* A part for each family and day, and for so many rows: then several can be written at once. */
static int make_jobs(struct stage *s, unsigned stage, struct batch *b, struct error *e)
{
	int rc = 0;
	enum store_table table = table_of(stage);
	for (uint32_t r = 0; r < b->sort.n_runs; r++) {
		const struct sort_run *run = &b->sort.run[r];
		uint32_t n = run->to - run->from, parts = stage == STAGE_NARROW ? 1 : (n + PART_ROWS - 1) / PART_ROWS;
		for (uint32_t i = 0; !rc && i < parts; i++) {
			struct job job = {
				.part = { .id = s->next_part, .table = table, .v4 = run->v4, .day = run->day, .segment = b->segment },
				.from = run->from + (uint32_t)((uint64_t)n * i / parts), .run = r,
				.to = run->from + (uint32_t)((uint64_t)n * (i + 1) / parts),
			};
			s->next_part += part_numbers(table);
			rc = add_job(s, b, &job, e);
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

/* Under the lock: what is next when all jobs of some rows are done. */
static void end_span(struct stage *s, unsigned stage, struct batch *b)
{
	b->n_jobs = b->next_job = b->jobs_done = 0;
	b->from = b->to;
	b->to = b->rows.n;
	b->segment++;
	b->state = b->from < b->to ? BATCH_FULL : BATCH_NONE;
	if (b->state == BATCH_NONE && !b->borrowed) {
		b->rows.n = b->rows.heap_n = b->rows.mark = 0;
		s->spare[stage] = b->rows;
		b->rows = (struct buffer){ 0 };
	}
	pthread_cond_broadcast(&s->changed);
}

/* Under the lock, which is given up meanwhile. */
static void sort_batch(struct stage *s, unsigned stage)
{
	struct batch *b = &s->batch[stage];
	struct error e;
	b->state = BATCH_SORTING;
	pthread_mutex_unlock(&s->lock);
	int rc = stage == STAGE_NARROW ?
	         sort_part(&b->sort, (const struct narrow_flow *)(const void *)b->rows.rows, b->from, b->to, PART_ROWS, &e) :
	         sort_rows(&b->sort, table_of(stage), b->rows.rows, s->width[stage], b->from, b->to, &e);
	pthread_mutex_lock(&s->lock);
	rc = rc ? rc : make_jobs(s, stage, b, &e);
	remember_failure(s, rc, &e);
	b->state = BATCH_WRITING;
	if (s->rc)
		end_span(s, stage, b);
	pthread_cond_broadcast(&s->changed);
}

/* ---- Writing: jobs are done by the thread, and by whoever waits for it ---- */
static int write_part(struct stage *s, unsigned writer, unsigned stage, struct job *job, struct error *e)
{
	struct part_writer *w = &s->writer[writer];
	struct batch *b = &s->batch[stage];
	if (stage == STAGE_NARROW)
		return part_write_narrow(w, &job->part, (const struct narrow_flow *)(const void *)b->rows.rows,
		                         sort_run(&b->sort, &b->sort.run[job->run]), job->to - job->from, e);
	return part_write(w, &job->part, b->rows.rows, b->rows.heap, b->sort.order + job->from, job->to - job->from, e);
}

/* Under the lock, which is given up meanwhile. */
static void do_job(struct stage *s, unsigned writer, unsigned stage)
{
	struct batch *b = &s->batch[stage];
	struct error e;
	struct job job = b->job[b->next_job++];
	bool lost = s->rc;
	pthread_mutex_unlock(&s->lock);
	int rc = lost ? 0 : write_part(s, writer, stage, &job, &e);
	pthread_mutex_lock(&s->lock);
	if (!rc && !lost)
		rc = parts_add(&s->parts, s->env, &job.part, &e);
	remember_failure(s, rc, &e);
	if (++b->jobs_done == b->n_jobs)
		end_span(s, stage, b);
}

/* Under the lock: does one thing that is to be done; false: there is none. Flow rows first, which are most. */
static bool work(struct stage *s, unsigned writer)
{
	for (unsigned i = 0; i < STAGES; i++) {
		unsigned stage = (i + STAGE_NARROW) % STAGES;
		struct batch *b = &s->batch[stage];
		if (b->state == BATCH_FULL)
			sort_batch(s, stage);
		else if (b->state == BATCH_WRITING && b->next_job < b->n_jobs)
			do_job(s, writer, stage);
		else
			continue;
		return true;
	}
	return false;
}

static void *thread_main(void *arg)
{
	struct stage *s = arg;
	pthread_mutex_lock(&s->lock);
	for (;;) {
		if (work(s, 0))
			continue;
		if (s->ending)
			break;
		pthread_cond_wait(&s->changed, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Under the lock: waits for a change, or makes itself useful. */
static void wait_or_help(struct stage *s)
{
	bool did = false;
	if (!s->helping) {
		s->helping = true;
		did = work(s, 1);
		s->helping = false;
	}
	if (did)
		pthread_cond_broadcast(&s->changed);
	else
		pthread_cond_wait(&s->changed, &s->lock);
}

/* Under the lock: hands a buffer over; false: not yet. */
static bool try_hand_over(struct stage *s, unsigned stage)
{
	struct batch *b = &s->batch[stage];
	struct buffer *active = &s->active[stage];
	active->wanted = true;
	if (b->state != BATCH_NONE || active->putting)
		return false;
	bool earlier = active->mark;
	b->state = BATCH_FULL;
	b->rows = *active;
	b->rows.wanted = b->borrowed = false;
	b->from = 0;
	b->to = earlier ? active->mark : active->n;
	b->segment = s->segment - earlier;
	*active = s->spare[stage];
	s->spare[stage] = (struct buffer){ 0 };
	pthread_cond_broadcast(&s->changed);
	return true;
}

/* Under the lock: hands a buffer over, or waits until it could be tried again. */
static void hand_over(struct stage *s, unsigned stage)
{
	if (!try_hand_over(s, stage))
		wait_or_help(s);
}

/* Under the lock: all buffers that have rows, each as soon as that can be, so that all tables are written at once. */
static void hand_all_over(struct stage *s)
{
	for (bool left = true; left && !s->rc;) {
		left = false;
		for (unsigned stage = 0; stage < STAGES; stage++)
			left |= s->active[stage].n && !try_hand_over(s, stage);
		if (left)
			wait_or_help(s);
	}
}

static bool is_busy(const struct stage *s)
{
	for (int t = 0; t < STAGES; t++)
		if (s->batch[t].state != BATCH_NONE)
			return true;
	return false;
}

static void wait_idle(struct stage *s)
{
	while (is_busy(s))
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

/* Under the lock, which is given up meanwhile: rows that are new touch memory that the kernel has to clear first. */
static void append(struct stage *s, unsigned stage, const uint8_t *rows, uint32_t n, const uint8_t *heap, uint32_t heap_n)
{
	struct buffer *b = &s->active[stage];
	uint8_t *to = b->rows + b->n * s->width[stage];
	uint32_t heap_at = b->heap_n;
	b->n += n;
	b->heap_n += heap_n;
	b->putting++;
	s->rows += n;
	pthread_mutex_unlock(&s->lock);
	memcpy(to, rows, n * s->width[stage]);
	if (heap) {
		memcpy(b->heap + heap_at, heap, heap_n);
		move_blobs((struct staged_evidence *)to, n, heap_at);
	}
	pthread_mutex_lock(&s->lock);
	if (!--b->putting && b->wanted)
		pthread_cond_broadcast(&s->changed);
}

int stage_put(struct stage *s, unsigned stage, const void *rows, uint32_t n, const uint8_t *heap, uint32_t heap_n,
              struct error *e)
{
	struct buffer *b = &s->active[stage];
	pthread_mutex_lock(&s->lock);
	while (!s->rc && (b->room - b->n < n || b->heap_room - b->heap_n < heap_n))
		hand_over(s, stage);
	if (!s->rc)
		append(s, stage, rows, n, heap, heap_n);
	int rc = failed(s, e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- While nobody puts ---- */
void stage_begin(struct stage *s)
{
	pthread_mutex_lock(&s->lock);
	s->segment++;
	for (int t = 0; t < STAGES; t++)
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

static int32_t minute_of(unsigned stage, const uint8_t *row)
{
	return stage == STAGE_NARROW ? ((const struct narrow_flow *)(const void *)row)->minute :
	       staged_minute(table_of(stage), row);
}

static void drop_staged(struct stage *s, unsigned stage, const int32_t *minutes, uint32_t n)
{
	struct buffer *b = &s->active[stage];
	size_t width = s->width[stage];
	uint32_t kept = b->mark;
	for (uint32_t i = b->mark; i < b->n; i++) {
		if (is_void(minutes, n, minute_of(stage, b->rows + i * width)))
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
	for (unsigned t = 0; t < STAGES; t++)
		if (t != STORE_EVIDENCE)
			drop_staged(s, t, minutes, n);
	int rc = failed(s, e);
	pthread_mutex_unlock(&s->lock);
	return rc ? rc : drop_parts(s, minutes, n, false, e);
}

int stage_abandon(struct stage *s, struct error *e)
{
	pthread_mutex_lock(&s->lock);
	wait_idle(s);
	for (unsigned t = 0; t < STAGES; t++)
		drop_staged(s, t, NULL, 0);
	pthread_mutex_unlock(&s->lock);
	return drop_parts(s, NULL, 0, true, e);
}

/* Rows of the one at hand stay where they are: at the start then. */
static void lend_earlier(struct stage *s, unsigned stage)
{
	struct batch *b = &s->batch[stage];
	if (!s->active[stage].mark)
		return;
	b->state = BATCH_FULL;
	b->rows = s->active[stage];
	b->borrowed = true;
	b->from = 0;
	b->to = b->rows.n = b->rows.mark;
	b->segment = s->segment - 1;
	pthread_cond_broadcast(&s->changed);
}

static void keep_later(struct stage *s, unsigned stage)
{
	struct buffer *b = &s->active[stage];
	if (b->mark)
		memmove(b->rows, b->rows + b->mark * s->width[stage], (b->n - b->mark) * s->width[stage]);
	b->n -= b->mark;
	b->mark = 0;
	if (!b->n)
		b->heap_n = 0;
}

int stage_flush(struct stage *s, bool all, struct error *e)
{
	pthread_mutex_lock(&s->lock);
	if (all)
		hand_all_over(s);
	wait_idle(s);
	for (unsigned stage = 0; !all && stage < STAGES; stage++)
		lend_earlier(s, stage);
	wait_idle(s);
	for (unsigned stage = 0; stage < STAGES; stage++)
		keep_later(s, stage);
	int rc = failed(s, e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- Making and ending ---- */
/* What each of a stage's two buffers gets of the memory: narrow rows are nearly all, and what sorts them takes half of one
 * buffer more; of the others as much as one. */
static size_t share_of(unsigned stage, size_t memory)
{
	return stage == STAGE_NARROW ? memory / 4 : stage == STORE_FLOW ? memory / 24 : memory / 48;
}

static int start_buffers(struct stage *s, size_t memory, struct error *e)
{
	int rc = 0;
	for (unsigned stage = 0; !rc && stage < STAGES; stage++) {
		size_t share = share_of(stage, memory);
		s->width[stage] = stage == STAGE_NARROW ? sizeof(struct narrow_flow) : s->writer[0].shape[stage][0].width;
		s->batch[stage].sort.env = s->env;
		rc = buffer_init(&s->active[stage], s->env, stage, s->width[stage], share, e);
		if (!rc)
			rc = buffer_init(&s->spare[stage], s->env, stage, s->width[stage], share, e);
	}
	return rc;
}

int stage_init(struct stage *s, const struct folder *folder, const char *sensor, duckdb_database db, size_t memory,
               uint64_t next_part, struct error *e)
{
	*s = (struct stage){ .env = folder->env, .next_part = next_part };
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	int rc = 0;
	for (unsigned w = 0; !rc && w < WRITERS; w++)
		rc = part_writer_init(&s->writer[w], folder, sensor, db, w, e);
	if (!rc)
		rc = start_buffers(s, memory, e);
	if (!rc && pthread_create(&s->thread, NULL, thread_main, s))
		rc = error_set(e, -1, "MON-STO-006", "the thread that writes parts cannot be started");
	s->running = !rc;
	return rc;
}

static void batch_fini(struct stage *s, unsigned stage)
{
	struct batch *b = &s->batch[stage];
	if (!b->borrowed)
		buffer_fini(&b->rows, s->env, s->width[stage]);
	sort_fini(&b->sort);
	env_free(s->env, b->job, b->jobs_room * sizeof *b->job);
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
	for (unsigned stage = 0; stage < STAGES; stage++) {
		buffer_fini(&s->active[stage], s->env, s->width[stage]);
		buffer_fini(&s->spare[stage], s->env, s->width[stage]);
		batch_fini(s, stage);
	}
	parts_fini(&s->parts, s->env);
	for (unsigned w = 0; w < WRITERS; w++)
		part_writer_fini(&s->writer[w]);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}
