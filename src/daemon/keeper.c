/* The keeper: what waits becomes rows. Minutes of a live sensor that are over, newest first, and files that were named.
 *
 * Whatever stops it, it goes on by what lies there: a group that is closed is stored again, which adds nothing when the
 * ledger holds it; its pieces go when the commit is durable. A segment that was begun twice and never ended is left out. */
#include "daemon/ingest.h"
#include "daemon/role.h"
#include "daemon/tries.h"
#include "daemon/waiting.h"
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define BATCH 16                      /* groups a commit at the most */
#define LOOK_MS 500                   /* between looks for what waits */
#define PATIENCE INT64_C(2000000000)  /* ns that what was read waits for a commit with more */
#define FAREWELL INT64_C(3000000000)  /* ns for what still waits when the end is asked for */
#define DAY INT64_C(86400000000000)
#define MINUTE INT64_C(60000000000)
#define CLOSING INT64_C(3000000000)   /* ns after a minute's end until all of it that will come is in the folder */

struct keeper {
	const struct role_call *c;
	const struct env *env;
	const struct run_config *config;
	const struct run_sensor *sensor; /* whose segments are read now */
	struct analysis_config analysis;
	struct enrich *enrich;
	struct ingest *ingest;
	struct tries tries;
	char folder[2][ROLE_PATH]; /* of that sensor */
	struct waiting_list waiting;
	struct waiting batch[BATCH]; /* read, not known to be committed */
	uint32_t n_batch;
	uint64_t kept;     /* groups so far */
	int64_t since;     /* monotonic, of the first of the batch */
	int64_t ending;    /* monotonic, when to end at the latest; 0: not asked to */
	uint32_t until;    /* minutes since 1970: what begins later is not this one's to read; 0: all is */
	int64_t swept_day; /* the day on which what is old was last taken out */
};

static struct ingest_config turn_to(struct keeper *k, const struct run_sensor *s)
{
	k->sensor = s;
	k->analysis = s->analysis;
	k->analysis.several = false;
	k->analysis.temporary = k->config->db; /* it reaches no other folder */
	return (struct ingest_config){ .db = k->config->db, .monitored = s->monitored, .mode = s->mode,
	                               .options = s->row_options };
}

static int find_folders(struct keeper *k, struct error *e)
{
	int rc = role_folder(k->config, k->sensor, false, k->folder[0], e);
	return rc ? rc : role_folder(k->config, k->sensor, true, k->folder[1], e);
}

/* Nothing is pending. */
static int read_for(struct keeper *k, const struct run_sensor *s, struct error *e)
{
	if (k->sensor == s)
		return 0;
	const struct ingest_config ingest = turn_to(k, s);
	int rc = ingest_turn(k->ingest, &ingest, &k->analysis, e);
	return rc ? rc : find_folders(k, e);
}

static int open_store(struct keeper *k, struct error *e)
{
	const struct ingest_config ingest = turn_to(k, k->sensor);
	int rc = ingest_open(&k->ingest, k->env, &ingest, &k->analysis, e);
	if (!rc)
		ingest_place(k->ingest, k->enrich);
	return rc;
}

static int open_all(struct keeper *k, struct error *e)
{
	int rc = find_folders(k, e);
	if (!rc)
		rc = enrich_open(k->env, &k->config->databases, &k->enrich, e);
	if (!rc)
		rc = role_lock_in(k->c, e); /* before the threads that write parts */
	if (!rc)
		rc = open_store(k, e);
	return rc ? rc : tries_open(&k->tries, k->env, k->config->db, k->c->crashed, e);
}

/* ---- A segment ---- */
static int quarantine(struct keeper *k, const char *path, const char *kept_as, unsigned faults, struct error *e)
{
	struct error said;
	int rc = ingest_quarantine(k->ingest, path, kept_as, faults == TRIES_MOST, "reading it ended the keeper twice", e);
	if (!rc) {
		error_set(&said, 0, "MON-DMN-028", "%s is left out: reading it ended the keeper twice", path);
		role_say(k->c, &said);
	}
	return rc;
}

