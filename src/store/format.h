/* Results as text: a table for people, CSV, JSON. Private to this folder. */
#pragma once
#include "store/reader.h"

/* Output in large pieces; the first failure stays. */
struct output {
	const struct env *env;
	int fd;
	int rc;
	bool written; /* something has left */
	size_t n;
	char buffer[1 << 16];
};
void output_add(struct output *o, const char *p, size_t n);
int output_flush(struct output *o, struct error *e) MUST_USE;

#define FORMAT_MARK "simulated" /* the last column of what is marked */
#define TABLE_SAMPLE 500 /* rows that a table's widths are made of */

struct format {
	struct output out;
	enum store_format format;
	unsigned width;              /* columns there are on the screen; 0: any number */
	bool marked;                 /* each row says that its packets are made up (CSV, JSON) */
	const struct query_columns *columns;
	uint64_t rows;
	struct text sample;          /* of a table: the first cells, each with a zero behind */
	size_t sampled;              /* rows in it */
	unsigned *widths;            /* n_widths, one a column */
	size_t n_widths;
	bool widths_known;
};

struct format *format_open(const struct env *env, enum store_format format, unsigned width, int fd, struct error *e);
void format_close(struct format *f);
struct query_sink format_sink(struct format *f);
