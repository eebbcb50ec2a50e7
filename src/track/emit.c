/* Sealed rows as records, to whoever wants them (struct track_sink). */
#include "track/open_window.h"
#include "track/track.h"

#define EMIT_BATCH 128 /* records built at a time: what the first-level cache holds */

static int emit_flows(const struct open_window *w, int family, uint64_t sensor, const struct track_sink *sink,
                      struct error *e)
{
	struct flow_record batch[EMIT_BATCH];
	const struct rows *t = &w->flow[family];
	int rc = 0;
	for (uint32_t i = 0, n; !rc && i < t->n; i += n) {
		for (n = 0; n < EMIT_BATCH && i + n < t->n; n++)
			batch[n] = open_window_flow(w, family, &t->row[i + n], sensor);
		rc = sink->flows(sink->ctx, batch, n, e);
	}
	return rc;
}

static int emit_payloads(const struct open_window *w, int family, uint64_t sensor, const struct track_sink *sink,
                         struct error *e)
{
	struct flow_payload_record batch[EMIT_BATCH];
	const struct rows *t = &w->payload[family];
	int rc = 0;
	for (uint32_t i = 0, n; !rc && i < t->n; i += n) {
		for (n = 0; n < EMIT_BATCH && i + n < t->n; n++)
			batch[n] = open_window_payload(w, family, &t->row[i + n], sensor);
		rc = sink->payloads(sink->ctx, batch, n, e);
	}
	return rc;
}

static int emit_victims(const struct open_window *w, int family, uint64_t sensor, const struct track_sink *sink,
                        struct error *e)
{
	struct victim_second_record batch[EMIT_BATCH];
	int32_t minute[EMIT_BATCH];
	const struct rows *t = &w->victim[family];
	int rc = 0;
	for (uint32_t i = 0, n; !rc && i < t->n; i += n) {
		for (n = 0; n < EMIT_BATCH && i + n < t->n; n++) {
			batch[n] = open_window_victim(w, family, &t->row[i + n], sensor);
			minute[n] = open_window_minute(w, &t->row[i + n]);
		}
		rc = sink->victims(sink->ctx, minute, batch, n, e);
	}
	return rc;
}

int open_window_emit(const struct open_window *w, uint64_t sensor, const struct track_sink *sink, struct error *e)
{
	int rc = 0;
	for (int family = 0; !rc && family < FAMILIES; family++) {
		rc = sink->flows ? emit_flows(w, family, sensor, sink, e) : 0;
		if (!rc && sink->payloads)
			rc = emit_payloads(w, family, sensor, sink, e);
		if (!rc && sink->victims)
			rc = emit_victims(w, family, sensor, sink, e);
	}
	return rc;
}
