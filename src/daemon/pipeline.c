#include "daemon/pipeline.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/moment.h"
#include "daemon/counts.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define BATCH 128
#define PROGRESS_NS 200000000
#define FOLLOW_WAIT_NS 50000000

enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_READY };

/* Where in a share the frames of some batches end whose plain ones are of one minute. */
struct cut {
	int32_t minute;
	uint32_t hits, packets;
};

/* What of a block belongs to one shard: hits of plain frames, and which packets. */
struct share {
	struct hit *hits;
	uint16_t *which;
	struct cut *cut;
	uint32_t n_hits, n, n_cuts;
};

struct slot {
	struct frame_block block;
	enum slot_state state;
	uint64_t number;          /* of its block in the file */
	unsigned remaining;       /* shards that have not taken their share */
	struct packet *packets;   /* of the block, decoded once for all shards; several shards only */
	struct verdict *verdicts;
	uint32_t n, room, frames_room;
	struct share share[ANALYSIS_SHARDS_MAX];
	uint8_t (*mapped)[32];    /* IPv6 addresses behind a NAT map, and outer sources: 2 a frame */
	uint32_t mapped_room;
};

/* A frame makes at most three packets: itself, its victim's, its outer source's. */
#define PACKETS_A_FRAME 3

struct pipeline {
	struct run *run;
	struct capture *capture;
	unsigned shards, n_slots;
	bool plain; /* the short cut may be taken */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot *slot;
	bool reading;           /* somebody is in capture_read */
	bool ended;
	uint64_t blocks;        /* read so far */
	int rc;                 /* of the capture */
	struct error error;
	int broken;             /* of a tracker, or of memory */
	struct error broken_error;
	int64_t next_progress;
};

struct worker {
	struct pipeline *p;
	unsigned shard;
	uint64_t taken; /* blocks of which this shard has taken its share */
	struct counts counts;
	pthread_t thread;
};

