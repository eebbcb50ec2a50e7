/* What the IPv4 and IPv6 decoders share. Private to this folder. */
#pragma once
#include "packet/walk.h"

/* An IP header begins here: counts as the outermost if it is the first, even where nothing of it can be read. */
void ip_seen(struct walk *w, uint8_t version);

/* A header whose addresses were captured: from here on the packet describes it, and nothing of an outer one. */
struct packet *ip_begin(struct walk *w, const uint8_t *ip, uint8_t version);

/* It says that it is a fragment. */
void ip_fragment(struct walk *w, bool later);

/* Ends behind a header that ip_begin accepted: the status is of this packet. */
enum layer ip_end(struct walk *w, enum packet_status status);

/* The same where no transport header is read: later fragments, extension headers that are cut. */
enum layer ip_stop(struct walk *w, uint8_t proto, enum packet_status status);

/* Steps over an authentication header; false when it is cut. */
bool ip_skip_ah(struct walk *w, uint8_t *proto);

/* The transport header is here. */
enum layer ip_transport(struct walk *w, const struct network *net, uint8_t proto);
