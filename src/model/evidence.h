/* Evidence of a tool with its set, so that it can be merged with what other runs saw in the same hour. */
#pragma once
#include "model/records.h"

#define EVIDENCE_TUPLE_STEP (UINT64_C(1) << 24)

struct evidence_set {
	struct source_evidence_record row;
	const uint64_t *tuples;   /* hashes of the distinct tuples, n_tuples of them, in no order; fixed over runs; multiples
	                           * of EVIDENCE_TUPLE_STEP: 40 bits */
	uint32_t n_tuples;
	const uint8_t *registers; /* HLL_REGISTERS (base/hll.h) in place of tuples, past 64 of them; else NULL */
	uint32_t n_keys;          /* of a pair rule: the invariants seen; EVIDENCE_KEYS + 1: many */
	const uint32_t *key, *key_packets;
};
