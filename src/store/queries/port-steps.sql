-- One port over a span, by step
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [minute]: day: the span is of whole days
-- param protocol: tcp, udp or sctp
-- param port: destination port
-- param step [hour]: minute, 10min, hour or day
-- param sensor []: of this sensor alone
-- column moment: where the step begins
-- column accesses: packets that ask for something
-- column rate: accesses per monitored address per day over the time that was observed; NULL where that cannot be told
-- column sources: distinct sources that asked; NULL where only their sums are kept
-- column observed: part of the step that the sensors observed, 0 to 1; 0: a gap
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
), asked AS (
    SELECT minute::BIGINT * 60 // step_seconds($step::VARCHAR) AS unit, sum(accesses) AS accesses, sum(accesses) FILTER (sensor IN (FROM whom)) AS counted,
        count(DISTINCT source) AS sources
    FROM asks4($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT)
    WHERE $by::VARCHAR <> 'day' OR $step::VARCHAR <> 'day' GROUP BY unit
    UNION ALL
    SELECT minute::BIGINT * 60 // step_seconds($step::VARCHAR), sum(accesses), sum(accesses) FILTER (sensor IN (FROM whom)), count(DISTINCT source)
    FROM asks6($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, protocol_number($protocol::VARCHAR), $port::USMALLINT)
    WHERE $by::VARCHAR <> 'day' OR $step::VARCHAR <> 'day' GROUP BY ALL
    UNION ALL
    SELECT epoch(day)::BIGINT // step_seconds($step::VARCHAR), sum(accesses), sum(accesses) FILTER (sensor IN (FROM whom)), NULL
    FROM port_day
    WHERE $by::VARCHAR = 'day' AND $step::VARCHAR = 'day' AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
        AND protocol = protocol_number($protocol::VARCHAR) AND port = $port::USMALLINT
        AND day BETWEEN $since::DATE AND ($until::TIMESTAMP - INTERVAL 1 SECOND)::DATE
    GROUP BY ALL
), sums AS (
    SELECT unit, sum(accesses)::UBIGINT AS accesses, sum(counted) AS counted, sum(sources)::UBIGINT AS sources FROM asked GROUP BY unit
)
SELECT moment, coalesce(accesses, 0)::UBIGINT AS accesses, coalesce(counted, 0) / nullif(address_days, 0) AS rate,
    CASE WHEN $by::VARCHAR <> 'day' OR $step::VARCHAR <> 'day' THEN coalesce(sources, 0) END AS sources,
    round(least(coalesce(observed_ns, 0) / (epoch_ns(over) - epoch_ns(moment))
        / greatest((SELECT count(*) FROM begun WHERE from_ns < epoch_ns(steps.over)), 1), 1), 6) AS observed
FROM steps LEFT JOIN seen USING (unit) LEFT JOIN sums USING (unit)
ORDER BY moment
