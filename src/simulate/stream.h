/* Inside simulate/: a Poisson stream of packets from many sources that need no memory of their own. */
#pragma once
#include "simulate/sim.h"

/* Makes one packet at `ts`, or none. */
typedef void (*stream_packet)(struct sim *s, struct actor *a, const struct param_value *v, int64_t ts);

/* `wait`: mean ns << 8 between packets; 0: the stream is not begun. The actor has a line of its own in the truth. */
void stream_begin(struct sim *s, const struct population *p, uint64_t ordinal, const char *kind, uint64_t wait,
                  const struct param_value *v, stream_packet packet);
