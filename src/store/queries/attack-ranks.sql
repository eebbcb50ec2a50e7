-- Attacks in a span by what is asked: the countries, networks or ports attacked most
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [country]: country, network or port
-- param verdict [attack]: attack, scan, reflection or undecided
-- param country []: victims there alone
-- param as []: victims of this autonomous system alone
-- param protocol []: attacked protocol, as tcp
-- param port []: attacked port
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column country: two letters; NULL: unknown, or ranked by something else
-- column as_number: number of the autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
-- column protocol: attacked protocol, where ports are ranked
-- column port: attacked port, likewise
-- column attacks: with this verdict
-- column victims: distinct
-- column packets: replies
-- column share: part of all these attacks, 0 to 1
SELECT CASE WHEN $by::VARCHAR = 'country' THEN country END AS country, CASE WHEN $by::VARCHAR = 'network' THEN as_number END AS as_number,
    CASE WHEN $by::VARCHAR = 'network' THEN min(as_name) END AS as_name, CASE WHEN $by::VARCHAR = 'port' THEN protocol END AS protocol,
    CASE WHEN $by::VARCHAR = 'port' THEN port END AS port, count(*) AS attacks, count(DISTINCT victim) AS victims,
    sum(packets)::UBIGINT AS packets, round(count(*) / sum(count(*)) OVER (), 6) AS share
FROM attacks_within($since::TIMESTAMP, $until::TIMESTAMP, $verdict::VARCHAR, $country::VARCHAR, $as::UINTEGER, $protocol::VARCHAR,
    $port::USMALLINT)
GROUP BY ALL
ORDER BY attacks DESC, victims DESC, packets DESC, country, as_number, protocol, port
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
