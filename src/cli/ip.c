/* monomi ip: what a store knows of an address. */
#include "cli/options.h"
#include "daemon/verdict.h"
#include "enrich/enrich.h"
#include "store/client.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define QUERY_ROOM 8192
#define PORTS_TEXT 20 /* told in text; JSON has them all */

enum { OPT_DB = 1, OPT_FORMAT, OPT_COUNTRY_DB, OPT_AS_DB, OPT_HELP };

static const struct cli_option options[] = {
	{ "db", "PATH", OPT_DB, "the store's folder" },
	{ "format", "text|json", OPT_FORMAT, "form of the answer; JSON: an object a line (default: text; of -: JSON)" },
	{ "country-db", "FILE", OPT_COUNTRY_DB, "database of countries (default: see `monomi doctor`)" },
	{ "as-db", "FILE", OPT_AS_DB, "database of autonomous systems (likewise)" },
	{ "help", NULL, OPT_HELP, "this" },
};

struct ip_options {
	const char *db;
	bool json;
	struct enrich_options databases;
};

struct session {
	const struct env *env;
	const struct ip_options *options;
	struct store_reader *reader;
	struct enrich *enrich;
};

static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	struct ip_options *o = ctx;
	switch (id) {
	case OPT_DB: o->db = value; return 0;
	case OPT_COUNTRY_DB: o->databases.path[ENRICH_COUNTRY] = value; return 0;
	case OPT_AS_DB: o->databases.path[ENRICH_AS] = value; return 0;
	default:
		o->json = !strcmp(value, "json");
		return o->json || !strcmp(value, "text") ? 0 :
		       error_set(e, -EINVAL, "MON-CLI-046", "--format is text or json, not '%.40s'", value);
	}
}

static const struct cli_options command_line = { options, sizeof options / sizeof *options,
	                                         "Exit codes: 0 done; 1 failed; 2 usage.", take_option };

static int parse_address(const char *text, struct addr *out, struct error *e)
{
	struct prefix p;
	int rc = prefix_parse(text, &p, e);
	if (!rc && p.bits != (p.version == 4 ? 32 : 128))
		rc = error_set(e, -EINVAL, "MON-CLI-042", "'%.60s' is a prefix; say one address", text);
	*out = p.net;
	return rc;
}

/* ---- From the store ---- */
/* The only cell of the only row, as JSON. */
static int take_json(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	json_t **out = ctx;
	(void)n;
	json_decref(*out);
	*out = cells[0].text ? json_loadb(cells[0].text, cells[0].n, 0, NULL) : json_null();
	return *out ? 0 : error_no_memory(e, "reading what the store says");
}

/* The row of the query `source`, as an object. */
static int ask(struct session *s, const char *address, json_t **out, struct error *e)
{
	char sql[QUERY_ROOM];
	const struct store_param param = { "source", address };
	int n = snprintf(sql, sizeof sql, "SELECT to_json(q)::VARCHAR FROM (\n%s\n) AS q", store_named_find("source")->text);
	if (n < 0 || (size_t)n >= sizeof sql)
		return error_set(e, -E2BIG, "MON-CLI-047", "the query 'source' is longer than this command reads");
	return store_reader_rows(s->reader, sql, &param, 1, take_json, out, e);
}

/* "2026-11-24 05:28:00" as RFC 3339. */
static void set_moment(json_t *o, const char *key, const json_t *row)
{
	const char *said = json_string_value(json_object_get(row, key));
	char text[48];
	snprintf(text, sizeof text, "%sZ", said ? said : "");
	text[strcspn(text, " ")] = 'T';
	json_object_set_new(o, key, said ? json_string(text) : json_null());
}

static void set_copy(json_t *o, const char *key, const json_t *row, const char *from)
{
	json_t *v = json_object_get(row, from);
	json_object_set(o, key, v ? v : json_null());
}

static void set_list(json_t *o, const char *key, const json_t *row, const char *from)
{
	json_t *v = json_object_get(row, from);
	json_object_set_new(o, key, json_is_array(v) ? json_incref(v) : json_array());
}

static void set_tool(json_t *o, const json_t *row, bool seen)
{
	const json_t *tools = json_object_get(row, "tools");
	size_t n = json_array_size(tools);
	const char *tool = n == 0 ? "unknown" : n == 1 ? json_string_value(json_array_get(tools, 0)) : "mixed";
	json_object_set_new(o, "tool", seen ? json_string(tool) : json_null());
	set_list(o, "tools", row, "tools");
	set_list(o, "evidence", row, "rules");
}

