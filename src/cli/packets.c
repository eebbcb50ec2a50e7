/* monomi packets: the packets behind a row, read again from the segments that they came in. */
#include "cli/analyze.h"
#include "cli/options.h"
#include "daemon/extract.h"
#include "store/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MINUTE_NS INT64_C(60000000000)
#define TOLD_MOST 3 /* segments that are complained about one by one */
#define WORDS_MOST 16

enum { OPT_DB = 1, OPT_SENSOR, OPT_MINUTE, OPT_FROM, OPT_TO, OPT_SOURCE, OPT_PROTOCOL, OPT_PORT, OPT_TYPE, OPT_CLASS,
       OPT_LIMIT, OPT_OUT, OPT_HELP };

static const struct cli_option options[] = {
	{ "db", "PATH", OPT_DB, "the store's folder" },
	{ "sensor", "NAME", OPT_SENSOR, "of this sensor" },
	{ "minute", "TIME", OPT_MINUTE, "in this UTC minute, as 2026-11-24T05:28" },
	{ "from", "TIME", OPT_FROM, "from this moment on, as 2026-11-24 or 2026-11-24T05:28:01.5" },
	{ "to", "TIME", OPT_TO, "before this moment" },
	{ "source", "ADDRESS", OPT_SOURCE, "from this source" },
	{ "protocol", "NAME", OPT_PROTOCOL, "of this IP protocol: tcp, udp, icmp … or a number" },
	{ "port", "N", OPT_PORT, "to this port (TCP, UDP, SCTP)" },
	{ "type", "TYPE[/CODE]", OPT_TYPE, "of this type (ICMP, ICMPv6)" },
	{ "class", "NAME", OPT_CLASS, "of this class: backscatter, p2p, scan, payload …" },
	{ "limit", "N", OPT_LIMIT, "so many at the most" },
	{ "out", "FILE", OPT_OUT, "where they go: pcapng, or pcap by the name's end (default: standard output)" },
	{ "help", NULL, OPT_HELP, "this" },
};

struct packets_options {
	const char *db, *sensor, *out;
	struct extract_filter filter;
};

/* "2026-11-24", "2026-11-24T05:28", "2026-11-24 05:28:01.25Z": UTC. */
static int parse_moment(const char *text, int64_t *out, struct error *e)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	int64_t ns = 0;
	if (end && (*end == 'T' || *end == ' '))
		end = strptime(end + 1, "%H:%M", &tm);
	if (end && *end == ':')
		end = strptime(end + 1, "%S", &tm);
	if (end && *end == '.') {
		int64_t unit = 100000000;
		for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
			ns += (*end - '0') * unit;
	}
	if (end && *end == 'Z')
		end++;
	int64_t seconds = end ? timegm(&tm) : 0;
	if (!end || *end || seconds > INT64_MAX / 1000000000 - 1 || seconds < INT64_MIN / 1000000000 + 1)
		return error_set(e, -EINVAL, "MON-CLI-040", "'%.60s' is no moment; say 2026-11-24T05:28:01", text);
	*out = seconds * 1000000000 + ns;
	return 0;
}

static int parse_minute(const char *text, struct extract_filter *f, struct error *e)
{
	int rc = parse_moment(text, &f->from, e);
	if (!rc && f->from % MINUTE_NS)
		rc = error_set(e, -EINVAL, "MON-CLI-040", "'%.60s' is no whole minute", text);
	f->to = f->from + MINUTE_NS;
	return rc;
}

static int parse_number(const char *text, long most, int *out, struct error *e)
{
	char *end;
	long n = strtol(text, &end, 10);
	if (end == text || *end || n < 0 || n > most)
		return error_set(e, -EINVAL, "MON-CLI-041", "'%.40s' is no number from 0 to %ld", text, most);
	*out = (int)n;
	return 0;
}

static int parse_type(const char *text, struct extract_filter *f, struct error *e)
{
	char type[8];
	size_t n = strcspn(text, "/");
	snprintf(type, sizeof type, "%.*s", (int)(n < sizeof type ? n : sizeof type), text);
	int rc = parse_number(type, 255, &f->type, e);
	return rc || !text[n] ? rc : parse_number(text + n + 1, 255, &f->code, e);
}

