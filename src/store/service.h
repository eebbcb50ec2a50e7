/* What a service is made of. Private to this folder. */
#pragma once
#include "store/reader.h"

/* The rows of a named query as a JSON Schema, into a descriptor. */
int service_describe(struct store_reader *r, const char *query, int out, struct error *e) MUST_USE;
