/* The parent's own: what the files share that start roles, give them folders and change over to another configuration. */
#pragma once
#include "daemon/role.h"
#include "serve/serve.h"

#include <sys/types.h>

#define SECOND INT64_C(1000000000)
#define SENSOR_NAME (STORE_SENSOR_MAX + 1)
#define INTERFACE_NAME 64

/* A setup, and the memory file that roles read their options from. */
struct held {
	struct run_setup *setup; /* NULL: none */
	int arguments;           /* -1: none */
};

struct child {
	enum role role;
	pid_t pid;        /* 0: does not run */
	bool wanted;      /* what comes in asks for it */
	bool was_ready;   /* in this run of the program */
	bool crashed;     /* the last one was ended by a fault of its own */
	bool failed;      /* the last one did not end well */
	bool leaving;     /* a keeper that was told to end with the minute: its end is awaited */
	int64_t started, again; /* monotonic; again: when to start it, 0: not planned */
	int64_t back_off;
	const struct held *held;
	/* Of a capture */
	char sensor[SENSOR_NAME], interface[INTERFACE_NAME];
	int packets;      /* socket; -1: none */
	int told;         /* memory file: struct capture_told; -1: none */
	int64_t opened;   /* realtime: by when the socket captured */
	enum answer_mode mode; /* what it says */
	int64_t looked;   /* monotonic: when that was found */
};

enum switching { SWITCH_NONE, SWITCH_WAITS, SWITCH_DRAINS };

#define CAPTURES ROLES /* a role has the child of its number, captures those from here on */
#define CHILDREN (ROLES + RUN_SENSORS_MAX)

struct parent {
	const struct env *env;
	const struct run_request *request;
	struct child child[CHILDREN];
	struct held held[2];
	unsigned now;           /* which of them is the configuration */
	int signals;            /* signalfd */
	int ready[2];           /* pipe: roles say here that they can work */
	int null;               /* /dev/null */
	int listener;           /* socket */
	/* Server's end first; kept open here, so that either side can be another process. */
	int reader_pair[2], live_pair[2], packets_pair[2];
	char url[SERVE_URL];
	bool told, ending, again;
	bool switched;          /* this is not the configuration that it was started with */
	enum switching switching;
	int64_t switch_at;      /* realtime: the minute that the next configuration begins with */
	int64_t drain_end;      /* monotonic: until when the keeper may read the minutes before it */
	int failed;             /* a role that never came up: -errno */
};

static inline struct held *parent_now(struct parent *p) { return &p->held[p->now]; }
static inline struct held *parent_next(struct parent *p) { return &p->held[!p->now]; }
static inline const struct run_config *parent_config(const struct parent *p) { return &p->held[p->now].setup->config; }

void parent_say(const struct error *e);

/* ---- run_folders.c ---- */
/* The store is made and given to the keeper; then folders of sensors, once there is a store. */
int parent_give_store(const struct parent *p, struct error *e) MUST_USE;
int parent_make_folders(const struct parent *p, const struct run_config *c, struct error *e) MUST_USE;

/* ---- run.c ---- */
int parent_hold(struct parent *p, struct held *h, struct run_setup *s, struct error *e) MUST_USE;
void parent_let_go(struct parent *p, struct held *h);
int parent_start(struct parent *p, struct child *c, struct error *e) MUST_USE;
/* Asks it to end and waits; whoever does not hear is ended. */
void parent_end(struct parent *p, struct child *c, int number, int64_t patience);
/* A child for a sensor that has none, with its socket. */
int parent_add_capture(struct parent *p, const struct run_sensor *s, const struct held *h, struct child **out,
                       struct error *e) MUST_USE;
void parent_remove_capture(struct parent *p, struct child *c);
void parent_choose_roles(struct parent *p);
/* All that is wanted and does not run. */
int parent_start_wanted(struct parent *p, struct error *e) MUST_USE;

/* ---- run_answers.c ---- */
/* The file in memory, which tells of the socket that was just opened. */
int parent_open_told(const struct parent *p, struct child *c, struct error *e) MUST_USE;
/* `anew`: a rule that is there is put anew, since who is let in may be another. */
void parent_look_at_answers(struct parent *p, struct child *c, bool anew);
/* Where it is time. */
void parent_look_again(struct parent *p);

/* ---- run_switch.c ---- */
/* The capture's sensor in a configuration; NULL: there is none. */
const struct run_sensor *parent_sensor_of(const struct run_config *config, const struct child *c);
/* HUP came. */
int parent_read_again(struct parent *p, struct error *e) MUST_USE;
/* What is due of a change-over. */
int parent_switch_step(struct parent *p, struct error *e) MUST_USE;
