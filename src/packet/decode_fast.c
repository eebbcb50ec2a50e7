#include "packet/walk.h"

void decode_frames(const struct decode_config *config, const struct frame *frames, struct packet *packets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		decode_frame(config, frames + i, packets + i);
}
