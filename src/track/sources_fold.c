/* What the sources of a run come to: how many, which tools, and the digest of their evidence. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "model/records.h"
#include "track/sources.h"
#include "track/track.h"

#include <errno.h>
#include <string.h>

#define HOURS_A_DAY 24

/* A (source, UTC day) that showed evidence; its rows are chained through `next`. */
struct day {
	uint64_t key; /* name << 32 | family << 31 | day */
	uint32_t first;
	uint32_t pad;
};

#define FOLDED 96 /* (protocol, rule) pairs of a day: at most 6 × 16 */

/* Evidence of one (protocol, rule) over a day. Tuples of several hours are united, not added, so that one probe sent
 * again in the next hour stays one; exact to EVIDENCE_EXACT, past that the greatest hour's number, a lower bound. */
struct folded {
	struct evidence sum;
	uint32_t first;  /* evidence row that began it */
	uint32_t n_seen; /* tuples in `seen`; 0 until a second hour makes a union needed */
	uint64_t seen[EVIDENCE_EXACT];
};

struct fold {
	const struct sources *s;
	const struct env *env;
	struct index index;
	struct day *day;
	uint32_t *next; /* by evidence row; INDEX_NONE ends a chain */
	uint32_t n;
	struct folded *folded;  /* FOLDED of them, scratch */
	struct evidence *list;  /* likewise */
	uint32_t *tuples;       /* by evidence row: how many distinct */
};

static uint64_t hour_of(const struct evidence_row *r) { return r->key >> 7 & 0xffffff; }
static uint64_t source_part(uint64_t key) { return key & ~(uint64_t)(SOURCE_V6 - 1); }

static void chain(struct fold *f, uint32_t evidence)
{
	const struct evidence_row *r = &f->s->evidence[evidence];
	uint64_t key = source_part(r->key) | hour_of(r) / HOURS_A_DAY;
	uint64_t hash = hash_u64(&f->s->seed, key);
	struct index *x = &f->index;
	uint32_t tag = index_key(x, hash), at = index_at(x, hash);
	for (; index_live(x->slots[at]); at = index_next(x, at)) {
		struct day *d = &f->day[index_row(x, x->slots[at])];
		if (index_tagged(x, x->slots[at], tag) && d->key == key) {
			f->next[evidence] = d->first;
			d->first = evidence;
			return;
		}
	}
	index_put(x, at, tag, f->n);
	f->day[f->n++] = (struct day){ .key = key, .first = evidence };
	f->next[evidence] = INDEX_NONE;
}

static int fold_init(struct fold *f, const struct sources *s, struct error *e)
{
	*f = (struct fold){ .s = s, .env = s->env };
	uint32_t n = s->n_evidence + 1;
	int rc = index_init(&f->index, f->env, n, e);
	if (rc)
		return rc;
	f->day = env_alloc(f->env, n * sizeof *f->day);
	f->next = env_alloc(f->env, n * sizeof *f->next);
	f->folded = env_alloc(f->env, FOLDED * sizeof *f->folded);
	f->list = env_alloc(f->env, FOLDED * sizeof *f->list);
	f->tuples = env_alloc(f->env, n * sizeof *f->tuples);
	if (!f->day || !f->next || !f->folded || !f->list || !f->tuples)
		return error_no_memory(e, "folding the evidence of tools");
	for (uint32_t i = 0; i < s->n_evidence; i++) {
		chain(f, i);
		f->tuples[i] = (uint32_t)evidence_tuples(s, &s->evidence[i]);
	}
	return 0;
}

static void fold_fini(struct fold *f)
{
	uint32_t n = f->s->n_evidence + 1;
	index_fini(&f->index, f->env);
	env_free(f->env, f->day, n * sizeof *f->day);
	env_free(f->env, f->next, n * sizeof *f->next);
	env_free(f->env, f->folded, FOLDED * sizeof *f->folded);
	env_free(f->env, f->list, FOLDED * sizeof *f->list);
	env_free(f->env, f->tuples, n * sizeof *f->tuples);
}

/* What one pass over all sources tells. Hours: few in most files, which spares the look-ups of a whole day. */
struct census {
	uint32_t hour_least, hour_greatest;
	uint64_t packets, seen;
};