/* An analysis remembers its files: one of its own a segment keeps memory bounded for good. */
static int read_segment(struct keeper *k, const char *path, const char *inside, struct error *e)
{
	struct analysis *a;
	struct summary summary;
	int rc = analysis_open(&a, k->env, &k->analysis, e);
	if (rc)
		return rc;
	rc = inside ? ingest_segment(k->ingest, a, path, inside, &summary, e) : ingest_file(k->ingest, a, path, &summary, e);
	bool broken = analysis_broken(a) || ingest_broken(k->ingest);
	analysis_close(a);
	if (rc && !broken)
		role_say(k->c, e); /* damaged, or refused: the ledger has it */
	return broken ? rc : 0;
}

static int commit(struct keeper *k, struct error *e)
{
	char name[WAITING_NAME];
	int rc = ingest_finish(k->ingest, e);
	for (uint32_t i = 0; !rc && i < k->n_batch; i++) {
		const struct waiting *w = &k->batch[i];
		rc = waiting_remove(w, k->env, k->folder[w->past], e);
		if (!rc)
			rc = tries_end(&k->tries, waiting_name(w, k->sensor->analysis.sensor, name), e);
	}
	if (!rc)
		k->n_batch = 0;
	return rc;
}

static void remember(struct keeper *k, const struct waiting *w)
{
	if (!k->n_batch)
		k->since = k->env->monotonic(k->env);
	k->batch[k->n_batch++] = *w;
	k->kept++;
}

static int keep_group(struct keeper *k, const struct waiting *w, struct error *e)
{
	char name[WAITING_NAME], inside[WAITING_NAME + 32], path[ROLE_PATH + WAITING_NAME + 32];
	unsigned faults;
	bool known;
	waiting_name(w, k->sensor->analysis.sensor, name);
	snprintf(inside, sizeof inside, "spool/%s.pcapng.zst", name);
	snprintf(path, sizeof path, "%s/%s", k->config->db, inside);
	/* Some of its pieces may be gone already: to join the others would write over what the ledger names. */
	int rc = ingest_has(k->ingest, inside, &known, e);
	if (rc || known) {
		remember(k, w);
		return rc;
	}
	rc = tries_begin(&k->tries, name, &faults, e);
	if (!rc && faults && k->n_batch) /* alone, so that the next fault has one name */
		rc = commit(k, e);
	if (!rc)
		rc = waiting_join(w, k->env, k->folder[w->past], path, e);
	if (!rc)
		rc = faults >= TRIES_MOST ? quarantine(k, path, inside, faults, e) : read_segment(k, path, inside, e);
	if (rc)
		return rc;
	remember(k, w);
	return faults ? commit(k, e) : 0;
}

/* ---- Named files ---- */
/* A name for a path in DB/tried: what it is does not matter, only that another path has another one. */
static void file_name(const char *path, char out[static 32])
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
	for (const char *p = path; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 0x100000001b3u;
	snprintf(out, 32, "file-%016" PRIx64, hash);
}

static int keep_files(struct keeper *k, struct error *e)
{
	char name[32];
	int rc = 0;
	for (size_t i = 0; !rc && i < k->config->n_files && !*k->c->stop && !*k->c->drain; i++) {
		const char *path = k->config->files[i];
		unsigned faults;
		file_name(path, name);
		rc = tries_begin(&k->tries, name, &faults, e);
		if (!rc)
			rc = faults >= TRIES_MOST ? quarantine(k, path, path, faults, e) : read_segment(k, path, NULL, e);
		if (!rc)
			rc = ingest_finish(k->ingest, e);
		if (!rc)
			rc = tries_end(&k->tries, name, e);
	}
	return rc;
}

