/* Cutting. What a caller's thread does here is to copy frames and to link lists; the disk is piece_files.c's, in a thread
 * of its own where the configuration says so.
 *
 * Time moves by pieces_clock alone. `told` is how far it has been said that the sensor observed: pieces of a span are
 * sealed in order of time, each telling of the time since the one before, so that the times of all pieces of a writer
 * neither overlap nor leave out what was observed. */
#include "capture/pieces.h"
#include "capture/piece_files.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define MINUTE INT64_C(60000000000)
#define BUFFER (1u << 20)       /* of a piece: PIECE_BYTES as pcapng need less in our form */
#define MEMORY (64u << 20)
#define NOTES 8                 /* room for the words that spans are over: they are never lost for want of memory */
#define STRAGGLERS INT64_C(300000000) /* ns past its end at which a span without age is sealed */

struct span {
	bool used;
	bool told;           /* a piece of it was sealed */
	uint32_t from, to;   /* minutes */
	int64_t start, end;  /* the same in ns */
	struct piece *piece; /* open; NULL: none */
	uint64_t dropped;    /* since the last piece */
};

struct pieces {
	const struct env *env;
	struct pieces_config config;
	struct piece_files files;
	size_t overhead; /* pcapng bytes of a piece without packets, at most */

	struct span spans[PIECES_OPEN];
	struct span *current;  /* of the last frame; NULL: none */
	enum answer_mode mode, since; /* now; the greatest since a piece was sealed */
	uint64_t writer;
	uint32_t closed_to;    /* minutes before it may be closed for this writer */
	int64_t clock, told;
	int64_t last_sealed;   /* the clock when a piece was sealed */
	uint64_t lost;         /* packets that no span could be found for */
	uint64_t restarts;

	/* Behind the lock: pieces on their way to the disk and back. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started, stopping;
	struct piece *room, *notes;          /* free */
	struct piece *sealed, **sealed_end;  /* in order */
	uint64_t waiting;                    /* sealed, or being written */
	struct pieces_status seen;           /* of the files, as of the last piece written */

	struct piece *all;  /* memory of the above */
	uint32_t n;
	uint8_t *buffers;
};

/* --- to the disk --- */

static void status_note(struct pieces *p)
{
	p->seen.pieces = p->files.pieces;
	p->seen.packets = p->files.packets;
	p->seen.lost = p->files.lost;
	p->seen.failures = p->files.failures;
	p->seen.last = p->files.last;
}

static void give_back(struct pieces *p, struct piece *piece)
{
	struct piece **list = piece->bytes ? &p->room : &p->notes;
	piece->next = *list;
	*list = piece;
	p->waiting--;
}

/* Everything that is sealed, one after the other; folders are synced once for all of them. Called with the lock held. */
static void write_sealed(struct pieces *p)
{
	struct piece *list = p->sealed;
	p->sealed = NULL;
	p->sealed_end = &p->sealed;
	while (list) {
		struct piece *piece = list;
		list = piece->next;
		pthread_mutex_unlock(&p->lock);
		piece_files_put(&p->files, piece);
		if (!list)
			piece_files_sync(&p->files);
		pthread_mutex_lock(&p->lock);
		status_note(p);
		give_back(p, piece);
	}
	pthread_cond_broadcast(&p->changed);
}

