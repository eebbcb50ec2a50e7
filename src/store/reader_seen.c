/* The days and sensors at which sources were seen, as sums of months tell: a query about a few sources then opens the parts
 * of these days alone, not all of a year's. */
#include "store/reader.h"

#include <stdio.h>
#include <string.h>

struct month_files {
	const struct store_reader *r;
	struct text list[2]; /* of IPv4, of IPv6 */
};

static int take_file(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct month_files *m = ctx;
	(void)n;
	(void)e;
	struct text *list = &m->list[cells[0].text[cells[0].n - 1] == '6'];
	char path[2 * PATH_MAX];
	snprintf(path, sizeof path, "%s/%.*s", m->r->folder, (int)cells[1].n, cells[1].text);
	text_puts(list, list->n ? ", " : "");
	text_quote(list, path);
	return 0;
}

static void add_addresses(struct text *sql, const char *addresses, const char *function)
{
	char one[64];
	for (const char *at = addresses, *next; at; at = next) {
		size_t n = strcspn(at, ",");
		next = at[n] ? at + n + 1 : NULL;
		snprintf(one, sizeof one, "%.*s", (int)(n < sizeof one ? n : sizeof one - 1), at);
		text_printf(sql, "%s%s(", at == addresses ? "" : ", ", function);
		text_quote(sql, one);
		text_puts(sql, ")");
	}
}

/* One IN of constants, so that row groups are left out by their least and greatest source. */
static void add_days(struct text *sql, const struct text *files, unsigned version, const char *addresses)
{
	if (!files->n)
		return;
	text_printf(sql, "INSERT INTO rest.seen SELECT DISTINCT '%u', on_day, sensor FROM read_parquet([", version);
	text_add(sql, files->p, files->n);
	text_puts(sql, "], hive_partitioning = true, hive_types = {'day': DATE, 'sensor': VARCHAR}) WHERE source IN (");
	add_addresses(sql, addresses, version == 4 ? "ip4" : "ip6");
	text_puts(sql, "); ");
}

int reader_seen(struct store_reader *r, const char *addresses, struct error *e)
{
	struct month_files m = { .r = r, .list = { { .env = r->env }, { .env = r->env } } };
	struct text sql = { .env = r->env };
	int rc = store_reader_rows(r, "SELECT table_name, path FROM rest.parts WHERE table_name IN ('source_month4', "
	                           "'source_month6')", NULL, 0, take_file, &m, e);
	text_puts(&sql, "CREATE TABLE rest.seen (version VARCHAR, day DATE, sensor VARCHAR); ");
	add_days(&sql, &m.list[0], 4, addresses);
	add_days(&sql, &m.list[1], 6, addresses);
	if (!rc)
		rc = text_ok(&sql) && !m.list[0].failed && !m.list[1].failed ? reader_execute(r, sql.p, e) :
		     error_no_memory(e, "listing the parts");
	text_fini(&m.list[0]);
	text_fini(&m.list[1]);
	text_fini(&sql);
	return rc;
}