static void fail(struct pipeline *p, int rc, const struct error *e)
{
	pthread_mutex_lock(&p->lock);
	if (!p->broken) {
		p->broken = rc;
		p->broken_error = *e;
	}
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* ---- Shares ---- */
static unsigned shard_of_key(const struct pipeline *p, uint64_t key)
{
	uint64_t hash = hash_fold(key ^ p->run->shard_seed, 0x9e3779b97f4a7c15u);
	return (unsigned)((hash >> 32) * p->shards >> 32);
}

static uint64_t shard_key6(const struct pipeline *p, const uint8_t address[static 16])
{
	return hash_fold(load_le64(address) ^ p->run->shard_seed, load_le64(address + 8) | 1);
}

static unsigned shard_of(const struct pipeline *p, const struct packet *k)
{
	return shard_of_key(p, k->version == 6 ? shard_key6(p, k->addrs6) : k->src);
}

/* Errors about one victim come from many routers: where its rows are is told by the victim. */
static unsigned shard_of_victim(const struct pipeline *p, const struct packet *k, unsigned source_shard)
{
	struct victim victim;
	if (!classify_victim(k, &victim))
		return source_shard;
	return shard_of_key(p, addr_is_v4(&victim.addr) ? addr_v4(&victim.addr) : shard_key6(p, victim.addr.bytes));
}

static size_t cuts_room(uint32_t frames) { return frames / BATCH + 1; }

static void slot_free(struct pipeline *p, struct slot *slot)
{
	const struct env *env = p->run->env;
	env_free(env, slot->packets, slot->room * sizeof *slot->packets);
	env_free(env, slot->verdicts, slot->room * sizeof *slot->verdicts);
	for (unsigned i = 0; i < p->shards; i++) {
		struct share *s = &slot->share[i];
		env_free(env, s->which, slot->room * sizeof *s->which);
		env_free(env, s->hits, slot->frames_room * sizeof *s->hits);
		env_free(env, s->cut, cuts_room(slot->frames_room) * sizeof *s->cut);
		*s = (struct share){ 0 };
	}
	slot->packets = NULL;
	slot->verdicts = NULL;
	slot->room = slot->frames_room = 0;
}

static bool share_alloc(const struct env *env, const struct slot *slot, struct share *s)
{
	s->which = env_alloc(env, slot->room * sizeof *s->which);
	s->hits = env_alloc(env, slot->frames_room * sizeof *s->hits);
	s->cut = env_alloc(env, cuts_room(slot->frames_room) * sizeof *s->cut);
	return s->which && s->hits && s->cut;
}

/* Room for the packets of a block, in the slot and in every share. */
static int slot_reserve(struct pipeline *p, struct slot *slot, struct error *e)
{
	const struct env *env = p->run->env;
	slot->n = 0;
	for (unsigned s = 0; s < p->shards; s++)
		slot->share[s].n = slot->share[s].n_hits = slot->share[s].n_cuts = 0;
	if (p->shards == 1 || slot->block.n <= slot->frames_room)
		return 0;
	slot_free(p, slot);
	slot->frames_room = slot->block.capacity;
	slot->room = slot->frames_room * PACKETS_A_FRAME;
	assert(slot->room <= UINT16_MAX + 1u); /* which[] is 16 bits; a block has 16,384 frames at the most */
	slot->packets = env_alloc(env, slot->room * sizeof *slot->packets);
	slot->verdicts = env_alloc(env, slot->room * sizeof *slot->verdicts);
	bool failed = !slot->packets || !slot->verdicts;
	for (unsigned s = 0; s < p->shards; s++)
		failed |= !share_alloc(env, slot, &slot->share[s]);
	return failed ? error_no_memory(e, "sharing a block among shards") : 0;
}

static inline void share_put(struct share *s, uint32_t packet) { s->which[s->n++] = (uint16_t)packet; }

static void share_cut(struct share *s, int32_t minute)
{
	if (!s->n_cuts || s->cut[s->n_cuts - 1].minute != minute)
		s->cut[s->n_cuts++].minute = minute;
	s->cut[s->n_cuts - 1].hits = s->n_hits;
	s->cut[s->n_cuts - 1].packets = s->n;
}

/* Gives packet i of a slot, and where its victim's rows are elsewhere, a copy that speaks of the victim alone. */
static inline void give(struct pipeline *p, struct slot *slot, uint32_t i)
{
	const struct packet *k = &slot->packets[i];
	struct verdict *v = &slot->verdicts[i];
	if (!k->ip)
		return;
	unsigned shard = shard_of(p, k);
	if (__builtin_expect(v->class == CLASS_BACKSCATTER && k->proto != PROTO_TCP, 0)) {
		unsigned other = shard_of_victim(p, k, shard);
		if (other != shard) {
			v->flags |= VERDICT_VICTIM_ELSEWHERE;
			slot->packets[slot->n] = *k;
			slot->verdicts[slot->n] = (struct verdict){ .flags = VERDICT_VICTIM_ONLY };
			share_put(&slot->share[other], slot->n++);
		}
	}
	share_put(&slot->share[shard], i);
}

/* ---- A block ---- */
/* With decapsulation the source that counts as seen is that of the outer header: it goes as a packet of its own that
 * makes no row, and the others make rows without being seen. */
static size_t outer_sources(const struct frame *frames, const struct packet *packets, size_t n, struct packet *out,
                            uint8_t (*mapped)[32])
{
	size_t made = 0;
	for (size_t i = 0; i < n; i++) {
		if (!packets[i].outer_version)
			continue;
		struct packet *o = &out[made];
		*o = packets[i];
		if (packets[i].bits & PACKET_TUNNELLED) {
			struct addr a = decode_outer_source(&frames[i]);
			memcpy(mapped[i], a.bytes, 16);
			o->version = packets[i].outer_version;
			if (o->version == 6)
				o->addrs6 = mapped[i];
			else
				o->src = addr_v4(&a);
		}
		made++;
	}
	return made;
}

/* Of packets in a slot, without the ignored: their sources come as outer ones. */
static uint32_t drop_ignored(struct packet *packets, struct verdict *verdicts, uint32_t n)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (verdicts[i].class <= CLASS_UNDECODED)
			continue;
		packets[kept] = packets[i];
		verdicts[kept++] = verdicts[i];
	}
	return kept;
}

