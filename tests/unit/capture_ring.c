/* The ring as it lies in memory: blocks made here as the kernel makes them, and as it never would. */
#include "capture_help.h"
#include "capture/ring.h"

#define BLOCKS 4u
#define PRIVATE 48u /* where the kernel leaves us room */
#define FIRST 64u

static struct ring ring;
static uint8_t *map;

static struct tpacket_block_desc *desc(uint32_t i) { return (void *)(map + (size_t)i * RING_BLOCK); }

static struct tpacket3_hdr *header(uint32_t block, uint32_t at) { return (void *)(map + (size_t)block * RING_BLOCK + at); }

/* A block with n packets of 60 bytes, each 160 bytes from the other. */
static void make_block(uint32_t i, uint64_t seq, uint32_t n, bool ours)
{
	memset(desc(i), 0, RING_BLOCK);
	desc(i)->version = TPACKET_V3;
	desc(i)->offset_to_priv = PRIVATE;
	desc(i)->hdr.bh1.seq_num = seq;
	desc(i)->hdr.bh1.num_pkts = n;
	desc(i)->hdr.bh1.offset_to_first_pkt = FIRST;
	desc(i)->hdr.bh1.ts_first_pkt.ts_sec = (unsigned)seq;
	desc(i)->hdr.bh1.block_status = ours ? TP_STATUS_USER : TP_STATUS_KERNEL;
	for (uint32_t k = 0; k < n; k++) {
		struct tpacket3_hdr *h = header(i, FIRST + k * 160);
		*h = (struct tpacket3_hdr){ .tp_next_offset = k + 1 < n ? 160 : 0, .tp_mac = 84, .tp_snaplen = 60, .tp_len = 60 };
		((uint8_t *)h)[84] = (uint8_t)k;
	}
}

static int begin(void **state)
{
	(void)state;
	map = env_alloc(env_system(), BLOCKS * RING_BLOCK);
	ring = (struct ring){ .map = map, .size = BLOCKS * RING_BLOCK, .blocks = BLOCKS };
	for (uint32_t i = 0; i < BLOCKS; i++)
		make_block(i, 0, 0, false);
	return map ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	env_free(env_system(), map, BLOCKS * RING_BLOCK);
	return 0;
}

static void packets_come_in_order(void **state)
{
	(void)state;
	struct ring_block b;
	struct ring_packet p;
	make_block(0, 1, 1000, true);
	make_block(1, 2, 1, true);
	assert_true(ring_take(&ring, &b) && !b.begun);
	for (uint32_t k = 0; k < 1000; k++) {
		assert_int_equal(ring_next(&b, &p), 1);
		assert_int_equal(p.caplen, 60);
		assert_int_equal(p.data[0], (uint8_t)k);
	}
	assert_int_equal(ring_next(&b, &p), 0);
	ring_give(&ring, &b);
	assert_int_equal(desc(0)->hdr.bh1.block_status, TP_STATUS_KERNEL);
	assert_true(ring_take(&ring, &b) && b.left == 1);
	ring_give(&ring, &b);
	assert_false(ring_take(&ring, &b));
	for (uint32_t seq = 3; seq < 12; seq++) { /* around */
		make_block(ring.at, seq, 2, true);
		assert_true(ring_take(&ring, &b) && !b.begun && b.left == 2);
		ring_give(&ring, &b);
	}
}

static void what_another_reader_began_is_known(void **state)
{
	(void)state;
	struct ring_block b;
	struct ring_packet p;
	struct ring other;
	int64_t ts;
	make_block(3, 8, 5, true); /* the oldest */
	make_block(0, 9, 5, true);
	make_block(1, 10, 0, false); /* being filled */
	make_block(2, 7, 0, false);
	ring_find(&ring);
	assert_int_equal(ring.at, 3);
	assert_true(ring_first(&ring, &ts) && ts == 8 * INT64_C(1000000000));
	assert_true(ring_take(&ring, &b) && !b.begun);
	assert_int_equal(ring_next(&b, &p), 1); /* and here it dies */
	other = ring;
	ring_find(&other);
	assert_int_equal(other.at, 3);
	assert_true(ring_take(&other, &b) && b.begun && b.left == 5);
	ring_give(&other, &b);
	assert_true(ring_take(&other, &b) && !b.begun);
	ring_give(&other, &b);
	ring_find(&other); /* nothing is ours: where the kernel is */
	assert_int_equal(other.at, 1);
	assert_false(ring_first(&other, &ts));
}

/* The kernel is believed in nothing that a read depends on. */
static void nonsense_ends_a_block(void **state)
{
	(void)state;
	static const struct {
		uint32_t offset, value; /* of a field of the second packet */
	} wrong[] = {
		{ offsetof(struct tpacket3_hdr, tp_snaplen), RING_BLOCK }, { offsetof(struct tpacket3_hdr, tp_snaplen), UINT32_MAX },
		{ offsetof(struct tpacket3_hdr, tp_mac), 8 },
	};
	struct ring_block b;
	struct ring_packet p;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		make_block(0, 1, 3, true);
		store_le32((uint8_t *)header(0, FIRST + 160) + wrong[i].offset, wrong[i].value);
		assert_true(ring_take(&ring, &b));
		assert_int_equal(ring_next(&b, &p), 1);
		assert_int_equal(ring_next(&b, &p), -1);
		assert_int_equal(b.left, 2);
		assert_int_equal(ring_next(&b, &p), -1);
	}
	make_block(0, 1, 3, true);
	header(0, FIRST)->tp_next_offset = RING_BLOCK;
	assert_true(ring_take(&ring, &b) && ring_next(&b, &p) == 1 && ring_next(&b, &p) == -1);
	make_block(0, 1, 3, true);
	desc(0)->offset_to_priv = RING_BLOCK - 4;
	assert_true(ring_take(&ring, &b) && ring_next(&b, &p) == -1);
	make_block(0, 1, 3, true);
	desc(0)->hdr.bh1.offset_to_first_pkt = RING_BLOCK;
	assert_true(ring_take(&ring, &b) && ring_next(&b, &p) == -1);
}

static void sizes_are_whole_blocks(void **state)
{
	(void)state;
	assert_int_equal(ring_blocks(0), RING_DEFAULT / RING_BLOCK);
	assert_int_equal(ring_blocks(1), 4);
	assert_int_equal(ring_blocks(5 * RING_BLOCK + 1), 5);
	assert_int_equal(ring_blocks(SIZE_MAX), 2047);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packets_come_in_order, begin, end),
		cmocka_unit_test_setup_teardown(what_another_reader_began_is_known, begin, end),
		cmocka_unit_test_setup_teardown(nonsense_ends_a_block, begin, end),
		cmocka_unit_test(sizes_are_whole_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
