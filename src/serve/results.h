/* Results of queries, by what was asked: waited for, kept until one of a later commit is there, bounded. Private to this
 * folder. */
#pragma once
#include "serve/message.h"
#include "serve/values.h"
#include "store/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that several answers are made of at once. */
struct body {
	const struct env *env;
	unsigned refs;
	size_t n;
	char p[];
};
struct body *body_make(const struct env *env, size_t n); /* NULL: no memory; one reference */
struct body *body_hold(struct body *b);
void body_drop(struct body *b); /* NULL is fine */

struct request;
struct results;
enum result_state { RESULT_WAITING, RESULT_READY, RESULT_FAILED };

struct result {
	struct result *next;
	const struct env *env;
	struct results *owner;      /* NULL: not kept any more */
	uint64_t id, generation;    /* generation: of the commit that it is shown with */
	int64_t as_of;              /* of that commit; 0: nothing was stored yet */
	bool simulated;
	struct values values;       /* what the request wanted; `resource` NULL: of a POST, which nobody asks again */
	uint64_t question;          /* values_question */
	char *key;                  /* the request's fields after its id, each ended by a zero byte */
	size_t n_key;
	enum result_state state;
	bool anonymous;             /* of a POST */
	bool sent, waited;          /* waited: somebody did when it was sent */
	int64_t expected;           /* ns that it may take (asks.c) */
	int64_t sent_at;            /* monotonic */
	unsigned kind, span;        /* what its time is told by (asks.c) */
	unsigned tries;             /* times that it was sent: a reader died of it */
	unsigned users;             /* requests that hold it */
	struct request *waiting;
	int64_t since, used;        /* monotonic: asked; last given */
	unsigned given;             /* how often, older times counting less */
	uint64_t renewed;           /* the generation that it was asked again for (ahead.c) */
	bool standing, overdue;     /* a page's own (standing.c); given though a later commit is shown */
	struct body *rows;
	uint64_t n_rows;
	bool more;
	char code[16], text[300];   /* of a failure */
};

struct results {
	const struct env *env;
	struct result *first;
	unsigned n, n_sent;
	size_t bytes;
	uint64_t next_id;
};

void results_init(struct results *c, const struct env *env, uint64_t first_id);
void results_fini(struct results *c);

/* The result of what `ask` (a message from its QUERY on, without an id) asks: there, or new and to be sent; NULL: too many
 * wait, or no memory. Each find is followed by a drop. */
struct result *results_find(struct results *c, const struct message *ask, uint64_t generation, int64_t now, bool *is_new);
void results_drop(struct result *r);

/* What answers a request at once, or will, of no later generation: of the latest that there is, else one that is waited
 * for; NULL: none. */
struct result *results_of(struct results *c, const struct values *v, uint64_t generation);
void results_take(struct result *r, int64_t now); /* one more request holds it; to be dropped too */

struct result *results_by_id(struct results *c, uint64_t id);
/* From here on this generation is shown: those before go that one of it takes the place of, or that were asked before
 * `moment`; those that wait stay. */
void results_forget(struct results *c, uint64_t generation, int64_t moment);
/* Nobody waits for it any more and it was not sent. */
void results_cancel(struct result *r);
/* Those before that this one answers in place of go. */
void results_replace(const struct result *by);
/* It has come, or failed: no longer to be waited for. */
void results_settle(struct result *r, enum result_state state);
