#include "daemon/ingest.h"

#include "base/hash.h"
#include "daemon/folds.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ingest {
	const struct env *env;
	struct store *store;
	struct analysis_rows rows;
	struct store_origins origins;
	bool broken;
};

/* ---- Countries and AS ---- */
#define LOOKED_UP 256

static void look_up(const void *ctx, const struct addr *addresses, size_t n, struct store_origin *out)
{
	for (size_t at = 0; at < n; at += LOOKED_UP) {
		struct enrich_answer answer[LOOKED_UP];
		size_t some = n - at < LOOKED_UP ? n - at : LOOKED_UP;
		enrich_lookup(ctx, addresses + at, some, answer);
		for (size_t i = 0; i < some; i++) {
			memcpy(out[at + i].country, answer[i].country, sizeof out->country);
			out[at + i].as_number = answer[i].as_number;
		}
	}
}

static const uint8_t *digest_of(const struct enrich *x, enum enrich_kind kind)
{
	const struct enrich_database *d = enrich_database(x, kind);
	return d ? d->digest : NULL;
}

void ingest_place(struct ingest *in, const struct enrich *x)
{
	in->origins = (struct store_origins){ look_up, x, digest_of(x, ENRICH_COUNTRY), digest_of(x, ENRICH_AS) };
	store_place(in->store, &in->origins);
}

/* ---- Rows ---- */
static int take_flows(void *ctx, const struct flow_record *r, size_t n, struct error *e)
{
	return store_put_flows(ctx, r, n, e);
}

static int take_payloads(void *ctx, const struct flow_payload_record *r, size_t n, struct error *e)
{
	return store_put_payloads(ctx, r, n, e);
}

static int take_victims(void *ctx, const int32_t *minute, const struct victim_second_record *r, size_t n, struct error *e)
{
	return store_put_victims(ctx, minute, r, n, e);
}

static int take_evidence(void *ctx, const struct evidence_set *r, size_t n, struct error *e)
{
	return store_put_evidence(ctx, r, n, e);
}

static int drop_rows(void *ctx, const int32_t *minutes, uint32_t n, struct error *e)
{
	return store_drop(ctx, minutes, n, e);
}

/* ---- Opening ---- */
/* What is no table and does not grow: the programs' code, the databases, blocks that are read ahead. */
#define BESIDE ((size_t)96 << 20)

/* --memory bounds all of the process, from INGEST_MEMORY_KEPT on. */
static size_t memory_of_tables(size_t memory) { return memory > 2 * BESIDE ? memory - BESIDE : memory / 2; }

static size_t memory_of_shards(const struct analysis_config *config, size_t tables)
{
	size_t least = (size_t)ANALYSIS_MEMORY_LEAST * config->shards;
	return tables / 2 > least ? tables / 2 : least;
}

static struct store_config store_of(const struct ingest_config *ingest, const struct analysis_config *config)
{
	return (struct store_config){ .path = ingest->db, .sensor = config->sensor, .monitored = ingest->monitored,
		                      .options = ingest->options, .mode = ingest->mode,
		                      .addresses = scope_addresses(&config->scope),
		                      .memory = memory_of_tables(config->memory) };
}

static void take_over(struct ingest *in, struct analysis_config *config)
{
	config->rows = &in->rows;
	config->memory = memory_of_shards(config, memory_of_tables(config->memory));
}

int ingest_open(struct ingest **out, const struct env *env, const struct ingest_config *ingest,
                struct analysis_config *config, struct error *e)
{
	struct ingest *in = env_alloc(env, sizeof *in);
	if (!in)
		return error_no_memory(e, "opening the store");
	in->env = env;
	struct store_config store = store_of(ingest, config);
	int rc = store_open(&in->store, env, &store, e);
	if (rc) {
		ingest_close(in);
		return rc;
	}
	for (unsigned s = 0; s < ANALYSIS_SHARDS_MAX; s++)
		in->rows.shard[s] = (struct track_sink){ take_flows, take_payloads, take_victims, take_evidence, in->store };
	in->rows.drop = drop_rows;
	in->rows.ctx = in->store;
	take_over(in, config);
	*out = in;
	return 0;
}

int ingest_turn(struct ingest *in, const struct ingest_config *ingest, struct analysis_config *config, struct error *e)
{
	struct store_config store = store_of(ingest, config);
	int rc = store_turn(in->store, &store, e);
	in->broken |= rc != 0;
	take_over(in, config);
	return rc;
}

void ingest_close(struct ingest *in)
{
	if (!in)
		return;
	store_close(in->store);
	env_free(in->env, in, sizeof *in);
}

