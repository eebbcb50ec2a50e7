-- Replies of one victim by minute
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param address: of the victim
-- column minute: its beginning
-- column packets: replies
-- column bytes: sum of their IP lengths
SELECT time_bucket(INTERVAL 1 minute, second) AS minute, sum(packets)::UBIGINT AS packets, sum(bytes)::UBIGINT AS bytes
FROM victim_second
WHERE day BETWEEN $since::DATE AND $until::DATE AND second >= $since::TIMESTAMP AND second < $until::TIMESTAMP
    AND victim = $address::VARCHAR
GROUP BY ALL
ORDER BY minute
