/* Pieces: every packet in exactly one, whatever times and orders packets and clock come in, and whatever the disk refuses. */
#include "capture_help.h"
#include "capture/pieces.h"
#include "capture/write.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define MINUTE INT64_C(60000000000)
#define SECOND INT64_C(1000000000)
#define START (29000000 * MINUTE)
#define FRAMES_MAX 60000
#define GROUPS_MAX 256

static char folder[] = "/tmp/monomi-pieces-XXXXXX";

/* --- an env whose disk fails when told to, and that watches the order of things --- */

struct watch {
	struct env env;
	uint64_t steps, fail_from, fail_to; /* numbers of the durable steps that fail; 0: none */
	bool no_markers;                    /* no marker gets its name */
	char closed[GROUPS_MAX][40];        /* groups with a marker */
	unsigned n_closed;
	bool late;                          /* a piece came after the marker of its group */
};

static struct watch watch;

static int refuse(int code)
{
	watch.steps++;
	return watch.steps >= watch.fail_from && watch.steps < watch.fail_to ? -code : 0;
}

static int watch_open(const struct env *e, const char *path, int flags, mode_t mode)
{
	(void)e;
	int rc = flags & O_CREAT ? refuse(ENOSPC) : 0;
	return rc ? rc : env_system()->open(env_system(), path, flags, mode);
}

static ssize_t watch_write(const struct env *e, int fd, const void *p, size_t n)
{
	(void)e;
	int rc = refuse(ENOSPC);
	return rc ? rc : env_system()->write(env_system(), fd, p, n);
}

static ssize_t watch_pwrite(const struct env *e, int fd, const void *p, size_t n, off_t at)
{
	(void)e;
	int rc = refuse(ENOSPC);
	return rc ? rc : env_system()->pwrite(env_system(), fd, p, n, at);
}

static int watch_fsync(const struct env *e, int fd)
{
	(void)e;
	(void)fd; /* what a power cut would do is not looked at here */
	return refuse(EIO);
}

static int watch_close(const struct env *e, int fd)
{
	(void)e;
	int rc = refuse(EIO);
	env_system()->close(env_system(), fd);
	return rc;
}

static const char *group_of(const char *path, char out[static 40])
{
	const char *name = strrchr(path, '/') + 1;
	snprintf(out, 40, "%.38s", name);
	return out;
}

static int watch_rename(const struct env *e, const char *from, const char *to)
{
	(void)e;
	char group[40];
	bool marker = strstr(to, ".closed") != NULL;
	int rc = refuse(EIO);
	if (!rc && watch.no_markers && marker)
		rc = -EIO;
	if (rc)
		return rc;
	group_of(to, group);
	for (unsigned i = 0; i < watch.n_closed; i++)
		watch.late |= !strcmp(watch.closed[i], group);
	if (marker && watch.n_closed < GROUPS_MAX)
		memcpy(watch.closed[watch.n_closed++], group, sizeof group);
	return env_system()->rename(env_system(), from, to);
}

static void watch_init(void)
{
	memset(&watch, 0, sizeof watch);
	watch.env = *env_system();
	watch.env.open = watch_open;
	watch.env.write = watch_write;
	watch.env.pwrite = watch_pwrite;
	watch.env.fsync = watch_fsync;
	watch.env.close = watch_close;
	watch.env.rename = watch_rename;
}

/* --- what lies in the folder --- */

struct group {
	struct piece_name name;
	uint64_t packets, dropped, pieces, observed;
	char modes[200]; /* of its pieces, the first letter of each */
	int64_t told; /* the end of the last observation */
	bool closed;
	uint64_t closed_received, closed_dropped, closed_pieces, closed_observed;
};

static struct found {
	struct group groups[GROUPS_MAX];
	unsigned n;
	uint8_t seen[FRAMES_MAX]; /* how often a frame was found */
	uint64_t packets, dropped, pieces, observed, hidden;
	unsigned open; /* groups without a marker */
	struct {
		uint64_t writer, pieces, most; /* greatest number of a piece */
	} writers[GROUPS_MAX];
	unsigned n_writers;
	bool timeless;
} found;

