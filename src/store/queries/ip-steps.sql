-- What one source sent in a span, by step
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param address: its address
-- param step [hour]: minute, 10min, hour or day
-- column moment: where the step begins
-- column protocol: IP protocol by name
-- column port: destination port
-- column class: class of the packets
-- column packets: packets
-- column accesses: packets among them that ask for something
SELECT greatest($since::TIMESTAMP, moment_of_second(minute::BIGINT * 60 // step_seconds($step::VARCHAR) * step_seconds($step::VARCHAR)))
    AS moment, protocol_name(protocol) AS protocol, CASE WHEN has_port(protocol) THEN port END AS port, class_name(class) AS class,
    sum(packets)::UBIGINT AS packets, sum(accesses)::UBIGINT AS accesses
FROM (SELECT minute, protocol, port, class, packets, accesses FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, NULL::VARCHAR)
        WHERE source = ip4($address::VARCHAR)
    UNION ALL SELECT minute, protocol, port, class, packets, accesses FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, NULL::VARCHAR)
        WHERE source = ip6($address::VARCHAR))
GROUP BY ALL
ORDER BY moment, packets DESC, protocol, port, class
