-- What was attacked at one victim: by attack, kind of reply, protocol and port
-- param address: of the victim
-- column attack: first second of the attack it is of
-- column kind: of reply: syn_ack, rst, error, reply
-- column protocol: attacked protocol
-- column port: attacked port
-- column first: first second
-- column last: last second so far
-- column packets: replies
-- column bytes: sum of their IP lengths
-- column forged: distinct (monitored address, forged port) of each second, added up: what a victim sends again later counts again
-- column ttl_min: least TTL
-- column ttl_max: greatest
-- column length_min: least IP length
-- column length_max: greatest
SELECT moment_of_second(v.attack) AS attack, reply_name(v.kind) AS kind, protocol_name(v.protocol) AS protocol,
    CASE WHEN has_port(v.protocol) THEN v.port END AS port, moment_of_second(v.first) AS first, moment_of_second(max(last)) AS last,
    max(packets) AS packets, max(bytes) AS bytes, max(forged) AS forged, min(ttl_min) AS ttl_min, max(ttl_max) AS ttl_max,
    min(length_min) AS length_min, max(length_max) AS length_max
FROM rest.attack_vector AS v
WHERE ip_of6(victim) = $address::VARCHAR
GROUP BY v.attack, v.kind, v.protocol, v.port, v.first
ORDER BY attack DESC, packets DESC, kind, protocol, port
