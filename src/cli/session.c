#include "cli/session.h"

#include "store/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The only list of options of `monomi run`: parsing, help, completion and what roles are handed read it. */
const struct cli_option run_options[] = {
	{ "config", "FILE", OPT_CONFIG, "what this YAML file says, where the options say nothing; HUP reads it again" },
	{ "check", NULL, OPT_CHECK, "only say whether all of that is good, or every error" },
	{ "db", "FOLDER", OPT_DB, "the store, which is made if need be" },
	{ "interface", "NAME", OPT_INTERFACE, "capture from this interface (root, or CAP_NET_RAW)" },
	{ "pcap", "FILE", OPT_PCAP, "store this capture, or all of a folder; arguments behind the options are more" },
	{ "simulate", NULL, OPT_SIMULATE, "a telescope made up: the week before now, then on as time goes" },
	{ "listen", "HOST:PORT", OPT_LISTEN, "where the pages are served (default: 127.0.0.1:8080; loopback only)" },
	{ "monitored", "PREFIX,…", OPT_MONITORED, "addresses whose packets count" },
	{ "own", "ADDRESS,…", OPT_OWN, "addresses of this host and its management, left out" },
	{ "manage", "LIST", OPT_MANAGE, "its management on --interface: tcp/22, udp/161@192.0.2.0/24, 192.0.2.7, …" },
	{ "answers", "MODE", OPT_ANSWERS, "silent (kept so, with --manage), host-answers or syn-ack; default: as it is found" },
	{ "nat", "CAPTURED=PUBLIC,…", OPT_NAT, "prefixes of equal length behind a 1:1 NAT" },
	{ "nat-unknown", NULL, OPT_NAT_UNKNOWN, "behind a 1:1 NAT whose public side is not known" },
	{ "sensor", "NAME", OPT_SENSOR, "the sensor's name (default: local; simulated)" },
	{ "also", NULL, OPT_ALSO, "options about a sensor behind it are of one more, on its own --interface" },
	{ "decapsulate", NULL, OPT_DECAPSULATE, "look into IP tunnels, which are probes themselves otherwise" },
	{ "filter", "EXPRESSION", OPT_FILTER, "only packets that pass it, in pcap-filter(7) syntax" },
	{ "shards", "N", OPT_SHARDS, "threads that read segments (default: the CPUs allowed)" },
	{ "memory", "SIZE", OPT_MEMORY, "bound of all tables (default: a quarter of the memory)" },
	{ "retention", "LIST", OPT_RETENTION, "days that what comes live is kept: payloads=30,segments=14,detail=90" },
	{ "seed", "S", OPT_SEED, "of --simulate: what everything random follows from (default: 1)" },
	{ "country-db", "FILE", OPT_COUNTRY_DB, "the database of countries (see FILES in monomi(1))" },
	{ "as-db", "FILE", OPT_AS_DB, "the database of AS" },
	{ "help", NULL, OPT_HELP, "this" },
};
const size_t run_options_n = sizeof run_options / sizeof *run_options;

#define LISTEN "127.0.0.1:8080"
#define SIMULATED_ADDRESSES "198.18.0.0/24" /* RFC 2544: nobody's */
#define SIMULATED_SENSOR "simulated"
#define MANAGE_MOST 64
#define DAYS_MOST 36500

/* ---- Texts ---- */
struct kept_text {
	struct kept_text *before;
	size_t size; /* of all this */
	char text[];
};

char *kept_add(struct kept *k, const char *p, size_t n)
{
	struct kept_text *t = env_alloc(env_system(), sizeof *t + n + 1);
	if (!t)
		return NULL;
	t->before = k->last;
	t->size = sizeof *t + n + 1;
	memcpy(t->text, p, n);
	k->last = t;
	return t->text;
}

bool said_of_sensor(int id)
{
	return id == OPT_INTERFACE || id == OPT_MONITORED || id == OPT_OWN || id == OPT_MANAGE ||
	       id == OPT_ANSWERS || id == OPT_NAT || id == OPT_NAT_UNKNOWN || id == OPT_SENSOR ||
	       id == OPT_DECAPSULATE || id == OPT_FILTER;
}

int said_add_file(struct said *s, const char *path, struct error *e)
{
	if (s->n_files == s->files_room) {
		size_t room = s->files_room ? 2 * s->files_room : 16;
		const char **grown = env_grow(env_system(), (void *)(uintptr_t)s->files, s->files_room * sizeof *grown,
		                              room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "listing files");
		s->files = grown;
		s->files_room = room;
	}
	((const char **)(uintptr_t)s->files)[s->n_files++] = path;
	return 0;
}

