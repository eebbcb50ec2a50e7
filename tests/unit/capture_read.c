/* What holds for every format: growing files, standard input, the filter, names, the digest. */
#define XXH_INLINE_ALL
#include "capture_help.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

static struct bytes b;
static struct outcome o;
static struct memory_env m;
static struct error e;

static void make(unsigned records)
{
	memset(&b, 0, sizeof b);
	put_pcap_header(&b, 0xa1b2c3d4, 4, 65535, 1);
	for (unsigned i = 0; i < records; i++)
		put_pcap_record(&b, 1000 + i, i, 20 + i % 50, 60);
}

/* A growing file, one byte at a time: never an error, each record as soon as it is whole. */
static void test_follow_growth(void **state)
{
	(void)state;
	make(10);
	memory_env_init(&m, b.p, 0);
	struct capture_config config = { .follow = true };
	struct capture *c;
	struct frame_block block;
	assert_int_equal(frame_block_init(&block, &m.env, &e), 0);
	assert_int_equal(capture_open(&c, &m.env, "file", &config, &e), 0);
	uint32_t seen = 0;
	size_t whole = 24;
	for (m.n = 0; m.n <= b.n; m.n++) {
		int rc = capture_read(c, &block, &e);
		if (rc == CAPTURE_FRAMES) {
			assert_int_equal(block.n, 1);
			assert_int_equal(block.first, seen);
			assert_int_equal(block.frames[0].ts, (INT64_C(1000) + seen) * 1000000000 + seen * 1000);
			whole += 16 + block.frames[0].caplen;
			assert_int_equal(m.n, whole);
			seen++;
			rc = capture_read(c, &block, &e);
		}
		assert_int_equal(rc, CAPTURE_WAIT);
		assert_int_equal(block.n, 0);
	}
	assert_int_equal(seen, 10);
	struct capture_info info;
	capture_info(c, &info);
	assert_string_equal(info.format, "pcap");
	assert_int_equal(info.uncompressed, b.n);
	capture_close(c);
	frame_block_fini(&block, &m.env);
	assert_int_equal(m.live_bytes, 0);
}

/* Reads up to what comes after the frames. */
static int read_on(struct capture *c, struct frame_block *block, uint32_t *seen)
{
	int rc;
	while ((rc = capture_read(c, block, &e)) == CAPTURE_FRAMES)
		*seen += block->n;
	return rc;
}

static void test_follow_shrunk(void **state)
{
	(void)state;
	make(10);
	memory_env_init(&m, b.p, b.n);
	struct capture_config config = { .follow = true };
	struct capture *c;
	struct frame_block block;
	assert_int_equal(frame_block_init(&block, &m.env, &e), 0);
	assert_int_equal(capture_open(&c, &m.env, "file", &config, &e), 0);
	uint32_t seen = 0;
	assert_int_equal(read_on(c, &block, &seen), CAPTURE_WAIT);
	assert_int_equal(seen, 10);
	m.n = 100;
	assert_true(capture_read(c, &block, &e) < 0);
	assert_string_equal(e.code, "MON-CAP-024");
	capture_close(c);
	frame_block_fini(&block, &m.env);
}

/* A pipe has an end even when followed: its writer closed it. */
static void test_follow_pipe(void **state)
{
	(void)state;
	make(3);
	memory_env_init(&m, b.p, b.n);
	m.pipe = true;
	struct capture_config config = { .follow = true };
	struct capture *c;
	struct frame_block block;
	assert_int_equal(frame_block_init(&block, &m.env, &e), 0);
	assert_int_equal(capture_open(&c, &m.env, "file", &config, &e), 0);
	uint32_t seen = 0;
	assert_int_equal(read_on(c, &block, &seen), CAPTURE_END);
	assert_int_equal(seen, 3);
	assert_int_equal(capture_read(c, &block, &e), CAPTURE_END);
	capture_close(c);
	frame_block_fini(&block, &m.env);
}

