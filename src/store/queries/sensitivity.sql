-- What this telescope can see: floods with sources forged at random, in packets a second at the victim
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- column addresses: N, monitored addresses of all sensors, the most of the span; NULL: not known
-- column observable: rate above which 3 distinct packets an hour come here: below, nobody can tell
-- column early_hour: rate at which the early mode raises an onset within an hour with 95 %; NULL: at so few addresses never
-- column early_minute: and within a minute
-- column published: rate that 30 packets a minute come of, as corsaro's definitions ask for, each sent once
SELECT sum(n) AS addresses, 3 / 3600 * 4294967296.0 / sum(n) AS observable,
    onset_sees(sum(n), 3600)::UBIGINT AS early_hour, onset_sees(sum(n), 60)::UBIGINT AS early_minute, 30 / 60 * 4294967296.0 / sum(n) AS published
FROM (SELECT sensor, CASE WHEN count(*) = count(nullif(addresses, 0)) THEN max(addresses) END AS n FROM rest.coverage
    WHERE to_ns >= epoch_ns($since::TIMESTAMP) AND from_ns < epoch_ns($until::TIMESTAMP) GROUP BY sensor)
HAVING count(*) = count(n)
