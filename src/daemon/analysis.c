#include "daemon/analysis.h"

#include "base/hash.h"
#include "daemon/pipeline.h"
#include "daemon/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What must be remembered of a file to derive minutes that it shares with others. */
struct file {
	char *path;
	uint64_t packets;      /* delivered; a file that has grown since is read no further */
	struct window *window; /* by minute, ascending */
	uint32_t n_windows, windows_room;
	struct spool *spool;   /* standard input and pipes, else NULL */
};

struct analysis {
	const struct env *env;
	struct analysis_config config;
	struct classify *classify;
	uint64_t shard_seed;
	struct track *total[ANALYSIS_SHARDS_MAX]; /* sources of all files */
	struct summary sum;     /* of all files, but what the trackers know */
	struct file *file;
	uint32_t n_files, room;
	struct window *derived; /* of analysis_derive */
	uint32_t derived_room;
	bool broken;
};

int analysis_open(struct analysis **out, const struct env *env, const struct analysis_config *config, struct error *e)
{
	struct analysis *a = env_alloc(env, sizeof *a);
	if (!a)
		return error_no_memory(e, "starting");
	a->env = env;
	a->config = *config;
	a->sum.min = INT64_MAX;
	a->sum.max = INT64_MIN;
	int rc = env->random(env, &a->shard_seed, sizeof a->shard_seed);
	if (rc)
		error_set(e, rc, "MON-DMN-003", "no random numbers to be had");
	else
		rc = classify_open(&a->classify, env, &a->config.scope, e);
	if (rc) {
		analysis_close(a);
		return rc;
	}
	*out = a;
	return 0;
}

static void file_fini(struct analysis *a, struct file *f)
{
	if (f->path)
		env_free(a->env, f->path, strlen(f->path) + 1);
	env_free(a->env, f->window, f->windows_room * sizeof *f->window);
	if (f->spool) {
		spool_close(f->spool);
		env_free(a->env, f->spool, sizeof *f->spool);
	}
}

void analysis_close(struct analysis *a)
{
	if (!a)
		return;
	for (uint32_t i = 0; i < a->n_files; i++)
		file_fini(a, &a->file[i]);
	env_free(a->env, a->file, a->room * sizeof *a->file);
	env_free(a->env, a->derived, a->derived_room * sizeof *a->derived);
	for (unsigned s = 0; s < ANALYSIS_SHARDS_MAX; s++)
		track_close(a->total[s]);
	if (a->classify)
		classify_close(a->classify);
	env_free(a->env, a, sizeof *a);
}

bool analysis_broken(const struct analysis *a) { return a->broken; }

/* ---- Trackers of one pass ---- */
/* What one shard may use. With several files there are two trackers a shard at a time: a pass's, and the total's. */
static size_t shard_memory(const struct analysis *a)
{
	return a->config.memory / a->config.shards / (a->config.several ? 2 : 1);
}

static void run_fini(struct run *r)
{
	for (unsigned s = 0; s < r->config->shards; s++) {
		track_close(r->track[s]);
		r->track[s] = NULL;
	}
}

/* `rows`: who is given them; NULL: nobody. */
static int run_init(struct analysis *a, struct run *r, bool hold, const struct analysis_rows *rows, struct error *e)
{
	*r = (struct run){ .env = a->env, .config = &a->config, .classify = a->classify, .shard_seed = a->shard_seed,
	                   .hold = hold, .packets_max = UINT64_MAX };
	struct track_config config = {
		.sensor = a->config.sensor, .memory = shard_memory(a),
		.spill_dir = a->config.temporary, .hold = hold, .outer_sources = a->config.decode.decapsulate,
	};
	int rc = 0;
	for (unsigned s = 0; !rc && s < a->config.shards; s++) {
		config.sink = rows ? &rows->shard[s] : NULL;
		rc = track_open(&r->track[s], a->env, &config, e);
	}
	if (rc)
		run_fini(r);
	return rc;
}

/* ---- Windows ---- */
static int compare_windows(const void *a, const void *b)
{
	int32_t x = (int32_t)((const struct window *)a)->minute, y = (int32_t)((const struct window *)b)->minute;
	return (x > y) - (x < y);
}

