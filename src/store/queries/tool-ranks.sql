-- Scanning tools by the sources they were seen at in a span
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [minute]: day: the span is of whole days
-- param protocol []: of this protocol alone: tcp, udp or sctp
-- param port []: of this port alone
-- param sensor []: of this sensor alone
-- column tool: by the evidence of the days of the span; mixed: of several; unknown: no tool's marks, or too few of them
-- column packets: all packets of these sources
-- column sources: sources
-- column share: of all sources; 0 to 1
WITH named AS (
    FROM senders_named('flow4', 'rest.source_day4', 'rest.marks4', $since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR,
        protocol_number($protocol::VARCHAR), $port::USMALLINT, $by::VARCHAR)
    UNION ALL FROM senders_named('flow6', 'rest.source_day6', 'rest.marks6', $since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR,
        protocol_number($protocol::VARCHAR), $port::USMALLINT, $by::VARCHAR)
)
SELECT tool, sum(packets)::UBIGINT AS packets, count(*) AS sources, count(*) / sum(count(*)) OVER () AS share
FROM named GROUP BY tool
ORDER BY sources DESC, tool