static void set_place(const struct session *s, json_t *o, const struct addr *a)
{
	struct enrich_answer answer;
	char name[ENRICH_NAME];
	enrich_lookup(s->enrich, a, 1, &answer);
	json_object_set_new(o, "country", answer.country[0] ? json_stringn(answer.country, 2) : json_null());
	json_object_set_new(o, "as_number", answer.as_number ? json_integer(answer.as_number) : json_null());
	enrich_as_name(s->enrich, &answer, name);
	json_object_set_new(o, "as_name", *name ? json_string(name) : json_null());
}

static json_t *object_of(const struct session *s, const struct addr *a, const json_t *row)
{
	char text[ADDR_TEXT];
	json_t *o = json_object();
	bool seen = json_integer_value(json_object_get(row, "packets")) > 0;
	json_object_set_new(o, "address", json_string(addr_format(a, text)));
	json_object_set_new(o, "seen", json_boolean(seen));
	set_moment(o, "first", row);
	set_moment(o, "last", row);
	set_copy(o, "days", row, "days");
	set_copy(o, "sensors_seen", row, "sensors");
	set_copy(o, "packets", row, "packets");
	set_copy(o, "accesses", row, "accesses");
	set_list(o, "classes", row, "classes");
	set_tool(o, row, seen);
	json_object_set(o, "forgeable", seen ? json_object_get(row, "forgeable") : json_null());
	set_place(s, o, a);
	set_list(o, "ports", row, "ports");
	return o;
}

static int look_up(struct session *s, const char *text, json_t **out, struct error *e)
{
	struct addr a;
	char address[ADDR_TEXT];
	json_t *row = NULL;
	int rc = parse_address(text, &a, e);
	if (rc)
		return rc;
	addr_format(&a, address);
	rc = ask(s, address, &row, e);
	if (!rc)
		*out = object_of(s, &a, row);
	json_decref(row);
	return rc;
}

/* ---- As text ---- */
static const char *string_of(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : otherwise;
}

static void print_list(const char *title, const json_t *list)
{
	printf("  %-10s", title);
	for (size_t i = 0; i < json_array_size(list); i++)
		printf("%s%s", i ? ", " : " ", json_string_value(json_array_get(list, i)));
	puts(json_array_size(list) ? "" : " none");
}

static long long number_of(const json_t *o, const char *key) { return json_integer_value(json_object_get(o, key)); }

static void print_ports(const json_t *ports)
{
	size_t n = json_array_size(ports);
	for (size_t i = 0; i < n && i < PORTS_TEXT; i++) {
		const json_t *p = json_array_get(ports, i);
		const json_t *port = json_object_get(p, "port"), *type = json_object_get(p, "icmp_type");
		char name[40] = "";
		if (json_is_integer(port))
			snprintf(name, sizeof name, "%lld", (long long)json_integer_value(port));
		else if (json_is_integer(type))
			snprintf(name, sizeof name, "type %lld", (long long)json_integer_value(type));
		printf("  %-10s %-8s %-8s %-16s %12lld\n", i ? "" : "ports", string_of(p, "protocol", ""), name,
		       string_of(p, "class", ""), number_of(p, "packets"));
	}
	if (n > PORTS_TEXT)
		printf("  %-10s and %zu more: --format json, or `monomi query ports-of-source`\n", "", n - PORTS_TEXT);
}

static void print_text(const json_t *o)
{
	long long as = number_of(o, "as_number");
	printf("%s\n", string_of(o, "address", ""));
	printf("  %-10s %s", "where", string_of(o, "country", "country unknown"));
	if (as)
		printf(", AS%lld %s", as, string_of(o, "as_name", ""));
	puts("");
	if (!json_is_true(json_object_get(o, "seen"))) {
		puts("  never seen");
		return;
	}
	long long days = number_of(o, "days"), sensors = number_of(o, "sensors_seen");
	printf("  %-10s %s to %s, on %lld day%s at %lld sensor%s\n", "seen", string_of(o, "first", ""),
	       string_of(o, "last", ""), days, days == 1 ? "" : "s", sensors, sensors == 1 ? "" : "s");
	printf("  %-10s %lld, of which %lld ask for something\n", "packets", number_of(o, "packets"), number_of(o, "accesses"));
	print_list("class", json_object_get(o, "classes"));
	printf("  %-10s %s\n", "tool", string_of(o, "tool", ""));
	print_list("evidence", json_object_get(o, "evidence"));
	printf("  %-10s %s\n", "forgeable", json_is_true(json_object_get(o, "forgeable")) ?
	       "yes: nothing shows that it was this address that sent" : "no: it completed a handshake");
	print_ports(json_object_get(o, "ports"));
}