static void window_add(struct window *into, const struct window *w)
{
	into->flows += w->flows;
	into->packets += w->packets;
	into->attempts += w->attempts;
	into->victim_seconds += w->victim_seconds;
	into->flow_payloads += w->flow_payloads;
	digest_add(&into->payload_digest, w->payload_digest.lo, w->payload_digest.hi);
	digest_add(&into->flow_digest, w->flow_digest.lo, w->flow_digest.hi);
	digest_add(&into->victim_digest, w->victim_digest.lo, w->victim_digest.hi);
}

struct windows {
	struct window *window;
	uint32_t n, room;
};

static int windows_append(struct windows *v, const struct env *env, const struct window *w, uint32_t n,
                          struct error *e)
{
	if (v->room - v->n < n) {
		uint32_t room = v->room + n > 2 * v->room ? v->room + n : 2 * v->room;
		struct window *grown = env_grow(env, v->window, v->room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "summing minutes");
		v->window = grown;
		v->room = room;
	}
	if (n)
		memcpy(v->window + v->n, w, n * sizeof *w);
	v->n += n;
	return 0;
}

/* One window a minute, ascending; those whose minute is void are left out. */
static void windows_unite(struct windows *v, const struct minutes *void_minutes)
{
	uint32_t n = 0;
	if (v->n)
		qsort(v->window, v->n, sizeof *v->window, compare_windows);
	for (uint32_t i = 0; i < v->n; i++) {
		if (void_minutes && minutes_have(void_minutes, (int32_t)v->window[i].minute))
			continue;
		if (n && v->window[n - 1].minute == v->window[i].minute)
			window_add(&v->window[n - 1], &v->window[i]);
		else
			v->window[n++] = v->window[i];
	}
	v->n = n;
}

static void windows_fini(struct windows *v, const struct env *env)
{
	env_free(env, v->window, v->room * sizeof *v->window);
	*v = (struct windows){ 0 };
}

static void add_sources(struct summary *out, const struct track_result *t)
{
	out->sources += t->sources;
	out->evidence += t->evidence;
	digest_add(&out->evidence_digest, t->evidence_digest.lo, t->evidence_digest.hi);
	for (int i = 0; i < TOOL_COUNT; i++) {
		out->tool_packets[i] += t->tool_packets[i];
		out->tool_sources[i] += t->tool_sources[i];
	}
}

/* Seals the trackers of a run and gathers what they hold: windows, late minutes, sources. */
static int finish_run(struct analysis *a, struct run *r, struct windows *windows, struct minutes *late, bool *all_late,
                      struct summary *out, struct track *const *total, struct error *e)
{
	int rc = pipeline_finish(r, total, e);
	for (unsigned s = 0; !rc && s < a->config.shards; s++) {
		struct track_result t;
		track_result(r->track[s], &t);
		rc = windows_append(windows, a->env, t.windows, t.n_windows, e);
		if (!rc && late)
			rc = minutes_add(late, t.late, t.n_late, e);
		*all_late |= t.all_late;
		out->spills += t.spilled;
		add_sources(out, &t);
	}
	if (!rc && late) /* not a pass over minutes derived again */
		track_top(r->track, a->config.shards, &out->payloads);
	return rc;
}

/* ---- Deriving minutes again ---- */
static int read_again(struct analysis *a, struct run *r, const struct file *f, struct error *e)
{
	struct capture *capture;
	struct capture_config config = a->config.capture;
	config.follow = false;
	struct error ignored;
	bool broken;
	r->packets_max = f->packets;
	int rc = capture_open(&capture, a->env, f->spool ? f->spool->path : f->path, &config, e);
	if (rc)
		return rc;
	rc = pipeline_run(r, capture, &broken, &ignored);
	capture_close(capture);
	if (broken) {
		*e = ignored;
		return rc;
	}
	/* Damage past the packets that were read the first time is known already. */
	if (r->packets != f->packets)
		return error_set(e, -ESTALE, "MON-DMN-004", "%s changed while it was being read", f->path);
	return 0;
}

/* Windows of `minutes` (NULL: all) from the packets of `files`, held until the last is read. */
static int derive(struct analysis *a, const struct file *const *files, uint32_t n, const struct minutes *minutes,
                  const struct analysis_rows *rows, struct windows *out, struct summary *numbers, struct error *e)
{
	struct run r;
	bool all_late = false;
	int rc = run_init(a, &r, true, rows, e);
	if (rc)
		return rc;
	r.only = minutes;
	for (uint32_t i = 0; !rc && i < n; i++)
		rc = read_again(a, &r, files[i], e);
	if (!rc)
		rc = finish_run(a, &r, out, NULL, &all_late, numbers, NULL, e);
	run_fini(&r);
	return rc;
}

