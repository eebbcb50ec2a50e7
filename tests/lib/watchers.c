/* Browsers that watch, for tests: PORT WATCHERS SECONDS [WARM]. Each follows /v1/stream and asks for what a page asks for, over
 * five connections as browsers have them: when it opens, when the stream tells of a commit, and when its reader goes on to
 * another page, every 15 seconds or so. Standard input: a page a line, its paths with spaces between; a page that stands
 * there twice is opened twice as often. SIGTERM ends it too.
 *
 * It prints one object: requests and those that failed, their times from the first byte sent to the last one read (ms), the
 * times until a page had all, and what streams told. WARM: so many seconds do not count, in which everything is asked
 * for the first time. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 5
#define PATHS 40
#define PAGES 400
#define WATCHERS 400
#define STAY 15000.0     /* ms on a page, on average */
#define BETWEEN 5000.0   /* ms between two commits that are heeded, as api/stream.ts */
#define TIMES (1 << 22)

struct page {
	char *path[PATHS];
	unsigned n;
};

struct connection {
	int fd;             /* -1: none */
	const char *asking; /* path; NULL: idle */
	double since;
	char head[8192];    /* of an answer, until its end is seen */
	size_t n_head, left;
	bool in_body, reused;
	int status;
	unsigned turn;      /* of the watcher, when it was asked */
};

struct watcher {
	const struct page *page;
	const char *queue[PATHS];
	unsigned n_queue, pending; /* still to ask; not yet answered */
	unsigned turn;             /* times that a page was asked for */
	double began, leaves;      /* the page was asked for; the reader goes on */
	double heeded;             /* the last commit; 0: none */
	bool again;                /* a commit is to be heeded then */
	struct connection c[CONNECTIONS];
	int stream;
	bool streaming;            /* its answer has begun */
	char line[64];             /* the beginning of the stream's line */
	size_t n_line;
	unsigned lives, commits;
};

struct told {
	double *times, *pages;
	size_t n_times, n_pages;
	uint64_t failed, streams, broken, lives, commits;
	double slowest;
	char slowest_path[300], failure[400];
};

static struct sockaddr_in server = { .sin_family = AF_INET };
static struct page pages[PAGES];
static unsigned n_pages;
static struct watcher watchers[WATCHERS];
static unsigned n_watchers;
static struct told told;
static uint64_t seed = 1;
static double warm; /* ms, monotonic: times count from then on */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double chance(void) /* 0 to 1; xorshift64* */
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (double)((seed * 0x2545f4914f6cdd1du) >> 11) / 9007199254740992.0;
}

static void note(double *times, size_t *n, double since, double ms)
{
	if (*n < TIMES && since >= warm)
		times[(*n)++] = ms;
}

/* ---- Connections ---- */
static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void hang_up(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->asking = NULL;
	c->reused = false;
}

static void fail(const char *path, const char *why, int number)
{
	if (!told.failed++)
		snprintf(told.failure, sizeof told.failure, "%.250s: %s %d", path, why, number);
}

/* A connection on loopback is there at once, so that what does not fit is a failure. */
static bool say(int fd, const char *path, const char *accept)
{
	char text[700];
	int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: %s\r\n\r\n", path,
	                 (unsigned)ntohs(server.sin_port), accept);
	return send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static void ask(struct connection *c, unsigned turn, const char *path)
{
	c->asking = path;
	c->turn = turn;
	c->since = now();
	c->n_head = 0;
	c->in_body = false;
	c->reused = c->fd >= 0;
	if (c->fd < 0)
		c->fd = dial();
	if (c->fd < 0 || !say(c->fd, path, "application/json")) {
		bool once_more = c->reused;
		hang_up(c);
		if (once_more)
			ask(c, turn, path); /* it was idle and has gone: browsers take another */
		else
			fail(path, "cannot be asked", errno);
	}
}

static void ask_more(struct watcher *w)
{
	for (unsigned i = 0; i < CONNECTIONS && w->n_queue; i++)
		if (!w->c[i].asking)
			ask(&w->c[i], w->turn, w->queue[--w->n_queue]);
}

