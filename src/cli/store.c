/* monomi store: what keeps a store whole. */
#include "cli/cli.h"
#include "store/store.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct arguments {
	const char *db, *to, *from;
	int64_t now;
	struct store_retention keep;
};

static int check(const struct arguments *a);
static int backup(const struct arguments *a);
static int restore(const struct arguments *a);
static int expire(const struct arguments *a);
static int compact(const struct arguments *a);

/* The only table of what `monomi store` does; the help reads it. */
static const struct action {
	const char *name;
	int (*run)(const struct arguments *a);
	const char *arguments, *summary;
} actions[] = {
	{ "check", check, "--db FOLDER", "everything about a store that can be checked at rest, a line a check" },
	{ "backup", backup, "--db FOLDER --to NEW", "copies a store into a new folder, while it may be written" },
	{ "restore", restore, "--db NEW --from FOLDER", "copies a backup back, and checks it" },
	{ "compact", compact, "--db FOLDER", "joins small parts of a day; the rows stay the same" },
	{ "expire", expire, "--db FOLDER", "takes out what is older than it may be kept" },
};
#define N_ACTIONS (sizeof actions / sizeof *actions)

static int usage(const char *code, const char *what, const char *word)
{
	fprintf(stderr, "monomi: %s: store: %s%s%s; `monomi store --help` tells more\n", code, what, word ? " " : "",
	        word ? word : "");
	return EXIT_USAGE;
}

#define WHICH "MON-CLI-072"

/* ---- check ---- */
static int check(const struct arguments *a)
{
	struct store_finding found[STORE_CHECKS];
	struct error e;
	uint64_t faults = 0;
	int rc = store_check(env_system(), a->db, found, &e);
	if (rc) {
		cli_complain(&e, NULL);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < STORE_CHECKS; i++) {
		const struct store_finding *f = &found[i];
		faults += f->faults;
		printf("%-6s%-10s", f->faults ? "fault" : "ok", f->check);
		fputs(f->first, stdout);
		if (f->faults > 1)
			printf(" (and %" PRIu64 " more)", f->faults - 1);
		putchar('\n');
	}
	return faults ? EXIT_FAILED : EXIT_DONE;
}

/* ---- backup, restore ---- */
static int copy(const char *from, const char *to)
{
	struct error e;
	if (!store_copy(env_system(), from, to, &e))
		return EXIT_DONE;
	cli_complain(&e, NULL);
	return EXIT_FAILED;
}

static int backup(const struct arguments *a)
{
	return a->to ? copy(a->db, a->to) : usage(WHICH, "where to? --to NEW", NULL);
}

static int restore(const struct arguments *a)
{
	if (!a->from)
		return usage(WHICH, "where from? --from FOLDER", NULL);
	int status = copy(a->from, a->db);
	return status ? status : check(a);
}

/* ---- expire ---- */
static int expire(const struct arguments *a)
{
	struct store_expired gone;
	struct error e;
	if (store_expire(env_system(), a->db, a->now, &a->keep, &gone, &e)) {
		cli_complain(&e, NULL);
		return EXIT_FAILED;
	}
	printf("%" PRIu64 " rows in %" PRIu64 " parts, %" PRIu64 " bytes; %" PRIu64 " segments of the spool\n", gone.rows,
	       gone.parts, gone.bytes, gone.segments);
	return EXIT_DONE;
}

/* ---- compact ---- */
static int compact(const struct arguments *a)
{
	struct store_compacted done;
	struct error e;
	if (store_compact(env_system(), a->db, &done, &e)) {
		cli_complain(&e, NULL);
		return EXIT_FAILED;
	}
	printf("%" PRIu64 " parts joined into %" PRIu64 "\n", done.parts, done.into);
	return EXIT_DONE;
}

