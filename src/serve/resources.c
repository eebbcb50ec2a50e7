#include "serve/resources.h"
#include "serve/answers.h"

#include <string.h>

/* ---- Parameters ---- */
#define P(id, ...) static const struct parameter id = { __VA_ARGS__ }
P(from, .name = "from", .kind = VALUE_MOMENT, .usual = "-24h",
  .what = "first moment: RFC 3339, a date, or as -24h or -28d before `as_of`");
P(to, .name = "to", .kind = VALUE_MOMENT, .what = "moment that it ends before; without it `as_of`");
P(sensor, .name = "sensor", .kind = VALUE_WORD, .what = "of this sensor alone");
P(limit, .name = "limit", .kind = VALUE_NUMBER, .least = 1, .most = 1000, .usual = "100", .what = "rows at most");
P(cursor, .name = "cursor", .kind = VALUE_CURSOR, .what = "`next` of the page before");
P(format, .name = "format", .kind = VALUE_CHOICE, .choices = "json csv jsonl", .usual = "json",
  .what = "csv and jsonl are the rows alone, as a file");
P(step, .name = "step", .kind = VALUE_CHOICE, .choices = "minute 10min hour day span", .usual = "hour",
  .what = "what a row is about; span: one row for all of it");
P(step_only, .name = "step", .kind = VALUE_CHOICE, .choices = "minute 10min hour day", .usual = "hour",
  .what = "what a row is about");
P(step_long, .name = "step", .kind = VALUE_CHOICE, .choices = "hour day", .usual = "hour", .what = "what a row is about");
P(hours, .name = "hours", .kind = VALUE_NUMBER, .most = 14, .usual = "0",
  .what = "hours east of UTC where years begin: 9 in Japan");
P(country, .name = "country", .kind = VALUE_COUNTRY, .what = "two letters: of sources in this country alone");
P(as, .name = "as", .kind = VALUE_NUMBER, .most = UINT32_MAX, .what = "of sources in this autonomous system alone");
P(tool, .name = "tool", .kind = VALUE_WORD, .what = "of sources that this tool was seen at alone");
P(port, .name = "port", .kind = VALUE_NUMBER, .most = 65535, .what = "destination port");
P(protocol, .name = "protocol", .kind = VALUE_CHOICE, .choices = "tcp udp sctp", .what = "of the port");
P(in_port, .name = "port", .kind = VALUE_NUMBER, .most = 65535, .what = "destination port", .in_path = true);
P(in_protocol, .name = "protocol", .kind = VALUE_CHOICE, .choices = "tcp udp sctp", .what = "of the port", .in_path = true);
P(address, .in_path = true, .name = "address", .kind = VALUE_ADDRESS, .what = "IPv4 or IPv6");
P(source, .name = "source", .kind = VALUE_ADDRESS, .what = "from this source");
P(any_protocol, .name = "protocol", .kind = VALUE_CHOICE, .choices = "tcp udp sctp icmp icmpv6",
  .what = "of this protocol");
P(outcome, .name = "outcome", .kind = VALUE_CHOICE, .choices = "under_watch confirmed contradicted silent",
  .what = "of onsets that came to this alone");
P(few, .name = "few", .kind = VALUE_CHOICE, .choices = "no yes", .usual = "no",
  .what = "yes: those too that 16 monitored addresses or fewer saw");
P(packets, .name = "limit", .kind = VALUE_NUMBER, .least = 1, .most = 100000, .usual = "10000", .what = "packets at most");
P(by, .name = "by", .kind = VALUE_CHOICE, .choices = "country network port", .usual = "country", .what = "what is ranked");
#define VERDICTS "attack scan reflection undecided"
P(verdict, .name = "verdict", .kind = VALUE_CHOICE, .choices = VERDICTS, .what = "with this verdict alone");
P(only_verdict, .name = "verdict", .kind = VALUE_CHOICE, .choices = VERDICTS, .usual = "attack",
  .what = "with this verdict");
P(of_country, .name = "country", .kind = VALUE_COUNTRY, .what = "two letters: on victims in this country alone");
P(of_as, .name = "as", .kind = VALUE_NUMBER, .most = UINT32_MAX, .what = "on victims in this autonomous system alone");
P(of_protocol, .name = "protocol", .kind = VALUE_CHOICE, .choices = "tcp udp sctp icmp icmpv6",
  .what = "attacked protocol, of what was replied for most");
P(of_port, .name = "port", .kind = VALUE_NUMBER, .most = 65535, .what = "attacked port, likewise");
P(bots_of, .name = "of", .kind = VALUE_CHOICE, .choices = "family country network", .usual = "family",
  .what = "what is counted");
P(family, .name = "family", .kind = VALUE_CHOICE, .choices = "mirai hajime", .what = "that behave like this family alone");
P(grade, .name = "grade", .kind = VALUE_CHOICE, .choices = "B C", .what = "of this grade alone");
P(q, .needed = true, .name = "q", .kind = VALUE_TEXT, .what = "an address, a prefix, a port, or a part of a name");

