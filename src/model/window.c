#include "model/window.h"

#include <inttypes.h>
#include <stdio.h>

char *digest_format(const struct digest *d, char out[static DIGEST_TEXT])
{
	snprintf(out, DIGEST_TEXT, "%016" PRIx64 "%016" PRIx64, d->hi, d->lo);
	return out;
}
