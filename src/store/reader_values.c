/* A named query as DuckDB gets it: with its values in its text, and columns that were asked for once.
 *
 * To bind values has DuckDB plan three times: for the columns, to prepare, and again when it knows the values. Planning is
 * what most queries of a small span take. */
#include "store/reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- Values ---- */
const struct store_param *reader_param(const struct store_param *params, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(params[i].name, name))
			return &params[i];
	return NULL;
}

static bool find_head(const struct store_named *named, const char *name, struct store_head *out)
{
	const char *cursor = named->text;
	while (store_named_head(&cursor, out))
		if (out->kind == STORE_HEAD_PARAM && !strcmp(out->name, name))
			return true;
	return false;
}

static int add_value(struct text *t, const struct store_named *named, const char *name, const struct store_param *params,
                     size_t n, struct error *e)
{
	const struct store_param *given = reader_param(params, n, name);
	struct store_head head;
	bool known = find_head(named, name, &head);
	if (!given && !(known && head.has_default))
		return error_set(e, -EINVAL, "MON-STO-106", "the query wants a parameter: --param %.60s=VALUE", name);
	const char *value = given ? given->value : head.is_null ? NULL : head.value;
	if (value)
		text_quote(t, value);
	else
		text_puts(t, "NULL");
	return 0;
}

/* A line of the head is no SQL. No text of a query has a $ before a letter but where a value goes. */
static int add_line(struct text *t, const char *line, size_t n, const struct store_named *named,
                    const struct store_param *params, size_t n_params, struct error *e)
{
	int rc = 0;
	for (const char *p = line, *end = line + n; p < end && !rc;) {
		const char *dollar = memchr(p, '$', (size_t)(end - p));
		size_t plain = (size_t)((dollar ? dollar : end) - p);
		text_add(t, p, plain);
		p += plain;
		if (!dollar)
			break;
		char name[40];
		size_t length = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");
		if (length) {
			snprintf(name, sizeof name, "%.*s", (int)length, p + 1);
			rc = add_value(t, named, name, params, n_params, e);
		} else {
			text_puts(t, "$");
		}
		p += 1 + length;
	}
	return rc;
}

int reader_values(struct text *t, const struct store_named *named, const struct store_param *params, size_t n,
                  struct error *e)
{
	struct store_head head;
	int rc = 0;
	for (size_t i = 0; i < n; i++)
		if (!find_head(named, params[i].name, &head))
			return error_set(e, -EINVAL, "MON-STO-106", "the query has no parameter '%.60s'", params[i].name);
	for (const char *line = named->text; *line && !rc;) {
		size_t length = strcspn(line, "\n");
		length += line[length] == '\n';
		if (strncmp(line, "--", 2))
			rc = add_line(t, line, length, named, params, n, e);
		line += length;
	}
	return !rc && !text_ok(t) ? error_no_memory(e, "reading the query") : rc;
}

/* ---- Columns ---- */
struct reader_known {
	const struct env *env;
	pthread_mutex_t lock;
	size_t n;
	struct query_columns columns[]; /* by place in the list of named queries; n 0: not known yet */
};

int reader_known_open(struct reader_known **out, const struct env *env, struct error *e)
{
	size_t n;
	(void)store_named_list(&n);
	struct reader_known *k = env_alloc(env, sizeof *k + n * sizeof *k->columns);
	if (!k)
		return error_no_memory(e, "opening the store");
	k->env = env;
	k->n = n;
	pthread_mutex_init(&k->lock, NULL);
	*out = k;
	return 0;
}

void reader_known_close(struct reader_known *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		reader_columns_free(k->env, &k->columns[i]);
	pthread_mutex_destroy(&k->lock);
	env_free(k->env, k, sizeof *k + k->n * sizeof *k->columns);
}

static struct query_columns *place_of(struct reader_known *k, const struct store_named *named)
{
	size_t n;
	return &k->columns[named - store_named_list(&n)];
}

const struct query_columns *reader_known_find(struct reader_known *k, const struct store_named *named)
{
	pthread_mutex_lock(&k->lock);
	struct query_columns *c = place_of(k, named);
	bool there = c->n != 0;
	pthread_mutex_unlock(&k->lock);
	return there ? c : NULL;
}

/* Another thread may have been first. */
void reader_known_keep(struct reader_known *k, const struct store_named *named, struct query_columns *columns)
{
	pthread_mutex_lock(&k->lock);
	struct query_columns *c = place_of(k, named);
	if (!c->n) {
		*c = *columns;
		*columns = (struct query_columns){ 0 };
	}
	pthread_mutex_unlock(&k->lock);
}
