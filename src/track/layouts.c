#include "track/layouts.h"

#include "base/bytes.h"
#include "base/cursor.h"

#include <string.h>

#define SLOTS (2 * LAYOUTS_MAX)

#define QUICK 64

struct layouts {
	const struct env *env;
	struct seed seed;
	uint32_t n;                   /* entry 0 is not used: slot value 0 means empty */
	struct {
		uint64_t key;         /* profile of a hit without its window; 0: empty */
		uint64_t layout;
	} quick[QUICK];               /* the layouts of the commonest option lists, last seen */
	uint16_t slot[SLOTS];
	struct syn_profile entry[LAYOUTS_MAX]; /* window 0 */
};

int layouts_open(struct layouts **out, const struct env *env, struct error *e)
{
	struct layouts *l = env_alloc(env, sizeof *l);
	if (!l)
		return error_no_memory(e, "making the SYN dictionary");
	l->env = env;
	l->n = 1;
	int rc = seed_draw(&l->seed, env);
	if (rc) {
		env_free(env, l, sizeof *l);
		return error_set(e, rc, "MON-TRK-002", "no random numbers to be had");
	}
	*out = l;
	return 0;
}

void layouts_close(struct layouts *l)
{
	if (l)
		env_free(l->env, l, sizeof *l);
}

void layouts_clear(struct layouts *l)
{
	if (l->n == 1)
		return;
	l->n = 1;
	memset(l->quick, 0, sizeof l->quick);
	memset(l->slot, 0, sizeof l->slot);
}

bool layouts_has_room(const struct layouts *l, uint32_t more) { return l->n + more <= LAYOUTS_MAX; }

/* Options that the header announces and the capture, or the fragment, does not hold. */
static bool options_cut(const struct packet *p)
{
	bool missing = p->ip_len != (uint32_t)p->payload_offset + p->payload_len || (p->bits & PACKET_FRAGMENT);
	return missing && 4u * (p->ip[p->l4_offset + 12] >> 4) > 20u + p->tcp_options_len;
}

static uint8_t header_flags(const struct packet *p)
{
	uint8_t f = SYN_PRESENT;
	if (p->bits & PACKET_DF)
		f |= SYN_DF;
	if (p->version == 4 && p->ip_id == 0)
		f |= SYN_ID_ZERO;
	if (p->tcp_flags & (TCP_ECE | TCP_CWR))
		f |= SYN_ECN;
	if (p->ack && !(p->tcp_flags & TCP_ACK))
		f |= SYN_ACK_NONZERO;
	if (p->payload_len)
		f |= SYN_DATA;
	if (options_cut(p))
		f |= SYN_BAD_OPTIONS;
	return f;
}

enum { OPT_END = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_SCALE = 3 };

/* RFC 9293 section 3.1: kind, and unless it is 0 or 1 a length that counts both. */
static void read_options(struct syn_profile *s, const uint8_t *p, size_t n)
{
	struct cursor c = cursor_init(p, n);
	while (cursor_left(&c)) {
		uint8_t kind = cursor_u8(&c);
		if (s->n_kinds == SYN_KINDS) {
			s->flags |= SYN_MANY_OPTIONS;
			return;
		}
		s->kinds[s->n_kinds++] = kind;
		if (kind == OPT_END)
			return;
		if (kind == OPT_NOP)
			continue;
		uint8_t length = cursor_u8(&c);
		const uint8_t *body = length < 2 ? NULL : cursor_take(&c, length - 2u);
		if (!body) {
			s->flags |= SYN_BAD_OPTIONS;
			return;
		}
		if (kind == OPT_MSS && length == 4)
			s->mss = load_be16(body);
		else if (kind == OPT_SCALE && length == 3)
			s->scale = *body;
	}
}

struct syn_profile syn_profile_of(const struct packet *syn)
{
	struct syn_profile s = { .window = syn->window, .scale = 255, .flags = header_flags(syn) };
	if (syn->tcp_options_len)
		read_options(&s, syn->ip + syn->l4_offset + 20, syn->tcp_options_len);
	return s;
}

void syn_profile_store(const struct syn_profile *s, uint8_t out[static 24])
{
	memcpy(out, s, sizeof *s);
	store_be16(out, s->window);
	store_be16(out + 2, s->mss);
}

struct syn_profile syn_profile_load(const uint8_t in[static 24])
{
	struct syn_profile s;
	memcpy(&s, in, sizeof s);
	s.window = load_be16(in);
	s.mss = load_be16(in + 2);
	return s;
}

