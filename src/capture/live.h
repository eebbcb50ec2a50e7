/* Live capture: an interface's packets into pieces (pieces.h), by a ring shared with the kernel (AF_PACKET, TPACKET_V3).
 *
 * The socket is opened where there is CAP_NET_RAW and can be given to another process, which needs no rights but to write
 * its folder. While the socket is open the kernel goes on filling its ring, so that a reader can die and another go on:
 * packets that the dead one had taken but not synced are lost, those still in the ring are not.
 *
 * What the host itself sends is never stored, but looked at: packets of flows that it opened in the last 300 s, and of
 * listed management, are kept with addresses and ports only and marked FRAME_OWN (DEFINITIONS 1).
 */
#pragma once
#include "base/addr.h"
#include "base/env.h"
#include "base/error.h"
#include "capture/pieces.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_socket_config {
	const char *interface;
	const char *filter; /* pcap-filter(7); NULL: all. The kernel runs it; frames with a VLAN tag all pass */
	uint32_t snap;      /* bytes kept of a frame, 0: 65,535 */
	size_t ring;        /* bytes of kernel memory, 0: 64 MiB; rounded to blocks of 1 MiB */
	bool promiscuous;
};
/* An AF_PACKET socket that captures from now on. MON-CAP-060 … 063. */
int live_socket_open(int *fd, const struct env *env, const struct live_socket_config *config, struct error *e) MUST_USE;

/* Another filter on a socket that captures, from one packet to the next. MON-CAP-007, 063. */
int live_socket_filter(int fd, const struct live_socket_config *config, struct error *e) MUST_USE;

/* What is management besides flows that this host opened: packets of `peer`, if any, to and from `port`, if any. */
struct live_own {
	struct prefix peer; /* version 0: every peer */
	uint8_t proto;      /* 0: any */
	uint16_t port;      /* of this host; 0: any */
};
/* "tcp/22", "udp/161@192.0.2.0/24" or "192.0.2.7", with commas between, into `out`, at most `room`. MON-CAP-066. */
int live_own_parse(const char *text, struct live_own *out, size_t room, size_t *n, struct error *e) MUST_USE;

struct live_config {
	int socket;         /* not closed by live_close */
	int64_t opened;     /* ns since 1970: by when it captured; what came before is not observed. 0: long ago */
	size_t ring;        /* as it was opened with */
	uint32_t snap;
	const char *folder; /* spool/live/SENSOR; borrowed, as the other texts */
	const char *application;
	const struct live_own *own;
	size_t n_own;
	size_t memory;      /* as pieces.h */
};

struct live;

/* Maps the ring, closes what earlier writers left, starts the thread that writes. MON-CAP-05x, 06x. */
int live_open(struct live **out, const struct env *env, const struct live_config *config, struct error *e) MUST_USE;

/* Waits for packets at most `wait` ms and takes what there is. Call it again and again; a signal ends the wait. -ENODEV:
 * the interface is gone (MON-CAP-064). What the disk refuses is no error here: see live_status. */
int live_step(struct live *l, int wait, struct error *e) MUST_USE;

/* How the sensor answers from now on (DEFINITIONS 1); at the start nothing is told. */
void live_mode(struct live *l, enum answer_mode mode);

struct live_status {
	struct pieces_status pieces;
	uint64_t received;       /* taken from the ring and to be kept */
	uint64_t own, outgoing;  /* of these marked; seen, never kept */
	uint64_t kernel_dropped; /* the ring was full */
	uint64_t broken;         /* ring records that make no sense */
	uint64_t clock_jumps;
	bool up;                 /* the interface has a carrier */
};
void live_status(struct live *l, struct live_status *out);

/* Takes what has come until now, though the kernel has yet to hand it over: a tenth of a second at least. */
void live_drain(struct live *l);

/* Drains, if that was not done just before, seals and closes what is open, waits until it is on disk. */
int live_close(struct live *l, struct error *e) MUST_USE;
