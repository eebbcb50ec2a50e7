/* The one table of the API: its resources and their parameters. Routes, checks of parameters, the OpenAPI document and
 * the tests of both come from it. Private to this folder. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
	VALUE_MOMENT,  /* moments.h */
	VALUE_NUMBER,  /* least … most */
	VALUE_CHOICE,  /* one of the words of `choices` */
	VALUE_WORD,    /* of the letters, digits and . _ - : up to 64 */
	VALUE_COUNTRY, /* two letters */
	VALUE_ADDRESS, /* IPv4 or IPv6 */
	VALUE_TEXT,    /* what a person types, up to 100 bytes of UTF-8 without control characters */
	VALUE_CURSOR,  /* where a list goes on (values.h) */
};

struct parameter {
	const char *name;
	enum value_kind kind;
	const char *what;
	const char *choices;   /* words with spaces between */
	uint64_t least, most;
	const char *usual;     /* what stands where it is not given; NULL: nothing does */
	bool in_path, needed;
};

enum shape {
	SHAPE_LIST,   /* an envelope with rows, a page at a time; also as CSV and JSON lines */
	SHAPE_SERIES, /* the same of whole: a row for each step */
	SHAPE_ONE,    /* one object, or 404 */
	SHAPE_OTHER,  /* the server's own */
};

struct request;

#define RESOURCE_SCHEMAS "*"
#define RESOURCE_PARAMETERS 12
struct resource {
	const char *path;  /* "/v1/ports/{protocol}/{port}" */
	const char *query; /* named query; RESOURCE_SCHEMAS: how the rows of all look; NULL: none */
	enum shape shape;
	const char *what;  /* what GET does; NULL: it has none */
	const struct parameter *parameter[RESOURCE_PARAMETERS + 1]; /* NULL after the last; those of the path first */
	int (*answer)(struct request *r); /* of SHAPE_OTHER, and of what is not only the query's answer */
	const char *post;                 /* what its POST does; NULL: it has none */
	const char *schema;               /* JSON Schema of the server's own answer */
	const char *type;                 /* of an answer that is not JSON */
	unsigned days;                    /* that its span has at most: of longer ones the end; 0: any */
};

/* The type of what shows monitored addresses: for analysts, where all other answers are for everybody. */
#define RESOURCE_PACKETS "application/x-pcapng"

extern const char schema_of_status[], schema_of_about[], schema_of_live[];
extern const struct resource resources[];
extern const size_t n_resources;

/* The resource that a path belongs to, and what stands for its parts in braces: spans of `path`. NULL: none. */
struct part {
	const char *p;
	size_t n;
};
#define RESOURCE_PARTS 2
const struct resource *resources_find(const char *path, struct part parts[static RESOURCE_PARTS], unsigned *n_parts);
