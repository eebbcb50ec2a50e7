/* Inside simulate/: how the SYNs of tools and systems look on the wire (DEFINITIONS 2; captures of the real tools). */
#pragma once
#include "simulate/sim.h"

enum form {
	FORM_ZMAP_OLD,      /* before 4.1: ip.id 54321, window 65535, ttl 255, no options [S][C zmap_syn80_n5000, 2.1.1] */
	FORM_ZMAP_WINDOWS,  /* 4.1 and later: ttl 64, random ip.id, a profile of options [C zmap4_syn80] */
	FORM_ZMAP_LINUX,    /* [C zmap4_syn443_linux] */
	FORM_ZMAP_BSD,      /* [S zmap packet.c] */
	FORM_ZMAP_SMALLEST, /* MSS alone [S zmap packet.c] */
	FORM_MASSCAN,       /* 1.3.2: ip.id = low half of dst ^ dport ^ seq, window 1024, ttl 255 [C masscan_syn_*] */
	FORM_MASSCAN_HEAD,  /* 1.3.9: the same id, window 1025, MSS, source ports within 16 [C masscan_head_*] */
	FORM_NMAP,          /* window 1024, MSS 1460, one seq and source port a run, ttl 37 to 59 [C nmap_sS_*] */
	FORM_MIRAI,         /* seq = destination, no options, window and source port of the process [S mirai/bot/scanner.c] */
	FORM_LINUX,         /* connect(): window 64240, five options, DF, ttl 64 [C nmap_sT_connect] */
	FORM_WINDOWS,       /* connect(): window 64240, MSS NOP WS NOP NOP SACK, DF, ttl 128 [M] */
	FORM_HPING,         /* window 512, ttl 64, no options, ack not zero [C hping_synflood_direct] */
	FORM_COUNT,
};
extern const char *const form_names[FORM_COUNT];

/* Fills what the form says of a SYN; src, dst, dport and ts are there. `key`: of the process that sends. */
void form_syn(struct sim_packet *p, enum form f, struct rng *r, uint64_t key);

/* What an ICMP error to k->dst quotes: the packet that came from there, as one thinks, to a victim; its IP header and eight
 * bytes (RFC 792). */
void form_quote(uint8_t out[static 28], const struct sim_packet *k, uint8_t proto, uint16_t sport, uint32_t victim,
                uint16_t port);
