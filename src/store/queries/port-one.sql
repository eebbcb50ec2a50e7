-- One port over a span, beside the span of equal length before it; no row when nothing ever asked for it
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param before []: beginning of the span before, which ends where this one begins; without it nothing is compared
-- param by [minute]: day: the span is of whole days
-- param protocol: tcp, udp or sctp
-- param port: destination port
-- param sensor []: of this sensor alone
-- column protocol: tcp, udp or sctp
-- column port: destination port
-- column rank: by accesses among all ports, from 1; NULL: not asked for in this span
-- column before_rank: in the span before
-- column accesses: packets that ask for something
-- column rate: accesses per monitored address per day over the time that was observed; NULL where that cannot be told
-- column before_rate: in the span before
-- column share: of all accesses; 0 to 1
-- column first: first UTC day it was ever asked for on
-- column sources: distinct sources that asked
-- column countries: countries that they lie in
-- column networks: autonomous systems that they lie in
-- column sensors: sensors that saw it
WITH asked AS (
    SELECT minute >= epoch($since::TIMESTAMP) / 60 AS now, protocol, port, sum(accesses) AS accesses, sum(accesses) FILTER (sensor IN (FROM rest.counted)) AS counted
    FROM (SELECT minute, sensor, protocol, port, accesses FROM flow4_within(coalesce($before::TIMESTAMP, $since::TIMESTAMP), $until::TIMESTAMP, $sensor::VARCHAR)
        UNION ALL SELECT minute, sensor, protocol, port, accesses FROM flow6_within(coalesce($before::TIMESTAMP, $since::TIMESTAMP), $until::TIMESTAMP, $sensor::VARCHAR))
    WHERE $by::VARCHAR <> 'day' AND accesses > 0
    GROUP BY ALL
    UNION ALL
    SELECT day >= $since::DATE, protocol, port, sum(accesses), sum(accesses) FILTER (sensor IN (FROM rest.counted))
    FROM port_day
    WHERE $by::VARCHAR = 'day' AND accesses > 0 AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
        AND day BETWEEN coalesce($before::TIMESTAMP, $since::TIMESTAMP)::DATE AND ($until::TIMESTAMP - INTERVAL 1 SECOND)::DATE
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
), ever AS (
    SELECT min(day) AS first FROM port_day
    WHERE protocol = protocol_number($protocol::VARCHAR) AND port = $port::USMALLINT AND accesses > 0
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
), senders AS (
    SELECT sum(sources)::UBIGINT AS sources FROM (
        SELECT count(DISTINCT source) AS sources FROM asks4($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT)
        UNION ALL SELECT count(DISTINCT source) FROM asks6($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT))
), places AS (
    SELECT count(DISTINCT country) AS countries, count(DISTINCT as_number) AS networks, count(DISTINCT sensor) AS sensors FROM (
        SELECT DISTINCT country, as_number, sensor FROM asks4($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT)
        UNION ALL SELECT DISTINCT country, as_number, sensor FROM asks6($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT))
)
SELECT $protocol::VARCHAR AS protocol, $port::USMALLINT AS port, rank, before_rank, coalesce(accesses, 0)::UBIGINT AS accesses,
    coalesce(counted, 0) / address_days_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR) AS rate,
    coalesce(before_counted, 0) / address_days_within($before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR) AS before_rate,
    coalesce(share, 0) AS share, first, sources, countries, networks, sensors
FROM ever CROSS JOIN senders CROSS JOIN places
LEFT JOIN (FROM ranked WHERE protocol = protocol_number($protocol::VARCHAR) AND port = $port::USMALLINT) ON true
WHERE first IS NOT NULL
