/* A summary for a person at a terminal: the answer first, then what it rests on. */
#include "cli/analyze.h"

#include "base/moment.h"

#include <stdio.h>
#include <string.h>

#define GROUPED 32

/* 1234567 as "1,234,567". */
static char *grouped(uint64_t n, char out[static GROUPED])
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
	char *p = out;
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = 0;
	return out;
}

static void row(const char *name, uint64_t n, uint64_t whole)
{
	char text[GROUPED];
	printf("  %-18s %15s", name, grouped(n, text));
	if (whole)
		printf("  %5.1f %%", 100 * (double)n / (double)whole);
	putchar('\n');
}

static void row_if(const char *name, uint64_t n, uint64_t whole)
{
	if (n)
		row(name, n, whole);
}

static void print_answer(const char *file, const struct summary *s)
{
	char packets[GROUPED], sources[GROUPED], accesses[GROUPED];
	printf("%s: %s packets from %s sources; %s of them ask for something.\n", file ? file : "all files",
	       grouped(s->packets, packets), grouped(s->sources, sources), grouped(s->accesses, accesses));
}

static void print_times(const struct summary *s)
{
	char from[MOMENT_TEXT], to[MOMENT_TEXT];
	if (!s->packets)
		return;
	printf("  %s to %s", moment_format(s->min, from), moment_format(s->max, to));
	printf(" (%.1f s)\n", (double)(s->max - s->min) / 1e9);
	if (s->first != s->min || s->last != s->max)
		printf("  not in order of time: the first packet is of %s, the last of %s\n",
		       moment_format(s->first, from), moment_format(s->last, to));
}

static void print_links(const char *file, const struct summary *s)
{
	if (!s->n_links)
		return;
	printf("  link types:");
	for (uint8_t i = 0; i < s->n_links; i++) {
		char scratch[24];
		printf(" %s", capture_link_name(s->links[i], scratch));
	}
	if (file && s->capture.format)
		printf(" (%s%s%s)", s->capture.format, strcmp(s->capture.compression, "none") ? ", " : "",
		       strcmp(s->capture.compression, "none") ? s->capture.compression : "");
	putchar('\n');
}

static void print_layers(const struct summary *s)
{
	puts("\noutermost IP layer");
	row("IPv4", s->ipv4, s->packets);
	row("IPv6", s->ipv6, s->packets);
	row_if("no IP", s->non_ip, s->packets);
	row("TCP", s->tcp, s->packets);
	row("UDP", s->udp, s->packets);
	row_if("ICMP", s->icmp, s->packets);
	row_if("ICMPv6", s->icmpv6, s->packets);
	row_if("other", s->other_ip, s->packets);
	row_if("SYN", s->syn, s->packets);
	row_if("SYN-ACK", s->synack, s->packets);
	row_if("RST", s->rst, s->packets);
	row_if("fragments", s->fragments, s->packets);
	row_if("cut short", s->truncated, s->packets);
	row_if("wrong checksum", s->bad_checksums, s->packets);
}

static void print_reasons(const uint64_t *n, enum verdict_reason from, enum verdict_reason to)
{
	for (enum verdict_reason r = from; r <= to; r++) {
		char name[40];
		snprintf(name, sizeof name, "- %s", reason_name(r));
		row_if(name, n[r], 0);
	}
}

static void print_classes(const struct summary *s)
{
	puts("\nclass");
	for (int c = CLASS_BACKSCATTER; c < CLASS_COUNT; c++)
		row_if(class_name((enum packet_class)c), s->classes[c], s->packets);
	row_if("left out", s->classes[CLASS_IGNORED], s->packets);
	print_reasons(s->ignored, REASON_OUTGOING, REASON_NOT_MONITORED);
	row_if("undecoded", s->classes[CLASS_UNDECODED], s->packets);
	print_reasons(s->undecoded, REASON_SHORT, REASON_UNSUPPORTED);
}

static void print_tools(const struct summary *s)
{
	uint64_t all = 0;
	for (int t = 0; t < TOOL_COUNT; t++)
		all += s->tool_packets[t];
	if (!all)
		return;
	puts("\ntool (packets of its sources)");
	for (int t = TOOL_UNKNOWN + 1; t < TOOL_COUNT; t++)
		row_if(tool_name((enum tool)t), s->tool_packets[t], all);
	row_if("unknown", s->tool_packets[TOOL_UNKNOWN], all);
}

#define SHOWN 48 /* characters of a sample */

static void print_payloads(const struct track_top *top)
{
	if (top->n)
		puts("\ncarried (first bytes; * is where the destination stood)");
	for (uint32_t i = 0; i < top->n; i++) {
		const struct track_payload *p = &top->payload[i];
		char name[40], packets[GROUPED], text[SHOWN + 1];
		uint32_t n = p->n < SHOWN ? p->n : SHOWN;
		for (uint32_t j = 0; j < n; j++)
			text[j] = p->sample[j] >= 0x20 && p->sample[j] < 0x7f ? (char)p->sample[j] : '.';
		text[n] = 0;
		snprintf(name, sizeof name, "%u/%s", p->port, p->protocol == PROTO_TCP ? "tcp" : "udp");
		printf("  %-18s %15s  %s\n", name, grouped(p->packets, packets), text);
	}
}

static void print_rows(const struct summary *s)
{
	char digest[DIGEST_TEXT];
	puts("\nrows");
	row("flow", s->flows, 0);
	printf("  %-18s %s\n", "flow digest", digest_format(&s->flow_digest, digest));
	row("attempts", s->attempts, 0);
	row_if("flow payloads", s->flow_payloads, 0);
	row_if("victim seconds", s->victim_seconds, 0);
	row_if("source evidence", s->evidence, 0);
	row_if("late minutes", s->late_minutes, 0);
	row_if("spills", s->spills, 0);
}

void summary_print_text(const char *file, const struct summary *s, const struct error *error)
{
	print_answer(file, s);
	if (s->capture.simulated)
		puts("  SIMULATED: these packets are made up, nobody sent them");
	print_times(s);
	print_links(file, s);
	bool refused = s->stored && !strcmp(s->stored, "refused");
	if (error && s->packets && !refused)
		puts("  damaged: the numbers are of what came before the damage");
	if (s->stored && !strcmp(s->stored, "known"))
		puts("  already in the store: nothing was added");
	else if (refused)
		puts("  not in the store: too late");
	if (s->packets) {
		print_layers(s);
		print_classes(s);
		print_tools(s);
		print_payloads(&s->payloads);
		print_rows(s);
	}
	putchar('\n');
}
