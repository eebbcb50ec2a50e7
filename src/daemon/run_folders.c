/* Folders of the observatory, and whose they are. */
#include "daemon/parent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever is root gives the store to the keeper, and what captures write to the capture; links are given, not followed. */
struct giving {
	const struct env *env;
	char path[ROLE_PATH];
	int depth;
	uid_t user;
	struct error *e;
};

static int give(struct giving *g, uid_t user);

static int give_inside(void *ctx, const char *name)
{
	struct giving *g = ctx;
	size_t at = strlen(g->path);
	uid_t user = g->user;
	if (snprintf(g->path + at, sizeof g->path - at, "/%s", name) >= (int)(sizeof g->path - at))
		return error_set(g->e, -ENAMETOOLONG, "MON-DMN-020", "the path of the store is too long");
	bool live = g->depth >= 2 && strstr(g->path, "/spool/live/");
	int rc = give(g, live ? ROLE_USER + ROLE_CAPTURE : user);
	g->path[at] = 0;
	g->user = user;
	return rc;
}

static int give(struct giving *g, uid_t user)
{
	char link[8];
	int rc = lchown(g->path, user, ROLE_USER + ROLE_KEEPER) ? -errno : 0;
	if (rc)
		return error_set(g->e, rc, "MON-DMN-037", "%s cannot be given to the keeper: %s", g->path, strerror(-rc));
	if (g->env->readlink(g->env, g->path, link, sizeof link) >= 0)
		return 0;
	g->user = user;
	g->depth++;
	rc = g->env->list(g->env, g->path, give_inside, g);
	g->depth--;
	return rc == -ENOTDIR ? 0 : rc;
}

int parent_give_store(const struct parent *p, struct error *e)
{
	struct giving g = { .env = p->env, .e = e };
	const char *db = parent_config(p)->db;
	int rc = p->env->mkdir(p->env, db, 0750);
	if (rc && rc != -EEXIST)
		return error_set(e, rc, "MON-DMN-032", "%s cannot be made: %s", db, strerror(-rc));
	if (geteuid())
		return 0;
	snprintf(g.path, sizeof g.path, "%s", db);
	return give(&g, ROLE_USER + ROLE_KEEPER);
}

static int give_folder(const char *path, bool last)
{
	if (geteuid())
		return 0;
	return lchown(path, ROLE_USER + (last ? ROLE_CAPTURE : ROLE_KEEPER), ROLE_USER + ROLE_KEEPER) ||
	       chmod(path, last ? 0770 : 0750) ? -errno : 0;
}

/* Made before anybody writes or watches there; the store itself is the keeper's to make, so it comes after that. */
static int make_folder(const struct parent *p, const struct run_config *c, const struct run_sensor *s, bool past,
                       struct error *e)
{
	char path[ROLE_PATH];
	int rc = role_folder(c, s, past, path, e);
	for (char *slash = path + strlen(c->db) + 1; !rc && slash;) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = 0;
		rc = p->env->mkdir(p->env, path, 0770);
		rc = rc && rc != -EEXIST ? rc : give_folder(path, !slash);
		if (rc)
			return error_set(e, rc, "MON-DMN-032", "%s cannot be made: %s", path, strerror(-rc));
		if (slash)
			*slash++ = '/';
	}
	return rc;
}

int parent_make_folders(const struct parent *p, const struct run_config *c, struct error *e)
{
	int rc = 0;
	if (c->source != RUN_INTERFACE && c->source != RUN_SIMULATE)
		return 0;
	for (unsigned i = 0; !rc && i < c->n_sensors; i++)
		for (int past = 0; !rc && past < 2; past++)
			rc = make_folder(p, c, &c->sensor[i], past, e);
	return rc;
}
