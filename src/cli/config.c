#include "cli/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#define FILE_MOST (1u << 20)
#define LIST_MOST 65536 /* bytes of a list as one text */

/* ---- What may be said: the tables of keys ---- */
enum kind { KIND_TEXT, KIND_PATH, KIND_FLAG, KIND_LIST, KIND_PAIRS, KIND_FILES, KIND_DAYS, KIND_GROUP, KIND_SENSORS };

static const char *const wanted[] = {
	[KIND_TEXT] = "a value", [KIND_PATH] = "a path", [KIND_FLAG] = "true or false",
	[KIND_LIST] = "a value or a list of them",
	[KIND_PAIRS] = "pairs, CAPTURED: PUBLIC", [KIND_FILES] = "a path or a list of them", [KIND_DAYS] = "a number of days",
	[KIND_GROUP] = "keys and their values", [KIND_SENSORS] = "a list of sensors, each of which begins with '- '",
};

struct key {
	const char *name;
	enum kind kind;
	int option;             /* what it is on the command line */
	const struct key *keys; /* of a group */
};

static const struct key sensor_keys[] = {
	{ "name", KIND_TEXT, OPT_SENSOR, NULL },
	{ "interface", KIND_TEXT, OPT_INTERFACE, NULL },
	{ "monitored", KIND_LIST, OPT_MONITORED, NULL },
	{ "own", KIND_LIST, OPT_OWN, NULL },
	{ "manage", KIND_LIST, OPT_MANAGE, NULL },
	{ "answers", KIND_TEXT, OPT_ANSWERS, NULL },
	{ "nat", KIND_PAIRS, OPT_NAT, NULL },
	{ "nat-unknown", KIND_FLAG, OPT_NAT_UNKNOWN, NULL },
	{ "decapsulate", KIND_FLAG, OPT_DECAPSULATE, NULL },
	{ "filter", KIND_TEXT, OPT_FILTER, NULL },
	{ NULL, KIND_TEXT, 0, NULL },
};
static const struct key retention_keys[] = {
	{ "payloads", KIND_DAYS, OPT_RETENTION, NULL },
	{ "segments", KIND_DAYS, OPT_RETENTION, NULL },
	{ "detail", KIND_DAYS, OPT_RETENTION, NULL },
	{ NULL, KIND_TEXT, 0, NULL },
};
static const struct key database_keys[] = {
	{ "country", KIND_PATH, OPT_COUNTRY_DB, NULL },
	{ "as", KIND_PATH, OPT_AS_DB, NULL },
	{ NULL, KIND_TEXT, 0, NULL },
};
static const struct key all_keys[] = {
	{ "store", KIND_PATH, OPT_DB, NULL },
	{ "listen", KIND_TEXT, OPT_LISTEN, NULL },
	{ "sensors", KIND_SENSORS, 0, sensor_keys },
	{ "pcap", KIND_FILES, OPT_PCAP, NULL },
	{ "simulate", KIND_FLAG, OPT_SIMULATE, NULL },
	{ "seed", KIND_TEXT, OPT_SEED, NULL },
	{ "memory", KIND_TEXT, OPT_MEMORY, NULL },
	{ "shards", KIND_TEXT, OPT_SHARDS, NULL },
	{ "retention", KIND_GROUP, 0, retention_keys },
	{ "databases", KIND_GROUP, 0, database_keys },
	{ NULL, KIND_TEXT, 0, NULL },
};

/* ---- Reading ---- */
struct reading {
	const char *path;
	size_t folder; /* bytes of the path that name its folder */
	yaml_document_t document;
	struct said *said;
	struct analyze_options scratch;
	const struct config_tell *tell;
	const yaml_node_t *named[RUN_SENSORS_MAX]; /* where each sensor's name stands */
	unsigned errors;
	bool no_memory;
};

static void fault_at(struct reading *r, const yaml_mark_t *at, const char *code, const char *text)
{
	struct error e;
	error_set(&e, -EINVAL, code, "%.100s:%zu:%zu: %s", r->path, at->line + 1, at->column + 1, text);
	r->errors++;
	r->tell->error(r->tell->ctx, &e);
}