static void add_windows(struct summary *out, const struct windows *v)
{
	for (uint32_t i = 0; i < v->n; i++) {
		const struct window *w = &v->window[i];
		out->flows += w->flows;
		out->attempts += w->attempts;
		out->victim_seconds += w->victim_seconds;
		out->flow_payloads += w->flow_payloads;
		digest_add(&out->payload_digest, w->payload_digest.lo, w->payload_digest.hi);
		digest_add(&out->flow_digest, w->flow_digest.lo, w->flow_digest.hi);
		digest_add(&out->victim_digest, w->victim_digest.lo, w->victim_digest.hi);
	}
}

/* ---- A file ---- */
static int is_pipe(const struct analysis *a, const char *path)
{
	struct stat st;
	if (!strcmp(path, "-"))
		return 1;
	int fd = a->env->open(a->env, path, O_PATH, 0);
	if (fd < 0)
		return 0;
	int rc = a->env->stat(a->env, fd, &st);
	a->env->close(a->env, fd);
	return !rc && !S_ISREG(st.st_mode);
}

static int file_init(struct analysis *a, struct file *f, const char *path, struct error *e)
{
	*f = (struct file){ 0 };
	f->path = env_alloc(a->env, strlen(path) + 1);
	if (!f->path)
		return error_no_memory(e, "opening a file");
	memcpy(f->path, path, strlen(path) + 1);
	if (!is_pipe(a, path))
		return 0;
	f->spool = env_alloc(a->env, sizeof *f->spool);
	if (!f->spool)
		return error_no_memory(e, "opening a file");
	return spool_open(f->spool, a->env, a->config.temporary, e);
}

static int open_total(struct analysis *a, struct error *e)
{
	struct track_config config = { .sensor = a->config.sensor, .memory = shard_memory(a),
	                               .spill_dir = a->config.temporary };
	for (unsigned s = 0; s < a->config.shards && !a->total[s]; s++) {
		int rc = track_open(&a->total[s], a->env, &config, e);
		if (rc)
			return rc;
	}
	return 0;
}

/* Windows, sources and digests of a run over one file, late minutes derived again. */
static int settle(struct analysis *a, struct run *r, struct file *f, struct summary *out, struct error *e)
{
	struct windows windows = { 0 };
	struct minutes late = { .env = a->env };
	bool all_late = false;
	int rc = a->config.several ? open_total(a, e) : 0;
	if (!rc)
		rc = finish_run(a, r, &windows, &late, &all_late, out, a->config.several ? a->total : NULL, e);
	run_fini(r); /* frees their memory before the next pass needs it */
	if (!rc && (late.n || all_late)) {
		minutes_sort(&late);
		if (all_late)
			windows.n = 0;
		windows_unite(&windows, &late);
		out->late_minutes = late.n;
		if (a->config.rows)
			rc = a->config.rows->drop(a->config.rows->ctx, all_late ? NULL : late.minute, late.n, e);
	}
	if (!rc && (late.n || all_late)) {
		const struct file *only = f;
		rc = derive(a, &only, 1, all_late ? NULL : &late, a->config.rows, &windows, out, e);
	}
	windows_unite(&windows, NULL);
	add_windows(out, &windows);
	if (!rc && (a->config.several || a->config.rows)) {
		f->windows_room = windows.n + 1;
		f->window = env_alloc(a->env, f->windows_room * sizeof *f->window);
		rc = f->window ? 0 : error_no_memory(e, "remembering minutes");
	}
	if (f->window && windows.n) {
		memcpy(f->window, windows.window, windows.n * sizeof *f->window);
		f->n_windows = windows.n;
	}
	minutes_fini(&late);
	windows_fini(&windows, a->env);
	return rc;
}

static void describe(const struct capture *capture, struct summary *out)
{
	capture_info(capture, &out->capture);
	memcpy(out->links, out->capture.links, sizeof out->links);
	out->n_links = out->capture.n_links;
	capture_digest(capture, out->segment);
}

