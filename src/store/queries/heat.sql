-- The ports with most accesses in a span, by step
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [minute]: day: the span is of whole days
-- param step [hour]: hour or day
-- param sensor []: of this sensor alone
-- param ports [20]: how many ports
-- column protocol: tcp, udp or sctp
-- column port: destination port
-- column moment: where the step begins
-- column accesses: packets that ask for something
WITH rows AS (
    SELECT protocol, port, minute, accesses FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
        WHERE ($by::VARCHAR <> 'day' OR $step::VARCHAR <> 'day') AND accesses > 0 AND has_port(protocol)
    UNION ALL SELECT protocol, port, minute, accesses FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
        WHERE ($by::VARCHAR <> 'day' OR $step::VARCHAR <> 'day') AND accesses > 0 AND has_port(protocol)
), most AS MATERIALIZED (
    SELECT protocol, port, sum(accesses) AS sum FROM (
        SELECT protocol, port, accesses FROM rows WHERE $by::VARCHAR <> 'day'
        UNION ALL SELECT protocol, port, accesses FROM ports_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
            WHERE $by::VARCHAR = 'day' AND accesses > 0 AND has_port(protocol))
    GROUP BY ALL ORDER BY sum DESC, protocol, port LIMIT $ports::BIGINT
), asked AS (
    SELECT protocol, port, any_value(sum) AS sum, minute::BIGINT * 60 // step_seconds($step::VARCHAR) AS unit,
        sum(accesses) AS accesses
    FROM rows JOIN most USING (protocol, port) GROUP BY ALL
    UNION ALL
    SELECT protocol, port, any_value(sum), epoch(day)::BIGINT // step_seconds($step::VARCHAR), sum(accesses)
    FROM (SELECT day, protocol, port, accesses FROM port_day
        WHERE $by::VARCHAR = 'day' AND $step::VARCHAR = 'day' AND accesses > 0 AND has_port(protocol)
            AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
            AND day BETWEEN $since::DATE AND ($until::TIMESTAMP - INTERVAL 1 SECOND)::DATE) JOIN most USING (protocol, port)
    GROUP BY ALL
)
SELECT protocol_name(protocol) AS protocol, port,
    greatest($since::TIMESTAMP, moment_of_second(unit * step_seconds($step::VARCHAR))) AS moment, accesses::UBIGINT AS accesses
FROM asked
ORDER BY sum DESC, asked.protocol, port, moment