void said_set(struct said *s, int id, const char *value)
{
	if (said_of_sensor(id))
		s->n_sensors += !s->n_sensors;
	(said_of_sensor(id) ? s->sensor[s->n_sensors - 1] : s->value)[id] = value ? value : "";
}

void said_fini(struct said *s)
{
	const struct env *env = env_system();
	for (struct kept_text *t = s->kept.last, *before; t; t = before) {
		before = t->before;
		env_free(env, t, t->size);
	}
	env_free(env, (void *)(uintptr_t)s->files, s->files_room * sizeof *s->files);
	*s = (struct said){ .n_sensors = 0 };
}

/* ---- Values ---- */
static int parse_seed(const char *text, uint64_t *out, struct error *e)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return end == text || *end || errno || *text == '-' ?
	       error_set(e, -EINVAL, "MON-CLI-060", "'%.40s' is no seed: a number from 0 to 2^64 - 1", text) : 0;
}

/* "payloads=30,detail=90" */
static int parse_retention(const char *text, struct store_retention *keep, struct error *e)
{
	const struct {
		const char *name;
		uint32_t *days;
	} part[] = { { "payloads=", &keep->payload_days }, { "segments=", &keep->segment_days },
	             { "detail=", &keep->detail_days } };
	for (const char *at = text;;) {
		size_t i = 0, skip = strcspn(at, "=") + 1;
		while (i < 3 && strncmp(at, part[i].name, skip))
			i++;
		char *end = (char *)(uintptr_t)at;
		unsigned long days = i < 3 && at[skip] >= '0' && at[skip] <= '9' ? strtoul(at + skip, &end, 10) : 0;
		if (!days || days > DAYS_MOST || (*end && *end != ','))
			return error_set(e, -EINVAL, "MON-CLI-074", "'%.60s' is no number of days from 1 to %d of payloads, segments "
			                 "or detail: payloads=30,segments=14,detail=90", at, DAYS_MOST);
		*part[i].days = (uint32_t)days;
		if (!*end)
			return 0;
		at = end + 1;
	}
}

int session_check_value(struct analyze_options *scratch, int id, const char *value, struct error *e)
{
	struct store_retention keep;
	struct live_own own[MANAGE_MOST];
	uint64_t seed;
	size_t n;
	switch (id) {
	case OPT_LISTEN: return run_listen_check(value, e);
	case OPT_SEED: return parse_seed(value, &seed, e);
	case OPT_RETENTION: return parse_retention(value, &keep, e);
	case OPT_MANAGE: return live_own_parse(value, own, MANAGE_MOST, &n, e);
	case OPT_SENSOR: return store_sensor_check(value, e);
	case OPT_MONITORED: case OPT_OWN: case OPT_ANSWERS: case OPT_NAT: case OPT_FILTER: case OPT_SHARDS: case OPT_MEMORY:
		return analyze_option_take(scratch, run_options[id - 1].name, value, e);
	}
	return 0;
}

/* ---- The command line over the file ---- */
static bool says_source(const struct said *s)
{
	bool interface = false;
	for (unsigned i = 0; i < s->n_sensors; i++)
		interface |= s->sensor[i][OPT_INTERFACE] != NULL;
	return interface || s->n_files || s->value[OPT_SIMULATE];
}

static int merge_sensors(struct said *line, const struct said *file, bool source, struct error *e)
{
	if (line->n_sensors && file->n_sensors > 1)
		return error_set(e, -EINVAL, "MON-CLI-084", "the configuration file has %u sensors: what is said of one belongs "
		                 "there", file->n_sensors);
	if (line->n_sensors > 1 && file->n_sensors)
		return error_set(e, -EINVAL, "MON-CLI-084", "the configuration file has a sensor: further ones belong there");
	for (unsigned i = 0; i < file->n_sensors; i++)
		for (int id = 1; id < OPT_HELP; id++)
			if (!line->sensor[i][id] && !(source && id == OPT_INTERFACE))
				line->sensor[i][id] = file->sensor[i][id];
	line->n_sensors = line->n_sensors > file->n_sensors ? line->n_sensors : file->n_sensors;
	return 0;
}

static int merge(struct said *line, struct said *file, struct error *e)
{
	bool source = says_source(line);
	for (int id = 1; id < OPT_HELP; id++)
		if (!line->value[id] && !(source && id == OPT_SIMULATE))
			line->value[id] = file->value[id];
	int rc = merge_sensors(line, file, source, e);
	for (size_t i = 0; !rc && !source && i < file->n_files; i++)
		rc = said_add_file(line, file->files[i], e);
	line->kept = file->kept;
	file->kept.last = NULL;
	return rc;
}

