/* A role: one of the processes of `monomi run`. Between run.c, which starts them, and the files that are them. */
#pragma once
#include "daemon/run.h"

#include <signal.h>

enum role { ROLE_KEEPER, ROLE_ENGINE, ROLE_CAPTURE, ROLE_SIMULATOR, ROLE_READER, ROLE_SERVER, ROLE_EXTRACT, ROLES };

/* Descriptors that a role is given, beside 0 to 2. */
enum {
	ROLE_FD_ARGUMENTS = 3, /* a sealed memfd */
	ROLE_FD_READY = 4,     /* pipe: the role writes the number of its process (int32_t) once it can work */
	ROLE_FD_FIRST = 5,     /* its own: role.h says which */
};
enum { SERVER_FD_LISTEN = ROLE_FD_FIRST, SERVER_FD_READER, SERVER_FD_LIVE, SERVER_FD_PACKETS };
enum { EXTRACT_FD_SERVER = ROLE_FD_FIRST };
enum { READER_FD_SERVER = ROLE_FD_FIRST };
enum { ENGINE_FD_SERVER = ROLE_FD_FIRST };
enum { CAPTURE_FD_SOCKET = ROLE_FD_FIRST, CAPTURE_FD_TOLD };
/* What a capture is told of its socket, in a file in memory: the second part again and again. */
struct capture_told {
	int64_t opened; /* ns since 1970: by when it captured */
	int64_t mode;   /* enum answer_mode: how the host answers */
};

const char *role_name(enum role r);

/* What a role is called with. */
struct role_call {
	const struct env *env;
	const struct run_config *config;
	const struct run_sensor *sensor; /* the capture's; the first for the others */
	enum role role;
	bool crashed; /* the one before it */
	const volatile sig_atomic_t *stop, *drain; /* TERM: end; HUP: end when the minutes until now are done */
};

/* Users of roles when the parent is root: ROLE_USER + role, each in a group of its own number; who fills the live folder is
 * ROLE_CAPTURE's. The keeper owns the store. */
#define ROLE_USER 65440

/* Locks the process in (confine.h), for good. */
int role_lock_in(const struct role_call *c, struct error *e) MUST_USE;
/* Everything is open, and nothing of anybody's was read: tells the parent. */
int role_ready(const struct role_call *c, struct error *e) MUST_USE;
/* A line on stderr about something that goes on. */
void role_say(const struct role_call *c, const struct error *e);

int keeper_run(const struct role_call *c, struct error *e) MUST_USE;
int engine_run(const struct role_call *c, struct error *e) MUST_USE;
int capture_run(const struct role_call *c, struct error *e) MUST_USE;
int extractor_run(const struct role_call *c, struct error *e) MUST_USE;
int simulator_run(const struct role_call *c, struct error *e) MUST_USE;

/* spool/live/SENSOR of the store, and the folder of a made-up past beside it (docs/formats/live.md). */
#define ROLE_PATH 4096
int role_folder(const struct run_config *config, const struct run_sensor *sensor, bool past, char out[static ROLE_PATH],
                struct error *e) MUST_USE;
