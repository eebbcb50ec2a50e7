/* What a shard comes to: open minutes sealed, what was spilled merged partition by partition, sources folded. */
#include "track/state.h"

#include <errno.h>
#include <string.h>

struct merge {
	struct track *t;
	struct open_window window;
	struct error *e;
};

static int merge_record(void *ctx, enum spill_kind kind, struct span record)
{
	struct merge *m = ctx;
	if (kind <= SPILL_PAYLOAD)
		return open_window_take(&m->window, kind, record, m->e);
	return sources_take(&m->t->sources, kind, record, m->e);
}

static int absorb(struct track *total, const struct sources *s, struct error *e)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct addr a = sources_addr(s, s->row[i].key);
		int rc = sources_used(&total->sources) > total->sources_limit ? -ENOSPC : sources_prepare(&total->sources, e);
		if (rc == -ENOSPC) {
			rc = track_hand_over_sources(total, e);
			if (!rc)
				rc = sources_prepare(&total->sources, e);
		}
		if (rc)
			return rc;
		sources_put(&total->sources, &a, (uint32_t)s->row[i].key & 0xffffff, s->row[i].packets, s->row[i].probes);
	}
	for (uint32_t i = 0; i < s->n_evidence; i++) {
		struct evidence_part part = sources_evidence(s, i);
		int rc = sources_prepare(&total->sources, e);
		if (!rc && sources_put_evidence(&total->sources, &part))
			continue;
		if (!rc || rc == -ENOSPC)
			rc = track_hand_over_sources(total, e);
		if (!rc)
			rc = sources_prepare(&total->sources, e);
		if (rc)
			return rc;
		sources_put_evidence(&total->sources, &part);
	}
	return 0;
}

static int fold_sources(struct track *t, struct track *total, struct error *e)
{
	int rc = sources_fold(&t->sources, t->sensor, &t->result, e);
	return !rc && total ? absorb(total, &t->sources, e) : rc;
}

static int merge_partition(struct merge *m, uint32_t partition, struct track *total, struct error *e)
{
	struct track *t = m->t;
	int rc = spill_each(t->spill, partition, merge_record, m, e);
	if (!rc)
		rc = open_window_digest(&m->window, t->sensor, &t->sums, e);
	if (!rc && t->sources_spilled) {
		rc = fold_sources(t, total, e);
		sources_clear(&t->sources);
	}
	open_window_clear(&m->window, 0);
	return rc;
}

static int merge_spilled(struct track *t, struct track *total, struct error *e)
{
	struct merge m = { .t = t, .e = e };
	int rc = t->sources_spilled ? track_hand_over_sources(t, e) : 0;
	if (!rc)
		rc = open_window_init(&m.window, t->env, t->windows_limit, true, e);
	for (uint32_t i = 0; !rc && i < SPILL_PARTITIONS; i++)
		rc = merge_partition(&m, i, total, e);
	open_window_fini(&m.window);
	return rc;
}

int track_finish(struct track *t, struct track *total, struct error *e)
{
	int rc = track_drain_evidence(t, e);
	for (uint32_t i = 0; !rc && i < n_windows(t); i++)
		if (t->window[i].open || t->config.hold)
			rc = track_seal(t, &t->window[i], e);
	if (!rc && t->spill)
		rc = merge_spilled(t, total, e);
	if (!rc && !t->sources_spilled)
		rc = fold_sources(t, total, e);
	return rc;
}
