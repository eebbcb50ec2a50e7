/* The machine: rights, memory, processors, clock, and whose it is. */
#include "cli/doctor.h"

#include "daemon/ingest.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#define MIB (1024ull * 1024)
#define LEAST_MEMORY (512 * MIB) /* tables of one shard and the buffers, with room */

void doctor_rights(struct doctor *d)
{
	char text[4096];
	uint64_t effective = doctor_number(doctor_read(d, "/proc/self/status", text, sizeof text), "CapEff:", 16, 0);
	bool raw = effective >> CAP_NET_RAW & 1, admin = effective >> CAP_NET_ADMIN & 1;
	bool user = doctor_number(text, "Uid:", 10, 1) != 0;
	if (raw && admin && !user)
		doctor_say(d, LEVEL_OK, "rights", NULL, "may capture from interfaces (root, CAP_NET_RAW, CAP_NET_ADMIN)");
	else if (raw && admin)
		doctor_say(d, LEVEL_NOTE, "rights", "as root each has one of its own", "may capture from interfaces, but not root: "
		           "all roles of `monomi run` are this user");
	else
		doctor_say(d, LEVEL_NOTE, "rights", "as root they can", "no %s: files can be analysed, interfaces not captured",
		           raw ? "CAP_NET_ADMIN" : "CAP_NET_RAW");
}

/* The bound of the control group (version 2) when there is one; it is what kills first. */
static uint64_t memory_bound(const struct doctor *d)
{
	char text[64];
	return doctor_number(doctor_read(d, "/sys/fs/cgroup/memory.max", text, sizeof text), "", 10, UINT64_MAX);
}

void doctor_memory(struct doctor *d)
{
	char text[4096], todo[80];
	uint64_t kib = doctor_number(doctor_read(d, "/proc/meminfo", text, sizeof text), "MemAvailable:", 10, 0);
	uint64_t bound = memory_bound(d), bytes = kib * 1024 < bound ? kib * 1024 : bound;
	snprintf(todo, sizeof todo, "give --memory %lluM --shards 1, tables then spill to disk sooner",
	         (unsigned long long)(INGEST_MEMORY_KEPT(1) / MIB));
	if (!kib)
		doctor_say(d, LEVEL_WARN, "memory", "give --memory", "unknown, as /proc/meminfo cannot be read");
	else
		doctor_say(d, bytes < LEAST_MEMORY ? LEVEL_WARN : LEVEL_OK, "memory", bytes < LEAST_MEMORY ? todo : NULL,
		           "%llu MiB available", (unsigned long long)(bytes / MIB));
}

void doctor_processors(struct doctor *d)
{
	cpu_set_t mine;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	if (sched_getaffinity(0, sizeof mine, &mine)) {
		doctor_say(d, LEVEL_WARN, "processors", "give --shards", "the affinity mask cannot be read (%s)", strerror(errno));
		return;
	}
	int usable = CPU_COUNT(&mine);
	if (usable < online)
		doctor_say(d, LEVEL_NOTE, "processors", "taskset -c", "%d of %ld, the affinity mask leaves the others out", usable,
		           online);
	else
		doctor_say(d, LEVEL_OK, "processors", NULL, "%d, one shard each unless --shards says otherwise", usable);
}

void doctor_huge_pages(struct doctor *d)
{
	char text[128];
	doctor_read(d, "/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text);
	if (strstr(text, "[always]") || strstr(text, "[madvise]"))
		doctor_say(d, LEVEL_OK, "huge pages", NULL, "on: large tables cost fewer page walks");
	else
		doctor_say(d, LEVEL_NOTE, "huge pages", "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
		           "off, large tables are slower");
}

/* ---- Clock ---- */
/* Minutes, incidents and comparisons with other sensors are only as right as it is. */
void doctor_clock(struct doctor *d)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);
	if (state < 0)
		doctor_say(d, LEVEL_NOTE, "clock", "chronyc tracking", "unknown, as the kernel does not tell (%s)",
		           strerror(errno));
	else if (state == TIME_ERROR || t.status & STA_UNSYNC)
		doctor_say(d, LEVEL_WARN, "clock", "apt-get install chrony, or systemd-timesyncd", "not synchronised: times of "
		           "packets may be wrong");
	else if (state != TIME_OK)
		doctor_say(d, LEVEL_NOTE, "clock", "that second comes twice or not at all; rows stay right", "synchronised, a leap "
		           "second is due");
	else
		doctor_say(d, LEVEL_OK, "clock", NULL, "synchronised, within %ld ms", (t.esterror + 999) / 1000);
}

/* ---- Whose machine it is ---- */
struct cloud {
	const char *mark; /* in what the firmware says of itself */
	const char *name;
	bool closed;      /* a filter before the machine drops what no rule lets in, from the beginning */
	bool nat;         /* the machine sees an address of its own for the public one */
};

static const struct cloud clouds[] = {
	{ "Amazon EC2", "Amazon EC2", true, true },
	{ "Google", "Google Cloud", true, true },
	{ "7783-7084-3265-9085-8269-3286-77", "Microsoft Azure", true, true }, /* its tag of the chassis */
	{ "OracleCloud", "Oracle Cloud", true, true },
	{ "Alibaba", "Alibaba Cloud", true, true },
	{ "Tencent", "Tencent Cloud", true, true },
	{ "OpenStack", "an OpenStack cloud", true, true },
	{ "DigitalOcean", "DigitalOcean", false, false },
	{ "Hetzner", "Hetzner", false, false },
	{ "Vultr", "Vultr", false, false },
	{ "Linode", "Akamai (Linode)", false, false },
	{ "Scaleway", "Scaleway", false, true },
	{ "UpCloud", "UpCloud", false, false },
	{ "SAKURA", "Sakura Internet", false, false },
};

static void say_cloud(struct doctor *d, const struct cloud *c)
{
	if (c->closed)
		doctor_say(d, LEVEL_NOTE, "cloud", "let everything in for the sensor's addresses there, say --nat or "
		           "--nat-unknown, then "
		           "see by `monomi sensor verify` what comes", "%s: its security groups drop what no rule lets in before "
		           "this machine sees it, and public addresses are behind a 1:1 NAT", c->name);
	else
		doctor_say(d, LEVEL_NOTE, "cloud", c->nat ? "see by `monomi sensor verify` what comes; --nat where the address is "
		           "translated" : "see by `monomi sensor verify` what comes", "%s: a firewall of the account may drop "
		           "packets "
		           "before this machine sees them", c->name);
}

void doctor_cloud(struct doctor *d)
{
	static const char *const names[] = { "sys_vendor", "product_name", "board_vendor", "bios_vendor", "bios_version",
		                             "chassis_vendor", "chassis_asset_tag" };
	char all[1024] = "", one[128], path[80], vendor[100] = "";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/sys/class/dmi/id/%s", names[i]);
		doctor_read(d, path, one, sizeof one);
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s\n", one);
		if (!i)
			snprintf(vendor, sizeof vendor, "%.99s", one);
	}
	for (size_t i = 0; i < sizeof clouds / sizeof *clouds; i++)
		if (strstr(all, clouds[i].mark)) {
			say_cloud(d, &clouds[i]);
			return;
		}
	if (vendor[0])
		doctor_say(d, LEVEL_OK, "cloud", NULL, "none that is known; the machine's vendor is %s", vendor);
	else
		doctor_say(d, LEVEL_NOTE, "cloud", "in a cloud, open its security group and see by `monomi sensor verify` what "
		           "comes",
		           "unknown, as the firmware tells no vendor");
}
