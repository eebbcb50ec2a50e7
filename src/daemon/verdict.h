/* The tool of a source by what a store keeps of it: the same verdict as an analysis gives. */
#pragma once
#include "store/client.h"

/* A store_tool_fn. */
const char *verdict_tool(const struct store_mark *marks, size_t n, const uint64_t probes[static 4]);