/* Decodes and classifies a batch into `packets` and `verdicts`, which have room for twice as many; returns how many
 * there are to be tracked. */
static uint32_t read_batch(struct worker *w, const struct frame *frames, uint32_t n, uint8_t (*mapped)[32],
                           struct packet *packets, struct verdict *verdicts)
{
	const struct analysis_config *config = w->p->run->config;
	struct packet outer[BATCH];
	decode_frames(&config->decode, frames, packets, n);
	classify_packets(w->p->run->classify, packets, verdicts, n, mapped);
	if (w->p->run->counts)
		counts_packets(&w->counts, packets, verdicts, n);
	if (!config->decode.decapsulate)
		return n;
	uint32_t n_outer = (uint32_t)outer_sources(frames, packets, n, outer, mapped + n);
	n = drop_ignored(packets, verdicts, n);
	memcpy(packets + n, outer, n_outer * sizeof *outer);
	memset(verdicts + n, 0, n_outer * sizeof *verdicts); /* CLASS_IGNORED: only their source is seen */
	return n + n_outer;
}

/* Frames of a batch, taken apart: hits of plain ones that are of the minute of the first, and the rest. */
struct parted {
	int32_t minute;
	uint32_t n_hits, n_rest;
	struct hit hits[BATCH];
	struct frame rest[BATCH];
};

static const struct frame *part(struct worker *w, const struct frame *frames, uint32_t n, struct parted *parted)
{
	const struct pipeline *p = w->p;
	parted->minute = moment_minute(frames[0].ts);
	parted->n_hits = 0;
	parted->n_rest = n;
	if (p->run->counts)
		counts_frames(&w->counts, frames, n);
	if (!p->plain || !moment_minute_is_whole(parted->minute))
		return frames;
	parted->n_rest = 0;
	for (uint32_t i = 0; i < n; i += PLAIN_BATCH) {
		size_t n_rest, some = n - i < PLAIN_BATCH ? n - i : PLAIN_BATCH;
		parted->n_hits += (uint32_t)classify_plain(p->run->classify, p->run->config->decode.checksums,
		                                           moment_of_minute(parted->minute), frames + i, some,
		                                           parted->hits + parted->n_hits, parted->rest + parted->n_rest, &n_rest);
		parted->n_rest += (uint32_t)n_rest;
	}
	if (p->run->counts)
		counts_hits(&w->counts, parted->hits, parted->n_hits);
	return parted->rest;
}

/* One shard: a batch is tracked while it is in the nearest cache. */
static int work_batch_alone(struct worker *w, const struct frame *frames, uint32_t n, uint8_t (*mapped)[32],
                            struct error *e)
{
	struct track *track = w->p->run->track[0];
	struct parted parted;
	struct packet packets[2 * BATCH];
	struct verdict verdicts[2 * BATCH];
	frames = part(w, frames, n, &parted);
	int rc = parted.n_hits ? track_hits(track, parted.minute, parted.hits, parted.n_hits, e) : 0;
	n = read_batch(w, frames, parted.n_rest, mapped, packets, verdicts);
	return rc ? rc : track_packets(track, packets, verdicts, NULL, n, e);
}

static void work_batch_shared(struct worker *w, struct slot *slot, const struct frame *frames, uint32_t n,
                              uint8_t (*mapped)[32])
{
	struct pipeline *p = w->p;
	struct parted parted;
	uint32_t from = slot->n;
	frames = part(w, frames, n, &parted);
	for (uint32_t i = 0; i < parted.n_hits; i++) {
		struct share *s = &slot->share[shard_of_key(p, parted.hits[i].key >> 32)];
		s->hits[s->n_hits++] = parted.hits[i];
	}
	slot->n += read_batch(w, frames, parted.n_rest, mapped, slot->packets + from, slot->verdicts + from);
	for (uint32_t i = from, end = slot->n; i < end; i++)
		give(p, slot, i);
	for (unsigned s = 0; s < p->shards; s++)
		share_cut(&slot->share[s], parted.minute);
}

