/* A borrowed run of bytes. Whoever hands one out says how long it lives. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct span {
	const uint8_t *p;
	size_t n;
};
