/* A key's past as a prediction, and what its hours say against it.
 *
 * The count of an hour is negative binomial given the past: its mean is level × season × exposure, its shape holds both
 * how much hours differ (dispersion) and how little is known yet. An alternative says the mean is greater by a factor, or
 * by so many an hour where the key is rarely asked for. The likelihood ratio of the two is an e-value of the hour. As both
 * have the same shape, it needs no gamma function: with a the shape, m the mean of the null and n of the alternative,
 * log2 of it = x (log2(n / m) - D) - a D, D = log2((a + n) / (a + m)). A part of an hour has a part of the mean: what makes
 * hours differ holds for a whole one, so looking within an hour costs nothing. */
#include "detect/warn.h"

#include <string.h>

#define HALF_LIFE (28u * 24) /* hours */
#define MEMORY 970           /* hours: HALF_LIFE / ln 2 */
#define PRIOR (ONE / 4)      /* networks that a key is thought to have had before it was seen */
#define HOT_FROM ONE   /* an hour */
#define SEASON_FROM (4 * ONE)
#define SHAPE_RARE BITS(2)
#define SUSPECT (21u * 1440) /* minutes */
#define MOST_BITS BITS(120)

/* Factors of a busy key; networks an hour more of a rare one. Q16 */
static const uint32_t factors[ALTERNATIVES] = { 73400, 81920, 98304, 131072, 229376, 524288, 1638400, 6553600 };
static const uint32_t more[ALTERNATIVES] = { ONE / 96, ONE / 24, ONE / 8, ONE / 3, 3 * ONE / 2, 5 * ONE, 20 * ONE,
	                                        80 * ONE };

/* Of two Q16, or of one with anything. */
static uint64_t times(uint64_t x, uint64_t y) { return (uint64_t)((unsigned __int128)x * y >> 16); }
static uint64_t over(uint64_t x, uint64_t y) { return (uint64_t)(((unsigned __int128)x << 16) / y); }

static bool is_weekend(uint32_t hour)
{
	uint32_t day = (hour / 24 + 4) % 7; /* 1970-01-01 was a Thursday */
	return day == 0 || day == 6;
}

/* Q12. Smoothed over the neighbours: each hour alone has seen few days. */
static uint32_t season_of(const struct warn_key *k, uint32_t hour, bool holiday)
{
	if (!k->days)
		return 4096;
	uint32_t h = hour % 24, s = (k->season[(h + 23) % 24] + 2u * k->season[h] + k->season[(h + 1) % 24]) / 4;
	return is_weekend(hour) || holiday ? s * k->weekend >> 12 : s;
}

uint64_t warn_mean(const struct warning *w, const struct warn_key *k, uint32_t hour)
{
	uint64_t sum = (k->hot ? k->sum : k->fresh_sum) + PRIOR;
	uint64_t hours = (uint64_t)(k->hot ? k->hours : k->fresh_hours) + ONE;
	uint64_t mean = over(sum, hours);
	return k->hot ? mean * season_of(k, hour, w->holiday) >> 12 : mean;
}

/* Variance of hours beyond Poisson's, relative to the mean's square; Q16. A quarter more than measured: for its own
 * error. */
static uint64_t dispersion(const struct warn_key *k)
{
	uint64_t measured = k->square > ONE ? over(k->excess, k->square) : ONE / 8;
	measured = measured < ONE ? measured : ONE;
	return measured + measured / 4 + ONE / 200;
}

uint64_t warn_null(const struct warning *w, const struct warn_key *k, uint32_t hour, uint32_t *shape)
{
	uint64_t mean = warn_mean(w, k, hour);
	if (!k->hot) {
		*shape = SHAPE_RARE;
		return mean;
	}
	/* What is not known of the level (by all it has seen) and of this hour's season (by so many days of it). */
	uint64_t known = (k->sum >> 16) + 1, days = k->days < 27 ? k->days + 1u : 27u;
	uint64_t spread = dispersion(k) + ONE / known + (UINT64_C(1) << 32) / (days * 2 * mean + 1);
	uint64_t a = (256u << 16) / spread;
	*shape = a < 256 ? 256 : a > BITS(400) ? BITS(400) : (uint32_t)a;
	uint64_t slack = ONE / 33 + warn_root((uint64_t)k->drift << 16);
	slack += w->holiday || w->calm < 24 ? ONE / 2 : 0;
	return mean + times(mean, slack);
}

