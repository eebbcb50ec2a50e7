/* How live sensors answer: looked at before a capture begins, and again and again after. What was found reaches the capture
 * by a file in memory, so that each piece tells of it. */
#include "daemon/parent.h"

#include "base/text.h"
#include "daemon/sensor.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOOK (15 * SECOND) /* between two looks */

static int tell(const struct parent *p, const struct child *c, enum answer_mode mode)
{
	const struct capture_told told = { c->opened, mode };
	return env_pwrite_all(p->env, c->told, &told, sizeof told, 0);
}

int parent_open_told(const struct parent *p, struct child *c, struct error *e)
{
	c->opened = p->env->realtime(p->env);
	c->told = memfd_create("monomi-told", MFD_CLOEXEC);
	int rc = c->told < 0 ? -errno : tell(p, c, MODE_UNTOLD);
	return rc ? error_set(e, rc, "MON-DMN-031", "no memory file to be had: %s", strerror(-rc)) : 0;
}

/* Whoever wants it silent has said who is still let in, or nobody is kept out by us: that would lock people out. */
static int make_silent(const struct parent *p, const struct run_sensor *s, struct error *e)
{
	const struct silence how = { s->interface, s->manage, s->n_manage };
	if (!s->n_manage)
		return error_set(e, -EPERM, "MON-DMN-055", "no rule drops what comes, and no management was named that would still "
		                 "be let in");
	return silence_begin(p->env, &how, e);
}

static int look(const struct parent *p, const struct run_sensor *s, bool *silent, struct error *e)
{
	struct text let_in = { .env = p->env };
	int rc = silence_look(p->env, s->interface, silent, &let_in, e);
	text_fini(&let_in);
	return rc;
}

/* MODE_HOST with a reason, unless it is found, or made, to be silent. */
static enum answer_mode find(const struct parent *p, const struct run_sensor *s, bool anew, struct error *why)
{
	bool wanted = s->mode == MODE_SILENT, silent = false;
	int rc = anew && wanted && s->n_manage ? 0 : look(p, s, &silent, why);
	if (!rc && !silent)
		rc = wanted ? make_silent(p, s, why) : error_set(why, -ENOENT, "MON-DMN-055", "no rule drops what comes");
	return rc ? MODE_HOST : MODE_SILENT;
}

static void say(const struct child *c, enum answer_mode mode, const struct error *why)
{
	struct error said;
	bool wants = mode == MODE_HOST && why->code[0];
	error_set(&said, 0, "MON-DMN-055", "sensor %s on %s: %s%s%.150s", c->sensor, c->interface, mode_name(mode),
	          wants ? ": " : "", wants ? why->text : "");
	parent_say(&said);
}

void parent_look_at_answers(struct parent *p, struct child *c, bool anew)
{
	const struct run_sensor *s = parent_sensor_of(&c->held->setup->config, c);
	struct error why = { .code = "" };
	if (!s)
		return;
	enum answer_mode mode = s->mode > MODE_SILENT ? s->mode : find(p, s, anew, &why);
	c->looked = p->env->monotonic(p->env);
	if (mode == c->mode)
		return;
	if (tell(p, c, mode))
		return; /* memory alone can be short: the next look comes */
	c->mode = mode;
	say(c, mode, &why);
}

void parent_look_again(struct parent *p)
{
	int64_t now = p->env->monotonic(p->env);
	for (struct child *c = &p->child[CAPTURES]; c < &p->child[CHILDREN]; c++)
		if (c->wanted && now - c->looked >= LOOK)
			parent_look_at_answers(p, c, false);
}
