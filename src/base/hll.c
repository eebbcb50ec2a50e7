#include "base/hll.h"

#include <math.h>

void hll_merge(uint8_t into[static HLL_REGISTERS], const uint8_t from[static HLL_REGISTERS])
{
	for (uint32_t i = 0; i < HLL_REGISTERS; i++)
		into[i] = into[i] > from[i] ? into[i] : from[i];
}

/* Neighbours often have the same rank: counted in one place, each would wait for the one before. */
static void count_ranks(const uint8_t reg[static HLL_REGISTERS], uint32_t of_rank[static 65])
{
	uint32_t part[4][256] = { 0 };
	for (uint32_t i = 0; i < HLL_REGISTERS; i += 4) {
		part[0][reg[i]]++;
		part[1][reg[i + 1]]++;
		part[2][reg[i + 2]]++;
		part[3][reg[i + 3]]++;
	}
	for (uint32_t r = 0; r < 65; r++)
		of_rank[r] = part[0][r] + part[1][r] + part[2][r] + part[3][r];
}

uint64_t hll_estimate(const uint8_t reg[static HLL_REGISTERS])
{
	/* Summed by rank, so that the floating-point result does not depend on the order of registers. */
	uint32_t of_rank[65];
	count_ranks(reg, of_rank);
	double sum = 0, m = HLL_REGISTERS;
	for (int r = 64; r >= 0; r--)
		sum += ldexp(of_rank[r], -r);
	double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
	if (estimate <= 2.5 * m && of_rank[0])
		estimate = m * log(m / of_rank[0]);
	return (uint64_t)llround(estimate);
}
