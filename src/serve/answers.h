/* From a request to its answer. Private to this folder. */
#pragma once
#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

struct request;
struct body;
struct message;
struct result;
struct server;
struct shown;
struct values;

/* What every answer is made by: 0, or -errno when not even an error can be sent and the connection ends. */
int answer_body(struct request *r, unsigned status, const char *type, struct body *b);    /* takes the reference */
int answer_text(struct request *r, unsigned status, const char *type, struct text *t);    /* takes the text */
int answer_error(struct request *r, unsigned status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- Queries (asks.c) ---- */
/* Asks, or finds it asked already: the request is answered, or suspended until the result is there. */
int ask_for(struct request *r);
/* The named query's answer in the resource's shape. */
int answer_result(struct request *r);
/* A request as a query; simulated: what it is of holds packets that are made up. */
void asks_write(struct message *m, const struct values *v, const char *addresses, bool simulated);
void asks_send(struct server *s); /* to the reader, what waits */
void asks_receive(struct server *s);
void asks_tick(struct server *s, int64_t now);
void asks_leave(struct request *r); /* it is going away */
/* A new result: what it is asked with, at which commit. */
void asks_describe(const struct server *s, struct result *r, const struct values *v, const struct shown *of);

/* ---- What pages ask for (standing.c) ---- */
extern const unsigned n_standing;
int standing_values(unsigned i, int64_t as_of, struct values *v, struct error *e) MUST_USE;

/* ---- Commits (ahead.c) ---- */
/* Whether what pages ask for was there once, if there is anything to ask for. */
bool ahead_ready(const struct server *s);
void ahead_told(struct server *s, const struct shown *told); /* the reader has told of a commit */
void ahead_step(struct server *s);

/* ---- Packets (packets.c) ---- */
int answer_packets(struct request *r);
void packets_receive(struct server *s);
void packets_tick(struct server *s, int64_t now);
void packets_leave(struct request *r);

/* ---- The server's own resources ---- */
int answer_status(struct request *r);
int answer_about(struct request *r);
int answer_live(struct request *r);
int answer_stream(struct request *r);
int answer_openapi(struct request *r);
int answer_metrics(struct request *r);
int answer_health(struct request *r);
int answer_page(struct request *r, const char *path);
