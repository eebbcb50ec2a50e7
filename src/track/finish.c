/* What a shard comes to: open minutes sealed, what was spilled merged partition by partition, sources folded. */
#include "track/state.h"

#include <errno.h>
#include <string.h>

/* A partition that does not fit, because there is so much or because somebody chose it so, is parted once more by other
 * bits of a hash that nobody can choose for, and each part merged by itself. */
struct merge {
	struct track *t;
	struct open_window window;
	struct track *total;
	bool rows;        /* flow, victims, payloads; else sources and evidence */
	bool full;        /* what was taken did not fit */
	struct spill *into; /* while parting */
	unsigned depth;
	struct error *e;
};
#define MERGE_DEPTH 4 /* 64^4 parts: then it is one row alone that does not fit */

static inline bool merge_wants(const struct merge *m, enum spill_kind kind) { return m->rows == (kind <= SPILL_PAYLOAD); }

static int merge_row(struct merge *m, enum spill_kind kind, struct span record)
{
	int rc = open_window_take(&m->window, kind, record, m->e);
	return !rc && open_window_used(&m->window) > m->t->windows_limit ? spill_too_small(m->e) : rc;
}

static int merge_source(struct merge *m, enum spill_kind kind, struct span record)
{
	int rc = sources_take(&m->t->sources, kind, record, m->e);
	return !rc && sources_used(&m->t->sources) > m->t->sources_limit ? spill_too_small(m->e) : rc;
}

static int merge_record(void *ctx, enum spill_kind kind, struct span record)
{
	struct merge *m = ctx;
	if (!merge_wants(m, kind))
		return 0;
	int rc = m->rows ? merge_row(m, kind, record) : merge_source(m, kind, record);
	m->full = rc == -ENOSPC;
	return rc;
}

static int part_record(void *ctx, enum spill_kind kind, struct span record)
{
	struct merge *m = ctx;
	if (!merge_wants(m, kind))
		return 0;
	uint64_t hash = m->rows ? open_window_record_hash(&m->window, record) : sources_record_hash(&m->t->sources, record);
	uint32_t part = (uint32_t)(hash >> (6 * m->depth)) % SPILL_PARTITIONS;
	return spill_put(m->into, part, kind, record.p, (uint16_t)record.n, m->e);
}

static int absorb(struct track *total, const struct sources *s, struct error *e)
{
	const struct tally_row *r;
	for (uint64_t at = 0; (r = tally_next(&s->tally, &at));) {
		struct addr a = sources_addr(s, r->key);
		int rc = sources_used(&total->sources) > total->sources_limit ? -ENOSPC : sources_prepare(&total->sources, e);
		if (rc == -ENOSPC) {
			rc = track_hand_over_sources(total, e);
			if (!rc)
				rc = sources_prepare(&total->sources, e);
		}
		if (rc)
			return rc;
		struct tally_counts counts = tally_counts(&s->tally, r);
		sources_put(&total->sources, &a, (uint32_t)r->key & 0xffffff, &counts);
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
	int rc = sources_fold(&t->sources, t->sensor, t->config.hold ? NULL : t->config.sink, &t->result, e);
	return !rc && total ? absorb(total, &t->sources, e) : rc;
}

/* What a partition that fitted comes to. */
static int merge_tell(struct merge *m)
{
	struct track *t = m->t;
	if (!m->rows)
		return fold_sources(t, m->total, m->e);
	int rc = open_window_digest(&m->window, t->sensor, &t->sums, m->e);
	return !rc && t->config.sink ? open_window_emit(&m->window, t->sensor, t->config.sink, m->e) : rc;
}

static void merge_clear(struct merge *m)
{
	if (m->rows)
		open_window_clear(&m->window, 0);
	else
		sources_clear(&m->t->sources);
}

static int merge_partition(struct merge *m, struct spill *from, uint32_t partition);

static int merge_in_parts(struct merge *m, struct spill *from, uint32_t partition)
{
	struct spill *parts;
	int rc = spill_open(&parts, m->t->env, m->t->config.spill_dir, m->e);
	if (rc)
		return rc;
	m->into = parts;
	rc = spill_each(from, partition, part_record, m, m->e);
	m->depth++;
	for (uint32_t i = 0; !rc && i < SPILL_PARTITIONS; i++)
		rc = merge_partition(m, parts, i);
	m->depth--;
	spill_close(parts);
	return rc;
}

static int merge_partition(struct merge *m, struct spill *from, uint32_t partition)
{
	m->full = false;
	int rc = spill_each(from, partition, merge_record, m, m->e);
	bool full = m->full;
	if (!rc)
		rc = merge_tell(m);
	merge_clear(m);
	return full && m->depth < MERGE_DEPTH ? merge_in_parts(m, from, partition) : rc;
}

static int merge_spilled(struct track *t, struct track *total, struct error *e)
{
	struct merge m = { .t = t, .total = total, .e = e };
	int rc = t->sources_spilled ? track_hand_over_sources(t, e) : 0;
	if (!rc)
		rc = open_window_init(&m.window, t->env, t->windows_limit, true, e);
	for (uint32_t i = 0; !rc && i < 2 * SPILL_PARTITIONS; i++) {
		m.rows = i < SPILL_PARTITIONS;
		if (m.rows || t->sources_spilled)
			rc = merge_partition(&m, t->spill, i % SPILL_PARTITIONS);
	}
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
	if (!rc && total)
		rc = samples_merge(&total->samples, &t->samples, e);
	return rc;
}
