/* The dictionary of SYN profiles of one window: a row remembers window (16 bits) and layout (12 bits, the profile
 * without its window) of its least SYN. It is bounded; when it is full the window's rows are handed over. */
#pragma once
#include "base/env.h"
#include "base/hash.h"
#include "model/hit.h"
#include "model/packet.h"
#include "model/syn.h"

#define LAYOUTS_MAX 4096u

struct layouts;

int layouts_open(struct layouts **out, const struct env *env, struct error *e) MUST_USE;
void layouts_close(struct layouts *l);
void layouts_clear(struct layouts *l);
bool layouts_has_room(const struct layouts *l, uint32_t more);

/* The profile of a SYN packet as a hit has it; 0: its options are none of the three lists. */
uint64_t hit_profile(const struct packet *syn);

/* window << 12 | layout of a SYN, of the profile of a hit, of any. Each needs room for one more. */
uint32_t layouts_put(struct layouts *l, const struct packet *syn);
uint32_t layouts_of_hit(struct layouts *l, uint64_t profile);
uint32_t layouts_put_profile(struct layouts *l, const struct syn_profile *profile);

/* The profile of such a word, and its canonical bytes as three little-endian words; LAYOUTS_NONE: of no SYN. */
#define LAYOUTS_NONE 0
struct syn_profile layouts_get(const struct layouts *l, uint32_t word);
void layouts_canonical(const struct layouts *l, uint32_t word, uint64_t out[static 3]);

/* The profile of a SYN packet. */
struct syn_profile syn_profile_of(const struct packet *syn);
/* Canonical order of profiles: that of their canonical bytes. */
int syn_profile_compare(const struct syn_profile *a, const struct syn_profile *b);
void syn_profile_store(const struct syn_profile *s, uint8_t out[static 24]);
struct syn_profile syn_profile_load(const uint8_t in[static 24]);