static struct group *group_find(const struct piece_name *n)
{
	for (unsigned i = 0; i < found.n; i++)
		if (found.groups[i].name.from == n->from && found.groups[i].name.to == n->to &&
		    found.groups[i].name.writer == n->writer)
			return &found.groups[i];
	assert_true(found.n < GROUPS_MAX);
	found.groups[found.n] = (struct group){ .name = *n, .told = INT64_MIN };
	return &found.groups[found.n++];
}

static void note_number(const struct piece_name *n)
{
	unsigned i = 0;
	while (i < found.n_writers && found.writers[i].writer != n->writer)
		i++;
	assert_true(i < GROUPS_MAX);
	found.n_writers += i == found.n_writers;
	found.writers[i].writer = n->writer;
	found.writers[i].pieces++;
	found.writers[i].most = n->seq > found.writers[i].most ? n->seq : found.writers[i].most;
}

static void note_piece_frames(const struct piece_name *n, const struct frame_block *b, int64_t *least, int64_t *most)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct frame *f = &b->frames[i];
		assert_true(f->ts >= n->from * MINUTE && f->ts < n->to * MINUTE);
		*least = f->ts < *least ? f->ts : *least;
		*most = f->ts > *most ? f->ts : *most;
		uint32_t number = load_le32(f->data);
		assert_true(number < FRAMES_MAX);
		found.seen[number]++;
	}
}

static void note_piece(const char *path, const struct piece_name *n)
{
	struct capture_config config = { 0 };
	struct capture_info info;
	struct capture *c;
	struct frame_block b;
	struct error e;
	struct group *g = group_find(n);
	uint64_t packets = 0;
	int64_t least = INT64_MAX, most = INT64_MIN;
	int rc;
	assert_int_equal(capture_open(&c, env_system(), path, &config, &e), 0);
	assert_int_equal(frame_block_init(&b, env_system(), &e), 0);
	while ((rc = capture_read(c, &b, &e)) == CAPTURE_FRAMES) {
		note_piece_frames(n, &b, &least, &most);
		packets += b.n;
	}
	assert_int_equal(rc, CAPTURE_END);
	capture_info(c, &info);
	assert_true(info.uncompressed <= PIECE_BYTES);
	assert_true(found.timeless || !packets || most - least < PIECE_AGE);
	assert_int_equal(info.observed.sections, 1);
	assert_int_equal(info.observed.received, packets);
	assert_true(info.observed.from >= n->from * MINUTE && info.observed.to <= n->to * MINUTE);
	assert_int_equal(info.observed.ns, info.observed.to - info.observed.from);
	if (info.observed.ns) { /* pieces lie in the folder in the order of their numbers: observations do not overlap */
		assert_true(info.observed.from >= g->told);
		g->told = info.observed.to;
	}
	note_number(n);
	g->packets += packets;
	g->dropped += info.observed.dropped;
	g->observed += info.observed.ns;
	const char *mode = mode_name(info.observed.mode);
	snprintf(g->modes + strlen(g->modes), sizeof g->modes - strlen(g->modes), "%c", mode ? *mode : '-');
	g->pieces++;
	frame_block_fini(&b, env_system());
	capture_close(c);
}

static uint64_t member(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, 10);
}

static void note_marker(const char *path, const struct piece_name *n)
{
	struct group *g = group_find(n);
	char text[512] = "";
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	fclose(f);
	g->closed = true;
	g->closed_received = member(text, "\"received\":");
	g->closed_dropped = member(text, "\"dropped\":");
	g->closed_pieces = member(text, "\"pieces\":");
	g->closed_observed = member(text, "\"observed_ns\":");
}

static int note_name(void *ctx, const char *name)
{
	char path[200];
	struct piece_name n;
	bool remove = *(bool *)ctx;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (remove) {
		unlink(path);
	} else if (piece_name_parse(name, &n)) {
		char again[PIECE_NAME];
		assert_string_equal(piece_name_format(&n, again), name);
		n.closed ? note_marker(path, &n) : note_piece(path, &n);
	} else {
		found.hidden++;
	}
	return 0;
}

