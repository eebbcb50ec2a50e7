#include "enrich/ranges.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "base/hash.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BLOCK4 65536 /* the upper halves of IPv4 addresses */

struct line {
	bool v6;
	uint64_t first[2], last[2]; /* IPv4: in [1] */
	uint32_t number;
	struct span name;
};

struct reader {
	struct ranges *out;
	struct span text;
	size_t at;
	uint64_t number;  /* of the line, from 1 */
	uint64_t line_at; /* its offset */
	struct seed seed;
	struct index by_number;
	bool started[2];  /* by family: there was a range */
	uint64_t start[2][2], end[2][2]; /* of the last one */
};

static int bad_line(const struct reader *r, struct error *e, const char *what)
{
	return error_set_at(e, -EINVAL, "MON-ENR-007", r->line_at, "line %llu of the database is no FIRST,LAST,NUMBER,NAME: %s",
	                    (unsigned long long)r->number, what);
}

/* ---- One line ---- */

/* Up to the comma, which is taken; an empty span when there is none. */
static struct span take_field(struct span *line)
{
	const uint8_t *comma = memchr(line->p, ',', line->n);
	if (!comma)
		return (struct span){ line->p, 0 };
	struct span field = { line->p, (size_t)(comma - line->p) };
	*line = (struct span){ comma + 1, line->n - field.n - 1 };
	return field;
}

static bool parse_v4(struct span s, uint64_t *out)
{
	uint32_t v = 0, part = 0, parts = 0, digits = 0;
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') {
			part = part * 10 + s.p[i] - '0';
			if (++digits > 3 || part > 255)
				return false;
		} else if ((i == s.n || s.p[i] == '.') && digits && parts < 4) {
			v = v << 8 | part;
			parts++;
			part = digits = 0;
		} else {
			return false;
		}
	}
	*out = v;
	return parts == 4;
}

