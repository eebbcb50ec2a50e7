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
-- column sources: distinct sources that asked; NULL over spans of more than 31 days, and so the next three
-- column countries: countries that they lie in
-- column networks: autonomous systems that they lie in
-- column sensors: sensors that saw it
WITH ranked AS (
    FROM ranked_ports($since::TIMESTAMP, $until::TIMESTAMP, $before::TIMESTAMP, $sensor::VARCHAR, $by::VARCHAR)
), ever AS (
    SELECT min(day) AS first FROM port_day
    WHERE protocol = protocol_number($protocol::VARCHAR) AND port = $port::USMALLINT AND accesses > 0
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
), places AS (
    SELECT sum(sources)::UBIGINT AS sources, len(list_distinct(flatten(list(countries)))) AS countries,
        len(list_distinct(flatten(list(networks)))) AS networks, len(list_distinct(flatten(list(sensors)))) AS sensors
    FROM (
        SELECT count(DISTINCT source) AS sources, list(DISTINCT country) AS countries, list(DISTINCT as_number) AS networks,
            list(DISTINCT sensor) AS sensors
        FROM asks4($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT) WHERE $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY
        UNION ALL SELECT count(DISTINCT source), list(DISTINCT country), list(DISTINCT as_number), list(DISTINCT sensor)
        FROM asks6($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT) WHERE $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY)
)
SELECT $protocol::VARCHAR AS protocol, $port::USMALLINT AS port, rank, before_rank, coalesce(accesses, 0)::UBIGINT AS accesses,
    coalesce(counted, 0) / address_days_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR) AS rate,
    coalesce(before_counted, 0) / address_days_within($before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR) AS before_rate,
    coalesce(share, 0) AS share, first,
    CASE WHEN $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY THEN sources END AS sources,
    CASE WHEN $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY THEN coalesce(countries, 0) END AS countries,
    CASE WHEN $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY THEN coalesce(networks, 0) END AS networks,
    CASE WHEN $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY THEN coalesce(sensors, 0) END AS sensors
FROM ever CROSS JOIN places
LEFT JOIN (FROM ranked WHERE protocol = protocol_number($protocol::VARCHAR) AND port = $port::USMALLINT) ON true
WHERE first IS NOT NULL
