/* QUIC's side of telling clients from servers. Private to this folder. */
#pragma once
#include "base/error.h"
#include "classify/judge.h"

/* Algorithms of libcrypto, fetched once: a fetch costs more than their use here, and may read files, which a process
 * without rights cannot. Shared by all threads. */
struct quic {
	struct evp_md_st *sha256;
	struct evp_cipher_st *ecb, *gcm;
};

int quic_init(struct quic *q, struct error *e) MUST_USE; /* MON-CLS-002 */
void quic_fini(struct quic *q);

enum udp_kind reply_quic(const struct quic *q, const struct packet *p, struct span data);