/* Adds a file's counts to those of all; sources, tools and rows of the total are found otherwise. */
static void add_counts(struct summary *sum, const struct summary *s)
{
	if (s->packets) {
		sum->first = sum->packets ? sum->first : s->first;
		sum->last = s->last;
		sum->min = sum->min < s->min ? sum->min : s->min;
		sum->max = sum->max > s->max ? sum->max : s->max;
	}
#define ADD(member) sum->member += s->member
	ADD(packets); ADD(bytes); ADD(ipv4); ADD(ipv6); ADD(non_ip); ADD(tcp); ADD(udp); ADD(icmp); ADD(icmpv6);
	ADD(other_ip); ADD(fragments); ADD(syn); ADD(synack); ADD(rst); ADD(truncated); ADD(bad_checksums);
	ADD(accesses); ADD(udp_unsure); ADD(quote_mismatches); ADD(cannot_tell); ADD(late_minutes); ADD(spills);
	for (int i = 0; i < CLASS_COUNT; i++)
		ADD(classes[i]);
	for (int i = 0; i < REASON_COUNT; i++) {
		ADD(ignored[i]);
		ADD(undecoded[i]);
	}
#undef ADD
	sum->capture.simulated |= s->capture.simulated;
	for (uint8_t i = 0; i < s->n_links; i++) {
		uint8_t at = 0;
		while (at < sum->n_links && sum->links[at] != s->links[i])
			at++;
		if (at == sum->n_links && at < sizeof sum->links / sizeof *sum->links)
			sum->links[sum->n_links++] = s->links[i];
	}
}

static int remember(struct analysis *a, struct file *f, struct error *e)
{
	if (a->n_files == a->room) {
		uint32_t room = a->room ? 2 * a->room : 16;
		struct file *grown = env_grow(a->env, a->file, a->room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "remembering files");
		a->file = grown;
		a->room = room;
	}
	a->file[a->n_files++] = *f;
	return 0;
}

/* Reads a file whose trackers are there; the capture's own error is not one of the analysis. */
static int read_file(struct analysis *a, struct run *r, struct file *f, struct summary *out, struct error *e)
{
	struct capture *capture;
	bool broken = false;
	int rc = capture_open(&capture, f->spool ? &f->spool->env : a->env, f->path, &a->config.capture, e);
	if (rc)
		return rc;
	r->counts = out;
	rc = pipeline_run(r, capture, &broken, e);
	a->broken |= broken;
	f->packets = out->packets = r->packets;
	out->first = r->first;
	out->last = r->last;
	describe(capture, out);
	capture_close(capture);
	return rc;
}

int analysis_file(struct analysis *a, const char *path, struct summary *out, struct error *e)
{
	struct file f;
	struct run r;
	struct error settling;
	*out = (struct summary){ .min = INT64_MAX, .max = INT64_MIN };
	int rc = file_init(a, &f, path, e);
	if (!rc)
		rc = run_init(a, &r, false, a->config.rows, e);
	if (rc) {
		file_fini(a, &f);
		a->broken = true;
		return rc;
	}
	rc = read_file(a, &r, &f, out, e);
	int settled = a->broken ? 0 : settle(a, &r, &f, out, &settling);
	run_fini(&r);
	if (!settled)
		settled = remember(a, &f, &settling);
	if (settled) {
		file_fini(a, &f);
		a->broken = true;
		*e = settling;
		return settled;
	}
	if (a->config.several)
		add_counts(&a->sum, out);
	else
		a->sum = *out;
	return rc;
}

/* ---- All files ---- */
/* Minutes that more than one file has. */
static int shared_minutes(struct analysis *a, struct windows *all, struct minutes *shared, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < a->n_files; i++)
		rc = windows_append(all, a->env, a->file[i].window, a->file[i].n_windows, e);
	if (!rc && all->n)
		qsort(all->window, all->n, sizeof *all->window, compare_windows);
	for (uint32_t i = 1; !rc && i < all->n; i++) {
		int32_t minute = (int32_t)all->window[i].minute;
		if (all->window[i - 1].minute == all->window[i].minute)
			rc = minutes_add(shared, &minute, 1, e);
	}
	minutes_sort(shared);
	return rc;
}

static bool file_has_any(const struct file *f, const struct minutes *m)
{
	for (uint32_t i = 0; i < f->n_windows; i++)
		if (minutes_have(m, (int32_t)f->window[i].minute))
			return true;
	return false;
}

static int derive_shared(struct analysis *a, const struct minutes *shared, struct windows *all, struct summary *out,
                         struct error *e)
{
	const struct file **files = env_alloc(a->env, (a->n_files + 1) * sizeof *files);
	uint32_t n = 0;
	if (!files)
		return error_no_memory(e, "deriving shared minutes");
	for (uint32_t i = 0; i < a->n_files; i++)
		if (file_has_any(&a->file[i], shared))
			files[n++] = &a->file[i];
	int rc = derive(a, files, n, shared, NULL, all, out, e);
	env_free(a->env, files, (a->n_files + 1) * sizeof *files);
	return rc;
}