static void look(bool timeless)
{
	bool remove = false;
	memset(&found, 0, sizeof found);
	found.timeless = timeless;
	assert_int_equal(env_system()->list(env_system(), folder, note_name, &remove), 0);
	for (unsigned i = 0; i < found.n_writers; i++) /* numbers from 0, none left out */
		assert_int_equal(found.writers[i].most + 1, found.writers[i].pieces);
	for (unsigned i = 0; i < found.n; i++) {
		const struct group *g = &found.groups[i];
		found.packets += g->packets;
		found.pieces += g->pieces;
		found.observed += g->observed;
		found.dropped += g->closed ? g->closed_dropped : g->dropped;
		found.open += !g->closed;
		if (!g->closed)
			continue;
		assert_int_equal(g->closed_received, g->packets);
		assert_int_equal(g->closed_pieces, g->pieces);
		assert_int_equal(g->closed_observed, g->observed);
		assert_true(g->closed_dropped >= g->dropped);
	}
}

static void clear(void)
{
	bool remove = true;
	assert_int_equal(env_system()->list(env_system(), folder, note_name, &remove), 0);
}

/* --- random runs --- */

static uint64_t dice;

static uint64_t roll(uint64_t n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (dice >> 33) % n;
}

static uint8_t payload[4096];

static struct frame make_frame(uint32_t number, int64_t ts)
{
	store_le32(payload, number);
	uint32_t n = 4 + (uint32_t)(roll(50) ? roll(100) : roll(sizeof payload - 4));
	return (struct frame){ .ts = ts, .data = payload, .caplen = n, .wirelen = n, .link = LINK_ETHERNET,
		               .marks = roll(20) ? 0 : FRAME_OWN };
}

static struct pieces *open_pieces(struct pieces_config config, int64_t now)
{
	struct pieces *p;
	struct error e;
	config.folder = folder;
	config.link = LINK_ETHERNET;
	config.writer = (uint64_t)now;
	assert_int_equal(pieces_open(&p, &watch.env, &config, now, &e), 0);
	return p;
}

/* Packets near the clock, some far off; a clock that runs, stops, leaps and goes back. */
static uint32_t run_random(struct pieces *p, uint32_t n, int64_t *now)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t what = roll(2000);
		if (what < 1000)
			*now += (int64_t)roll(2000000);
		else if (what < 1020)
			*now += (int64_t)roll(3 * (uint64_t)SECOND);
		else if (what == 1020)
			*now += (int64_t)roll(4 * (uint64_t)MINUTE);
		else if (what == 1021)
			pieces_restart(p, *now += (int64_t)roll(10 * (uint64_t)MINUTE) - 5 * MINUTE);
		else if (what == 1022)
			pieces_blind(p, *now += (int64_t)roll(3 * (uint64_t)SECOND));
		if (what < 1021)
			pieces_clock(p, *now);
		int64_t ts = *now + (int64_t)roll(2000000) - 1000000;
		if (what == 1023)
			ts += (int64_t)roll(20 * (uint64_t)MINUTE) - 10 * MINUTE;
		struct frame f = make_frame(i, ts);
		pieces_frame(p, &f);
	}
	return n;
}

static void every_packet_is_in_one_piece(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct error e;
		int64_t now = START + (int64_t)seed * 7 * SECOND;
		bool timeless = seed % 3 == 0;
		dice = seed;
		watch_init();
		struct pieces *p = open_pieces((struct pieces_config){ .timeless = timeless, .span = timeless ? 10 : 0 }, now);
		uint32_t n = run_random(p, 20000, &now);
		assert_int_equal(pieces_close(p, &e), 0);
		look(timeless);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(found.seen[i], 1);
		assert_int_equal(found.packets, n);
		assert_int_equal(found.dropped, 0);
		assert_int_equal(found.open, 0);
		assert_int_equal(found.hidden, 0);
		assert_false(watch.late);
		clear();
	}
}

/* A minute of packets as a sensor sees them: no piece begins before it must. */
static void pieces_are_cut_by_size_and_age(void **state)
{
	(void)state;
	struct error e;
	watch_init();
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START);
	struct frame f = { .data = payload, .caplen = 968, .wirelen = 968, .link = LINK_ETHERNET };
	for (uint32_t i = 0; i < 2000; i++) { /* two seconds with 1,000 bytes a packet each as pcapng */
		f.ts = START + i * (SECOND / 1000);
		store_le32(payload, i);
		pieces_frame(p, &f);
		pieces_clock(p, f.ts);
	}
	assert_int_equal(pieces_close(p, &e), 0);
	look(false);
	assert_int_equal(found.packets, 2000);
	assert_int_equal(found.pieces, 3); /* 899, 899, 202: the size comes first */
	assert_int_equal(found.observed, 1999 * (SECOND / 1000));
	clear();
}

