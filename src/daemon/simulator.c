/* The simulator: a telescope made up, in place of a capture. First the week before now, newest day first, then second by
 * second as time goes.
 *
 * What it sends at a moment follows from seed, addresses and the week (from Monday, UTC) alone: a week is one run of
 * simulate/, of which this takes what is wanted. So it can end and start again at any moment: what it has made, as the
 * store and the folder say, it does not make again, and what is missing comes as it would have. */
#include "daemon/role.h"
#include "daemon/spans.h"
#include "daemon/waiting.h"

#include "simulate/simulate.h"
#include "store/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)
#define MONDAY (4 * DAY)     /* 1970-01-05 */
#define FRESH (10 * MINUTE)  /* of the past that comes minute by minute, for the live counters */
#define LINK_ETHERNET 1
#define PIECES_MEMORY (16u << 20)
#define CLOSED_MOST 24       /* hours of the past that may wait for the keeper */

struct simulator {
	const struct role_call *c;
	const struct env *env;
	const struct run_config *config;
	char folder[2][ROLE_PATH];
	struct spans missing; /* of the past week, what comes before `live` */
	int64_t live;         /* ns: from here on minute by minute */
	int64_t started;
	pthread_t filler;
	bool filling;
	struct error filler_error;
};

/* ---- A stretch of a week ---- */
struct stretch {
	struct simulator *m;
	struct pieces *pieces;
	int64_t from, to; /* ns; to: INT64_MAX: for ever */
	bool paced;       /* no second comes before it is over */
	bool past;        /* waits for the keeper */
};

#define STOPPED -ECANCELED /* the stretch is over, or the role is to end */

static int take_frame(void *ctx, const struct frame *f, struct error *e)
{
	const struct stretch *x = ctx;
	(void)e;
	if (f->ts >= x->from && f->ts < x->to)
		pieces_frame(x->pieces, f);
	return 0;
}

static void wait_until(const struct simulator *m, int64_t ns)
{
	int64_t now;
	while (!*m->c->stop && (now = m->env->realtime(m->env)) < ns)
		poll(NULL, 0, ns - now > SECOND ? 1000 : (int)((ns - now) / 1000000) + 1);
}

static void wait_for_keeper(const struct simulator *m)
{
	struct waiting_list list = { 0 };
	const char *const folders[2] = { m->folder[1], m->folder[1] };
	struct error ignored;
	do {
		if (waiting_look(&list, m->env, folders, &ignored))
			break;
		if (list.closed / 2 > CLOSED_MOST) /* both folders are one here */
			poll(NULL, 0, 200);
	} while (list.closed / 2 > CLOSED_MOST && !*m->c->stop);
	waiting_fini(&list, m->env);
}

static int take_second(void *ctx, int64_t second, struct error *e)
{
	struct stretch *x = ctx;
	int64_t ns = second * SECOND;
	(void)e;
	if (ns > x->from)
		pieces_clock(x->pieces, ns < x->to ? ns : x->to);
	if (ns >= x->to || *x->m->c->stop)
		return STOPPED;
	if (x->past && ns >= x->from && ns % HOUR == 0)
		wait_for_keeper(x->m);
	if (x->paced && ns + SECOND > x->from)
		wait_until(x->m, ns + SECOND);
	return *x->m->c->stop ? STOPPED : 0;
}

