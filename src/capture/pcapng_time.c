#include "capture/pcapng.h"

#define SECOND 1000000000
#define BINARY 0x80 /* top bit of if_tsresol: a negative power of two */

static uint64_t power_of_ten(unsigned n)
{
	uint64_t p = 1;
	while (n--)
		p *= 10;
	return p;
}

/* Units finer than a nanosecond, and binary ones: nanoseconds, rounded down. At most 2^94. */
static unsigned __int128 nanoseconds(uint8_t resolution, uint64_t units)
{
	unsigned n = resolution & 0x7f;
	if (resolution & BINARY)
		return (unsigned __int128)units * SECOND >> n;
	if (n <= 9)
		return (unsigned __int128)units * power_of_ten(9 - n);
	return n - 9 > 19 ? 0 : units / power_of_ten(n - 9); /* 10^20 is more than any number of units */
}

int64_t pcapng_time_any(const struct pcapng_interface *i, uint64_t units, uint8_t *marks)
{
	__int128 ns = (__int128)nanoseconds(i->resolution, units) + (__int128)i->offset * SECOND;
	if (ns >= INT64_MIN && ns <= INT64_MAX)
		return (int64_t)ns;
	*marks |= FRAME_TIME_CLAMPED;
	return ns < 0 ? INT64_MIN : INT64_MAX;
}

void pcapng_time_prepare(struct pcapng_interface *i)
{
	unsigned n = i->resolution & 0x7f;
	i->factor = 0;
	if (i->resolution & BINARY || n > 9)
		return;
	if (i->offset > INT64_MAX / SECOND || i->offset < INT64_MIN / SECOND)
		return;
	i->offset_ns = i->offset * SECOND;
	i->factor = power_of_ten(9 - n);
	i->plain_max = (uint64_t)(INT64_MAX - (i->offset_ns > 0 ? i->offset_ns : 0)) / i->factor;
}
