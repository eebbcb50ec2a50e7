#include "simulate/forms.h"

#include "base/bytes.h"

#include <string.h>

const char *const form_names[FORM_COUNT] = {
	"zmap < 4.1", "zmap windows", "zmap linux", "zmap bsd", "zmap smallest", "masscan 1.3.2", "masscan 1.3.9", "nmap",
	"mirai", "linux", "windows", "hping3",
};

struct form_row {
	uint16_t window; /* 0: of the process */
	uint8_t ttl;     /* as sent */
	uint8_t options;
	bool df;
};

static const struct form_row rows[FORM_COUNT] = {
	[FORM_ZMAP_OLD] = { 65535, 255, OPTIONS_NONE, false },
	[FORM_ZMAP_WINDOWS] = { 65535, 64, OPTIONS_ZMAP_WINDOWS, false },
	[FORM_ZMAP_LINUX] = { 65535, 64, OPTIONS_ZMAP_LINUX, false },
	[FORM_ZMAP_BSD] = { 65535, 64, OPTIONS_ZMAP_BSD, false },
	[FORM_ZMAP_SMALLEST] = { 65535, 64, OPTIONS_MSS, false },
	[FORM_MASSCAN] = { 1024, 255, OPTIONS_NONE, false },
	[FORM_MASSCAN_HEAD] = { 1025, 255, OPTIONS_MSS, false },
	[FORM_NMAP] = { 1024, 0, OPTIONS_MSS, false },
	[FORM_MIRAI] = { 0, 64, OPTIONS_NONE, false },
	[FORM_LINUX] = { 64240, 64, OPTIONS_LINUX, true },
	[FORM_WINDOWS] = { 64240, 128, OPTIONS_WINDOWS, true },
	[FORM_HPING] = { 512, 64, OPTIONS_NONE, false },
};

static uint16_t source_port(enum form f, uint64_t random, uint64_t key)
{
	switch (f) {
	case FORM_ZMAP_OLD: return (uint16_t)(32768 + random % 28233); /* to 61000 */
	case FORM_MASSCAN: case FORM_NMAP: return (uint16_t)(40000 + key % 25000);
	case FORM_MASSCAN_HEAD: return (uint16_t)(40000 + key % 25000 + random % 16);
	case FORM_MIRAI: return (uint16_t)(1024 + key % 64511);
	case FORM_LINUX: return (uint16_t)(32768 + random % 28232);
	case FORM_WINDOWS: return (uint16_t)(49152 + random % 16384);
	default: return (uint16_t)(32768 + random % 28232);
	}
}

void form_syn(struct sim_packet *p, enum form f, struct rng *r, uint64_t key)
{
	const struct form_row *row = &rows[f];
	uint64_t random = rng_next(r);
	p->tcp_flags = TCP_SYN;
	p->class = CLASS_SCAN;
	p->access = true;
	p->window = row->window ? row->window : (uint16_t)(key >> 32);
	p->options = row->options;
	p->df = row->df;
	p->seq = (uint32_t)(random >> 32);
	p->id = (uint16_t)random;
	p->sport = source_port(f, random >> 16 & 0xffff, key);
	p->ttl = (uint8_t)((f == FORM_NMAP ? 37 + random % 23 : row->ttl) - sim_hops(p->src));
	if (f == FORM_ZMAP_OLD)
		p->id = 54321;
	else if (f == FORM_MASSCAN || f == FORM_MASSCAN_HEAD)
		p->id = (uint16_t)(p->dst ^ p->dport ^ p->seq);
	else if (f == FORM_NMAP)
		p->seq = (uint32_t)mix64(key);
	else if (f == FORM_MIRAI)
		p->seq = p->dst;
	else if (f == FORM_HPING)
		p->ack = (uint32_t)mix64(random) | 1;
}

void form_quote(uint8_t out[static 28], const struct sim_packet *k, uint8_t proto, uint16_t sport, uint32_t victim,
                uint16_t port)
{
	static const uint8_t head[20] = { 0x45, 0, 0, 40, 0x12, 0x34, 0, 0, 49 };
	memcpy(out, head, sizeof head);
	out[9] = proto;
	store_be32(out + 12, k->dst);
	store_be32(out + 16, victim);
	store_be16(out + 20, sport);
	store_be16(out + 22, port);
	store_be32(out + 24, proto == PROTO_UDP ? 20u << 16 : k->dst * 69069u);
}
