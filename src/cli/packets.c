/* monomi packets: the packets behind a row, read again from the segments that they came in. */
#include "cli/analyze.h"
#include "cli/options.h"
#include "daemon/extract.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MINUTE_NS INT64_C(60000000000)
#define TOLD_MOST 3 /* segments that are complained about one by one */

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

/* The first of what cannot be read are told one by one. */
static void tell_lost(void *ctx, const struct error *e)
{
	unsigned *told = ctx;
	if ((*told)++ < TOLD_MOST)
		cli_complain(e, NULL);
}

static int run(const struct packets_options *o)
{
	unsigned told = 0;
	const struct extract_request request = { .db = o->db, .sensor = o->sensor, .out = o->out, .filter = o->filter,
		                                 .options = analyze_options_kept, .lost = tell_lost, .ctx = &told };
	struct extract_told found;
	struct error e;
	int rc = extract_store(env_system(), &request, &found, &e);
	if (rc)
		cli_complain(&e, NULL);
	else if (found.lost > TOLD_MOST)
		fprintf(stderr, "monomi: %u more segments cannot be read\n", found.lost - TOLD_MOST);
	return rc || found.lost ? EXIT_FAILED : EXIT_DONE;
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
