/* What this machine allows. Every line says ok, note (a limit that harms nothing now) or warn (with what to do). */
#include "base/env.h"
#include "cli/cli.h"
#include "enrich/enrich.h"

#include <duckdb.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024ull * 1024)
#define LEAST_MEMORY (512 * MIB)    /* tables of one shard and the buffers, with room */
#define LEAST_DISK (4 * 1024 * MIB) /* 10 million sources spill about 3 GB */
#define LEAST_STORE (1024 * MIB)    /* some 100 million rows */
#define DAY 86400
#define OLD_AFTER 180 /* days, of a database */

enum level { LEVEL_OK, LEVEL_NOTE, LEVEL_WARN };

struct doctor {
	const struct env *env;
	int warnings;
};

static void say(struct doctor *d, enum level level, const char *what, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct doctor *d, enum level level, const char *what, const char *format, ...)
{
	static const char *const names[] = { "ok", "note", "warn" };
	va_list ap;
	d->warnings += level == LEVEL_WARN;
	printf("%-5s%-11s", names[level], what);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

/* A small file of /proc or /sys as text; empty when it cannot be read. */
static const char *read_small(const struct env *env, const char *path, char *out, size_t n)
{
	out[0] = 0;
	int fd = env->open(env, path, O_RDONLY, 0);
	if (fd < 0)
		return out;
	size_t have = 0;
	while (have < n - 1) {
		ssize_t got = env->read(env, fd, out + have, n - 1 - have);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	out[have] = 0;
	if (env->close(env, fd))
		out[0] = 0;
	return out;
}

/* The number after `key` in the lines of `text`; `missing` when there is none. */
static uint64_t number_after(const char *text, const char *key, int base, uint64_t missing)
{
	const char *at = strstr(text, key);
	if (!at)
		return missing;
	at += strlen(key);
	char *end;
	errno = 0;
	uint64_t v = strtoull(at, &end, base);
	return end == at || errno ? missing : v;
}

static void check_rights(struct doctor *d)
{
	char text[4096];
	uint64_t effective = number_after(read_small(d->env, "/proc/self/status", text, sizeof text), "CapEff:", 16, 0);
	bool raw = effective >> CAP_NET_RAW & 1, admin = effective >> CAP_NET_ADMIN & 1;
	if (raw && admin)
		say(d, LEVEL_OK, "rights", "may capture from interfaces (CAP_NET_RAW, CAP_NET_ADMIN)");
	else
		say(d, LEVEL_NOTE, "rights", "no %s: files can be analysed, interfaces not captured; as root they can",
		    raw ? "CAP_NET_ADMIN" : "CAP_NET_RAW");
}

static bool interface_is_up(const struct env *env, const char *name)
{
	char path[64 + IF_NAMESIZE], state[32];
	snprintf(path, sizeof path, "/sys/class/net/%s/operstate", name);
	read_small(env, path, state, sizeof state);
	/* Tunnels and dummies never leave "unknown". */
	return !strncmp(state, "up", 2) || !strncmp(state, "unknown", 7);
}

static void check_interfaces(struct doctor *d)
{
	char names[256] = "";
	size_t used = 0;
	struct if_nameindex *list = if_nameindex();
	for (struct if_nameindex *i = list; i && i->if_index; i++) {
		if (!strcmp(i->if_name, "lo") || !interface_is_up(d->env, i->if_name))
			continue;
		int put = snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", i->if_name);
		if (put < 0 || (size_t)put >= sizeof names - used) {
			names[used] = 0;
			break;
		}
		used += (size_t)put;
	}
	if (list)
		if_freenameindex(list);
	if (used)
		say(d, LEVEL_OK, "interfaces", "%s", names);
	else
		say(d, LEVEL_NOTE, "interfaces", "none is up beside lo: files can be analysed, nothing captured");
}

/* What a database is, in one line: where, how old, its first 8 digits of the digest, whom to credit. */
static void describe(struct doctor *d, const char *what, const struct enrich_database *b)
{
	int64_t days = (d->env->realtime(d->env) / 1000000000 - b->built) / DAY;
	char date[16] = "unknown";
	time_t built = (time_t)b->built;
	struct tm t;
	if (gmtime_r(&built, &t))
		strftime(date, sizeof date, "%Y-%m-%d", &t);
	say(d, days > OLD_AFTER ? LEVEL_NOTE : LEVEL_OK, what, "%s (%s) of %s, %lld days old%s, digest %02x%02x%02x%02x…%s%s",
	    b->path, b->type, date, (long long)days, days > OLD_AFTER ? ": a newer one would know more" : "", b->digest[0],
	    b->digest[1], b->digest[2], b->digest[3], b->credit ? ". " : "", b->credit ? b->credit : "");
}

/* One kind alone, so that each gets its line whatever is wrong with the other. */
static void check_database(struct doctor *d, enum enrich_kind kind, const char *what, const char *path)
{
	struct enrich_options options = { .path = { "", "" } };
	struct enrich *x;
	struct error e;
	options.path[kind] = path;
	if (enrich_open(d->env, &options, &x, &e)) {
		say(d, LEVEL_WARN, what, "unknown: %s", e.text);
		return;
	}
	const struct enrich_database *b = enrich_database(x, kind);
	if (b)
		describe(d, what, b);
	else
		say(d, LEVEL_NOTE, what, "unknown, as there is no database: see FILES in monomi(1)");
	enrich_close(x);
}

static void check_databases(struct doctor *d, const struct enrich_options *paths)
{
	check_database(d, ENRICH_COUNTRY, "country", paths->path[ENRICH_COUNTRY]);
	check_database(d, ENRICH_AS, "AS", paths->path[ENRICH_AS]);
}

/* Room for the folder of --db, or where it would be made: of what is there of its path. */
static void check_store(struct doctor *d, const char *folder)
{
	char path[4096];
	struct statvfs fs;
	int n = snprintf(path, sizeof path, "%s", folder);
	if (n < 0 || (size_t)n >= sizeof path) {
		say(d, LEVEL_WARN, "store", "the path of the folder is too long");
		return;
	}
	while (statvfs(path, &fs)) {
		char *slash = strrchr(path, '/');
		if (errno != ENOENT || !*path || !strcmp(path, "/") || !strcmp(path, ".")) {
			say(d, LEVEL_WARN, "store", "%s cannot be looked at: %s", folder, strerror(errno));
			return;
		}
		if (slash)
			slash[slash == path] = 0; /* the root keeps its slash */
		else
			memcpy(path, ".", sizeof ".");
	}
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize / MIB;
	bool writable = !access(path, W_OK);
	if (!writable)
		say(d, LEVEL_NOTE, "store", "%s cannot be written: only queries are possible", path);
	else
		say(d, room < LEAST_STORE / MIB ? LEVEL_WARN : LEVEL_OK, "store", "%llu MiB free for %s%s, DuckDB %s",
		    (unsigned long long)room, folder, room < LEAST_STORE / MIB ? ": free some or choose another disk" : "",
		    duckdb_library_version());
}

static void check_disk(struct doctor *d)
{
	const char *folder = getenv("TMPDIR");
	if (!folder || !*folder)
		folder = "/tmp";
	struct statvfs fs;
	int fd = d->env->temporary(d->env, NULL);
	if (fd < 0 || statvfs(folder, &fs)) {
		say(d, LEVEL_WARN, "disk", "no temporary file in %s (%s): set TMPDIR to a folder that can be written", folder,
		    strerror(fd < 0 ? -fd : errno));
		return;
	}
	if (d->env->close(d->env, fd))
		say(d, LEVEL_WARN, "disk", "%s does not keep what is written: set TMPDIR to another folder", folder);
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < LEAST_DISK)
		say(d, LEVEL_WARN, "disk", "%llu MiB free in %s for spilled tables: 10 million sources want %llu; set TMPDIR",
		    (unsigned long long)(room / MIB), folder, LEAST_DISK / MIB);
	else
		say(d, LEVEL_OK, "disk", "%llu MiB free in %s for spilled tables", (unsigned long long)(room / MIB), folder);
}

/* The bound of the control group (version 2) when there is one; it is what kills first. */
static uint64_t memory_bound(const struct env *env)
{
	char text[64];
	return number_after(read_small(env, "/sys/fs/cgroup/memory.max", text, sizeof text), "", 10, UINT64_MAX);
}

static void check_memory(struct doctor *d)
{
	char text[4096];
	uint64_t kib = number_after(read_small(d->env, "/proc/meminfo", text, sizeof text), "MemAvailable:", 10, 0);
	uint64_t bound = memory_bound(d->env), bytes = kib * 1024 < bound ? kib * 1024 : bound;
	if (!kib)
		say(d, LEVEL_WARN, "memory", "unknown: /proc/meminfo cannot be read; give --memory");
	else if (bytes < LEAST_MEMORY)
		say(d, LEVEL_WARN, "memory", "%llu MiB available: give --memory %lluM, tables then spill to disk sooner",
		    (unsigned long long)(bytes / MIB), (unsigned long long)(bytes / MIB / 2));
	else
		say(d, LEVEL_OK, "memory", "%llu MiB available", (unsigned long long)(bytes / MIB));
}

static void check_processors(struct doctor *d)
{
	cpu_set_t mine;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	if (sched_getaffinity(0, sizeof mine, &mine)) {
		say(d, LEVEL_WARN, "processors", "the affinity mask cannot be read (%s): give --shards", strerror(errno));
		return;
	}
	int usable = CPU_COUNT(&mine);
	if (usable < online)
		say(d, LEVEL_NOTE, "processors", "%d of %ld: the affinity mask leaves the others out (taskset -c)", usable,
		    online);
	else
		say(d, LEVEL_OK, "processors", "%d, one shard each unless --shards says otherwise", usable);
}

static void check_huge_pages(struct doctor *d)
{
	char text[128];
	read_small(d->env, "/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text);
	if (strstr(text, "[always]") || strstr(text, "[madvise]"))
		say(d, LEVEL_OK, "huge pages", "on: large tables cost fewer page walks");
	else
		say(d, LEVEL_NOTE, "huge pages", "off, large tables are slower: echo madvise > "
		    "/sys/kernel/mm/transparent_hugepage/enabled");
}

struct request {
	const char *db;
	struct enrich_options databases;
};

static void help(const struct command *self)
{
	printf("usage: monomi %s [OPTION…]\n\n%s.\n\n", self->name, self->summary);
	puts("  --db PATH           also the room for this folder of rows");
	puts("  --country-db FILE   the database of countries to look at, --as-db FILE that of AS");
	puts("\nA line each: ok, note or warn, what it is about, what to do. Exit 1 when one warns.");
}

/* 0, or the exit code after a complaint. */
static int read_options(int argc, char **argv, struct request *r)
{
	for (int i = 1; i < argc; i++) {
		const char **into = !strcmp(argv[i], "--db")         ? &r->db :
		                    !strcmp(argv[i], "--country-db") ? &r->databases.path[ENRICH_COUNTRY] :
		                    !strcmp(argv[i], "--as-db")      ? &r->databases.path[ENRICH_AS] :
		                                                       NULL;
		if (!into)
			fprintf(stderr, "monomi: MON-CLI-006: doctor takes no '%s'\n", argv[i]);
		else if (i + 1 == argc)
			fprintf(stderr, "monomi: MON-CLI-004: %s wants a value\n", argv[i]);
		else
			*into = argv[++i];
		if (!into || *into == NULL)
			return EXIT_USAGE;
	}
	return 0;
}

int cli_doctor(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		help(self);
		return 0;
	}
	if (read_options(argc, argv, &r))
		return EXIT_USAGE;
	struct doctor d = { .env = env_system() };
	check_rights(&d);
	check_interfaces(&d);
	check_databases(&d, &r.databases);
	check_disk(&d);
	if (r.db)
		check_store(&d, r.db);
	check_memory(&d);
	check_processors(&d);
	check_huge_pages(&d);
	return d.warnings ? 1 : 0;
}
