/* usage: onset-run SEED PREFIX FROM TO PARAMS TRUTH [keep]
 *
 * A simulated telescope through the whole path, packets to rows to onsets: decoded, classified and tracked by one shard,
 * its rows of victims in the order of time given to the early mode. For test_onsets.py.
 *
 * Beside it, from the packets themselves and by other code, when each victim's first and third distinct packet came. A
 * line a victim of which three came or an onset was raised (0: never; first and third in ns, the others in s):
 *   victim first third packets onset evidence confirmed contradicted silent raised:onset raised:onset …
 * the last ones how often and when first, by each threshold of `bits`; and a last line: total packets rows. Without
 * `keep` who was silent for hours is forgotten, which only a run of months needs. */
#include "classify/classify.h"
#include "detect/onset.h"
#include "model/reply.h"
#include "packet/decode.h"
#include "simulate/simulate.h"
#include "track/track.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES 6
#define SHIPPED 2 /* which of them is the early mode's own */
static const int16_t bits[RULES] = { 5, 11, 17, 23, 29, 35 };

struct host {
	uint32_t address; /* 0: none here */
	uint32_t n;       /* distinct packets, up to three */
	uint64_t pair[2], packets;
	int64_t first, third;
	struct onset onset[RULES];
	uint32_t raised[RULES], at[RULES];
	uint32_t evidence, confirmed, contradicted, silent;
};

struct run {
	const struct env *env;
	struct classify *classify;
	struct track *track;
	struct onset_rule rule[RULES];
	struct host *host;
	size_t n_hosts, room; /* room: a power of two */
	struct victim_second_record *row;
	size_t n_rows, rows_room;
	int32_t newest; /* minute that was sealed */
	uint32_t swept;
	uint64_t packets, rows;
	bool keep;
};

static void fail(const char *what)
{
	fprintf(stderr, "onset-run: %s\n", what);
	exit(1);
}

/* ---- Hosts ---- */
static size_t place(uint32_t address, size_t room) { return (size_t)(address * 0x9e3779b97f4a7c15u >> 20) & (room - 1); }

static struct host *find(struct host *table, size_t room, uint32_t address)
{
	size_t i = place(address, room);
	while (table[i].address && table[i].address != address)
		i = (i + 1) & (room - 1);
	return &table[i];
}

static bool is_wanted(const struct run *r, const struct host *h, uint32_t second)
{
	bool ever = false;
	for (int i = 0; i < RULES; i++)
		ever |= h->raised[i] || h->onset[i].packets;
	return r->keep || ever || h->first / 1000000000 + ONSET_IDLE > second;
}

/* A table of its own with those that are wanted still. */
static void rebuild(struct run *r, uint32_t second)
{
	size_t room = r->room ? r->room : 1024, wanted = 0;
	for (size_t i = 0; i < r->room; i++)
		wanted += r->host[i].address && is_wanted(r, &r->host[i], second);
	while (room < wanted * 4)
		room *= 2;
	struct host *to = calloc(room, sizeof *to);
	if (!to)
		fail("no memory");
	for (size_t i = 0; i < r->room; i++)
		if (r->host[i].address && is_wanted(r, &r->host[i], second))
			*find(to, room, r->host[i].address) = r->host[i];
	free(r->host);
	r->host = to;
	r->room = room;
	r->n_hosts = wanted;
}

static struct host *host_of(struct run *r, uint32_t address, uint32_t second)
{
	if (r->n_hosts * 2 >= r->room)
		rebuild(r, second);
	struct host *h = find(r->host, r->room, address);
	r->n_hosts += h->address == 0;
	h->address = address;
	return h;
}

