/* The contents that most packets carried. */
#include "track/state.h"

#include <string.h>

static bool before(const struct track_payload *a, const struct track_payload *b)
{
	if (a->packets != b->packets)
		return a->packets > b->packets;
	int order = memcmp(&a->content, &b->content, sizeof a->content);
	if (order)
		return order < 0;
	return a->port != b->port ? a->port < b->port : a->protocol < b->protocol;
}

static struct track_payload payload_of(const struct samples *s, uint32_t i)
{
	struct track_payload p = { .content = s->names.name[i].addr, .packets = s->sample[i].packets,
		                   .port = (uint16_t)(s->names.name[i].epoch >> 8),
		                   .protocol = (uint8_t)s->names.name[i].epoch, .n = s->sample[i].n };
	if (s->sample[i].at)
		memcpy(p.sample, sample_bytes(s, &s->sample[i]), p.n);
	return p;
}

static void pick(const struct samples *s, struct track_top *out)
{
	for (uint32_t i = 0; i < s->names.n; i++) {
		if (out->n == TRACK_TOP && s->sample[i].packets < out->payload[TRACK_TOP - 1].packets)
			continue;
		struct track_payload p = payload_of(s, i);
		uint32_t at = out->n < TRACK_TOP ? out->n++ : TRACK_TOP;
		for (; at && before(&p, &out->payload[at - 1]); at--)
			if (at < TRACK_TOP)
				out->payload[at] = out->payload[at - 1];
		if (at < TRACK_TOP)
			out->payload[at] = p;
	}
	out->left_out = s->left_out;
}

int track_top(struct track *const *tracks, unsigned n, struct track_top *out, struct error *e)
{
	out->n = 0;
	if (n == 1) {
		pick(&tracks[0]->samples, out);
		return 0;
	}
	struct samples all;
	const struct track *t = tracks[0];
	int rc = samples_init(&all, t->env, n * samples_limit(t), e);
	for (unsigned i = 0; i < n && !rc; i++)
		rc = samples_merge(&all, &tracks[i]->samples, e);
	if (!rc)
		pick(&all, out);
	samples_fini(&all);
	return rc;
}
