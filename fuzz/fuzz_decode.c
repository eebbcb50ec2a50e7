/* Any bytes as a frame of any link type: nothing outside is read, both paths agree, what a packet says of itself holds.
 *
 * Input: link type (2 bytes, little endian), options (1), bytes on the wire beyond the captured (1), frame. */
#include "base/bytes.h"
#include "../tests/lib/packet_invariants.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4 || size > 1 << 20)
		return 0;
	uint32_t n = (uint32_t)(size - 4);
	struct frame frame = {
		.data = data + 4, .caplen = n, .wirelen = n + data[3], .link = load_le16(data),
		.fcs_len = data[2] & 8 ? 4 : 0, .marks = data[2] & 7,
	};
	const char *broken = invariant_broken(&frame, data[2] & 16);

	if (broken) {
		fprintf(stderr, "decode: %s\n", broken);
		abort();
	}
	return 0;
}
