#include "cli/cli.h"

#include <duckdb.h>
#include <jansson.h>
#include <yaml.h>
#include <openssl/crypto.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>
#if MONOMI_LZ4
#include <lz4.h>
#endif
#if MONOMI_XZ
#include <lzma.h>
#endif

/* Only SCHEMA_VERSION is wanted of the list of columns. */
#define TABLE(...)
#define KEY(...)
#define COL(...)
#define END(...)
#include "model/tables.def"

static const char *lz4_version(void)
{
#if MONOMI_LZ4
	return LZ4_versionString();
#else
	return "not built in";
#endif
}

static const char *xz_version(void)
{
#if MONOMI_XZ
	return lzma_version_string();
#else
	return "not built in";
#endif
}

/* The libraries as loaded, which may be newer than those that were there at the build. */
static void print_libraries(void)
{
	unsigned xxhash = XXH_versionNumber();
	printf("zstd %s\n", ZSTD_versionString());
	printf("zlib %s\n", zlibVersion());
	printf("lz4 %s\n", lz4_version());
	printf("xz %s\n", xz_version());
	printf("libpcap %s\n", pcap_lib_version() + strcspn(pcap_lib_version(), "0123456789"));
	printf("jansson %s\n", jansson_version_str());
	printf("libyaml %s\n", yaml_get_version_string());
	printf("duckdb %s\n", duckdb_library_version() + (*duckdb_library_version() == 'v'));
	printf("xxhash %u.%u.%u\n", xxhash / 10000, xxhash / 100 % 100, xxhash % 100);
	printf("openssl %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
}

int cli_version(const struct command *self, int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		printf("usage: monomi %s\n\n%s, one a line: NAME VERSION.\n", self->name, self->summary);
		return 0;
	}
	if (argc > 1) {
		fprintf(stderr, "monomi: MON-CLI-006: version takes no '%s'\n", argv[1]);
		return 2;
	}
	printf("monomi %s\nschema %d\n", MONOMI_VERSION, SCHEMA_VERSION);
	print_libraries();
	return 0;
}
