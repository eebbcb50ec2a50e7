-- Accesses per monitored address per day over a span, by step
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [minute]: day: the span is of whole days
-- param step [hour]: minute, 10min, hour, day, or span: one row for all of it
-- param sensor []: of this sensor alone
-- column moment: where the step begins
-- column accesses: packets that ask for something
-- column packets: all packets
-- column rate: accesses per monitored address per day over the time that was observed; NULL where that cannot be told
-- column low: the same to ports up to 1023
-- column high: to ports from 1024
-- column without: to what has no port, as ICMP
-- column address_days: what the rates were divided by
-- column observed: part of the step that the sensors observed, 0 to 1; 0: a gap
-- column sources: distinct sources; NULL where only their sums are kept
WITH whom AS MATERIALIZED (FROM counted_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
), seen AS (
    SELECT unit, sum(observed_ns) AS observed_ns, sum(address_days) FILTER (sensor IN (FROM whom)) AS address_days
    FROM coverage_within($since::TIMESTAMP, $until::TIMESTAMP, step_seconds($step::VARCHAR), $sensor::VARCHAR)
    GROUP BY unit
), begun AS (
    SELECT sensor, min(from_ns) AS from_ns FROM rest.coverage
    WHERE $sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR GROUP BY sensor
), steps AS (
    SELECT unit, greatest($since::TIMESTAMP, moment_of_second(unit * step_seconds($step::VARCHAR))) AS moment,
        least($until::TIMESTAMP, moment_of_second((unit + 1) * step_seconds($step::VARCHAR))) AS over
    FROM (SELECT unnest(range(epoch($since::TIMESTAMP)::BIGINT // step_seconds($step::VARCHAR),
        (epoch($until::TIMESTAMP)::BIGINT - 1) // step_seconds($step::VARCHAR) + 1)) AS unit)
), rows4 AS (
    SELECT minute::BIGINT * 60 // step_seconds($step::VARCHAR) AS unit, sensor, source, protocol, port, packets, accesses
    FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR <> 'day' OR $step::VARCHAR IN ('minute', '10min')
), rows6 AS (
    SELECT minute::BIGINT * 60 // step_seconds($step::VARCHAR) AS unit, sensor, source, protocol, port, packets, accesses
    FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR <> 'day' OR $step::VARCHAR IN ('minute', '10min')
), asked AS (
    SELECT unit, sensor, band_of(protocol, port) AS band, sum(accesses) AS accesses, sum(packets) AS packets
    FROM (SELECT * EXCLUDE (source) FROM rows4 UNION ALL SELECT * EXCLUDE (source) FROM rows6) GROUP BY ALL
    UNION ALL
    SELECT hour::BIGINT * 3600 // step_seconds($step::VARCHAR), sensor, band, sum(accesses), sum(packets) FROM class_hour
    WHERE $by::VARCHAR = 'day' AND $step::VARCHAR NOT IN ('minute', '10min')
        AND day BETWEEN $since::DATE AND $until::DATE AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
        AND hour >= epoch($since::TIMESTAMP) / 3600 AND hour < epoch($until::TIMESTAMP) / 3600
    GROUP BY ALL
), sums AS (
    SELECT unit, sum(accesses)::UBIGINT AS accesses, sum(packets)::UBIGINT AS packets,
        sum(accesses) FILTER (counted) AS counted, sum(accesses) FILTER (counted AND band = 1) AS low,
        sum(accesses) FILTER (counted AND band = 2) AS high, sum(accesses) FILTER (counted AND band = 0) AS without
    FROM (SELECT *, sensor IN (FROM whom) AS counted FROM asked) GROUP BY unit
), senders AS (
    SELECT unit, sum(sources)::UBIGINT AS sources
    FROM (SELECT unit, count(DISTINCT source) AS sources FROM rows4 GROUP BY unit
        UNION ALL SELECT unit, count(DISTINCT source) FROM rows6 GROUP BY unit)
    GROUP BY unit
)
SELECT moment, coalesce(accesses, 0)::UBIGINT AS accesses, coalesce(packets, 0)::UBIGINT AS packets,
    coalesce(counted, 0) / nullif(address_days, 0) AS rate, coalesce(low, 0) / nullif(address_days, 0) AS low,
    coalesce(high, 0) / nullif(address_days, 0) AS high, coalesce(without, 0) / nullif(address_days, 0) AS without, address_days,
    round(least(coalesce(observed_ns, 0) / (epoch_ns(over) - epoch_ns(moment))
        / greatest((SELECT count(*) FROM begun WHERE from_ns < epoch_ns(steps.over)), 1), 1), 6) AS observed,
    CASE WHEN $by::VARCHAR <> 'day' OR $step::VARCHAR IN ('minute', '10min') THEN coalesce(sources, 0) END AS sources
FROM steps LEFT JOIN seen USING (unit) LEFT JOIN sums USING (unit) LEFT JOIN senders USING (unit)
ORDER BY moment
