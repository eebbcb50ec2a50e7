/* What the files of `monomi analyze` share: options, the list of files, and the two forms of a summary. */
#pragma once
#include "cli/cli.h"
#include "daemon/analysis.h"
#include "daemon/extract.h"
#include "enrich/enrich.h"

#define PREFIXES_MAX 4096
#define ROW_OPTIONS_MAX 4096

struct analyze_options {
	struct analysis_config config;
	struct prefix *prefixes; /* storage of the scope's two lists */
	struct nat *nat;
	bool json;
	const char *json_file;   /* where the JSON goes beside the summary; NULL: nowhere */
	const char *db;          /* the store's folder; NULL: none */
	struct enrich_options databases; /* for a store */
	enum answer_mode mode;   /* how the sensor answered; untold: silent */
	const char *monitored;   /* the prefixes as given, "" without */
	char row_options[ROW_OPTIONS_MAX]; /* all that makes the rows of a packet, as given */
	bool memory_told, shards_told; /* else they are the defaults */
	char **files;            /* borrowed from argv */
	int n_files;
};

/* 0, or an exit code plus one: the command is over. */
int analyze_options_parse(const struct command *self, int argc, char **argv, struct analyze_options *out);
void analyze_options_fini(struct analyze_options *o);

/* For another command that reads packets: the defaults; then an option of analyze by its name, without "--". */
int analyze_options_init(struct analyze_options *o);
int analyze_option_take(struct analyze_options *o, const char *name, const char *value, struct error *e) MUST_USE;
/* After the last of them, for who writes into a store: memory that cannot bound the process is refused where it was told,
 * and is the least that can where it was not, by as few shards as that takes. */
int analyze_options_bound(struct analyze_options *o, struct error *e) MUST_USE;

/* The options that a segment was added with, as they are kept: "--monitored=… --filter=… " (an extract_options_fn). */
int analyze_options_kept(char *kept, extract_use_fn use, void *ctx, struct error *e) MUST_USE;

/* Comma-separated prefixes; -EINVAL with a sentence. */
int prefix_list_parse(const char *text, struct prefix *out, size_t room, size_t *n, struct error *e) MUST_USE;
int nat_list_parse(const char *text, struct nat *out, size_t room, size_t *n, struct error *e) MUST_USE;

/* FILEs in the order given, folders replaced by what is in them (at every depth, by name, no hidden ones). */
struct path_list {
	struct listed {
		char *path;
		bool from_folder; /* it is left out with a notice when it is no capture */
	} *item;
	size_t n, room;
};
int path_list_add(struct path_list *l, const char *path, struct error *e) MUST_USE;
void path_list_fini(struct path_list *l);

/* One line of JSON on `fd`, or a page of text on stdout. `file` NULL: the total. `error` NULL: none. */
int summary_write_json(const struct env *env, int fd, const char *file, const struct summary *s,
                       const struct error *error) MUST_USE;
void summary_print_text(const char *file, const struct summary *s, const struct error *error);
