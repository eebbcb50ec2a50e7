#include "daemon/minutes.h"

#include <stdlib.h>
#include <string.h>

int minutes_add(struct minutes *m, const int32_t *minute, uint32_t n, struct error *e)
{
	if (m->room - m->n < n) {
		uint32_t room = m->room ? m->room : 64;
		while (room - m->n < n)
			room *= 2;
		int32_t *grown = env_grow(m->env, m->minute, m->room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "listing minutes");
		m->minute = grown;
		m->room = room;
	}
	if (n)
		memcpy(m->minute + m->n, minute, n * sizeof *minute);
	m->n += n;
	return 0;
}

static int compare(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

void minutes_sort(struct minutes *m)
{
	if (!m->n)
		return;
	qsort(m->minute, m->n, sizeof *m->minute, compare);
	uint32_t n = 1;
	for (uint32_t i = 1; i < m->n; i++)
		if (m->minute[i] != m->minute[n - 1])
			m->minute[n++] = m->minute[i];
	m->n = n;
}

bool minutes_have(const struct minutes *m, int32_t minute)
{
	return m->n && bsearch(&minute, m->minute, m->n, sizeof minute, compare);
}

void minutes_fini(struct minutes *m)
{
	env_free(m->env, m->minute, m->room * sizeof *m->minute);
	m->minute = NULL;
	m->n = m->room = 0;
}
