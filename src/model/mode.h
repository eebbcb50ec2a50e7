/* How a sensor answers what comes to it: a property of the sensor, told by coverage (DEFINITIONS 1, "answer mode"). Rates
 * of one mode are never mixed with those of another: who is answered comes again, and who is not sends once more. */
#pragma once

/* By how much they answer: of two that one time was observed by, the greater holds. */
enum answer_mode {
	MODE_UNTOLD,
	MODE_SILENT,  /* nobody is answered */
	MODE_HOST,    /* as any host does: resets, ICMP errors */
	MODE_SYN_ACK, /* handshakes are completed */
	MODES,
};

/* "silent", "host-answers", "syn-ack"; NULL: untold. */
const char *mode_name(enum answer_mode m);
/* MODE_UNTOLD: it is none of these. */
enum answer_mode mode_parse(const char *text);

static inline enum answer_mode mode_more(enum answer_mode a, enum answer_mode b) { return a > b ? a : b; }
