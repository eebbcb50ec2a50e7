-- Sources that sent most in a span
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [minute]: day: the span is of whole days
-- param country []: of this country alone: two letters
-- param as []: of this autonomous system alone
-- param tool []: at which this tool was seen on a day of the span; unknown: none was
-- param protocol []: of this protocol alone: tcp, udp or sctp
-- param port []: of this port alone
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column source: source address
-- column packets: packets
-- column accesses: packets among them that ask for something
-- column ports: distinct destination ports; NULL over spans of more than 31 days
-- column tool: scanning tool by its evidence; unknown: too little
-- column country: two letters, as of when the row was kept
-- column as_number: number of its autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
-- column first: its first second in the span
-- column last: its last
-- column sensors: sensors that saw it
SELECT source, packets::UBIGINT AS packets, accesses::UBIGINT AS accesses,
    CASE WHEN $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY THEN coalesce(ports, 0)::UBIGINT END AS ports,
    coalesce(tool, 'unknown') AS tool, country, as_number, as_name(as_number) AS as_name, moment_of_second(first) AS first,
    moment_of_second(last) AS last, sensors
FROM (SELECT * REPLACE (ip_of4(source) AS source), source AS key4, NULL AS key6
    FROM sources_ranked('flow4', 'rest.source_day4', 'rest.marks4', $since::TIMESTAMP, $until::TIMESTAMP,
        $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT, $by::VARCHAR, $country::VARCHAR, $as::UINTEGER,
        $tool::VARCHAR, $limit::BIGINT + $offset::BIGINT)
    UNION ALL SELECT * REPLACE (ip_of6(source) AS source), NULL, source
    FROM sources_ranked('flow6', 'rest.source_day6', 'rest.marks6', $since::TIMESTAMP, $until::TIMESTAMP,
        $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT, $by::VARCHAR, $country::VARCHAR, $as::UINTEGER,
        $tool::VARCHAR, $limit::BIGINT + $offset::BIGINT))
ORDER BY packets DESC, key4, key6
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