static void fault(struct reading *r, const yaml_node_t *node, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void fault(struct reading *r, const yaml_node_t *node, const char *code, const char *format, ...)
{
	char text[240];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	fault_at(r, &node->start_mark, code, text);
}

static const yaml_node_t *node_at(struct reading *r, int index) { return yaml_document_get_node(&r->document, index); }

/* A copy that stays; NULL: the file's fault was told, or memory's noted. */
static const char *keep(struct reading *r, const char *p, size_t n)
{
	const char *kept = kept_add(&r->said->kept, p, n);
	r->no_memory |= !kept;
	return kept;
}

/* The value's text; NULL: told why not. */
static const char *text_of(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE)
		fault(r, node, "MON-CLI-113", "'%s' wants %s", k->name, wanted[k->kind]);
	else if (!node->data.scalar.length && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		fault(r, node, "MON-CLI-113", "'%s' has no value: it wants %s", k->name, wanted[k->kind]);
	else if (memchr(node->data.scalar.value, 0, node->data.scalar.length))
		fault(r, node, "MON-CLI-113", "'%s' has a zero byte in its value", k->name);
	else
		return keep(r, (const char *)node->data.scalar.value, node->data.scalar.length);
	return NULL;
}

static bool is_good(struct reading *r, const struct key *k, const yaml_node_t *node, const char *value)
{
	struct error e;
	if (!session_check_value(&r->scratch, k->option, value, &e))
		return true;
	fault(r, node, e.code, "%s: %s", k->name, e.text);
	return false;
}

static void take_text(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	const char *value = text_of(r, k, node);
	if (value && is_good(r, k, node, value))
		said_set(r->said, k->option, value);
}

/* Below the file's folder; an empty path (no database) stays one. */
static const char *path_of(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	char whole[PATH_MAX];
	const char *value = text_of(r, k, node);
	if (!value || *value == '/' || !*value || !r->folder)
		return value;
	int n = snprintf(whole, sizeof whole, "%.*s%s", (int)r->folder, r->path, value);
	if (n < (int)sizeof whole)
		return keep(r, whole, (size_t)n);
	fault(r, node, "MON-CLI-113", "'%s' is too long a path", k->name);
	return NULL;
}

static void take_path(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	const char *value = path_of(r, k, node);
	if (value)
		said_set(r->said, k->option, value);
}

static void take_flag(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	const char *value = text_of(r, k, node);
	bool yes = value && (!strcmp(value, "true") || !strcmp(value, "yes"));
	if (yes)
		said_set(r->said, k->option, "");
	else if (value && strcmp(value, "false") && strcmp(value, "no"))
		fault(r, node, "MON-CLI-113", "'%s' wants %s, not '%.40s'", k->name, wanted[k->kind], value);
}

/* Calls `take` for each of a list, or for the one value that stands in place of a list. */
static void each_value(struct reading *r, const struct key *k, const yaml_node_t *node, void *ctx,
                       void (*take)(struct reading *r, const struct key *k, const yaml_node_t *node, void *ctx))
{
	if (node->type != YAML_SEQUENCE_NODE) {
		take(r, k, node, ctx);
		return;
	}
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
		take(r, k, node_at(r, *i), ctx);
}

static void take_file(struct reading *r, const struct key *k, const yaml_node_t *node, void *ctx)
{
	struct error e;
	const char *path = path_of(r, k, node);
	(void)ctx;
	if (path && said_add_file(r->said, path, &e))
		r->no_memory = true;
}

static void add_to_list(struct reading *r, const struct key *k, const yaml_node_t *node, struct text *list,
                        const char *value)
{
	if (!value || !is_good(r, k, node, value))
		return;
	if (list->n + strlen(value) > LIST_MOST) {
		fault(r, node, "MON-CLI-113", "'%s' has more than %d bytes in all", k->name, LIST_MOST);
		return;
	}
	text_puts(list, list->n ? "," : "");
	text_puts(list, value);
}

static void take_item(struct reading *r, const struct key *k, const yaml_node_t *node, void *ctx)
{
	add_to_list(r, k, node, ctx, text_of(r, k, node));
}

static void end_list(struct reading *r, const struct key *k, struct text *list)
{
	if (list->n && text_ok(list)) {
		const char *kept = keep(r, list->p, list->n);
		if (kept)
			said_set(r->said, k->option, kept);
	}
	r->no_memory |= list->failed;
	text_fini(list);
}

static void take_list(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	struct text list = { .env = env_system() };
	each_value(r, k, node, &list, take_item);
	end_list(r, k, &list);
}

/* CAPTURED: PUBLIC, as "CAPTURED=PUBLIC". */
static void take_pairs(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	struct text list = { .env = env_system() };
	if (node->type != YAML_MAPPING_NODE) {
		fault(r, node, "MON-CLI-113", "'%s' wants %s", k->name, wanted[k->kind]);
		return;
	}
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		char both[160];
		const char *captured = text_of(r, k, node_at(r, p->key)), *public = text_of(r, k, node_at(r, p->value));
		if (captured && public && snprintf(both, sizeof both, "%s=%s", captured, public) < (int)sizeof both)
			add_to_list(r, k, node_at(r, p->key), &list, both);
		else if (captured && public)
			fault(r, node_at(r, p->key), "MON-CLI-113", "'%s' wants %s", k->name, wanted[k->kind]);
	}
	end_list(r, k, &list);
}

