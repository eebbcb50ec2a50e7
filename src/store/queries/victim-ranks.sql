-- Who replied to packets with forged sources in a span: floods, by victim and attacked port
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column victim: who replied to packets it thinks we sent
-- column protocol: attacked protocol
-- column port: attacked port
-- column packets: replies
-- column attackers: most distinct monitored addresses that were replied to within one second
-- column first: first second in the span
-- column last: last second
-- column country: two letters, as of when the row was kept
-- column as_number: number of its autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
SELECT victim, protocol_name(protocol) AS protocol, CASE WHEN has_port(protocol) THEN port END AS port, packets::UBIGINT AS packets,
    attackers, moment_of_second(first) AS first, moment_of_second(last) AS last, country, as_number, as_name(as_number) AS as_name
FROM (
    SELECT ip_of4(victim) AS victim, protocol, port, sum(packets) AS packets, max(coalesce(attackers, packets)) AS attackers,
        min(second) AS first, max(second) AS last, min(country) AS country, min(as_number) AS as_number
    FROM rest.victim_second4
    WHERE day BETWEEN $since::DATE AND $until::DATE AND second >= epoch($since::TIMESTAMP) AND second < epoch($until::TIMESTAMP)
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
    GROUP BY victim, protocol, port
    UNION ALL
    SELECT ip_of6(victim) AS victim, protocol, port, sum(packets) AS packets, max(coalesce(attackers, packets)) AS attackers,
        min(second) AS first, max(second) AS last, min(country) AS country, min(as_number) AS as_number
    FROM rest.victim_second6
    WHERE day BETWEEN $since::DATE AND $until::DATE AND second >= epoch($since::TIMESTAMP) AND second < epoch($until::TIMESTAMP)
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
    GROUP BY victim, protocol, port
)
ORDER BY packets DESC, victim, protocol, port
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
