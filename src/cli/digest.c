/* monomi digest: a line a table with its name, the digest of its rows at rest, and how many they are. */
#include "base/env.h"
#include "cli/cli.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>

static int help(const struct command *self)
{
	printf("usage: monomi %s --db FOLDER\n\n%s.\n\n"
	       "  --db FOLDER   the store\n"
	       "  --help        this\n\n"
	       "One line a table: its name, 32 hex digits, the number of rows. That of `flow` is the flow digest that\n"
	       "`monomi analyze` prints for the same packets.\n", self->name, self->summary);
	return EXIT_DONE;
}

static int print(const char *db)
{
	struct store_digest digest[STORE_DIGESTS];
	struct error error;
	char text[DIGEST_TEXT];
	if (store_digest(env_system(), db, digest, &error)) {
		cli_complain(&error, NULL);
		return EXIT_FAILED;
	}
	for (int t = 0; t < STORE_DIGESTS; t++)
		printf("%-16s %s %llu\n", digest[t].table, digest_format(&digest[t].digest, text),
		       (unsigned long long)digest[t].rows);
	return EXIT_DONE;
}

int cli_digest(const struct command *self, int argc, char **argv)
{
	static const struct option longs[] = { { "db", required_argument, NULL, 'd' }, { "help", no_argument, NULL, 'h' },
	                                       { NULL, 0, NULL, 0 } };
	const char *db = NULL;
	opterr = 0;
	optind = 1;
	for (int id; (id = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
		if (id == 'h')
			return help(self);
		if (id != 'd') {
			fputs("monomi: MON-CLI-005: `monomi digest` takes --db FOLDER alone\n", stderr);
			return EXIT_USAGE;
		}
		db = optarg;
	}
	if (!db || optind != argc) {
		fputs("monomi: MON-CLI-025: `monomi digest` wants --db FOLDER and nothing else\n", stderr);
		return EXIT_USAGE;
	}
	return print(db);
}
