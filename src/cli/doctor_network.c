/* Interfaces: what may keep packets from a capture, or change them before it. */
#include "cli/doctor.h"

#include "daemon/sensor.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLACE 160
#define FEATURES_MOST 256
#define FEATURE_BITS (FEATURES_MOST / 32 * sizeof(struct ethtool_get_features_block))

static const char *read_of(const struct doctor *d, const char *name, const char *what, char *out, size_t n)
{
	char path[PLACE];
	snprintf(path, sizeof path, "/sys/class/net/%.64s/%s", name, what);
	return doctor_read(d, path, out, n);
}

/* Tunnels and dummies never leave "unknown". */
static bool is_up(const struct doctor *d, const char *name)
{
	char state[32];
	read_of(d, name, "operstate", state, sizeof state);
	return !strcmp(state, "up") || !strcmp(state, "unknown");
}

struct listing {
	struct doctor *d;
	char names[300];
};

static int add_name(void *ctx, const char *name)
{
	struct listing *l = ctx;
	size_t n = strlen(l->names);
	if (strcmp(name, "lo") && is_up(l->d, name) && n + strlen(name) + 3 < sizeof l->names)
		snprintf(l->names + n, sizeof l->names - n, "%s%s", n ? ", " : "", name);
	return 0;
}

void doctor_interfaces(struct doctor *d)
{
	struct listing l = { .d = d };
	char path[4096];
	snprintf(path, sizeof path, "%s/sys/class/net", d->root);
	if (d->env->list(d->env, path, add_name, &l))
		l.names[0] = 0;
	if (l.names[0])
		doctor_say(d, LEVEL_OK, "interfaces", NULL, "%s", l.names);
	else
		doctor_say(d, LEVEL_NOTE, "interfaces", "ip link set NAME up", "none is up beside lo: files can be analysed, "
		           "nothing "
		           "captured");
}

static bool is_program(const struct doctor *d, const char *path)
{
	char whole[4096];
	return snprintf(whole, sizeof whole, "%s%s", d->root, path) < (int)sizeof whole && !access(whole, X_OK);
}

void doctor_nftables(struct doctor *d)
{
	if (is_program(d, "/usr/sbin/nft") || is_program(d, "/sbin/nft") || is_program(d, "/usr/local/sbin/nft"))
		doctor_say(d, LEVEL_OK, "nftables", NULL, "there: `monomi sensor silence` can keep this host from answering");
	else
		doctor_say(d, LEVEL_NOTE, "nftables", "apt-get install nftables", "absent: this host answers probes, which tells "
		           "scanners that it is there");
}

/* ---- One interface ---- */
/* How many addresses of a family are on it; they are not shown, as they may be monitored ones. */
static unsigned addresses_of(const char *name)
{
	struct ifaddrs *all, *a;
	unsigned n = 0;
	if (getifaddrs(&all))
		return 0;
	for (a = all; a; a = a->ifa_next)
		n += a->ifa_addr && !strcmp(a->ifa_name, name) &&
		     (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6);
	freeifaddrs(all);
	return n;
}

static bool say_link(struct doctor *d, const char *name)
{
	char mtu[32], flags[32], state[32], todo[IF_NAMESIZE + 80];
	read_of(d, name, "mtu", mtu, sizeof mtu);
	if (!mtu[0]) {
		doctor_say(d, LEVEL_WARN, "link", "`ip link` lists those there are", "%s: there is no such interface", name);
		return false;
	}
	bool set = doctor_number(read_of(d, name, "flags", flags, sizeof flags), "", 16, 0) & IFF_UP;
	if (!set || !is_up(d, name)) {
		snprintf(todo, sizeof todo, set ? "see to its cable or its peer" : "ip link set %.64s up", name);
		doctor_say(d, LEVEL_WARN, "link", todo, "%s: it is %s, nothing comes", name,
		           set ? read_of(d, name, "operstate", state, sizeof state) : "not set up");
		return false;
	}
	unsigned own = d->root[0] ? 0 : addresses_of(name);
	if (own)
		doctor_say(d, LEVEL_OK, "link", NULL, "%s: up, MTU %s; %u addresses of its own: --own where they are not monitored",
		           name, mtu, own);
	else
		doctor_say(d, LEVEL_OK, "link", NULL, "%s: up, MTU %s", name, mtu);
	return true;
}

/* ---- Offloads: what joins packets before a capture sees them ---- */
/* The names that ethtool -k shows and those that -K takes. */
static const struct {
	const char *feature, *word;
} merging[] = { { "rx-gro", "gro" }, { "rx-lro", "lro" }, { "rx-gro-hw", "rx-gro-hw" }, { "rx-gro-list", "rx-gro-list" },
	        { "rx-udp-gro-forwarding", "rx-udp-gro-forwarding" } };

static int ask(int fd, const char *name, void *what)
{
	struct ifreq r = { 0 };
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	r.ifr_data = what;
	return ioctl(fd, SIOCETHTOOL, &r) ? -errno : 0;
}

