/* The capture: an interface's packets into pieces. It looks at nothing of a packet but what says whose it is. */
#include "daemon/role.h"

#include "capture/live.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS 200

/* A failing disk is told once, and once when it is over. */
static void tell_failures(const struct role_call *c, struct live *l, bool *told)
{
	struct live_status status;
	live_status(l, &status);
	bool fails = status.pieces.last.code[0];
	if (fails && !*told)
		role_say(c, &status.pieces.last);
	*told = fails;
}

/* How the host answers, as the parent found it last. */
static void heed_answers(const struct role_call *c, struct live *l)
{
	struct capture_told told;
	if (!env_pread_all(c->env, CAPTURE_FD_TOLD, &told, sizeof told, 0) && told.mode > 0 && told.mode < MODES)
		live_mode(l, (enum answer_mode)told.mode);
}

int capture_run(const struct role_call *c, struct error *e)
{
	char folder[ROLE_PATH];
	struct live *l = NULL;
	struct error closing;
	bool told = false;
	int rc = role_folder(c->config, c->sensor, false, folder, e);
	if (rc)
		return rc;
	struct capture_told of_socket = { 0, MODE_UNTOLD };
	rc = env_pread_all(c->env, CAPTURE_FD_TOLD, &of_socket, sizeof of_socket, 0);
	if (rc)
		return error_set(e, rc, "MON-DMN-021", "the parent has told nothing of the socket");
	const struct live_config config = { .socket = CAPTURE_FD_SOCKET, .opened = of_socket.opened, .folder = folder,
		                            .application = "monomi",
		                            .own = c->sensor->manage, .n_own = c->sensor->n_manage };
	rc = role_lock_in(c, e); /* before the thread that writes */
	if (rc)
		return rc;
	rc = live_open(&l, c->env, &config, e);
	if (rc)
		return rc;
	rc = role_ready(c, e);
	while (!rc && !*c->stop) {
		heed_answers(c, l);
		rc = live_step(l, WAIT_MS, e);
		tell_failures(c, l, &told);
	}
	int closed = live_close(l, &closing);
	if (closed && !rc)
		*e = closing;
	return rc ? rc : closed;
}
