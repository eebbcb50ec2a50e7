#include "capture/piece_files.h"
#include "capture/capture.h"
#include "capture/write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PATH 4096

/* --- names --- */

char *piece_name_format(const struct piece_name *n, char out[static PIECE_NAME])
{
	int at = snprintf(out, PIECE_NAME, "%010" PRIu32 "-%010" PRIu32 "-%016" PRIx64, n->from, n->to, n->writer);
	if (n->closed)
		snprintf(out + at, (size_t)(PIECE_NAME - at), ".closed");
	else
		snprintf(out + at, (size_t)(PIECE_NAME - at), "-%010" PRIu32 ".pcapng.zst", n->seq);
	return out;
}

/* Digits of a fixed number; moves on behind them. */
static bool take_number(const char **text, unsigned digits, unsigned base, uint64_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < digits; i++, ++*text) {
		char c = **text;
		unsigned v = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
		if (v >= base)
			return false;
		*out = *out * base + v;
	}
	return true;
}

static bool take_char(const char **text, char c) { return *(*text)++ == c; }

bool piece_name_parse(const char *text, struct piece_name *out)
{
	uint64_t from, to, writer, seq = 0;
	if (!take_number(&text, 10, 10, &from) || !take_char(&text, '-') || !take_number(&text, 10, 10, &to) ||
	    !take_char(&text, '-') || !take_number(&text, 16, 16, &writer))
		return false;
	bool closed = !strcmp(text, ".closed");
	if (!closed && (!take_char(&text, '-') || !take_number(&text, 10, 10, &seq) || strcmp(text, ".pcapng.zst")))
		return false;
	if (from >= to || to > UINT32_MAX || seq > UINT32_MAX)
		return false;
	*out = (struct piece_name){ (uint32_t)from, (uint32_t)to, writer, (uint32_t)seq, closed };
	return true;
}

/* --- failures are kept, never returned: capturing goes on --- */

static void note_failure(struct piece_files *f, const struct error *e)
{
	f->failures++;
	f->last = *e;
}

static int failed(struct error *e, int rc, const char *what, const char *path)
{
	return error_set(e, rc, "MON-CAP-052", "%s cannot be %s: %s", path, what, strerror(-rc));
}

void piece_files_sync(struct piece_files *f)
{
	struct error e;
	if (!f->dirty)
		return;
	int rc = f->env->fsync(f->env, f->folder);
	if (rc) {
		failed(&e, rc, "synced", f->config->folder);
		note_failure(f, &e);
	}
	f->dirty = rc != 0;
}

struct paths {
	char path[PATH], temporary[PATH];
};

static int paths_of(const struct piece_files *f, const struct piece_name *n, struct paths *out, struct error *e)
{
	char name[PIECE_NAME];
	piece_name_format(n, name);
	int a = snprintf(out->path, PATH, "%s/%s", f->config->folder, name);
	int b = snprintf(out->temporary, PATH, "%s/.%s.tmp", f->config->folder, name);
	return a < PATH && b < PATH ? 0 : failed(e, -ENAMETOOLONG, "written", f->config->folder);
}

/* What lies under the temporary name, whole and synced, gets its own. */
static int settle(struct piece_files *f, const struct paths *paths, struct error *e)
{
	int rc = f->env->rename(f->env, paths->temporary, paths->path);
	if (rc)
		return failed(e, rc, "renamed", paths->temporary);
	f->dirty = true;
	return 0;
}

/* --- pieces --- */

static int write_frames(struct capture_writer *w, uint32_t id, const struct piece *p, struct error *e)
{
	for (size_t at = 0; at < p->used;) {
		struct frame frame;
		memcpy(&frame, p->bytes + at, sizeof frame);
		frame.data = p->bytes + at + sizeof frame;
		int rc = capture_writer_frame(w, id, &frame, e);
		if (rc)
			return rc;
		at += PIECE_RECORD(frame.caplen);
	}
	return 0;
}

static int write_content(struct piece_files *f, struct capture_writer *w, const struct piece *p, uint64_t dropped,
                         struct error *e)
{
	struct capture_interface interface = { .link = f->config->link, .snap = f->config->snap,
		                               .name = f->config->interface };
	uint32_t id;
	int rc = capture_writer_interface(w, &interface, &id, e);
	if (!rc)
		rc = write_frames(w, id, p, e);
	const struct capture_observed observed = { p->observed_from, p->observed_to, p->frames, dropped, p->mode };
	return rc ? rc : capture_writer_observed(w, id, &observed, e);
}

