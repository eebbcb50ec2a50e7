-- Whose hosts replied to packets with forged sources in a span: by country, network or attacked port
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param of [country]: country, network or port
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column country: two letters; NULL: unknown, or ranked by something else
-- column as_number: number of the autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
-- column protocol: attacked protocol, where ports are ranked
-- column port: attacked port, likewise
-- column victims: who replied
-- column packets: replies
-- column share: part of all replies, 0 to 1
SELECT country, as_number, as_name(as_number) AS as_name, protocol_name(protocol) AS protocol,
    CASE WHEN has_port(protocol) THEN port END AS port, victims, packets,
    round(packets / sum(packets) OVER (), 6) AS share
FROM (SELECT CASE WHEN $of::VARCHAR <> 'port' THEN country END AS country, CASE WHEN $of::VARCHAR = 'network' THEN as_number END AS as_number,
        CASE WHEN $of::VARCHAR = 'port' THEN protocol END AS protocol,
        CASE WHEN $of::VARCHAR = 'port' THEN port END AS port, count(DISTINCT victim)::UBIGINT AS victims, sum(packets)::UBIGINT AS packets
    FROM replies_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, NULL::VARCHAR)
    GROUP BY ALL)
ORDER BY packets DESC, country, as_number, protocol, port
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
