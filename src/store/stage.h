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

/* What is staged apart: the tables, and flow rows that are narrow. */
enum { STAGE_NARROW = STORE_TABLES, STAGES };

struct buffer {
	uint8_t *rows, *heap;
	uint32_t n, room;
	uint32_t heap_n, heap_room;
	uint32_t mark;    /* rows before it are of segments before the one at hand */
	uint32_t putting; /* who copies rows that n has already */
	bool wanted;      /* somebody waits until nobody does */
};

struct parts {
	struct part *part;
	uint32_t n, room;
};
int parts_add(struct parts *v, const struct env *env, const struct part *p, struct error *e) MUST_USE;
void parts_fini(struct parts *v, const struct env *env);

struct job { /* a part to be written */
	struct part part;
	uint32_t from, to; /* in the sort's order */
	uint32_t run;      /* of narrow rows, in place of it: the run */
};

enum batch_state {
	BATCH_NONE,
	BATCH_FULL,    /* rows from … to are to be sorted */
	BATCH_SORTING, /* somebody does */
	BATCH_WRITING, /* they are jobs */
};

struct batch { /* rows that were handed over */
	enum batch_state state;
	struct buffer rows;
	bool borrowed;     /* they stay where they are */
	uint32_t from, to; /* of one segment */
	uint32_t segment;
	struct sort sort;
	struct job *job;
	uint32_t n_jobs, next_job, jobs_done, jobs_room;
};

#define WRITERS 2 /* the thread, and whoever waits for it */

struct stage {
	const struct env *env;
	size_t width[STAGES];
	struct buffer active[STAGES], spare[STAGES];
	uint32_t segment;      /* number of the one at hand */
	uint64_t rows;         /* put since the last stage_clear */
	struct part_writer writer[WRITERS];
	struct parts parts;    /* written and not yet in the catalog */
	uint64_t next_part;

	pthread_mutex_t lock;  /* of all above while puts are going on, and of what follows */
	pthread_cond_t changed;
	pthread_t thread;
	bool running, ending;
	struct batch batch[STAGES];
	bool helping;          /* somebody uses the second writer */
	int rc;                /* of writing */
	struct error error;
};

int stage_init(struct stage *s, const struct folder *folder, const char *sensor, duckdb_database db, size_t memory,
               uint64_t next_part, struct error *e) MUST_USE;
void stage_fini(struct stage *s);

/* From any thread; `stage` is a table or STAGE_NARROW. Blobs of row i lie at `heap` + their `at`; heap NULL: none. */
int stage_put(struct stage *s, unsigned stage, const void *rows, uint32_t n, const uint8_t *heap,
              uint32_t heap_n, struct error *e) MUST_USE;

/* ---- While nobody puts ---- */
void stage_begin(struct stage *s); /* a new segment is at hand */
int stage_drop(struct stage *s, const int32_t *minutes, uint32_t n, struct error *e) MUST_USE; /* NULL: all */
int stage_abandon(struct stage *s, struct error *e) MUST_USE; /* all rows of the one at hand */
/* Writes rows of earlier segments (`all`: of the one at hand too) into parts and waits for them. */
int stage_flush(struct stage *s, bool all, struct error *e) MUST_USE;
