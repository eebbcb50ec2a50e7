/* A summary as one line of JSON: an interface (docs/formats/summary.md), so names and meanings stay. */
#include "cli/analyze.h"

#include "base/moment.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_count(json_t *o, const char *name, uint64_t n)
{
	json_object_set_new(o, name, json_integer((json_int_t)n));
}

static void set_moment(json_t *o, const char *name, const struct summary *s, int64_t ns)
{
	char text[MOMENT_TEXT];
	json_object_set_new(o, name, s->packets ? json_string(moment_format(ns, text)) : json_null());
}

static void set_digest(json_t *o, const char *name, const struct digest *d)
{
	char text[DIGEST_TEXT];
	json_object_set_new(o, name, json_string(digest_format(d, text)));
}

/* A path is bytes; JSON is text: what is no UTF-8 becomes U+FFFD. */
static json_t *path_string(const char *path)
{
	json_t *s = json_string(path);
	if (s)
		return s;
	char clean[3 * 4096 + 1];
	size_t n = 0;
	for (const char *p = path; *p && n + 4 < sizeof clean; p++) {
		if ((unsigned char)*p < 0x80)
			clean[n++] = *p;
		else
			n += (size_t)snprintf(clean + n, sizeof clean - n, "\xef\xbf\xbd");
	}
	clean[n] = 0;
	return json_string(clean);
}

static json_t *links_of(const struct summary *s)
{
	json_t *links = json_array();
	for (uint8_t i = 0; i < s->n_links; i++) {
		char scratch[24];
		json_array_append_new(links, json_string(capture_link_name(s->links[i], scratch)));
	}
	return links;
}

static void set_capture(json_t *o, const char *file, const struct summary *s)
{
	if (!file || !s->capture.format)
		return;
	char segment[33];
	for (int i = 0; i < 16; i++)
		snprintf(segment + 2 * i, 3, "%02x", s->segment[i]);
	json_object_set_new(o, "format", json_string(s->capture.format));
	json_object_set_new(o, "compression", json_string(s->capture.compression));
	json_object_set_new(o, "segment", json_string(segment));
	set_count(o, "snap_lies", s->capture.snap_lies);
	set_count(o, "clamped_times", s->capture.clamped_times);
}

static json_t *reasons_of(const uint64_t *n, enum verdict_reason from, enum verdict_reason to)
{
	json_t *o = json_object();
	for (enum verdict_reason r = from; r <= to; r++)
		set_count(o, reason_name(r), n[r]);
	return o;
}

static json_t *classes_of(const struct summary *s)
{
	json_t *o = json_object();
	json_object_set_new(o, class_name(CLASS_IGNORED), reasons_of(s->ignored, REASON_OUTGOING, REASON_NOT_MONITORED));
	json_object_set_new(o, class_name(CLASS_UNDECODED), reasons_of(s->undecoded, REASON_SHORT, REASON_UNSUPPORTED));
	for (int c = CLASS_BACKSCATTER; c < CLASS_COUNT; c++)
		set_count(o, class_name((enum packet_class)c), s->classes[c]);
	return o;
}

static json_t *tools_of(const uint64_t *n)
{
	json_t *o = json_object();
	for (int t = 0; t < TOOL_COUNT; t++)
		if (n[t])
			set_count(o, tool_name((enum tool)t), n[t]);
	return o;
}

static void set_layers(json_t *o, const struct summary *s)
{
	set_count(o, "ipv4", s->ipv4);
	set_count(o, "ipv6", s->ipv6);
	set_count(o, "non_ip", s->non_ip);
	set_count(o, "tcp", s->tcp);
	set_count(o, "udp", s->udp);
	set_count(o, "icmp", s->icmp);
	set_count(o, "icmpv6", s->icmpv6);
	set_count(o, "other_ip", s->other_ip);
	set_count(o, "fragments", s->fragments);
	set_count(o, "sources", s->sources);
	set_count(o, "syn", s->syn);
	set_count(o, "synack", s->synack);
	set_count(o, "rst", s->rst);
	set_count(o, "truncated", s->truncated);
	set_count(o, "bad_checksums", s->bad_checksums);
}

