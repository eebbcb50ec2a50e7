/* Between the server and the reader: messages over SOCK_SEQPACKET (docs/formats/reader.md). A message is fields of text,
 * each ended by a zero byte; the first says what it is. It may come with a descriptor. Private to this folder.
 *
 *   reader  store START VERSION COMMIT AS_OF FIRST SIMULATED   shown from here on
 *   server  hello
 *   server  ask ID QUERY FORMAT LIMIT [NAME VALUE]…            FORMAT: json, jsonl, csv, schema
 *   reader  answer ID COMMIT ROWS MORE, with a descriptor      whose file holds the rows as text
 *   reader  fail ID CODE TEXT
 *
 * Between the server and whoever looks for packets, one request a process; "": any.
 *
 *   server     packets ID FROM TO SENSOR SOURCE PROTOCOL PORT LIMIT
 *   extractor  packets ID PACKETS LOST MORE, with a descriptor   whose file is a capture
 *   extractor  fail ID CODE TEXT
 */
#pragma once
#include "base/env.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_VERSION "1"
#define MESSAGE_MOST ((size_t)64 << 10)
#define MESSAGE_FIELDS 64

struct message {
	size_t n_fields;
	const char *field[MESSAGE_FIELDS];
	int fd;      /* that came with it, or -1; the receiver's to close */
	size_t n;    /* bytes */
	bool failed; /* did not fit */
	char bytes[MESSAGE_MOST];
};

/* Building: a message that did not fit is not sent (-E2BIG). */
void message_begin(struct message *m, const char *what);
void message_add(struct message *m, const char *field);
void message_add_number(struct message *m, uint64_t number);

/* `fd`: goes with it; -1: none. Returns 0 or -errno (-EAGAIN when the socket is full and `wait` is not wanted). */
int message_send(int socket, const struct message *m, int fd, bool wait);

/* 1: one came; 0: the other end is closed; -EAGAIN: none is there; -EPROTO: something that is no message. Does not wait. */
int message_receive(const struct env *env, int socket, struct message *m) MUST_USE;

bool message_is(const struct message *m, const char *what, size_t fields_least);
/* A decimal number in a field: false when it is none. */
bool message_number(const char *field, uint64_t *out);
