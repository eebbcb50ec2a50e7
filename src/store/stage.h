/* Staging: rows wait in memory, are sorted when there are many, and are written into parts by a thread of its own while
 * more come. Nothing here is visible to anybody until the catalog names the parts.
 *
 * Segments are numbered in this run; rows and parts bear the number of the one that gave them. The last one is at hand:
 * it can still be taken back (stage_abandon), and its rows of some minutes can be dropped.
 */
#pragma once
#include "store/part.h"
#include "store/sort.h"

#include <pthread.h>

struct buffer {
	uint8_t *rows, *heap;
	uint32_t n, room;
	uint32_t heap_n, heap_room;
	uint32_t mark; /* rows before it are of segments before the one at hand */
};

struct parts {
	struct part *part;
	uint32_t n, room;
};
int parts_add(struct parts *v, const struct env *env, const struct part *p, struct error *e) MUST_USE;
void parts_fini(struct parts *v, const struct env *env);

#define WRITERS 2 /* the thread, and whoever waits for it */

struct stage {
	const struct env *env;
	size_t width[STORE_TABLES];
	struct buffer active[STORE_TABLES], spare[STORE_TABLES];
	uint32_t segment;      /* number of the one at hand */
	uint64_t rows;         /* put since the last stage_clear */
	struct part_writer writer[WRITERS];
	struct parts parts;    /* written and not yet in the catalog */
	uint64_t next_part;

	pthread_mutex_t lock;  /* of all above while puts are going on, and of what follows */
	pthread_cond_t changed;
	pthread_t thread;
	bool running, ending;
	bool busy;             /* the thread writes `writing` */
	enum store_table table;
	struct buffer writing;
	uint32_t writing_segment;
	struct sort sort;      /* of the thread */
	struct part *job;      /* parts to be written of the sorted rows: job i has order[job_from[i]..job_from[i + 1]) */
	uint32_t *job_from;
	uint32_t n_jobs, next_job, jobs_done, jobs_room;
	bool helping;          /* somebody uses the second writer */
	int rc;                /* of the thread */
	struct error error;
};

int stage_init(struct stage *s, const struct folder *folder, const char *sensor, duckdb_database db, size_t memory,
               uint64_t next_part, struct error *e) MUST_USE;
void stage_fini(struct stage *s);

/* From any thread. Blobs of row i lie at `heap` + their `at`; heap NULL: none. */
int stage_put(struct stage *s, enum store_table table, const void *rows, uint32_t n, const uint8_t *heap,
              uint32_t heap_n, struct error *e) MUST_USE;

/* ---- While nobody puts ---- */
void stage_begin(struct stage *s); /* a new segment is at hand */
int stage_drop(struct stage *s, const int32_t *minutes, uint32_t n, struct error *e) MUST_USE; /* NULL: all */
int stage_abandon(struct stage *s, struct error *e) MUST_USE; /* all rows of the one at hand */
/* Writes rows of earlier segments (`all`: of the one at hand too) into parts and waits for them. */
int stage_flush(struct stage *s, bool all, struct error *e) MUST_USE;
