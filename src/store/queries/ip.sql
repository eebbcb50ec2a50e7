-- What is known of addresses as sources, a row for each
-- param addresses: addresses with commas between
-- column address: as it was asked for
-- column seen: whether it ever sent anything
-- column first: first second it was seen; NULL: never
-- column last: last second
-- column days: UTC days on which it was seen
-- column sensors_seen: sensors that saw it
-- column packets: packets
-- column accesses: packets among them that ask for something
-- column classes: classes of its packets, most packets first
-- column tools: scanning tools by the evidence of each day, but unknown ones
-- column rules: evidence rules that matched, most packets first
-- column ports: what it asked for: the 100 with most packets
-- column country: two letters, as of when the last row was kept
-- column as_number: number of its autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
-- column forgeable: whether anybody else could have sent all of it: no sensor completed a handshake with it
WITH asked AS MATERIALIZED (
    SELECT DISTINCT unnest(string_split($addresses::VARCHAR, ',')) AS address
), mine AS MATERIALIZED (
    SELECT ip_of4(source) AS address, day, sensor, minute, protocol, port, class, packets, accesses, first, last, tcp_flags, country,
        as_number
    FROM flow4 WHERE source IN (SELECT ip4(address) FROM asked)
    UNION ALL SELECT ip_of6(source), day, sensor, minute, protocol, port, class, packets, accesses, first, last, tcp_flags, country,
        as_number
    FROM flow6 WHERE source IN (SELECT ip6(address) FROM asked)
), marks AS MATERIALIZED (
    SELECT ip_of4(source) AS address, day, mark FROM rest.marks4 WHERE source IN (SELECT ip4(address) FROM asked)
    UNION ALL SELECT ip_of6(source), day, mark FROM rest.marks6 WHERE source IN (SELECT ip6(address) FROM asked)
), sent AS (
    SELECT address, day, coalesce(sum(probes(class, packets)) FILTER (protocol = 6), 0)::UBIGINT AS tcp,
        coalesce(sum(probes(class, packets)) FILTER (protocol = 17), 0)::UBIGINT AS udp,
        coalesce(sum(probes(class, packets)) FILTER (protocol IN (1, 58)), 0)::UBIGINT AS icmp,
        coalesce(sum(probes(class, packets)) FILTER (protocol NOT IN (1, 6, 17, 58)), 0)::UBIGINT AS other
    FROM mine GROUP BY address, day
), named AS (
    SELECT address, list(tool ORDER BY days DESC, tool) AS tools FROM (
        SELECT address, tool, count(*) AS days
        FROM (SELECT address, tool(list(mark), any_value(tcp), any_value(udp), any_value(icmp), any_value(other)) AS tool
            FROM marks JOIN sent USING (address, day) GROUP BY address, day)
        WHERE tool <> 'unknown' GROUP BY address, tool)
    GROUP BY address
), ruled AS (
    SELECT address, list(rule_name(rule) ORDER BY packets DESC, rule) AS rules
    FROM (SELECT address, mark.rule AS rule, sum(mark.packets) AS packets FROM marks GROUP BY ALL) GROUP BY address
), classed AS (
    SELECT address, list(class_name(class) ORDER BY packets DESC, class) AS classes
    FROM (SELECT address, class, sum(packets) AS packets FROM mine GROUP BY ALL) GROUP BY address
), ported AS (
    SELECT address, list({protocol: protocol_name(protocol), port: port, icmp_type: icmp_type, class: class_name(class), packets: packets,
        accesses: accesses} ORDER BY packets DESC, protocol, port, icmp_type, class) AS ports
    FROM (SELECT *, row_number() OVER (PARTITION BY address ORDER BY packets DESC, protocol, port, icmp_type, class) AS rank
        FROM (SELECT address, protocol, CASE WHEN has_port(protocol) THEN port END AS port,
            CASE WHEN has_type(protocol) THEN port >> 8 END AS icmp_type, class, sum(packets)::UBIGINT AS packets,
            sum(accesses)::UBIGINT AS accesses FROM mine GROUP BY ALL))
    WHERE rank <= 100
    GROUP BY address
), reactive AS (SELECT DISTINCT sensor FROM rest.coverage WHERE mode = 'syn-ack'
), sums AS (
    SELECT address, min(minute::BIGINT * 60 + first) AS first, max(minute::BIGINT * 60 + last) AS last, count(DISTINCT day) AS days,
        count(DISTINCT sensor) AS sensors, sum(packets) AS packets, sum(accesses) AS accesses, arg_max(country, minute) AS country,
        arg_max(as_number, minute) AS as_number,
        coalesce(bool_or(protocol = 6 AND class = 5 AND tcp_flags & 16 = 16 AND sensor IN (FROM reactive)), false) AS proven
    FROM mine GROUP BY address
)
SELECT address, packets IS NOT NULL AS seen, moment_of_second(first) AS first, moment_of_second(last) AS last,
    coalesce(days, 0) AS days, coalesce(sensors, 0) AS sensors_seen, coalesce(packets, 0)::UBIGINT AS packets,
    coalesce(accesses, 0)::UBIGINT AS accesses, coalesce(classes, []) AS classes, coalesce(tools, []) AS tools,
    coalesce(rules, []) AS rules, coalesce(ports, []) AS ports, country, as_number, as_name(as_number) AS as_name,
    NOT coalesce(proven, false) AS forgeable
FROM asked LEFT JOIN sums USING (address) LEFT JOIN classed USING (address) LEFT JOIN named USING (address)
    LEFT JOIN ruled USING (address) LEFT JOIN ported USING (address)
ORDER BY address