/* ---- Texts as a configuration ---- */
static int take_part(struct session *s, unsigned i, struct error *e)
{
	static const int shared[] = { OPT_MONITORED, OPT_OWN, OPT_ANSWERS, OPT_NAT, OPT_NAT_UNKNOWN, OPT_SENSOR,
		                      OPT_DECAPSULATE, OPT_FILTER, OPT_SHARDS, OPT_MEMORY, OPT_COUNTRY_DB, OPT_AS_DB };
	struct analyze_options *a = &s->part[i].analyze;
	int rc = 0;
	for (size_t k = 0; !rc && k < sizeof shared / sizeof *shared; k++) {
		const char *value = (said_of_sensor(shared[k]) ? s->said.sensor[i] : s->said.value)[shared[k]];
		if (value)
			rc = analyze_option_take(a, run_options[shared[k] - 1].name, value, e);
	}
	if (!rc)
		rc = store_sensor_check(a->config.sensor, e);
	if (!rc && strlen(a->row_options) + 1 == ROW_OPTIONS_MAX)
		rc = error_set(e, -E2BIG, "MON-CLI-024", "the options about packets have %d bytes at the most",
		               ROW_OPTIONS_MAX - 2);
	return rc ? rc : analyze_options_bound(a, e);
}

static int make_sensor(struct session *s, unsigned i, struct error *e)
{
	const struct env *env = env_system();
	const char *const *said = s->said.sensor[i];
	struct run_sensor *sensor = &s->sensor[i];
	if (analyze_options_init(&s->part[i].analyze))
		return error_no_memory(e, "reading the options");
	s->part[i].open = true;
	int rc = take_part(s, i, e);
	if (!rc && said[OPT_MANAGE]) {
		s->part[i].manage = env_alloc(env, MANAGE_MOST * sizeof *s->part[i].manage);
		rc = s->part[i].manage ? live_own_parse(said[OPT_MANAGE], s->part[i].manage, MANAGE_MOST, &sensor->n_manage, e) :
		     error_no_memory(e, "reading the options");
	}
	const struct analyze_options *a = &s->part[i].analyze;
	sensor->interface = said[OPT_INTERFACE];
	sensor->manage = s->part[i].manage;
	sensor->manage_words = said[OPT_MANAGE];
	sensor->analysis = a->config;
	sensor->monitored = a->monitored;
	sensor->row_options = a->row_options;
	sensor->mode = a->mode;
	for (unsigned k = 0; !rc && k < i; k++)
		if (!strcmp(s->sensor[k].analysis.sensor, sensor->analysis.sensor))
			rc = error_set(e, -EINVAL, "MON-CLI-085", "two sensors have the name %.64s", sensor->analysis.sensor);
	return rc;
}

static int choose_source(const struct session *s, enum run_source *out, struct error *e)
{
	const struct said *said = &s->said;
	unsigned interfaces = 0;
	for (unsigned i = 0; i < said->n_sensors; i++)
		interfaces += said->sensor[i][OPT_INTERFACE] != NULL;
	int given = (interfaces != 0) + (said->n_files != 0) + (said->value[OPT_SIMULATE] != NULL);
	*out = interfaces ? RUN_INTERFACE : said->n_files ? RUN_FILES : said->value[OPT_SIMULATE] ? RUN_SIMULATE : RUN_STORE;
	if (given > 1)
		return error_set(e, -EINVAL, "MON-CLI-080", "one of --interface, --pcap and --simulate, not several");
	if (said->n_sensors > 1 && interfaces < said->n_sensors)
		return error_set(e, -EINVAL, "MON-CLI-086", "of several sensors each wants an interface");
	return 0;
}

/* What a made-up telescope is without further words. */
static void set_simulated(struct said *s)
{
	const char **said = s->sensor[0];
	said[OPT_MONITORED] = said[OPT_MONITORED] ? said[OPT_MONITORED] : SIMULATED_ADDRESSES;
	said[OPT_SENSOR] = said[OPT_SENSOR] ? said[OPT_SENSOR] : SIMULATED_SENSOR;
}