static struct census census_of(const struct sources *s)
{
	struct census c = { .hour_least = UINT32_MAX };
	const struct tally_row *r;
	for (uint64_t at = 0; (r = tally_next(&s->tally, &at));) {
		uint32_t hour = (uint32_t)r->key & (SOURCE_V6 - 1);
		c.hour_least = hour < c.hour_least ? hour : c.hour_least;
		c.hour_greatest = hour > c.hour_greatest ? hour : c.hour_greatest;
		c.packets += tally_counts(&s->tally, r).packets & ~SOURCE_SEEN;
		c.seen += r->counts >> 63;
	}
	return c;
}

/* Sums of one source's day over its hours. */
static uint64_t sum_hours(const struct sources *s, uint64_t day_key, const struct census *c,
                          uint64_t probes[PROBE_PROTOCOLS])
{
	uint64_t packets = 0;
	uint32_t day = (uint32_t)day_key & (SOURCE_V6 - 1);
	uint32_t from = day * HOURS_A_DAY, to = from + HOURS_A_DAY - 1;
	from = from > c->hour_least ? from : c->hour_least;
	to = to < c->hour_greatest ? to : c->hour_greatest;
	memset(probes, 0, PROBE_PROTOCOLS * sizeof *probes);
	for (uint32_t hour = from; hour <= to; hour++) {
		const struct tally_row *r = tally_find(&s->tally, source_part(day_key) | hour);
		if (!r)
			continue;
		struct tally_counts counts = tally_counts(&s->tally, r);
		packets += counts.packets & ~SOURCE_SEEN;
		for (uint32_t i = 0; i < PROBE_PROTOCOLS; i++)
			probes[i] += counts.probes[i];
	}
	return packets;
}

static void unite_tuples(struct folded *d, const struct evidence_part *part)
{
	for (uint32_t i = 0; i < part->n_tuples && d->n_seen < EVIDENCE_EXACT; i++) {
		uint32_t at = 0;
		while (at < d->n_seen && d->seen[at] != part->tuples[i])
			at++;
		if (part->tuples[i] && at == d->n_seen)
			d->seen[d->n_seen++] = part->tuples[i];
	}
	d->sum.tuples = d->sum.tuples > d->n_seen ? d->sum.tuples : d->n_seen;
}

static void evidence_merge(struct evidence *into, const struct evidence_part *part)
{
	into->packets += part->packets;
	into->sport_min = into->sport_min < part->sport_min ? into->sport_min : part->sport_min;
	into->sport_max = into->sport_max > part->sport_max ? into->sport_max : part->sport_max;
	into->ttl_min = into->ttl_min < part->ttl_min ? into->ttl_min : part->ttl_min;
	into->ttl_max = into->ttl_max > part->ttl_max ? into->ttl_max : part->ttl_max;
	for (uint32_t i = 0; i < part->keys.n && i < EVIDENCE_KEYS && into->n_keys <= EVIDENCE_KEYS; i++) {
		uint32_t at = 0;
		while (at < into->n_keys && into->key[at] != part->keys.key[i])
			at++;
		if (at == EVIDENCE_KEYS) {
			into->n_keys = 255;
			break;
		}
		into->key[at] = part->keys.key[i];
		into->key_packets[at] += part->keys.packets[i];
		into->n_keys = (uint8_t)(at == into->n_keys ? at + 1 : into->n_keys);
	}
	if (part->keys.n > EVIDENCE_KEYS)
		into->n_keys = 255;
}

static void unite_hour(const struct fold *f, struct folded *d, const struct evidence_part *part)
{
	if (!d->n_seen) {
		struct evidence_part first = sources_evidence(f->s, d->first);
		unite_tuples(d, &first);
	}
	unite_tuples(d, part);
}

static uint32_t gather(const struct fold *f, const struct day *day)
{
	uint32_t n = 0;
	for (uint32_t i = day->first; i != INDEX_NONE; i = f->next[i]) {
		struct evidence_part part = sources_evidence(f->s, i);
		uint32_t at = 0;
		while (at < n && (f->folded[at].sum.rule != part.rule || f->folded[at].sum.proto != part.protocol))
			at++;
		struct folded *d = &f->folded[at];
		if (at == n) {
			d->sum = (struct evidence){ .rule = part.rule, .proto = part.protocol, .sport_min = UINT16_MAX,
			                            .ttl_min = UINT8_MAX };
			d->first = i;
			d->n_seen = 0;
			n++;
		}
		evidence_merge(&d->sum, &part);
		d->sum.tuples = d->sum.tuples > f->tuples[i] ? d->sum.tuples : f->tuples[i];
		if (d->first != i)
			unite_hour(f, d, &part);
	}
	for (uint32_t i = 0; i < n; i++)
		f->list[i] = f->folded[i].sum;
	return n;
}