/* Frames of several blocks are valid at once: only reading into a block again ends them. */
static void test_blocks_live_on(void **state)
{
	(void)state;
	enum { BLOCKS = 40 };
	make(100);
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 0 });
	memory_env_init(&m, b.p, b.n);
	struct capture_config config = { 0 };
	struct capture *c;
	static struct frame_block blocks[BLOCKS];
	assert_int_equal(capture_open(&c, &m.env, "file", &config, &e), 0);
	uint32_t seen = 0;
	for (int i = 0; i < BLOCKS; i++) {
		assert_int_equal(frame_block_init_size(&blocks[i], &m.env, 256, &e), 0);
		int rc = capture_read(c, &blocks[i], &e);
		assert_true(rc == CAPTURE_FRAMES || rc == CAPTURE_END);
		seen += blocks[i].n;
	}
	capture_close(c); /* the blocks are the caller's, also past the capture */
	assert_int_equal(seen, 100);
	for (int i = 0; i < BLOCKS; i++) {
		for (uint32_t k = 0; k < blocks[i].n; k++) {
			const struct frame *f = &blocks[i].frames[k];
			assert_int_equal(data_hash(f->data, f->caplen), o.frames[blocks[i].first + k].hash);
		}
		frame_block_fini(&blocks[i], &m.env);
	}
	assert_int_equal(m.live_bytes, 0);
}

static void test_digest(void **state)
{
	(void)state;
	make(100);
	XXH128_canonical_t expected;
	XXH128_canonicalFromHash(&expected, XXH3_128bits(b.p, b.n));
	static const size_t sizes[] = { 0, 64, 1000 };
	for (int i = 0; i < 3; i++) {
		read_bytes(&o, b.p, b.n, (struct reading){ .block = sizes[i], .piece = 777 });
		assert_memory_equal(o.digest, expected.digest, 16);
	}
}

/* An Ethernet frame with IPv4 and UDP to `port`. */
static void put_udp(uint32_t sec, uint16_t port)
{
	uint8_t p[60] = { [12] = 8, [14] = 0x45, [17] = 46, [22] = 64, [23] = 17, [26] = 10, [30] = 10 };
	store_be16(p + 36, port);
	put32(&b, sec);
	put32(&b, 0);
	put32(&b, sizeof p);
	put32(&b, sizeof p);
	put(&b, p, sizeof p);
}

static void test_filter(void **state)
{
	(void)state;
	memset(&b, 0, sizeof b);
	put_pcap_header(&b, 0xa1b2c3d4, 4, 65535, 1);
	for (uint16_t i = 0; i < 30; i++)
		put_udp(i, i % 3 ? 53 : 123);
	static const size_t sizes[] = { 0, 80, 500 };
	for (int i = 0; i < 3; i++) {
		read_bytes(&o, b.p, b.n, (struct reading){ .block = sizes[i], .filter = "udp dst port 123" });
		assert_int_equal(o.rc, CAPTURE_END);
		assert_int_equal(o.n, 10); /* block.first counts them alone: read_bytes asserts it */
		for (uint32_t k = 0; k < o.n; k++)
			assert_int_equal(o.frames[k].f.ts, k * INT64_C(3000000000));
	}
	read_bytes(&o, b.p, b.n, (struct reading){ .filter = "tcp" });
	assert_int_equal(o.rc, CAPTURE_END);
	assert_int_equal(o.n, 0);
	assert_int_equal(o.info.n_links, 0);
	read_bytes(&o, b.p, b.n, (struct reading){ .filter = "udp dst prot 123" });
	assert_int_equal(o.rc, -EINVAL);
	assert_string_equal(o.e.code, "MON-CAP-007");
	for (uint64_t i = 1; i < 10; i++) {
		read_bytes(&o, b.p, b.n, (struct reading){ .filter = "udp", .fail_alloc = i });
		assert_true(o.rc == -ENOMEM || (o.rc == CAPTURE_END && o.n == 30));
	}
}

