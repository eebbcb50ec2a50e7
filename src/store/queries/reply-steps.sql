-- Replies to packets with forged sources in a span, by step and kind
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param address []: of this victim alone
-- param step [hour]: minute, 10min, hour or day
-- param sensor []: of this sensor alone
-- column moment: where the step begins
-- column kind: syn_ack, rst, error (ICMP) or reply (echo, or by content); NULL: kept before kinds were told
-- column packets: replies
-- column forged: distinct (monitored address, forged port) of each second, added up: what a victim sends again later counts again
-- column victims: who replied
SELECT greatest($since::TIMESTAMP, moment_of_second(second // step_seconds($step::VARCHAR) * step_seconds($step::VARCHAR))) AS moment,
    reply_name(kind) AS kind, sum(packets)::UBIGINT AS packets, sum(forged)::UBIGINT AS forged,
    count(DISTINCT victim)::UBIGINT AS victims
FROM replies_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, $address::VARCHAR)
GROUP BY ALL
ORDER BY moment, kind NULLS LAST
