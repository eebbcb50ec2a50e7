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
WITH sent4 AS (
    SELECT source, sum(packets) AS packets
    FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE ($by::VARCHAR <> 'day' OR $port::USMALLINT IS NOT NULL)
        AND ($protocol::VARCHAR IS NULL OR protocol = protocol_number($protocol::VARCHAR))
        AND ($port::USMALLINT IS NULL OR (port = $port::USMALLINT AND has_port(protocol)))
    GROUP BY source
    UNION ALL
    SELECT source, sum(packets) FROM sources4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR = 'day' AND $port::USMALLINT IS NULL
    GROUP BY source
), sent6 AS (
    SELECT source, sum(packets) AS packets
    FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE ($by::VARCHAR <> 'day' OR $port::USMALLINT IS NOT NULL)
        AND ($protocol::VARCHAR IS NULL OR protocol = protocol_number($protocol::VARCHAR))
        AND ($port::USMALLINT IS NULL OR (port = $port::USMALLINT AND has_port(protocol)))
    GROUP BY source
    UNION ALL
    SELECT source, sum(packets) FROM sources6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR = 'day' AND $port::USMALLINT IS NULL
    GROUP BY source
), named AS (
    SELECT coalesce(tool, 'unknown') AS tool, packets
    FROM sent4 LEFT JOIN (FROM tools4_within($since::TIMESTAMP, $until::TIMESTAMP)) USING (source)
    UNION ALL
    SELECT coalesce(tool, 'unknown'), packets
    FROM sent6 LEFT JOIN (FROM tools6_within($since::TIMESTAMP, $until::TIMESTAMP)) USING (source)
)
SELECT tool, sum(packets)::UBIGINT AS packets, count(*) AS sources, count(*) / sum(count(*)) OVER () AS share
FROM named GROUP BY tool
ORDER BY sources DESC, tool