#define SPAN &from, &to
#define PAGE &limit, &cursor, &format
#define OF_ATTACKS &of_country, &of_as, &of_protocol, &of_port
#define OF_BOTS &family, &grade, &country, &as, &sensor
#define A_PORT &in_protocol, &in_port
#define ONE_PORT "/v1/ports/{protocol}/{port}"

#define TOOL_DAYS 7 /* evidence is looked at packet by packet, nearly */
#define BOT_DAYS 31 /* so are rows with marks of bots */
#define PACKET_DAYS 1
#define OPENMETRICS "application/openmetrics-text"

const struct resource resources[] = {
	{ "/v1/status", "status", SHAPE_ONE, "What there is, and whether it is up to date",
	  { NULL }, answer_status, NULL, schema_of_status, NULL, 0 },
	{ "/v1/rate", "rate-steps", SHAPE_SERIES, "Accesses per monitored address per day, over the time that was observed",
	  { SPAN, &step, &sensor, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/years", "figure-2-19", SHAPE_SERIES, "The same by year",
	  { &hours, &sensor, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/years/bands", "figure-2-20", SHAPE_SERIES, "The same by year and band of destination ports",
	  { &hours, &sensor, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/classes", "class-steps", SHAPE_SERIES, "Packets by class",
	  { SPAN, &step_only, &sensor, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/ports", "port-ranks", SHAPE_LIST, "Ports by accesses, beside the span before",
	  { SPAN, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ ONE_PORT, "port-one", SHAPE_ONE, "One port, beside the span before",
	  { A_PORT, SPAN, &sensor }, NULL, NULL, NULL, NULL, 0 },
	{ ONE_PORT "/history", "port-steps", SHAPE_SERIES, "One port by step",
	  { A_PORT, SPAN, &step_only, &sensor, &format }, NULL, NULL, NULL, NULL, 0 },
	{ ONE_PORT "/countries", "country-ranks", SHAPE_LIST, "Countries that ask for one port",
	  { A_PORT, SPAN, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ ONE_PORT "/networks", "network-ranks", SHAPE_LIST, "Autonomous systems that ask for one port",
	  { A_PORT, SPAN, &country, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ ONE_PORT "/tools", "tool-ranks", SHAPE_SERIES, "Scanning tools of the sources that sent to one port",
	  { A_PORT, SPAN, &sensor, &format }, NULL, NULL, NULL, NULL, TOOL_DAYS },
	{ ONE_PORT "/sources", "source-ranks", SHAPE_LIST, "Sources that sent most to one port",
	  { A_PORT, SPAN, &country, &as, &tool, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/heat", "heat", SHAPE_SERIES, "The 20 ports with most accesses, by step",
	  { SPAN, &step_long, &sensor, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/sources", "source-ranks", SHAPE_LIST, "Sources that sent most",
	  { SPAN, &country, &as, &tool, &protocol, &port, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/ip", "ip", SHAPE_SERIES, NULL, { NULL }, NULL, "What is known of many addresses as sources",
	  NULL, NULL, 0 },
	{ "/v1/ip/{address}", "ip", SHAPE_ONE, "What is known of an address as a source",
	  { &address }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/ip/{address}/history", "ip-steps", SHAPE_SERIES, "What one source sent, by step",
	  { &address, SPAN, &step_only, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/countries", "country-ranks", SHAPE_LIST, "Countries by accesses, beside the span before",
	  { SPAN, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/networks", "network-ranks", SHAPE_LIST, "Autonomous systems by accesses, beside the span before",
	  { SPAN, &country, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/tools", "tool-ranks", SHAPE_SERIES, "Scanning tools by the sources they were seen at",
	  { SPAN, &sensor, &format }, NULL, NULL, NULL, NULL, TOOL_DAYS },
	{ "/v1/victims", "victim-ranks", SHAPE_LIST, "Who replied to packets with forged sources: floods by victim and port",
	  { SPAN, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attacks/corsaro2", "rsdos-corsaro2", SHAPE_SERIES, "Attacks by corsaro 2's definition",
	  { SPAN, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attacks/corsaro3", "rsdos-corsaro3", SHAPE_SERIES, "Attacks by corsaro 3's definition",
	  { SPAN, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/replies", "reply-steps", SHAPE_SERIES, "Replies to packets with forged sources, by step and kind",
	  { SPAN, &step_only, &sensor, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attacks", "attacks", SHAPE_LIST, "Attacks on others, by the replies that they sent here",
	  { SPAN, &verdict, OF_ATTACKS, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attacks/{address}", "attack", SHAPE_SERIES, "Attacks on one victim, the latest first",
	  { &address, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attacks/{address}/vectors", "attack-vectors", SHAPE_SERIES, "What was attacked at one victim, by attack",
	  { &address, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attacks/{address}/history", "reply-steps", SHAPE_SERIES, "Replies of one victim by step and kind",
	  { &address, SPAN, &step_only, &sensor, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attacks/{address}/onsets", "onsets", SHAPE_LIST, "Onsets at one victim",
	  { &address, SPAN, &outcome, &few, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attack-counts", "attack-counts", SHAPE_SERIES, "How many attacks there are by each definition and verdict",
	  { SPAN, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attack-steps", "attack-steps", SHAPE_SERIES, "Attacks under way, by step and verdict",
	  { SPAN, &step_only, &verdict, OF_ATTACKS, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/attack-ranks", "attack-ranks", SHAPE_LIST, "Countries, networks or ports attacked most",
	  { &by, SPAN, &only_verdict, OF_ATTACKS, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/onsets", "onsets", SHAPE_LIST, "Attacks that have just begun, after a handful of replies",
	  { SPAN, &outcome, OF_ATTACKS, &few, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/infections", "infections", SHAPE_LIST, "Source addresses that behave like bots, beside the span before",
	  { &bots_of, SPAN, OF_BOTS, PAGE }, NULL, NULL, NULL, NULL, BOT_DAYS },
	{ "/v1/infections/families", "infection-families", SHAPE_SERIES, "Families of bots that are told apart, and by what",
	  { &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/infections/steps", "infection-steps", SHAPE_SERIES, "The same addresses by step, family and grade",
	  { SPAN, &step_only, OF_BOTS, &format }, NULL, NULL, NULL, NULL, BOT_DAYS },
	{ "/v1/infections/growth", "infection-growth", SHAPE_SERIES, "Whether they become more",
	  { SPAN, &step_only, OF_BOTS, &format }, NULL, NULL, NULL, NULL, BOT_DAYS },
	{ "/v1/infections/sources", "infected", SHAPE_LIST, "Each of these addresses",
	  { SPAN, OF_BOTS, PAGE }, NULL, NULL, NULL, NULL, BOT_DAYS },
	{ "/v1/sensitivity", "sensitivity", SHAPE_SERIES, "Floods that these sensors can see",
	  { SPAN, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/sensors", "sensor-list", SHAPE_SERIES, "Sensors", { SPAN, &format }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/coverage", "coverage-ranges", SHAPE_LIST, "What sensors observed",
	  { SPAN, &sensor, PAGE }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/search", "search", SHAPE_SERIES, "What a text may mean", { &q, SPAN }, NULL, NULL, NULL, NULL, 0 },
	{ "/v1/packets", NULL, SHAPE_OTHER, "The packets behind a row; `source` or `port` is wanted. Shows monitored addresses",
	  { SPAN, &sensor, &source, &any_protocol, &port, &packets }, answer_packets, NULL, NULL, RESOURCE_PACKETS,
	  PACKET_DAYS },
	{ "/v1/about", "sensor-names", SHAPE_SERIES, "The program, its databases, its sensors",
	  { NULL }, answer_about, NULL, schema_of_about, NULL, 0 },
	{ "/v1/live", NULL, SHAPE_OTHER, "The last live counters: provisional, of the last minutes",
	  { NULL }, answer_live, NULL, schema_of_live, NULL, 0 },
	{ "/v1/stream", NULL, SHAPE_OTHER, "Server-sent events: `live` once a second, `commit` when there are new rows",
	  { NULL }, answer_stream, NULL, NULL, "text/event-stream", 0 },
	{ "/openapi.json", RESOURCE_SCHEMAS, SHAPE_SERIES, "This",
	  { NULL }, answer_openapi, NULL, "{\"type\":\"object\"}", NULL, 0 },
	{ "/metrics", NULL, SHAPE_OTHER, "How the program is", { NULL }, answer_metrics, NULL, NULL, OPENMETRICS, 0 },
	{ "/healthz", NULL, SHAPE_OTHER, "Whether all of it answers: 200 and ok, else 503 and why",
	  { NULL }, answer_health, NULL, NULL, "text/plain", 0 },
};
const size_t n_resources = sizeof resources / sizeof *resources;

/* Up to the next slash. */
static size_t segment(const char *p) { return strcspn(p, "/"); }

static bool matches(const char *pattern, const char *path, struct part parts[static RESOURCE_PARTS], unsigned *n_parts)
{
	*n_parts = 0;
	for (;;) {
		size_t n = segment(path), wanted = segment(pattern);
		if (*pattern == '{' && n) {
			parts[(*n_parts)++] = (struct part){ path, n };
		} else if (n != wanted || memcmp(path, pattern, n) != 0) {
			return false;
		}
		path += n;
		pattern += wanted;
		if (!*path || !*pattern)
			return *path == *pattern;
		path++;
		pattern++;
	}
}

const struct resource *resources_find(const char *path, struct part parts[static RESOURCE_PARTS], unsigned *n_parts)
{
	for (size_t i = 0; i < n_resources; i++)
		if (matches(resources[i].path, path, parts, n_parts))
			return &resources[i];
	return NULL;
}
