/* From the files that a snapshot names to the views that queries see (views.sql). */
#include "store/embedded.h"
#include "store/functions.h"
#include "store/reader.h"
#include "store/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One line of views.sql that begins with "-- part" or "-- snapshot": a table at rest and its columns. */
struct table_line {
	char name[40];
	bool part;
	const char *columns;
	size_t n;
};

static bool read_line(const char *line, struct table_line *out)
{
	static const char part[] = "-- part ", snapshot[] = "-- snapshot ";
	out->part = !strncmp(line, part, sizeof part - 1);
	if (!out->part && strncmp(line, snapshot, sizeof snapshot - 1))
		return false;
	const char *name = line + (out->part ? sizeof part : sizeof snapshot) - 1;
	size_t n = strcspn(name, ":");
	snprintf(out->name, sizeof out->name, "%.*s", (int)n, name);
	out->columns = name + n + 2;
	out->n = strcspn(out->columns, "\n");
	return true;
}

struct making {
	struct store_reader *r;
	struct text parts;   /* the list of files of the table at hand, in SQL */
	struct text allowed; /* of all that may be read, in SQL */
	size_t n_parts;
};

static void add_file(struct text *list, const char *folder, const char *path, size_t n)
{
	char whole[2 * PATH_MAX];
	snprintf(whole, sizeof whole, "%s/%.*s", folder, (int)n, path);
	text_puts(list, list->n ? ", " : "");
	text_quote(list, whole);
}

static int take_part(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct making *m = ctx;
	(void)n, (void)e;
	add_file(&m->parts, m->r->folder, cells[0].text, cells[0].n);
	m->n_parts++;
	return 0;
}

/* Parts of a table in the order of their days, so that results of equal rank come in a fixed order. */
static int list_parts(struct making *m, const char *table, struct error *e)
{
	const struct store_param param = { "table", table };
	m->n_parts = 0;
	m->parts.n = 0;
	static const char sql[] = "SELECT path FROM rest.parts WHERE table_name = $table ORDER BY day, sensor, path";
	return store_reader_rows(m->r, sql, &param, 1, take_part, m, e);
}

/* A table without files yet: empty, with its columns. */
static void make_empty(struct text *sql, const struct table_line *t)
{
	text_printf(sql, "CREATE TABLE rest.%s (", t->name);
	text_add(sql, t->columns, t->n);
	text_puts(sql, t->part ? ", day DATE, sensor VARCHAR)" : ")");
}

static void make_of_files(struct text *sql, const struct table_line *t, const struct text *files)
{
	text_printf(sql, "CREATE VIEW rest.%s AS SELECT * FROM read_parquet([", t->name);
	text_add(sql, files->p, files->n);
	text_puts(sql, t->part ? "], hive_partitioning = true, hive_types = {'day': DATE, 'sensor': VARCHAR})" : "])");
}

static int make_table(struct making *m, const struct table_line *t, struct error *e)
{
	struct text sql = { .env = m->r->env };
	char name[64];
	int rc = 0;
	m->parts.n = 0;
	m->n_parts = 0;
	if (m->r->snapshot[0] && t->part) {
		rc = list_parts(m, t->name, e);
	} else if (m->r->snapshot[0]) {
		snprintf(name, sizeof name, "%s.parquet", t->name);
		add_file(&m->parts, m->r->snapshot, name, strlen(name));
		m->n_parts = 1;
	}
	if (m->n_parts)
		make_of_files(&sql, t, &m->parts);
	else
		make_empty(&sql, t);
	if (m->n_parts) {
		text_puts(&m->allowed, m->allowed.n ? ", " : "");
		text_add(&m->allowed, m->parts.p, m->parts.n);
	}
	if (!rc)
		rc = text_ok(&sql) && !m->allowed.failed ? reader_execute(m->r, sql.p, e) : error_no_memory(e, "listing the parts");
	text_fini(&sql);
	return rc;
}

static int make_tables(struct making *m, struct error *e)
{
	struct table_line t;
	int rc = reader_execute(m->r, "CREATE SCHEMA rest", e);
	for (const char *line = embedded_views; !rc && *line; line += strcspn(line, "\n") + 1)
		if (read_line(line, &t))
			rc = make_table(m, &t, e);
	return rc;
}

/* From here on these files are all that DuckDB opens, and no setting can change. */
static int close_doors(struct making *m, const char *also, struct error *e)
{
	struct text sql = { .env = m->r->env };
	if (also) {
		text_puts(&m->allowed, m->allowed.n ? ", " : "");
		text_quote(&m->allowed, also);
	}
	text_puts(&sql, "SET allowed_paths = [");
	if (m->allowed.n)
		text_add(&sql, m->allowed.p, m->allowed.n);
	text_puts(&sql, "]; SET enable_external_access = false; SET lock_configuration = true");
	int rc = text_ok(&sql) && !m->allowed.failed ? reader_execute(m->r, sql.p, e) : error_no_memory(e, "listing the parts");
	text_fini(&sql);
	return rc;
}

int reader_views(struct store_reader *r, const char *also, struct error *e)
{
	struct making m = { .r = r, .parts = { .env = r->env }, .allowed = { .env = r->env } };
	int rc = functions_register(r, e);
	if (!rc && r->tool)
		rc = verdict_register(r, e);
	if (!rc)
		rc = make_tables(&m, e);
	if (!rc)
		rc = reader_execute(r, embedded_views, e);
	if (!rc)
		rc = close_doors(&m, also, e);
	text_fini(&m.parts);
	text_fini(&m.allowed);
	return rc;
}