/* Keeps only frames of the minutes asked for. */
static void keep_only(struct frame_block *b, const struct minutes *only)
{
	uint32_t n = 0;
	int32_t last = 0;
	bool have = false, known = false;
	for (uint32_t i = 0; i < b->n; i++) {
		int32_t minute = moment_minute(b->frames[i].ts);
		if (!known || minute != last)
			have = minutes_have(only, minute);
		last = minute;
		known = true;
		if (have)
			b->frames[n++] = b->frames[i];
	}
	b->n = n;
}

static int reserve_mapped(struct pipeline *p, struct slot *slot, struct error *e)
{
	const struct analysis_config *config = p->run->config;
	uint32_t need = 2 * slot->block.n;
	if ((!config->scope.n_nat && !config->decode.decapsulate) || need <= slot->mapped_room)
		return 0;
	env_free(p->run->env, slot->mapped, slot->mapped_room * sizeof *slot->mapped);
	slot->mapped_room = 0;
	slot->mapped = env_alloc(p->run->env, need * sizeof *slot->mapped);
	if (!slot->mapped)
		return error_no_memory(e, "mapping addresses");
	slot->mapped_room = need;
	return 0;
}

static int work_batch(struct worker *w, struct slot *slot, uint32_t from, uint32_t n,
                      uint8_t (*mapped)[32], struct error *e)
{
	const struct frame *frames = slot->block.frames + from;
	if (w->p->shards == 1)
		return work_batch_alone(w, frames, n, mapped, e);
	work_batch_shared(w, slot, frames, n, mapped);
	return 0;
}

static int work_block(struct worker *w, struct slot *slot, struct error *e)
{
	struct frame_block *b = &slot->block;
	if (w->p->run->only)
		keep_only(b, w->p->run->only);
	int rc = reserve_mapped(w->p, slot, e);
	if (!rc)
		rc = slot_reserve(w->p, slot, e);
	for (uint32_t i = 0; !rc && i < b->n; i += BATCH) {
		uint32_t n = b->n - i < BATCH ? b->n - i : BATCH;
		rc = work_batch(w, slot, i, n, slot->mapped ? slot->mapped + 2 * i : NULL, e);
	}
	return rc;
}

/* ---- Reading ---- */
static void tell_progress(struct pipeline *p)
{
	const struct analysis_config *config = p->run->config;
	if (!config->progress)
		return;
	int64_t now = p->run->env->monotonic(p->run->env);
	if (now < p->next_progress)
		return;
	p->next_progress = now + PROGRESS_NS;
	struct capture_info info;
	capture_info(p->capture, &info);
	struct progress progress = { .bytes = info.bytes_read, .bytes_total = info.bytes_total,
	                             .packets = p->run->packets, .deriving = p->run->only != NULL };
	config->progress(config->progress_ctx, &progress);
}

static bool asked_to_stop(const struct pipeline *p)
{
	return p->run->config->stop && *p->run->config->stop;
}

/* Nothing is worth waiting for any more. */
static bool gave_up(struct pipeline *p)
{
	pthread_mutex_lock(&p->lock);
	bool broken = p->broken;
	pthread_mutex_unlock(&p->lock);
	return broken || asked_to_stop(p);
}

/* Reads one block, waiting for a file that grows. True: there are frames. Called by one thread at a time. */
static bool read_block(struct pipeline *p, struct slot *slot)
{
	struct run *r = p->run;
	int rc = CAPTURE_END;
	while (r->packets < r->packets_max && !gave_up(p)) {
		rc = capture_read(p->capture, &slot->block, &p->error);
		if (rc != CAPTURE_WAIT)
			break;
		rc = CAPTURE_END;
		tell_progress(p);
		nanosleep(&(struct timespec){ .tv_nsec = FOLLOW_WAIT_NS }, NULL);
	}
	if (rc < 0)
		p->rc = rc;
	if (rc != CAPTURE_FRAMES || r->packets >= r->packets_max)
		return false;
	struct frame_block *b = &slot->block;
	if (b->n > r->packets_max - r->packets)
		b->n = (uint32_t)(r->packets_max - r->packets);
	if (!r->packets)
		r->first = b->frames[0].ts;
	r->last = b->frames[b->n - 1].ts;
	r->packets += b->n;
	tell_progress(p);
	return true;
}

