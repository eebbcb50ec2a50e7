/* What this machine allows. Every line says ok, note (a limit that harms nothing now) or warn (with what to do). */
#include "base/env.h"
#include "cli/cli.h"

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
#include <unistd.h>

#define MIB (1024ull * 1024)
#define LEAST_MEMORY (512 * MIB)    /* tables of one shard and the buffers, with room */
#define LEAST_DISK (4 * 1024 * MIB) /* 10 million sources spill about 3 GB */

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

static void check_databases(struct doctor *d)
{
	say(d, LEVEL_NOTE, "databases", "country unknown, AS unknown: this version reads no such database");
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

int cli_doctor(const struct command *self, int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		printf("usage: monomi %s\n\n%s.\n", self->name, self->summary);
		puts("A line each: ok, note or warn, what it is about, what to do. Exit 1 when one warns.");
		return 0;
	}
	if (argc > 1) {
		fprintf(stderr, "monomi: MON-CLI-006: doctor takes no '%s'\n", argv[1]);
		return 2;
	}
	struct doctor d = { .env = env_system() };
	check_rights(&d);
	check_interfaces(&d);
	check_databases(&d);
	check_disk(&d);
	check_memory(&d);
	check_processors(&d);
	check_huge_pages(&d);
	return d.warnings ? 1 : 0;
}
