-- Attacks as corsaro 2 defines them (RSDoS): a victim with 25 replies, 60 seconds and 30 replies in a minute
-- param since []: beginning of the span, as 2026-11-24T00:00:00Z; without it the first there is
-- param until []: its end, not included; without it the last there is
-- column victim: who replied to packets it thinks we sent; IPv4 alone
-- column protocol: attacked protocol, of the first reply
-- column first: first second, since 1970
-- column last: last second
-- column packets: replies
-- column bytes: sum of their IP lengths
-- column max_ppm: most replies in six 10-s buckets that follow each other, the first of which begins with the first reply
-- column ports: distinct attacked ports (of ICMP: 0); 64: that or more
-- column attackers: most distinct monitored addresses that were replied to within one second
-- column country: two letters, as of when the first row was kept
-- column as_number: number of its autonomous system, likewise
SELECT ip_of6(victim) AS victim, protocol_name(last_row.protocol) AS protocol, first, last_row.last AS last,
    last_row.packets AS packets, last_row.bytes AS bytes, last_row.max_ppm AS max_ppm, last_row.ports AS ports,
    last_row.attackers AS attackers, last_row.country AS country, nullif(last_row.as_number, 0) AS as_number
FROM (SELECT victim, first, arg_max(a, last) AS last_row
    FROM rest.attack_corsaro2 AS a
    WHERE day >= coalesce($since::TIMESTAMP::DATE, '-infinity'::DATE) AND first < coalesce(epoch($until::TIMESTAMP), 'infinity'::DOUBLE)
    GROUP BY victim, first)
WHERE last_row.last >= coalesce(epoch($since::TIMESTAMP), '-infinity'::DOUBLE)
ORDER BY first, victim
