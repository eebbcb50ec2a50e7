#include "daemon/folds.h"

#include "detect/detect.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

static int put_corsaro2(void *ctx, const struct rsdos_record *r, struct error *e)
{
	return store_fold_put(ctx, STORE_CORSARO2, r, e);
}

static int put_corsaro3(void *ctx, const struct rsdos_record *r, struct error *e)
{
	return store_fold_put(ctx, STORE_CORSARO3, r, e);
}

static int put_attack(void *ctx, const struct attack_record *r, struct error *e)
{
	return store_fold_put(ctx, STORE_ATTACK, r, e);
}

static int put_vector(void *ctx, const struct attack_vector_record *r, struct error *e)
{
	return store_fold_put(ctx, STORE_ATTACK_VECTOR, r, e);
}

static int put_onset(void *ctx, const struct onset_record *r, struct error *e)
{
	return store_fold_put(ctx, STORE_ONSET, r, e);
}

static int put_state(void *ctx, const struct victim_state *s, struct error *e) { return store_fold_put_state(ctx, s, e); }

struct folding {
	struct store_fold *fold;
	struct detect *detect;
	struct addr victim;
	bool begun;  /* a victim is at hand */
	bool unread; /* what lies at rest cannot be read */
	int64_t until;
};

static int end_victim(struct folding *f, struct error *e)
{
	int rc = f->begun ? detect_end(f->detect, f->until, e) : 0;
	f->begun = false;
	return rc;
}

static int take(struct folding *f, const struct store_fold_item *item, struct error *e)
{
	if (!f->begun || memcmp(&f->victim, &item->victim, sizeof f->victim)) {
		int rc = end_victim(f, e);
		struct victim_state before = { &item->victim, item->state, item->state ? item->state_n : 0 };
		if (!rc)
			rc = detect_begin(f->detect, &before, e);
		if (rc)
			return rc;
		f->victim = item->victim;
		f->begun = true;
	}
	return item->state ? 0 : detect_row(f->detect, &item->row, e);
}

static int fold_day(struct folding *f, struct error *e)
{
	struct store_fold_item item;
	bool more = true;
	int rc = 0;
	while (!rc) {
		rc = store_fold_next(f->fold, &item, &more, e);
		f->unread = rc == -EIO;
		if (rc || !more)
			break;
		rc = take(f, &item, e);
	}
	if (!rc)
		rc = end_victim(f, e);
	return rc ? rc : store_fold_end(f->fold, e);
}

static int fold_all(struct folding *f, struct error *e)
{
	bool more;
	int rc;
	while (!(rc = store_fold_day(f->fold, &more, &f->until, e)) && more) {
		rc = fold_day(f, e);
		if (rc)
			return rc;
	}
	f->unread = rc == -EIO;
	return rc ? rc : store_fold_commit(f->fold, e);
}

/* Rows that come must not wait for a damaged part of others: `store check` names it, and each commit tries again. */
int folds_run(struct store *s, const struct env *env, struct error *e)
{
	struct folding f = { 0 };
	int rc = store_fold_open(s, DETECT_VERSION, &f.fold, e);
	if (rc || !f.fold)
		return rc;
	struct detect_sink sink = { put_corsaro2, put_corsaro3, put_attack, put_vector, put_onset, put_state, f.fold };
	rc = detect_open(&f.detect, env, &sink, e);
	if (!rc)
		rc = fold_all(&f, e);
	detect_close(f.detect);
	store_fold_close(f.fold);
	return f.unread ? 0 : rc;
}
