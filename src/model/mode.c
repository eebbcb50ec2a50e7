#include "model/mode.h"

#include <stddef.h>
#include <string.h>

static const char *const names[MODES] = { NULL, "silent", "host-answers", "syn-ack" };

const char *mode_name(enum answer_mode m) { return names[m]; }

enum answer_mode mode_parse(const char *text)
{
	for (enum answer_mode m = MODE_SILENT; m < MODES; m++)
		if (!strcmp(text, names[m]))
			return m;
	return MODE_UNTOLD;
}
