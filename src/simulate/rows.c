/* The rows that packets must become, from what their populations meant by them: nothing of classify/ or track/ is used, and
 * the way is another one. Packets are kept as records until their minute is past; then they are sorted by key, and each
 * run of one key is a row. */
#include "base/bytes.h"
#include "model/reply.h"
#include "simulate/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define RECORDS_LEAST 4096u
enum { FLOW, VICTIM, PAYLOAD, TABLES };

/* One packet's part in one row: what is compared first comes first. All of it is bytes in network order, so that memcmp
 * sorts by minute, source, port, protocol, class. Of a victim, class is the kind of reply, sport the port that was forged,
 * and each packet counts as an access, so that attempts are distinct pairs. */
struct record {
	uint8_t table;
	uint8_t time[4];  /* minute; victims: second */
	uint8_t who[16];
	uint8_t port[2], proto, class;
	uint8_t content[8];
	/* up to here the key, from here what a row sums up */
	uint8_t dst[16];
	uint8_t sport[2];
	uint8_t access;
	uint8_t second, ttl, flags;
	uint32_t len;
};
#define KEY_BYTES offsetof(struct record, dst)
#define PAIR_BYTES (offsetof(struct record, access) + 1)

struct rows {
	const struct env *env;
	struct text text;
	struct record *record;
	size_t n, room;
	uint64_t count[TABLES], attempts;
};

int rows_open(struct rows **out, struct sim *s, const char *path, struct error *e)
{
	*out = NULL;
	struct rows *r = env_alloc(s->env, sizeof *r);
	if (!r)
		return error_no_memory(e, "the rows of a simulation");
	r->env = s->env;
	r->room = RECORDS_LEAST;
	r->record = env_alloc(s->env, r->room * sizeof *r->record);
	int rc = r->record ? text_open(&r->text, s->env, path, e) : error_no_memory(e, "the rows of a simulation");
	if (rc) {
		(void)!rows_close(r, true, NULL);
		return rc;
	}
	text_put(&r->text,
	         "#flow\tminute\tsource\tport\tprotocol\tclass\tpackets\taccesses\tdestinations\tattempts\tbytes\tlength_min\t"
	         "length_max\tttl_min\tttl_max\tfirst\tlast\ttcp_flags\n"
	         "#victim_second\tsecond\tvictim\tprotocol\tport\tkind\tpackets\tbytes\tattackers\tforged\t"
	         "length_min\tlength_max\tttl_min\tttl_max\n"
	         "#flow_payload\tminute\tsource\tport\tprotocol\tpackets\tbytes\tdestinations\tfirst\tlast\n");
	*out = r;
	return 0;
}

/* ---- Packets ---- */

static void put_address(uint8_t out[static 16], uint32_t v4, const uint8_t *v6)
{
	struct addr a = addr_from_v4(v4);
	memcpy(out, v6 ? v6 : a.bytes, 16);
}

static struct record *add(struct rows *r, struct sim *s)
{
	if (r->n == r->room) {
		size_t from = r->room * sizeof *r->record;
		if (!sim_grow(s, (void **)&r->record, from, from * 2))
			return NULL;
		r->room *= 2;
	}
	struct record *out = &r->record[r->n++];
	memset(out, 0, sizeof *out);
	return out;
}

static struct record *add_packet(struct rows *r, struct sim *s, const struct sim_packet *p, uint8_t table,
                                 uint32_t ip_len)
{
	struct record *k = add(r, s);
	if (!k)
		return NULL;
	int64_t second = p->ts / SECOND + s->offset;
	k->table = table;
	store_be32(k->time, (uint32_t)(table == VICTIM ? second : second / 60));
	put_address(k->who, p->src, p->src6);
	store_be16(k->port, p->raw == RAW_LATER_FRAGMENT ? 0 : p->dport);
	k->proto = p->proto;
	put_address(k->dst, p->dst, p->dst6);
	store_be16(k->sport, p->sport);
	k->access = p->access;
	k->second = (uint8_t)(second % 60);
	k->ttl = p->ttl;
	k->flags = p->tcp_flags;
	k->len = ip_len;
	return k;
}

static void note_victim(struct rows *r, struct sim *s, const struct sim_packet *p, uint32_t ip_len)
{
	struct record *k = add_packet(r, s, p, VICTIM, ip_len);
	if (!k)
		return;
	bool ports = p->proto == PROTO_TCP || p->proto == PROTO_UDP;
	store_be16(k->port, ports ? p->sport : 0);
	store_be16(k->sport, ports ? p->dport : 0);
	k->class = p->proto != PROTO_TCP ? REPLY_ANSWER : p->tcp_flags & TCP_RST ? REPLY_RST : REPLY_SYN_ACK;
	k->access = 1;
	if (p->victim == VICTIM_QUOTED) {
		k->class = REPLY_ERROR;
		store_be16(k->sport, p->forged_port);
		put_address(k->who, p->victim4, p->victim6);
		store_be16(k->port, p->victim_port);
		k->proto = p->victim_proto;
	}
}