static void fold_tools(const struct fold *f, const struct census *c, struct sources_result *out)
{
	uint64_t named = 0;
	for (uint32_t i = 0; i < f->n; i++) {
		uint64_t probes[PROBE_PROTOCOLS];
		uint32_t n = gather(f, &f->day[i]);
		uint64_t packets = sum_hours(f->s, f->day[i].key, c, probes);
		enum tool tool = tool_verdict(f->list, n, probes);
		if (tool == TOOL_UNKNOWN)
			continue;
		out->tool_packets[tool] += packets;
		out->tool_sources[tool]++;
		named += packets;
	}
	out->tool_packets[TOOL_UNKNOWN] += c->packets - named;
}

/* ---- Distinct sources: rows are by hour, so those of a run of several hours are united ---- */
static int count_distinct(const struct sources *s, const struct census *c, uint64_t *out, struct error *e)
{
	if (c->hour_least >= c->hour_greatest) {
		*out += c->seen;
		return 0;
	}
	struct tally distinct;
	const struct tally_row *r;
	int rc = tally_init(&distinct, s->env, SIZE_MAX / 2, e);
	if (rc)
		return rc;
	for (uint64_t at = 0; !rc && (r = tally_next(&s->tally, &at));) {
		if (!(r->counts & SOURCE_SEEN))
			continue;
		rc = tally_prepare(&distinct, 1, e);
		if (!rc)
			tally_add(&distinct, &(struct tally_entry){ .key = source_part(r->key), .seen = 1 });
	}
	*out += distinct.n;
	tally_fini(&distinct);
	return rc;
}

/* ---- Rows of source_evidence ---- */
static struct source_evidence_record evidence_record(const struct fold *f, uint32_t i, const struct evidence_part *part,
                                                     uint64_t sensor)
{
	return (struct source_evidence_record){
		.hour = part->hour, .sensor = sensor, .source = part->addr, .protocol = part->protocol, .rule = part->rule,
		.packets = part->packets, .tuples = f->tuples[i], .sport_min = part->sport_min,
		.sport_max = part->sport_max, .ttl_min = part->ttl_min, .ttl_max = part->ttl_max,
	};
}

static void digest_evidence(const struct source_evidence_record *r, struct sources_result *out)
{
	uint8_t bytes[RECORD_MAX];
	XXH128_hash_t x = XXH3_128bits(bytes, source_evidence_record_store(r, bytes));
	digest_add(&out->evidence_digest, x.low64, x.high64);
}

static int emit_evidence(const struct evidence_part *part, const struct source_evidence_record *r,
                         const struct track_sink *sink, struct error *e)
{
	uint64_t tuples[EVIDENCE_EXACT];
	struct evidence_set out = { .row = *r, .tuples = tuples, .registers = part->registers,
	                              .n_keys = part->keys.n, .key = part->keys.key, .key_packets = part->keys.packets };
	for (uint32_t i = 0; i < part->n_tuples && out.n_tuples < EVIDENCE_EXACT; i++)
		if (part->tuples[i])
			tuples[out.n_tuples++] = part->tuples[i];
	return sink->evidence(sink->ctx, &out, 1, e);
}

static int tell_evidence(const struct fold *f, uint64_t sensor, const struct track_sink *sink,
                         struct sources_result *out, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < f->s->n_evidence; i++) {
		struct evidence_part part = sources_evidence(f->s, i);
		struct source_evidence_record r = evidence_record(f, i, &part, sensor);
		digest_evidence(&r, out);
		if (sink && sink->evidence)
			rc = emit_evidence(&part, &r, sink, e);
	}
	out->evidence += f->s->n_evidence;
	return rc;
}

int sources_fold(const struct sources *s, uint64_t sensor, const struct track_sink *sink, struct sources_result *out,
                 struct error *e)
{
	struct fold f;
	struct census c = census_of(s);
	int rc = fold_init(&f, s, e);
	if (!rc) {
		fold_tools(&f, &c, out);
		rc = tell_evidence(&f, sensor, sink, out, e);
	}
	if (!rc)
		rc = count_distinct(s, &c, &out->distinct, e);
	fold_fini(&f);
	return rc;
}
