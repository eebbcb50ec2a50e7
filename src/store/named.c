/* Named queries: the catalogue, and what the first lines of each say. */
#include "store/client.h"
#include "store/embedded.h"

#include <stdio.h>
#include <string.h>

const struct store_named *store_named_list(size_t *n)
{
	*n = embedded_n_queries;
	return embedded_queries;
}

const struct store_named *store_named_find(const char *name)
{
	for (size_t i = 0; i < embedded_n_queries; i++)
		if (!strcmp(embedded_queries[i].name, name))
			return &embedded_queries[i];
	return NULL;
}

bool store_named_looks(const char *text)
{
	return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

/* Copies what stands in from[0..n) and fits. */
static void copy(char *out, size_t room, const char *from, size_t n)
{
	snprintf(out, room, "%.*s", (int)(n < room ? n : room - 1), from);
}

/* "NAME: what", or for parameters "NAME [DEFAULT]: what". */
static void read_entry(const char *line, size_t n, struct store_head *out)
{
	size_t name = strcspn(line, " :");
	const char *colon = memchr(line, ':', n);
	const char *open = memchr(line, '[', n);
	copy(out->name, sizeof out->name, line, name < n ? name : n);
	if (open && colon && open < colon) {
		size_t length = strcspn(open + 1, "]");
		out->has_default = true;
		out->is_null = length == 0;
		copy(out->value, sizeof out->value, open + 1, length);
		colon = memchr(open + 1 + length, ':', n - (size_t)(open + 1 + length - line));
	}
	if (colon)
		copy(out->what, sizeof out->what, colon + 2, n - (size_t)(colon + 2 - line));
}

bool store_named_head(const char **cursor, struct store_head *out)
{
	const char *line = *cursor;
	if (strncmp(line, "-- ", 3))
		return false;
	size_t n = strcspn(line, "\n");
	*cursor = line + n + (line[n] == '\n');
	*out = (struct store_head){ .kind = STORE_HEAD_TITLE };
	if (!strncmp(line, "-- param ", 9)) {
		out->kind = STORE_HEAD_PARAM;
		read_entry(line + 9, n - 9, out);
	} else if (!strncmp(line, "-- column ", 10)) {
		out->kind = STORE_HEAD_COLUMN;
		read_entry(line + 10, n - 10, out);
	} else {
		copy(out->what, sizeof out->what, line + 3, n - 3);
	}
	return true;
}
