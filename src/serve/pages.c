#include "serve/pages.h"
#include "serve/answers.h"
#include "serve/server.h"

#include <errno.h>
#include <string.h>

/* A path that is no file is one of the pages' own: index.html, whose script reads it. */
static const struct page *find(const char *path)
{
	for (size_t i = 0; i < n_pages; i++)
		if (!strcmp(pages[i].path, path))
			return &pages[i];
	return strncmp(path, "/assets/", 8) ? &pages[0] : NULL;
}

/* "gzip, br;q=0.5": whether gzip is a word of it that is not refused. */
static bool takes_gzip(const char *accepted)
{
	const char *at = accepted ? strstr(accepted, "gzip") : NULL;
	return at && strncmp(at + 4, ";q=0", 4) != 0;
}

static bool add_headers(struct MHD_Response *r, const struct page *p, bool gzip)
{
	return MHD_add_response_header(r, "Content-Type", p->type) == MHD_YES &&
	       MHD_add_response_header(r, "ETag", p->etag) == MHD_YES &&
	       MHD_add_response_header(r, "Vary", "Accept-Encoding") == MHD_YES &&
	       (!gzip || MHD_add_response_header(r, "Content-Encoding", "gzip") == MHD_YES);
}

int answer_page(struct request *r, const char *path)
{
	const struct page *p = find(path);
	if (!p)
		return answer_error(r, 404, "MON-SRV-104", "there is no such file");
	const char *etag = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "If-None-Match");
	bool same = etag && strstr(etag, p->etag) != NULL;
	const char *accepted = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Accept-Encoding");
	bool gzip = p->gzip != p->gzip_end && takes_gzip(accepted);
	const unsigned char *from = gzip ? p->gzip : p->p, *end = gzip ? p->gzip_end : p->end;
	struct MHD_Response *response = MHD_create_response_from_buffer(same ? 0 : (size_t)(end - from), (void *)from,
	                                                                MHD_RESPMEM_PERSISTENT);
	if (response && !add_headers(response, p, gzip)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	return http_send(r, same ? 304 : 200, response, p->forever ? "public, max-age=31536000, immutable" : "no-cache");
}
