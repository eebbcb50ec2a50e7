-- What one victim replied to in a span, by kind of reply, protocol and attacked port
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param address: the victim
-- param sensor []: of this sensor alone
-- column kind: syn_ack, rst, error (ICMP) or reply (echo, or by content); NULL: kept before kinds were told
-- column protocol: attacked protocol
-- column port: attacked port
-- column packets: replies
-- column forged: distinct (monitored address, forged port) of each second, added up: what a victim sends again later counts again
-- column attackers: most distinct monitored addresses that were replied to within one second
-- column first: first second in the span
-- column last: last second
-- column peak: most replies in one minute of the clock
-- column peak_forged: most of those distinct ones, likewise
-- column length_min: least IP length
-- column length_max: greatest
-- column ttl_min: least TTL
-- column ttl_max: greatest
-- column country: two letters, as of when the row was kept
-- column as_number: number of its autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
SELECT reply_name(kind) AS kind, protocol_name(protocol) AS protocol, CASE WHEN has_port(protocol) THEN port END AS port,
    sum(packets)::UBIGINT AS packets, sum(forged)::UBIGINT AS forged, max(attackers) AS attackers,
    moment_of_second(min(first)) AS first, moment_of_second(max(last)) AS last, max(packets)::UBIGINT AS peak, max(forged)::UBIGINT AS peak_forged,
    min(length_min) AS length_min, max(length_max) AS length_max, min(ttl_min) AS ttl_min, max(ttl_max) AS ttl_max,
    min(country) AS country, min(as_number) AS as_number, as_name(min(as_number)) AS as_name
FROM (SELECT kind, protocol, port, second // 60 AS minute, sum(packets) AS packets, sum(forged) AS forged,
        max(attackers) AS attackers, min(second) AS first, max(second) AS last, min(length_min) AS length_min,
        max(length_max) AS length_max, min(ttl_min) AS ttl_min, max(ttl_max) AS ttl_max, min(country) AS country,
        min(as_number) AS as_number
    FROM replies_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, $address::VARCHAR)
    GROUP BY ALL)
GROUP BY kind, protocol, port
ORDER BY packets DESC, kind NULLS LAST, protocol, port
LIMIT 200
