-- Attacks in a span by what is asked: the countries, networks or ports attacked most
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [country]: country, network or port
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column what: country, number of the autonomous system, or protocol/port; NULL: unknown
-- column attacks: with the verdict attack
-- column victims: distinct
-- column packets: replies
SELECT CASE $by::VARCHAR WHEN 'network' THEN as_number::VARCHAR WHEN 'port' THEN protocol || coalesce('/' || port, '')
        ELSE country END AS what,
    count(*) AS attacks, count(DISTINCT victim) AS victims, sum(packets)::UBIGINT AS packets
FROM rest.attack_told
WHERE verdict = 'attack' AND first < $until::TIMESTAMP AND last >= $since::TIMESTAMP
GROUP BY what
ORDER BY attacks DESC, victims DESC, packets DESC, what
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
