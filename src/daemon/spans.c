#include "daemon/spans.h"

#include <stdlib.h>

int spans_add(struct spans *s, const struct env *env, int64_t from, int64_t to, struct error *e)
{
	if (from >= to)
		return 0;
	if (s->n == s->room) {
		uint32_t room = s->room ? 2 * s->room : 64;
		struct span_of_time *grown = env_grow(env, s->item, s->room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "remembering what was observed");
		s->item = grown;
		s->room = room;
	}
	s->item[s->n++] = (struct span_of_time){ from, to };
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct span_of_time *x = a, *y = b;
	return (x->from > y->from) - (x->from < y->from);
}

void spans_sort(struct spans *s)
{
	uint32_t n = 0;
	if (s->n)
		qsort(s->item, s->n, sizeof *s->item, compare);
	for (uint32_t i = 0; i < s->n; i++) {
		if (n && s->item[i].from <= s->item[n - 1].to) {
			if (s->item[i].to > s->item[n - 1].to)
				s->item[n - 1].to = s->item[i].to;
		} else {
			s->item[n++] = s->item[i];
		}
	}
	s->n = n;
}

int spans_gaps(const struct spans *s, const struct env *env, int64_t from, int64_t to, struct spans *out, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < s->n && from < to; i++) {
		if (s->item[i].to <= from)
			continue;
		rc = spans_add(out, env, from, s->item[i].from < to ? s->item[i].from : to, e);
		from = s->item[i].to;
	}
	return rc ? rc : spans_add(out, env, from, to, e);
}

void spans_fini(struct spans *s, const struct env *env)
{
	env_free(env, s->item, s->room * sizeof *s->item);
	*s = (struct spans){ 0 };
}
