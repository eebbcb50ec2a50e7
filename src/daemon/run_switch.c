/* HUP: another configuration, read and checked whole, from the beginning of a minute on.
 *
 * A minute's rows come from one configuration: the keeper that has the old one reads all minutes that began before the
 * change, ends, and the next goes on. Captures go on through it where what they heed stays, so nothing is lost; filters
 * are wide enough for both meanwhile, and what of it belongs to a minute is told by whoever reads that minute. */
#include "daemon/notify.h"
#include "daemon/parent.h"

#include "base/text.h"
#include "capture/live.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MINUTE (60 * SECOND)
#define EARLIEST (2 * SECOND)  /* until the change: for captures that end with the old configuration */
#define FAREWELL (8 * SECOND)
#define DRAIN (600 * SECOND)   /* for a keeper that is behind */

/* ---- What a role makes its work from, as text ---- */
static void put(struct text *t, const char *word) { text_add(t, word ? word : "\1", word ? strlen(word) + 1 : 2); }

static void put_sensors(struct text *t, const struct run_config *c)
{
	for (unsigned i = 0; i < c->n_sensors; i++) {
		put(t, c->sensor[i].analysis.sensor);
		put(t, c->sensor[i].row_options);
	}
}

static void put_shares(struct text *t, const struct run_config *c)
{
	text_printf(t, "%zu %u", c->sensor[0].analysis.memory, c->sensor[0].analysis.shards);
}

static void put_databases(struct text *t, const struct run_config *c)
{
	for (int i = 0; i < ENRICH_KINDS; i++)
		put(t, c->databases.path[i]);
}

static bool is_live(const struct run_config *c) { return c->source == RUN_INTERFACE || c->source == RUN_SIMULATE; }

static void describe(struct text *t, enum role r, const struct run_config *c)
{
	text_printf(t, "%d ", is_live(c));
	switch (r) {
	case ROLE_KEEPER:
		text_printf(t, "%d %u %u %u ", (int)c->source, c->keep.payload_days, c->keep.segment_days, c->keep.detail_days);
		for (unsigned i = 0; i < c->n_sensors; i++)
			text_printf(t, "%d ", (int)c->sensor[i].mode);
		for (size_t i = 0; i < c->n_files; i++)
			put(t, c->files[i]);
		put_sensors(t, c);
		put_shares(t, c);
		put_databases(t, c);
		break;
	case ROLE_ENGINE: put_sensors(t, c); break;
	case ROLE_SIMULATOR:
		text_printf(t, "%d %" PRIu64, (int)c->source, c->seed);
		put_sensors(t, c);
		break;
	case ROLE_READER:
		put_shares(t, c);
		put_databases(t, c);
		break;
	case ROLE_SERVER: put_databases(t, c); break;
	case ROLE_CAPTURE: case ROLE_EXTRACT: case ROLES: break;
	}
}

/* Without memory to tell, it is another. */
static bool differs(const struct parent *p, enum role r)
{
	struct text a = { .env = p->env }, b = { .env = p->env };
	describe(&a, r, parent_config(p));
	describe(&b, r, &p->held[!p->now].setup->config);
	bool same = text_ok(&a) && text_ok(&b) && a.n == b.n && !memcmp(a.p, b.p, a.n);
	text_fini(&a);
	text_fini(&b);
	return !same;
}

