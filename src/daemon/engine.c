/* The engine: pieces as they are sealed → live counters, once a second, to the server. It remembers nothing on disk: what a
 * new one counts begins with the pieces of the last minutes that are still there. */
#include "daemon/role.h"
#include "daemon/tally.h"

#include "base/moment.h"
#include "capture/pieces.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#define BATCH 128
/* Pieces come a little more than a second apart: each is told at once, so that no piece waits for the next line. */
#define EARLY INT64_C(700000000)     /* ns between two lines at the least */
#define PUBLISH INT64_C(1300000000)  /* … and at the most */
#define RECENT 11                    /* minutes that are looked at */
#define PIECE_MEMORY (48u << 20)

_Static_assert(RUN_SENSORS_MAX <= TALLY_SENSORS, "each has its place");

struct watched {
	const struct run_sensor *sensor;
	unsigned number;
	struct classify *classify;
	int watch; /* its number in the inotify */
	char folder[ROLE_PATH];
};

struct engine {
	const struct role_call *c;
	const struct env *env;
	struct tally *tally;
	struct frame_block block;
	struct watched watched[RUN_SENSORS_MAX];
	struct tally_sensor told_of[RUN_SENSORS_MAX];
	unsigned n;
	int inotify;
	bool changed;      /* since the last line */
	int64_t told;      /* monotonic, of the last line */
	struct text line;
};

static int watch_sensor(struct engine *g, const struct run_sensor *sensor, struct error *e)
{
	struct watched *w = &g->watched[g->n];
	w->sensor = sensor;
	w->number = g->n;
	g->told_of[g->n++] = (struct tally_sensor){ sensor->analysis.sensor, scope_addresses(&sensor->analysis.scope) };
	int rc = role_folder(g->c->config, sensor, false, w->folder, e);
	if (!rc)
		rc = classify_open(&w->classify, g->env, &sensor->analysis.scope, e);
	if (rc)
		return rc;
	w->watch = inotify_add_watch(g->inotify, w->folder, IN_MOVED_TO | IN_ONLYDIR);
	return w->watch < 0 ? error_set(e, -errno, "MON-DMN-029", "%s cannot be watched: %s", w->folder, strerror(errno)) : 0;
}

static int open_all(struct engine *g, struct error *e)
{
	int rc = tally_open(&g->tally, g->env, e);
	if (!rc)
		rc = frame_block_init(&g->block, g->env, e);
	if (rc)
		return rc;
	g->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (g->inotify < 0)
		return error_set(e, -errno, "MON-DMN-029", "folders cannot be watched: %s", strerror(errno));
	for (unsigned i = 0; !rc && i < g->c->config->n_sensors; i++)
		rc = watch_sensor(g, &g->c->config->sensor[i], e);
	return rc;
}

static void close_all(struct engine *g)
{
	if (g->inotify >= 0)
		g->env->close(g->env, g->inotify);
	frame_block_fini(&g->block, g->env);
	tally_close(g->tally);
	for (unsigned i = 0; i < g->n; i++)
		if (g->watched[i].classify)
			classify_close(g->watched[i].classify);
	text_fini(&g->line);
}

/* ---- A piece ---- */
static void count_block(struct engine *g, const struct watched *w)
{
	struct packet packets[BATCH];
	struct verdict verdicts[BATCH];
	uint8_t scratch[BATCH][32];
	for (uint32_t i = 0; i < g->block.n; i += BATCH) {
		uint32_t n = g->block.n - i < BATCH ? g->block.n - i : BATCH;
		decode_frames(&w->sensor->analysis.decode, g->block.frames + i, packets, n);
		classify_packets(w->classify, packets, verdicts, n, scratch);
		tally_packets(g->tally, packets, verdicts, n);
	}
}

static void count_piece(struct engine *g, const struct watched *w, const struct piece_name *name, struct capture *capture)
{
	struct capture_info info;
	struct error damage;
	while (capture_read(capture, &g->block, &damage) == CAPTURE_FRAMES)
		count_block(g, w);
	capture_info(capture, &info);
	struct tally_piece piece = { .at = info.observed.to, .received = info.observed.received,
	                             .dropped = info.observed.dropped, .mode = info.observed.mode,
	                             .simulated = info.simulated, .sensor = w->number };
	if (!info.observed.sections)
		piece.at = moment_of_minute((int32_t)name->from);
	tally_piece(g->tally, &piece);
	g->changed = true;
}