/* One program a link type; an expression that one of them cannot have fails where that type comes up. */
static void test_filter_links(void **state)
{
	(void)state;
	memset(&b, 0, sizeof b);
	put_section(&b, 1, 0);
	put_interface(&b, 1, 0, 255, 0);
	put_interface(&b, 101, 0, 255, 0);
	for (uint32_t i = 0; i < 6; i++)
		put_enhanced(&b, i / 3, i, 60, 60);
	read_bytes(&o, b.p, b.n, (struct reading){ .filter = "greater 10" });
	assert_int_equal(o.rc, CAPTURE_END);
	assert_int_equal(o.n, 6);
	read_bytes(&o, b.p, b.n, (struct reading){ .filter = "not ether host 01:02:03:04:05:06" });
	assert_int_equal(o.rc, -EINVAL);
	assert_string_equal(o.e.code, "MON-CAP-007");
	assert_non_null(strstr(o.e.text, "RAW"));
	assert_int_equal(o.n, 3);
}

static void test_filter_too_many_links(void **state)
{
	(void)state;
	memset(&b, 0, sizeof b);
	put_section(&b, 1, 0);
	for (uint16_t i = 0; i < 65; i++)
		put_interface(&b, 193 + i, 0, 255, 0); /* libpcap compiles for all of these */
	for (uint32_t i = 0; i < 65; i++)
		put_enhanced(&b, i, i, 60, 60);
	read_bytes(&o, b.p, b.n, (struct reading){ .filter = "greater 10" });
	assert_string_equal(o.e.code, "MON-CAP-008");
	assert_int_equal(o.n, 64);
	read_bytes(&o, b.p, b.n, (struct reading){ .block = 0 });
	assert_int_equal(o.n, 65);
	assert_int_equal(o.info.n_links, 16); /* as many as are listed */
}

static void test_filter_check(void **state)
{
	(void)state;
	assert_int_equal(capture_filter_check("tcp port 23 and not src net 10.0.0.0/8", &e), 0);
	assert_int_equal(capture_filter_check("wlan type mgt", &e), 0);
	assert_int_equal(capture_filter_check("tcp prot 23", &e), -EINVAL);
	assert_string_equal(e.code, "MON-CAP-007");
}

static void test_names(void **state)
{
	(void)state;
	char scratch[24];
	assert_string_equal(capture_link_name(1, scratch), "EN10MB");
	assert_string_equal(capture_link_name(101, scratch), "RAW");
	assert_string_equal(capture_link_name(113, scratch), "LINUX_SLL");
	assert_string_equal(capture_link_name(100, scratch), "ATM_RFC1483");
	assert_string_equal(capture_link_name(246, scratch), "PFSYNC");
	assert_string_equal(capture_link_name(60000, scratch), "LINKTYPE_60000");
	assert_string_equal(capture_link_name(0xffff, scratch), "LINKTYPE_65535");
}

/* Runs with descriptor 0 being `fd`, through the real env. */
static void read_standard_input(int fd, uint32_t expected)
{
	int saved = dup(0);
	assert_int_equal(dup2(fd, 0), 0);
	struct capture_config config = { 0 };
	struct capture *c;
	struct frame_block block;
	assert_int_equal(frame_block_init(&block, env_system(), &e), 0);
	assert_int_equal(capture_open(&c, env_system(), "-", &config, &e), 0);
	uint32_t seen = 0;
	assert_int_equal(read_on(c, &block, &seen), CAPTURE_END);
	assert_int_equal(seen, expected);
	capture_close(c);
	frame_block_fini(&block, env_system());
	assert_true(dup(0) > 2); /* it is still open: it was not ours to close */
	dup2(saved, 0);
	close(saved);
}

static void test_standard_input(void **state)
{
	(void)state;
	make(100);
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], b.p, b.n), (ssize_t)b.n);
	close(fds[1]);
	read_standard_input(fds[0], 100);
	close(fds[0]);
	int fd = env_system()->temporary(env_system(), NULL);
	assert_true(fd >= 0);
	assert_int_equal(env_pwrite_all(env_system(), fd, b.p, b.n, 0), 0);
	read_standard_input(fd, 100);
	close(fd);
}