static void ask_page(struct watcher *w)
{
	w->n_queue = w->pending = 0;
	w->turn++;
	w->began = now();
	for (unsigned i = w->page->n; i--;)
		w->queue[w->n_queue++] = w->page->path[i];
	w->pending = w->n_queue;
	ask_more(w);
}

static void answered(struct watcher *w, struct connection *c)
{
	double ms = now() - c->since;
	note(told.times, &told.n_times, c->since, ms);
	if (c->status != 200)
		fail(c->asking, "status", c->status);
	if (ms > told.slowest && c->since >= warm) {
		told.slowest = ms;
		snprintf(told.slowest_path, sizeof told.slowest_path, "%s", c->asking);
	}
	c->asking = NULL;
	c->reused = true;
	if (c->turn == w->turn && !--w->pending)
		note(told.pages, &told.n_pages, w->began, now() - w->began);
	ask_more(w);
}

/* All of an answer's head is there: where its body begins; NULL: not yet. */
static const char *read_head(struct connection *c)
{
	c->head[c->n_head] = 0;
	const char *end = strstr(c->head, "\r\n\r\n"), *length = strcasestr(c->head, "\r\ncontent-length:");
	if (!end)
		return NULL;
	c->status = atoi(c->head + 9);
	c->left = length && length < end ? strtoull(length + 17, NULL, 10) : 0;
	c->in_body = true;
	return end + 4;
}

static void lost(struct watcher *w, struct connection *c)
{
	const char *path = c->asking;
	bool again = c->reused && !c->in_body && !c->n_head;
	hang_up(c);
	if (path && again)
		ask(c, w->turn, path);
	else if (path) {
		fail(path, "cut off", errno);
		w->pending -= c->turn == w->turn;
	}
}

static void hear(struct watcher *w, struct connection *c)
{
	static char room[1 << 16];
	for (;;) {
		ssize_t n = c->in_body ? recv(c->fd, room, sizeof room, 0) :
		                         recv(c->fd, c->head + c->n_head, sizeof c->head - 1 - c->n_head, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			lost(w, c);
			return;
		}
		if (!c->in_body) {
			c->n_head += (size_t)n;
			const char *body = read_head(c);
			if (!body)
				continue;
			n = c->head + c->n_head - body;
		}
		c->left -= (size_t)n < c->left ? (size_t)n : c->left;
		if (!c->left) {
			answered(w, c);
			return;
		}
	}
}

/* ---- Streams ---- */
static void heed_commit(struct watcher *w, double at)
{
	w->again = at - w->heeded < BETWEEN && w->heeded > 0;
	if (w->again)
		return;
	w->heeded = at;
	ask_page(w);
}

/* Only beginnings of lines are looked at: events are never split before their name ends. */
static void end_line(struct watcher *w)
{
	w->line[w->n_line] = 0;
	w->n_line = 0;
	w->streaming |= !strncmp(w->line, "HTTP/1.1 200", 12);
	w->lives += !strncmp(w->line, "event: live", 11);
	if (strncmp(w->line, "event: commit", 13) != 0)
		return;
	w->commits++;
	if (w->commits > 1) /* the first is what was there */
		heed_commit(w, now());
}

static void hear_stream(struct watcher *w)
{
	char room[16384];
	ssize_t n;
	while ((n = recv(w->stream, room, sizeof room, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (room[i] == '\n')
				end_line(w);
			else if (w->n_line < sizeof w->line - 1)
				w->line[w->n_line++] = room[i];
		}
	}
	if (n < 0 && errno == EAGAIN)
		return;
	close(w->stream);
	w->stream = -1;
	told.broken++;
}

/* ---- A watcher's time ---- */
static void open_page(struct watcher *w, double at)
{
	w->page = &pages[(unsigned)(chance() * n_pages)];
	w->leaves = at + STAY * (0.5 + chance());
	ask_page(w);
}

static void tick(struct watcher *w, double at)
{
	if (at >= w->leaves)
		open_page(w, at);
	if (w->again && at - w->heeded >= BETWEEN)
		heed_commit(w, at);
}

static void begin(struct watcher *w, double at)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		w->c[i].fd = -1;
	w->stream = dial();
	if (w->stream < 0 || !say(w->stream, "/v1/stream", "text/event-stream"))
		fail("/v1/stream", "cannot be asked", errno);
	w->leaves = at + 2000 * chance(); /* not all at once */
	told.streams++;
}

