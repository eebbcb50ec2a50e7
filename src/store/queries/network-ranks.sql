-- Autonomous systems that sources lie in, by accesses over a span, beside the span of equal length before it
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param before []: beginning of the span before, which ends where this one begins; without it nothing is compared
-- param by [minute]: day: the spans are of whole days
-- param country []: of sources in this country alone
-- param protocol []: of this protocol alone: tcp, udp or sctp
-- param port []: of this port alone
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column as_number: number of the autonomous system, as of when the row was kept; NULL: unknown
-- column as_name: its organisation; NULL: unknown
-- column country: where most of its accesses come from
-- column rank: by accesses, from 1
-- column before_rank: in the span before; NULL: there were none
-- column accesses: packets that ask for something
-- column rate: accesses per monitored address per day over the time that was observed; NULL where that cannot be told
-- column before_rate: in the span before
-- column share: of all accesses; 0 to 1
-- column sources: distinct sources that asked
WITH asked AS (
    SELECT true AS now, *
    FROM origins_asked(true, $since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT, $by::VARCHAR)
    WHERE $country::VARCHAR IS NULL OR country = $country::VARCHAR
    UNION ALL
    SELECT false, as_number, country, accesses, counted, NULL
    FROM origins_asked(true, $before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT, $by::VARCHAR)
    WHERE $country::VARCHAR IS NULL OR country = $country::VARCHAR
), compared AS (
    SELECT as_number, sum(accesses) FILTER (now)::UBIGINT AS accesses,
        sum(counted) FILTER (now) AS counted, sum(accesses) FILTER (NOT now) AS before_accesses,
        sum(counted) FILTER (NOT now) AS before_counted, sum(sources) FILTER (now)::UBIGINT AS sources, arg_max(country, accesses) FILTER (now) AS country
    FROM asked GROUP BY as_number
), ranked AS (
    SELECT *, row_number() OVER (ORDER BY accesses DESC NULLS LAST, as_number) AS rank,
        CASE WHEN before_accesses > 0 THEN row_number() OVER (ORDER BY before_accesses DESC NULLS LAST, as_number) END AS before_rank,
        accesses / sum(accesses) OVER () AS share
    FROM compared
)
SELECT as_number, as_name(as_number) AS as_name, country, rank, before_rank, accesses,
    counted / address_days_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR) AS rate,
    before_counted / address_days_within($before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR) AS before_rate, share, sources
FROM ranked WHERE accesses > 0
ORDER BY rank
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
