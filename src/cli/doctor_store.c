/* What the observatory keeps and what it looks up in: disks, stores, databases. */
#include "cli/doctor.h"

#include "store/client.h"

#include <duckdb.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define LEAST_DISK (4 * 1024 * MIB) /* 10 million sources spill about 3 GB */
#define LEAST_STORE (1024 * MIB)    /* some 100 million rows */
#define DAY 86400
#define OLD_AFTER 180 /* days, of a database */
#define SYNCS 5
#define SLOW_SYNC INT64_C(100000000) /* ns: a commit waits for some twenty */

/* ---- Databases ---- */
/* What a database is, in one line: where, how old, its first 8 digits of the digest, whom to credit. */
static void describe(struct doctor *d, const char *what, const struct enrich_database *b)
{
	int64_t days = (d->env->realtime(d->env) / 1000000000 - b->built) / DAY;
	char date[16] = "unknown";
	time_t built = (time_t)b->built;
	struct tm t;
	bool old = days > OLD_AFTER;
	if (gmtime_r(&built, &t))
		strftime(date, sizeof date, "%Y-%m-%d", &t);
	doctor_say(d, old ? LEVEL_NOTE : LEVEL_OK, what, old ? "a newer one would know more" : NULL,
	           "%s (%s) of %s, %lld days old, digest %02x%02x%02x%02x…; licence: %s", b->path, b->type, date,
	           (long long)days,
	           b->digest[0], b->digest[1], b->digest[2], b->digest[3], b->credit ? b->credit : "yours to know");
}

/* One kind alone, so that each gets its line whatever is wrong with the other. */
static void check_database(struct doctor *d, enum enrich_kind kind, const char *what, const char *path)
{
	struct enrich_options one = { .path = { "", "" } };
	struct enrich *x;
	struct error e;
	one.path[kind] = path;
	if (enrich_open(d->env, &one, &x, &e)) {
		doctor_say(d, LEVEL_WARN, what, "another file, or none (an empty path)", "unknown, %s", e.text);
		return;
	}
	const struct enrich_database *b = enrich_database(x, kind);
	if (b)
		describe(d, what, b);
	else
		doctor_say(d, LEVEL_NOTE, what, "see FILES in monomi(1)", "unknown, as there is no database");
	enrich_close(x);
}

void doctor_databases(struct doctor *d, const struct enrich_options *paths)
{
	check_database(d, ENRICH_COUNTRY, "country", paths->path[ENRICH_COUNTRY]);
	check_database(d, ENRICH_AS, "AS", paths->path[ENRICH_AS]);
}

/* ---- Disks ---- */
void doctor_disk(struct doctor *d)
{
	const char *folder = getenv("TMPDIR");
	if (!folder || !*folder)
		folder = "/tmp";
	struct statvfs fs;
	int fd = d->env->temporary(d->env, NULL);
	if (fd < 0 || statvfs(folder, &fs)) {
		doctor_say(d, LEVEL_WARN, "disk", "set TMPDIR to a folder that can be written", "no temporary file in %s (%s)",
		           folder,
		           strerror(fd < 0 ? -fd : errno));
		return;
	}
	if (d->env->close(d->env, fd))
		doctor_say(d, LEVEL_WARN, "disk", "set TMPDIR to another folder", "%s does not keep what is written", folder);
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < LEAST_DISK)
		doctor_say(d, LEVEL_WARN, "disk", "set TMPDIR", "%llu MiB free in %s for spilled tables, 10 million sources "
		           "want %llu",
		           (unsigned long long)(room / MIB), folder,
		           (unsigned long long)(LEAST_DISK / MIB));
	else
		doctor_say(d, LEVEL_OK, "disk", NULL, "%llu MiB free in %s for spilled tables", (unsigned long long)(room / MIB),
		           folder);
}

/* The median of some, so that one that met another's is not all. */
static int64_t measure_sync(const struct env *env, const char *folder)
{
	int64_t took[SYNCS];
	int fd = env->temporary(env, folder);
	for (int i = 0; fd >= 0 && i < SYNCS; i++) {
		int64_t before = env->monotonic(env);
		if (env_pwrite_all(env, fd, "monomi", 6, i * 4096) || env->fsync(env, fd)) {
			env->close(env, fd);
			return -1;
		}
		int64_t now = env->monotonic(env) - before;
		int k = i;
		for (; k && took[k - 1] > now; k--)
			took[k] = took[k - 1];
		took[k] = now;
	}
	if (fd < 0)
		return -1;
	env->close(env, fd);
	return took[SYNCS / 2];
}

static void say_sync(struct doctor *d, const char *folder)
{
	int64_t ns = measure_sync(d->env, folder);
	if (ns < 0)
		doctor_say(d, LEVEL_WARN, "fsync", "another disk for the store", "%s does not make durable what is written",
		           folder);
	else
		doctor_say(d, ns > SLOW_SYNC ? LEVEL_NOTE : LEVEL_OK, "fsync",
		           ns > SLOW_SYNC ? "a commit waits for some twenty of these; a faster disk, or nobody beside it" : NULL,
		           "%.1f ms in %s", (double)ns / 1e6, folder);
}