static int list_files(struct session *s, struct error *e)
{
	const struct env *env = env_system();
	char whole[PATH_MAX];
	int rc = 0;
	for (size_t i = 0; !rc && i < s->said.n_files; i++)
		rc = path_list_add(&s->files, s->said.files[i], e);
	s->paths = rc ? NULL : env_alloc(env, (s->files.n + 1) * sizeof *s->paths);
	if (!s->paths)
		return rc ? rc : error_no_memory(e, "reading the options");
	for (size_t i = 0; i < s->files.n; i++) {
		const char *path = s->files.item[i].path;
		if (!realpath(path, whole))
			return error_set(e, -errno, "MON-CLI-082", "%s cannot be found: %s", path, strerror(errno));
		s->paths[i] = kept_add(&s->said.kept, whole, strlen(whole));
		if (!s->paths[i])
			return error_no_memory(e, "reading the options");
	}
	return 0;
}

static int configure(struct session *s, struct error *e)
{
	struct run_config *c = &s->setup.config;
	const char *const *value = s->said.value;
	*c = (struct run_config){ .db = value[OPT_DB], .listen = value[OPT_LISTEN] ? value[OPT_LISTEN] : LISTEN, .seed = 1,
		                  .sensor = s->sensor, .keep = STORE_RETENTION, .version = MONOMI_VERSION,
		                  .options = analyze_options_kept };
	s->said.n_sensors += !s->said.n_sensors;
	c->n_sensors = s->said.n_sensors;
	int rc = choose_source(s, &c->source, e);
	if (!rc && !c->db)
		rc = error_set(e, -EINVAL, "MON-CLI-081", "no store was named: --db FOLDER, or store: in the configuration file");
	if (!rc && c->source == RUN_SIMULATE)
		set_simulated(&s->said);
	for (unsigned i = 0; !rc && i < c->n_sensors; i++)
		rc = make_sensor(s, i, e);
	if (!rc)
		rc = list_files(s, e);
	if (!rc && value[OPT_SEED])
		rc = parse_seed(value[OPT_SEED], &c->seed, e);
	if (!rc && value[OPT_RETENTION])
		rc = parse_retention(value[OPT_RETENTION], &c->keep, e);
	if (!rc)
		rc = run_listen_check(c->listen, e);
	c->files = (char *const *)(uintptr_t)s->paths;
	c->n_files = s->files.n;
	c->databases = s->part[0].analyze.databases;
	return rc;
}

/* ---- What roles are handed ---- */
static void pack_value(struct text *t, int id, const char *value)
{
	const struct cli_option *o = &run_options[id - 1];
	if (!value)
		return;
	text_puts(t, "--");
	text_puts(t, o->name);
	text_puts(t, o->value ? "=" : "");
	text_add(t, o->value ? value : "", o->value ? strlen(value) + 1 : 1);
}

/* Each option as "--name=value" and a zero byte: what a role makes the same of. */
static int pack(struct session *s, struct error *e)
{
	struct text *t = &s->packed;
	t->env = env_system();
	for (int id = OPT_DB; id < OPT_HELP; id++)
		pack_value(t, id, s->said.value[id]);
	for (unsigned i = 0; i < s->said.n_sensors; i++) {
		pack_value(t, OPT_ALSO, i ? "" : NULL);
		for (int id = 1; id < OPT_HELP; id++)
			pack_value(t, id, s->said.sensor[i][id]);
	}
	for (size_t i = 0; i < s->files.n; i++)
		pack_value(t, OPT_PCAP, s->paths[i]);
	s->setup.arguments = (struct run_arguments){ t->p, t->n };
	return text_ok(t) ? 0 : error_no_memory(e, "handing options on");
}

/* ---- All of it ---- */
int session_open(struct session **out, struct said *line, struct said *file, struct error *e)
{
	struct session *s = env_alloc(env_system(), sizeof *s);
	int rc = s ? 0 : error_no_memory(e, "reading the options");
	if (!rc && file)
		rc = merge(line, file, e);
	if (s) {
		s->said = *line;
		*line = (struct said){ .n_sensors = 0 };
	}
	if (!rc)
		rc = configure(s, e);
	if (!rc)
		rc = pack(s, e);
	if (rc) {
		session_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void session_close(struct session *s)
{
	const struct env *env = env_system();
	if (!s)
		return;
	text_fini(&s->packed);
	env_free(env, s->paths, (s->files.n + 1) * sizeof *s->paths);
	path_list_fini(&s->files);
	for (unsigned i = 0; i < RUN_SENSORS_MAX; i++) {
		env_free(env, s->part[i].manage, MANAGE_MOST * sizeof *s->part[i].manage);
		if (s->part[i].open)
			analyze_options_fini(&s->part[i].analyze);
	}
	said_fini(&s->said);
	env_free(env, s, sizeof *s);
}
