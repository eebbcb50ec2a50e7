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
WITH asked AS MATERIALIZED (
    SELECT protocol, port, minute::BIGINT * 60 // step_seconds($step::VARCHAR) AS unit, sum(accesses) AS accesses
    FROM (SELECT protocol, port, minute, accesses FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
        UNION ALL SELECT protocol, port, minute, accesses FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR))
    WHERE ($by::VARCHAR <> 'day' OR $step::VARCHAR <> 'day') AND accesses > 0 AND has_port(protocol)
    GROUP BY ALL
    UNION ALL
    SELECT protocol, port, epoch(day)::BIGINT // step_seconds($step::VARCHAR), sum(accesses)
    FROM port_day
    WHERE $by::VARCHAR = 'day' AND $step::VARCHAR = 'day' AND accesses > 0 AND has_port(protocol)
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
        AND day BETWEEN $since::DATE AND ($until::TIMESTAMP - INTERVAL 1 SECOND)::DATE
    GROUP BY ALL
), most AS (
    SELECT protocol, port, sum(accesses) AS sum FROM asked GROUP BY ALL ORDER BY sum DESC, protocol, port LIMIT $ports::BIGINT
)
SELECT protocol_name(protocol) AS protocol, port,
    greatest($since::TIMESTAMP, moment_of_second(unit * step_seconds($step::VARCHAR))) AS moment, accesses::UBIGINT AS accesses
FROM asked JOIN most USING (protocol, port)
ORDER BY sum DESC, most.protocol, port, moment