/* Those of a group make one option together. */
static void take_days(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	char more[240];
	const char *value = text_of(r, k, node), *before = r->said->value[k->option];
	if (!value)
		return;
	snprintf(more, sizeof more, "%s=%.40s", k->name, value);
	if (!is_good(r, k, node, more))
		return;
	snprintf(more, sizeof more, "%s%s%s=%.40s", before ? before : "", before ? "," : "", k->name, value);
	said_set(r->said, k->option, keep(r, more, strlen(more)));
}

/* ---- Keys ---- */
/* How many letters must be put in, taken out or changed. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64];
	size_t n = strlen(b);
	if (n + 1 > sizeof row / sizeof *row || strlen(a) > 60)
		return UINT_MAX;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		unsigned corner = row[0];
		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < n; j++) {
			unsigned change = corner + (a[i] != b[j]), out = row[j + 1] + 1, in = row[j] + 1;
			corner = row[j + 1];
			row[j + 1] = change < out ? change : out;
			row[j + 1] = row[j + 1] < in ? row[j + 1] : in;
		}
	}
	return row[n];
}

static void fault_key(struct reading *r, const yaml_node_t *node, const char *name, const struct key *keys)
{
	const struct key *nearest = keys;
	char list[160] = "";
	for (const struct key *k = keys; k->name; k++) {
		nearest = distance(name, k->name) < distance(name, nearest->name) ? k : nearest;
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "", k->name);
	}
	if (distance(name, nearest->name) <= (strlen(name) + 1) / 2)
		fault(r, node, "MON-CLI-112", "there is no key '%.40s' here; is '%s' meant?", name, nearest->name);
	else
		fault(r, node, "MON-CLI-112", "there is no key '%.40s' here; there are %s", name, list);
}

static void take_group(struct reading *r, const struct key *keys, const yaml_node_t *node);
static void take_sensors(struct reading *r, const struct key *k, const yaml_node_t *node);

static void take_value(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	if (k->kind == KIND_GROUP && node->type != YAML_MAPPING_NODE)
		fault(r, node, "MON-CLI-113", "'%s' wants %s", k->name, wanted[k->kind]);
	if (k->option == OPT_SENSOR && r->said->n_sensors)
		r->named[r->said->n_sensors - 1] = node;
	switch (k->kind) {
	case KIND_TEXT: take_text(r, k, node); break;
	case KIND_PATH: take_path(r, k, node); break;
	case KIND_FLAG: take_flag(r, k, node); break;
	case KIND_LIST: take_list(r, k, node); break;
	case KIND_PAIRS: take_pairs(r, k, node); break;
	case KIND_FILES: each_value(r, k, node, NULL, take_file); break;
	case KIND_DAYS: take_days(r, k, node); break;
	case KIND_GROUP: take_group(r, k->keys, node); break;
	case KIND_SENSORS: take_sensors(r, k, node); break;
	}
}

/* The keys and values of a mapping; something else was told by whoever asked for it. */
static void take_group(struct reading *r, const struct key *keys, const yaml_node_t *node)
{
	bool seen[16] = { false };
	if (node->type != YAML_MAPPING_NODE)
		return;
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = node_at(r, p->key);
		const char *name = key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
		const struct key *k = keys;
		while (k->name && strcmp(k->name, name))
			k++;
		if (!k->name)
			fault_key(r, key, name, keys);
		else if (seen[k - keys])
			fault(r, key, "MON-CLI-114", "'%s' stands here a second time", name);
		else
			take_value(r, k, node_at(r, p->value));
		seen[k->name ? k - keys : 15] = true;
	}
}

/* ---- Sensors ---- */
static void check_names(struct reading *r)
{
	for (unsigned i = 0; i < r->said->n_sensors; i++) {
		const char *name = r->said->sensor[i][OPT_SENSOR];
		for (unsigned k = 0; k < i && name; k++)
			if (r->said->sensor[k][OPT_SENSOR] && !strcmp(r->said->sensor[k][OPT_SENSOR], name))
				fault(r, r->named[i], "MON-CLI-085", "two sensors have the name %.64s", name);
	}
}

