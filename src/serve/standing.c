/* What the pages ask for as they open (web/src): always there, from before anybody has come. A view that is asked for
 * otherwise is waited for the first time only. tests/browser/observatory.mjs opens the pages and finds that nothing is
 * missing. */
#include "serve/answers.h"
#include "serve/server.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Those of all pages first, then in the order of the pages' head. */
static const char *const targets[] = {
	"/v1/status",
	"/v1/sensors?from=-24h",
	"/v1/rate?step=span&from=-24h",
	/* Now */
	"/v1/rate?step=span&from=-8d&to=-7d",
	"/v1/rate?step=span&from=-48h&to=-24h",
	"/v1/ports?from=-24h&limit=8",
	"/v1/rate?step=10min&from=-48h",
	"/v1/rate?step=day&from=-56d",
	"/v1/countries?from=-24h&limit=60",
	"/v1/networks?from=-24h&limit=4",
	"/v1/tools?from=-24h",
	"/v1/attacks?verdict=attack&from=-10m",
	"/v1/onsets?outcome=under_watch&from=-24h",
	"/v1/attack-counts?from=-24h",
	"/v1/sensitivity?from=-24h",
	/* Trend */
	"/v1/classes?step=hour&from=-7d",
	"/v1/rate?step=hour&from=-7d",
	"/v1/rate?step=hour&from=-14d&to=-7d",
	/* Ports */
	"/v1/ports?from=-24h&limit=50",
	"/v1/heat?step=hour&from=-24h",
	"/v1/rate?step=hour&from=-24h",
	/* Sources, Networks */
	"/v1/sources?from=-24h&limit=50",
	"/v1/networks?from=-24h&limit=25",
	"/v1/countries?from=-24h&limit=300",
	/* Attacks */
	"/v1/rate?step=10min&from=-24h",
	"/v1/replies?step=10min&from=-24h",
	"/v1/attacks?from=-24h&verdict=attack&limit=25",
	"/v1/attack-steps?step=10min&from=-24h&verdict=attack",
	"/v1/attack-ranks?by=country&from=-24h&verdict=attack&limit=8",
	"/v1/attack-ranks?by=network&from=-24h&verdict=attack&limit=8",
	"/v1/attack-ranks?by=port&from=-24h&verdict=attack&limit=8",
	/* Infections */
	"/v1/infections?from=-24h&limit=8",
	"/v1/infections?of=country&from=-24h&limit=8",
	"/v1/infections?of=network&from=-24h&limit=8",
	"/v1/infections/steps?step=10min&from=-24h",
	"/v1/infections/growth?step=10min&from=-24h",
	"/v1/infections/sources?from=-24h&limit=25",
	/* Sensors, About */
	"/v1/coverage?from=-24h",
	"/v1/about",
};
#define TARGETS (sizeof targets / sizeof *targets)
const unsigned n_standing = TARGETS;

static int take_arguments(struct values *v, const char *query, struct error *e)
{
	int rc = 0;
	while (*query && !rc) {
		char name[VALUE_MOST], value[VALUE_MOST];
		size_t n = strcspn(query, "&"), equals = strcspn(query, "=");
		snprintf(name, sizeof name, "%.*s", (int)equals, query);
		snprintf(value, sizeof value, "%.*s", (int)(n - equals - 1), query + equals + 1);
		rc = values_take(v, name, value, e);
		query += n + (query[n] == '&');
	}
	return rc;
}

/* One of the table that the program has no resource for is a bug. */
int standing_values(unsigned i, int64_t as_of, struct values *v, struct error *e)
{
	struct part parts[RESOURCE_PARTS];
	unsigned n_parts;
	char path[64];
	size_t n = strcspn(targets[i], "?");
	snprintf(path, sizeof path, "%.*s", (int)n, targets[i]);
	const struct resource *x = resources_find(path, parts, &n_parts);
	assert(x && x->query && !n_parts);
	values_begin(v, x);
	int rc = take_arguments(v, targets[i] + n + (targets[i][n] == '?'), e);
	return rc ? rc : values_end(v, as_of, e);
}