static bool equal(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

/* ---- Captures ---- */
static struct child *capture_of(struct parent *p, const struct run_sensor *s)
{
	for (struct child *c = &p->child[CAPTURES]; c < &p->child[CHILDREN]; c++)
		if (c->wanted && equal(c->sensor, s->analysis.sensor) && equal(c->interface, s->interface))
			return c;
	return NULL;
}

const struct run_sensor *parent_sensor_of(const struct run_config *config, const struct child *c)
{
	for (unsigned i = 0; config->source == RUN_INTERFACE && i < config->n_sensors; i++)
		if (equal(c->sensor, config->sensor[i].analysis.sensor) && equal(c->interface, config->sensor[i].interface))
			return &config->sensor[i];
	return NULL;
}

static void say_filter(int rc, const struct error *e)
{
	if (rc)
		parent_say(e);
}

static int set_filter(const struct child *c, const char *filter, struct error *e)
{
	const struct live_socket_config socket = { .interface = c->interface, .filter = filter };
	return live_socket_filter(c->packets, &socket, e);
}

/* What either filter passes; all where the kernel does not take that. */
static void widen(const struct parent *p, const struct child *c, const char *now, const char *next)
{
	struct text both = { .env = p->env };
	struct error e;
	text_puts(&both, "(");
	text_puts(&both, now ? now : "");
	text_puts(&both, ") or (");
	text_puts(&both, next ? next : "");
	text_puts(&both, ")");
	if (!now || !next || !text_ok(&both) || set_filter(c, both.p, &e))
		say_filter(set_filter(c, NULL, &e), &e);
	text_fini(&both);
}

static void each_kept(struct parent *p, void (*act)(struct parent *p, struct child *c, const struct run_sensor *now,
                                                    const struct run_sensor *next))
{
	for (struct child *c = &p->child[CAPTURES]; c < &p->child[CHILDREN]; c++) {
		const struct run_sensor *now = parent_sensor_of(parent_config(p), c);
		const struct run_sensor *next = parent_sensor_of(&parent_next(p)->setup->config, c);
		if (c->wanted && now && next)
			act(p, c, now, next);
	}
}

static void widen_one(struct parent *p, struct child *c, const struct run_sensor *now, const struct run_sensor *next)
{
	if (!equal(now->analysis.capture.filter, next->analysis.capture.filter))
		widen(p, c, now->analysis.capture.filter, next->analysis.capture.filter);
}

/* Whom the host answers. */
static bool is_host_changed(const struct run_sensor *now, const struct run_sensor *next)
{
	return now->mode != next->mode || !equal(now->manage_words, next->manage_words);
}

static void narrow_one(struct parent *p, struct child *c, const struct run_sensor *now, const struct run_sensor *next)
{
	struct error e;
	c->held = parent_next(p);
	if (!equal(now->analysis.capture.filter, next->analysis.capture.filter))
		say_filter(set_filter(c, next->analysis.capture.filter, &e), &e);
	if (is_host_changed(now, next))
		parent_look_at_answers(p, c, true);
}

/* What is management has changed: only another capture knows. Its socket lives on, and packets wait there. */
static void renew_one(struct parent *p, struct child *c, const struct run_sensor *now, const struct run_sensor *next)
{
	struct error e;
	if (equal(now->manage_words, next->manage_words))
		return;
	parent_end(p, c, SIGTERM, FAREWELL);
	c->wanted = true;
	c->crashed = false;
	c->held = parent_next(p);
	if (parent_start(p, c, &e)) {
		parent_say(&e);
		c->again = p->env->monotonic(p->env) + SECOND;
	}
}

static int add_captures(struct parent *p, struct error *e)
{
	const struct run_config *next = &parent_next(p)->setup->config;
	struct child *added;
	int rc = 0;
	for (unsigned i = 0; !rc && next->source == RUN_INTERFACE && i < next->n_sensors; i++)
		if (!capture_of(p, &next->sensor[i]))
			rc = parent_add_capture(p, &next->sensor[i], parent_next(p), &added, e);
	return rc;
}

static bool is_added(struct parent *p, const struct child *c) { return c->wanted && c->held == parent_next(p); }

static void take_back(struct parent *p)
{
	for (struct child *c = &p->child[CAPTURES]; c < &p->child[CHILDREN]; c++)
		if (is_added(p, c))
			parent_remove_capture(p, c);
}

/* New ones begin at once, so that a sensor with another name on an old interface has no gap; then others end. */
static int change_captures(struct parent *p, unsigned *changed, struct error *e)
{
	int rc = 0;
	for (struct child *c = &p->child[CAPTURES]; !rc && c < &p->child[CHILDREN]; c++)
		if (is_added(p, c)) {
			rc = parent_start(p, c, e);
			++*changed;
		}
	for (struct child *c = &p->child[CAPTURES]; !rc && c < &p->child[CHILDREN]; c++)
		if (c->wanted && !parent_sensor_of(&parent_next(p)->setup->config, c)) {
			parent_end(p, c, SIGTERM, FAREWELL);
			parent_remove_capture(p, c);
			++*changed;
		}
	return rc;
}

/* ---- Reading it ---- */
static int check_fixed(const struct run_config *now, const struct run_config *next, struct error *e)
{
	return strcmp(now->db, next->db) || strcmp(now->listen, next->listen) ?
	       error_set(e, -EINVAL, "MON-DMN-035", "the store and the address of the pages stay until the next start") : 0;
}

static bool is_any_host_changed(struct parent *p)
{
	for (struct child *c = &p->child[CAPTURES]; c < &p->child[CHILDREN]; c++) {
		const struct run_sensor *now = parent_sensor_of(parent_config(p), c);
		const struct run_sensor *next = parent_sensor_of(&parent_next(p)->setup->config, c);
		if (now && next && is_host_changed(now, next))
			return true;
	}
	return false;
}

static void plan_switch(struct parent *p, unsigned changed)
{
	struct error said;
	for (enum role r = 0; r < ROLES; r++)
		changed += differs(p, r);
	if (!changed && !is_any_host_changed(p)) {
		error_set(&said, 0, "MON-DMN-039", "the configuration is as it was");
		parent_let_go(p, parent_next(p));
		notify_manager(p->env, "READY=1");
	} else {
		int64_t now = p->env->realtime(p->env);
		p->switch_at = (now + EARLIEST) / MINUTE * MINUTE + MINUTE;
		p->switching = SWITCH_WAITS;
		error_set(&said, 0, "MON-DMN-039", "the configuration is good and holds in %" PRId64 " s, from the next minute on",
		          (p->switch_at - now) / SECOND);
	}
	parent_say(&said);
}

/* Everything that can be refused comes before anything is changed. */
static int prepare(struct parent *p, struct run_setup *next, struct error *e)
{
	int rc = parent_hold(p, parent_next(p), next, e);
	if (rc) {
		p->request->drop(p->request->ctx, next);
		return rc;
	}
	rc = check_fixed(parent_config(p), &next->config, e);
	if (!rc)
		rc = add_captures(p, e);
	if (!rc)
		rc = parent_make_folders(p, &next->config, e);
	if (rc) {
		take_back(p);
		parent_let_go(p, parent_next(p));
	}
	return rc;
}

int parent_read_again(struct parent *p, struct error *e)
{
	struct run_setup *next;
	struct error wrong, said;
	unsigned changed = 0;
	if (p->switching != SWITCH_NONE)
		return 0; /* once that is done */
	p->again = false;
	notify_reloading(p->env);
	int rc = p->request->again ? p->request->again(p->request->ctx, &next, &wrong) :
	         error_set(&wrong, -ENOENT, "MON-DMN-038", "it was started without a file (--config) that could be read again");
	if (!rc)
		rc = prepare(p, next, &wrong);
	if (rc) {
		error_set(&said, rc, wrong.code, "all goes on as it was: %s", wrong.text);
		parent_say(&said);
		notify_manager(p->env, "READY=1\nSTATUS=goes on by the old configuration: the new one has an error");
		return 0;
	}
	rc = change_captures(p, &changed, e);
	each_kept(p, widen_one);
	plan_switch(p, changed);
	return rc;
}

/* ---- Changing over ---- */
static int finish(struct parent *p, struct error *e)
{
	bool changed[ROLES];
	for (enum role r = 0; r < ROLES; r++)
		changed[r] = r != ROLE_CAPTURE && differs(p, r);
	each_kept(p, narrow_one);
	for (enum role r = 0; r < ROLES; r++)
		if (changed[r] && r != ROLE_KEEPER)
			parent_end(p, &p->child[r], SIGTERM, SECOND);
	p->now = !p->now;
	parent_choose_roles(p);
	parent_let_go(p, parent_next(p));
	p->switched = true;
	p->switching = SWITCH_NONE;
	notify_manager(p->env, "READY=1\nSTATUS=serves the pages");
	return parent_start_wanted(p, e);
}

static void begin(struct parent *p)
{
	struct child *keeper = &p->child[ROLE_KEEPER];
	each_kept(p, renew_one);
	if (parent_config(p)->source == RUN_SIMULATE) /* so that the keeper finds an end */
		parent_end(p, &p->child[ROLE_SIMULATOR], SIGTERM, FAREWELL);
	p->switching = SWITCH_DRAINS;
	p->drain_end = p->env->monotonic(p->env) + DRAIN;
	keeper->leaving = differs(p, ROLE_KEEPER);
	if (keeper->leaving && keeper->pid)
		kill(keeper->pid, SIGHUP);
}

int parent_switch_step(struct parent *p, struct error *e)
{
	struct child *keeper = &p->child[ROLE_KEEPER];
	if (p->switching == SWITCH_WAITS && p->env->realtime(p->env) >= p->switch_at)
		begin(p);
	if (p->switching != SWITCH_DRAINS)
		return 0;
	if (keeper->leaving && p->env->monotonic(p->env) > p->drain_end) {
		parent_end(p, keeper, SIGKILL, SECOND); /* the next begins anew what it was at */
		keeper->leaving = false;
	}
	return keeper->leaving ? 0 : finish(p, e);
}
