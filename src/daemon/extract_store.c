/* The packets behind rows of a store: of the segments that reach the times asked for, oldest first. */
#include "daemon/extract.h"
#include "store/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MOST 4096 /* bytes of the options that a segment was added with */

struct session {
	const struct extract_request *request;
	struct extract extract;
	struct extract_segment segment; /* the one that is read */
	unsigned lost;
};

static int read_segment(void *ctx, const struct analysis_config *config, struct error *e)
{
	struct session *s = ctx;
	return extract_from(&s->extract, &s->segment, config, e);
}

/* A row of segments: name, path, options. */
static int take_segment(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct session *s = ctx;
	const struct extract_request *q = s->request;
	char path[4096], name[40], kept[OPTIONS_MOST];
	bool whole = *cells[1].text == '/';
	(void)n;
	if (s->extract.more)
		return 0;
	snprintf(name, sizeof name, "%.*s", (int)cells[0].n, cells[0].text);
	snprintf(path, sizeof path, "%s%s%.*s", whole ? "" : q->db, whole ? "" : "/", (int)cells[1].n, cells[1].text);
	snprintf(kept, sizeof kept, "%.*s", (int)cells[2].n, cells[2].text ? cells[2].text : "");
	s->segment = (struct extract_segment){ .path = path, .name = name };
	int rc = q->options(kept, read_segment, s, e);
	if (rc != -ESTALE)
		return rc;
	s->lost++;
	if (q->lost)
		q->lost(q->ctx, e);
	return 0;
}

/* Segments that reach the times asked for. */
#define CHOSEN "FROM rest.segments WHERE state = 'stored' AND from_ns < $to::BIGINT AND to_ns >= $from::BIGINT " \
	"AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)"

static int each_segment(struct session *s, struct store_reader *reader, const char *sql, store_row_fn row, void *ctx,
                        struct error *e)
{
	const struct extract_filter *f = &s->extract.filter;
	char from[24], to[24];
	snprintf(from, sizeof from, "%" PRId64, f->from);
	snprintf(to, sizeof to, "%" PRId64, f->to);
	const struct store_param params[] = { { "from", from }, { "to", to }, { "sensor", s->request->sensor } };
	return store_reader_rows(reader, sql, params, 3, row, ctx, e);
}

/* Packets that are made up stay marked. */
static int take_simulated(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct capture_write_config *config = ctx;
	(void)cells;
	(void)n;
	(void)e;
	config->simulated = true;
	return 0;
}

static int write_packets(struct session *s, struct store_reader *reader, struct error *e)
{
	const char *out = s->request->out;
	struct capture_write_config config = { .application = "monomi" };
	struct error closing;
	capture_write_by_name(&config, out);
	int rc = each_segment(s, reader, "SELECT 1 " CHOSEN " AND simulated = 1 LIMIT 1", take_simulated, &config, e);
	if (!rc)
		rc = capture_writer_open(&s->extract.writer, s->extract.env, out, &config, e);
	if (!rc)
		rc = each_segment(s, reader, "SELECT segment, path, options " CHOSEN " ORDER BY from_ns, segment", take_segment, s,
		                  e);
	if (capture_writer_close(s->extract.writer, rc != 0, &closing) && !rc) {
		rc = -EIO;
		*e = closing;
	}
	return rc;
}

int extract_store(const struct env *env, const struct extract_request *request, struct extract_told *out, struct error *e)
{
	struct session s = { .request = request, .extract = { .env = env, .filter = request->filter } };
	const struct store_limits limits = { .memory = (size_t)256 << 20, .threads = 1 };
	struct store_reader *reader = NULL;
	int rc = store_reader_open(&reader, env, request->db, &limits, NULL, NULL, NULL, 0, e);
	if (!rc)
		rc = write_packets(&s, reader, e);
	store_reader_close(reader);
	*out = (struct extract_told){ s.extract.packets, s.lost, s.extract.more };
	return rc;
}
