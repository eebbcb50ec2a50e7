-- Sensors over a span
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [minute]: day: the span is of whole days
-- column sensor: its name
-- column addresses: monitored addresses as it last told; NULL: it did not
-- column mode: how it answered in the span (without any, at the last): silent, host-answers, syn-ack, or mixed
-- column first: the first moment it ever observed
-- column last: the last
-- column observed: part of the span that it observed, 0 to 1
-- column packets: packets in the span
-- column accesses: packets among them that ask for something
-- column rate: accesses per monitored address per day over the time that was observed; NULL where that cannot be told
-- column dropped: packets lost before they could be written, in the ranges that reach into the span
-- column gaps: times of a minute or more in the span, after its first moment, that it did not observe
WITH ranges AS (
    SELECT sensor, from_ns, to_ns, mode, dropped, lag(to_ns) OVER (PARTITION BY sensor ORDER BY from_ns) AS before_ns
    FROM rest.coverage
), span AS (SELECT epoch_ns($since::TIMESTAMP) AS since_ns, epoch_ns($until::TIMESTAMP) AS until_ns
), seen AS (
    SELECT sensor, arg_max(mode, to_ns) AS last_mode, min(from_ns) AS first, max(to_ns) AS last,
        coalesce(sum(dropped) FILTER (to_ns >= since_ns AND from_ns < until_ns), 0)::UBIGINT AS dropped,
        count(*) FILTER (from_ns - before_ns > 60000000000 AND from_ns > since_ns AND before_ns < until_ns) AS gaps
    FROM ranges CROSS JOIN span GROUP BY sensor
), within AS (
    SELECT sensor, sum(observed_ns) AS observed_ns, sum(address_days) AS address_days
    FROM coverage_within($since::TIMESTAMP, $until::TIMESTAMP, 4000000000, NULL::VARCHAR) GROUP BY sensor
), sent AS (
    SELECT sensor, sum(packets)::UBIGINT AS packets, sum(accesses)::UBIGINT AS accesses
    FROM (SELECT sensor, packets, accesses FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, NULL::VARCHAR) WHERE $by::VARCHAR <> 'day'
        UNION ALL SELECT sensor, packets, accesses FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, NULL::VARCHAR) WHERE $by::VARCHAR <> 'day'
        UNION ALL SELECT sensor, packets, accesses FROM class_hour WHERE $by::VARCHAR = 'day'
            AND day BETWEEN $since::DATE AND ($until::TIMESTAMP - INTERVAL 1 SECOND)::DATE
            AND hour >= epoch($since::TIMESTAMP) / 3600 AND hour < epoch($until::TIMESTAMP) / 3600)
    GROUP BY sensor
)
SELECT sensor, nullif(sensors.addresses, 0) AS addresses, coalesce(mode, last_mode) AS mode, moment_of_ns(first) AS first, moment_of_ns(last) AS last,
    round(least(coalesce(observed_ns, 0) / (epoch_ns($until::TIMESTAMP) - epoch_ns($since::TIMESTAMP)), 1), 6) AS observed,
    coalesce(packets, 0)::UBIGINT AS packets, coalesce(accesses, 0)::UBIGINT AS accesses,
    CASE WHEN known AND mode <> 'mixed' THEN coalesce(accesses, 0) / nullif(address_days, 0) END AS rate, dropped, gaps
FROM rest.sensors AS sensors LEFT JOIN seen USING (sensor) LEFT JOIN within USING (sensor) LEFT JOIN sent USING (sensor)
    LEFT JOIN modes_within($since::TIMESTAMP, $until::TIMESTAMP, NULL::VARCHAR) USING (sensor)
ORDER BY sensor
