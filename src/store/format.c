#include "store/format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void output_add(struct output *o, const char *p, size_t n)
{
	while (n && !o->rc) {
		size_t room = sizeof o->buffer - o->n, some = n < room ? n : room;
		memcpy(o->buffer + o->n, p, some);
		o->n += some;
		p += some;
		n -= some;
		if (o->n == sizeof o->buffer && output_flush(o, NULL))
			return; /* o->rc keeps why */
	}
}

int output_flush(struct output *o, struct error *e)
{
	for (size_t done = 0; done < o->n && !o->rc;) {
		ssize_t n = o->env->write(o->env, o->fd, o->buffer + done, o->n - done);
		o->written |= n > 0;
		if (n > 0)
			done += (size_t)n;
		else if (n != -EINTR)
			o->rc = n ? (int)n : -ENOSPC;
	}
	o->n = 0;
	return o->rc ? error_set(e, o->rc, "MON-STO-113", "the result cannot be written: %s", strerror(-o->rc)) : 0;
}

static void put(struct output *o, const char *s) { output_add(o, s, strlen(s)); }

/* ---- CSV (RFC 4180, lines end in a line feed) ---- */
static void csv_field(struct output *o, const char *p, size_t n)
{
	bool quoted = n == 0;
	for (size_t i = 0; i < n && !quoted; i++)
		quoted = p[i] == ',' || p[i] == '"' || p[i] == '\n' || p[i] == '\r' || p[i] == ' ';
	if (!quoted) {
		output_add(o, p, n);
		return;
	}
	put(o, "\"");
	for (size_t i = 0; i < n; i++)
		output_add(o, p[i] == '"' ? "\"\"" : p + i, p[i] == '"' ? 2 : 1);
	put(o, "\"");
}

static void csv_row(struct format *f, const struct store_cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			put(&f->out, ",");
		if (cells[i].text) /* NULL is an empty field, an empty text is "" */
			csv_field(&f->out, cells[i].text, cells[i].n);
	}
	put(&f->out, f->marked ? ",true\n" : "\n");
}

/* ---- JSON (RFC 8259). DuckDB's texts are valid UTF-8. ---- */
static void json_string(struct output *o, const char *p, size_t n)
{
	put(o, "\"");
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		char escape[8];
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		output_add(o, p + from, i - from);
		snprintf(escape, sizeof escape, c == '"' || c == '\\' ? "\\%c" : "\\u%04x", c);
		put(o, escape);
		from = i + 1;
	}
	output_add(o, p + from, n - from);
	put(o, "\"");
}

/* Not "inf", "nan" or anything else that JSON has no number for. */
static bool is_number(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr("0123456789+-.eE", p[i]) || !p[i])
			return false;
	return n > 0;
}

static void json_value(struct output *o, enum cell_kind kind, const struct store_cell *c)
{
	if (!c->text)
		put(o, "null");
	else if (kind == CELL_NUMBER ? is_number(c->text, c->n) : kind == CELL_BOOL || kind == CELL_NESTED)
		output_add(o, c->text, c->n);
	else
		json_string(o, c->text, c->n);
}

static void json_row(struct format *f, const struct store_cell *cells, size_t n)
{
	struct output *o = &f->out;
	if (f->format == STORE_JSON)
		put(o, f->rows ? ",\n" : "\n");
	for (size_t i = 0; i < n; i++) {
		const struct query_column *c = &f->columns->column[i];
		put(o, i ? "," : "{");
		json_string(o, c->name, strlen(c->name));
		put(o, ":");
		json_value(o, c->kind, &cells[i]);
	}
	if (f->marked)
		put(o, ",\"" FORMAT_MARK "\":true");
	put(o, f->format == STORE_JSON ? "}" : "}\n");
}

/* ---- Tables ---- */
/* One character of UTF-8: its bytes. Control characters are one too many: they would move the cursor. */
static size_t character(const char *p, size_t n, bool *control)
{
	unsigned char c = (unsigned char)p[0];
	size_t length = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	*control = c < 0x20 || c == 0x7f || (c == 0xc2 && n > 1 && (unsigned char)p[1] < 0xa0);
	return length < n ? length : n;
}

static unsigned width_of(const char *p, size_t n)
{
	unsigned width = 0;
	bool control;
	for (size_t i = 0; i < n; i += character(p + i, n - i, &control))
		width++;
	return width;
}

static void spaces(struct output *o, unsigned n)
{
	for (; n; n--)
		put(o, " ");
}

/* A cell in `room` columns: what is too long ends in an ellipsis, numbers stand at the right. */
static void table_cell(struct output *o, const char *p, size_t n, unsigned room, bool right, bool last)
{
	unsigned width = width_of(p, n), shown = width <= room ? width : room - 1, k = 0;
	bool control;
	if (right && width < room)
		spaces(o, room - width);
	for (size_t i = 0; k < shown; k++) {
		size_t length = character(p + i, n - i, &control);
		output_add(o, control ? "?" : p + i, control ? 1 : length);
		i += length;
	}
	if (width > room)
		put(o, "…");
	if (!right && !last && width < room)
		spaces(o, room - width);
}

static void table_row(struct format *f, const struct store_cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool number = f->columns->column[i].kind == CELL_NUMBER;
		if (i)
			put(&f->out, "  ");
		if (f->widths[i])
			table_cell(&f->out, cells[i].text ? cells[i].text : "", cells[i].n, f->widths[i], number, i + 1 == n);
	}
	put(&f->out, "\n");
}