static void *writer_thread(void *ctx)
{
	struct pieces *p = ctx;
	piece_files_recover(&p->files);
	pthread_mutex_lock(&p->lock);
	status_note(p);
	while (!p->stopping || p->sealed) {
		if (p->sealed)
			write_sealed(p);
		else
			pthread_cond_wait(&p->changed, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void hand_over(struct pieces *p, struct piece *piece)
{
	piece->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->sealed_end = piece;
	p->sealed_end = &piece->next;
	p->waiting++;
	if (p->started)
		pthread_cond_broadcast(&p->changed);
	else
		write_sealed(p);
	pthread_mutex_unlock(&p->lock);
}

/* NULL: there is no room, the disk is behind. */
static struct piece *take(struct pieces *p, struct piece **list, const struct span *s)
{
	pthread_mutex_lock(&p->lock);
	struct piece *piece = *list;
	if (piece)
		*list = piece->next;
	pthread_mutex_unlock(&p->lock);
	if (!piece)
		return NULL;
	*piece = (struct piece){ .bytes = piece->bytes, .writer = p->writer, .from = s->from, .to = s->to,
		                 .size = p->overhead, .opened = p->clock, .mode = p->since, .first = INT64_MAX, .last = INT64_MIN };
	return piece;
}

/* --- sealing --- */

/* Tells of the time observed in this span since `told`, if it has come that far. */
static void observe(struct pieces *p, const struct span *s, int64_t *from, int64_t *to)
{
	int64_t end = p->clock < s->end ? p->clock : s->end;
	*from = p->told < s->start ? s->start : p->told < s->end ? p->told : s->end;
	*to = *from < end ? end : *from;
	if (*to > *from)
		p->told = *to;
}

static void seal(struct pieces *p, struct span *s)
{
	int64_t from, to;
	observe(p, s, &from, &to);
	if (!s->piece && from == to && !s->dropped)
		return;
	struct piece *piece = s->piece ? s->piece : take(p, &p->room, s);
	s->piece = NULL;
	if (!piece)
		return; /* what was observed is not told: a gap */
	piece->observed_from = from;
	piece->observed_to = to;
	piece->dropped = s->dropped;
	piece->mode = mode_more(piece->mode, p->since);
	p->since = p->mode;
	s->dropped = 0;
	s->told = true;
	p->last_sealed = p->clock;
	hand_over(p, piece);
}

static void close_span(struct pieces *p, struct span *s)
{
	seal(p, s);
	struct piece *note = s->told || s->dropped ? take(p, &p->notes, s) : NULL;
	if (note) { /* else there is nothing to close, or the next writer closes it */
		note->close = true;
		note->dropped = s->dropped;
		hand_over(p, note);
	}
	if (s->to > p->closed_to)
		p->closed_to = s->to;
	p->current = NULL;
	*s = (struct span){ 0 };
}

static struct span *span_earliest(struct pieces *p)
{
	struct span *found = NULL;
	for (unsigned i = 0; i < PIECES_OPEN; i++) {
		struct span *s = &p->spans[i];
		if (s->used && (!found || s->from < found->from))
			found = s;
	}
	return found;
}

/* --- spans --- */

static bool in_range(const struct pieces *p, int64_t at)
{
	return at >= 0 && at < INT64_MAX - (int64_t)(p->config.span + 1) * MINUTE;
}

void pieces_restart(struct pieces *p, int64_t now)
{
	struct span *s;
	while ((s = span_earliest(p)))
		close_span(p, s);
	now = in_range(p, now) ? now : 0;
	p->writer = (uint64_t)now > p->writer ? (uint64_t)now : p->writer + 1;
	p->closed_to = 0;
	p->clock = p->told = p->last_sealed = now;
	p->restarts++;
}

static struct span *span_free(struct pieces *p)
{
	for (unsigned i = 0; i < PIECES_OPEN; i++)
		if (!p->spans[i].used)
			return &p->spans[i];
	return NULL;
}

/* The span of a time; opened where it is not. One that may be closed already can only be another writer's, and more than
 * can be open at a time come of a clock that jumps: a new writer begins with all of them closed. */
static struct span *span_at(struct pieces *p, int64_t at)
{
	uint32_t minute = (uint32_t)(at / MINUTE), from = minute - minute % p->config.span;
	for (unsigned i = 0; i < PIECES_OPEN; i++)
		if (p->spans[i].used && p->spans[i].from == from)
			return &p->spans[i];
	if (from < p->closed_to || !span_free(p))
		pieces_restart(p, p->clock);
	struct span *s = span_free(p);
	*s = (struct span){ .used = true, .from = from, .to = from + p->config.span, .start = from * MINUTE };
	s->end = s->to * MINUTE;
	return s;
}

/* Spans that ended before this one are told of first. The writer may have begun anew afterwards, with no span open. */
static void seal_up_to(struct pieces *p, struct span *s)
{
	while (s->used && p->told < s->start && p->clock > s->start)
		seal(p, span_at(p, p->told));
	if (s->used)
		seal(p, s);
}

/* --- frames --- */

static size_t enhanced_size(const struct frame *f)
{
	return 32 + (((size_t)f->caplen + 3) & ~(size_t)3) + (f->marks ? 64 : 0);
}

static bool fits(const struct pieces *p, const struct piece *piece, const struct frame *f)
{
	if (PIECE_RECORD(f->caplen) > BUFFER - piece->used || enhanced_size(f) > PIECE_BYTES - piece->size)
		return false;
	int64_t first = f->ts < piece->first ? f->ts : piece->first, last = f->ts > piece->last ? f->ts : piece->last;
	return p->config.timeless || last - first < PIECE_AGE;
}

static void append(struct piece *piece, const struct frame *f)
{
	struct frame record = *f;
	record.data = NULL;
	uint8_t *at = piece->bytes + piece->used;
	memcpy(at, &record, sizeof record);
	if (f->caplen)
		memcpy(at + sizeof record, f->data, f->caplen);
	piece->used += PIECE_RECORD(f->caplen);
	piece->size += enhanced_size(f);
	piece->frames++;
	piece->first = f->ts < piece->first ? f->ts : piece->first;
	piece->last = f->ts > piece->last ? f->ts : piece->last;
}

void pieces_frame(struct pieces *p, const struct frame *f)
{
	if (!in_range(p, f->ts) || enhanced_size(f) > PIECE_BYTES - p->overhead) {
		pieces_lost(p, p->clock, 1);
		return;
	}
	struct span *s = p->current;
	if (!s || f->ts < s->start || f->ts >= s->end)
		s = p->current = span_at(p, f->ts);
	if (s->piece && !fits(p, s->piece, f)) {
		seal_up_to(p, s);
		s = p->current = span_at(p, f->ts);
	}
	if (!s->piece)
		s->piece = take(p, &p->room, s);
	if (s->piece)
		append(s->piece, f);
	else
		s->dropped++;
}

void pieces_lost(struct pieces *p, int64_t at, uint64_t n)
{
	if (!n)
		return;
	if (in_range(p, at))
		span_at(p, at)->dropped += n;
	else
		p->lost += n;
}

void pieces_mode(struct pieces *p, enum answer_mode mode)
{
	p->mode = mode;
	p->since = mode_more(p->since, mode);
	for (unsigned i = 0; i < PIECES_OPEN; i++)
		if (p->spans[i].used && p->spans[i].piece)
			p->spans[i].piece->mode = mode_more(p->spans[i].piece->mode, mode);
}

/* --- time --- */

static bool is_old(const struct pieces *p, const struct span *s)
{
	if (!s->used || !s->piece || p->config.timeless)
		return false;
	int64_t begun = s->piece->first < s->piece->opened ? s->piece->first : s->piece->opened;
	return p->clock - begun >= PIECE_AGE;
}

static void close_over(struct pieces *p)
{
	struct span *s;
	while ((s = span_earliest(p)) && s->end < p->clock && p->clock - s->end >= PIECE_LATENESS)
		close_span(p, s);
}

/* Spans that have ended are sealed one by one, however many there are: an hour without a call makes an hour of empty
 * pieces, as it was observed. */
static void end_spans(struct pieces *p, int64_t now)
{
	for (;;) {
		struct span *s = span_at(p, p->told);
		if (now < s->end || now - s->end < STRAGGLERS)
			return;
		p->clock = s->end;
		seal(p, s);
		p->clock = now;
		close_over(p);
	}
}

void pieces_clock(struct pieces *p, int64_t now)
{
	if (now <= p->clock || !in_range(p, now))
		return;
	p->clock = now;
	end_spans(p, now);
	for (unsigned i = 0; i < PIECES_OPEN; i++)
		if (is_old(p, &p->spans[i]))
			seal_up_to(p, &p->spans[i]);
	if (now - p->last_sealed >= PIECE_IDLE && !p->config.timeless)
		seal_up_to(p, span_at(p, now));
	close_over(p);
}

void pieces_blind(struct pieces *p, int64_t now)
{
	if (now <= p->clock || !in_range(p, now))
		return;
	for (unsigned i = 0; i < PIECES_OPEN; i++)
		if (p->spans[i].used)
			seal_up_to(p, &p->spans[i]);
	p->clock = p->told = p->last_sealed = now;
	close_over(p);
}

/* --- all of it --- */

static int prepare(struct pieces *p, struct error *e)
{
	size_t memory = p->config.memory ? p->config.memory : MEMORY;
	uint32_t rooms = (uint32_t)(memory / BUFFER);
	rooms = rooms < PIECES_OPEN + 1 ? PIECES_OPEN + 1 : rooms;
	p->n = rooms + NOTES;
	p->all = env_alloc(p->env, p->n * sizeof *p->all);
	p->buffers = env_alloc(p->env, (size_t)rooms * BUFFER);
	if (!p->all || !p->buffers)
		return error_no_memory(e, "making room for live packets");
	for (uint32_t i = p->n; i-- > 0;) { /* the first buffers are used first, so that others stay untouched */
		p->all[i].bytes = i < rooms ? p->buffers + (size_t)i * BUFFER : NULL;
		p->waiting++;
		give_back(p, &p->all[i]);
	}
	return 0;
}

static int start(struct pieces *p, struct error *e)
{
	if (!p->config.background) {
		piece_files_recover(&p->files);
		status_note(p);
		return 0;
	}
	/* Signals are for the thread that waits for packets. */
	sigset_t every, before;
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	int rc = pthread_create(&p->thread, NULL, writer_thread, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return error_set(e, -rc, "MON-CAP-053", "no thread can be started to write pieces: %s", strerror(rc));
	p->started = true;
	return 0;
}

static size_t text_size(const char *text) { return text ? strnlen(text, 4096) + 8 : 0; }

static void release(struct pieces *p)
{
	piece_files_close(&p->files);
	env_free(p->env, p->buffers, (size_t)(p->n - NOTES) * BUFFER);
	env_free(p->env, p->all, p->n * sizeof *p->all);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	env_free(p->env, p, sizeof *p);
}

int pieces_open(struct pieces **out, const struct env *env, const struct pieces_config *config, int64_t now,
                struct error *e)
{
	struct pieces *p = env_alloc(env, sizeof *p);
	if (!p)
		return error_no_memory(e, "making room for live packets");
	p->env = env;
	p->config = *config;
	p->config.span = config->span ? config->span : 1;
	p->writer = config->writer;
	p->clock = p->told = p->last_sealed = in_range(p, now) ? now : 0;
	p->overhead = 512 + text_size(config->comment) + text_size(config->application) + text_size(config->interface);
	p->sealed_end = &p->sealed;
	p->files.folder = -1;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	int rc = prepare(p, e);
	if (!rc)
		rc = piece_files_open(&p->files, env, &p->config, e);
	if (!rc)
		rc = start(p, e);
	if (rc) {
		release(p);
		return rc;
	}
	*out = p;
	return 0;
}

void pieces_status(struct pieces *p, struct pieces_status *out)
{
	pthread_mutex_lock(&p->lock);
	*out = p->seen;
	out->waiting = p->waiting;
	pthread_mutex_unlock(&p->lock);
	out->restarts = p->restarts;
	out->lost += p->lost;
	for (unsigned i = 0; i < PIECES_OPEN; i++)
		out->lost += p->spans[i].dropped;
}

int pieces_close(struct pieces *p, struct error *e)
{
	struct span *s;
	while ((s = span_earliest(p)))
		close_span(p, s);
	if (p->started) {
		pthread_mutex_lock(&p->lock);
		p->stopping = true;
		pthread_cond_broadcast(&p->changed);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	struct error last = p->files.last;
	uint64_t failures = p->files.failures;
	release(p);
	if (!failures || !last.code[0])
		return 0;
	if (e)
		*e = last;
	return -EIO;
}