static int parse_source(const char *text, struct extract_filter *f, struct error *e)
{
	struct prefix p;
	int rc = prefix_parse(text, &p, e);
	if (!rc && p.bits != (p.version == 4 ? 32 : 128))
		rc = error_set(e, -EINVAL, "MON-CLI-042", "'%.60s' is a prefix; say one address", text);
	f->source = p.net;
	f->has_source = true;
	return rc;
}

static int parse_limit(const char *text, uint64_t *out, struct error *e)
{
	char *end;
	*out = strtoull(text, &end, 10);
	return end != text && !*end && *text != '-' && *out ? 0 :
	       error_set(e, -EINVAL, "MON-CLI-041", "'%.40s' is no number of packets", text);
}

static int parse_name(const char *text, int (*find)(const char *), int *out, struct error *e)
{
	*out = find(text);
	return *out >= 0 ? 0 : error_set(e, -EINVAL, "MON-CLI-043", "there is no protocol or class '%.40s'", text);
}

static int take_option(void *ctx, int id, const char *value, struct error *e)
{
	struct packets_options *o = ctx;
	struct extract_filter *f = &o->filter;
	switch (id) {
	case OPT_DB: o->db = value; return 0;
	case OPT_SENSOR: o->sensor = value; return 0;
	case OPT_OUT: o->out = value; return 0;
	case OPT_MINUTE: return parse_minute(value, f, e);
	case OPT_FROM: return parse_moment(value, &f->from, e);
	case OPT_TO: return parse_moment(value, &f->to, e);
	case OPT_SOURCE: return parse_source(value, f, e);
	case OPT_PROTOCOL: return parse_name(value, extract_protocol, &f->protocol, e);
	case OPT_PORT: return parse_number(value, 65535, &f->port, e);
	case OPT_TYPE: return parse_type(value, f, e);
	case OPT_CLASS: return parse_name(value, extract_class, &f->class, e);
	default: return parse_limit(value, &f->limit, e);
	}
}

static const struct cli_options command_line = { options, sizeof options / sizeof *options,
	                                         "Exit codes: 0 done; 1 failed; 2 usage.", take_option };

/* ---- Segments ---- */
struct session {
	const struct packets_options *options;
	struct extract extract;
	unsigned lost;   /* segments that could not be read */
};

/* The options that a segment was added with, as they are kept: "--monitored=… --filter=… ". */
static int parse_kept(char *kept, struct analyze_options *out, struct error *e)
{
	static const struct command self = { .name = "analyze" };
	char *argv[WORDS_MOST + 2] = { "analyze" };
	int argc = 1;
	for (char *p = kept; *p && argc < WORDS_MOST;) {
		char *end = strstr(p + 1, " --");
		argv[argc++] = p;
		p = end ? end + 1 : p + strlen(p);
		if (end)
			*end = 0;
		else if (p[-1] == ' ')
			p[-1] = 0;
	}
	argv[argc++] = "-";
	if (!analyze_options_parse(&self, argc, argv, out))
		return 0;
	analyze_options_fini(out);
	return error_set(e, -EINVAL, "MON-CLI-044", "the options that a segment was added with cannot be read");
}

static int read_segment(struct session *s, const struct extract_segment *segment, char *kept, struct error *e)
{
	struct analyze_options analyze;
	int rc = parse_kept(kept, &analyze, e);
	if (rc)
		return rc;
	rc = extract_from(&s->extract, segment, &analyze.config, e);
	analyze_options_fini(&analyze);
	return rc;
}