int analysis_total(struct analysis *a, struct summary *out, struct error *e)
{
	struct windows all = { 0 };
	struct minutes shared = { .env = a->env };
	*out = a->sum;
	if (!a->config.several)
		return 0;
	int rc = shared_minutes(a, &all, &shared, e);
	windows_unite(&all, &shared);
	if (!rc && shared.n)
		rc = derive_shared(a, &shared, &all, out, e);
	add_windows(out, &all);
	for (unsigned s = 0; !rc && s < a->config.shards && a->total[s]; s++) {
		struct track_result t;
		rc = track_finish(a->total[s], NULL, e);
		if (rc)
			break;
		track_result(a->total[s], &t);
		add_sources(out, &t);
	}
	if (!rc && a->total[0])
		track_top(a->total, a->config.shards, &out->payloads);
	minutes_fini(&shared);
	windows_fini(&all, a->env);
	return rc;
}

/* ---- With a store ---- */
static struct file *last_file(const struct analysis *a) { return &a->file[a->n_files - 1]; }

void analysis_windows(const struct analysis *a, const struct window **windows, uint32_t *n)
{
	*windows = last_file(a)->window;
	*n = last_file(a)->n_windows;
}

int analysis_spool(const struct analysis *a) { return last_file(a)->spool ? last_file(a)->spool->fd : -1; }

static int read_segment(struct analysis *a, struct run *r, const struct analysis_segment *s, bool *broken,
                        struct error *e)
{
	struct capture *capture;
	struct capture_config config = a->config.capture;
	struct error damage;
	uint8_t digest[16];
	config.follow = false;
	int rc = capture_open(&capture, a->env, s->path, &config, e);
	if (rc)
		return rc;
	rc = pipeline_run(r, capture, broken, &damage); /* damage was there the first time too */
	capture_digest(capture, digest);
	capture_close(capture);
	if (*broken) {
		*e = damage;
		return rc;
	}
	if (r->packets != s->packets || memcmp(digest, s->digest, sizeof digest))
		return error_set(e, -ESTALE, "MON-DMN-005", "%s is not the file it was", s->path);
	return 0;
}

static int read_segments(struct analysis *a, struct run *r, const struct analysis_segment *others, uint32_t n,
                         uint32_t *absent, struct error *e)
{
	bool broken = false;
	for (uint32_t i = 0; i < n; i++) {
		int rc = read_segment(a, r, &others[i], &broken, e);
		if (rc) {
			*absent = broken ? n : i;
			return rc;
		}
	}
	return read_again(a, r, last_file(a), e);
}

static int keep_derived(struct analysis *a, struct windows *windows, struct error *e)
{
	windows_unite(windows, NULL);
	env_free(a->env, a->derived, a->derived_room * sizeof *a->derived);
	a->derived_room = windows->n + 1;
	a->derived = env_alloc(a->env, a->derived_room * sizeof *a->derived);
	if (!a->derived)
		return error_no_memory(e, "remembering minutes");
	if (windows->n)
		memcpy(a->derived, windows->window, windows->n * sizeof *a->derived);
	return 0;
}

int analysis_derive(struct analysis *a, const int32_t *minutes, uint32_t n_minutes, const struct analysis_segment *others,
                    uint32_t n_others, const struct window **windows, uint32_t *n, uint32_t *absent, struct error *e)
{
	struct run r;
	struct windows made = { 0 };
	struct summary numbers = { 0 };
	struct minutes only = { .env = a->env };
	bool all_late = false;
	*absent = n_others;
	int rc = minutes_add(&only, minutes, n_minutes, e);
	if (!rc)
		rc = run_init(a, &r, true, a->config.rows, e);
	if (!rc) {
		r.only = &only;
		rc = read_segments(a, &r, others, n_others, absent, e);
		if (!rc)
			rc = finish_run(a, &r, &made, NULL, &all_late, &numbers, NULL, e);
		run_fini(&r);
	}
	if (!rc)
		rc = keep_derived(a, &made, e);
	*windows = a->derived;
	*n = made.n;
	minutes_fini(&only);
	windows_fini(&made, a->env);
	return rc;
}