/* ---- Retention: on a new day, of what comes live; files are as old as they are ---- */
static int expire(struct keeper *k, struct error *e)
{
	struct store_expired gone;
	int64_t now = k->env->realtime(k->env);
	bool live = k->config->source == RUN_INTERFACE || k->config->source == RUN_SIMULATE;
	if (!live || now / DAY == k->swept_day)
		return 0;
	int rc = commit(k, e);
	if (rc)
		return rc;
	ingest_close(k->ingest); /* it holds the lock */
	k->ingest = NULL;
	if (store_expire(k->env, k->config->db, now, &k->config->keep, &gone, e))
		role_say(k->c, e); /* what is old stays for another day */
	k->swept_day = now / DAY;
	return open_store(k, e);
}

/* ---- The loop ---- */
static bool is_over(struct keeper *k)
{
	int64_t now = k->env->monotonic(k->env);
	if (*k->c->stop && !k->ending)
		k->ending = now + FAREWELL;
	return k->ending && now >= k->ending;
}

/* Asked to end at the end of a minute: a group that a later configuration is to read. */
static bool is_later(const struct keeper *k, const struct waiting *w) { return k->until && w->name.from >= k->until; }

/* What is closed of one sensor, a batch at a time; *left: how much is there that is or will be to do. */
static int keep_waiting(struct keeper *k, uint32_t *left, struct error *e)
{
	const char *const folders[2] = { k->folder[0], k->folder[1] };
	int rc = waiting_look(&k->waiting, k->env, folders, e);
	for (uint32_t i = 0; !rc && i < k->waiting.n; i++)
		*left += !is_later(k, &k->waiting.item[i]) && (k->until || k->waiting.item[i].closed);
	for (uint32_t i = 0; !rc && i < k->waiting.closed && k->n_batch < BATCH && !is_over(k); i++) {
		if (is_later(k, &k->waiting.item[i]))
			continue;
		rc = keep_group(k, &k->waiting.item[i], e);
		if (k->n_batch && k->env->monotonic(k->env) - k->since > PATIENCE)
			break;
	}
	return rc ? rc : commit(k, e);
}

static int keep_all_waiting(struct keeper *k, uint32_t *left, struct error *e)
{
	int rc = 0;
	*left = 0;
	for (unsigned i = 0; !rc && i < k->config->n_sensors; i++) {
		rc = read_for(k, &k->config->sensor[i], e);
		if (!rc)
			rc = keep_waiting(k, left, e);
	}
	return rc;
}

/* HUP: the minutes before the one at hand are still read by this configuration, and no other. A capture closes a minute
 * 2 s after its end, and its first piece is there by then. */
static bool is_drained(struct keeper *k)
{
	int64_t now = k->env->realtime(k->env);
	if (*k->c->drain && !k->until)
		k->until = (uint32_t)(now / MINUTE);
	return k->until && now > (int64_t)k->until * MINUTE + CLOSING;
}

static int keep(struct keeper *k, struct error *e)
{
	uint32_t left = 0;
	int rc = k->config->source == RUN_FILES ? keep_files(k, e) : 0;
	while (!rc && !is_over(k)) {
		bool drained = is_drained(k);
		uint64_t before = k->kept;
		rc = keep_all_waiting(k, &left, e);
		if (!rc && !left)
			rc = expire(k, e);
		if (!rc && !left && (*k->c->stop || drained))
			break;
		if (!rc && k->kept == before)
			poll(NULL, 0, LOOK_MS);
	}
	return rc;
}

int keeper_run(const struct role_call *c, struct error *e)
{
	struct keeper k = { .c = c, .env = c->env, .config = c->config, .sensor = c->sensor };
	k.swept_day = c->env->realtime(c->env) / DAY;
	int rc = open_all(&k, e);
	if (!rc)
		rc = role_ready(c, e);
	if (!rc)
		rc = keep(&k, e);
	ingest_close(k.ingest);
	enrich_close(k.enrich);
	waiting_fini(&k.waiting, k.env);
	return rc;
}
