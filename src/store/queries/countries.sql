-- Countries that sources lie in, as of when their rows were kept
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- column country: two letters; NULL: unknown
-- column accesses: packets that ask for something
-- column share: of all accesses; 0 to 1
-- column packets: all packets
-- column sources: distinct sources
WITH sums AS (
    SELECT country, source, sum(accesses) AS accesses, sum(packets) AS packets FROM flow4
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
    GROUP BY ALL
), sums6 AS (
    SELECT country, source, sum(accesses) AS accesses, sum(packets) AS packets FROM flow6
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
    GROUP BY ALL
)
SELECT country, sum(accesses)::UBIGINT AS accesses, sum(accesses) / nullif(sum(sum(accesses)) OVER (), 0) AS share,
    sum(packets)::UBIGINT AS packets, sum(sources)::UBIGINT AS sources
FROM (SELECT country, sum(accesses) AS accesses, sum(packets) AS packets, count(DISTINCT source) AS sources FROM sums GROUP BY country
    UNION ALL SELECT country, sum(accesses), sum(packets), count(DISTINCT source) FROM sums6 GROUP BY country)
GROUP BY country
ORDER BY accesses DESC, packets DESC, country
LIMIT $limit::BIGINT
