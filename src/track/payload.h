/* Payload samples: what a packet carried, without the address it was sent to.
 *
 * Scanners write the address they probe into what they send (SIP's Via, HTTP's Host, a token of their own). A sample
 * that held it would tell where a sensor is (DESIGN section 7, invariant 5); and the same probe at two sensors would
 * be two payloads. So every form of the destination is replaced before anything is hashed or kept:
 * its bytes in both orders, dotted, dashed (both orders), decimal and hex (both orders), and IPv6 text.
 */
#pragma once
#include "base/addr.h"
#include "model/packet.h"

#include <stddef.h>
#include <stdint.h>

#define PAYLOAD_SAMPLE 256               /* bytes of a payload that are looked at */
#define PAYLOAD_ROOM (PAYLOAD_SAMPLE + 64) /* of a buffer: searching reads past the end, in whole vectors */

/* The first bytes of a packet's payload with its destination replaced, and how many they are (not more than there
 * were: a text form becomes '*'). */
size_t payload_sample(const struct packet *p, uint8_t out[static PAYLOAD_ROOM]);

/* Replaces the forms of an address in n bytes, in place; returns how many bytes remain. */
size_t payload_mask4(uint8_t bytes[static PAYLOAD_ROOM], size_t n, struct monitored4 dst);
size_t payload_mask6(uint8_t bytes[static PAYLOAD_ROOM], size_t n, const uint8_t dst[static 16]);

/* The name of a sample: XXH3-128 (seed 0), big-endian. */
struct addr payload_content(const uint8_t *sample, size_t n);
