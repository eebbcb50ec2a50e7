#include "daemon/verdict.h"

#include "classify/classify.h"

#include <string.h>

_Static_assert(STORE_KEYS == EVIDENCE_KEYS && PROBE_PROTOCOLS == 4, "a mark is an evidence");

#define MARKS_MOST 96 /* (protocol, rule) pairs of a day: at most 6 × 16 */

static struct evidence evidence_of(const struct store_mark *m)
{
	struct evidence v = { .rule = m->rule, .proto = m->proto, .ttl_min = m->ttl_min, .ttl_max = m->ttl_max,
		              .sport_min = m->sport_min, .sport_max = m->sport_max, .packets = m->packets,
		              .tuples = m->tuples, .n_keys = m->n_keys };
	memcpy(v.key, m->key, sizeof v.key);
	memcpy(v.key_packets, m->key_packets, sizeof v.key_packets);
	return v;
}

const char *verdict_tool(const struct store_mark *marks, size_t n, const uint64_t probes[static 4])
{
	struct evidence list[MARKS_MOST];
	n = n < MARKS_MOST ? n : MARKS_MOST;
	for (size_t i = 0; i < n; i++)
		list[i] = evidence_of(&marks[i]);
	return tool_name(tool_verdict(list, n, probes));
}
