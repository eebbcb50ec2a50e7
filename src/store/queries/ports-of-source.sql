-- What a source asked for
-- param source: its address
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- column protocol: IP protocol by name
-- column port: destination port
-- column icmp_type: of ICMP
-- column class: class of the packets
-- column packets: packets
-- column accesses: packets among them that ask for something
-- column destinations: most distinct monitored addresses within one minute
-- column sensors: sensors that saw it
-- column first: first second
-- column last: last second
SELECT protocol_name(protocol) AS protocol, CASE WHEN has_port(protocol) THEN port END AS port,
    CASE WHEN has_type(protocol) THEN port >> 8 END AS icmp_type, class_name(class) AS class, sum(packets)::UBIGINT AS packets,
    sum(accesses)::UBIGINT AS accesses, max(destinations) AS destinations, count(DISTINCT sensor) AS sensors,
    moment_of_second(min(minute::BIGINT * 60 + first)) AS first, moment_of_second(max(minute::BIGINT * 60 + last)) AS last
FROM (SELECT * EXCLUDE (source, syn) FROM flow4 WHERE source = ip4($source::VARCHAR)
    UNION ALL SELECT * EXCLUDE (source, syn) FROM flow6 WHERE source = ip6($source::VARCHAR))
WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
GROUP BY ALL
ORDER BY packets DESC, protocol, port, icmp_type, class
