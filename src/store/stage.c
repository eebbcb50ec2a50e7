#include "store/stage.h"

#include "store/sort.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MOST (1u << 20)
#define ROWS_LEAST (1u << 12)
#define HEAP_A_ROW 128 /* bytes of sets; registers are rarer than that */

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

/* ---- The thread that writes ---- */
static int add_part(struct stage *s, const struct part *p, struct error *e)
{
	pthread_mutex_lock(&s->lock);
	int rc = parts_add(&s->parts, s->env, p, e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static uint64_t new_part(struct stage *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t id = s->next_part++;
	pthread_mutex_unlock(&s->lock);
	return id;
}

/* Sorted rows as parts: one for each family and day. */
static int write_runs(struct stage *s, enum store_table table, const struct buffer *b, const struct sort_item *items,
                      uint32_t *order, uint32_t n, int32_t day, uint32_t segment, struct error *e)
{
	int rc = 0;
	for (uint32_t from = 0, to; !rc && from < n; from = to) {
		for (to = from; to < n && items[to].run == items[from].run; to++)
			order[to - from] = items[to].row;
		struct part p = { .id = new_part(s), .table = table, .v4 = items[from].run & SORT_V4, .segment = segment,
		                  .day = day + (int32_t)(items[from].run & ~SORT_V4) };
		rc = part_write(&s->writer, &p, b->rows, b->heap, order, to - from, e);
		if (!rc)
			rc = add_part(s, &p, e);
	}
	return rc;
}

static int write_rows(struct stage *s, enum store_table table, const struct buffer *b, uint32_t from, uint32_t to,
                      uint32_t segment, struct error *e)
{
	uint32_t n = to - from;
	int32_t day;
	if (!n)
		return 0;
	struct sort_item *items = env_alloc(s->env, n * sizeof *items), *spare = env_alloc(s->env, n * sizeof *spare);
	uint32_t *order = env_alloc(s->env, n * sizeof *order);
	int rc = !items || !spare || !order ? error_no_memory(e, "sorting rows") : 0;
	if (!rc) {
		struct sort_item *sorted = sort_rows(table, b->rows, s->width[table], from, n, items, spare, &day);
		rc = write_runs(s, table, b, sorted, order, n, day, segment, e);
	}
	env_free(s->env, items, n * sizeof *items);
	env_free(s->env, spare, n * sizeof *spare);
	env_free(s->env, order, n * sizeof *order);
	return rc;
}

static int write_buffer(struct stage *s, enum store_table table, const struct buffer *b, uint32_t segment, struct error *e)
{
	int rc = write_rows(s, table, b, 0, b->mark, segment - 1, e);
	return rc ? rc : write_rows(s, table, b, b->mark, b->n, segment, e);
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
		pthread_mutex_unlock(&s->lock);
		int rc = write_buffer(s, s->table, &s->writing, s->writing_segment, &e);
		pthread_mutex_lock(&s->lock);
		if (rc && !s->rc) {
			s->rc = rc;
			s->error = e;
		}
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
		pthread_cond_wait(&s->changed, &s->lock);
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
		pthread_cond_wait(&s->changed, &s->lock);
}

static int failed(const struct stage *s, struct error *e)
{
	if (s->rc && e)
		*e = s->error;
	return s->rc;
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
		made.id = s->next_part++;
		rc = part_rewrite(&s->writer, &old, &made, minutes, n, e);
	} else
		made.rows = 0;
	if (rc)
		return rc;
	*p = made;
	return part_unlink(&s->writer, &old, e);
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
	int rc = write_rows(s, table, b, 0, b->mark, s->segment - 1, e);
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
/* What a table gets of the memory: flow rows are nearly all rows. */
static size_t share_of(enum store_table table, size_t memory) { return table == STORE_FLOW ? memory / 4 : memory / 16; }

int stage_init(struct stage *s, const struct folder *folder, const char *sensor, duckdb_database db, size_t memory,
               uint64_t next_part, struct error *e)
{
	*s = (struct stage){ .env = folder->env, .next_part = next_part };
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	int rc = part_writer_init(&s->writer, folder, sensor, db, e);
	for (int t = 0; !rc && t < STORE_TABLES; t++) {
		enum store_table table = (enum store_table)t;
		s->width[t] = s->writer.shape[t][0].width;
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
	part_writer_fini(&s->writer);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}
