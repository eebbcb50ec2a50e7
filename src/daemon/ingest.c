#include "daemon/ingest.h"

#include "store/store.h"

#include <errno.h>
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
#define LOOKED_UP 64

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

static const struct store_origins *origins_of(struct ingest *in, const struct enrich *x)
{
	if (!x)
		return NULL;
	in->origins = (struct store_origins){ look_up, x, digest_of(x, ENRICH_COUNTRY), digest_of(x, ENRICH_AS) };
	return &in->origins;
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
/* Addresses in prefixes; those within another are counted once. 0: not known, or more than can be said. */
static uint64_t count_addresses(const struct prefix *p, size_t n)
{
	uint64_t all = 0;
	for (size_t i = 0; i < n; i++) {
		bool within = false;
		for (size_t k = 0; k < n && !within; k++)
			within = k != i && p[k].version == p[i].version &&
			         (p[k].bits < p[i].bits || (p[k].bits == p[i].bits && k < i)) &&
			         (p[k].version == 4 ? prefix_contains4(&p[k], addr_v4(&p[i].net)) :
			                              prefix_contains6(&p[k], p[i].net.bytes));
		unsigned free_bits = (p[i].version == 4 ? 32u : 128u) - p[i].bits;
		if (free_bits > 62)
			return 0;
		all += within ? 0 : 1ull << free_bits;
	}
	return all;
}

int ingest_open(struct ingest **out, const struct env *env, const struct ingest_config *ingest,
                struct analysis_config *config, struct error *e)
{
	struct ingest *in = env_alloc(env, sizeof *in);
	if (!in)
		return error_no_memory(e, "opening the store");
	in->env = env;
	struct store_config store = {
		.path = ingest->db, .sensor = config->sensor, .monitored = ingest->monitored, .options = ingest->options,
		.addresses = count_addresses(config->scope.monitored, config->scope.n_monitored), .memory = config->memory,
		.origins = origins_of(in, ingest->enrich),
	};
	int rc = store_open(&in->store, env, &store, e);
	if (rc) {
		ingest_close(in);
		return rc;
	}
	for (unsigned s = 0; s < ANALYSIS_SHARDS_MAX; s++)
		in->rows.shard[s] = (struct track_sink){ take_flows, take_payloads, take_victims, take_evidence, in->store };
	in->rows.drop = drop_rows;
	in->rows.ctx = in->store;
	config->rows = &in->rows;
	config->memory /= 2;
	*out = in;
	return 0;
}

void ingest_close(struct ingest *in)
{
	if (!in)
		return;
	store_close(in->store);
	env_free(in->env, in, sizeof *in);
}

bool ingest_broken(const struct ingest *in) { return in->broken; }

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

static int end_segment(struct ingest *in, struct analysis *a, const char *path, struct summary *out, struct error *e)
{
	struct store_plan plan;
	enum store_outcome outcome;
	const struct window *windows;
	uint32_t n;
	struct store_segment segment = { .path = path, .packets = out->packets, .bytes = out->bytes, .min = out->min,
	                                 .max = out->max, .uncompressed = out->capture.uncompressed,
	                                 .simulated = out->capture.simulated };
	memcpy(segment.digest, out->segment, sizeof segment.digest);
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
		rc = end_segment(in, a, whole, out, e);
	if (spooled && rc && store_unspool(in->store, whole, &ignored))
		return rc; /* the next writer removes it */
	return rc;
}

static bool refused(const struct summary *s) { return s->stored && !strcmp(s->stored, "refused"); }

int ingest_file(struct ingest *in, struct analysis *a, const char *path, struct summary *out, struct error *e)
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
	rc = add_segment(in, a, path, out, &storing);
	in->broken |= rc && !refused(out);
	if (rc)
		*e = storing;
	return rc ? rc : read;
}

int ingest_finish(struct ingest *in, struct error *e) { return in->broken ? 0 : store_commit(in->store, e); }