static void an_idle_sensor_says_so(void **state)
{
	(void)state;
	struct error e;
	watch_init();
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START + 5 * SECOND);
	for (int64_t t = 5 * SECOND; t <= 180 * SECOND; t += SECOND / 10)
		pieces_clock(p, START + t);
	look(false);
	assert_int_equal(found.n, 3);
	assert_int_equal(found.groups[0].observed, 55 * SECOND);
	assert_int_equal(found.groups[1].observed, 60 * SECOND);
	assert_true(found.groups[1].pieces >= 6 && found.groups[1].pieces <= 7);
	assert_true(found.groups[0].closed && found.groups[1].closed && !found.groups[2].closed);
	pieces_clock(p, START + 3600 * SECOND); /* the process stood still, the ring did not */
	assert_int_equal(pieces_close(p, &e), 0);
	look(false);
	assert_int_equal(found.n, 60);
	assert_int_equal(found.observed, 3595 * SECOND);
	assert_int_equal(found.open, 0);
	clear();
}

/* A piece tells of the mode that answered most while it was open, or since the one before. */
static void each_piece_tells_the_mode(void **state)
{
	(void)state;
	struct error e;
	watch_init();
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START);
	struct frame f = make_frame(0, START + SECOND / 2);
	pieces_frame(p, &f);
	pieces_clock(p, START + 2 * SECOND); /* nothing is told */
	pieces_mode(p, MODE_SILENT);
	pieces_clock(p, START + 14 * SECOND);
	f = make_frame(1, START + 14 * SECOND);
	pieces_frame(p, &f);
	pieces_mode(p, MODE_HOST); /* for a moment within an open piece … */
	pieces_mode(p, MODE_SILENT);
	pieces_clock(p, START + 16 * SECOND);
	pieces_mode(p, MODE_SYN_ACK); /* … and with none open */
	pieces_mode(p, MODE_SILENT);
	pieces_clock(p, START + 28 * SECOND);
	pieces_clock(p, START + 40 * SECOND);
	assert_int_equal(pieces_close(p, &e), 0);
	look(false);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.groups[0].modes, "-shss");
	clear();
}

static void what_was_not_observed_is_a_gap(void **state)
{
	(void)state;
	struct error e;
	watch_init();
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START);
	pieces_clock(p, START + 10 * SECOND);
	pieces_blind(p, START + 30 * SECOND);
	pieces_clock(p, START + 40 * SECOND);
	pieces_restart(p, START + 3 * MINUTE); /* leapt forward */
	pieces_clock(p, START + 3 * MINUTE + SECOND);
	pieces_restart(p, START + 20 * SECOND); /* and back */
	pieces_clock(p, START + 21 * SECOND);
	struct pieces_status status;
	pieces_status(p, &status);
	assert_int_equal(status.restarts, 2);
	assert_int_equal(pieces_close(p, &e), 0);
	look(false);
	assert_int_equal(found.n, 3);
	assert_int_equal(found.groups[0].observed, 20 * SECOND);
	assert_int_equal(found.groups[1].observed, SECOND);
	assert_int_equal(found.groups[1].name.from, START / MINUTE);
	assert_int_equal(found.groups[2].observed, SECOND);
	assert_false(watch.late);
	clear();
}

static void what_was_lost_before_is_told(void **state)
{
	(void)state;
	struct error e;
	watch_init();
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START);
	struct frame f = make_frame(0, -1);
	pieces_frame(p, &f); /* before 1970 */
	pieces_lost(p, START + SECOND, 7);
	pieces_clock(p, START + 2 * SECOND);
	pieces_lost(p, START + 2 * SECOND, 3);
	assert_int_equal(pieces_close(p, &e), 0);
	look(false);
	assert_int_equal(found.groups[0].dropped, 11);
	assert_int_equal(found.dropped, 11);
	clear();
}

/* --- failures --- */

static uint32_t run_short(struct pieces *p, int64_t every)
{
	uint32_t n = 0;
	for (int64_t t = 0; t < 130 * SECOND; t += every) {
		struct frame f = make_frame(n++, START + t);
		pieces_frame(p, &f);
		pieces_clock(p, START + t);
	}
	return n;
}

