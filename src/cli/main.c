#include "cli/cli.h"

#include "daemon/run.h"
#include "store/client.h"

#include <stdio.h>
#include <string.h>

/* The only table of subcommands: dispatch, `monomi --help` and bash completion read it. Without a summary it is a role
 * that the program starts itself in. */
static const struct command commands[] = {
	{ "analyze", cli_analyze, "FILE…", "numbers of captures: files, folders, - for standard input" },
	{ "digest", cli_digest, "", "what the rows of a store come to: equal rows, equal digests" },
	{ "doctor", cli_doctor, "", "what this machine allows, and what to do about the rest" },
	{ "ip", cli_ip, "ADDRESS|-", "what a store knows of an address; -: of each on standard input" },
	{ "packets", cli_packets, "", "the packets behind a row of a store, as pcapng" },
	{ "query", cli_query, "NAME|SQL", "what a store knows: named queries and read-only SQL" },
	{ RUN_ROLE, cli_role, NULL, NULL },
	{ "run", cli_run, "", "the observatory: captures, keeps and shows, 24 hours a day" },
	{ STORE_WORKER, cli_query_worker, NULL, NULL },
	{ "sensor", cli_sensor, "silence|check|answer|probe|verify", "keeps a sensor's host silent; tests what reaches it" },
	{ "simulate", cli_simulate, "", "a synthetic telescope: a capture that says so, and the truth about it" },
	{ "store", cli_store, "check|backup|restore|compact|expire", "checks a store, copies it, takes out what is old" },
	{ "version", cli_version, "", "version, schema and the libraries in use" },
};

static void help(FILE *out)
{
	fputs("monomi: an Internet observatory\n\nusage: monomi COMMAND [OPTION…] [ARGUMENT…]\n\n", out);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (commands[i].summary)
			fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\n`monomi COMMAND --help` tells the options of each.\n", out);
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		fputs("monomi: MON-CLI-001: no command; `monomi --help` lists them\n", stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(argv[1], commands[i].name) ||
		    (!strcmp(argv[1], "--version") && !strcmp(commands[i].name, "version")))
			return commands[i].run(&commands[i], argc - 1, argv + 1);
	fprintf(stderr, "monomi: MON-CLI-002: there is no command '%s'; `monomi --help` lists them\n", argv[1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);
	/* What was printed counts only once it is out: a full disk shows here. */
	if (fflush(stdout) && status == EXIT_DONE)
		status = EXIT_FAILED;
	return status;
}
