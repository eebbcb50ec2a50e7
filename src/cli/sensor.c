/* monomi sensor: the host around a capture. */
#include "base/text.h"
#include "cli/options.h"
#include "daemon/sensor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_MOST 64

enum { OPT_INTERFACE = 1, OPT_MANAGE, OPT_NO_MANAGEMENT, OPT_TO, OPT_KEY, OPT_SECONDS, OPT_HELP };

static const struct cli_option options[] = {
	{ "interface", "NAME", OPT_INTERFACE, "the one that the sensor captures from" },
	{ "manage", "LIST", OPT_MANAGE, "who is let in: tcp/22, udp/161@192.0.2.0/24, 192.0.2.7, with commas between" },
	{ "no-management", NULL, OPT_NO_MANAGEMENT, "nobody: this host is reached otherwise" },
	{ "to", "ADDRESS", OPT_TO, "probe: the sensor's address, IPv4" },
	{ "key", "FILE", OPT_KEY, "probe, verify: the same on both hosts; 16 bytes at least" },
	{ "seconds", "N", OPT_SECONDS, "verify: how long to listen (default: 60); INT ends it sooner" },
	{ "help", NULL, OPT_HELP, "this" },
};

struct sensor {
	const struct env *env;
	const char *interface;
	struct live_own own[OWN_MOST];
	size_t n_own;
	bool nobody;
	struct prefix to;
	const char *key;
	unsigned seconds;
};

static int seconds_parse(const char *text, unsigned *out, struct error *e)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n < 1 || n > 86400)
		return error_set(e, -EINVAL, "MON-CLI-041", "'%s' is no number of seconds from 1 to 86400", text);
	*out = (unsigned)n;
	return 0;
}

static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	struct sensor *s = ctx;
	switch (id) {
	case OPT_INTERFACE: s->interface = value; break;
	case OPT_MANAGE: return live_own_parse(value, s->own, OWN_MOST, &s->n_own, e);
	case OPT_NO_MANAGEMENT: s->nobody = true; break;
	case OPT_TO: return prefix_parse(value, &s->to, e);
	case OPT_KEY: s->key = value; break;
	case OPT_SECONDS: return seconds_parse(value, &s->seconds, e);
	}
	return 0;
}

static const struct cli_options command_line = {
	options, sizeof options / sizeof *options,
	"silence: drops what comes in unasked on the interface, so that nobody is answered; check: is it so? answer:\n"
	"takes it back. verify: listens for the probes that `monomi sensor probe` sends from another host meanwhile, and\n"
	"lists those that did not come. Exit codes: 0 done, silent, all came; 1 failed, or not so; 2 usage.",
	take_option,
};

static int done(int rc, const struct error *e)
{
	if (rc)
		cli_complain(e, NULL);
	return rc ? EXIT_FAILED : EXIT_DONE;
}

static int check(const struct sensor *s)
{
	struct text let_in = { .env = s->env };
	struct error e;
	bool silent;
	int rc = silence_look(s->env, s->interface, &silent, &let_in, &e);
	if (!rc && silent)
		printf("silent: nobody is answered on %s but\n%s", s->interface, let_in.p ? let_in.p : "");
	else if (!rc)
		printf("answers: probes on %s are answered by this host; `monomi sensor silence` ends that\n", s->interface);
	text_fini(&let_in);
	return rc ? done(rc, &e) : silent ? EXIT_DONE : EXIT_FAILED;
}

static int silence(const struct sensor *s)
{
	const struct silence how = { s->interface, s->own, s->n_own };
	struct error e;
	int rc = silence_begin(s->env, &how, &e);
	return rc ? done(rc, &e) : check(s);
}

static int answer(const struct sensor *s)
{
	struct error e;
	return done(silence_end(s->env, &e), &e);
}

static int probe(const struct sensor *s)
{
	struct reach_key key;
	struct error e;
	size_t n;
	reach_list(&n);
	int rc = reach_key_read(&key, s->env, s->key, &e);
	if (!rc)
		rc = reach_send(s->env, &s->to.net, &key, &e);
	if (!rc)
		printf("%zu probes, sent three times each\n", n);
	return done(rc, &e);
}

/* One protocol's ports that did, or did not, come. */
static unsigned tell(const bool *came, bool which, uint8_t proto, const char *name)
{
	size_t n;
	const struct reach_probe *list = reach_list(&n);
	unsigned told = 0;
	for (size_t i = 0; i < n; i++) {
		if (list[i].proto != proto || came[i] != which)
			continue;
		if (!told++)
			printf("  %s", name);
		if (list[i].port)
			printf(" %u", list[i].port);
	}
	if (told)
		putchar('\n');
	return told;
}

static unsigned tell_all(const bool *came, bool which)
{
	puts(which ? "came:" : "did not come:");
	unsigned n = tell(came, which, 1, "echo request") + tell(came, which, 6, "tcp") + tell(came, which, 17, "udp");
	if (!n)
		puts("  none");
	return n;
}

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static int verify(const struct sensor *s)
{
	struct reach_key key;
	bool came[REACH_MOST];
	struct error e;
	int fd, rc = reach_key_read(&key, s->env, s->key, &e);
	if (!rc)
		rc = reach_socket(&fd, s->env, s->interface, &e);
	if (rc)
		return done(rc, &e);
	printf("listening on %s for %u seconds: now run `monomi sensor probe --to ADDRESS --key FILE` on another host\n",
	       s->interface, s->seconds);
	const struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	fflush(stdout);
	rc = reach_listen(s->env, fd, &key, s->seconds, &stopped, came, &e);
	if (rc)
		return done(rc, &e);
	if (!tell_all(came, true))
		puts("nothing came: is the key the same, are both clocks right, is it the right address?");
	return tell_all(came, false) ? EXIT_FAILED : EXIT_DONE;
}

static const struct {
	const char *name;
	bool interface, key, to; /* what it wants */
	int (*run)(const struct sensor *s);
} actions[] = {
	{ "silence", true, false, false, silence }, { "check", true, false, false, check },
	{ "answer", false, false, false, answer },  { "probe", false, true, true, probe },
	{ "verify", true, true, false, verify },
};

static int act(const struct command *self, const char *what, const struct sensor *s)
{
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(what, actions[i].name))
			continue;
		const char *missing = actions[i].interface && !s->interface ? "interface" : actions[i].key && !s->key ? "key" :
		                      actions[i].to && !s->to.version ? "to" : NULL;
		if (missing)
			return cli_usage(self, "MON-CLI-093", "%s wants --%s", what, missing);
		/* Whoever shuts a door must have said who still gets in, being often on the other side of it. */
		if (actions[i].run == silence && !s->n_own && !s->nobody)
			return cli_usage(self, "MON-CLI-091", "say who is still let in: --manage tcp/22, or --no-management");
		return actions[i].run(s);
	}
	return cli_usage(self, "MON-CLI-090", "sensor does one of silence, check, answer, probe, verify");
}

int cli_sensor(const struct command *self, int argc, char **argv)
{
	struct sensor s = { .env = env_system(), .seconds = 60 };
	const char *what = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
	int first = *what ? 1 : 0;
	int next = cli_options_parse(self, &command_line, argc - first, argv + first, &s);
	if (next < 0)
		return -next - 1;
	if (!first && next < argc)
		what = argv[next++];
	if (next < argc - first)
		return cli_usage(self, "MON-CLI-092", "sensor takes no '%s'", argv[first + next]);
	return act(self, what, &s);
}
