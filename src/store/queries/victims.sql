-- Victims of floods with forged sources, by the replies they sent here
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- param limit [20]: rows at most
-- column victim: who replied to packets it thinks we sent
-- column packets: replies
-- column seconds: seconds with a reply, by attacked port and sensor
-- column protocol: attacked most, by name
-- column port: attacked most
-- column ports: attacked ports
-- column first: first second
-- column last: last second
SELECT victim, sum(packets)::UBIGINT AS packets, sum(seconds)::UBIGINT AS seconds, arg_max(protocol, packets) AS protocol,
    arg_max(port, packets) AS port, count(*) AS ports, min(first) AS first, max(last) AS last
FROM (SELECT victim, protocol, port, sum(packets) AS packets, count(DISTINCT (sensor, second)) AS seconds, min(second) AS first, max(second) AS last
    FROM victim_second
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
    GROUP BY victim, protocol, port)
GROUP BY victim
ORDER BY packets DESC, victim
LIMIT $limit::BIGINT
