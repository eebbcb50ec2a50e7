-- How many attacks a span has, by definition and verdict
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- column definition: monomi (our own), corsaro2 or corsaro3
-- column verdict: of ours: attack, scan, reflection or undecided; NULL: the definition has none
-- column attacks: under way in the span
-- column victims: distinct
-- column open: of them, those that the definition had not ended when the span did
FROM (
    SELECT 'monomi' AS definition, verdict, count(*) AS attacks, count(DISTINCT victim) AS victims,
        count(*) FILTER (WHERE last >= $until::TIMESTAMP - INTERVAL 600 SECOND) AS open
    FROM attacks_within($since::TIMESTAMP, $until::TIMESTAMP, NULL, NULL, NULL, NULL, NULL)
    GROUP BY verdict
    UNION ALL
    SELECT 'corsaro2', NULL, count(*), count(DISTINCT victim), count(*) FILTER (WHERE last >= epoch($until::TIMESTAMP) - 300)
    FROM (SELECT victim, first, max(last) AS last FROM rest.attack_corsaro2
        WHERE day >= $since::TIMESTAMP::DATE AND first < epoch($until::TIMESTAMP) GROUP BY victim, first)
    WHERE last >= epoch($since::TIMESTAMP)
    UNION ALL
    SELECT 'corsaro3', NULL, count(*), count(DISTINCT victim), count(*) FILTER (WHERE last >= epoch($until::TIMESTAMP) - 60)
    FROM (SELECT victim, protocol, first, max(last) AS last FROM rest.attack_corsaro3
        WHERE day >= $since::TIMESTAMP::DATE AND first < epoch($until::TIMESTAMP) GROUP BY victim, protocol, first)
    WHERE last >= epoch($since::TIMESTAMP)
)
ORDER BY definition <> 'monomi', definition, verdict