static bool parse_v6(struct span s, uint64_t out[static 2])
{
	char text[ADDR_TEXT];
	uint8_t bytes[16];
	if (s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	out[0] = load_be64(bytes);
	out[1] = load_be64(bytes + 8);
	return true;
}

static bool parse_address(struct span s, bool *v6, uint64_t out[static 2])
{
	*v6 = memchr(s.p, ':', s.n);
	out[0] = 0;
	return *v6 ? parse_v6(s, out) : parse_v4(s, &out[1]);
}

static bool parse_number(struct span s, uint32_t *out)
{
	uint64_t v = 0;
	for (size_t i = 0; i < s.n && v <= UINT32_MAX; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + s.p[i] - '0';
	}
	*out = (uint32_t)v;
	return s.n && v <= UINT32_MAX;
}

static bool after(const uint64_t a[static 2], const uint64_t b[static 2])
{
	return a[0] > b[0] || (a[0] == b[0] && a[1] > b[1]);
}

static int parse_line(const struct reader *r, struct span text, struct line *out, struct error *e)
{
	struct span first = take_field(&text), last = take_field(&text), number = take_field(&text);
	bool v6;
	if (!parse_address(first, &out->v6, out->first) || !parse_address(last, &v6, out->last) || v6 != out->v6)
		return bad_line(r, e, "the first two are to be addresses of one family");
	if (after(out->first, out->last))
		return bad_line(r, e, "the range ends before it starts");
	if (!parse_number(number, &out->number))
		return bad_line(r, e, "the third is to be the number of an AS");
	if (text.n > RANGES_NAME)
		return bad_line(r, e, "the name is too long");
	out->name = text;
	return 0;
}

/* ---- The tables ---- */

static uint64_t hash_of(const void *reader, uint32_t row)
{
	const struct reader *r = reader;
	return hash_u64(&r->seed, r->out->list[row].number);
}

static uint32_t add_system(struct ranges *o, const struct line *l)
{
	o->list[o->systems] = (struct ranges_as){ l->number, (uint32_t)o->names_used, (uint32_t)l->name.n };
	memcpy(o->names + o->names_used, l->name.p, l->name.n);
	o->names_used += l->name.n;
	return o->systems++;
}

/* The row of a line's system; its first name in the file is its name. */
static int find_system(struct reader *r, const struct line *l, uint32_t *row, struct error *e)
{
	struct index *x = &r->by_number;
	int rc = index_has_room(x, 1) ? 0 : index_grow(x, r->out->env, hash_of, r, e);
	if (rc)
		return rc;
	uint64_t hash = hash_u64(&r->seed, l->number);
	uint32_t key = index_key(x, hash), at = index_at(x, hash);
	for (; index_live(x->slots[at]); at = index_next(x, at)) {
		*row = index_row(x, x->slots[at]);
		if (index_tagged(x, x->slots[at], key) && r->out->list[*row].number == l->number)
			return 0;
	}
	*row = add_system(r->out, l);
	index_put(x, at, key, *row);
	return 0;
}

static void add_start(struct ranges *o, bool v6, const uint64_t start[static 2], uint32_t row)
{
	if (v6)
		o->starts6[o->n6++] = (struct ranges_start6){ { start[0], start[1] }, row };
	else
		o->starts4[o->n4++] = (struct ranges_start4){ (uint32_t)start[1], row };
}

/* The address after `a`; false after the last of its family. */
static bool next_address(bool v6, const uint64_t a[static 2], uint64_t out[static 2])
{
	uint64_t most = v6 ? UINT64_MAX : UINT32_MAX;
	out[0] = a[0] + (a[1] == most && v6);
	out[1] = a[1] == most ? 0 : a[1] + 1;
	return out[0] || out[1];
}

/* Whether a line may follow the one above it of its family. One that starts within it ends it there: published databases
 * have such pairs. One that lies within it would leave open what holds behind. */
static bool may_follow(const struct reader *r, const struct line *l)
{
	return !r->started[l->v6] || (after(l->first, r->start[l->v6]) && !after(r->end[l->v6], l->last));
}

static int add_line(struct reader *r, const struct line *l, struct error *e)
{
	struct ranges *o = r->out;
	uint32_t row;
	uint64_t *end = r->end[l->v6], next[2];
	if (!may_follow(r, l))
		return error_set_at(e, -EINVAL, "MON-ENR-008", r->line_at,
		                    "line %llu of the database starts before the range above it, or lies within it",
		                    (unsigned long long)r->number);
	/* What lies between two ranges is nobody's: the end of the one above was noted so, unless this one takes over. */
	if (r->started[l->v6] && next_address(l->v6, end, next) && !after(l->first, next))
		l->v6 ? o->n6-- : o->n4--;
	int rc = find_system(r, l, &row, e);
	if (rc)
		return rc;
	add_start(o, l->v6, l->first, row);
	if (next_address(l->v6, l->last, next))
		add_start(o, l->v6, next, RANGES_NONE);
	r->started[l->v6] = true;
	memcpy(r->start[l->v6], l->first, sizeof l->first);
	memcpy(end, l->last, sizeof l->last);
	return 0;
}

static int read_lines(struct reader *r, struct error *e)
{
	int rc = 0;
	for (size_t left; !rc && (left = r->text.n - r->at); r->number++) {
		const uint8_t *p = r->text.p + r->at, *newline = memchr(p, '\n', left);
		struct span text = { p, newline ? (size_t)(newline - p) : left };
		struct line l;
		r->line_at = r->at;
		r->at += text.n + (newline != NULL);
		if (text.n && text.p[text.n - 1] == '\r')
			text.n--;
		rc = parse_line(r, text, &l, e);
		if (!rc)
			rc = add_line(r, &l, e);
	}
	return rc;
}

/* ---- Opening and looking up ---- */

static size_t count_lines(struct span text)
{
	size_t lines = 1;
	for (const uint8_t *p = text.p, *end = p + text.n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		lines++;
	return lines;
}

/* Each line makes at most two starts in one family and one system. */
static int make_room(struct ranges *r, struct span text, struct error *e)
{
	r->lines = count_lines(text);
	r->names_room = text.n + 1;
	r->starts4 = env_alloc(r->env, 2 * r->lines * sizeof *r->starts4);
	r->starts6 = env_alloc(r->env, 2 * r->lines * sizeof *r->starts6);
	r->list = env_alloc(r->env, r->lines * sizeof *r->list);
	r->names = env_alloc(r->env, r->names_room);
	r->first4 = env_alloc(r->env, BLOCK4 * sizeof *r->first4);
	if (!r->starts4 || !r->starts6 || !r->list || !r->names || !r->first4)
		return error_no_memory(e, "reading the AS database");
	return 0;
}

static void index_blocks(struct ranges *r)
{
	uint32_t at = 0;
	for (uint32_t block = 0; block < BLOCK4; block++) {
		while (at < r->n4 && r->starts4[at].start <= block << 16)
			at++;
		r->first4[block] = at;
	}
}

int ranges_open(struct ranges *out, const struct env *env, struct span text, struct error *e)
{
	*out = (struct ranges){ .env = env };
	struct reader r = { .out = out, .text = text, .number = 1 };
	int rc = make_room(out, text, e);
	if (!rc && seed_draw(&r.seed, env))
		rc = error_set(e, -EIO, "MON-ENR-002", "the system gives no random numbers");
	if (!rc)
		rc = index_init(&r.by_number, env, 4096, e);
	if (rc)
		goto out;
	rc = read_lines(&r, e);
	index_fini(&r.by_number, env);
	if (!rc)
		index_blocks(out);
out:
	if (rc)
		ranges_close(out);
	return rc;
}

void ranges_close(struct ranges *r)
{
	env_free(r->env, r->starts4, 2 * r->lines * sizeof *r->starts4);
	env_free(r->env, r->starts6, 2 * r->lines * sizeof *r->starts6);
	env_free(r->env, r->list, r->lines * sizeof *r->list);
	env_free(r->env, r->names, r->names_room);
	env_free(r->env, r->first4, BLOCK4 * sizeof *r->first4);
}

uint32_t ranges_range4(const struct ranges *r, uint32_t v4, uint32_t *first, uint32_t *last)
{
	uint32_t block = v4 >> 16, low = r->first4[block], high = block + 1 < BLOCK4 ? r->first4[block + 1] : r->n4;
	while (low < high) { /* invariant: starts before `low` are not after v4, those from `high` are */
		uint32_t middle = low + (high - low) / 2;
		if (r->starts4[middle].start <= v4)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low ? r->starts4[low - 1].start : 0;
	*last = low < r->n4 ? r->starts4[low].start - 1 : UINT32_MAX;
	return low ? r->starts4[low - 1].row : RANGES_NONE;
}

uint32_t ranges_lookup4(const struct ranges *r, uint32_t v4)
{
	uint32_t first, last;
	return ranges_range4(r, v4, &first, &last);
}

uint32_t ranges_lookup6(const struct ranges *r, const uint8_t address[static 16])
{
	uint64_t wanted[2] = { load_be64(address), load_be64(address + 8) };
	uint32_t low = 0, high = r->n6;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (after(r->starts6[middle].start, wanted))
			high = middle;
		else
			low = middle + 1;
	}
	return low ? r->starts6[low - 1].row : RANGES_NONE;
}