static uint64_t seed_of_week(uint64_t seed, int64_t week)
{
	uint64_t x = seed ^ (uint64_t)week * 0x9e3779b97f4a7c15u; /* splitmix64 */
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static int run_stretch(struct stretch *x, struct error *e)
{
	const struct simulator *m = x->m;
	const struct simulate_sink sink = { take_frame, take_second, x };
	int rc = 0;
	for (int64_t week = (x->from - MONDAY) / WEEK; !rc && MONDAY + week * WEEK < x->to && !*m->c->stop; week++) {
		struct simulate_result result;
		int64_t begin = MONDAY + week * WEEK;
		const struct simulate_config config = {
			.seed = seed_of_week(m->config->seed, week), .addresses = m->c->sensor->analysis.scope.monitored,
			.n_addresses = m->c->sensor->analysis.scope.n_monitored, .from = begin / SECOND, .to = (begin + WEEK) / SECOND,
			.sink = &sink, .application = "monomi",
		};
		rc = simulate_run(m->env, &config, &result, e);
	}
	if (!rc && x->to != INT64_MAX && !*m->c->stop)
		pieces_clock(x->pieces, x->to);
	return rc == STOPPED ? 0 : rc;
}

static int make_pieces(const struct stretch *what, bool timeless, uint32_t span, struct error *e)
{
	struct stretch x = *what;
	const struct simulator *m = x.m;
	struct error closing;
	const struct pieces_config config = {
		.folder = m->folder[x.past], .writer = (uint64_t)m->env->realtime(m->env), .link = LINK_ETHERNET,
		.interface = "SIMULATED", .application = "monomi", .simulated = true, .span = span, .timeless = timeless,
		.memory = PIECES_MEMORY,
	};
	int rc = pieces_open(&x.pieces, m->env, &config, x.from, e);
	if (rc)
		return rc;
	rc = run_stretch(&x, e);
	int closed = pieces_close(x.pieces, &closing);
	if (closed && !rc)
		*e = closing;
	return rc ? rc : closed;
}

/* ---- What there is already ---- */
static bool number_after(const char *text, const char *key, int64_t *out)
{
	const char *at = strstr(text, key);
	char *end;
	if (!at)
		return false;
	at += strlen(key);
	*out = strtoll(at, &end, 10);
	return end != at;
}

/* A marker's from_ns and to_ns. */
static int add_marker(struct spans *s, const struct env *env, const char *path, struct error *e)
{
	char text[512] = { 0 };
	int64_t from, to;
	int fd = env->open(env, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd == -ENOENT)
		return 0; /* stored meanwhile */
	ssize_t n = fd < 0 ? fd : env->read(env, fd, text, sizeof text - 1);
	if (fd >= 0)
		env->close(env, fd);
	if (n < 0)
		return error_set(e, (int)n, "MON-DMN-023", "%s cannot be read: %s", path, strerror((int)-n));
	bool whole = number_after(text, "\"from_ns\":", &from) && number_after(text, "\"to_ns\":", &to);
	return whole ? spans_add(s, env, from, to, e) : 0;
}

static int add_piece(struct spans *s, const struct env *env, const char *path, struct error *e)
{
	struct capture *capture;
	struct capture_info info;
	struct frame_block block;
	struct error damage;
	int64_t last = INT64_MIN;
	if (capture_open(&capture, env, path, &(struct capture_config){ 0 }, &damage))
		return 0; /* gone meanwhile: then its marker or the store tells */
	int rc = frame_block_init(&block, env, e);
	while (!rc && capture_read(capture, &block, &damage) == CAPTURE_FRAMES)
		last = block.frames[block.n - 1].ts;
	capture_info(capture, &info);
	frame_block_fini(&block, env);
	capture_close(capture);
	if (rc || !info.observed.sections)
		return rc;
	/* One that was cut by its size ends within a second that had not been said to be over. */
	return spans_add(s, env, info.observed.from, last >= info.observed.to ? last + 1 : info.observed.to, e);
}

struct looking {
	const struct simulator *m;
	struct spans *made;
	int folder;
	struct error *e;
};

/* Pieces of closed groups too: a marker that another writer made for them knows no more than they say of time. */
static int look_at(void *ctx, const char *name)
{
	struct looking *k = ctx;
	char path[ROLE_PATH + PIECE_NAME];
	struct piece_name n;
	if (!piece_name_parse(name, &n))
		return 0;
	snprintf(path, sizeof path, "%s/%s", k->m->folder[k->folder], name);
	return n.closed ? add_marker(k->made, k->m->env, path, k->e) : add_piece(k->made, k->m->env, path, k->e);
}

struct covering {
	const struct simulator *m;
	struct spans *made;
};

static int64_t number_of(const struct store_cell *cell)
{
	char text[32]; /* a cell does not end in a zero byte */
	snprintf(text, sizeof text, "%.*s", (int)cell->n, cell->text);
	return strtoll(text, NULL, 10);
}

static int add_covered(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct covering *k = ctx;
	if (n != 2 || !cells[0].text || !cells[1].text)
		return 0;
	return spans_add(k->made, k->m->env, number_of(&cells[0]), number_of(&cells[1]) + 1, e);
}

static int look_into_store(struct simulator *m, struct spans *made, struct error *e)
{
	const struct store_limits limits = { .memory = 128u << 20, .threads = 1 };
	const struct store_param sensor = { "sensor", m->c->sensor->analysis.sensor };
	struct covering k = { m, made };
	struct store_reader *r = NULL;
	int rc = store_reader_open(&r, m->env, m->config->db, &limits, NULL, NULL, NULL, 0, e);
	if (rc)
		return rc;
	rc = store_reader_rows(r, "SELECT from_ns, to_ns FROM rest.coverage WHERE sensor = $sensor", &sensor, 1, add_covered,
	                       &k, e);
	store_reader_close(r);
	return rc;
}

/* The folder first: what goes from it meanwhile is in the store then. */
static int look(struct simulator *m, struct error *e)
{
	struct spans made = { 0 };
	int rc = 0;
	for (int i = 0; !rc && i < 2; i++) {
		struct looking k = { m, &made, i, e };
		rc = m->env->list(m->env, m->folder[i], look_at, &k);
		if (rc && !e->code[0])
			error_set(e, rc, "MON-DMN-023", "%s cannot be read: %s", m->folder[i], strerror(-rc));
	}
	if (!rc)
		rc = look_into_store(m, &made, e);
	spans_sort(&made);
	m->started = m->env->realtime(m->env) / SECOND * SECOND;
	m->live = m->started / MINUTE * MINUTE - FRESH;
	if (made.n && made.item[made.n - 1].to > m->live) /* goes on where the one before was ended */
		m->live = made.item[made.n - 1].to;
	if (!rc)
		rc = spans_gaps(&made, m->env, (m->started - WEEK) / HOUR * HOUR, m->live, &m->missing, e);
	spans_fini(&made, m->env);
	return rc;
}

/* ---- The past ---- */
/* The last day of what is missing goes first. */
static int fill(struct simulator *m, struct error *e)
{
	int rc = 0;
	while (!rc && m->missing.n && !*m->c->stop) {
		struct span_of_time *last = &m->missing.item[m->missing.n - 1];
		int64_t day = (last->to - 1) / DAY * DAY;
		struct stretch x = { .m = m, .from = day > last->from ? day : last->from, .to = last->to, .past = true };
		rc = make_pieces(&x, true, 60, e);
		last->to = x.from;
		m->missing.n -= last->from >= last->to;
	}
	return rc;
}

static void *filler_main(void *arg)
{
	struct simulator *m = arg;
	if (fill(m, &m->filler_error))
		role_say(m->c, &m->filler_error);
	return NULL;
}

/* ---- The present ---- */
static int go_live(struct simulator *m, struct error *e)
{
	int64_t minute = m->started / MINUTE * MINUTE;
	struct stretch fresh = { .m = m, .from = m->live, .to = minute };
	struct stretch live = { .m = m, .from = m->live > minute ? m->live : minute, .to = INT64_MAX, .paced = true };
	int rc = fresh.from < fresh.to ? make_pieces(&fresh, true, 1, e) : 0;
	if (!rc)
		m->filling = !pthread_create(&m->filler, NULL, filler_main, m);
	return rc ? rc : make_pieces(&live, false, 1, e);
}

int simulator_run(const struct role_call *c, struct error *e)
{
	struct simulator m = { .c = c, .env = c->env, .config = c->config };
	int rc = 0;
	error_clear(e);
	for (int i = 0; !rc && i < 2; i++)
		rc = role_folder(c->config, c->sensor, i == 1, m.folder[i], e);
	if (!rc)
		rc = look(&m, e);
	if (!rc)
		rc = role_lock_in(c, e);
	if (!rc)
		rc = role_ready(c, e);
	if (!rc)
		rc = go_live(&m, e);
	if (m.filling)
		pthread_join(m.filler, NULL);
	spans_fini(&m.missing, m.env);
	return rc;
}
