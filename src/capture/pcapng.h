/* Inside capture/: what a pcapng section says of an interface, and the time that follows from it. */
#pragma once
#include "capture/format.h"

struct pcapng_interface {
	int64_t offset;     /* if_tsoffset: seconds added to every time */
	int64_t offset_ns;  /* the same, where it fits */
	uint64_t plain_max; /* up to this many units, ns = units × factor + offset_ns, and cannot overflow */
	uint64_t factor;    /* nanoseconds a unit; 0: a unit is no whole number of them */
	uint32_t snap;      /* UINT32_MAX: no limit */
	uint32_t max;       /* greatest captured length that is believed */
	uint16_t link;
	uint8_t resolution; /* if_tsresol: 10^-n seconds, or 2^-n with the top bit */
	uint8_t fcs_len;
	uint64_t received, dropped; /* as its last statistics said */
};

/* Fills offset_ns, plain_max and factor from offset and resolution. */
void pcapng_time_prepare(struct pcapng_interface *i);

/* Any resolution and offset, clamped to 64 bits; the slow path. */
int64_t pcapng_time_any(const struct pcapng_interface *i, uint64_t units, uint8_t *marks);

static inline int64_t pcapng_time(const struct pcapng_interface *i, uint64_t units, uint8_t *marks)
{
	if (LIKELY(i->factor && units <= i->plain_max))
		return (int64_t)(units * i->factor) + i->offset_ns;
	return pcapng_time_any(i, units, marks);
}
