/* The SQL of this folder's files, built in by embed.cmake. Private to this folder. */
#pragma once
#include "store/client.h"

extern const struct store_named embedded_queries[]; /* queries/NAME.sql, by name */
extern const size_t embedded_n_queries;
extern const char embedded_views[];                 /* views.sql */