#define POLLED (WATCHERS * (CONNECTIONS + 1))
static void step(void)
{
	static struct pollfd p[POLLED];
	static struct { struct watcher *w; struct connection *c; } of[POLLED];
	nfds_t n = 0;
	for (struct watcher *w = watchers; w < watchers + n_watchers; w++) {
		if (w->stream >= 0) {
			p[n] = (struct pollfd){ .fd = w->stream, .events = POLLIN };
			of[n].w = w;
			of[n++].c = NULL;
		}
		for (struct connection *c = w->c; c < w->c + CONNECTIONS; c++) {
			if (c->fd < 0)
				continue;
			p[n] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
			of[n].w = w;
			of[n++].c = c;
		}
	}
	poll(p, n, 50);
	for (nfds_t i = 0; i < n; i++) {
		if (!p[i].revents)
			continue;
		if (!of[i].c)
			hear_stream(of[i].w);
		else if (of[i].c->fd == p[i].fd)
			hear(of[i].w, of[i].c);
	}
	for (unsigned i = 0; i < n_watchers; i++)
		tick(&watchers[i], now());
}

/* ---- In and out ---- */
static void read_pages(void)
{
	static char line[16384];
	while (n_pages < PAGES && fgets(line, sizeof line, stdin)) {
		struct page *page = &pages[n_pages++];
		for (char *p = strtok(line, " \n"); p && page->n < PATHS; p = strtok(NULL, " \n"))
			page->path[page->n++] = strdup(p);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_times(const char *name, double *times, size_t n)
{
	qsort(times, n, sizeof *times, compare);
	printf("\"%s\": {\"n\": %zu, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"most\": %.1f}, ", name, n, n ? times[n / 2] : 0,
	       n ? times[n * 9 / 10] : 0, n ? times[n * 99 / 100] : 0, n ? times[n - 1] : 0);
}

static void print(void)
{
	unsigned least_lives = ~0u, least_commits = ~0u, streaming = 0;
	for (struct watcher *w = watchers; w < watchers + n_watchers; w++) {
		told.lives += w->lives;
		told.commits += w->commits;
		least_lives = w->lives < least_lives ? w->lives : least_lives;
		least_commits = w->commits < least_commits ? w->commits : least_commits;
		streaming += w->streaming && w->stream >= 0;
	}
	printf("{");
	print_times("api", told.times, told.n_times);
	print_times("page", told.pages, told.n_pages);
	printf("\"failed\": %llu, \"failure\": \"%s\", \"slowest\": \"%s\", \"streaming\": %u, \"lives\": %llu, "
	       "\"commits\": %llu, \"least_lives\": %u, \"least_commits\": %u}\n", (unsigned long long)told.failed, told.failure,
	       told.slowest_path, streaming, (unsigned long long)told.lives, (unsigned long long)told.commits, least_lives,
	       least_commits);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	server.sin_port = htons((uint16_t)atoi(argv[1]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	n_watchers = (unsigned)atoi(argv[2]);
	double end = now() + atof(argv[3]) * 1e3;
	warm = argc > 4 ? now() + atof(argv[4]) * 1e3 : 0;
	told.times = malloc(TIMES * sizeof *told.times);
	told.pages = malloc(TIMES * sizeof *told.pages);
	read_pages();
	if (!n_pages || n_watchers > WATCHERS || !told.times || !told.pages)
		return 2;
	signal(SIGTERM, on_signal);
	for (unsigned i = 0; i < n_watchers; i++)
		begin(&watchers[i], now());
	while (!stop && now() < end)
		step();
	print();
	return 0;
}
