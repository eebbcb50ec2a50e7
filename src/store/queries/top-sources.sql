-- Sources that sent most
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- column source: source address
-- column packets: packets
-- column accesses: packets among them that ask for something
-- column days: UTC days on which it was seen
-- column sensors: sensors that saw it
-- column first: its first second there
-- column last: its last
WITH top4 AS MATERIALIZED (FROM loudest4(span_begin($from), span_end($to), $sensor::VARCHAR, NULL, NULL, $limit::BIGINT)),
top6 AS MATERIALIZED (FROM loudest6(span_begin($from), span_end($to), $sensor::VARCHAR, NULL, NULL, $limit::BIGINT)),
days AS (
    SELECT ip_of4(source) AS source, * EXCLUDE source FROM rest.source_day4 WHERE source IN (SELECT source FROM top4)
    UNION ALL BY NAME
    SELECT ip_of6(source) AS source, * EXCLUDE source FROM rest.source_day6 WHERE source IN (SELECT source FROM top6)
)
SELECT source, sum(packets)::UBIGINT AS packets, sum(accesses)::UBIGINT AS accesses, count(DISTINCT day) AS days,
    count(DISTINCT sensor) AS sensors, moment_of_second(min(first)) AS first, moment_of_second(max(last)) AS last
FROM days
WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
    AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
GROUP BY source
ORDER BY packets DESC, source
LIMIT $limit::BIGINT
