/* Subcommands: one file each; main.c has the table. Exit codes: 0 done, 1 failed or damaged input, 2 usage. */
#pragma once

struct command {
	const char *name;
	int (*run)(const struct command *self, int argc, char **argv);
	const char *arguments;
	const char *summary;
};

int cli_analyze(const struct command *self, int argc, char **argv);
int cli_doctor(const struct command *self, int argc, char **argv);
int cli_version(const struct command *self, int argc, char **argv);
