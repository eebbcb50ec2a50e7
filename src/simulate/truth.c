/* What was meant, as JSON lines: a header, a line an incident or population, sensor events, totals (docs/simulate.md). */
#include "simulate/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TRUTH_SCHEMA 1

static const char *const class_names[CLASS_COUNT] = { "ignored", "undecoded", "backscatter", "p2p", "scan", "payload",
	                                              "misconfiguration", "other" };

static const char *text_of(uint32_t address, char out[static ADDR_TEXT])
{
	struct addr a = addr_from_v4(address);
	return addr_format(&a, out);
}

static void put_prefixes(struct sim *s)
{
	char text[ADDR_TEXT];
	text_put(&s->truth, "\"addresses\":[");
	for (size_t i = 0; i < s->config.n_addresses; i++)
		text_put(&s->truth, "%s\"%s/%u\"", i ? "," : "", addr_format(&s->config.addresses[i].net, text),
		         s->config.addresses[i].bits);
	text_put(&s->truth, "]");
}

int sim_truth_open(struct sim *s, struct error *e)
{
	if (!s->config.truth)
		return 0;
	int rc = text_open(&s->truth, s->env, s->config.truth, e);
	if (rc)
		return rc;
	text_put(&s->truth, "{\"kind\":\"header\",\"simulated\":true,\"schema\":%d,\"seed\":%" PRIu64 ",", TRUTH_SCHEMA,
	         s->config.seed);
	put_prefixes(s);
	text_put(&s->truth, ",\"n\":%" PRIu64 ",\"from\":%" PRId64 ",\"to\":%" PRId64 ",\"parameters\":\"", s->world.n4,
	         s->config.from, s->config.to);
	for (int i = 0; i < 16; i++)
		text_put(&s->truth, "%02x", s->digest[i]);
	text_put(&s->truth, "\"}\n");
	return 0;
}

static void put_classes(struct sim *s, const uint64_t *classes)
{
	const char *comma = "";
	text_put(&s->truth, "\"classes\":{");
	for (int c = 0; c < CLASS_COUNT; c++)
		if (classes[c]) {
			text_put(&s->truth, "%s\"%s\":%" PRIu64, comma, class_names[c], classes[c]);
			comma = ",";
		}
	text_put(&s->truth, "}");
}

static void put_who(struct sim *s, const struct actor *a)
{
	char text[ADDR_TEXT];
	if (a->who)
		text_put(&s->truth, ",\"who\":\"%s\"", text_of(a->who, text));
	if (a->n_who)
		text_put(&s->truth, ",\"sources\":%u", a->n_who);
	if (a->proto)
		text_put(&s->truth, ",\"protocol\":%u", a->proto);
	if (a->port)
		text_put(&s->truth, ",\"port\":%u", a->port);
	if (a->n_ports)
		text_put(&s->truth, ",\"ports\":%u", a->n_ports);
	if (a->how)
		text_put(&s->truth, ",\"how\":\"%s\"", a->how);
}

void sim_truth_actor(struct sim *s, const struct actor *a)
{
	if (!text_is_open(&s->truth) || !a->kind || a->packets + a->unseen == 0)
		return;
	text_put(&s->truth, "{\"kind\":\"%s\",\"population\":\"%s\",\"incident\":%" PRIu64 ",\"begun\":%" PRId64, a->kind,
	         a->of->name, a->incident, a->begun);
	if (a->ends)
		text_put(&s->truth, ",\"ends\":%" PRId64, a->ends);
	if (a->packets)
		text_put(&s->truth, ",\"first\":%" PRId64 ",\"last\":%" PRId64, a->first, a->last);
	put_who(s, a);
	text_put(&s->truth, ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"accesses\":%" PRIu64 ",\"unseen\":%" PRIu64 ",",
	         a->packets, a->bytes, a->accesses, a->unseen);
	put_classes(s, a->classes);
	text_put(&s->truth, "}\n");
}

void sim_truth_sensor(struct sim *s, const char *what, int64_t from, int64_t to, int64_t number)
{
	if (text_is_open(&s->truth))
		text_put(&s->truth, "{\"kind\":\"sensor\",\"what\":\"%s\",\"from\":%" PRId64 ",\"to\":%" PRId64
		         ",\"clock\":%" PRId64 ",\"number\":%" PRId64 "}\n", what, from, to, s->offset, number);
}

int sim_truth_end(struct sim *s, struct error *e)
{
	const struct simulate_result *r = &s->result;
	if (!text_is_open(&s->truth))
		return 0;
	text_put(&s->truth, "{\"kind\":\"total\",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"accesses\":%" PRIu64
	         ",\"unseen\":%" PRIu64 ",", r->packets, r->bytes, r->accesses, r->unseen);
	put_classes(s, s->classes);
	if (r->packets)
		text_put(&s->truth, ",\"first\":%" PRId64 ",\"last\":%" PRId64, s->first, s->last);
	if (s->rows)
		text_put(&s->truth, ",\"flows\":%" PRIu64 ",\"victim_seconds\":%" PRIu64 ",\"flow_payloads\":%" PRIu64
		         ",\"attempts\":%" PRIu64, rows_count(s->rows, 0), rows_count(s->rows, 1), rows_count(s->rows, 2),
		         rows_attempts(s->rows));
	text_put(&s->truth, ",\"most_actors\":%u,\"not_begun\":%" PRIu64 ",\"not_sent_again\":%" PRIu64 "}\n",
	         s->most_actors, s->not_begun, s->not_again);
	return text_close(&s->truth, false, e);
}