void rows_note(struct rows *r, struct sim *s, const struct sim_packet *p, uint32_t ip_len)
{
	if (p->class == CLASS_IGNORED || p->class == CLASS_UNDECODED)
		return;
	struct record *k = add_packet(r, s, p, FLOW, ip_len);
	if (k)
		k->class = p->class;
	if (p->victim != VICTIM_NONE)
		note_victim(r, s, p, ip_len);
	bool data = p->payload_len && (p->class == CLASS_PAYLOAD || (p->class == CLASS_SCAN && p->proto == PROTO_TCP));
	if (!data || !(k = add_packet(r, s, p, PAYLOAD, ip_len)))
		return;
	store_be64(k->content, p->content ? p->content : XXH3_64bits(p->payload, p->payload_len));
	memset(k->sport, 0, sizeof k->sport);
	k->access = 0;
}

/* ---- Rows ---- */

static int compare(const void *a, const void *b) { return memcmp(a, b, PAIR_BYTES); }

struct row {
	uint64_t packets, accesses, destinations, attempts, bytes;
	uint32_t length_min, length_max;
	uint8_t ttl_min, ttl_max, first, last, flags;
};

static void row_add(struct row *w, const struct record *k, const struct record *before)
{
	bool new_dst = !before || memcmp(before->dst, k->dst, sizeof k->dst) != 0;
	/* Sorted by (dst, sport, access): an access comes after what is none with the same pair. */
	bool new_pair = new_dst || memcmp(before->sport, k->sport, sizeof k->sport) != 0 || !before->access;
	w->packets++;
	w->accesses += k->access;
	w->destinations += new_dst;
	w->attempts += k->access && new_pair;
	w->bytes += k->len;
	if (!before)
		*w = (struct row){ 1, k->access, 1, k->access, k->len, k->len, k->len, k->ttl, k->ttl, k->second, k->second,
			           k->flags };
	w->length_min = k->len < w->length_min ? k->len : w->length_min;
	w->length_max = k->len > w->length_max ? k->len : w->length_max;
	w->ttl_min = k->ttl < w->ttl_min ? k->ttl : w->ttl_min;
	w->ttl_max = k->ttl > w->ttl_max ? k->ttl : w->ttl_max;
	w->first = k->second < w->first ? k->second : w->first;
	w->last = k->second > w->last ? k->second : w->last;
	w->flags |= k->flags;
}

static void row_put(struct rows *r, const struct record *k, const struct row *w)
{
	static const char *const names[TABLES] = { "flow", "victim_second", "flow_payload" };
	char who[ADDR_TEXT];
	struct addr a;
	memcpy(a.bytes, k->who, 16);
	addr_format(&a, who);
	r->count[k->table]++;
	text_put(&r->text, "%s\t%u\t%s\t", names[k->table], load_be32(k->time), who);
	if (k->table == FLOW)
		text_put(&r->text, "%u\t%u\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
		         "\t%u\t%u\t%u\t%u\t%u\t%u\t%u\n", load_be16(k->port), k->proto, k->class, w->packets, w->accesses,
		         w->destinations, w->attempts, w->bytes, w->length_min, w->length_max, w->ttl_min, w->ttl_max,
		         w->first, w->last, w->flags);
	else if (k->table == VICTIM)
		text_put(&r->text, "%u\t%u\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%u\t%u\t%u\t%u\n",
		         k->proto, load_be16(k->port), k->class, w->packets, w->bytes, w->destinations, w->attempts,
		         w->length_min, w->length_max, w->ttl_min, w->ttl_max);
	else
		text_put(&r->text, "%u\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%u\t%u\n", load_be16(k->port), k->proto,
		         w->packets, w->bytes, w->destinations, w->first, w->last);
	r->attempts += k->table == FLOW ? w->attempts : 0;
}

static int64_t minute_of(const struct record *k)
{
	return load_be32(k->time) / (k->table == VICTIM ? 60 : 1);
}

/* Records of minutes before `minute` to the front; returns how many. */
static size_t part(struct rows *r, int64_t minute)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (minute_of(&r->record[i]) >= minute)
			continue;
		struct record t = r->record[n];
		r->record[n++] = r->record[i];
		r->record[i] = t;
	}
	return n;
}

int rows_flush(struct rows *r, int64_t minute, struct error *e)
{
	size_t n = part(r, minute);
	struct row w;
	if (n)
		qsort(r->record, n, sizeof *r->record, compare);
	for (size_t i = 0; i < n; i++) {
		const struct record *k = &r->record[i];
		bool same = i && memcmp(k, k - 1, KEY_BYTES) == 0;
		if (i && !same)
			row_put(r, k - 1, &w);
		row_add(&w, k, same ? k - 1 : NULL);
	}
	if (n)
		row_put(r, &r->record[n - 1], &w);
	memmove(r->record, r->record + n, (r->n - n) * sizeof *r->record);
	r->n -= n;
	return r->text.failed ? error_set(e, r->text.failed, "MON-SIM-011", "the truth cannot be written: %s",
	                                  strerror(-r->text.failed)) : 0;
}

int rows_close(struct rows *r, bool discard, struct error *e)
{
	if (!r)
		return 0;
	int rc = text_close(&r->text, discard, e);
	env_free(r->env, r->record, r->room * sizeof *r->record);
	env_free(r->env, r, sizeof *r);
	return rc;
}

uint64_t rows_count(const struct rows *r, unsigned table) { return r->count[table]; }
uint64_t rows_attempts(const struct rows *r) { return r->attempts; }
