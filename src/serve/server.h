/* The inside of the server: one thread, one loop. Private to this folder.
 *
 * A request is routed, checked, and either answered at once or suspended until the reader has answered its query. */
#pragma once
#include "base/text.h"
#include "serve/message.h"
#include "serve/results.h"
#include "serve/serve.h"
#include "serve/values.h"

#include <microhttpd.h>

#define UPLOAD_MOST ((size_t)64 << 10) /* bytes of a POST's body */

/* ---- Packets that a request waits for (packets.c) ---- */
struct packets_wait {
	uint64_t id;              /* 0: not asked yet */
	int64_t since;            /* monotonic */
	bool there;               /* what follows */
	int fd;
	uint64_t found, lost, more;
	char code[16], text[200]; /* of a failure */
};

/* ---- A request, from its first line to its last byte ---- */
struct request {
	struct server *server;
	struct MHD_Connection *connection;
	const struct resource *resource; /* NULL: none yet, or none at all */
	struct values values;
	struct part part[RESOURCE_PARTS]; /* of the path; only while it is read */
	bool head, post, begun, suspended;
	struct result *result;           /* that it waits for, or that is there */
	struct request *next;            /* that waits for the same */
	struct packets_wait packets;
	char *upload;                    /* UPLOAD_MOST bytes, of a POST */
	size_t n_upload;
	char host[300];                  /* Host as sent */
};

/* ---- Connections, so that those that never finish a request can be ended ---- */
struct connection {
	struct connection *next, *previous;
	struct MHD_Connection *mhd;
	int64_t since;  /* monotonic: when it last had nothing to say */
	bool busy;      /* a request is being answered: no deadline */
};

/* ---- What is streamed to browsers ---- */
struct stream;
struct live {
	struct body *now;  /* the last counters; NULL: none yet */
	uint64_t number;   /* of them; of commits below */
	int64_t at;        /* monotonic: when they came */
};

/* ---- Commits (ahead.c) ---- */
struct shown {
	char commit[STORE_COMMIT];
	int64_t as_of, first; /* seconds since 1970; 0: nothing was stored yet */
	bool simulated;
};
struct ahead {
	bool going;           /* what is wanted is asked for `next` */
	bool late;            /* a commit was shown before all of it was there */
	int64_t since, rest;  /* monotonic: since when; none begins before */
	uint64_t asking;      /* id of the result that is waited for; 0: none */
	unsigned standing, n; /* the next of the pages' own to be looked at; others that were asked for */
};

/* How long queries of a resource took, by the length of their span (asks.c); ns, recent ones counting more. */
#define RESOURCES_MOST 64
enum span_kind { SPAN_SHORT, SPAN_MONTH, SPAN_LONG, SPAN_KINDS };

struct counters {
	uint64_t requests, answers[6]; /* by the first digit of the status */
	uint64_t asked, kept, failed;  /* queries: to the reader; answered by a result that was kept; failed */
	uint64_t ahead;                /* of those asked: before anybody wanted them */
	uint64_t older;                /* of those kept: of a commit before the one that is shown */
	uint64_t refused_queries;      /* since too many waited */
	uint64_t query_ns;             /* that the reader took */
	uint64_t refused;              /* connections that were ended for their slowness */
	uint64_t events;
};

struct server {
	const struct env *env;
	const struct serve_config *config;
	struct MHD_Daemon *daemon;
	struct results results;
	struct message message;

	char reader[24];                /* the start of the reader that is there; "": none has spoken yet */
	struct shown shown, next, told; /* to browsers; what is asked for ahead; the newest that the reader told of */
	struct ahead ahead;
	uint64_t commits, news;         /* that were shown; times that listeners were told of one */
	int64_t asked;                  /* monotonic: when somebody last asked for a query */
	bool warm;                      /* what pages ask for was there once, of a store with rows */
	int64_t took[RESOURCES_MOST][SPAN_KINDS]; /* 0: none yet */

	struct request *packets;        /* those that wait for them */
	unsigned n_packets;
	uint64_t packets_id;            /* the last one's */

	struct live live;
	char *live_room;                /* SERVE_LIVE_MOST bytes */
	struct stream *streams;
	unsigned n_streams;
	struct connection *connections; /* of requests that are not whole yet */
	unsigned n_connections;
	struct counters counters;
	int64_t ticked;
	bool ending;
	char address[64];               /* the one listened on, as a Host has it */
	bool on_loopback;
};

/* ---- http.c: the door ---- */
int http_open(struct server *s, struct error *e) MUST_USE;
void http_close(struct server *s);
void http_tick(struct server *s, int64_t now); /* once a second */
/* The result of a request is there: its handler is called again. */
void http_resume(struct request *r);
/* A response around bytes (takes the reference; NULL: no memory), and its way out with the headers that all have. */
struct MHD_Response *http_response(struct body *b, const char *type);
int http_send(struct request *r, unsigned status, struct MHD_Response *response, const char *cache);
#define HTTP_JSON "application/json"

/* The addresses of a POST's body in place of it, as text with commas between (addresses.c). MON-SRV-113 */
int addresses_take(struct request *r, struct error *e) MUST_USE;

/* ---- stream.c ---- */
void stream_event(struct server *s);               /* there is something new for those who listen */
void stream_tick(struct server *s, int64_t now);
/* Takes what the engine sent. */
void live_receive(struct server *s);
bool live_is_there(const struct server *s); /* and moves */
