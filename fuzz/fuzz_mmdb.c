/* Links: enrich */
/* Any bytes as a MaxMind DB: opened or refused, and when opened every address has an answer or none, within the file.
 *
 * Input: a database. Addresses are looked up at both ends of the address space and where bytes of the file say. */
#include "enrich/mmdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct mmdb_field fields[] = { { { "country", "iso_code" } }, { { "country_code" } },
                                            { { "autonomous_system_number" } }, { { "autonomous_system_organization" } } };
#define N_FIELDS (sizeof fields / sizeof *fields)

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "mmdb: %s\n", what);
	abort();
}

/* Reads all of a text, so that the sanitizer sees where it lies. */
static unsigned sum(struct span text)
{
	unsigned all = 0;
	for (size_t i = 0; i < text.n; i++)
		all += text.p[i];
	return all;
}

static unsigned answers(const struct mmdb *m, uint32_t record)
{
	unsigned all = 0;
	for (size_t i = 0; record != MMDB_NONE && i < N_FIELDS; i++) {
		struct mmdb_value v;
		if (!mmdb_find(m, record, &fields[i], &v))
			continue;
		struct span text = mmdb_string(m, &v);
		require(!text.n || text.n == v.size, "a text is as long as it says");
		all += sum(text) + (unsigned)mmdb_number(m, &v);
	}
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mmdb m;
	struct error e;
	struct span file = { p, n };
	if (mmdb_open(&m, file, fields, N_FIELDS, &e))
		return 0;
	require(mmdb_is(file), "what opens looks like one");
	uint8_t address[16] = { 0 };
	unsigned all = answers(&m, mmdb_lookup4(&m, 0)) + answers(&m, mmdb_lookup4(&m, UINT32_MAX));
	for (size_t at = 0; at + sizeof address <= n && at < 64 * sizeof address; at += sizeof address) {
		uint32_t v4;
		memcpy(&v4, p + at, sizeof v4);
		memcpy(address, p + at, sizeof address);
		require(mmdb_lookup4(&m, v4) == mmdb_lookup4(&m, v4), "an answer stays the same");
		all += answers(&m, mmdb_lookup4(&m, v4)) + answers(&m, mmdb_lookup6(&m, address));
	}
	memset(address, 255, sizeof address);
	all += answers(&m, mmdb_lookup6(&m, address));
	return all == UINT32_MAX ? -1 : 0; /* so that it is computed */
}