/* ---- A file ---- */
/* The ledger keeps why. */
static int refuse(struct ingest *in, struct summary *out, const char *absent, const struct error *why, struct error *e)
{
	char reason[sizeof why->text];
	bool named = strstr(why->text, absent);
	snprintf(reason, sizeof reason, "%.180s%s%.100s", named ? "" : absent, named ? "" : " ", why->text);
	int rc = store_segment_refuse(in->store, reason, e);
	if (rc)
		return rc;
	out->stored = "refused";
	return error_set(e, -ESTALE, "MON-DMN-006", "too late: minutes of it are sealed, and %.220s", reason);
}

/* Minutes that stored segments have too come anew, from all of them. */
static int derive_shared(struct ingest *in, struct analysis *a, const struct store_plan *plan, struct summary *out,
                         struct error *e)
{
	struct error why;
	const struct window *windows;
	uint32_t n, absent = 0;
	struct analysis_segment *others = env_alloc(in->env, (plan->n_segments + 1) * sizeof *others);
	if (!others)
		return error_no_memory(e, "deriving shared minutes");
	for (uint32_t i = 0; i < plan->n_segments; i++) {
		others[i] = (struct analysis_segment){ .path = plan->segment[i].path, .packets = plan->segment[i].packets };
		memcpy(others[i].digest, plan->segment[i].digest, sizeof others[i].digest);
	}
	int rc = store_drop(in->store, plan->minutes, plan->n_minutes, e);
	if (!rc) {
		rc = analysis_derive(a, plan->minutes, plan->n_minutes, others, plan->n_segments, &windows, &n, &absent, &why);
		if (!rc)
			rc = store_segment_join(in->store, windows, n, e);
		else if (absent == plan->n_segments)
			*e = why;
		else {
			rc = refuse(in, out, others[absent].path, &why, e);
		}
	}
	env_free(in->env, others, (plan->n_segments + 1) * sizeof *others);
	return rc;
}

/* Where the file can be read again: a stream is kept in the store, unless that has it. */
static int find_path(struct ingest *in, struct analysis *a, const char *path, const struct summary *s,
                     char out[static PATH_MAX], bool *spooled, struct error *e)
{
	bool known;
	int fd = analysis_spool(a);
	*spooled = false;
	if (fd < 0)
		return realpath(path, out) ? 0 :
		       error_set(e, -errno, "MON-DMN-007", "%s has no absolute path: %s", path, strerror(errno));
	int rc = store_knows(in->store, s->segment, &known, e);
	snprintf(out, PATH_MAX, "-");
	if (rc || known)
		return rc;
	*spooled = true;
	return store_spool(in->store, fd, s->segment, strcmp(s->capture.compression, "none") != 0, out, e);
}

/* What a live sensor says it observed; packets from outside of it widen it. */
static void say_observed(struct store_segment *segment, const struct observed *o)
{
	if (!o->sections || o->to <= o->from)
		return;
	segment->min = segment->packets && segment->min < o->from ? segment->min : o->from;
	segment->max = segment->packets && segment->max > o->to - 1 ? segment->max : o->to - 1;
	segment->dropped = o->dropped;
	segment->observed = true;
	segment->mode = o->mode;
}

static int end_segment(struct ingest *in, struct analysis *a, const char *path, bool live, struct summary *out,
                       struct error *e)
{
	struct store_plan plan;
	enum store_outcome outcome;
	const struct window *windows;
	uint32_t n;
	struct store_segment segment = { .path = path, .packets = out->packets, .bytes = out->bytes, .min = out->min,
	                                 .max = out->max, .uncompressed = out->capture.uncompressed,
	                                 .simulated = out->capture.simulated };
	memcpy(segment.digest, out->segment, sizeof segment.digest);
	if (live)
		say_observed(&segment, &out->capture.observed);
	analysis_windows(a, &windows, &n);
	int rc = store_segment_end(in->store, &segment, windows, n, &outcome, &plan, e);
	if (rc)
		return rc;
	out->stored = outcome == STORE_KNOWN ? "known" : outcome == STORE_REFUSED ? "refused" : "added";
	if (outcome == STORE_REFUSED)
		return error_set(e, -ESTALE, "MON-DMN-006", "too late: %s", plan.reason);
	if (outcome == STORE_SHARED)
		return derive_shared(in, a, &plan, out, e);
	return store_commit_due(in->store) ? store_commit(in->store, e) : 0;
}

static int add_segment(struct ingest *in, struct analysis *a, const char *path, struct summary *out, struct error *e)
{
	char whole[PATH_MAX];
	struct error ignored;
	bool spooled;
	int rc = find_path(in, a, path, out, whole, &spooled, e);
	if (!rc)
		rc = end_segment(in, a, whole, false, out, e);
	if (spooled && rc && store_unspool(in->store, whole, &ignored))
		return rc; /* the next writer removes it */
	return rc;
}

