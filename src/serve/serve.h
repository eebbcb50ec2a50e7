/* The observatory's HTTP: one role that speaks it, and one that reads the store for it (docs/formats/api.md).
 *
 * Each runs until `stop` is set or its work cannot go on; a signal that sets `stop` wakes it. Each calls `ready` once, when
 * all it needs is open and before it reads the first byte from anybody: there the caller locks the process in. From
 * then on the server needs nothing but its descriptors (accept, read, write, epoll; no file, no thread); the reader
 * needs to read the store's folder, to start threads, and memfd_create and sendmsg.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "store/client.h"

#include <signal.h>
#include <stddef.h>

/* Creates the socket of `HOST:PORT` (an address of this host, IPv6 in brackets; port 0: any that is free): bound,
 * listening, not blocking, closed at exec unless `inherit`. `url` becomes "http://127.0.0.1:8080/". MON-SRV-001, 002. */
#define SERVE_URL 80
int serve_address_check(const char *address, struct error *e) MUST_USE;
int serve_listen(const char *address, bool inherit, int *fd, char url[static SERVE_URL], struct error *e) MUST_USE;

struct serve_config {
	int listen_fd; /* of serve_listen */
	int reader_fd; /* SOCK_SEQPACKET: the other end is a reader's, or that of the next one after it died */
	int live_fd;   /* SOCK_SEQPACKET: each message is the live counters as JSON (docs/formats/live.md), at most
	                * SERVE_LIVE_MOST bytes; -1: nothing is captured */
	int packets_fd; /* SOCK_SEQPACKET: the other end is that of whoever looks for packets; -1: nobody does */
	const char *version;
	const struct serve_database {   /* what country and AS come from, and the sentence its licence asks for (or NULL) */
		const char *kind, *type, *credit;
		int64_t built; /* seconds since 1970 */
	} *databases;
	size_t n_databases;
	int (*ready)(void *ctx, struct error *e); /* NULL: not wanted */
	void *ctx;
	const volatile sig_atomic_t *stop;
};
#define SERVE_LIVE_MOST (128u << 10)

/* MON-SRV-003 … 009. Answers that a client was not given when it ends are cut off. */
int serve_run(const struct env *env, const struct serve_config *config, struct error *e) MUST_USE;

/* Queries that a server has answered at a time: a reader has threads for them. */
#define SERVE_QUERIES 3

struct serve_reader_config {
	const char *db; /* the store's folder; it may be empty of rows */
	int fd;         /* SOCK_SEQPACKET: the other end is the server's */
	struct store_limits limits; /* of all queries together; `seconds` of one */
	unsigned queries;           /* that run at a time */
	store_tool_fn tool;
	struct store_names as_names; /* of autonomous systems; zeros: none */
	int (*ready)(void *ctx, struct error *e); /* NULL: not wanted */
	void *ctx;
	const volatile sig_atomic_t *stop;
};
/* MON-SRV-020 … 029, and those of store_reader_open. Ends well when the server has closed its end. */
int serve_reader_run(const struct env *env, const struct serve_reader_config *config, struct error *e) MUST_USE;

/* ---- The packets behind a row: a role that finds them for one request, and ends ---- */
struct serve_packets {
	int64_t from, to; /* seconds since 1970 */
	const char *sensor, *source, *protocol; /* NULL: any */
	int port;         /* -1: any */
	uint64_t limit;   /* packets at the most */
};
struct serve_packets_found {
	uint64_t packets;
	unsigned lost;    /* segments that cannot be read any more */
	bool more;        /* than were given */
};
struct serve_extract_config {
	int fd;           /* SOCK_SEQPACKET: the other end is the server's */
	/* Writes a capture to `out`. */
	int (*extract)(void *ctx, const struct serve_packets *want, int out, struct serve_packets_found *found,
	               struct error *e);
	void *ctx;
};
/* Answers the request that waits; none is no error. MON-SRV-027. */
int serve_extract_run(const struct env *env, const struct serve_extract_config *config, struct error *e) MUST_USE;