static void take_sensors(struct reading *r, const struct key *k, const yaml_node_t *node)
{
	if (node->type != YAML_SEQUENCE_NODE) {
		fault(r, node, "MON-CLI-113", "'%s' wants %s", k->name, wanted[k->kind]);
		return;
	}
	yaml_node_item_t *first = node->data.sequence.items.start, *end = node->data.sequence.items.top;
	for (yaml_node_item_t *i = first; i < end; i++) {
		const yaml_node_t *sensor = node_at(r, *i);
		if (i - first == RUN_SENSORS_MAX) {
			fault(r, sensor, "MON-CLI-113", "'%s' has more than %d", k->name, RUN_SENSORS_MAX);
			return;
		}
		r->said->n_sensors++;
		if (sensor->type != YAML_MAPPING_NODE)
			fault(r, sensor, "MON-CLI-113", "a sensor is keys and their values: name, interface, monitored, …");
		else
			take_group(r, k->keys, sensor);
		const char *const *said = r->said->sensor[r->said->n_sensors - 1];
		bool named = said[OPT_SENSOR] || r->named[r->said->n_sensors - 1];
		if (sensor->type == YAML_MAPPING_NODE && !named && end - first > 1)
			fault(r, sensor, "MON-CLI-085", "of several sensors each wants a name");
		if (sensor->type == YAML_MAPPING_NODE && !said[OPT_INTERFACE] && end - first > 1)
			fault(r, sensor, "MON-CLI-086", "of several sensors each wants an interface");
	}
	check_names(r);
}

/* ---- The file ---- */
static void fault_yaml(struct reading *r, const yaml_parser_t *p)
{
	char text[200];
	const yaml_mark_t *at = p->error == YAML_READER_ERROR ? &p->mark : &p->problem_mark;
	snprintf(text, sizeof text, "this is not YAML: %s%s%s", p->problem ? p->problem : "no memory", p->context ? ", " : "",
	         p->context ? p->context : "");
	fault_at(r, at, "MON-CLI-111", text);
}

static void take_document(struct reading *r)
{
	const yaml_node_t *root = yaml_document_get_root_node(&r->document);
	if (root && root->type != YAML_MAPPING_NODE)
		fault(r, root, "MON-CLI-113", "a configuration is keys and their values: store, sensors, …");
	else if (root)
		take_group(r, all_keys, root);
}

static void parse(struct reading *r, const char *text, size_t n)
{
	yaml_parser_t parser;
	yaml_document_t second;
	if (!yaml_parser_initialize(&parser)) {
		r->no_memory = true;
		return;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	if (!yaml_parser_load(&parser, &r->document)) {
		fault_yaml(r, &parser);
	} else {
		take_document(r);
		yaml_document_delete(&r->document);
		if (!yaml_parser_load(&parser, &second)) {
			fault_yaml(r, &parser);
		} else {
			const yaml_node_t *more = yaml_document_get_root_node(&second);
			if (more)
				fault(r, more, "MON-CLI-111", "a second document begins here: a configuration is one");
			yaml_document_delete(&second);
		}
	}
	yaml_parser_delete(&parser);
}

static int read_text(const char *path, struct text *out, struct error *e)
{
	const struct env *env = env_system();
	char part[4096];
	struct stat st;
	int fd = env->open(env, path, O_RDONLY, 0);
	ssize_t n = fd < 0 ? fd : env->stat(env, fd, &st);
	if (!n && S_ISDIR(st.st_mode))
		n = -EISDIR;
	for (n = n ? n : 1; n > 0 && out->n <= FILE_MOST;) {
		n = env->read(env, fd, part, sizeof part);
		if (n > 0)
			text_add(out, part, (size_t)n);
		n = n == -EINTR ? 1 : n;
	}
	if (fd >= 0)
		env->close(env, fd);
	if (n < 0)
		return error_set(e, (int)n, "MON-CLI-110", "%.200s cannot be read: %s", path, strerror((int)-n));
	if (out->n > FILE_MOST)
		return error_set(e, -E2BIG, "MON-CLI-110", "%.200s has more than %u bytes", path, FILE_MOST);
	return out->failed ? error_no_memory(e, "reading the configuration") : 0;
}

unsigned config_read(const char *path, struct said *out, const struct config_tell *tell)
{
	struct reading r = { .path = path, .said = out, .tell = tell };
	struct text text = { .env = env_system() };
	struct error e;
	const char *slash = strrchr(path, '/');
	r.folder = slash ? (size_t)(slash - path) + 1 : 0;
	*out = (struct said){ .n_sensors = 0 };
	int rc = read_text(path, &text, &e);
	if (!rc && analyze_options_init(&r.scratch))
		rc = error_no_memory(&e, "reading the configuration");
	if (!rc) {
		parse(&r, text.p ? text.p : "", text.n);
		analyze_options_fini(&r.scratch);
		rc = r.no_memory ? error_no_memory(&e, "reading the configuration") : 0;
	}
	text_fini(&text);
	if (rc)
		tell->error(tell->ctx, &e);
	return r.errors + (rc != 0);
}