struct hour_of {
	uint64_t mean; /* Q16, of a full hour */
	uint32_t shape;
	int32_t log_shape;
};

/* log2 of the e-value, Q8, of `x` over `exposure` (Q16 hours). */
static int64_t ratio(const struct warn_key *k, const struct hour_of *h, int i, uint32_t x, uint64_t exposure)
{
	uint64_t other = k->hot ? times(h->mean, factors[i]) : h->mean + more[i];
	uint64_t m = times(h->mean, exposure) + 1, n = times(other, exposure) + 1;
	uint64_t a = (uint64_t)h->shape << 8;
	int64_t d = warn_log2(a + n) - warn_log2(a + m);
	int64_t each = warn_log2(n) - warn_log2(m) - d;
	return ((int64_t)x * each >> 8) - (((int64_t)h->shape * d) >> 16);
}

int32_t warn_evidence(const struct warning *w, const struct warn_key *k, uint32_t hour)
{
	struct hour_of h;
	uint32_t x = warn_count(k);
	h.mean = warn_null(w, k, hour, &h.shape);
	if (((uint64_t)x << 16) <= times(h.mean, w->hour_exposure))
		return 0;
	int64_t best = 0;
	for (int i = 0; i < ALTERNATIVES; i++) {
		int64_t s = (k->s[i] > 0 ? k->s[i] : 0) + ratio(k, &h, i, x, w->hour_exposure);
		best = s > best ? s : best;
	}
	return best > MOST_BITS ? MOST_BITS : (int32_t)best;
}

static bool is_quiet(const struct warn_key *k)
{
	for (int i = 0; i < ALTERNATIVES; i++)
		if (k->s[i] > 0)
			return false;
	return true;
}

static void gather(struct warn_key *k, const struct hour_of *h, uint32_t x, uint64_t exposure)
{
	for (int i = 0; i < ALTERNATIVES; i++) {
		int64_t s = (k->s[i] > 0 ? k->s[i] : 0) + ratio(k, h, i, x, exposure);
		k->s[i] = s > MOST_BITS ? MOST_BITS : s < 0 ? 0 : (int32_t)s;
	}
}

/* Hours in which nobody asked for a rare key. */
static void pass_silence(struct warning *w, struct warn_key *k, uint32_t hour)
{
	uint32_t gap = hour - k->hour;
	if (!gap)
		return;
	uint64_t exposure = w->observed - k->observed;
	struct hour_of h;
	h.mean = warn_null(w, k, hour, &h.shape);
	for (int i = 0; i < ALTERNATIVES && exposure; i++) {
		int64_t hourly = ratio(k, &h, i, 0, ONE); /* negative */
		int64_t s = k->s[i] + (hourly * (int64_t)(exposure >> 8) >> 8);
		k->s[i] = s < 0 ? 0 : (int32_t)s;
	}
	uint32_t left = warn_exp2_negative((uint32_t)(((uint64_t)gap << 16) / HALF_LIFE));
	/* What is left of the hours before, and what the hours between come to when they are discounted alike. */
	uint64_t mean_hour = exposure / gap, full = (uint64_t)(ONE - left) * MEMORY;
	k->sum = times(k->sum, left);
	k->fresh_sum = times(k->fresh_sum, left);
	k->hours = (uint32_t)(((uint64_t)k->hours * left >> 16) + (full * mean_hour >> 16));
	k->fresh_hours = (uint32_t)(((uint64_t)k->fresh_hours * left >> 16) + (full * mean_hour >> 16));
	k->hour = hour;
	k->observed = w->observed;
}