/* A shard's part of a block, in the order of its batches. */
static int track_share(struct track *track, const struct slot *slot, const struct share *s, struct error *e)
{
	uint32_t hits = 0, packets = 0;
	int rc = 0;
	for (uint32_t i = 0; i < s->n_cuts && !rc; i++) {
		const struct cut *cut = &s->cut[i];
		rc = hits < cut->hits ? track_hits(track, cut->minute, s->hits + hits, cut->hits - hits, e) : 0;
		if (!rc && packets < cut->packets)
			rc = track_packets(track, slot->packets, slot->verdicts, s->which + packets, cut->packets - packets, e);
		hits = cut->hits;
		packets = cut->packets;
	}
	return rc;
}

/* ---- Workers: all under the lock but where they say otherwise ---- */
static void take_share(struct worker *w, struct slot *slot)
{
	struct pipeline *p = w->p;
	struct error e;
	struct share *s = &slot->share[w->shard];
	pthread_mutex_unlock(&p->lock);
	int rc = track_share(p->run->track[w->shard], slot, s, &e);
	if (rc)
		fail(p, rc, &e);
	pthread_mutex_lock(&p->lock);
	w->taken++;
	if (--slot->remaining == 0) {
		slot->state = SLOT_FREE;
		pthread_cond_broadcast(&p->changed);
	}
}

static void read_and_work(struct worker *w, struct slot *slot)
{
	struct pipeline *p = w->p;
	struct error e;
	p->reading = true;
	slot->state = SLOT_BUSY;
	pthread_mutex_unlock(&p->lock);
	bool frames = read_block(p, slot);
	pthread_mutex_lock(&p->lock);
	p->reading = false;
	pthread_cond_broadcast(&p->changed);
	if (!frames) {
		p->ended = true;
		slot->state = SLOT_FREE;
		return;
	}
	slot->number = p->blocks++;
	pthread_mutex_unlock(&p->lock);
	int rc = work_block(w, slot, &e);
	if (rc)
		fail(p, rc, &e);
	pthread_mutex_lock(&p->lock);
	slot->remaining = p->shards;
	slot->state = SLOT_READY;
	pthread_cond_broadcast(&p->changed);
}