/* ---- What the packets say ---- */
static void note_packet(struct run *r, const struct packet *p)
{
	struct victim v;
	if (p->version != 4 || !classify_victim(p, &v) || !addr_is_v4(&v.addr))
		return;
	struct host *h = host_of(r, addr_v4(&v.addr), (uint32_t)(p->ts / 1000000000));
	uint64_t pair = (uint64_t)p->dst.v4 << 16 | v.forged_port;
	h->packets++;
	if (h->n == 3 || (h->n > 0 && h->pair[0] == pair) || (h->n > 1 && h->pair[1] == pair))
		return;
	if (h->n < 2)
		h->pair[h->n] = pair;
	if (!h->n)
		h->first = p->ts;
	if (++h->n == 3)
		h->third = p->ts;
}

static int take_frame(void *ctx, const struct frame *f, struct error *e)
{
	static const struct decode_config config = { 0 };
	struct run *r = ctx;
	struct frame frame = *f;
	struct packet p;
	struct verdict v;
	frame.link = 1;
	decode_frames(&config, &frame, &p, 1);
	classify_packets(r->classify, &p, &v, 1, NULL);
	r->packets++;
	if (v.class == CLASS_BACKSCATTER)
		note_packet(r, &p);
	return track_packets(r->track, &p, &v, NULL, 1, e);
}

static int take_second(void *ctx, int64_t second, struct error *e)
{
	(void)ctx, (void)second, (void)e;
	return 0;
}

/* ---- What the rows say ---- */
static int compare(const void *a, const void *b)
{
	const struct victim_second_record *x = a, *y = b;
	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	int who = memcmp(&x->victim, &y->victim, sizeof x->victim);
	if (who)
		return who;
	uint32_t kx = (uint32_t)x->protocol << 24 | (uint32_t)x->kind << 16 | x->port;
	uint32_t ky = (uint32_t)y->protocol << 24 | (uint32_t)y->kind << 16 | y->port;
	return kx < ky ? -1 : kx > ky;
}

static void note_outcome(struct host *h, int rule, enum onset_outcome out, uint32_t second, uint16_t evidence)
{
	if (out == ONSET_RAISED && !h->raised[rule]++) {
		h->at[rule] = second;
		h->evidence = rule == SHIPPED ? evidence : h->evidence;
	}
	if (rule != SHIPPED)
		return;
	if (out == ONSET_CONFIRMED && !h->confirmed)
		h->confirmed = second;
	if (out == ONSET_CONTRADICTED)
		h->contradicted = second;
	if (out == ONSET_SILENT)
		h->silent = second;
}

static void take_row(struct run *r, const struct victim_second_record *v)
{
	struct onset_row row = { v->second, v->kind, v->protocol, v->port, (uint8_t)v->sample.n, { 0 } };
	r->rows++;
	if (!addr_is_v4(&v->victim))
		return;
	struct host *h = host_of(r, addr_v4(&v->victim), v->second);
	for (uint32_t i = 0; i < v->sample.n; i++)
		row.sample[i] = reply_pair(v->sample.element[i]);
	for (int i = 0; i < RULES; i++) {
		uint16_t evidence = 0;
		note_outcome(h, i, onset_silence(&h->onset[i], v->second), v->second, 0);
		enum onset_outcome out = onset_add(&h->onset[i], &r->rule[i], &row, &evidence);
		note_outcome(h, i, out, v->second, evidence);
	}
}

/* Once an hour: who has fallen silent. */
static void sweep(struct run *r, uint32_t second)
{
	for (size_t i = 0; i < r->room; i++)
		for (int k = 0; k < RULES && r->host[i].address; k++)
			note_outcome(&r->host[i], k, onset_silence(&r->host[i].onset[k], second), second, 0);
	rebuild(r, second);
	r->swept = second;
}

/* Rows of minutes before `minute`, in order. */
static void flush(struct run *r, int64_t minute)
{
	size_t n = 0;
	qsort(r->row, r->n_rows, sizeof *r->row, compare);
	while (n < r->n_rows && r->row[n].second / 60 < minute) {
		if (r->row[n].second > r->swept + 3600)
			sweep(r, r->row[n].second);
		take_row(r, &r->row[n++]);
	}
	memmove(r->row, r->row + n, (r->n_rows - n) * sizeof *r->row);
	r->n_rows -= n;
}

