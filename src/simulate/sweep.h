/* Inside simulate/: a sweep of the Internet, each address and port once, by one source or by many. */
#pragma once
#include "simulate/forms.h"

enum sweep_kind { SWEEP_TCP, SWEEP_UDP, SWEEP_ICMP };

struct sweep_plan {
	int64_t start;
	uint64_t per_second; /* probes over the whole Internet */
	uint64_t key;        /* of the process: ports, header constants */
	enum form form;
	enum sweep_kind kind;
	uint32_t source;     /* the first of `sources` neighbours; 0: `sources` addresses anywhere, by `key` */
	uint32_t sources;
	uint32_t ports;
	uint16_t port;       /* the only one, if ports is 1 */
};

void sweep_begin(struct sim *s, const struct population *p, uint64_t ordinal, const char *kind,
                 const struct sweep_plan *plan);