/* Markers that could not be written come with the next writer. */
static void check_after(uint32_t n, uint64_t lost)
{
	struct error e;
	watch_init();
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START + 10 * MINUTE);
	assert_int_equal(pieces_close(p, &e), 0);
	look(false);
	uint64_t missing = 0;
	for (uint32_t i = 0; i < n; i++) {
		assert_true(found.seen[i] <= 1);
		missing += !found.seen[i];
	}
	assert_int_equal(missing, lost);
	assert_int_equal(found.open, 0);
	assert_int_equal(found.hidden, 0);
}

static void a_failing_disk_is_counted(void **state)
{
	(void)state;
	uint64_t most = 0;
	for (uint64_t length = 1; length <= 20; length += 19) {
		for (uint64_t at = 1;; at += length) {
			struct error e;
			watch_init();
			watch.fail_from = at;
			watch.fail_to = at + length;
			struct pieces *p = open_pieces((struct pieces_config){ .memory = 8u << 20 }, START);
			uint32_t n = run_short(p, 12 * SECOND);
			(void)!pieces_close(p, &e);
			bool over = watch.steps < at;
			look(false);
			uint64_t lost = n - found.packets;
			if (!found.open && found.n == 3) /* what is not there was told by a marker at the latest */
				assert_int_equal(found.dropped, lost);
			for (unsigned i = 0; length == 1 && i < found.n; i++) /* a disk that works again has pieces say it all */
				assert_true(!found.groups[i].closed || found.groups[i].closed_dropped == found.groups[i].dropped);
			most = lost > most ? lost : most;
			check_after(n, lost);
			clear();
			if (over)
				break;
		}
	}
	assert_true(most >= 3);
}

static void what_a_killed_writer_left_is_closed(void **state)
{
	(void)state;
	struct error e;
	struct found before;
	watch_init();
	watch.no_markers = true;
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START);
	uint32_t n = run_short(p, 4 * SECOND);
	assert_int_equal(pieces_close(p, &e), -EIO);
	assert_string_equal(e.code, "MON-CAP-052");
	look(false);
	before = found;
	assert_int_equal(before.open, 3);
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	int half = openat(fd, ".0029000002-0029000003-0000000000000001-0000000000.pcapng.zst.tmp", O_CREAT | O_WRONLY, 0600);
	assert_true(half >= 0);
	close(half);
	close(fd);
	check_after(n, 0);
	for (unsigned i = 0; i < before.n; i++) {
		const struct group *g = &found.groups[i], *b = &before.groups[i];
		assert_true(g->closed && g->name.writer == b->name.writer && g->packets == b->packets);
		assert_int_equal(g->closed_observed, b->observed);
	}
	clear();
}

static void one_writer_at_a_time(void **state)
{
	(void)state;
	struct error e;
	struct pieces *second;
	struct pieces_config config = { .folder = folder, .link = LINK_ETHERNET };
	watch_init();
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START);
	assert_true(pieces_open(&second, env_system(), &config, START, &e) < 0);
	assert_string_equal(e.code, "MON-CAP-051");
	config.folder = "/nowhere";
	assert_true(pieces_open(&second, env_system(), &config, START, &e) < 0);
	assert_string_equal(e.code, "MON-CAP-050");
	assert_int_equal(pieces_close(p, &e), 0);
	clear();
}

/* --- a disk that is behind --- */

static int gate[2]; /* a sync waits for a byte, or for its end */

static int slow_fsync(const struct env *e, int fd)
{
	(void)e;
	(void)fd;
	char c;
	(void)!read(gate[0], &c, 1);
	return 0;
}

static void a_slow_disk_costs_packets_not_memory(void **state)
{
	(void)state;
	struct error e;
	struct pieces_status status;
	watch_init();
	watch.env.fsync = slow_fsync;
	assert_int_equal(pipe(gate), 0);
	struct pieces *p = open_pieces((struct pieces_config){ .background = true, .memory = 8u << 20 }, START);
	uint32_t n = 0;
	for (; n < 40000; n++) { /* some 40 MB */
		struct frame f = { .ts = START + n * INT64_C(1000000), .data = payload, .caplen = 1000, .wirelen = 1000,
			           .link = LINK_ETHERNET };
		store_le32(payload, n);
		pieces_frame(p, &f);
		pieces_clock(p, f.ts);
	}
	pieces_status(p, &status);
	assert_true(status.lost > n / 2 && status.waiting > 1);
	close(gate[1]);
	assert_int_equal(pieces_close(p, &e), 0);
	close(gate[0]);
	look(false);
	assert_int_equal(found.packets + found.dropped, n);
	assert_true(found.dropped >= status.lost);
	assert_int_equal(found.open, 0);
	clear();
}

