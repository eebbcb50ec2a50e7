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
WITH sent4 AS MATERIALIZED (
    SELECT source, sum(packets) AS packets
    FROM sent('flow4', 'rest.source_day4', $since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR,
        protocol_number($protocol::VARCHAR), $port::USMALLINT, $by::VARCHAR)
    GROUP BY source
), tools4 AS (
    FROM tools_within('rest.marks4', 'rest.source_day4', $since::TIMESTAMP, $until::TIMESTAMP) WHERE $port::USMALLINT IS NULL
    UNION ALL
    FROM tools_of('rest.marks4', 'flow4', $since::TIMESTAMP, $until::TIMESTAMP, (SELECT list(source) FROM sent4))
    WHERE $port::USMALLINT IS NOT NULL
), sent6 AS MATERIALIZED (
    SELECT source, sum(packets) AS packets
    FROM sent('flow6', 'rest.source_day6', $since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR,
        protocol_number($protocol::VARCHAR), $port::USMALLINT, $by::VARCHAR)
    GROUP BY source
), tools6 AS (
    FROM tools_within('rest.marks6', 'rest.source_day6', $since::TIMESTAMP, $until::TIMESTAMP) WHERE $port::USMALLINT IS NULL
    UNION ALL
    FROM tools_of('rest.marks6', 'flow6', $since::TIMESTAMP, $until::TIMESTAMP, (SELECT list(source) FROM sent6))
    WHERE $port::USMALLINT IS NOT NULL
), named AS (
    SELECT coalesce(tool, 'unknown') AS tool, packets FROM sent4 LEFT JOIN tools4 USING (source)
    UNION ALL SELECT coalesce(tool, 'unknown') AS tool, packets FROM sent6 LEFT JOIN tools6 USING (source)
)
SELECT tool, sum(packets)::UBIGINT AS packets, count(*) AS sources, count(*) / sum(count(*)) OVER () AS share
FROM named GROUP BY tool
ORDER BY sources DESC, tool
