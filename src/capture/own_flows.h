/* Inside capture/: which packets are management of the sensor itself (DEFINITIONS 1, "management by flow").
 *
 * What the host sends tells which flows it opened; what comes back on them within 300 s of its last packet is its own, and
 * so are errors that quote it. Resets within 120 s of our own SYN-ACK are answers to us, and own too. Memory is fixed.
 */
#pragma once
#include "capture/live.h"

#define OWN_OPENED INT64_C(300000000000)   /* ns */
#define OWN_ANSWERED INT64_C(120000000000) /* ns */

struct own_flows;

int own_flows_open(struct own_flows **out, const struct env *env, const struct live_own *own, size_t n_own,
                   struct error *e) MUST_USE;
void own_flows_close(struct own_flows *o);

/* A frame that this host sent. */
void own_flows_sent(struct own_flows *o, const struct frame *f);

/* A frame that came: is it own? Then `keep` is its length up to and with the ports. */
bool own_flows_came(struct own_flows *o, const struct frame *f, uint32_t *keep);