/* A row of segments: name, path, options. A segment that is gone is told, and the others are read all the same. */
static int take_segment(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct session *s = ctx;
	char path[4096], name[40], kept[ROW_OPTIONS_MAX];
	(void)n;
	if (s->extract.packets >= s->extract.filter.limit)
		return 0;
	snprintf(name, sizeof name, "%.*s", (int)cells[0].n, cells[0].text);
	snprintf(path, sizeof path, "%s%s%.*s", *cells[1].text == '/' ? "" : s->options->db, *cells[1].text == '/' ? "" : "/",
	         (int)cells[1].n, cells[1].text);
	snprintf(kept, sizeof kept, "%.*s", (int)cells[2].n, cells[2].text ? cells[2].text : "");
	const struct extract_segment segment = { .path = path, .name = name };
	int rc = read_segment(s, &segment, kept, e);
	if (rc != -ESTALE)
		return rc;
	if (s->lost++ < TOLD_MOST)
		cli_complain(e, NULL);
	return 0;
}

/* Segments that reach the times asked for. */
#define CHOSEN "FROM rest.segments WHERE state = 'stored' AND from_ns < $to::BIGINT AND to_ns >= $from::BIGINT " \
	"AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)"

static int each_segment(struct session *s, struct store_reader *reader, const char *sql, store_row_fn row, void *ctx,
                        struct error *e)
{
	const struct extract_filter *f = &s->extract.filter;
	char from[24], to[24];
	snprintf(from, sizeof from, "%" PRId64, f->from);
	snprintf(to, sizeof to, "%" PRId64, f->to);
	const struct store_param params[] = { { "from", from }, { "to", to }, { "sensor", s->options->sensor } };
	return store_reader_rows(reader, sql, params, 3, row, ctx, e);
}

/* Packets that are made up stay marked. */
static int take_simulated(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct capture_write_config *config = ctx;
	(void)cells;
	(void)n;
	(void)e;
	config->simulated = true;
	return 0;
}

static int write_packets(struct session *s, struct store_reader *reader, struct error *e)
{
	struct capture_write_config config = { .application = "monomi" };
	struct error closing;
	capture_write_by_name(&config, s->options->out);
	int rc = each_segment(s, reader, "SELECT 1 " CHOSEN " AND simulated = 1 LIMIT 1", take_simulated, &config, e);
	if (!rc)
		rc = capture_writer_open(&s->extract.writer, s->extract.env, s->options->out, &config, e);
	if (!rc)
		rc = each_segment(s, reader, "SELECT segment, path, options " CHOSEN " ORDER BY from_ns, segment", take_segment, s,
		                  e);
	if (capture_writer_close(s->extract.writer, rc != 0, &closing) && !rc) {
		rc = -EIO;
		*e = closing;
	}
	return rc;
}

static int run(const struct packets_options *o)
{
	struct session s = { .options = o, .extract = { .env = env_system(), .filter = o->filter } };
	const struct store_limits limits = { .memory = (size_t)256 << 20, .threads = 1 };
	struct store_reader *reader = NULL;
	struct error e;
	int rc = store_reader_open(&reader, s.extract.env, o->db, &limits, NULL, NULL, NULL, 0, &e);
	if (!rc)
		rc = write_packets(&s, reader, &e);
	if (rc)
		cli_complain(&e, NULL);
	else if (s.lost > TOLD_MOST)
		fprintf(stderr, "monomi: %u more segments cannot be read\n", s.lost - TOLD_MOST);
	store_reader_close(reader);
	return rc || s.lost ? EXIT_FAILED : EXIT_DONE;
}

int cli_packets(const struct command *self, int argc, char **argv)
{
	struct packets_options o = { .out = "-", .filter = { .from = INT64_MIN, .to = INT64_MAX, .protocol = -1, .port = -1,
	                                                     .type = -1, .code = -1, .class = -1, .limit = UINT64_MAX } };
	int first = cli_options_parse(self, &command_line, argc, argv, &o);
	if (first < 0)
		return -first - 1;
	if (!o.db)
		return cli_usage(self, "MON-CLI-030", "no --db PATH given");
	if (first != argc)
		return cli_usage(self, "MON-CLI-036", "packets takes options alone");
	if (!strcmp(o.out, "-") && isatty(STDOUT_FILENO))
		return cli_usage(self, "MON-CLI-045", "packets are no text for a terminal: --out FILE, or a pipe");
	return run(&o);
}
