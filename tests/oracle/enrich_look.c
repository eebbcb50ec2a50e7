/* usage: enrich-look COUNTRY AS: for each address on standard input a line "COUNTRY NUMBER NAME". For test_enrich.py. */
#include "enrich/enrich.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct enrich *x;
	struct error e = { .code = "" };
	char line[ADDR_TEXT + 2], name[ENRICH_NAME];
	if (argc != 3)
		return 2;
	struct enrich_options options = { .path = { argv[1], argv[2] } };
	if (enrich_open(env_system(), &options, &x, &e)) {
		fprintf(stderr, "%s: %s\n", e.code, e.text);
		return 1;
	}
	while (fgets(line, sizeof line, stdin)) {
		struct prefix p;
		struct enrich_answer a;
		line[strcspn(line, "\n")] = 0;
		if (prefix_parse(line, &p, &e))
			return 2;
		enrich_lookup(x, &p.net, 1, &a);
		printf("%.2s %u %s\n", *a.country ? a.country : "--", a.as_number, enrich_as_name(x, &a, name));
	}
	enrich_close(x);
	return 0;
}