/* ---- The command line ---- */
static void help(const struct command *self)
{
	printf("usage: monomi %s %s\n\n%s.\n\n", self->name, self->arguments, self->summary);
	for (size_t i = 0; i < N_ACTIONS; i++)
		printf("  %-8s %-24s %s\n", actions[i].name, actions[i].arguments, actions[i].summary);
	puts("\nexpire:\n"
	     "  --now DATE       as if it were that day, as 2026-11-24 (default: the clock's)\n"
	     "  --force          also when that is more than two days after all that was observed\n"
	     "  --payloads DAYS  for which what packets carried is kept (default: 30)\n"
	     "  --segments DAYS  for which what standard input gave is kept (default: 14)\n"
	     "  --detail DAYS    for which rows that name a source or a victim are kept (default: 90)");
	puts("\nExit codes: 0 done and whole; 1 failed, or faults were found; 2 usage.");
}

/* "2026-11-24": the first moment of that day, UTC. */
static bool date_parse(const char *text, int64_t *out)
{
	struct tm t = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &t);
	*out = end ? (int64_t)timegm(&t) * 1000000000 : 0;
	return end && !*end;
}

static bool days_parse(const char *text, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	*out = (uint32_t)n;
	return end != text && !*end && *text != '-' && n <= 1000000;
}

enum { OPT_DB = 1, OPT_TO, OPT_FROM, OPT_NOW, OPT_PAYLOADS, OPT_SEGMENTS, OPT_DETAIL, OPT_FORCE };
static const struct option options[] = {
	{ "db", required_argument, NULL, OPT_DB },             { "to", required_argument, NULL, OPT_TO },
	{ "from", required_argument, NULL, OPT_FROM },         { "now", required_argument, NULL, OPT_NOW },
	{ "payloads", required_argument, NULL, OPT_PAYLOADS }, { "segments", required_argument, NULL, OPT_SEGMENTS },
	{ "detail", required_argument, NULL, OPT_DETAIL },     { "force", no_argument, NULL, OPT_FORCE },
	{ NULL, 0, NULL, 0 },
};

static int take(struct arguments *a, int option, const char *value)
{
	switch (option) {
	case OPT_DB: a->db = value; return 0;
	case OPT_TO: a->to = value; return 0;
	case OPT_FROM: a->from = value; return 0;
	case OPT_FORCE: a->keep.forced = true; return 0;
	case OPT_NOW: return date_parse(value, &a->now) ? 0 : usage("MON-CLI-073", "no date as 2026-11-24:", value);
	default: break;
	}
	uint32_t *days = option == OPT_PAYLOADS ? &a->keep.payload_days : option == OPT_SEGMENTS ? &a->keep.segment_days :
	                 &a->keep.detail_days;
	return days_parse(value, days) ? 0 : usage("MON-CLI-074", "no number of days:", value);
}

static int parse(int argc, char **argv, struct arguments *a)
{
	int option, status = 0;
	optind = 1;
	opterr = 0;
	while (!status && (option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option == ':')
			status = usage("MON-CLI-004", "an option wants a value:", argv[optind - 1]);
		else if (option == '?')
			status = usage("MON-CLI-005", "there is no option", argv[optind - 1]);
		else
			status = take(a, option, optarg);
	}
	if (!status && optind < argc)
		status = usage("MON-CLI-071", "one word too many:", argv[optind]);
	return status || a->db ? status : usage("MON-CLI-030", "which store? --db FOLDER", NULL);
}

int cli_store(const struct command *self, int argc, char **argv)
{
	struct arguments a = { .now = env_system()->realtime(env_system()), .keep = STORE_RETENTION };
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		help(self);
		return EXIT_DONE;
	}
	if (argc < 2)
		return usage("MON-CLI-070", "what shall be done?", NULL);
	for (size_t i = 0; i < N_ACTIONS; i++)
		if (!strcmp(argv[1], actions[i].name)) {
			int rc = parse(argc - 1, argv + 1, &a);
			return rc ? rc : actions[i].run(&a);
		}
	return usage("MON-CLI-070", "it does not know", argv[1]);
}
