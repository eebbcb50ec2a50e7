/* What SQL lacks: addresses and SYN profiles as text. Private to this folder. */
#pragma once
#include "store/reader.h"

/* ip_of4(UINTEGER), ip_of6(UUID): an address as text. ip4(text), ip6(text): back, NULL when it is no such address.
 * ja4t(BLOB): a SYN profile in JA4T's form, 65535_2-1-3_1460_8. as_name(UINTEGER): the organisation of an AS, NULL when
 * the reader has no names or not this one. */
int functions_register(struct store_reader *r, struct error *e) MUST_USE;
