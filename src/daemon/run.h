/* `monomi run`: the observatory as processes (docs/decisions/watch.md). The parent opens what needs rights, starts itself
 * in roles, and starts those again that die.
 */
#pragma once
#include "capture/live.h"
#include "daemon/analysis.h"
#include "daemon/extract.h"
#include "enrich/enrich.h"
#include "store/store.h"

#include <stddef.h>

enum run_source { RUN_STORE, RUN_INTERFACE, RUN_FILES, RUN_SIMULATE }; /* what comes into the store; STORE: nothing */

#define RUN_SENSORS_MAX 16

struct run_sensor {
	const char *interface;         /* of RUN_INTERFACE */
	const struct live_own *manage; /* likewise */
	size_t n_manage;
	const char *manage_words;      /* the same as given; NULL: nothing */
	struct analysis_config analysis; /* its name, and what makes rows; memory and shards are equal in all */
	const char *monitored, *row_options; /* as struct ingest_config */
	enum answer_mode mode;         /* as was said; untold: of an interface, as it is found; else silent */
};

struct run_config {
	const char *db;
	enum run_source source;
	const struct run_sensor *sensor; /* one at the least; several only of RUN_INTERFACE */
	unsigned n_sensors;
	char *const *files; /* absolute paths */
	size_t n_files;
	const char *listen; /* HOST:PORT */
	struct enrich_options databases;
	struct store_retention keep; /* of what comes live */
	uint64_t seed;      /* of RUN_SIMULATE */
	extract_options_fn options; /* those that segments were added with */
	const char *version;
};

/* Options that `config` was made from, each ended by a zero byte: what roles make theirs from. */
struct run_arguments {
	char *p;
	size_t n;
};

struct run_setup {
	struct run_config config;
	struct run_arguments arguments;
};

struct run_request {
	struct run_setup *setup;
	/* HUP: everything is read and checked anew; NULL: there is nothing to read. */
	int (*again)(void *ctx, struct run_setup **out, struct error *e);
	void (*drop)(void *ctx, struct run_setup *s); /* one that `again` gave, or the first, is not used any more */
	void *ctx;
};

/* Can the pages be served there? MON-SRV-001. */
int run_listen_check(const char *listen, struct error *e) MUST_USE;

/* Runs until INT or TERM. Prints the page's address once it answers. The setup it ends with is dropped as well. */
int run_observatory(const struct env *env, const struct run_request *request, struct error *e) MUST_USE;

/* ---- The other side: a process that was started as `monomi role NAME` ---- */
#define RUN_ROLE "role"

/* The arguments that the parent gave, for a struct run_config. */
int run_role_arguments(const struct env *env, struct run_arguments *out, struct error *e) MUST_USE;
/* `sensor`: whose capture it is; `crashed`: the one before it was ended by a fault of its own. Returns when the role has
 * ended. */
int run_role(const struct env *env, const char *name, const char *sensor, bool crashed, const struct run_config *config,
             struct error *e) MUST_USE;
