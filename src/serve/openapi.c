/* /openapi.json (OpenAPI 3.1): the table of resources, and the rows as the reader describes them. */
#include "serve/answers.h"
#include "serve/server.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

int answer_openapi(struct request *r)
{
	return answer_error(r, 503, "MON-SRV-109", "not yet");
}