static void first_time(struct warning *w, struct warn_key *k, uint32_t hour)
{
	memset(k, 0, sizeof *k);
	k->born = hour + 1;
	k->hour = w->first / 60;
	k->weekend = 4096;
	k->since = hour * 60;
	for (int i = 0; i < 24; i++)
		k->season[i] = 4096;
	pass_silence(w, k, hour);
	memset(k->s, 0, sizeof k->s);
}

static void turn_masks(struct warn_key *k, uint32_t hour)
{
	uint16_t week = (uint16_t)(hour / HOURS_WEEK), passed = (uint16_t)(week - k->week);
	if (!passed)
		return;
	if (passed == 1)
		memcpy(k->mask[1], k->mask[0], sizeof k->mask[0]);
	else
		memset(k->mask[1], 0, sizeof k->mask[1]);
	memset(k->mask[0], 0, sizeof k->mask[0]);
	k->week = week;
}

void warn_key_touch(struct warning *w, uint32_t slot, uint32_t hour)
{
	struct warn_key *k = &w->key[slot];
	uint64_t bit = UINT64_C(1) << slot % 64;
	w->touched[slot / 64] |= bit;
	if (w->in_hour[slot / 64] & bit)
		return;
	w->in_hour[slot / 64] |= bit;
	if (!k->born)
		first_time(w, k, hour);
	else if (!k->hot)
		pass_silence(w, k, hour);
	turn_masks(k, hour);
	if (is_quiet(k))
		k->since = hour * 60;
}

/* Counts that would teach an outbreak as normal are cut at what the past lets expect. */
static uint32_t cut(uint32_t x, uint64_t mean, uint64_t exposure, uint64_t spread)
{
	uint64_t m = times(mean, exposure);
	uint64_t most = m + 3 * (uint64_t)warn_root((m + times(m, times(m, spread))) << 16) + 2 * ONE;
	return (uint64_t)x << 16 > most ? (uint32_t)(most >> 16) : x;
}

static void learn_season(struct warn_key *k, uint32_t hour, uint32_t x, uint64_t base, uint64_t exposure, bool holiday)
{
	if (base < SEASON_FROM || exposure < ONE / 2 || holiday)
		return;
	uint64_t m = times(base, exposure), share = ((uint64_t)x << 28) / (m + 1);
	int32_t rate = k->days < 14 ? 4 : 14;
	if (is_weekend(hour)) {
		share = (share << 12) / (k->season[hour % 24] + 1u);
		int32_t to = share > 4 * 4096 ? 4 * 4096 : (int32_t)share;
		k->weekend = (uint16_t)(k->weekend + (to - k->weekend) / 100);
	} else {
		int32_t to = share > 8 * 4096 ? 8 * 4096 : (int32_t)share, had = k->season[hour % 24];
		k->season[hour % 24] = (uint16_t)(had + (to - had) / rate);
	}
	k->days = (uint8_t)(k->days + (hour % 24 == 23 && k->days < 255));
	if (!k->days)
		k->days = 1;
}

static void learn_day(struct warn_key *k, uint32_t hour, uint32_t x, uint64_t m)
{
	k->day_x += x;
	k->day_mean += (uint32_t)(m >> 12);
	if (hour % 24 != 23)
		return;
	if (k->day_mean >= 16 * 24) {
		int64_t off = (((int64_t)k->day_x << 4) - k->day_mean) * 65536 / (int64_t)k->day_mean;
		int64_t square = (off * off >> 16) - (int64_t)((UINT64_C(16) << 16) / k->day_mean);
		int64_t d = k->drift + ((square > 16384 ? 16384 : square) - k->drift) / 14;
		k->drift = (uint16_t)(d < 0 ? 0 : d);
	}
	k->day_x = k->day_mean = 0;
}

