/* What a sensor's host wants beside its capture: to answer nobody, and to know what reaches it.
 *
 * Silence: a default host answers probes by resets and ICMP errors, which stop retransmissions and tell scanners that it
 * is there. A table of nftables, "inet monomi", drops what comes in on one interface and belongs to no flow that the host
 * opened, behind the point where captures see it. Management that is listed still gets in.
 *
 * Reach: another host sends a fixed set of probes signed with a shared key; the sensor lists which of them came. What did
 * not was eaten on the way: by a provider's filter, a cloud's security group, a router.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "capture/live.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct silence {
	const char *interface;
	const struct live_own *own; /* still let in */
	size_t n_own;
};
/* Puts the table in place of one that was there before, and looks whether it is. MON-DMN-050 … 052. */
int silence_begin(const struct env *env, const struct silence *s, struct error *e) MUST_USE;
/* Takes it away; none is fine. */
int silence_end(const struct env *env, struct error *e) MUST_USE;
/* Is the host silent on this interface? `let_in` gets the lines of the table that let something in. */
struct text;
int silence_look(const struct env *env, const char *interface, bool *silent, struct text *let_in,
                 struct error *e) MUST_USE;

/* ---- Reach ---- */
struct reach_probe {
	uint8_t proto; /* 1, 6, 17 */
	uint16_t port; /* 0 for ICMP: an echo request */
};
#define REACH_MOST 64
const struct reach_probe *reach_list(size_t *n);

struct reach_key {
	uint8_t bytes[4096];
	size_t n;
};
/* MON-DMN-053. */
int reach_key_read(struct reach_key *k, const struct env *env, const char *path, struct error *e) MUST_USE;

/* Sends every probe three times to an IPv4 address: needs CAP_NET_RAW. MON-DMN-054. */
int reach_send(const struct env *env, const struct addr *to, const struct reach_key *k, struct error *e) MUST_USE;

/* A socket that hears probes on an interface: needs CAP_NET_RAW. */
int reach_socket(int *fd, const struct env *env, const char *interface, struct error *e) MUST_USE;
/* Listens for so many seconds, or until *stop, and closes the socket; came[i]: probe i did. Wants room in TMPDIR. */
int reach_listen(const struct env *env, int fd, const struct reach_key *k, unsigned seconds,
                 const volatile sig_atomic_t *stop, bool came[static REACH_MOST], struct error *e) MUST_USE;
