/* `monomi run`: the observatory as processes (docs/decisions/watch.md). The parent opens what needs rights, starts itself
 * in roles, and starts those again that die.
 */
#pragma once
#include "capture/live.h"
#include "daemon/analysis.h"
#include "enrich/enrich.h"

#include <stddef.h>

enum run_source { RUN_STORE, RUN_INTERFACE, RUN_FILES, RUN_SIMULATE }; /* what comes into the store; STORE: nothing */

struct run_config {
	const char *db;
	enum run_source source;
	const char *interface;
	const struct live_own *manage; /* of RUN_INTERFACE */
	size_t n_manage;
	char *const *files; /* absolute paths */
	size_t n_files;
	const char *listen; /* HOST:PORT */
	struct analysis_config analysis;
	const char *monitored, *row_options; /* as struct ingest_config */
	struct enrich_options databases;
	uint64_t seed;      /* of RUN_SIMULATE */
	const char *version;
};

/* Options that `config` was made from, each ended by a zero byte: what roles make theirs from. */
struct run_arguments {
	char *p;
	size_t n;
};

struct run_request {
	struct run_config config;
	struct run_arguments arguments;
	/* SIGHUP: everything is read and checked anew. What it gives stays until the next call; NULL: nothing to read. */
	int (*again)(void *ctx, struct run_config *config, struct run_arguments *arguments, struct error *e);
	void *ctx;
};

/* Runs until INT or TERM. Prints the page's address once it answers. */
int run_observatory(const struct env *env, struct run_request *request, struct error *e) MUST_USE;

/* ---- The other side: a process that was started as `monomi role NAME` ---- */
#define RUN_ROLE "role"

/* The arguments that the parent gave, for a struct run_config. */
int run_role_arguments(const struct env *env, struct run_arguments *out, struct error *e) MUST_USE;
/* `crashed`: the one before it was ended by a fault of its own. Returns when the role has ended. */
int run_role(const struct env *env, const char *name, bool crashed, const struct run_config *config,
             struct error *e) MUST_USE;