static void learn(struct warning *w, struct warn_key *k, uint32_t hour, uint64_t exposure)
{
	uint64_t mean = warn_mean(w, k, hour), m = times(mean, exposure);
	bool young = hour - w->first / 60 < 24 * WARNING_SILENT_DAYS;
	uint32_t x = k->x, fresh = k->fresh;
	if (k->hot && !young)
		x = cut(x, mean, exposure, dispersion(k));
	if (!k->hot && !young)
		fresh = cut(fresh, mean, exposure, ONE / 2);
	if (k->hot && m >= ONE) {
		int64_t off = ((int64_t)x << 8) - (int64_t)(m >> 8);
		int64_t excess = off * off - (int64_t)m;
		int64_t total = (int64_t)(k->excess - k->excess / 512) + excess;
		k->excess = total < 0 ? 0 : (uint64_t)total;
		k->square = k->square - k->square / 512 + times(m, m);
	}
	if (k->hot)
		learn_day(k, hour, x, m);
	uint32_t season = k->hot ? season_of(k, hour, w->holiday) : 4096;
	uint64_t base = over(k->sum + PRIOR, (uint64_t)k->hours + ONE);
	if (k->hot)
		learn_season(k, hour, x, base, exposure, w->holiday);
	k->sum = k->sum - k->sum / MEMORY + ((uint64_t)x << 16);
	k->fresh_sum = k->fresh_sum - k->fresh_sum / MEMORY + ((uint64_t)fresh << 16);
	k->hours = (uint32_t)(k->hours - k->hours / MEMORY + (exposure * season >> 12));
	k->fresh_hours = (uint32_t)(k->fresh_hours - k->fresh_hours / MEMORY + exposure);
	if (!k->hot && base >= HOT_FROM && hour % 24 == 23 && hour - w->first / 60 > 48) {
		k->hot = true;
		memset(k->s, 0, sizeof k->s);
	}
}

/* What may be the beginning of something is not learned as normal before three weeks have passed. */
static bool is_suspect(const struct warning *w, const struct warn_key *k, uint32_t hour)
{
	if (hour * 60 > k->since + SUSPECT || hour < w->first / 60 + 24 * WARNING_LEARNING_DAYS)
		return false;
	for (int i = 0; i < ALTERNATIVES; i++)
		if (k->s[i] > BITS(8))
			return true;
	return false;
}

void warn_key_commit(struct warning *w, struct warn_key *k, uint32_t hour)
{
	struct hour_of h;
	uint64_t exposure = w->hour_exposure;
	if (exposure) {
		h.mean = warn_null(w, k, hour, &h.shape);
		gather(k, &h, warn_count(k), exposure);
		if (hour < w->first / 60 + 24 * WARNING_SILENT_DAYS)
			memset(k->s, 0, sizeof k->s);
		if (is_quiet(k))
			k->since = hour * 60 + 60;
		if (!k->event && !is_suspect(w, k, hour))
			learn(w, k, hour, exposure);
	}
	k->hour = hour + 1;
	k->observed = w->observed + exposure;
	k->x = k->fresh = 0;
}

void warn_key_forgive(struct warn_key *k, uint32_t minute)
{
	memset(k->s, 0, sizeof k->s);
	k->since = minute;
}

/* What has lasted for a week is how it is: nearly all of the past before it is forgotten. */
void warn_key_adopt(struct warn_key *k)
{
	k->sum /= 16;
	k->hours /= 16;
	k->fresh_sum /= 16;
	k->fresh_hours /= 16;
}

bool warn_key_is_high(const struct warning *w, const struct warn_key *k, uint32_t hour)
{
	uint32_t shape, x = warn_count(k);
	uint64_t mean = warn_null(w, k, hour, &shape), m = times(mean, w->hour_exposure);
	uint64_t spread = times(m, (m << 8) / shape);
	return (uint64_t)x << 16 > m + 2 * (uint64_t)warn_root((m + spread) << 16) + (k->hot ? ONE : 0);
}
