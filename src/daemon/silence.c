/* The table is nftables' own text, given to its program: the interface that is documented and stays. */
#include "base/text.h"
#include "daemon/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MOST 65536
#define PATIENCE INT64_C(10000000000) /* ns */

/* --- nft --- */

static int cannot(struct error *e, int rc, const char *what)
{
	return error_set(e, rc, "MON-DMN-050", "nft %s: %s", what, strerror(-rc));
}

/* In the new process. */
static void become_nft(const char *const *argv, const int in[2], const int out[2])
{
	sigset_t none;
	static const char *const places[] = { "/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft" };
	if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 || dup2(out[1], 2) < 0)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* whoever calls may have blocked some */
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		execv(places[i], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int write_whole(const struct env *env, int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t put = env->write(env, fd, p, n);
		if (put == -EINTR)
			continue;
		if (put <= 0)
			return put ? (int)put : -EIO;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

/* -ETIME: nft said nothing more in time. */
static int read_whole(const struct env *env, int fd, struct text *out)
{
	char part[4096];
	int64_t end = env->monotonic(env) + PATIENCE;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - env->monotonic(env);
		if (left <= 0)
			return -ETIME;
		if (poll(&p, 1, (int)(left / 1000000) + 1) <= 0)
			continue;
		ssize_t got = env->read(env, fd, part, sizeof part);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		if (out->n < OUTPUT_MOST)
			text_add(out, part, (size_t)got);
	}
}

/* Its exit code, or -errno. The rules are small: they fit the pipe before anybody reads. */
static int talk(const struct env *env, pid_t pid, int in, int out, const char *rules, struct text *said)
{
	int rc = write_whole(env, in, rules, strlen(rules)), status;
	env->close(env, in);
	if (!rc || rc == -EPIPE)
		rc = read_whole(env, out, said);
	if (rc)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return rc ? rc : WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static int start_nft(const struct env *env, const char *const *argv, const char *rules, struct text *said)
{
	int in[2], out[2];
	if (pipe2(in, O_CLOEXEC))
		return -errno;
	if (pipe2(out, O_CLOEXEC)) {
		int rc = -errno;
		env->close(env, in[0]);
		env->close(env, in[1]);
		return rc;
	}
	void (*before)(int) = signal(SIGPIPE, SIG_IGN); /* nft may not be there to read */
	pid_t pid = fork();
	int rc = pid < 0 ? -errno : 0;
	if (!pid)
		become_nft(argv, in, out);
	env->close(env, in[0]);
	env->close(env, out[1]);
	if (rc)
		env->close(env, in[1]);
	else
		rc = talk(env, pid, in[1], out[0], rules, said);
	env->close(env, out[0]);
	signal(SIGPIPE, before);
	return rc;
}

/* 0, or what nft complains of in its first line. */
static int nft(const struct env *env, const char *const *argv, const char *rules, struct text *said, struct error *e)
{
	int rc = start_nft(env, argv, rules, said);
	if (rc == -ETIME)
		return error_set(e, rc, "MON-DMN-056", "nft does not come to an end");
	if (rc < 0)
		return cannot(e, rc, "cannot be started");
	if (rc == 127)
		return error_set(e, -ENOENT, "MON-DMN-050", "nft is not installed: apt-get install nftables");
	if (rc)
		return error_set(e, -EPERM, "MON-DMN-051", "nft refuses: %.*s", (int)(said->p ? strcspn(said->p, "\n") : 0),
		                 said->p ? said->p : "");
	return 0;
}

/* --- the table --- */

static void put_peer(struct text *t, const struct prefix *p)
{
	char address[ADDR_TEXT];
	if (p->version)
		text_printf(t, "%s saddr %s/%u ", p->version == 4 ? "ip" : "ip6", addr_format(&p->net, address), p->bits);
}

static void put_own(struct text *t, const struct live_own *o)
{
	text_puts(t, "\t\t");
	put_peer(t, &o->peer);
	if (o->port)
		text_printf(t, "%s dport %u ", o->proto == 6 ? "tcp" : "udp", o->port);
	text_puts(t, "accept\n");
}

/* An interface's chain: names have more letters than nft's words. */
static void put_chain_name(struct text *t, const char *interface)
{
	text_puts(t, "on_");
	for (const char *c = interface; *c; c++)
		text_add(t, *c == '@' ? "_" : c, 1);
}

/* Several sensors are several chains of one table. What is there of this one goes, and the one chain that earlier versions
 * had for all. Behind connection tracking (priority -200) and before anybody's own rules. Leases (RFC 2131, RFC 8415) and
 * neighbours (RFC 4861) stay, or the host loses its addresses. */
static void put_table(struct text *t, const struct silence *s)
{
	static const char *const gone[] = { "add", "flush", "delete" };
	text_puts(t, "add table inet monomi\n");
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		text_printf(t, "%s chain inet monomi unasked\n%s chain inet monomi ", gone[i], gone[i]);
		put_chain_name(t, s->interface);
		text_puts(t, "\n");
	}
	text_puts(t, "table inet monomi {\n\tchain ");
	put_chain_name(t, s->interface);
	text_puts(t, " {\n\t\ttype filter hook input priority -150; policy accept;\n");
	text_printf(t, "\t\tiifname != \"%s\" accept\n\t\tct state established,related accept\n", s->interface);
	for (size_t i = 0; i < s->n_own; i++)
		put_own(t, &s->own[i]);
	text_puts(t, "\t\tudp sport 67 udp dport 68 accept\n\t\tudp sport 547 udp dport 546 accept\n"
	             "\t\ticmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept\n"
	             "\t\tcounter drop\n\t}\n}\n");
}

/* Names of interfaces may hold nearly any byte; the rules' text may not. */
static bool is_plain(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n < IFNAMSIZ && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@") == n;
}

int silence_begin(const struct env *env, const struct silence *s, struct error *e)
{
	static const char *const argv[] = { "nft", "-f", "-", NULL };
	struct text rules = { .env = env }, said = { .env = env };
	bool silent = false;
	if (!is_plain(s->interface) || !if_nametoindex(s->interface))
		return error_set(e, -ENODEV, "MON-DMN-052", "there is no interface %s", s->interface);
	put_table(&rules, s);
	int rc = text_ok(&rules) ? nft(env, argv, rules.p, &said, e) : error_no_memory(e, "writing rules");
	text_fini(&rules);
	text_fini(&said);
	struct text let_in = { .env = env };
	if (!rc)
		rc = silence_look(env, s->interface, &silent, &let_in, e);
	text_fini(&let_in);
	if (!rc && !silent)
		rc = error_set(e, -EIO, "MON-DMN-051", "nft took the rules, but they are not there");
	return rc;
}

int silence_end(const struct env *env, struct error *e)
{
	static const char *const argv[] = { "nft", "-f", "-", NULL };
	struct text said = { .env = env };
	int rc = nft(env, argv, "table inet monomi\ndelete table inet monomi\n", &said, e);
	text_fini(&said);
	return rc;
}

/* --- looking --- */

static bool line_is(const char *line, size_t n, const char *text)
{
	return n == strlen(text) && !memcmp(line, text, n);
}

/* What a rule of ours that lets something in begins with: the first two are of any table, the others of management. */
static const char *const ours[] = { "ct state established,related ", "udp sport ", "icmpv6 type ", "ip saddr ",
	                            "ip6 saddr ", "tcp dport ", "udp dport " };

static bool begins(const char *line, size_t n, const char *text)
{
	return n >= strlen(text) && !memcmp(line, text, strlen(text));
}

static bool ends(const char *line, size_t n, const char *text)
{
	return n >= strlen(text) && !memcmp(line + n - strlen(text), text, strlen(text));
}

static bool is_ours(const char *line, size_t n)
{
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (begins(line, n, ours[i]))
			return true;
	return false;
}

struct chain {
	bool hook, here, drops, open; /* open: a rule that is none of ours lets in */
};

static void read_rule(struct chain *c, const char *line, size_t n, const char *first, struct text *let_in)
{
	if (begins(line, n, "counter ") && ends(line, n, " drop"))
		c->drops = c->hook && c->here && !c->open;
	else if (begins(line, n, "type filter hook input "))
		c->hook = true;
	else if (line_is(line, n, first))
		c->here = true;
	else if (ends(line, n, "accept") && !is_ours(line, n))
		c->open = true;
	else if (ends(line, n, "accept") && c->here) {
		text_add(let_in, line, n - strlen(" accept"));
		text_puts(let_in, "\n");
	}
}

/* The table as nft prints it: one of its chains is of this interface, each of its rules is one of ours, and the last
 * drops. */
static bool read_table(const char *p, const char *interface, struct text *let_in)
{
	char first[64];
	struct chain chain = { false, false, false, false };
	bool silent = false;
	snprintf(first, sizeof first, "iifname != \"%s\" accept", interface);
	for (size_t n; *p; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		const char *line = p + strspn(p, "\t ");
		size_t length = n - (size_t)(line - p);
		if (begins(line, length, "chain "))
			chain = (struct chain){ false, false, false, false };
		else
			read_rule(&chain, line, length, first, let_in);
		silent |= chain.drops;
	}
	return silent;
}

int silence_look(const struct env *env, const char *interface, bool *silent, struct text *let_in, struct error *e)
{
	static const char *const argv[] = { "nft", "list", "tables", NULL }, *const list[] = { "nft", "list", "table", "inet",
		                                                                               "monomi", NULL };
	struct text said = { .env = env };
	*silent = false;
	int rc = nft(env, argv, "", &said, e);
	bool there = !rc && said.p && strstr(said.p, "table inet monomi\n");
	text_fini(&said);
	if (rc || !there)
		return rc;
	struct text table = { .env = env };
	rc = nft(env, list, "", &table, e);
	if (!rc)
		*silent = table.p && read_table(table.p, interface, let_in);
	text_fini(&table);
	return rc;
}
