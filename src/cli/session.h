/* What `monomi run` is told, by its command line and its configuration file, and what that comes to. Values are gathered as
 * texts first, so that one source can replace another and roles can be handed all of them. */
#pragma once
#include "base/text.h"
#include "cli/analyze.h"
#include "cli/options.h"
#include "daemon/run.h"

/* Places in the list of options. */
enum { OPT_CONFIG = 1, OPT_CHECK, OPT_DB, OPT_INTERFACE, OPT_PCAP, OPT_SIMULATE, OPT_LISTEN, OPT_MONITORED, OPT_OWN,
       OPT_MANAGE, OPT_ANSWERS, OPT_NAT, OPT_NAT_UNKNOWN, OPT_SENSOR, OPT_ALSO, OPT_DECAPSULATE, OPT_FILTER, OPT_SHARDS,
       OPT_MEMORY, OPT_RETENTION, OPT_SEED, OPT_COUNTRY_DB, OPT_AS_DB, OPT_HELP };

extern const struct cli_option run_options[];
extern const size_t run_options_n;

/* Texts that live as long as what was made of them. */
struct kept_text;
struct kept {
	struct kept_text *last;
};
/* "": what it is, ended by a zero byte; NULL: no memory. */
char *kept_add(struct kept *k, const char *p, size_t n);

struct said {
	const char *value[OPT_HELP + 1]; /* by option; NULL: nothing */
	const char *sensor[RUN_SENSORS_MAX][OPT_HELP + 1];
	unsigned n_sensors;
	const char *const *files;
	size_t n_files, files_room;
	struct kept kept;
};
bool said_of_sensor(int id);
int said_add_file(struct said *s, const char *path, struct error *e) MUST_USE;
/* `id` of the last sensor, or of all. */
void said_set(struct said *s, int id, const char *value);
void said_fini(struct said *s);

/* A single value, whatever else is said. `scratch` was initialised by analyze_options_init. */
int session_check_value(struct analyze_options *scratch, int id, const char *value, struct error *e) MUST_USE;

struct session {
	struct run_setup setup; /* first: it is what others know of a session */
	struct said said;
	struct path_list files;
	const char **paths;
	struct text packed; /* setup.arguments */
	struct {
		struct analyze_options analyze;
		bool open;
		struct live_own *manage;
	} part[RUN_SENSORS_MAX];
	struct run_sensor sensor[RUN_SENSORS_MAX];
};
/* What the command line says wins over `file` (NULL: none). Takes over both. */
int session_open(struct session **out, struct said *line, struct said *file, struct error *e) MUST_USE;
void session_close(struct session *s); /* NULL is fine */