static void set_verdicts(json_t *o, const struct summary *s)
{
	set_count(o, "accesses", s->accesses);
	set_count(o, "attempts", s->attempts);
	set_count(o, "udp_unsure", s->udp_unsure);
	set_count(o, "quote_mismatches", s->quote_mismatches);
	set_count(o, "cannot_tell", s->cannot_tell);
	json_object_set_new(o, "classes", classes_of(s));
	json_object_set_new(o, "tools", tools_of(s->tool_packets));
	json_object_set_new(o, "tool_sources", tools_of(s->tool_sources));
}

static json_t *hex(const uint8_t *bytes, size_t n)
{
	char text[2 * 256 + 1];
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	text[2 * n] = 0;
	return json_string(text);
}

static json_t *payloads_of(const struct track_top *top)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < top->n; i++) {
		const struct track_payload *p = &top->payload[i];
		json_t *o = json_object();
		set_count(o, "packets", p->packets);
		set_count(o, "protocol", p->protocol);
		set_count(o, "port", p->port);
		json_object_set_new(o, "content", hex(p->content.bytes, sizeof p->content.bytes));
		json_object_set_new(o, "sample", hex(p->sample, p->n));
		json_array_append_new(list, o);
	}
	return list;
}

static void set_rows(json_t *o, const struct summary *s)
{
	set_count(o, "flows", s->flows);
	set_digest(o, "flow_digest", &s->flow_digest);
	set_count(o, "flow_payloads", s->flow_payloads);
	set_digest(o, "flow_payload_digest", &s->payload_digest);
	json_object_set_new(o, "payloads", payloads_of(&s->payloads));
	set_count(o, "payloads_left_out", s->payloads.left_out);
	set_count(o, "victim_seconds", s->victim_seconds);
	set_digest(o, "victim_second_digest", &s->victim_digest);
	set_count(o, "source_evidence", s->evidence);
	set_digest(o, "source_evidence_digest", &s->evidence_digest);
	set_count(o, "late_minutes", s->late_minutes);
	set_count(o, "spills", s->spills);
}

static json_t *object_of(const char *file, const struct summary *s, const struct error *error)
{
	char sentence[CLI_SENTENCE];
	json_t *o = json_object();
	json_object_set_new(o, "file", file ? path_string(file) : json_null());
	json_object_set_new(o, "simulated", json_boolean(s->capture.simulated));
	set_count(o, "packets", s->packets);
	set_count(o, "bytes", s->bytes);
	json_object_set_new(o, "link_types", links_of(s));
	set_moment(o, "first", s, s->first);
	set_moment(o, "last", s, s->last);
	set_moment(o, "min", s, s->min);
	set_moment(o, "max", s, s->max);
	set_layers(o, s);
	set_verdicts(o, s);
	set_rows(o, s);
	set_capture(o, file, s);
	if (s->stored)
		json_object_set_new(o, "stored", json_string(s->stored));
	json_object_set_new(o, "error", error ? path_string(cli_sentence(error, sentence)) : json_null());
	return o;
}

static int write_all(const struct env *env, int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t put = env->write(env, fd, p, n);
		if (put == -EINTR)
			continue;
		if (put <= 0)
			return put ? (int)put : -ENOSPC;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

int summary_write_json(const struct env *env, int fd, const char *file, const struct summary *s,
                       const struct error *error)
{
	json_t *o = object_of(file, s, error);
	char *line = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!line)
		return -ENOMEM;
	size_t n = strlen(line);
	line[n] = '\n'; /* over the final zero: one write, so that a reader of a pipe never sees half a line */
	int rc = write_all(env, fd, line, n + 1);
	free(line);
	return rc;
}