/* What grows is read by the caller's thread alone: a signal that ends it must reach whoever waits in read(). */
static bool may_read(const struct worker *w) { return w->shard == 0 || !w->p->run->config->capture.follow; }

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct pipeline *p = w->p;
	pthread_mutex_lock(&p->lock);
	while (!p->broken) {
		struct slot *mine = &p->slot[w->taken % p->n_slots], *next = &p->slot[p->blocks % p->n_slots];
		if (mine->state == SLOT_READY && mine->number == w->taken)
			take_share(w, mine);
		else if (p->ended && w->taken == p->blocks)
			break;
		else if (!p->ended && !p->reading && next->state == SLOT_FREE && may_read(w))
			read_and_work(w, next);
		else
			pthread_cond_wait(&p->changed, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void run_alone(struct worker *w)
{
	struct error e;
	while (!w->p->broken && read_block(w->p, &w->p->slot[0])) {
		int rc = work_block(w, &w->p->slot[0], &e);
		if (rc)
			fail(w->p, rc, &e);
	}
}

static void run_together(struct worker *workers, unsigned n)
{
	unsigned started = 1; /* the first is the caller itself; it alone takes signals */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (; started < n; started++) {
		if (pthread_create(&workers[started].thread, NULL, worker_main, &workers[started])) {
			struct error e;
			fail(workers->p, error_set(&e, -EAGAIN, "MON-DMN-001", "thread %u of %u cannot be started", started, n),
			     &e);
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	worker_main(&workers[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);
}

/* ---- Making and ending ---- */
static void slots_fini(struct pipeline *p)
{
	const struct env *env = p->run->env;
	for (unsigned i = 0; p->slot && i < p->n_slots; i++) {
		frame_block_fini(&p->slot[i].block, env);
		env_free(env, p->slot[i].mapped, p->slot[i].mapped_room * sizeof *p->slot[i].mapped);
		slot_free(p, &p->slot[i]);
	}
	env_free(env, p->slot, p->n_slots * sizeof *p->slot);
}

static int slots_init(struct pipeline *p, struct error *e)
{
	p->n_slots = p->shards == 1 ? 1 : 2 * p->shards + 2;
	p->slot = env_alloc(p->run->env, p->n_slots * sizeof *p->slot);
	if (!p->slot)
		return error_no_memory(e, "making the pipeline");
	for (unsigned i = 0; i < p->n_slots; i++) {
		int rc = frame_block_init(&p->slot[i].block, p->run->env, e);
		if (rc)
			return rc;
	}
	return 0;
}

static int run_workers(struct pipeline *p, struct error *e)
{
	struct run *r = p->run;
	struct worker *workers = env_alloc(r->env, p->shards * sizeof *workers);
	if (!workers)
		return error_no_memory(e, "making the pipeline");
	for (unsigned i = 0; i < p->shards; i++) {
		workers[i].p = p;
		workers[i].shard = i;
		counts_init(&workers[i].counts);
	}
	if (p->shards == 1)
		run_alone(workers);
	else
		run_together(workers, p->shards);
	for (unsigned i = 0; r->counts && i < p->shards; i++)
		counts_fold(&workers[i].counts, r->counts);
	env_free(r->env, workers, p->shards * sizeof *workers);
	return 0;
}

int pipeline_run(struct run *r, struct capture *capture, bool *broken, struct error *e)
{
	struct pipeline p = { .run = r, .capture = capture, .shards = r->config->shards };
	p.plain = !r->hold && !r->config->decode.decapsulate && classify_has_plain(r->classify);
	pthread_mutex_init(&p.lock, NULL);
	pthread_cond_init(&p.changed, NULL);
	r->packets = 0;
	int rc = slots_init(&p, e);
	if (!rc)
		rc = run_workers(&p, e);
	slots_fini(&p);
	pthread_cond_destroy(&p.changed);
	pthread_mutex_destroy(&p.lock);
	*broken = rc || p.broken;
	if (rc)
		return rc;
	if (p.broken || p.rc)
		*e = p.broken ? p.broken_error : p.error;
	return p.broken ? p.broken : p.rc;
}

/* ---- The end of the trackers ---- */
struct finisher {
	struct track *track, *total;
	pthread_t thread;
	int rc;
	struct error error;
};

static void *finisher_main(void *arg)
{
	struct finisher *f = arg;
	f->rc = track_finish(f->track, f->total, &f->error);
	return NULL;
}

int pipeline_finish(struct run *r, struct track *const *total, struct error *e)
{
	unsigned n = r->config->shards, started = 1;
	struct finisher f[ANALYSIS_SHARDS_MAX] = { { .rc = 0 } };
	for (unsigned s = 0; s < n; s++)
		f[s] = (struct finisher){ .track = r->track[s], .total = total ? total[s] : NULL };
	while (started < n && !pthread_create(&f[started].thread, NULL, finisher_main, &f[started]))
		started++;
	finisher_main(&f[0]);
	for (unsigned s = started; s < n; s++) /* no thread was to be had: here then */
		finisher_main(&f[s]);
	for (unsigned s = 1; s < started; s++)
		pthread_join(f[s].thread, NULL);
	for (unsigned s = 0; s < n; s++) {
		if (f[s].rc) {
			*e = f[s].error;
			return f[s].rc;
		}
	}
	return 0;
}
