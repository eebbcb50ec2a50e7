-- Source addresses that behave like bots in a span: how many, by family and grade, country or network, beside the span before
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param before []: beginning of the span before, which ends where this one begins; without it nothing is compared
-- param of [family]: family (and grade), country or network
-- param family []: of this family alone
-- param grade []: of this grade alone: B or C
-- param country []: of this country alone: two letters
-- param as []: of this autonomous system alone
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column family: that they behave like; NULL: ranked by something else, and so the next ones
-- column grade: B: three SYNs or more, a steady TTL, two minutes or sensors; C: seen as source, possibly forged
-- column country: two letters, as of when the row was kept; NULL: unknown
-- column as_number: number of the autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
-- column sources: distinct source addresses
-- column before_sources: in the span before; NULL: it was not observed as this one was
-- column change: sources by those before, less 1
-- column change_low: 95 % of it lie above (Wilson's interval, as if each source came by chance)
-- column change_high: and below
-- column syns: their SYNs with the rule: distinct by source port and destination, in their minute
-- column share: of all these sources; 0 to 1
WITH asked AS (
    SELECT true AS now, family, grade, country, as_number, source, syns
    FROM bots_asked($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, $family::VARCHAR, $grade::VARCHAR, $country::VARCHAR, $as::UINTEGER)
    UNION ALL SELECT false, family, grade, country, as_number, source, syns
    FROM bots_asked($before::TIMESTAMP, $since::TIMESTAMP, $sensor::VARCHAR, $family::VARCHAR, $grade::VARCHAR, $country::VARCHAR, $as::UINTEGER)
), observed AS (
    SELECT coalesce((SELECT sum(observed_ns) FROM coverage_within($before::TIMESTAMP, $since::TIMESTAMP, 4000000000, $sensor::VARCHAR))
        / (SELECT sum(observed_ns) FROM coverage_within($since::TIMESTAMP, $until::TIMESTAMP, 4000000000, $sensor::VARCHAR))
        BETWEEN 0.9 AND 1.1, false) AS alike
), counted AS (
    SELECT CASE WHEN $of::VARCHAR = 'family' THEN family END AS family, CASE WHEN $of::VARCHAR = 'family' THEN grade END AS grade,
        CASE WHEN $of::VARCHAR = 'country' THEN country END AS country,
        CASE WHEN $of::VARCHAR = 'network' THEN as_number END AS as_number, count(DISTINCT source) FILTER (now) AS sources,
        count(DISTINCT source) FILTER (NOT now) AS was, sum(syns) FILTER (now)::UBIGINT AS syns
    FROM asked GROUP BY ALL
), compared AS (
    SELECT *, sources + was AS n, sources / (sources + was) AS p FROM counted
), wilson AS (
    SELECT *, (p + 1.920729 / n - 1.959964 * sqrt(p * (1 - p) / n + 0.9603647 / (n * n))) / (1 + 3.841459 / n) AS low,
        (p + 1.920729 / n + 1.959964 * sqrt(p * (1 - p) / n + 0.9603647 / (n * n))) / (1 + 3.841459 / n) AS high FROM compared
)
SELECT family, grade, country, as_number, as_name(as_number) AS as_name, sources, CASE WHEN alike THEN was END AS before_sources,
    CASE WHEN alike AND was > 0 THEN round(sources / was - 1, 6) END AS change,
    CASE WHEN alike AND was > 0 THEN round(low / (1 - low) - 1, 6) END AS change_low,
    CASE WHEN alike AND was > 0 THEN round(high / (1 - high) - 1, 6) END AS change_high, coalesce(syns, 0)::UBIGINT AS syns,
    round(sources / nullif(sum(sources) OVER (), 0), 6) AS share
FROM wilson, observed
ORDER BY sources DESC, family, grade, country, as_number
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
