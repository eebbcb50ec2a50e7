-- Ports by accesses over a span, beside the span of equal length before it
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param before []: beginning of the span before, which ends where this one begins; without it nothing is compared
-- param by [minute]: day: the spans are of whole days
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column protocol: tcp, udp or sctp
-- column port: destination port
-- column rank: by accesses, from 1
-- column before_rank: in the span before; NULL: it was not asked for
-- column accesses: packets that ask for something
-- column rate: accesses per monitored address per day over the time that was observed; NULL where that cannot be told
-- column before_rate: in the span before
-- column sources: distinct sources; NULL over spans of days
-- column share: of all accesses, those without a port too; 0 to 1
WITH ranked AS (
    FROM ranked_ports($since::TIMESTAMP, $until::TIMESTAMP, $before::TIMESTAMP, $sensor::VARCHAR, $by::VARCHAR)
), page AS MATERIALIZED (
    SELECT protocol, port::USMALLINT AS port, rank, before_rank, accesses, counted, before_counted, share
    FROM ranked WHERE port IS NOT NULL AND accesses > 0
    ORDER BY rank LIMIT $limit::BIGINT OFFSET $offset::BIGINT
), senders AS (
    SELECT protocol, port, sum(sources)::UBIGINT AS sources FROM (
        SELECT protocol, port, count(DISTINCT source) AS sources FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR) AS f JOIN page USING (protocol, port)
        WHERE $by::VARCHAR <> 'day' AND f.accesses > 0 GROUP BY ALL
        UNION ALL
        SELECT protocol, port, count(DISTINCT source) FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR) AS f JOIN page USING (protocol, port)
        WHERE $by::VARCHAR <> 'day' AND f.accesses > 0 GROUP BY ALL)
    GROUP BY ALL
)
SELECT protocol_name(protocol) AS protocol, port, rank, before_rank, accesses,
    counted / address_days_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR) AS rate,
    before_counted / address_days_within($before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR) AS before_rate, sources, share
FROM page LEFT JOIN senders USING (protocol, port)
ORDER BY rank
