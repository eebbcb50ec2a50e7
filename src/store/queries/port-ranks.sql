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
WITH asked AS (
    SELECT true AS now, protocol, port, sum(accesses) AS accesses, sum(accesses) FILTER (sensor IN (FROM rest.counted)) AS counted
    FROM (SELECT sensor, protocol, port, accesses FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
        UNION ALL SELECT sensor, protocol, port, accesses FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR))
    WHERE $by::VARCHAR <> 'day' AND accesses > 0
    GROUP BY ALL
    UNION ALL
    SELECT true, protocol, port, sum(accesses), sum(accesses) FILTER (sensor IN (FROM rest.counted)) FROM ports_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR = 'day' AND accesses > 0
    GROUP BY ALL
    UNION ALL
    SELECT false AS now, protocol, port, sum(accesses) AS accesses, sum(accesses) FILTER (sensor IN (FROM rest.counted)) AS counted
    FROM (SELECT sensor, protocol, port, accesses FROM flow4_within($before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR)
        UNION ALL SELECT sensor, protocol, port, accesses FROM flow6_within($before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR))
    WHERE $by::VARCHAR <> 'day' AND accesses > 0
    GROUP BY ALL
    UNION ALL
    SELECT false, protocol, port, sum(accesses), sum(accesses) FILTER (sensor IN (FROM rest.counted)) FROM ports_within($before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR = 'day' AND accesses > 0
    GROUP BY ALL
), compared AS (
    SELECT protocol, CASE WHEN has_port(protocol) THEN port END AS port, sum(accesses) FILTER (now)::UBIGINT AS accesses,
        sum(counted) FILTER (now) AS counted, sum(accesses) FILTER (NOT now) AS before_accesses,
        sum(counted) FILTER (NOT now) AS before_counted
    FROM asked GROUP BY ALL
), ranked AS (
    SELECT *, CASE WHEN accesses > 0 THEN
            row_number() OVER (ORDER BY port IS NULL, accesses DESC NULLS LAST, protocol, port) END AS rank,
        CASE WHEN before_accesses > 0 THEN
            row_number() OVER (ORDER BY port IS NULL, before_accesses DESC NULLS LAST, protocol, port) END AS before_rank,
        accesses / sum(accesses) OVER () AS share
    FROM compared
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
