/* TCP by a table over all flag bytes, made by the compiler: DEFINITIONS 1 (classes, accesses) and 3 (flags). */
#include "classify/judge.h"
#include "classify/tags.h"
#include "model/syn.h"

#define HAS(f, bits) (((f) & (bits)) != 0)
/* ECE and CWR say nothing of the kind of a segment (RFC 3168). */
#define PLAIN(f) ((f)&63)

#define IS_SYN_ACK(f) (HAS(f, TCP_SYN) && HAS(f, TCP_ACK))
#define IS_REPLY(f) (HAS(f, TCP_RST) || IS_SYN_ACK(f))
#define IS_ACCESS(f) (((f) & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN)
/* NULL, FIN, Xmas, Maimon, ACK probes. */
#define IS_STEALTH(f) \
	(PLAIN(f) == 0 || PLAIN(f) == TCP_FIN || PLAIN(f) == (TCP_FIN | TCP_PSH | TCP_URG) || \
	 PLAIN(f) == (TCP_FIN | TCP_ACK) || PLAIN(f) == TCP_ACK)

/* corsaro3's list of what a TCP sends, and RST|ACK, which it lacks. */
#define IS_NORMAL(f) \
	(PLAIN(f) == TCP_SYN || PLAIN(f) == TCP_ACK || PLAIN(f) == TCP_RST || PLAIN(f) == TCP_FIN || \
	 PLAIN(f) == (TCP_SYN | TCP_FIN) || PLAIN(f) == (TCP_SYN | TCP_ACK) || PLAIN(f) == (TCP_FIN | TCP_ACK) || \
	 PLAIN(f) == (TCP_ACK | TCP_PSH) || PLAIN(f) == (TCP_FIN | TCP_ACK | TCP_PSH) || \
	 PLAIN(f) == (TCP_RST | TCP_ACK))

#define CLASS_OF(f, data) \
	(IS_REPLY(f) ? CLASS_BACKSCATTER : HAS(f, TCP_SYN) ? CLASS_SCAN : (data) ? CLASS_PAYLOAD : \
	 IS_STEALTH(f) ? CLASS_SCAN : CLASS_OTHER)
#define IS_PROBE(f, data) (CLASS_OF(f, data) == CLASS_SCAN || CLASS_OF(f, data) == CLASS_PAYLOAD)

#define FLAGS_OF(f, data) ((IS_ACCESS(f) ? VERDICT_ACCESS : 0) | (IS_PROBE(f, data) ? VERDICT_PROBE : 0))
#define TAGS_OF(f) ((IS_NORMAL(f) ? 0 : PART_ABNORMAL) | (IS_REPLY(f) ? PART_REPLY : 0))

#define RULE_BIT(r) (1 << RULE_##r)
/* Of any SYN; of a plain one, without ECN, PSH or URG, as the tools send it; of FIN and Xmas probes; of all probes. */
#define RULES_SYN (RULE_BIT(MASSCAN) | RULE_BIT(CONSTANT_SEQ))
#define RULES_NMAP (RULE_BIT(NMAP) | RULE_BIT(NMAP_PAIR))
#define RULES_PLAIN_SYN \
	(RULE_BIT(MIRAI) | RULES_NMAP | RULE_BIT(ZMAP4) | RULE_BIT(HPING3) | RULE_BIT(UNICORNSCAN) | RULE_BIT(HAJIME))
#define IS_NMAP_STEALTH(f) ((f) == TCP_FIN || (f) == (TCP_FIN | TCP_PSH | TCP_URG))
#define RULES_OF(f, data) \
	((IS_ACCESS(f) ? RULES_SYN : 0) | ((f) == TCP_SYN ? RULES_PLAIN_SYN : 0) | (IS_NMAP_STEALTH(f) ? RULES_NMAP : 0) | \
	 (IS_PROBE(f, data) ? RULE_BIT(ZMAP_ID) : 0) | (IS_SYN_ACK(f) && !HAS(f, TCP_RST) ? RULE_BIT(REPLY_ID) : 0))

#define PROFILE_OF(f) (SYN_PRESENT | (HAS(f, TCP_ECE | TCP_CWR) ? SYN_ECN : 0))

#define CELL(f, data) \
	{ CLASS_OF(f, data), FLAGS_OF(f, data), TAGS_OF(f), RULES_OF(f, data), IS_ACCESS(f), IS_NMAP_STEALTH(f), \
	  IS_NMAP_STEALTH(f) || CLASS_OF(f, data) == CLASS_OTHER || (HAS(f, TCP_SYN) && HAS(f, TCP_FIN)), PROFILE_OF(f) }
#define CELLS4(f, data) CELL(f, data), CELL((f) + 1, data), CELL((f) + 2, data), CELL((f) + 3, data)
#define CELLS16(f, data) CELLS4(f, data), CELLS4((f) + 4, data), CELLS4((f) + 8, data), CELLS4((f) + 12, data)
#define CELLS64(f, data) CELLS16(f, data), CELLS16((f) + 16, data), CELLS16((f) + 32, data), CELLS16((f) + 48, data)
#define CELLS256(data) CELLS64(0, data), CELLS64(64, data), CELLS64(128, data), CELLS64(192, data)

const struct tcp_cell tcp_cells[2][256] = { { CELLS256(0) }, { CELLS256(1) } };
