#include "track/samples.h"

#include <errno.h>
#include <string.h>

int samples_init(struct samples *s, const struct env *env, size_t limit, struct error *e)
{
	*s = (struct samples){ .env = env };
	int rc = names_init(&s->names, env, limit / 4, e);
	if (!rc)
		rc = region_init(&s->room, env, limit / 4, e);
	if (!rc)
		rc = region_init(&s->bytes, env, limit / 2, e);
	s->sample = (struct sample *)(void *)s->room.base;
	if (rc)
		samples_fini(s);
	return rc;
}

void samples_fini(struct samples *s)
{
	if (!s->env)
		return;
	names_fini(&s->names);
	region_fini(&s->room, s->env);
	region_fini(&s->bytes, s->env);
	s->env = NULL;
}

static void keep_bytes(struct samples *s, struct sample *x, const uint8_t *bytes, uint32_t n)
{
	uint8_t *p = x->at || !bytes ? NULL : region_take(&s->bytes, n ? n : 1);
	if (!p)
		return;
	memcpy(p, bytes, n);
	x->at = (uint32_t)((size_t)(p - s->bytes.base) / 8 + 1);
	x->n = n;
}

int samples_add(struct samples *s, const struct addr *content, uint32_t epoch, uint64_t packets, const uint8_t *bytes,
                uint32_t n, struct error *e)
{
	int rc = s->room.limit - s->room.used < sizeof(struct sample) ? -ENOSPC : names_prepare(&s->names, 1, e);
	if (rc == -ENOSPC) {
		s->left_out += packets;
		return 0;
	}
	if (rc)
		return rc;
	uint32_t had = s->names.n, name = names_put(&s->names, content, epoch);
	if (name == had)
		*(struct sample *)region_take(&s->room, sizeof(struct sample)) = (struct sample){ 0 };
	s->sample[name].packets += packets;
	keep_bytes(s, &s->sample[name], bytes, n);
	return 0;
}

int samples_merge(struct samples *into, const struct samples *from, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; i < from->names.n && !rc; i++) {
		const struct sample *x = &from->sample[i];
		rc = samples_add(into, &from->names.name[i].addr, from->names.name[i].epoch, x->packets,
		                 sample_bytes(from, x), x->n, e);
	}
	into->left_out += from->left_out;
	return rc;
}