int syn_profile_compare(const struct syn_profile *a, const struct syn_profile *b)
{
	uint8_t x[24], y[24];
	syn_profile_store(a, x);
	syn_profile_store(b, y);
	return memcmp(x, y, sizeof x);
}

static uint16_t find_or_add(struct layouts *l, const struct syn_profile *s)
{
	uint64_t w[3];
	memcpy(w, s, sizeof w);
	uint64_t hash = hash_u64(&l->seed, hash_u64x2(&l->seed, w[0], w[1]) ^ w[2]);
	for (uint32_t at = (uint32_t)(hash >> 32) & (SLOTS - 1);; at = (at + 1) & (SLOTS - 1)) {
		uint16_t id = l->slot[at];
		if (!id) {
			id = (uint16_t)l->n++;
			l->entry[id] = *s;
			l->slot[at] = id;
			return id;
		}
		if (!memcmp(&l->entry[id], s, sizeof *s))
			return id;
	}
}

uint32_t layouts_put_profile(struct layouts *l, const struct syn_profile *profile)
{
	struct syn_profile s = *profile;
	uint32_t window = s.window;
	s.window = 0;
	return window << 12 | find_or_add(l, &s);
}

uint64_t hit_profile(const struct packet *syn)
{
	const uint8_t *o = syn->ip + syn->l4_offset + 20;
	uint64_t p = (uint64_t)syn->window << HIT_WINDOW_AT | (uint64_t)header_flags(syn) << HIT_FLAGS_AT;
	if (!syn->tcp_options_len)
		return p | (uint64_t)HIT_BARE << HIT_LIST_AT | 255u << HIT_SCALE_AT;
	if (syn->tcp_options_len == 4 && load_be16(o) == 0x0204)
		return p | (uint64_t)HIT_MSS << HIT_LIST_AT | 255u << HIT_SCALE_AT | load_be16(o + 2);
	if (syn->tcp_options_len == 20 && load_be16(o) == 0x0204 && load_be32(o + 4) == 0x0402080a &&
	    load_be32(o + 16) >> 8 == 0x010303)
		return p | (uint64_t)HIT_LINUX << HIT_LIST_AT | (uint32_t)o[19] << HIT_SCALE_AT | load_be16(o + 2);
	return 0;
}

static struct syn_profile profile_of_hit(uint64_t p)
{
	static const uint8_t linux_kinds[] = { OPT_MSS, 4, 8, OPT_NOP, OPT_SCALE };
	unsigned list = p >> HIT_LIST_AT & 0xff;
	struct syn_profile s = { .window = (uint16_t)(p >> HIT_WINDOW_AT), .mss = (uint16_t)p,
	                         .scale = (uint8_t)(p >> HIT_SCALE_AT), .flags = (uint8_t)(p >> HIT_FLAGS_AT) };
	s.n_kinds = list == HIT_LINUX ? (uint8_t)sizeof linux_kinds : list == HIT_MSS;
	memcpy(s.kinds, linux_kinds, s.n_kinds);
	return s;
}

uint32_t layouts_of_hit(struct layouts *l, uint64_t profile)
{
	if (__builtin_expect((profile & HIT_LAYOUT) != 0, 0))
		return (uint32_t)profile;
	uint64_t key = profile & ((1ull << HIT_WINDOW_AT) - 1);
	uint32_t at = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 58);
	if (__builtin_expect(l->quick[at].key != key, 0)) {
		struct syn_profile s = profile_of_hit(key);
		l->quick[at].layout = find_or_add(l, &s);
		l->quick[at].key = key;
	}
	return (uint32_t)(profile >> HIT_WINDOW_AT) << 12 | (uint32_t)l->quick[at].layout;
}

uint32_t layouts_put(struct layouts *l, const struct packet *syn)
{
	uint64_t quick = hit_profile(syn);
	if (quick)
		return layouts_of_hit(l, quick);
	struct syn_profile s = syn_profile_of(syn);
	return layouts_put_profile(l, &s);
}

struct syn_profile layouts_get(const struct layouts *l, uint32_t word)
{
	struct syn_profile s = l->entry[word & (LAYOUTS_MAX - 1)];
	s.window = (uint16_t)(word >> 12);
	return s;
}

void layouts_canonical(const struct layouts *l, uint32_t word, uint64_t out[static 3])
{
	memcpy(out, &l->entry[word & (LAYOUTS_MAX - 1)], 3 * sizeof *out);
	uint64_t window_mss = (uint32_t)out[0] >> 16 | (word >> 12) << 16; /* to be swapped together */
	out[0] = (out[0] & ~(uint64_t)UINT32_MAX) | __builtin_bswap32((uint32_t)window_mss);
}
