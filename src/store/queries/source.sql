-- What is known of one source, in one row
-- param source: its address
-- column first: first second it was seen; NULL: never
-- column last: last second
-- column days: UTC days on which it was seen
-- column sensors: sensors that saw it
-- column packets: packets
-- column accesses: packets among them that ask for something
-- column classes: classes of its packets, most packets first
-- column tools: scanning tools by the evidence of each day, but unknown ones
-- column rules: evidence rules that matched, most packets first
-- column ports: what it asked for: protocol, port, icmp_type, class, packets, accesses; the 100 with most packets
-- column forgeable: whether anybody else could have sent all of it: no sensor completed a handshake with it
WITH mine AS MATERIALIZED (
    SELECT day, sensor, minute, protocol, port, class, packets, accesses, first, last, tcp_flags FROM flow4
        WHERE source = ip4($source::VARCHAR)
    UNION ALL SELECT day, sensor, minute, protocol, port, class, packets, accesses, first, last, tcp_flags FROM flow6
        WHERE source = ip6($source::VARCHAR)
), marks AS MATERIALIZED (
    SELECT day, mark FROM rest.marks4 WHERE source = ip4($source::VARCHAR)
    UNION ALL SELECT day, mark FROM rest.marks6 WHERE source = ip6($source::VARCHAR)
), sent AS (
    SELECT day, coalesce(sum(probes(class, packets)) FILTER (protocol = 6), 0)::UBIGINT AS tcp,
        coalesce(sum(probes(class, packets)) FILTER (protocol = 17), 0)::UBIGINT AS udp,
        coalesce(sum(probes(class, packets)) FILTER (protocol IN (1, 58)), 0)::UBIGINT AS icmp,
        coalesce(sum(probes(class, packets)) FILTER (protocol NOT IN (1, 6, 17, 58)), 0)::UBIGINT AS other
    FROM mine GROUP BY day
), named AS (
    SELECT tool, count(*) AS days
    FROM (SELECT tool(list(mark), any_value(tcp), any_value(udp), any_value(icmp), any_value(other)) AS tool
        FROM marks JOIN sent USING (day) GROUP BY day)
    WHERE tool <> 'unknown' GROUP BY tool
), reactive AS (SELECT DISTINCT sensor FROM rest.coverage WHERE mode = 'syn-ack')
SELECT moment_of_second(min(minute::BIGINT * 60 + first)) AS first, moment_of_second(max(minute::BIGINT * 60 + last)) AS last,
    count(DISTINCT day) AS days, count(DISTINCT sensor) AS sensors, coalesce(sum(packets), 0)::UBIGINT AS packets,
    coalesce(sum(accesses), 0)::UBIGINT AS accesses,
    (SELECT list(class_name(class) ORDER BY packets DESC, class) FROM (SELECT class, sum(packets) AS packets FROM mine GROUP BY class))
        AS classes,
    (SELECT list(tool ORDER BY days DESC, tool) FROM named) AS tools,
    (SELECT list(rule_name(rule) ORDER BY packets DESC, rule)
        FROM (SELECT mark.rule AS rule, sum(mark.packets) AS packets FROM marks GROUP BY ALL)) AS rules,
    (SELECT list({protocol: protocol_name(protocol), port: port, icmp_type: icmp_type, class: class_name(class), packets: packets,
        accesses: accesses} ORDER BY packets DESC, protocol, port, icmp_type, class)
        FROM (SELECT protocol, CASE WHEN has_port(protocol) THEN port END AS port,
                CASE WHEN has_type(protocol) THEN port >> 8 END AS icmp_type, class, sum(packets)::UBIGINT AS packets,
                sum(accesses)::UBIGINT AS accesses FROM mine GROUP BY ALL
            ORDER BY packets DESC, protocol, port, icmp_type, class LIMIT 100)) AS ports,
    NOT coalesce(bool_or(protocol = 6 AND class = 5 AND tcp_flags & 16 = 16 AND sensor IN (SELECT sensor FROM reactive)), false)
        AS forgeable
FROM mine