static int take_victims(void *ctx, const int32_t *minute, const struct victim_second_record *v, size_t n, struct error *e)
{
	struct run *r = ctx;
	(void)e;
	for (size_t i = 0; i < n; i++) {
		if (minute[i] > r->newest) {
			flush(r, minute[i] - 3); /* what is sealed later than this minute is not older than that */
			r->newest = minute[i];
		}
		if (r->n_rows == r->rows_room) {
			r->rows_room = r->rows_room ? r->rows_room * 2 : 4096;
			r->row = realloc(r->row, r->rows_room * sizeof *r->row);
			if (!r->row)
				fail("no memory");
		}
		r->row[r->n_rows++] = v[i];
	}
	return 0;
}

/* ---- All of it ---- */
static void report(const struct run *r)
{
	char text[ADDR_TEXT];
	for (size_t i = 0; i < r->room; i++) {
		const struct host *h = &r->host[i];
		struct addr a = addr_from_v4(h->address);
		bool ever = h->n == 3;
		for (int k = 0; k < RULES; k++)
			ever |= h->raised[k] > 0;
		if (!h->address || !ever)
			continue;
		printf("%s %" PRId64 " %" PRId64 " %" PRIu64 " %u %u %u %u %u", addr_format(&a, text), h->first, h->third,
		       h->packets, h->at[SHIPPED], h->evidence, h->confirmed, h->contradicted, h->silent);
		for (int k = 0; k < RULES; k++)
			printf(" %u:%u", h->raised[k], h->at[k]);
		printf("\n");
	}
}

static void open_all(struct run *r, const struct scope *scope, const struct track_sink *sink)
{
	struct error e;
	struct track_config track = { .sensor = "sim", .memory = 256u << 20, .sink = sink };
	if (classify_open(&r->classify, r->env, scope, &e) || track_open(&r->track, r->env, &track, &e))
		fail(e.text);
	for (int i = 0; i < RULES; i++) {
		onset_rule_make(&r->rule[i], scope_addresses(scope), false);
		if (i != SHIPPED)
			r->rule[i].raise = (int16_t)(bits[i] * 256);
		else if (r->rule[i].raise != bits[i] * 256)
			fail("the early mode has another threshold than this says");
	}
	rebuild(r, 0);
}

int main(int argc, char **argv)
{
	struct run r = { .env = env_system(), .newest = INT32_MIN };
	struct prefix prefix;
	struct error e;
	if (argc < 7 || prefix_parse(argv[2], &prefix, &e))
		return 2;
	r.keep = argc > 7 && !strcmp(argv[7], "keep");
	struct scope scope = { .monitored = &prefix, .n_monitored = 1 };
	struct track_sink rows = { .victims = take_victims, .ctx = &r };
	struct simulate_sink packets = { take_frame, take_second, &r };
	struct simulate_config config = { .seed = strtoull(argv[1], NULL, 10), .addresses = &prefix, .n_addresses = 1,
		                          .from = strtoll(argv[3], NULL, 10), .to = strtoll(argv[4], NULL, 10),
		                          .params = argv[5], .truth = argv[6], .sink = &packets };
	struct simulate_result made;
	struct track_result result;
	open_all(&r, &scope, &rows);
	if (simulate_run(r.env, &config, &made, &e) || track_finish(r.track, NULL, &e))
		fail(e.text);
	flush(&r, INT64_MAX);
	track_result(r.track, &result);
	if (result.spilled || result.n_late)
		fail("rows came out of order");
	r.keep = true;
	sweep(&r, (uint32_t)config.to + ONSET_IDLE + 60);
	report(&r);
	printf("total %" PRIu64 " %" PRIu64 "\n", r.packets, r.rows);
	track_close(r.track);
	classify_close(r.classify);
	free(r.host);
	free(r.row);
	return 0;
}
