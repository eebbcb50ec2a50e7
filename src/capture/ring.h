/* Inside capture/: the ring of blocks that a packet socket shares with the kernel (TPACKET_V3, packet(7) and
 * Documentation/networking/packet_mmap.rst).
 *
 * A block is handed over when it is full or RING_RETIRE ms old, and belongs to us until it is given back. In the space
 * that the kernel leaves us in each block stands the number of the block that was begun last: a reader that finds a block
 * begun by one before it cannot know which of its packets that one kept, and drops it whole, counted.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_BLOCK (1u << 20)
#define RING_DEFAULT (64u << 20)
#define RING_RETIRE 50 /* ms */
#define RING_HEADROOM 4 /* before each frame: a VLAN tag */

struct ring {
	uint8_t *map;
	size_t size;
	uint32_t blocks, at;
};

/* Blocks of a ring of so many bytes; at least 4. */
uint32_t ring_blocks(size_t bytes);
int ring_prepare(int socket, size_t bytes, struct error *e) MUST_USE; /* before it is bound */

int ring_map(struct ring *r, int socket, size_t bytes, struct error *e) MUST_USE;
void ring_unmap(struct ring *r);
/* Goes to where an earlier reader of the socket stopped: the oldest block that is ours, else the one the kernel fills. */
void ring_find(struct ring *r);

struct ring_packet {
	const struct tpacket3_hdr *header;
	uint8_t *data; /* RING_HEADROOM bytes before it are ours */
	uint32_t caplen;
	uint8_t type;  /* PACKET_HOST, …, PACKET_OUTGOING */
};

struct ring_block {
	struct tpacket_block_desc *desc;
	uint8_t *next; /* packet */
	uint32_t left; /* packets */
	bool begun;    /* by an earlier reader */
};

/* The next block that is ours; false: none yet. */
bool ring_take(struct ring *r, struct ring_block *b);
/* The packets of a block. 1: one; 0: no more; -1: the block makes no sense from here on (b->left packets). */
int ring_next(struct ring_block *b, struct ring_packet *p);
void ring_give(struct ring *r, const struct ring_block *b);

/* The time (ns) of the first packet that waits in the ring; false: none does. */
bool ring_first(const struct ring *r, int64_t *ts);

/* live_socket.c */
#define LIVE_SNAP 65535u
int live_link_of(uint16_t hardware); /* ARPHRD_ to LINKTYPE_; -1: not read live */
