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

struct engine {
	const struct role_call *c;
	const struct env *env;
	const struct run_config *config;
	struct classify *classify;
	struct tally *tally;
	struct frame_block block;
	char folder[ROLE_PATH];
	int watch;         /* inotify */
	uint64_t addresses;
	bool changed;      /* since the last line */
	int64_t told;      /* monotonic, of the last line */
	struct text line;
};

static int open_all(struct engine *g, struct error *e)
{
	int rc = role_folder(g->config, false, g->folder, e);
	if (!rc)
		rc = classify_open(&g->classify, g->env, &g->config->analysis.scope, e);
	if (!rc)
		rc = tally_open(&g->tally, g->env, e);
	if (!rc)
		rc = frame_block_init(&g->block, g->env, e);
	if (rc)
		return rc;
	g->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (g->watch < 0 || inotify_add_watch(g->watch, g->folder, IN_MOVED_TO | IN_ONLYDIR) < 0)
		return error_set(e, -errno, "MON-DMN-029", "%s cannot be watched: %s", g->folder, strerror(errno));
	g->addresses = scope_addresses(&g->config->analysis.scope);
	return 0;
}

static void close_all(struct engine *g)
{
	if (g->watch >= 0)
		g->env->close(g->env, g->watch);
	frame_block_fini(&g->block, g->env);
	tally_close(g->tally);
	if (g->classify)
		classify_close(g->classify);
	text_fini(&g->line);
}

/* ---- A piece ---- */
static void count_block(struct engine *g)
{
	struct packet packets[BATCH];
	struct verdict verdicts[BATCH];
	uint8_t scratch[BATCH][32];
	for (uint32_t i = 0; i < g->block.n; i += BATCH) {
		uint32_t n = g->block.n - i < BATCH ? g->block.n - i : BATCH;
		decode_frames(&g->config->analysis.decode, g->block.frames + i, packets, n);
		classify_packets(g->classify, packets, verdicts, n, scratch);
		tally_packets(g->tally, packets, verdicts, n);
	}
}

static void count_piece(struct engine *g, const struct piece_name *name, struct capture *capture)
{
	struct capture_info info;
	struct error damage;
	while (capture_read(capture, &g->block, &damage) == CAPTURE_FRAMES)
		count_block(g);
	capture_info(capture, &info);
	struct tally_piece piece = { .at = info.observed.to, .received = info.observed.received,
	                             .dropped = info.observed.dropped, .simulated = info.simulated };
	if (!info.observed.sections)
		piece.at = moment_of_minute((int32_t)name->from);
	tally_piece(g->tally, &piece);
	g->changed = true;
}

/* What is damaged or gone already counts as far as it can be read: rows will tell. */
static int read_piece(struct engine *g, const char *file, struct error *e)
{
	char path[ROLE_PATH + PIECE_NAME];
	struct capture_config config = { .filter = g->config->analysis.capture.filter, .memory = PIECE_MEMORY };
	struct piece_name name;
	struct capture *capture;
	int32_t now = moment_minute(g->env->realtime(g->env));
	if (!piece_name_parse(file, &name) || name.closed || (int64_t)name.to + RECENT <= now)
		return 0;
	snprintf(path, sizeof path, "%s/%s", g->folder, file);
	int rc = capture_open(&capture, g->env, path, &config, e);
	if (rc == -ENOMEM)
		return rc;
	if (rc)
		return 0;
	count_piece(g, &name, capture);
	capture_close(capture);
	return 0;
}

struct looking {
	struct engine *g;
	struct error *e;
};

static int look_at(void *ctx, const char *file)
{
	struct looking *k = ctx;
	return read_piece(k->g, file, k->e);
}

static int look(struct engine *g, struct error *e)
{
	struct looking k = { g, e };
	int rc = g->env->list(g->env, g->folder, look_at, &k);
	return rc && rc != -ENOMEM ? error_set(e, rc, "MON-DMN-029", "%s cannot be read: %s", g->folder, strerror(-rc)) : rc;
}

/* Names were lost: everything is counted anew from what lies there. */
static int start_over(struct engine *g, struct error *e)
{
	tally_close(g->tally);
	g->tally = NULL;
	int rc = tally_open(&g->tally, g->env, e);
	return rc ? rc : look(g, e);
}

static int take_names(struct engine *g, struct error *e)
{
	_Alignas(struct inotify_event) char names[16384];
	ssize_t n = g->env->read(g->env, g->watch, names, sizeof names);
	int rc = 0;
	for (ssize_t at = 0; !rc && at < n;) {
		const struct inotify_event *event = (const void *)(names + at);
		at += (ssize_t)(sizeof *event + event->len);
		if (event->mask & IN_Q_OVERFLOW)
			return start_over(g, e);
		if (event->mask & IN_IGNORED)
			return error_set(e, -ENOENT, "MON-DMN-029", "%s is gone", g->folder);
		if (event->len)
			rc = read_piece(g, event->name, e);
	}
	return rc;
}

/* ---- Telling ---- */
/* A server that does not listen misses a line; the next has all of it. */
static int tell(struct engine *g, struct error *e)
{
	g->line.n = 0;
	if (!tally_json(g->tally, g->config->analysis.sensor, g->addresses, &g->line))
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
	struct pollfd p = { .fd = g->watch, .events = POLLIN };
	int rc = poll(&p, 1, wait) > 0 ? take_names(g, e) : 0;
	since = g->env->monotonic(g->env) - g->told;
	if (!rc && (since >= PUBLISH || (g->changed && since >= EARLY)))
		rc = tell(g, e);
	return rc;
}

int engine_run(const struct role_call *c, struct error *e)
{
	struct engine g = { .c = c, .env = c->env, .config = c->config, .watch = -1, .line = { .env = c->env } };
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
