/* Telling the service manager where we are (sd_notify(3)): a datagram to the socket that $NOTIFY_SOCKET names. */
#pragma once
#include "base/env.h"

/* Lines of "NAME=value". Without a manager nothing happens; one that does not listen is no fault of ours. */
void notify_manager(const struct env *env, const char *lines);
/* The configuration is being read again; READY=1 says that this is over. */
void notify_reloading(const struct env *env);
