#include "detect/warn.h"

/* log2(1 + i / 64), Q16, for i of 0 to 64; between them the mean of the line and its bend, which is known. */
static const uint32_t logs[65] = {
	0, 1466, 2909, 4331, 5732, 7112, 8473, 9814, 11136, 12440, 13727, 14996,
	16248, 17484, 18704, 19909, 21098, 22272, 23433, 24579, 25711, 26830, 27936, 29029,
	30109, 31178, 32234, 33279, 34312, 35334, 36346, 37346, 38336, 39316, 40286, 41246,
	42196, 43137, 44068, 44990, 45904, 46809, 47705, 48593, 49472, 50344, 51207, 52063,
	52911, 53751, 54584, 55410, 56229, 57040, 57845, 58643, 59434, 60219, 60997, 61769,
	62534, 63294, 64047, 64794, 65536,
};

int32_t warn_log2(uint64_t x)
{
	int top = 63 - __builtin_clzll(x);
	uint64_t fraction = top >= 32 ? x >> (top - 32) : x << (32 - top); /* 1 with 32 bits behind the point */
	uint32_t i = (uint32_t)(fraction >> 26 & 63), t = (uint32_t)(fraction >> 10 & 65535);
	uint32_t low = logs[i], line = (uint32_t)((uint64_t)(logs[i + 1] - low) * t >> 16);
	/* log2 lies above its chord by t (1 - t) / 2 × its second derivative: 1 / (ln 2 (64 + i)^2). */
	uint32_t bend = (uint32_t)((uint64_t)t * (65536 - t) / ((64 + i) * (64 + i)) * 47274 >> 32);
	return (top - 16) * 65536 + (int32_t)(low + line + bend);
}

uint32_t warn_exp2_negative(uint32_t x)
{
	uint32_t whole = x >> 16, t = x & 65535;
	if (whole > 31)
		return 0;
	/* 2^-t by its series to the seventh power, Q30: 2e-6 off at most. */
	static const int64_t c[8] = { 1073741824, -744261118, 257941248, -59597091, 10327388, -1431680, 165394, -16378 };
	int64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = c[i] + (v * (int64_t)t >> 16);
	return (uint32_t)(v >> 14) >> whole;
}

uint32_t warn_root(uint64_t x)
{
	uint64_t r = 0;
	for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
		if (x >= r + bit) {
			x -= r + bit;
			r = r / 2 + bit;
		} else {
			r /= 2;
		}
	}
	return (uint32_t)r;
}
