#include "daemon/extract.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BATCH 64

struct reading {
	struct extract *x;
	const struct analysis_config *config;
	struct classify *classify;
	struct capture *capture;
	struct frame_block block;
};

int extract_protocol(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} names[] = { { "icmp", PROTO_ICMP }, { "tcp", PROTO_TCP }, { "udp", PROTO_UDP }, { "icmpv6", PROTO_ICMPV6 },
		      { "sctp", PROTO_SCTP }, { "gre", PROTO_GRE }, { "ipv6", PROTO_IPV6 }, { "ipip", PROTO_IPIP },
		      { "esp", PROTO_ESP } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcasecmp(name, names[i].name))
			return names[i].number;
	char *end;
	long n = strtol(name, &end, 10);
	return *name && !*end && n >= 0 && n <= 255 ? (int)n : -1;
}

int extract_class(const char *name)
{
	for (int c = CLASS_BACKSCATTER; c < CLASS_COUNT; c++)
		if (!strcmp(name, class_name((enum packet_class)c)))
			return c;
	return -1;
}

static struct addr source_of(const struct packet *p)
{
	struct addr a;
	if (p->version == 4)
		return addr_from_v4(p->src);
	memcpy(a.bytes, p->addrs6, sizeof a.bytes);
	return a;
}

static bool has_port(uint8_t proto) { return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP; }
static bool has_type(uint8_t proto) { return proto == PROTO_ICMP || proto == PROTO_ICMPV6; }

/* What a flow row is keyed by (tables.def); ignored and undecoded packets make none. */
static bool is_wanted(const struct extract_filter *f, const struct packet *p, const struct verdict *v)
{
	if (!p->ip || v->class == CLASS_IGNORED || v->class == CLASS_UNDECODED || p->ts < f->from || p->ts >= f->to)
		return false;
	if ((f->protocol >= 0 && p->proto != f->protocol) || (f->class >= 0 && v->class != f->class))
		return false;
	if (f->port >= 0 && (!has_port(p->proto) || p->dport != f->port))
		return false;
	if (f->type >= 0 && (!has_type(p->proto) || p->dport >> 8 != f->type))
		return false;
	if (f->code >= 0 && (!has_type(p->proto) || (p->dport & 255) != f->code))
		return false;
	struct addr source = source_of(p);
	return !f->has_source || !memcmp(&source, &f->source, sizeof source);
}

/* The interface of a frame, described when its kind first comes. */
static int interface_of(struct extract *x, const struct frame *frame, uint32_t *id, struct error *e)
{
	for (unsigned i = 0; i < x->n_interfaces; i++) {
		if (x->interface[i].link == frame->link && x->interface[i].fcs_len == frame->fcs_len) {
			*id = x->interface[i].id;
			return 0;
		}
	}
	if (x->n_interfaces == EXTRACT_INTERFACES)
		return error_set(e, -E2BIG, "MON-DMN-011", "the packets have more than %d link types", EXTRACT_INTERFACES);
	const struct capture_interface interface = { .link = frame->link, .fcs_len = frame->fcs_len };
	int rc = capture_writer_interface(x->writer, &interface, id, e);
	if (rc)
		return rc;
	x->interface[x->n_interfaces].link = frame->link;
	x->interface[x->n_interfaces].fcs_len = frame->fcs_len;
	x->interface[x->n_interfaces++].id = *id;
	return 0;
}

static int write_frame(struct extract *x, const struct frame *frame, struct error *e)
{
	uint32_t id;
	int rc = interface_of(x, frame, &id, e);
	if (!rc)
		rc = capture_writer_frame(x->writer, id, frame, e);
	x->packets += !rc;
	return rc;
}

static bool is_full(struct extract *x)
{
	const struct extract_filter *f = &x->filter;
	x->more |= x->packets >= f->limit || (f->bytes && capture_writer_bytes(x->writer) >= f->bytes);
	return x->more;
}

static int take_batch(struct reading *r, const struct frame *frames, size_t n, struct error *e)
{
	struct packet packets[BATCH];
	struct verdict verdicts[BATCH];
	uint8_t mapped[BATCH][32];
	int rc = 0;
	decode_frames(&r->config->decode, frames, packets, n);
	classify_packets(r->classify, packets, verdicts, n, mapped);
	for (size_t i = 0; i < n && !rc; i++) {
		if (!is_wanted(&r->x->filter, &packets[i], &verdicts[i]))
			continue;
		if (is_full(r->x))
			break;
		rc = write_frame(r->x, &frames[i], e);
	}
	return rc;
}

static int take_block(struct reading *r, struct error *e)
{
	int rc = 0;
	for (uint32_t i = 0; i < r->block.n && !rc && !r->x->more; i += BATCH)
		rc = take_batch(r, r->block.frames + i, r->block.n - i < BATCH ? r->block.n - i : BATCH, e);
	return rc;
}

/* Damage at the end of a file was there when it was added: only its name tells whether it is the same. */
static int check_name(const struct reading *r, const struct extract_segment *s, struct error *e)
{
	uint8_t digest[16];
	char name[33];
	capture_digest(r->capture, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(name + 2 * i, 3, "%02x", digest[i]);
	if (!strcmp(name, s->name))
		return 0;
	return error_set(e, -ESTALE, "MON-DMN-010", "'%s' is not the capture that was added: it has other bytes now", s->path);
}

static int read_all(struct reading *r, const struct extract_segment *s, struct error *e)
{
	struct error damage;
	int rc = 0, more = CAPTURE_FRAMES;
	while (!rc && !r->x->more) {
		more = capture_read(r->capture, &r->block, &damage);
		if (more == CAPTURE_END || more < 0)
			break;
		rc = take_block(r, e);
		if (r->x->filter.until && r->x->env->monotonic(r->x->env) >= r->x->filter.until)
			r->x->more = true;
	}
	return !rc && more != CAPTURE_FRAMES ? check_name(r, s, e) : rc;
}

int extract_from(struct extract *x, const struct extract_segment *segment, const struct analysis_config *config,
                 struct error *e)
{
	struct reading r = { .x = x, .config = config };
	struct error why;
	int rc = classify_open(&r.classify, x->env, &config->scope, e);
	if (rc)
		return rc;
	rc = frame_block_init(&r.block, x->env, e);
	if (!rc && capture_open(&r.capture, x->env, segment->path, &config->capture, &why))
		rc = error_set(e, -ESTALE, "MON-DMN-010", "'%.160s' cannot be read any more: %.100s", segment->path, why.text);
	if (!rc)
		rc = read_all(&r, segment, e);
	if (r.capture)
		capture_close(r.capture);
	frame_block_fini(&r.block, x->env);
	classify_close(r.classify);
	return rc;
}
