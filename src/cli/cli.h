/* Subcommands: one file each; main.c has the table. Exit codes: 0 done, 1 failed or damaged input, 2 usage. */
#pragma once
#include "base/error.h"

struct command {
	const char *name;
	int (*run)(const struct command *self, int argc, char **argv);
	const char *arguments;
	const char *summary;
};

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

int cli_analyze(const struct command *self, int argc, char **argv);
int cli_digest(const struct command *self, int argc, char **argv);
int cli_doctor(const struct command *self, int argc, char **argv);
int cli_ip(const struct command *self, int argc, char **argv);
int cli_packets(const struct command *self, int argc, char **argv);
int cli_query(const struct command *self, int argc, char **argv);
int cli_query_worker(const struct command *self, int argc, char **argv);
int cli_role(const struct command *self, int argc, char **argv);
int cli_run(const struct command *self, int argc, char **argv);
int cli_sensor(const struct command *self, int argc, char **argv);
int cli_simulate(const struct command *self, int argc, char **argv);
int cli_store(const struct command *self, int argc, char **argv);
int cli_version(const struct command *self, int argc, char **argv);

/* "monomi: CODE: subject: sentence (offset N)" on stderr; subject may be NULL. */
void cli_complain(const struct error *e, const char *subject);
/* On stderr, after what was shown of a store that holds packets of `monomi simulate`. */
void cli_say_simulated(void);
/* The sentence alone, with code and offset, as the JSON has it. */
#define CLI_SENTENCE 400
char *cli_sentence(const struct error *e, char out[static CLI_SENTENCE]);
