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

static bool is_listed(const struct track_top *top, const struct track_payload *p)
{
	for (uint32_t i = 0; i < top->n; i++)
		if (!memcmp(&top->payload[i].content, &p->content, sizeof p->content) && top->payload[i].port == p->port &&
		    top->payload[i].protocol == p->protocol)
			return true;
	return false;
}

static void insert(struct track_top *top, const struct track_payload *p)
{
	uint32_t at = top->n < TRACK_TOP ? top->n++ : TRACK_TOP;
	for (; at && before(p, &top->payload[at - 1]); at--)
		if (at < TRACK_TOP)
			top->payload[at] = top->payload[at - 1];
	if (at < TRACK_TOP)
		top->payload[at] = *p;
}

/* Packets of a content over all shards; its bytes from whichever knows them. */
static void add_shards(struct track *const *tracks, unsigned n, uint32_t epoch, struct track_payload *p)
{
	p->packets = 0;
	for (unsigned s = 0; s < n; s++) {
		const struct samples *samples = &tracks[s]->samples;
		uint32_t at = names_find(&samples->names, &p->content, epoch);
		if (at == INDEX_NONE)
			continue;
		p->packets += samples->sample[at].packets;
		if (!p->n && samples->sample[at].at) {
			p->n = samples->sample[at].n;
			memcpy(p->sample, sample_bytes(samples, &samples->sample[at]), p->n);
		}
	}
}

/* The contents of one shard with at least so many packets there, summed over all. */
static void pick(struct track *const *tracks, unsigned n, unsigned shard, uint64_t least, struct track_top *out)
{
	const struct samples *s = &tracks[shard]->samples;
	for (uint32_t i = 0; i < s->names.n; i++) {
		if (s->sample[i].packets < least)
			continue;
		struct track_payload p = payload_of(s, i);
		if (n > 1)
			add_shards(tracks, n, s->names.name[i].epoch, &p);
		bool full = out->n == TRACK_TOP;
		if ((full && !before(&p, &out->payload[TRACK_TOP - 1])) || (n > 1 && is_listed(out, &p)))
			continue;
		insert(out, &p);
	}
}

/* The packets of a shard's tenth content; 0: it has fewer. */
static uint64_t tenth_of(const struct samples *s)
{
	uint64_t most[TRACK_TOP] = { 0 };
	for (uint32_t i = 0; i < s->names.n; i++) {
		uint32_t at = TRACK_TOP;
		for (; at && s->sample[i].packets > most[at - 1]; at--)
			if (at < TRACK_TOP)
				most[at] = most[at - 1];
		if (at < TRACK_TOP)
			most[at] = s->sample[i].packets;
	}
	return most[TRACK_TOP - 1];
}

/* If some shard alone has ten contents of T packets each, the ten of all have T or more, and so T / n in some shard:
 * only those need to be summed over shards. */
void track_top(struct track *const *tracks, unsigned n, struct track_top *out)
{
	uint64_t tenth = 0;
	*out = (struct track_top){ 0 };
	for (unsigned s = 0; s < n; s++) {
		uint64_t here = tenth_of(&tracks[s]->samples);
		tenth = tenth > here ? tenth : here;
		out->left_out += tracks[s]->samples.left_out;
	}
	for (unsigned s = 0; s < n; s++)
		pick(tracks, n, s, (tenth + n - 1) / n, out);
}