/* What is damaged or gone already counts as far as it can be read: rows will tell. */
static int read_piece(struct engine *g, const struct watched *w, const char *file, struct error *e)
{
	char path[ROLE_PATH + PIECE_NAME];
	struct capture_config config = { .filter = w->sensor->analysis.capture.filter, .memory = PIECE_MEMORY };
	struct piece_name name;
	struct capture *capture;
	int32_t now = moment_minute(g->env->realtime(g->env));
	if (!piece_name_parse(file, &name) || name.closed || (int64_t)name.to + RECENT <= now)
		return 0;
	snprintf(path, sizeof path, "%s/%s", w->folder, file);
	int rc = capture_open(&capture, g->env, path, &config, e);
	if (rc == -ENOMEM)
		return rc;
	if (rc)
		return 0;
	count_piece(g, w, &name, capture);
	capture_close(capture);
	return 0;
}

struct looking {
	struct engine *g;
	const struct watched *w;
	struct error *e;
};

static int look_at(void *ctx, const char *file)
{
	struct looking *k = ctx;
	return read_piece(k->g, k->w, file, k->e);
}

static int look(struct engine *g, struct error *e)
{
	for (unsigned i = 0; i < g->n; i++) {
		struct looking k = { g, &g->watched[i], e };
		int rc = g->env->list(g->env, k.w->folder, look_at, &k);
		if (rc && rc != -ENOMEM)
			error_set(e, rc, "MON-DMN-029", "%s cannot be read: %s", k.w->folder, strerror(-rc));
		if (rc)
			return rc;
	}
	return 0;
}

/* Names were lost: everything is counted anew from what lies there. */
static int start_over(struct engine *g, struct error *e)
{
	tally_close(g->tally);
	g->tally = NULL;
	int rc = tally_open(&g->tally, g->env, e);
	return rc ? rc : look(g, e);
}

static const struct watched *watched_by(const struct engine *g, int watch)
{
	for (unsigned i = 0; i < g->n; i++)
		if (g->watched[i].watch == watch)
			return &g->watched[i];
	return NULL;
}

static int take_names(struct engine *g, struct error *e)
{
	_Alignas(struct inotify_event) char names[16384];
	ssize_t n = g->env->read(g->env, g->inotify, names, sizeof names);
	int rc = 0;
	for (ssize_t at = 0; !rc && at < n;) {
		const struct inotify_event *event = (const void *)(names + at);
		const struct watched *w = watched_by(g, event->wd);
		at += (ssize_t)(sizeof *event + event->len);
		if (event->mask & IN_Q_OVERFLOW)
			return start_over(g, e);
		if (w && event->mask & IN_IGNORED)
			return error_set(e, -ENOENT, "MON-DMN-029", "%s is gone", w->folder);
		if (w && event->len)
			rc = read_piece(g, w, event->name, e);
	}
	return rc;
}

/* ---- Telling ---- */
/* A server that does not listen misses a line; the next has all of it. */
static int tell(struct engine *g, struct error *e)
{
	g->line.n = 0;
	if (!tally_json(g->tally, g->told_of, g->n, &g->line))
		return error_no_memory(e, "telling the live counters");
	ssize_t n = send(ENGINE_FD_SERVER, g->line.p, g->line.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
		return error_set(e, -errno, "MON-DMN-030", "the server takes no live counters: %s", strerror(errno));
	g->changed = false;
	g->told = g->env->monotonic(g->env);
	return 0;
}

static int step(struct engine *g, struct error *e)
{
	int64_t since = g->env->monotonic(g->env) - g->told;
	int wait = since >= PUBLISH ? 0 : (int)((PUBLISH - since) / 1000000) + 1;
	struct pollfd p = { .fd = g->inotify, .events = POLLIN };
	int rc = poll(&p, 1, wait) > 0 ? take_names(g, e) : 0;
	since = g->env->monotonic(g->env) - g->told;
	if (!rc && (since >= PUBLISH || (g->changed && since >= EARLY)))
		rc = tell(g, e);
	return rc;
}

int engine_run(const struct role_call *c, struct error *e)
{
	struct engine g = { .c = c, .env = c->env, .inotify = -1, .line = { .env = c->env } };
	int rc = open_all(&g, e);
	if (!rc)
		rc = role_lock_in(c, e);
	if (!rc)
		rc = role_ready(c, e);
	if (!rc)
		rc = look(&g, e);
	while (!rc && !*c->stop)
		rc = step(&g, e);
	close_all(&g);
	return rc;
}
