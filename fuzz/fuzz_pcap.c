/* Links: capture */
#include "fuzz_capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) { return fuzz_capture(p, n, "pcap"); }
