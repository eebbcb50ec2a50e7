#include "capture/stream.h"
#include "capture/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define IN_SIZE (128u << 10) /* compressed bytes read at a time */

struct stream {
	const struct env *env;
	int fd;
	bool owns_fd;
	bool grows;   /* a regular file, followed */
	bool waits;   /* the last read gave nothing, and was not the end */
	bool known;   /* the packing has been told */
	uint64_t raw;
	uint64_t total;

	uint8_t head[64]; /* the beginning of the file, that tells the packing */
	uint8_t *in;      /* bytes read but not used: head, or a buffer for what waits to be unpacked */
	size_t in_at, in_end;
	bool in_over; /* the file gave its end */

	const struct unpacker *unpacker; /* NULL: plain */
	void *state;
	struct unpack_memory memory;
	bool boundary;
	int failed; /* -errno met after bytes were given; `failure` goes out with the next call */
	struct error failure;
};

static int stream_stat(struct stream *s, bool follow, struct error *e)
{
	struct stat st;
	int rc = s->env->stat(s->env, s->fd, &st);
	if (rc)
		return error_set(e, rc, "MON-CAP-001", "cannot be opened: %s", strerror(-rc));
	if (S_ISDIR(st.st_mode))
		return error_set(e, -EISDIR, "MON-CAP-001", "cannot be opened: it is a folder");
	s->grows = follow && S_ISREG(st.st_mode);
	s->total = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return 0;
}

static int stream_open_fd(struct stream *s, const char *path, bool follow, struct error *e)
{
	if (strcmp(path, "-")) {
		s->fd = s->env->open(s->env, path, O_RDONLY | O_NOCTTY, 0);
		if (s->fd < 0)
			return error_set(e, s->fd, "MON-CAP-001", "cannot be opened: %s", strerror(-s->fd));
		s->owns_fd = true;
	}
	return stream_stat(s, follow, e);
}