/* ---- How a store grows ---- */
struct growth {
	uint64_t bytes, days; /* of the parts of the last week, and of how many days they are */
	uint64_t all;
	uint64_t spool, spool_days; /* captures that are kept, and of how many days */
	const struct doctor *d;
	char folder[4096];
	time_t oldest, newest;
};

static uint64_t number_of(const struct store_cell *c)
{
	char text[32];
	snprintf(text, sizeof text, "%.*s", (int)c->n, c->text ? c->text : "");
	return strtoull(text, NULL, 10);
}

static int take_growth(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct growth *g = ctx;
	(void)e;
	if (n == 3) {
		g->bytes = number_of(&cells[0]);
		g->days = number_of(&cells[1]);
		g->all = number_of(&cells[2]);
	}
	return 0;
}

static int add_spooled(void *ctx, const char *name)
{
	struct growth *g = ctx;
	char path[4096 + 300];
	struct stat st;
	if (snprintf(path, sizeof path, "%s/%s", g->folder, name) >= (int)sizeof path || stat(path,
	                                                                                      &st) || !S_ISREG(st.st_mode))
		return 0;
	g->spool += (uint64_t)st.st_size;
	g->oldest = !g->oldest || st.st_mtime < g->oldest ? st.st_mtime : g->oldest;
	g->newest = st.st_mtime > g->newest ? st.st_mtime : g->newest;
	return 0;
}

/* False: there is no store yet, or nothing in it. */
static bool find_growth(const struct doctor *d, const char *db, struct growth *g)
{
	const struct store_limits limits = { .memory = 256u << 20, .threads = 1 };
	struct store_reader *r;
	struct error e;
	*g = (struct growth){ .d = d };
	if (store_reader_open(&r, d->env, db, &limits, NULL, NULL, NULL, 0, &e))
		return false;
	int rc = store_reader_rows(r, "SELECT coalesce(sum(bytes) FILTER (day > newest - 7), 0), count(DISTINCT day) FILTER "
	                           "(day > newest - 7), coalesce(sum(bytes), 0) FROM rest.parts, (SELECT max(day) AS "
	                           "newest FROM "
	                           "rest.parts)", NULL, 0, take_growth, g, &e);
	store_reader_close(r);
	snprintf(g->folder, sizeof g->folder, "%s/spool", db);
	if (d->env->list(d->env, g->folder, add_spooled, g))
		g->spool = 0;
	g->spool_days = (uint64_t)(g->newest - g->oldest) / DAY + 1;
	return !rc && g->days;
}

static void say_growth(struct doctor *d, const struct growth *g, const struct store_retention *keep, uint64_t room)
{
	uint64_t part = g->bytes / g->days, spooled = g->spool / g->spool_days;
	uint64_t whole = part * keep->detail_days + spooled * keep->segment_days, have = g->all + g->spool;
	uint64_t more = whole > have ? whole - have : 0;
	bool fits = more < room;
	doctor_say(d, fits ? LEVEL_OK : LEVEL_WARN, "growth",
	           fits ? NULL : "a larger disk, or fewer days: --retention", "%" PRIu64 " MiB a day of rows for %u days, "
	           "%" PRIu64
	           " MiB a day of packets for %u: %" PRIu64 " MiB more to come, %" PRIu64 " free", part / MIB,
	           keep->detail_days,
	           spooled / MIB, keep->segment_days, more / MIB, room / MIB);
}

/* ---- A store ---- */
/* What is there of the path to the folder, which may be to be made. False: it was told why nothing can be said. */
static bool find_disk(struct doctor *d, const char *folder, char path[static 4096], struct statvfs *fs)
{
	if (snprintf(path, 4096, "%s", folder) >= 4096) {
		doctor_say(d, LEVEL_WARN, "store", "a shorter one", "the path of the folder is too long");
		return false;
	}
	while (statvfs(path, fs)) {
		char *slash = strrchr(path, '/');
		if (errno != ENOENT || !*path || !strcmp(path, "/") || !strcmp(path, ".")) {
			doctor_say(d, LEVEL_WARN, "store", "check its name and its rights", "%s cannot be looked at: %s", folder,
			           strerror(errno));
			return false;
		}
		if (slash)
			slash[slash == path] = 0; /* the root keeps its slash */
		else
			memcpy(path, ".", sizeof ".");
	}
	return true;
}

void doctor_store(struct doctor *d, const char *folder, const struct store_retention *keep)
{
	char path[4096];
	struct statvfs fs;
	struct growth g;
	if (!find_disk(d, folder, path, &fs))
		return;
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (access(path, W_OK)) {
		doctor_say(d, LEVEL_NOTE, "store", "chown, or another user", "%s cannot be written: only queries are possible",
		           path);
		return;
	}
	bool small = room < LEAST_STORE;
	doctor_say(d, small ? LEVEL_WARN : LEVEL_OK, "store", small ? "free some or choose another disk" : NULL,
	           "%" PRIu64 " MiB free for %s, DuckDB %s", room / MIB, folder, duckdb_library_version());
	say_sync(d, path);
	if (find_growth(d, folder, &g))
		say_growth(d, &g, keep, room);
}
