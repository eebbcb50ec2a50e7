/* What waits in a live sensor's folder to be stored: pieces of minutes that are over (docs/formats/live.md). */
#pragma once
#include "base/env.h"
#include "capture/pieces.h"

#include <stddef.h>

/* Pieces of one (from, to, writer): they become one segment. */
struct waiting {
	struct piece_name name; /* seq: not set */
	bool past;              /* in the folder of a made-up past */
	bool closed;            /* its marker is there */
	uint32_t pieces;
};

struct waiting_list {
	struct waiting *item; /* the newest minutes first; what is not closed comes last */
	uint32_t n, closed, room;
};

/* Looks what there is of one sensor. A folder that is not there is an empty one. */
int waiting_look(struct waiting_list *l, const struct env *env, const char *const folder[static 2],
                 struct error *e) MUST_USE;
void waiting_fini(struct waiting_list *l, const struct env *env);

/* "SENSOR.FROM-TO-WRITER" without folder and ending. */
#define WAITING_NAME 160
char *waiting_name(const struct waiting *w, const char *sensor, char out[static WAITING_NAME]);

/* Its pieces, one after the other, into `path`, which is durable then or not there. */
int waiting_join(const struct waiting *w, const struct env *env, const char *folder, const char *path,
                 struct error *e) MUST_USE;
/* Removes its pieces, then its marker. */
int waiting_remove(const struct waiting *w, const struct env *env, const char *folder, struct error *e) MUST_USE;
