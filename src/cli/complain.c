#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>

char *cli_sentence(const struct error *e, char out[static CLI_SENTENCE])
{
	if (e->has_offset)
		snprintf(out, CLI_SENTENCE, "%s: %s (offset %" PRIu64 ")", e->code, e->text, e->offset);
	else
		snprintf(out, CLI_SENTENCE, "%s: %s", e->code, e->text);
	return out;
}

void cli_complain(const struct error *e, const char *subject)
{
	char offset[40] = "";
	if (e->has_offset)
		snprintf(offset, sizeof offset, " (offset %" PRIu64 ")", e->offset);
	fprintf(stderr, "monomi: %s: %s%s%s%s\n", e->code, subject ? subject : "", subject ? ": " : "", e->text, offset);
}

void cli_say_simulated(void) { fputs("monomi: SIMULATED: this store holds packets that are made up\n", stderr); }
