/* What capture/write.h writes, capture.h reads back: every field of a frame, in each format and packing. */
#include "capture_help.h"
#include "capture/write.h"

#include <unistd.h>

#define FRAMES 400

static uint8_t data[600000];
static struct frame sent[FRAMES];
static char folder[] = "/tmp/monomi-write-XXXXXX";
static char path[64];

static const uint16_t links[] = { LINK_ETHERNET, LINK_RAW, LINK_PPP_HDLC };

/* Lengths from 0 to beyond the writer's buffer, times not in order. */
static void make_frames(bool one_link)
{
	for (uint32_t i = 0; i < FRAMES; i++) {
		uint32_t n = i == 77 ? 250000 : i * 7 % 1515;
		uint16_t id = one_link ? 0 : (uint16_t)(i % 3);
		sent[i] = (struct frame){ .ts = 1500000000000000001 + (int64_t)(i * 7919 % 400) * 1000000007, .data = data + i,
			                  .caplen = n, .wirelen = n + i % 5, .link = links[id], .fcs_len = id == 1 ? 4 : 0,
			                  .marks = !one_link && i % 11 == 3 ? FRAME_OUTGOING : 0 };
	}
}

static void write_file(const char *name, bool simulated, bool one_link)
{
	struct capture_write_config config = { .simulated = simulated, .comment = "a test", .application = "monomi" };
	struct capture_writer *w;
	struct error e;
	uint32_t id;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	capture_write_by_name(&config, path);
	make_frames(one_link);
	assert_int_equal(capture_writer_open(&w, env_system(), path, &config, &e), 0);
	for (unsigned i = 0; i < (one_link ? 1 : 3); i++) {
		struct capture_interface interface = { .link = links[i], .fcs_len = i == 1 ? 4 : 0, .name = "name" };
		assert_int_equal(capture_writer_interface(w, &interface, &id, &e), 0);
		assert_int_equal(id, i);
	}
	for (uint32_t i = 0; i < FRAMES; i++) {
		if (i == 200)
			assert_int_equal(capture_writer_flush(w, &e), 0);
		assert_int_equal(capture_writer_frame(w, one_link ? 0 : i % 3, &sent[i], &e), 0);
	}
	assert_int_equal(capture_writer_observed(w, 0, &(struct capture_observed){ 5, 6, FRAMES, 0, MODE_HOST }, &e), 0);
	assert_int_equal(capture_writer_close(w, false, &e), 0);
}

static void expect_same(const struct frame *got, const struct frame *want)
{
	assert_int_equal(got->ts, want->ts);
	assert_int_equal(got->caplen, want->caplen);
	assert_int_equal(got->wirelen, want->wirelen);
	assert_int_equal(got->link, want->link);
	assert_int_equal(got->fcs_len, want->fcs_len);
	assert_int_equal(got->marks, want->marks);
	assert_memory_equal(got->data, want->data, want->caplen);
}

static void read_back(const char *format, const char *compression, bool simulated)
{
	struct capture_config config = { 0 };
	struct capture_info info;
	struct capture *c;
	struct frame_block b;
	struct error e;
	uint32_t n = 0;
	int rc;
	assert_int_equal(capture_open(&c, env_system(), path, &config, &e), 0);
	assert_int_equal(frame_block_init(&b, env_system(), &e), 0);
	while ((rc = capture_read(c, &b, &e)) == CAPTURE_FRAMES)
		for (uint32_t i = 0; i < b.n; i++)
			expect_same(&b.frames[i], &sent[n++]);
	assert_int_equal(rc, CAPTURE_END);
	assert_int_equal(n, FRAMES);
	capture_info(c, &info);
	assert_string_equal(info.format, format);
	assert_string_equal(info.compression, compression);
	assert_int_equal(info.simulated, simulated);
	assert_int_equal(info.observed.mode, strcmp(format, "pcap") ? MODE_HOST : MODE_UNTOLD);
	frame_block_fini(&b, env_system());
	capture_close(c);
	unlink(path);
}

static void every_format_reads_back(void **state)
{
	(void)state;
	write_file("a.pcapng", false, false);
	read_back("pcapng", "none", false);
	write_file("a.pcapng.zst", false, false);
	read_back("pcapng", "zstd", false);
	write_file("a.pcap", false, true);
	read_back("pcap", "none", false);
	write_file("a.pcap.zst", false, true);
	read_back("pcap", "zstd", false);
}

static void the_mark_of_a_simulation_is_read(void **state)
{
	(void)state;
	write_file("s.pcapng", true, false);
	read_back("pcapng", "none", true);
	write_file("s.pcap.zst", true, true);
	read_back("pcap", "zstd", true);
}

static struct capture_writer *opened(const char *name, bool pcap)
{
	struct capture_write_config config = { .pcap = pcap };
	struct capture_writer *w;
	struct error e;
	assert_int_equal(capture_writer_open(&w, env_system(), name, &config, &e), 0);
	return w;
}

static void what_a_format_cannot_say_is_refused(void **state)
{
	(void)state;
	struct capture_interface ethernet = { .link = LINK_ETHERNET }, raw = { .link = LINK_RAW };
	struct capture_writer *w = opened("/dev/null", true);
	struct frame f = { .ts = -1 };
	struct error e;
	uint32_t id;
	assert_int_equal(capture_writer_interface(w, &ethernet, &id, &e), 0);
	assert_int_equal(capture_writer_interface(w, &raw, &id, &e), -EINVAL);
	assert_string_equal(e.code, "MON-CAP-042");
	assert_int_equal(capture_writer_frame(w, 0, &f, &e), -ERANGE);
	f.ts = INT64_C(4294967296) * 1000000000;
	assert_int_equal(capture_writer_frame(w, 0, &f, &e), -ERANGE);
	assert_string_equal(e.code, "MON-CAP-043");
	assert_int_equal(capture_writer_close(w, false, &e), 0);
}

static void a_full_disk_is_told(void **state)
{
	(void)state;
	struct capture_write_config config = { 0 };
	struct capture_writer *w = opened("/dev/full", false);
	struct error e;
	assert_int_equal(capture_writer_close(w, false, &e), -ENOSPC);
	assert_string_equal(e.code, "MON-CAP-041");
	assert_int_equal(capture_writer_open(&w, env_system(), "/nowhere/a.pcapng", &config, &e), -ENOENT);
	assert_string_equal(e.code, "MON-CAP-040");
}

static int make_folder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
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
		cmocka_unit_test(every_format_reads_back),
		cmocka_unit_test(the_mark_of_a_simulation_is_read),
		cmocka_unit_test(what_a_format_cannot_say_is_refused),
		cmocka_unit_test(a_full_disk_is_told),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