/* A named pipe: opening waits for the writer, and its end is the file's. */
static void test_fifo(void **state)
{
	(void)state;
	make(100);
	char path[] = "/tmp/monomi-fifo-XXXXXX";
	assert_non_null(mkdtemp(path));
	char fifo[sizeof path + 8];
	snprintf(fifo, sizeof fifo, "%s/fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	pid_t writer = fork();
	if (!writer) {
		int fd = open(fifo, O_WRONLY);
		for (size_t at = 0; at < b.n; at += 100)
			if (write(fd, b.p + at, b.n - at < 100 ? b.n - at : 100) < 0)
				_exit(1);
		_exit(0);
	}
	struct capture_config config = { .follow = true };
	struct capture *c;
	struct frame_block block;
	assert_int_equal(frame_block_init(&block, env_system(), &e), 0);
	int opened = capture_open(&c, env_system(), fifo, &config, &e);
	unlink(fifo);
	rmdir(path);
	assert_int_equal(opened, 0);
	uint32_t seen = 0;
	assert_int_equal(read_on(c, &block, &seen), CAPTURE_END);
	assert_int_equal(seen, 100);
	capture_close(c);
	frame_block_fini(&block, env_system());
	int status;
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
}

static void nothing(int number) { (void)number; }

/* A signal while nothing comes: the caller is asked, instead of waiting on; before the format is known, too. */
static void test_interrupted(void **state)
{
	(void)state;
	make(2);
	struct sigaction action = { .sa_handler = nothing }, before;
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	int fds[2], saved = dup(0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[0], 0), 0);
	struct itimerval often = { .it_interval = { .tv_usec = 5000 }, .it_value = { .tv_usec = 5000 } }, never = { 0 };
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	struct capture_config config = { 0 };
	struct capture *c;
	struct frame_block block;
	assert_int_equal(frame_block_init(&block, env_system(), &e), 0);
	assert_int_equal(capture_open(&c, env_system(), "-", &config, &e), 0);
	uint32_t seen = 0;
	assert_int_equal(read_on(c, &block, &seen), CAPTURE_WAIT);
	assert_int_equal(write(fds[1], b.p, b.n), (ssize_t)b.n);
	assert_int_equal(read_on(c, &block, &seen), CAPTURE_WAIT);
	assert_int_equal(seen, 2);
	setitimer(ITIMER_REAL, &never, NULL);
	close(fds[1]);
	assert_int_equal(read_on(c, &block, &seen), CAPTURE_END);
	capture_close(c);
	frame_block_fini(&block, env_system());
	sigaction(SIGALRM, &before, NULL);
	dup2(saved, 0);
	close(saved);
	close(fds[0]);
}

static void test_cannot_open(void **state)
{
	(void)state;
	struct capture_config config = { 0 };
	struct capture *c;
	assert_int_equal(capture_open(&c, env_system(), "/nowhere/at/all", &config, &e), -ENOENT);
	assert_string_equal(e.code, "MON-CAP-001");
	assert_null(c);
	assert_int_equal(capture_open(&c, env_system(), "/", &config, &e), -EISDIR);
	assert_string_equal(e.code, "MON-CAP-001");
	assert_int_equal(capture_open(&c, env_system(), "/dev/null", &config, &e), -ENODATA);
	assert_string_equal(e.code, "MON-CAP-003");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follow_growth), cmocka_unit_test(test_follow_shrunk), cmocka_unit_test(test_follow_pipe),
		cmocka_unit_test(test_blocks_live_on), cmocka_unit_test(test_digest), cmocka_unit_test(test_filter),
		cmocka_unit_test(test_filter_links), cmocka_unit_test(test_filter_too_many_links),
		cmocka_unit_test(test_filter_check), cmocka_unit_test(test_names), cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_fifo), cmocka_unit_test(test_interrupted), cmocka_unit_test(test_cannot_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
