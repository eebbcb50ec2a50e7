#include "capture/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define FRAME 2048u /* of no importance in version 3, but wants to be told */

uint32_t ring_blocks(size_t bytes)
{
	size_t n = (bytes ? bytes : RING_DEFAULT) / RING_BLOCK;
	return n < 4 ? 4 : n > 2047 ? 2047 : (uint32_t)n; /* the kernel maps less than 2 GiB */
}

int ring_prepare(int socket, size_t bytes, struct error *e)
{
	int version = TPACKET_V3, headroom = RING_HEADROOM;
	uint32_t blocks = ring_blocks(bytes);
	struct tpacket_req3 req = { .tp_block_size = RING_BLOCK, .tp_block_nr = blocks, .tp_frame_size = FRAME,
		                    .tp_frame_nr = RING_BLOCK / FRAME * blocks, .tp_retire_blk_tov = RING_RETIRE,
		                    .tp_sizeof_priv = sizeof(uint64_t) };
	if (!setsockopt(socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) &&
	    !setsockopt(socket, SOL_PACKET, PACKET_RESERVE, &headroom, sizeof headroom) &&
	    !setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &req, sizeof req))
		return 0;
	return error_set(e, -errno, "MON-CAP-063", "the kernel gives no packet ring of %u MiB: %s", blocks, strerror(errno));
}

static struct tpacket_block_desc *block_at(const struct ring *r, uint32_t i)
{
	return (struct tpacket_block_desc *)(void *)(r->map + (size_t)i * RING_BLOCK);
}

static bool is_ours(const struct tpacket_block_desc *d)
{
	return __atomic_load_n(&d->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

void ring_find(struct ring *r)
{
	uint32_t oldest = r->blocks, newest = 0;
	for (uint32_t i = 0; i < r->blocks; i++) {
		const struct tpacket_block_desc *d = block_at(r, i);
		if (is_ours(d) && (oldest == r->blocks || d->hdr.bh1.seq_num < block_at(r, oldest)->hdr.bh1.seq_num))
			oldest = i;
		if (d->hdr.bh1.seq_num > block_at(r, newest)->hdr.bh1.seq_num)
			newest = i;
	}
	r->at = oldest < r->blocks ? oldest : newest;
}

int ring_map(struct ring *r, int socket, size_t bytes, struct error *e)
{
	*r = (struct ring){ .blocks = ring_blocks(bytes) };
	r->size = (size_t)r->blocks * RING_BLOCK;
	void *map = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0);
	if (map == MAP_FAILED)
		return error_set(e, -errno, "MON-CAP-065", "the packet ring cannot be mapped: %s", strerror(errno));
	r->map = map;
	ring_find(r);
	return 0;
}

void ring_unmap(struct ring *r)
{
	if (r->map)
		munmap(r->map, r->size);
	r->map = NULL;
}

bool ring_take(struct ring *r, struct ring_block *b)
{
	struct tpacket_block_desc *d = block_at(r, r->at);
	if (!is_ours(d))
		return false;
	uint64_t seq = d->hdr.bh1.seq_num, begun = 0;
	uint32_t first = d->hdr.bh1.offset_to_first_pkt;
	bool sane = d->offset_to_priv <= RING_BLOCK - sizeof seq && first < RING_BLOCK;
	*b = (struct ring_block){ .desc = d, .next = (uint8_t *)d + (sane ? first : 0), .left = d->hdr.bh1.num_pkts };
	if (!sane) {
		b->next = NULL;
		return true;
	}
	memcpy(&begun, (uint8_t *)d + d->offset_to_priv, sizeof begun);
	b->begun = begun == seq;
	memcpy((uint8_t *)d + d->offset_to_priv, &seq, sizeof seq);
	return true;
}

int ring_next(struct ring_block *b, struct ring_packet *p)
{
	if (!b->left)
		return 0;
	size_t at = b->next ? (size_t)(b->next - (uint8_t *)b->desc) : RING_BLOCK;
	const size_t sll = (sizeof *p->header + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT;
	if (RING_BLOCK - at < sll + sizeof(struct sockaddr_ll))
		return -1;
	const struct tpacket3_hdr *h = (const void *)b->next;
	if (h->tp_mac < sll + RING_HEADROOM || h->tp_mac > RING_BLOCK - at || h->tp_snaplen > RING_BLOCK - at - h->tp_mac)
		return -1;
	*p = (struct ring_packet){ .header = h, .data = b->next + h->tp_mac, .caplen = h->tp_snaplen };
	p->type = ((const struct sockaddr_ll *)(const void *)(b->next + sll))->sll_pkttype;
	if (--b->left)
		b->next = h->tp_next_offset <= RING_BLOCK - at ? b->next + h->tp_next_offset : NULL;
	return 1;
}

void ring_give(struct ring *r, const struct ring_block *b)
{
	__atomic_store_n(&b->desc->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->at = r->at + 1 == r->blocks ? 0 : r->at + 1;
}

bool ring_first(const struct ring *r, int64_t *ts)
{
	const struct tpacket_block_desc *d = block_at(r, r->at);
	if (!is_ours(d) || !d->hdr.bh1.num_pkts)
		return false;
	*ts = d->hdr.bh1.ts_first_pkt.ts_sec * INT64_C(1000000000) + d->hdr.bh1.ts_first_pkt.ts_nsec;
	return true;
}
