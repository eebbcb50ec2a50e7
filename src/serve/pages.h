/* The pages: files that the build embeds (pages.cmake). Private to this folder. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct page {
	const char *path; /* "/assets/index-1a2b3c.js" */
	const char *type, *etag;
	bool forever;     /* its name has a hash: what it holds never changes */
	const unsigned char *p, *end, *gzip, *gzip_end;
};
extern const struct page pages[]; /* the first is index.html */
extern const size_t n_pages;
