/* Analysis of capture files: wires capture → packet → classify → track over shards, file by file.
 *
 * `monomi analyze` runs it in one process without rights; the roles of later wiring run the same modules.
 *
 * One analysis_file call a FILE, in order; then analysis_total. A file's numbers never depend on the other files; the
 * total is what one file holding all their packets would have given.
 */
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "capture/capture.h"
#include "classify/classify.h"
#include "model/window.h"
#include "packet/decode.h"
#include "track/track.h"

#include <signal.h>
#include <stdbool.h>

#define ANALYSIS_SHARDS_MAX 64
#define ANALYSIS_MEMORY_LEAST (16u << 20) /* bytes of tables a shard needs at the least */

struct progress {
	uint64_t bytes, bytes_total; /* of the file at hand, as on disk; total 0: unknown */
	uint64_t packets;            /* of the file at hand so far */
	bool deriving;               /* late or shared minutes are being derived again */
};

/* Who keeps the rows (track.h), one sink a shard: a shard's is called from that shard's thread. */
struct analysis_rows {
	struct track_sink shard[ANALYSIS_SHARDS_MAX];
	/* Rows given so far of these minutes, sorted, are void (`minutes` NULL: of all minutes of this file); they come
	 * anew. Evidence stays. */
	int (*drop)(void *ctx, const int32_t *minutes, uint32_t n, struct error *e);
	void *ctx;
};

struct analysis_config {
	struct scope scope;
	struct capture_config capture;
	struct decode_config decode;
	const char *sensor;
	const char *temporary;  /* folder for unlinked temporary files; NULL: TMPDIR, else /tmp */
	unsigned shards;        /* 1 … ANALYSIS_SHARDS_MAX */
	size_t memory;          /* bound for the tables of all shards, bytes */
	bool several;           /* more than one file may come; with false the total is the one file's numbers */
	const struct analysis_rows *rows; /* NULL: rows are only summed up */
	void (*progress)(void *ctx, const struct progress *p); /* NULL: none; called a few times a second */
	void *progress_ctx;
	const volatile sig_atomic_t *stop; /* non-zero ends a file that is followed; NULL: never */
};

/* Numbers of a file or of all of them. */
struct summary {
	uint64_t packets, bytes; /* bytes: as sent, link headers included */
	int64_t first, last;     /* file order, ns; valid when packets > 0 */
	int64_t min, max;
	uint64_t ipv4, ipv6, non_ip;
	uint64_t tcp, udp, icmp, icmpv6, other_ip;
	uint64_t fragments, syn, synack, rst;
	uint64_t truncated, bad_checksums;
	uint64_t accesses, udp_unsure, quote_mismatches, cannot_tell;
	uint64_t classes[CLASS_COUNT];
	uint64_t ignored[REASON_COUNT], undecoded[REASON_COUNT];
	uint64_t sources, attempts, flows;
	uint64_t tool_packets[TOOL_COUNT], tool_sources[TOOL_COUNT];
	struct digest flow_digest;
	uint64_t victim_seconds, evidence;
	struct digest victim_digest, evidence_digest;
	uint64_t flow_payloads;
	struct digest payload_digest;
	struct track_top payloads;
	uint64_t late_minutes;   /* minutes that had to be derived again */
	uint64_t spills;         /* hand-overs of full tables */
	uint16_t links[16];
	uint8_t n_links;
	uint8_t segment[16];     /* name of the file as a segment (DESIGN section 2); of a file, not of the total */
	struct capture_info capture;
	const char *stored;      /* of a file, with a store: "added", "known" or "refused"; else NULL */
};

struct analysis;

/* What `config` points to must outlive the analysis. */
int analysis_open(struct analysis **out, const struct env *env, const struct analysis_config *config,
                  struct error *e) MUST_USE;
void analysis_close(struct analysis *a); /* NULL is fine */

/* Reads one FILE ("-": standard input) and fills `out`, also when it fails: then with what came before the damage.
 * After an error the next file can be read, unless analysis_broken: memory or the temporary file gave out. */
int analysis_file(struct analysis *a, const char *path, struct summary *out, struct error *e) MUST_USE;
bool analysis_broken(const struct analysis *a);

/* The numbers of all files together. */
int analysis_total(struct analysis *a, struct summary *out, struct error *e) MUST_USE;

/* ---- With a store (ingest.h): `rows` is given ---- */
/* The windows of the file read last, ascending; borrowed until the next is read. */
void analysis_windows(const struct analysis *a, const struct window **windows, uint32_t *n);

/* The spool of the file read last: -1 when it can be read again by its path. */
int analysis_spool(const struct analysis *a);

struct analysis_segment { /* a file read before, perhaps by another run */
	const char *path;
	uint64_t packets;
	uint8_t digest[16];
};

/* Rows of `minutes` (ascending) from the packets of other segments and of the file read last, as if one file held all of
 * them; to the sinks. `windows` are theirs, ascending, until the next call. *absent: which of the others could not be read
 * or is another file now; n_others: the fault is not one of theirs. */
int analysis_derive(struct analysis *a, const int32_t *minutes, uint32_t n_minutes, const struct analysis_segment *others,
                    uint32_t n_others, const struct window **windows, uint32_t *n, uint32_t *absent,
                    struct error *e) MUST_USE;
