#include "capture/format.h"
#include "capture/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#define PROGRAMS_MAX 64 /* link types in one file; a real one has two or three */

struct filter {
	const struct env *env;
	char *expression;
	size_t size; /* of expression */
	uint32_t n;
	struct {
		uint16_t link;
		struct bpf_program program;
	} programs[PROGRAMS_MAX];
};

int filter_open(struct filter **out, const struct env *env, const char *expression, struct error *e)
{
	struct filter *f = env_alloc(env, sizeof *f);
	if (!f)
		return error_no_memory(e, "preparing the filter");
	f->env = env;
	f->size = strlen(expression) + 1;
	f->expression = env_alloc(env, f->size);
	if (!f->expression) {
		env_free(env, f, sizeof *f);
		return error_no_memory(e, "preparing the filter");
	}
	memcpy(f->expression, expression, f->size);
	*out = f;
	return 0;
}

void filter_close(struct filter *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; i < f->n; i++)
		pcap_freecode(&f->programs[i].program);
	env_free(f->env, f->expression, f->size);
	env_free(f->env, f, sizeof *f);
}

static int filter_find(const struct filter *f, uint16_t link)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->programs[i].link == link)
			return (int)i;
	return -1;
}

int filter_compile(struct filter *f, uint16_t link, struct error *e)
{
	if (filter_find(f, link) >= 0)
		return 0;
	if (f->n == PROGRAMS_MAX)
		return error_set(e, -E2BIG, "MON-CAP-008", "a filtered file has more than %d link types", PROGRAMS_MAX);
	pcap_t *pcap = pcap_open_dead(link_dlt(link), 262144);
	if (!pcap)
		return error_no_memory(e, "compiling the filter");
	int rc = 0;
	if (pcap_compile(pcap, &f->programs[f->n].program, f->expression, 1, PCAP_NETMASK_UNKNOWN)) {
		char scratch[24];
		rc = error_set(e, -EINVAL, "MON-CAP-007", "the filter does not compile for link type %s: %s",
		               capture_link_name(link, scratch), pcap_geterr(pcap));
	} else {
		f->programs[f->n++].link = link;
	}
	pcap_close(pcap);
	return rc;
}

int filter_run(struct filter *f, struct frame *frames, uint32_t *n, struct error *e)
{
	uint32_t kept = 0;
	int at = -1;
	for (uint32_t i = 0; i < *n; i++) {
		const struct frame *frame = &frames[i];
		if (at < 0 || f->programs[at].link != frame->link) {
			int rc = filter_compile(f, frame->link, e);
			if (rc) {
				*n = kept;
				return rc;
			}
			at = filter_find(f, frame->link);
		}
		if (bpf_filter(f->programs[at].program.bf_insns, frame->data, frame->wirelen, frame->caplen))
			frames[kept++] = *frame;
	}
	*n = kept;
	return 0;
}

int capture_filter_check(const char *filter, struct error *e)
{
	static const int links[] = { DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL2, DLT_IEEE802_11_RADIO, DLT_PFLOG };
	char sentence[PCAP_ERRBUF_SIZE] = "";
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		struct bpf_program program;
		pcap_t *pcap = pcap_open_dead(links[i], 262144);
		if (!pcap)
			return error_no_memory(e, "compiling the filter");
		bool bad = pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0;
		if (bad && !*sentence)
			snprintf(sentence, sizeof sentence, "%s", pcap_geterr(pcap));
		if (!bad)
			pcap_freecode(&program);
		pcap_close(pcap);
		if (!bad)
			return 0;
	}
	return error_set(e, -EINVAL, "MON-CAP-007", "the filter does not compile: %s", sentence);
}