/* The widest columns give way until all fit; none gets narrower than 4. */
static void fit_widths(struct format *f)
{
	size_t n = f->columns->n, widest;
	for (;;) {
		size_t sum = 2 * (n - 1);
		widest = 0;
		for (size_t i = 0; i < n; i++) {
			sum += f->widths[i];
			widest = f->widths[i] > f->widths[widest] ? i : widest;
		}
		if (!f->width || sum <= f->width || f->widths[widest] <= 4)
			return;
		f->widths[widest]--;
	}
}

static void table_head(struct format *f)
{
	size_t n = f->columns->n;
	fit_widths(f);
	for (size_t i = 0; i < n; i++) {
		const struct query_column *c = &f->columns->column[i];
		if (i)
			put(&f->out, "  ");
		table_cell(&f->out, c->name, strlen(c->name), f->widths[i], c->kind == CELL_NUMBER, i + 1 == n);
	}
	put(&f->out, "\n");
	for (size_t i = 0; i < n; i++) {
		if (i)
			put(&f->out, "  ");
		for (unsigned k = f->widths[i]; k; k--)
			put(&f->out, "-");
	}
	put(&f->out, "\n");
}

/* The rows kept so far, once the widths are known. A NULL was kept as an empty text: in a table they look alike. */
static void print_sample(struct format *f, struct store_cell *cells)
{
	const char *p = f->sample.p;
	f->widths_known = true;
	table_head(f);
	for (size_t row = 0; row < f->sampled; row++) {
		for (size_t i = 0; i < f->columns->n; i++) {
			cells[i] = (struct store_cell){ p, strlen(p) };
			p += cells[i].n + 1;
		}
		table_row(f, cells, f->columns->n);
	}
}

static int flush_sample(struct format *f, struct error *e)
{
	size_t size = f->columns->n * sizeof(struct store_cell);
	struct store_cell *cells = env_alloc(f->out.env, size);
	if (!cells || (f->sampled && !text_ok(&f->sample))) {
		env_free(f->out.env, cells, size);
		return error_no_memory(e, "laying out the table");
	}
	print_sample(f, cells);
	env_free(f->out.env, cells, size);
	text_fini(&f->sample);
	return 0;
}

static int keep_sample(struct format *f, const struct store_cell *cells, size_t n, struct error *e)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = cells[i].text ? cells[i].text : "";
		size_t length = strnlen(text, cells[i].n);
		unsigned width = width_of(text, length);
		f->widths[i] = width > f->widths[i] ? width : f->widths[i];
		text_add(&f->sample, text, length);
		text_add(&f->sample, "", 1);
	}
	f->sampled++;
	return f->sampled == TABLE_SAMPLE ? flush_sample(f, e) : 0;
}

/* ---- All of them ---- */
static int begin(void *ctx, const struct query_columns *columns, struct error *e)
{
	struct format *f = ctx;
	f->columns = columns;
	f->n_widths = columns->n;
	f->widths = env_alloc(f->out.env, columns->n * sizeof *f->widths);
	if (!f->widths)
		return error_no_memory(e, "laying out the table");
	for (size_t i = 0; i < columns->n; i++) {
		const char *name = columns->column[i].name;
		f->widths[i] = width_of(name, strlen(name));
		if (f->format != STORE_CSV)
			continue;
		put(&f->out, i ? "," : "");
		csv_field(&f->out, name, strlen(name));
	}
	if (f->format == STORE_CSV)
		put(&f->out, f->marked ? "," FORMAT_MARK "\n" : "\n");
	if (f->format == STORE_JSON)
		put(&f->out, "[");
	return 0;
}

static int row(void *ctx, const struct store_cell *cells, size_t n, struct error *e)
{
	struct format *f = ctx;
	int rc = 0;
	if (f->format == STORE_CSV)
		csv_row(f, cells, n);
	else if (f->format != STORE_TABLE)
		json_row(f, cells, n);
	else if (f->widths_known)
		table_row(f, cells, n);
	else
		rc = keep_sample(f, cells, n, e);
	f->rows++;
	return f->out.rc ? output_flush(&f->out, e) : rc;
}

static int end(void *ctx, struct error *e)
{
	struct format *f = ctx;
	int rc = 0;
	if (f->format == STORE_JSON)
		put(&f->out, f->rows ? "\n]\n" : "]\n");
	if (f->format == STORE_TABLE && !f->widths_known)
		rc = flush_sample(f, e);
	return rc ? rc : output_flush(&f->out, e);
}

struct format *format_open(const struct env *env, enum store_format format, unsigned width, int fd, struct error *e)
{
	struct format *f = env_alloc(env, sizeof *f);
	if (!f) {
		error_no_memory(e, "laying out the result");
		return NULL;
	}
	f->out.env = env;
	f->out.fd = fd;
	f->format = format;
	f->width = width;
	f->sample.env = env;
	return f;
}

void format_close(struct format *f)
{
	if (!f)
		return;
	text_fini(&f->sample);
	env_free(f->out.env, f->widths, f->n_widths * sizeof *f->widths);
	env_free(f->out.env, f, sizeof *f);
}

struct query_sink format_sink(struct format *f)
{
	return (struct query_sink){ .json = f->format == STORE_JSON || f->format == STORE_JSONL, .begin = begin, .row = row,
		                    .end = end, .ctx = f };
}