static int print(const json_t *o, bool json)
{
	if (json && (json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER) || puts("") < 0))
		return EXIT_FAILED;
	if (!json)
		print_text(o);
	return EXIT_DONE;
}

/* What the licences of the databases ask for. */
static void print_credits(const struct session *s, const json_t *o)
{
	static const char *const key[ENRICH_KINDS] = { [ENRICH_COUNTRY] = "country", [ENRICH_AS] = "as_number" };
	for (unsigned k = 0; k < ENRICH_KINDS; k++) {
		const struct enrich_database *d = enrich_database(s->enrich, (enum enrich_kind)k);
		if (d && d->credit && !json_is_null(json_object_get(o, key[k])))
			printf("  %s\n", d->credit);
	}
}

/* ---- Running it ---- */
static int one(struct session *s, const char *text)
{
	struct error e;
	json_t *o = NULL;
	if (look_up(s, text, &o, &e)) {
		cli_complain(&e, NULL);
		return EXIT_FAILED;
	}
	int status = print(o, s->options->json);
	if (!s->options->json)
		print_credits(s, o);
	json_decref(o);
	return status;
}

/* One line, one object; of a line that is no address its error. */
static int many(struct session *s)
{
	char line[256];
	int status = EXIT_DONE;
	while (fgets(line, sizeof line, stdin)) {
		struct error e;
		json_t *o = NULL;
		char sentence[CLI_SENTENCE];
		line[strcspn(line, " \t\r\n")] = 0;
		if (!*line)
			continue;
		if (look_up(s, line, &o, &e)) {
			status = EXIT_FAILED;
			o = json_object();
			json_object_set_new(o, "address", json_string(line));
			json_object_set_new(o, "error", json_string(cli_sentence(&e, sentence)));
		}
		if (print(o, true))
			status = EXIT_FAILED;
		json_decref(o);
	}
	return status;
}

/* Of one address only the days are opened on which it was seen; what is no address is said later. */
static int open_store(struct session *s, const char *address, struct error *e)
{
	const struct store_limits limits = { .memory = (size_t)512 << 20, .threads = cli_cpus() };
	struct addr a;
	struct error none;
	char text[ADDR_TEXT];
	bool one = strcmp(address, "-") && !parse_address(address, &a, &none);
	const struct store_param about = { "source", one ? addr_format(&a, text) : NULL };
	return store_reader_open(&s->reader, s->env, s->options->db, &limits, verdict_tool, "source", &about, one, e);
}

static int run(const struct ip_options *o, const char *address)
{
	struct session s = { .env = env_system(), .options = o };
	struct error e;
	bool simulated;
	int rc = enrich_open(s.env, &o->databases, &s.enrich, &e), status = EXIT_FAILED;
	if (!rc)
		rc = open_store(&s, address, &e);
	if (rc)
		cli_complain(&e, NULL);
	else
		status = strcmp(address, "-") ? one(&s, address) : many(&s);
	if (!rc && !store_reader_simulated(s.reader, &simulated, &e) && simulated)
		cli_say_simulated();
	if (s.reader)
		store_reader_close(s.reader);
	if (s.enrich)
		enrich_close(s.enrich);
	return status;
}

int cli_ip(const struct command *self, int argc, char **argv)
{
	struct ip_options o = { 0 };
	struct addr a;
	struct error e;
	int first = cli_options_parse(self, &command_line, argc, argv, &o);
	if (first < 0)
		return -first - 1;
	if (!o.db)
		return cli_usage(self, "MON-CLI-030", "no --db PATH given");
	if (argc - first != 1)
		return cli_usage(self, "MON-CLI-036", "ip wants one ADDRESS, or - for standard input");
	if (strcmp(argv[first], "-") && parse_address(argv[first], &a, &e))
		return cli_usage(self, e.code, "%s", e.text);
	return run(&o, argv[first]);
}