int stream_open(struct stream **out, const struct env *env, const char *path, bool follow, size_t memory,
                struct error *e)
{
	struct stream *s = env_alloc(env, sizeof *s);
	if (!s)
		return error_no_memory(e, "opening a capture");
	s->env = env;
	s->memory = (struct unpack_memory){ .env = env, .limit = memory };
	s->in = s->head;
	int rc = stream_open_fd(s, path, follow, e);
	if (rc) {
		stream_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	const struct env *env = s->env;
	if (s->state) {
		s->unpacker->close(s->state);
		env_free(env, s->state, s->unpacker->state);
	}
	if (s->in != s->head)
		env_free(env, s->in, IN_SIZE);
	if (s->owns_fd)
		env->close(env, s->fd);
	env_free(env, s, sizeof *s);
}

/* A followed file that became shorter was replaced or cut: what we would read next is not what follows. */
static int stream_check_shrunk(struct stream *s, struct error *e)
{
	struct stat st;
	if (s->env->stat(s->env, s->fd, &st))
		return 0;
	s->total = (uint64_t)st.st_size;
	if (s->total >= s->raw)
		return 0;
	return error_set_at(e, -ESTALE, "MON-CAP-024", s->raw, "the file became shorter (%llu bytes) while it was followed",
	                    (unsigned long long)s->total);
}

static ssize_t stream_read_raw(struct stream *s, uint8_t *out, size_t n, struct error *e)
{
	ssize_t got = s->env->read(s->env, s->fd, out, n);
	s->waits = got == -EINTR || got == -EAGAIN || (!got && s->grows);
	if (got < 0 && !s->waits)
		return error_set_at(e, (int)got, "MON-CAP-002", s->raw, "cannot be read: %s", strerror((int)-got));
	if (s->waits)
		return got ? 0 : stream_check_shrunk(s, e);
	s->raw += (uint64_t)got;
	return got;
}

static int unpack_error(const struct stream *s, enum unpack_status status, struct error *e)
{
	const char *name = s->unpacker->name;
	uint64_t at = s->raw - (s->in_end - s->in_at);
	switch (status) {
	case UNPACK_GARBAGE:
		return error_set_at(e, -EBADMSG, "MON-CAP-023", at, "bytes that are not %s follow the %s data", name, name);
	case UNPACK_LIMIT:
		return error_set_at(e, -ENOMEM, "MON-CAP-022", at,
		                    "the %s data wants more than the %zu bytes of memory allowed", name, s->memory.limit);
	case UNPACK_NO_MEMORY:
		return error_no_memory(e, "decompressing");
	case UNPACK_OK:
	case UNPACK_DAMAGED:
		break;
	}
	return error_set_at(e, -EBADMSG, "MON-CAP-020", at, "the %s data is damaged", name);
}

static int stream_open_unpacker(struct stream *s, struct error *e)
{
	s->unpacker = unpack_find(s->in, s->in_end);
	if (!s->unpacker)
		return 0;
	if (!s->unpacker->open)
		return error_set(e, -ENOTSUP, "MON-CAP-009", "the file is %s, which this build of monomi does not read",
		                 s->unpacker->name);
	s->state = env_alloc(s->env, s->unpacker->state);
	uint8_t *in = env_alloc(s->env, IN_SIZE);
	if (in) {
		memcpy(in, s->head, s->in_end);
		s->in = in;
	}
	if (!s->state || !in)
		return error_no_memory(e, "decompressing");
	enum unpack_status status = s->unpacker->open(s->state, &s->memory);
	return status ? unpack_error(s, status, e) : 0;
}

/* Reads as much of the beginning as tells the packing. 1: told; 0: there is less so far. */
static int stream_tell(struct stream *s, struct error *e)
{
	while (s->in_end < UNPACK_MAGIC) {
		ssize_t got = stream_read_raw(s, s->head + s->in_end, sizeof s->head - s->in_end, e);
		if (got < 0)
			return (int)got;
		if (!got && s->waits)
			return 0;
		if (!got)
			break;
		s->in_end += (size_t)got;
	}
	int rc = stream_open_unpacker(s, e);
	if (rc)
		return rc;
	s->known = true;
	return 1;
}

static size_t stream_take_in(struct stream *s, uint8_t *out, size_t n)
{
	size_t have = s->in_end - s->in_at;
	if (n > have)
		n = have;
	memcpy(out, s->in + s->in_at, n);
	s->in_at += n;
	return n;
}

/* Refills an empty `in`; 0: nothing more, now or ever. */
static ssize_t stream_refill(struct stream *s, struct error *e)
{
	if (s->in_over)
		return 0;
	ssize_t got = stream_read_raw(s, s->in, IN_SIZE, e);
	if (got < 0)
		return got;
	s->in_at = 0;
	s->in_end = (size_t)got;
	s->in_over = !got && !s->waits;
	return got;
}

/* The decompressor has used all input and gives nothing more. 1: go on; 0: the end, or nothing yet; or -errno. */
static int stream_starved(struct stream *s, struct error *e)
{
	if (s->in_at < s->in_end)
		return unpack_error(s, UNPACK_DAMAGED, e); /* it neither takes nor gives */
	bool told = s->in_over;
	ssize_t got = stream_refill(s, e);
	if (got < 0)
		return (int)got;
	if (got || (s->in_over && !told)) /* xz completes only once it is told that nothing follows */
		return 1;
	if (s->waits || s->boundary)
		return 0;
	return error_set_at(e, -ENODATA, "MON-CAP-021", s->raw, "the %s data ends too early", s->unpacker->name);
}

/* Keeps an error for the next call when bytes come before it. */
static ssize_t stream_fail(struct stream *s, size_t put, int rc, const struct error *found, struct error *e)
{
	s->failed = rc;
	s->failure = *found;
	if (put)
		return (ssize_t)put;
	if (e)
		*e = *found;
	return rc;
}

static ssize_t stream_unpack(struct stream *s, uint8_t *out, size_t n, struct error *e)
{
	size_t put = 0;
	struct error found;
	while (put < n) {
		struct unpack_io io = { .in = s->in + s->in_at, .n_in = s->in_end - s->in_at, .end = s->in_over };
		io.out = out + put;
		io.n_out = n - put;
		enum unpack_status status = s->unpacker->run(s->state, &io);
		bool moved = io.n_in != s->in_end - s->in_at || io.n_out != n - put;
		s->in_at = s->in_end - io.n_in;
		put = n - io.n_out;
		s->boundary = io.boundary;
		if (status)
			return stream_fail(s, put, unpack_error(s, status, &found), &found, e);
		if (moved)
			continue;
		if (put) /* give what there is before waiting for more: the file may be a pipe */
			break;
		int rc = stream_starved(s, &found);
		if (rc < 0)
			return stream_fail(s, put, rc, &found, e);
		if (!rc)
			break;
	}
	return (ssize_t)put;
}

ssize_t stream_read(struct stream *s, uint8_t *out, size_t n, struct error *e)
{
	if (s->failed) {
		if (e)
			*e = s->failure;
		return s->failed;
	}
	if (!s->known) {
		int rc = stream_tell(s, e);
		if (rc <= 0)
			return rc;
	}
	if (s->unpacker)
		return stream_unpack(s, out, n, e);
	if (s->in_at < s->in_end)
		return (ssize_t)stream_take_in(s, out, n);
	return stream_read_raw(s, out, n, e);
}

bool stream_waits(const struct stream *s) { return s->waits; }
const char *stream_compression(const struct stream *s) { return s->unpacker ? s->unpacker->name : "none"; }
uint64_t stream_raw(const struct stream *s) { return s->raw; }
uint64_t stream_total(const struct stream *s) { return s->total; }