static bool refused(const struct summary *s) { return s->stored && !strcmp(s->stored, "refused"); }

/* `inside`: NULL, or where in the store it lies. */
static int ingest(struct ingest *in, struct analysis *a, const char *path, const char *inside, struct summary *out,
                  struct error *e)
{
	struct error ignored, storing;
	int rc = store_segment_begin(in->store, e);
	if (rc) {
		in->broken = true;
		return rc;
	}
	int read = analysis_file(a, path, out, e);
	if (analysis_broken(a) || !out->capture.uncompressed) { /* nothing of it was read */
		rc = store_segment_abandon(in->store, &ignored);
		in->broken |= rc != 0;
		return read;
	}
	rc = inside ? end_segment(in, a, inside, true, out, &storing) : add_segment(in, a, path, out, &storing);
	in->broken |= rc && !refused(out);
	if (rc)
		*e = storing;
	return rc ? rc : read;
}

int ingest_file(struct ingest *in, struct analysis *a, const char *path, struct summary *out, struct error *e)
{
	return ingest(in, a, path, NULL, out, e);
}

int ingest_segment(struct ingest *in, struct analysis *a, const char *path, const char *inside, struct summary *out,
                   struct error *e)
{
	return ingest(in, a, path, inside, out, e);
}

int ingest_has(struct ingest *in, const char *inside, bool *out, struct error *e)
{
	int rc = store_has_path(in->store, inside, out, e);
	in->broken |= rc != 0;
	return rc;
}

/* ---- Quarantine ---- */
static int name_by_frames(const struct ingest *in, const char *path, struct store_segment *segment, struct error *e)
{
	struct capture *capture;
	struct frame_block block;
	struct capture_info info;
	int rc = capture_open(&capture, in->env, path, &(struct capture_config){ 0 }, e), more = 0;
	if (rc)
		return rc;
	rc = frame_block_init(&block, in->env, e);
	while (!rc && (more = capture_read(capture, &block, e)) == CAPTURE_FRAMES)
		segment->packets += block.n;
	capture_digest(capture, segment->digest);
	capture_info(capture, &info);
	segment->uncompressed = info.uncompressed;
	frame_block_fini(&block, in->env);
	capture_close(capture);
	segment->packets = 0; /* none of them is in a row */
	return rc;
}

#define HASHED 65536

/* Two folds of all bytes, each with constants of its own: a name, no proof. */
static int name_by_bytes(const struct ingest *in, const char *path, struct store_segment *segment, struct error *e)
{
	uint64_t half[2] = { 0x243f6a8885a308d3u, 0x13198a2e03707344u }; /* digits of pi */
	uint64_t *block = env_alloc(in->env, HASHED);
	int fd = block ? in->env->open(in->env, path, O_RDONLY | O_CLOEXEC, 0) : -ENOMEM;
	ssize_t n = fd < 0 ? fd : 1;
	while (n > 0) {
		memset(block, 0, HASHED);
		n = in->env->read(in->env, fd, block, HASHED);
		n = n == -EINTR ? 1 : n;
		for (ssize_t i = 0; i < (n > 0 ? (n + 7) / 8 : 0); i++) {
			half[0] = hash_fold(half[0] ^ block[i], 0x9e3779b97f4a7c15u);
			half[1] = hash_fold(half[1] + block[i], 0xc2b2ae3d27d4eb4fu);
		}
	}
	if (fd >= 0)
		in->env->close(in->env, fd);
	env_free(in->env, block, HASHED);
	memcpy(segment->digest, half, sizeof half);
	return n < 0 ? error_set(e, (int)n, "MON-DMN-026", "%s cannot be read: %s", path, strerror((int)-n)) : 0;
}

int ingest_quarantine(struct ingest *in, const char *path, const char *kept_as, bool read, const char *reason,
                      struct error *e)
{
	struct store_segment segment = { .path = kept_as };
	int rc = read ? name_by_frames(in, path, &segment, e) : name_by_bytes(in, path, &segment, e);
	if (!rc)
		rc = store_segment_begin(in->store, e);
	if (!rc)
		rc = store_segment_quarantine(in->store, &segment, reason, e);
	in->broken |= rc != 0;
	return rc;
}

bool ingest_broken(const struct ingest *in) { return in->broken; }

int ingest_finish(struct ingest *in, struct error *e)
{
	int rc = in->broken ? 0 : store_commit(in->store, e);
	if (!rc && !in->broken)
		rc = folds_run(in->store, in->env, e);
	return rc || in->broken ? rc : store_settle(in->store, e);
}