/* The kernel's structures end in arrays: bytes with room for them. */
struct features {
	_Alignas(8) uint8_t count[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	_Alignas(8) uint8_t names[sizeof(struct ethtool_gstrings) + FEATURES_MOST * ETH_GSTRING_LEN];
	_Alignas(8) uint8_t now[sizeof(struct ethtool_gfeatures) + FEATURE_BITS];
};

static int read_features(const struct env *env, const char *name, struct features *f)
{
	struct ethtool_sset_info *count = (void *)f->count;
	struct ethtool_gstrings *names = (void *)f->names;
	struct ethtool_gfeatures *now = (void *)f->now;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	count->cmd = ETHTOOL_GSSET_INFO;
	count->sset_mask = 1ull << ETH_SS_FEATURES;
	int rc = fd < 0 ? -errno : ask(fd, name, count);
	if (!rc && (!count->sset_mask || count->data[0] > FEATURES_MOST))
		rc = -EOPNOTSUPP;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = rc ? 0 : count->data[0];
	now->cmd = ETHTOOL_GFEATURES;
	now->size = (names->len + 31) / 32;
	if (!rc)
		rc = ask(fd, name, names);
	if (!rc)
		rc = ask(fd, name, now);
	if (fd >= 0)
		env->close(env, fd);
	return rc;
}

static bool is_on(const struct features *f, const char *feature)
{
	const struct ethtool_gstrings *names = (const void *)f->names;
	const struct ethtool_gfeatures *now = (const void *)f->now;
	for (uint32_t i = 0; i < names->len; i++)
		if (!strncmp((const char *)names->data + i * ETH_GSTRING_LEN, feature, ETH_GSTRING_LEN))
			return now->features[i / 32].active >> i % 32 & 1;
	return false;
}

static void say_offloads(struct doctor *d, const char *name)
{
	struct features f;
	char on[100] = "", todo[240];
	memset(&f, 0, sizeof f);
	int rc = read_features(d->env, name, &f);
	int n = snprintf(todo, sizeof todo, "ethtool -K %.64s", name);
	for (size_t i = 0; !rc && i < sizeof merging / sizeof *merging; i++) {
		if (!is_on(&f, merging[i].feature))
			continue;
		snprintf(on + strlen(on), sizeof on - strlen(on), "%s%s", on[0] ? ", " : "", merging[i].word);
		n += snprintf(todo + n, sizeof todo - (size_t)n, " %s off", merging[i].word);
	}
	if (rc)
		doctor_say(d, LEVEL_NOTE, "offloads", "`ethtool -k` may", "%s: its driver does not tell (%s)", name, strerror(-rc));
	else if (on[0])
		doctor_say(d, LEVEL_WARN, "offloads", todo, "%s: packets of a flow are merged before they are captured (%s), "
		           "and count "
		           "as one", name, on);
	else
		doctor_say(d, LEVEL_OK, "offloads", NULL, "%s: none that merges packets", name);
}

/* The stricter of what holds for all and for the one. It lies behind the capture. */
static void say_reverse_path(struct doctor *d, const char *name)
{
	char path[PLACE], text[32];
	snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%.64s/rp_filter", name);
	uint64_t one = doctor_number(doctor_read(d, path, text, sizeof text), "", 10, 0);
	uint64_t all = doctor_number(doctor_read(d, "/proc/sys/net/ipv4/conf/all/rp_filter", text, sizeof text), "", 10, 0);
	uint64_t most = one > all ? one : all;
	if (most == 1)
		doctor_say(d, LEVEL_NOTE, "reverse path", "nothing for a capture, which sees them all",
		           "%s: strict, the kernel answers no packet whose way back is another", name);
	else
		doctor_say(d, LEVEL_OK, "reverse path", NULL, "%s: %s", name, most ? "loose" : "not looked at");
}

static void say_silence(struct doctor *d, const char *name)
{
	struct text let_in = { .env = d->env };
	struct error e;
	char todo[IF_NAMESIZE + 120];
	bool silent;
	int rc = silence_look(d->env, name, &silent, &let_in, &e);
	text_fini(&let_in);
	snprintf(todo, sizeof todo, "monomi sensor silence --interface %.64s --manage tcp/22", name);
	if (rc)
		doctor_say(d, LEVEL_NOTE, "silence", "monomi sensor check, as root", "%s: unknown (%s)", name, e.text);
	else if (silent)
		doctor_say(d, LEVEL_OK, "silence", NULL, "%s: this host answers nobody", name);
	else
		doctor_say(d, LEVEL_NOTE, "silence", todo, "%s: this host answers probes by resets and errors", name);
}

void doctor_interface(struct doctor *d, const char *name)
{
	if (!say_link(d, name))
		return;
	if (!d->root[0])
		say_offloads(d, name);
	say_reverse_path(d, name);
	if (!d->root[0])
		say_silence(d, name);
	doctor_say(d, LEVEL_NOTE, "reach", "`monomi sensor verify` here and `monomi sensor probe` on another host tell",
	           "%s: what a firewall on the way eats cannot be seen from here", name);
}
