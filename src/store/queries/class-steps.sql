-- Packets of a span by class and step
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [minute]: day: the span is of whole days
-- param step [hour]: minute, 10min, hour or day
-- param sensor []: of this sensor alone
-- column moment: where the step begins
-- column class: class of the packets
-- column packets: packets
-- column accesses: packets among them that ask for something
WITH rows AS (
    SELECT minute::BIGINT * 60 // step_seconds($step::VARCHAR) AS unit, class, packets, accesses
    FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR) WHERE $by::VARCHAR <> 'day' OR $step::VARCHAR IN ('minute', '10min')
    UNION ALL
    SELECT minute::BIGINT * 60 // step_seconds($step::VARCHAR), class, packets, accesses
    FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR) WHERE $by::VARCHAR <> 'day' OR $step::VARCHAR IN ('minute', '10min')
    UNION ALL
    SELECT hour::BIGINT * 3600 // step_seconds($step::VARCHAR), class, packets, accesses FROM class_hour
    WHERE $by::VARCHAR = 'day' AND $step::VARCHAR NOT IN ('minute', '10min')
        AND day BETWEEN $since::DATE AND $until::DATE AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
        AND hour >= epoch($since::TIMESTAMP) / 3600 AND hour < epoch($until::TIMESTAMP) / 3600
)
SELECT greatest($since::TIMESTAMP, moment_of_second(unit * step_seconds($step::VARCHAR))) AS moment, class_name(class) AS class,
    sum(packets)::UBIGINT AS packets, sum(accesses)::UBIGINT AS accesses
FROM rows GROUP BY unit, class
ORDER BY moment, packets DESC, class