/* --- reading --- */

static void concatenated_pieces_are_one_capture(void **state)
{
	(void)state;
	struct error e;
	watch_init();
	struct pieces *p = open_pieces((struct pieces_config){ 0 }, START);
	uint32_t n = run_short(p, 4 * SECOND);
	pieces_lost(p, START + 128 * SECOND, 5);
	assert_int_equal(pieces_close(p, &e), 0);
	char command[300], path[100];
	snprintf(path, sizeof path, "%s/all", folder);
	snprintf(command, sizeof command, "cat %s/*.zst > %s", folder, path);
	assert_int_equal(system(command), 0);
	struct capture_config config = { 0 };
	struct capture_info info;
	struct capture *c;
	struct frame_block b;
	uint32_t got = 0, own = 0;
	int rc;
	assert_int_equal(capture_open(&c, env_system(), path, &config, &e), 0);
	assert_int_equal(frame_block_init(&b, env_system(), &e), 0);
	while ((rc = capture_read(c, &b, &e)) == CAPTURE_FRAMES)
		for (uint32_t i = 0; i < b.n; i++) {
			assert_int_equal(load_le32(b.frames[i].data), got++);
			own += b.frames[i].marks & FRAME_OWN;
		}
	assert_int_equal(rc, CAPTURE_END);
	assert_int_equal(got, n);
	assert_true(own < n);
	capture_info(c, &info);
	frame_block_fini(&b, env_system());
	capture_close(c);
	unlink(path);
	look(false);
	assert_int_equal(info.observed.sections, found.pieces);
	assert_int_equal(info.observed.received, n);
	assert_int_equal(info.observed.dropped, 5);
	assert_int_equal(info.observed.from, START);
	assert_int_equal(info.observed.to, START + 128 * SECOND);
	assert_int_equal(info.observed.ns, 128 * SECOND);
	clear();
}

static void names_are_read_as_written(void **state)
{
	(void)state;
	static const char *const others[] = {
		"", "0029000000-0029000001-0000000000000001", "0029000000-0029000001-0000000000000001-0000000000.pcapng",
		"0029000001-0029000001-0000000000000001.closed", "029000000-0029000001-0000000000000001.closed",
		"0029000000-0029000001-000000000000000G.closed", "0029000000-9999999999-0000000000000001.closed",
		".0029000000-0029000001-0000000000000001.closed.tmp", "0029000000-0029000001-0000000000000001.closed ",
	};
	struct piece_name n = { .from = 1, .to = UINT32_MAX, .writer = UINT64_MAX, .seq = UINT32_MAX }, back;
	char text[PIECE_NAME];
	assert_true(piece_name_parse(piece_name_format(&n, text), &back));
	assert_true(back.from == n.from && back.to == n.to && back.writer == n.writer && back.seq == n.seq && !back.closed);
	assert_string_equal(text, "0000000001-4294967295-ffffffffffffffff-4294967295.pcapng.zst");
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(piece_name_parse(others[i], &back));
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_as_written),
		cmocka_unit_test(pieces_are_cut_by_size_and_age),
		cmocka_unit_test(an_idle_sensor_says_so),
		cmocka_unit_test(each_piece_tells_the_mode),
		cmocka_unit_test(what_was_not_observed_is_a_gap),
		cmocka_unit_test(what_was_lost_before_is_told),
		cmocka_unit_test(every_packet_is_in_one_piece),
		cmocka_unit_test(concatenated_pieces_are_one_capture),
		cmocka_unit_test(one_writer_at_a_time),
		cmocka_unit_test(what_a_killed_writer_left_is_closed),
		cmocka_unit_test(a_slow_disk_costs_packets_not_memory),
		cmocka_unit_test(a_failing_disk_is_counted),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
