/* tool(evidence, tcp, udp, icmp, other): the tool of one source on one day, in SQL. Private to this folder.
 *
 * evidence: a list of contributions as source_evidence has them, of any sensors and hours of the day; then the source's
 * probes by protocol. tool_of_day(contribution, tcp, udp, icmp, other) is the same as an aggregate, of rows that have a
 * contribution or NULL, and probes or 0. */
#pragma once
#include "store/reader.h"

int verdict_register(struct store_reader *r, struct error *e) MUST_USE;
