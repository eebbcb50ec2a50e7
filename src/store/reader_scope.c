/* What of views.sql a named query comes to: the rest is not made, nor are files looked at that only it reads. A store of a
 * year has thousands of them. */
#include "store/embedded.h"
#include "store/reader.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_letter(char c) { return isalnum((unsigned char)c) || c == '_'; }

bool scope_mentions(const struct text *t, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = t->p; at && (at = strstr(at, name)); at++)
		if ((at == t->p || !is_letter(at[-1])) && !is_letter(at[n]))
			return true;
	return false;
}

/* A statement of views.sql; what it makes is named without its schema and quotes. */
struct statement {
	const char *text;
	size_t n; /* with its semicolon */
	char name[40];
	bool needed;
};

#define STATEMENTS_MOST 128

static void read_name(struct statement *s)
{
	static const char *const makes[] = { "CREATE VIEW ", "CREATE MACRO " };
	for (size_t i = 0; i < sizeof makes / sizeof *makes; i++) {
		if (strncmp(s->text, makes[i], strlen(makes[i])))
			continue;
		const char *name = s->text + strlen(makes[i]);
		size_t n = strcspn(name, " (");
		const char *dot = memchr(name, '.', n);
		size_t skip = dot ? (size_t)(dot + 1 - name) : name[0] == '"';
		snprintf(s->name, sizeof s->name, "%.*s", (int)(n - skip), name + skip);
		s->name[strcspn(s->name, "\"")] = 0;
	}
}

static size_t read_statements(struct statement *out)
{
	size_t n = 0;
	for (const char *line = embedded_views; *line && n < STATEMENTS_MOST;) {
		if (strncmp(line, "CREATE ", 7)) {
			line += strcspn(line, "\n");
			line += *line == '\n';
			continue;
		}
		const char *end = strstr(line, ";\n");
		size_t length = end ? (size_t)(end + 2 - line) : strlen(line);
		out[n] = (struct statement){ .text = line, .n = length };
		read_name(&out[n++]);
		line += length;
	}
	return n;
}

/* A query without its head, whose words are no names. */
static void add_query(struct text *t, const char *query)
{
	for (const char *line = query; *line;) {
		size_t n = strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n');
		if (strncmp(line, "--", 2))
			text_add(t, line, n);
		line += n;
	}
}

/* Views come after what they are made of: from the last to the first, each is needed that a needed one names. */
void scope_make(const char *const *queries, struct text *words, struct text *sql)
{
	struct statement s[STATEMENTS_MOST];
	size_t n = read_statements(s);
	for (; *queries; queries++)
		add_query(words, *queries);
	for (size_t i = n; i-- > 0;) {
		s[i].needed = scope_mentions(words, s[i].name);
		if (s[i].needed)
			text_add(words, s[i].text, s[i].n);
	}
	text_puts(sql, "SELECT 1;");
	for (size_t i = 0; i < n; i++)
		if (s[i].needed)
			text_add(sql, s[i].text, s[i].n);
}