static int write_piece(struct piece_files *f, const struct piece *p, uint64_t dropped, struct error *e)
{
	struct capture_write_config config = { .zstd = true, .sync = true, .simulated = f->config->simulated,
		                               .comment = f->config->comment, .application = f->config->application };
	struct piece_name name = { .from = p->from, .to = p->to, .writer = p->writer, .seq = f->seq };
	struct capture_writer *w;
	struct paths paths;
	int rc = paths_of(f, &name, &paths, e);
	if (rc)
		return rc;
	rc = capture_writer_open(&w, f->env, paths.temporary, &config, e);
	if (rc)
		return rc;
	rc = write_content(f, w, p, dropped, e);
	struct error *closing = rc ? NULL : e;
	int closed = capture_writer_close(w, rc != 0, closing);
	rc = rc ? rc : closed;
	rc = rc ? rc : settle(f, &paths, e);
	if (rc)
		f->env->unlink(f->env, paths.temporary);
	return rc;
}

/* --- spans --- */

/* Where there is no more room the oldest that waits for its marker is forgotten: its pieces, if any, will be closed by the
 * next writer. */
static void forget_one(struct piece_files *f)
{
	uint32_t at = 0;
	while (at + 1 < f->n && !f->tallies[at].closed)
		at++;
	memmove(&f->tallies[at], &f->tallies[at + 1], (f->n - at - 1) * sizeof *f->tallies);
	f->n--;
}

static struct tally *tally_of(struct piece_files *f, const struct piece *p)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->tallies[i].from == p->from && f->tallies[i].to == p->to && f->tallies[i].writer == p->writer)
			return &f->tallies[i];
	if (f->n == TALLIES)
		forget_one(f);
	f->tallies[f->n] = (struct tally){ .writer = p->writer, .from = p->from, .to = p->to };
	return &f->tallies[f->n++];
}

static void tally_add(struct tally *t, const struct piece *p, uint64_t dropped)
{
	t->received += p->frames;
	t->dropped += dropped;
	t->owed = 0;
	if (!t->pieces++) {
		t->observed_from = p->observed_from;
		t->observed_to = p->observed_to;
	}
	if (p->observed_from == p->observed_to)
		return;
	if (!t->observed_ns || p->observed_from < t->observed_from)
		t->observed_from = p->observed_from;
	if (!t->observed_ns || p->observed_to > t->observed_to)
		t->observed_to = p->observed_to;
	t->observed_ns += (uint64_t)p->observed_to - (uint64_t)p->observed_from;
}

static void put_piece(struct piece_files *f, const struct piece *p)
{
	struct tally *t = tally_of(f, p);
	struct error e;
	if (p->writer != f->writer) {
		f->writer = p->writer;
		f->seq = 0;
	}
	uint64_t dropped = t->owed + p->dropped;
	f->lost += p->dropped;
	if (write_piece(f, p, dropped, &e)) {
		note_failure(f, &e);
		f->lost += p->frames;
		t->owed = dropped + p->frames;
		return;
	}
	tally_add(t, p, dropped);
	f->seq++;
	f->pieces++;
	f->packets += p->frames;
	error_clear(&f->last);
}

/* --- markers --- */

static int write_all(const struct env *env, int fd, const char *text, size_t n)
{
	int rc = env_pwrite_all(env, fd, text, n, 0);
	if (!rc)
		rc = env->fsync(env, fd);
	int closed = env->close(env, fd);
	return rc ? rc : closed;
}

static int write_marker(struct piece_files *f, const struct tally *t, struct error *e)
{
	struct piece_name name = { .from = t->from, .to = t->to, .writer = t->writer, .closed = true };
	struct paths paths;
	char text[300];
	int rc = paths_of(f, &name, &paths, e);
	if (rc)
		return rc;
	int n = snprintf(text, sizeof text,
	                 "{\"from_ns\":%" PRId64 ",\"to_ns\":%" PRId64 ",\"observed_ns\":%" PRIu64 ",\"received\":%" PRIu64
	                 ",\"dropped\":%" PRIu64 ",\"pieces\":%" PRIu64 "}\n", t->observed_from, t->observed_to,
	                 t->observed_ns, t->received, t->dropped + t->owed, t->pieces);
	int fd = f->env->open(f->env, paths.temporary, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0)
		return failed(e, fd, "created", paths.temporary);
	rc = write_all(f->env, fd, text, (size_t)n);
	rc = rc ? failed(e, rc, "written", paths.temporary) : settle(f, &paths, e);
	if (rc)
		f->env->unlink(f->env, paths.temporary);
	return rc;
}

/* What is owed goes into a piece of its own, so that pieces and marker say the same; where even that cannot be written
 * the marker alone says it. */
static void pay_debt(struct piece_files *f, struct tally *t)
{
	if (!t->owed)
		return;
	int64_t end = t->observed_ns ? t->observed_to : (int64_t)t->from * INT64_C(60000000000);
	struct piece p = { .writer = t->writer, .from = t->from, .to = t->to, .observed_from = end, .observed_to = end };
	put_piece(f, &p);
}

/* Pieces are durable before the marker that speaks of them. */
static void write_markers(struct piece_files *f)
{
	struct error e;
	uint32_t kept = 0;
	piece_files_sync(f);
	for (uint32_t i = 0; i < f->n; i++) {
		bool done = f->tallies[i].closed && write_marker(f, &f->tallies[i], &e) == 0;
		if (f->tallies[i].closed && !done)
			note_failure(f, &e);
		if (!done)
			f->tallies[kept++] = f->tallies[i];
	}
	f->n = kept;
	piece_files_sync(f);
}

void piece_files_put(struct piece_files *f, const struct piece *p)
{
	if (!p->close) {
		put_piece(f, p);
		return;
	}
	struct tally *t = tally_of(f, p);
	t->owed += p->dropped;
	f->lost += p->dropped;
	pay_debt(f, t);
	t->closed = true;
	write_markers(f);
}

/* --- what earlier writers left --- */

struct recovery {
	struct piece_files *f;
	struct tally t; /* pieces 0: none yet */
};

/* Adds up what a piece says of itself. One that cannot be read to its end counts as far as it goes. */
static int count_piece(struct piece_files *f, const char *name, struct tally *t, struct error *e)
{
	struct capture_config config = { 0 };
	struct capture_info info;
	struct capture *c;
	struct frame_block block;
	char path[PATH];
	if (snprintf(path, sizeof path, "%s/%s", f->config->folder, name) >= PATH)
		return failed(e, -ENAMETOOLONG, "read", f->config->folder);
	struct piece p = { 0 };
	int rc = capture_open(&c, f->env, path, &config, e);
	if (rc) {
		tally_add(t, &p, 0);
		return rc;
	}
	rc = frame_block_init(&block, f->env, e);
	while (!rc && (rc = capture_read(c, &block, e)) == CAPTURE_FRAMES) {
		p.frames += block.n;
		rc = 0;
	}
	capture_info(c, &info);
	p.observed_from = info.observed.from;
	p.observed_to = info.observed.to;
	tally_add(t, &p, info.observed.dropped);
	frame_block_fini(&block, f->env);
	capture_close(c);
	return rc < 0 ? rc : 0;
}

static void recover_close(struct recovery *r)
{
	struct error e;
	if (r->t.pieces && write_marker(r->f, &r->t, &e))
		note_failure(r->f, &e);
	r->t = (struct tally){ 0 };
}

static int recover_name(void *ctx, const char *name)
{
	struct recovery *r = ctx;
	struct piece_name n;
	struct error e;
	size_t length = strlen(name);
	if (*name == '.' && length > 4 && !strcmp(name + length - 4, ".tmp") && length < PIECE_NAME + 8) {
		char path[PATH];
		if (snprintf(path, sizeof path, "%s/%s", r->f->config->folder, name) < PATH)
			r->f->env->unlink(r->f->env, path);
		return 0;
	}
	if (!piece_name_parse(name, &n))
		return 0;
	if (r->t.pieces && (n.from != r->t.from || n.to != r->t.to || n.writer != r->t.writer))
		recover_close(r);
	if (n.closed) {
		r->t = (struct tally){ 0 }; /* names sort markers behind their pieces */
		return 0;
	}
	r->t.from = n.from;
	r->t.to = n.to;
	r->t.writer = n.writer;
	if (count_piece(r->f, name, &r->t, &e))
		note_failure(r->f, &e);
	return 0;
}

void piece_files_recover(struct piece_files *f)
{
	struct recovery r = { .f = f };
	struct error e;
	int rc = f->env->list(f->env, f->config->folder, recover_name, &r);
	recover_close(&r);
	if (rc) {
		failed(&e, rc, "listed", f->config->folder);
		note_failure(f, &e);
	}
	piece_files_sync(f);
}

/* --- the folder --- */

int piece_files_open(struct piece_files *f, const struct env *env, const struct pieces_config *config, struct error *e)
{
	*f = (struct piece_files){ .env = env, .config = config, .folder = -1, .writer = config->writer };
	int fd = env->open(env, config->folder, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return error_set(e, fd, "MON-CAP-050", "the folder of a live sensor, %s, cannot be opened: %s", config->folder,
		                 strerror(-fd));
	int rc = env->lock(env, fd);
	if (rc) {
		env->close(env, fd);
		return error_set(e, rc, "MON-CAP-051", "another capture writes to %s", config->folder);
	}
	f->folder = fd;
	return 0;
}

void piece_files_close(struct piece_files *f)
{
	if (f->folder >= 0)
		f->env->close(f->env, f->folder);
	f->folder = -1;
}
